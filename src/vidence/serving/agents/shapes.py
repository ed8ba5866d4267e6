"""What the tools give as data, beside their words. Times are in seconds."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from vidence.serving.api.shapes import MediumOut


class Listed(BaseModel):
    """The videos of the library."""

    videos: list[MediumOut]


class Moment(BaseModel):
    """A stretch of a video with what is there, in words."""

    start_s: float
    end_s: float
    sense: str
    text: str


class Hit(Moment):
    """A moment that fits."""

    media_id: str
    name: str
    score: float


class Hits(BaseModel):
    """Moments, the best first."""

    hits: list[Hit]


class Transcript(BaseModel):
    """What is said. `more_from_s`: where to go on, where not all of it is here."""

    media_id: str
    name: str
    lines: list[Moment]
    more_from_s: float | None


class Answers(BaseModel):
    """Answers as `schemas/ask.json` describes, one a video; and what they cite."""

    answers: list[dict[str, Any]]
    citations: list[dict[str, Any]]
