"""The documents of the API, as its OpenAPI description publishes them. Times are in seconds."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field

from vidence.serving.jobs import Kind

MediaId = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="The content hash in hex digits.")]
Number = Annotated[int, Path(ge=1, le=2**53 - 1)]
Limit = Annotated[int, Query(ge=1, le=1000)]


class Given(BaseModel):
    """What a client sends: unknown fields are refused, so that a slip is told."""

    model_config = ConfigDict(extra="forbid")


class Fault(BaseModel):
    """What went wrong."""

    message: str
    type: str
    code: str | None = None


class Problem(BaseModel):
    """The body of every error."""

    error: Fault


PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": Problem, "description": "The request is refused; the message says why."},
    "5XX": {"model": Problem, "description": "The server cannot do it; the message says why."},
}


class Extent(BaseModel):
    """How far something has come."""

    done_s: float
    total_s: float


class Bytes(BaseModel):
    """How much has been fetched; `total` is null where its server does not say."""

    done: int
    total: int | None


class JobOut(BaseModel):
    """One piece of work. `place` in the queue: 0 is running, null has ended. Times are seconds since 1970."""

    id: int
    kind: Kind
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    media_id: str | None
    name: str
    created: float
    started: float | None
    finished: float | None
    place: int | None
    attempts: int
    progress: dict[str, Extent]
    bytes: Bytes | None
    error: str | None


class Jobs(BaseModel):
    """Jobs, the newest first."""

    jobs: list[JobOut]


class MediumOut(BaseModel):
    """A video (or sound) of the library. `seen`: the share of it, 0 to 1, that each sense has perceived."""

    id: str
    name: str
    added: float
    size_bytes: int
    start_s: float
    duration_s: float
    width: int | None
    height: int | None
    fps: float | None
    video_codec: str | None
    audio_codec: str | None
    problems: list[str]
    available: bool
    seen: dict[str, float]
    job: JobOut | None


class MediaOut(BaseModel):
    """All media, the newest last."""

    media: list[MediumOut]


class Address(Given):
    """A video to be fetched."""

    url: str = Field(min_length=1, max_length=2000)
    name: str | None = Field(default=None, min_length=1, max_length=500)


class Name(Given):
    """What a medium is to be called."""

    name: str = Field(min_length=1, max_length=500)


class Indexing(Given):
    """What is to be perceived: all, or these senses; and the language spoken."""

    senses: list[str] | None = Field(default=None, min_length=1, max_length=50)
    language: str | None = Field(default=None, pattern="^[a-zA-Z]{2,8}$")


class Spent(Given):
    """What an answer may cost."""

    time_limit_s: float | None = Field(default=None, ge=0)
    max_frames: int | None = Field(default=None, ge=0)
    max_steps: int | None = Field(default=12, ge=1, le=1000)
    token_limit: int | None = Field(default=None, ge=1)


class Question(Given):
    """A question about one or more media."""

    media: list[Annotated[str, Field(pattern="^[0-9a-f]{64}$")]] = Field(min_length=1)
    question: str = Field(min_length=1, max_length=10_000, pattern=r"\S")
    choices: list[Annotated[str, Field(min_length=1, max_length=2000, pattern=r"\S")]] = Field(
        default=[], max_length=26
    )
    policy: str | None = None
    budget: Spent = Spent()
    language: str | None = Field(default=None, pattern="^[a-zA-Z]{2,8}$")


class Policy(BaseModel):
    """Who may decide."""

    name: str
    label: str


class App(BaseModel):
    """An application."""

    name: str
    title: str


class Me(BaseModel):
    """Who asks, and what this server offers. `limits` are in bytes, seconds, pixels and counts."""

    name: str
    version: str
    senses: list[str]
    formats: list[str]
    policies: list[Policy]
    apps: list[App]
    limits: dict[str, float]
    tokens: bool


class SceneOut(BaseModel):
    """A scene."""

    start: float
    end: float
    title: str
    summary: str


class Mark(BaseModel):
    """One thing that was perceived."""

    id: int
    start: float
    end: float
    text: str
    confidence: float
    modality: str


class Covered(BaseModel):
    """A stretch that a sense has perceived; `rate_hz` null: every frame, or sound."""

    start: float
    end: float
    rate_hz: float | None


class Missed(BaseModel):
    """A stretch that a sense could not perceive."""

    sense: str
    start: float
    end: float
    reason: str


class TimelineOut(BaseModel):
    """All that is known of a medium along its time. `left_out`: marks of a lane beyond those given."""

    start_s: float
    end_s: float
    scenes: list[SceneOut]
    lanes: dict[str, list[Mark]]
    left_out: dict[str, int]
    coverage: dict[str, list[Covered]]
    failures: list[Missed]


class Observations(BaseModel):
    """What was perceived, in time order, as `vidence/schemas/observations.json` describes; `total` without limit."""

    observations: list[dict[str, Any]]
    total: int


class HitOut(BaseModel):
    """A moment that fits."""

    media_id: str
    name: str
    start: float
    end: float
    text: str
    sense: str
    score: float
    why: dict[str, float]


class Found(BaseModel):
    """Moments, the best first."""

    query: str
    hits: list[HitOut]


class Answers(BaseModel):
    """One answer a medium, each as `vidence/schemas/ask.json` describes, with `media_id`."""

    answers: list[dict[str, Any]]


class RunOut(BaseModel):
    """What was asked, and how it was answered; `answer` null: it was cut off."""

    id: int
    media_id: str
    name: str
    question: str
    choices: list[str]
    policy: str
    budget: dict[str, Any]
    asked: float
    answer: dict[str, Any] | None
    steps: list[dict[str, Any]]


class Runs(BaseModel):
    """Runs, the newest first, without their steps."""

    runs: list[RunOut]


class Making(BaseModel):
    """A preview that is being made."""

    progress: float = Field(ge=0, le=1)


class Session(BaseModel):
    """Whose session it is."""

    name: str
