"""What clients send to applications, and what they are told of reports."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Path
from pydantic import BaseModel, Field

from vidence.apps import TITLES
from vidence.serving.api.shapes import Given

MOST_TEXT = 100_000  # characters of a policy or vocabulary
AppName = Annotated[str, Path(description="The application.", json_schema_extra={"enum": list(TITLES)})]


class Options(Given):
    """What every application may be told.

    `checker` is the policy that opens again what was found (default: the senses that perceived it). `time_limit_s`
    holds for perceiving and checking together, `max_frames` for checking.
    """

    checker: str | None = Field(default=None, min_length=1, max_length=500)
    language: str | None = Field(default=None, pattern="^[a-zA-Z]{2,8}$")
    time_limit_s: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    max_frames: int | None = Field(default=None, ge=0, le=10**6)


class ModerateOptions(Options):
    """`policy`: the name of one that ships, or one as YAML (docs/moderate.md)."""

    policy: str = Field(default="family", min_length=1, max_length=MOST_TEXT)


class WatchOptions(Options):
    """`scene`: zones, lines and what counts as what, with the fields of a scene file (docs/watch.md).

    `starts`: when the recording began; `blur_faces`: faces cannot be recognised in the report.
    """

    scene: dict[str, Any] = Field(default_factory=dict)
    starts: datetime | None = None
    blur_faces: bool = False


class CatalogueOptions(Options):
    """`vocabulary`: tags to choose from as YAML (docs/catalogue.md); default: those that ship."""

    vocabulary: str | None = Field(default=None, min_length=1, max_length=MOST_TEXT)


class Moderating(Given):
    """How a video is to be moderated."""

    options: ModerateOptions = ModerateOptions()


class Studying(Given):
    """How a video is to be studied."""

    options: Options = Options()


class Watching(Given):
    """How a recording is to be watched."""

    options: WatchOptions = WatchOptions()


class Cataloguing(Given):
    """How a video is to be catalogued."""

    options: CatalogueOptions = CatalogueOptions()


class ReportOut(BaseModel):
    """A report that was made; `made` in seconds since 1970."""

    app: str
    made: float
    title: str
    findings: int
    summary: str


class Reports(BaseModel):
    """The newest report of each application, the newest first."""

    reports: list[ReportOut]
