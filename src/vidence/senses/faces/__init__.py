"""Where faces are seen, and for how long. Nobody is identified, and no likeness is kept."""

from __future__ import annotations

from vidence.senses.faces.cascade import Face, detect
from vidence.senses.faces.sense import Faces

__all__ = ["Face", "Faces", "detect"]
