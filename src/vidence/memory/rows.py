"""How observations lie in rows: exact times as text, tracks and data packed, vectors in half precision."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import Any, cast

import numpy as np

from vidence.senses.observation import Box, Modality, Observation, Producer
from vidence.timeline import Instant, Span

PAYLOAD = 'start, "end", start_s, end_s, modality, text, confidence, track, data, vector, space'
"""The columns that hold what was perceived, in the order of `pack` and `unpack`."""

_PACK_FROM_BYTES = 200  # below this zlib gains nothing


def exact(time: Instant) -> str:
    """Write a time without loss: "1001/30000", or "12"."""
    return str(time)


def parse(text: str) -> Instant:
    """Read what `exact` wrote (five times faster than Fraction(text), which goes by a regular expression)."""
    top, _, bottom = text.partition("/")
    return Fraction(int(top), int(bottom)) if bottom else Fraction(int(top))


def pack(seen: Observation, space: str | None) -> tuple[Any, ...]:
    """Turn an observation into `PAYLOAD` values; `space` names what its vector may be compared with."""
    span, vector = seen.span, seen.vector
    return (
        exact(span.start), exact(span.end), float(span.start), float(span.end), seen.modality, seen.text,
        float(seen.confidence), _pack_track(seen.track), pack_json(dict(seen.data)),
        None if vector is None else np.asarray(vector, np.float16).tobytes(), None if vector is None else space,
    )  # fmt: skip


def unpack(row: tuple[Any, ...], producer: Producer, id: int | None) -> Observation:
    """Turn the values of the `PAYLOAD` columns back into an observation."""
    start, end, _, _, modality, text, confidence, track, data, vector, _ = row
    return Observation(
        span=Span(parse(start), parse(end)),
        modality=cast(Modality, modality),
        producer=producer,
        text=text,
        confidence=confidence,
        track=_unpack_track(track),
        vector=None if vector is None else unit(np.frombuffer(vector, np.float16)),
        data=cast(Mapping[str, Any], unpack_json(data)) if data else {},
        id=id,
    )


def unit(vectors: np.ndarray) -> np.ndarray:
    """Make float32 unit rows of half-precision ones; rows of zeros stay."""
    wide = vectors.astype(np.float32)
    return wide / np.maximum(np.linalg.norm(wide, axis=-1, keepdims=True), 1e-6)


def pack_json(value: Any) -> str | bytes | None:
    """Write JSON, compressed where that pays; None for an empty object."""
    if not value:
        return None
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return zlib.compress(text.encode()) if len(text) > _PACK_FROM_BYTES else text


def unpack_json(stored: str | bytes) -> Any:
    """Read what `pack_json` wrote."""
    return json.loads(zlib.decompress(stored) if isinstance(stored, bytes) else stored)


def _pack_track(track: tuple[tuple[Instant, Box], ...]) -> bytes | None:
    """Times as whole multiples of one unit; boxes in parts of 65,535 (a tenth of a pixel at 6K)."""
    if not track:
        return None
    base = lcm(*(time.denominator for time, _ in track))
    times = [time.numerator * (base // time.denominator) for time, _ in track]
    boxes = [[round(edge * 65_535) for edge in (box.x, box.y, box.w, box.h)] for _, box in track]
    steps = [times[0], *(b - a for a, b in pairwise(times))]
    return zlib.compress(json.dumps([base, steps, boxes], separators=(",", ":")).encode())


def _unpack_track(stored: bytes | None) -> tuple[tuple[Instant, Box], ...]:
    if stored is None:
        return ()
    base, steps, boxes = json.loads(zlib.decompress(stored))
    track, time = [], 0
    for step, edges in zip(steps, boxes, strict=True):
        time += step
        track.append((Fraction(time, base), Box(*(edge / 65_535 for edge in edges))))
    return tuple(track)
