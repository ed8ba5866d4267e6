"""Keep the C heap small while many threads perceive."""

from __future__ import annotations

import ctypes
import sys

_M_ARENA_MAX, _M_MMAP_THRESHOLD = -8, -3  # glibc's mallopt(3)
_ARENAS = 2
_MAPPED_BYTES = 8 << 20


def share_arenas() -> None:
    """Make threads share two heaps instead of having one each; nothing where the C library is not glibc.

    glibc gives every thread its own heap, and none of them gives back what another could use: with all senses at work
    the peak was 1,423 MB, with two heaps 1,016 MB, and no slower. Works only before the threads are started.

    What is larger than 8 MB is mapped by itself and goes back to the system when it is freed (left alone, glibc raises
    that bound to 32 MB as it goes, and the heaps keep holes of that size): 70 MB less, for 3 % of the CPU time.
    """
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        mallopt(_M_ARENA_MAX, _ARENAS)
        mallopt(_M_MMAP_THRESHOLD, _MAPPED_BYTES)
