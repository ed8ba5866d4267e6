"""The command line: one command a file; each declares its flags, the library does the work."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `vidence` with `arguments` (default: those of the process) and exit with its documented code."""
    from vidence.cli.group import vidence

    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a letter of some transcript must not end the run.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    vidence(args=list(arguments) if arguments is not None else None, prog_name="vidence")
