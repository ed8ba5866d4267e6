"""JSON: observations with every detail, as `schemas/observations.schema.json` publishes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vidence.printable import to_json_text
from vidence.senses.observation import Box, Observation
from vidence.timeline import Instant


def to_json(observations: Sequence[Observation]) -> str:
    """Write `{"observations": [...]}`, indented, in time order."""
    return to_json_text({"observations": [record(item) for item in observations]}) + "\n"


def record(item: Observation) -> dict[str, Any]:
    """Return one observation as JSON values, times in seconds, boxes as fractions of the picture."""
    return {
        **item.span.to_json(),
        "id": item.id,
        "sense": item.sense,
        "modality": item.modality,
        "text": item.text,
        "confidence": round(item.confidence, 4),
        "track": path_json(item.track),
        "data": dict(item.data),
        "producer": {
            "sense": item.producer.sense,
            "version": item.producer.version,
            "weights": item.producer.weights,
            "parameters": item.producer.parameters,
        },
    }


def path_json(path: Sequence[tuple[Instant, Box]]) -> list[dict[str, float]]:
    """Return boxes over time as JSON values."""
    return [{"time_s": round(float(time), 6), **_box(box)} for time, box in path]


def _box(box: Box) -> dict[str, float]:
    return {"x": round(box.x, 5), "y": round(box.y, 5), "w": round(box.w, 5), "h": round(box.h, 5)}
