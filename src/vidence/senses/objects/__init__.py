"""Which things are seen, where, and how they move: people, vehicles, animals, household things of 80 kinds."""

from __future__ import annotations

from vidence.senses.objects.detectors import Detection
from vidence.senses.objects.look import detect
from vidence.senses.objects.sense import Objects

__all__ = ["Detection", "Objects", "detect"]
