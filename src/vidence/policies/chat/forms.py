"""What a model must answer in: checked fields, nothing filled in for it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]


class Part(BaseModel):
    """A JSON object; what is not asked for is let pass, for models add remarks."""

    model_config = ConfigDict(extra="ignore")


class Guess(Part):
    """One possible answer and how probable it is."""

    text: str
    probability: Share


class Plan(Part):
    """The planner's turn, where tools are not called natively: why, what is believed, what to do."""

    thought: str
    hypotheses: list[Guess] = []
    uncertain: list[str] = []
    action: str
    arguments: dict[str, Any] = {}


class Seen(Part):
    """One thing that the observer saw, and when."""

    text: str
    start_s: float
    end_s: float
    confidence: Share


class Report(Part):
    """The observer's turn: what is seen that bears on the question; nothing where nothing does."""

    observations: list[Seen]


class Stated(Part):
    """One statement of an answer, and the evidence it rests on, by id."""

    text: str = Field(min_length=1)
    evidence: list[str] = Field(min_length=1)


class Final(Part):
    """The answer, or an empty text where the evidence is not enough; `lacking` says then what is missing."""

    text: str
    choice: str | None = None
    confidence: Share
    claims: list[Stated] = []
    lacking: str = ""


class Judgement(Part):
    """Whether a statement is borne out by what was opened again."""

    verdict: Literal["supported", "contradicted", "unsupported", "unseen"]
    score: Share
    why: str = ""
