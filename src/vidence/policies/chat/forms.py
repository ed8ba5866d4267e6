"""What a model must answer in: checked fields, nothing filled in for it.

Lengths are asked for and not insisted on: a server that writes by the schema comes to an end, whatever its model does.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Share = Annotated[float, Field(ge=0, le=1)]
Words = Annotated[str, Field(json_schema_extra={"maxLength": 300})]
Name = Annotated[str, Field(json_schema_extra={"maxLength": 12})]
FEW: dict[str, JsonValue] = {"maxItems": 6}
MANY: dict[str, JsonValue] = {"maxItems": 16}


class Part(BaseModel):
    """A JSON object; what is not asked for is let pass, for models add remarks."""

    model_config = ConfigDict(extra="ignore")


class Guess(Part):
    """One possible answer and how probable it is."""

    text: Words
    probability: Share


class Plan(Part):
    """The planner's turn: why, what is believed, what to do."""

    thought: Words
    hypotheses: list[Guess] = Field(default=[], json_schema_extra=FEW)
    uncertain: list[Words] = Field(default=[], json_schema_extra=FEW)
    action: str
    arguments: dict[str, Any] = {}


class Seen(Part):
    """One thing that the observer saw, and when."""

    text: Words
    start_s: float
    end_s: float
    confidence: Share


class Report(Part):
    """The observer's turn: what is seen that bears on the question; nothing where nothing does."""

    observations: list[Seen] = Field(json_schema_extra=MANY)


class Stated(Part):
    """One statement of an answer; the evidence it rests on, and what there is against it, by id."""

    text: Words = Field(min_length=1)
    evidence: list[Name] = Field(min_length=1, json_schema_extra=FEW)
    against: list[Name] = Field(default=[], json_schema_extra=FEW)


class Final(Part):
    """The answer, or an empty text where the evidence is not enough; `lacking` says then what is missing."""

    text: Words
    choice: Words | None = None
    confidence: Share
    claims: list[Stated] = Field(default=[], json_schema_extra=FEW)
    lacking: Words = ""


class Judgement(Part):
    """Whether a statement is borne out by what was opened again."""

    verdict: Literal["supported", "contradicted", "unsupported", "unseen"]
    score: Share
    why: Words = ""
