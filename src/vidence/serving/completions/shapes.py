"""What a client of the chat API sends. What is not known here is let pass: clients send more by the year."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from vidence.errors import UsageError
from vidence.serving.api.shapes import Given, OneChoice, Spent


class Message(BaseModel):
    """One message; content is text or parts."""

    model_config = ConfigDict(extra="ignore")
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[dict[str, Any]] | None = None

    @property
    def text(self) -> str:
        """Return its words."""
        if isinstance(self.content, str):
            return self.content
        texts = [part.get("text") for part in self.content or () if part.get("type") == "text"]
        return "\n".join(text for text in texts if isinstance(text, str))


class Extension(Given):
    """What is taken besides.

    The loop: choices to answer from, what it may cost, the language of the question. A model by itself: answers to
    `weigh`, instead of one of its own.
    """

    choices: list[OneChoice] = Field(default=[], max_length=26)
    budget: Spent = Spent()
    language: str | None = Field(default=None, pattern="^[a-zA-Z]{2,8}$")
    weigh: list[OneChoice] = Field(default=[], max_length=26)


class Asked(BaseModel):
    """A request."""

    model_config = ConfigDict(extra="ignore")
    model: str
    messages: list[Message] = Field(min_length=1)
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    temperature: float = Field(1.0, ge=0, le=2)
    top_p: float = Field(1.0, gt=0, le=1)
    seed: int | None = None
    logprobs: bool | None = None
    stream: bool = False
    stream_options: dict[str, Any] | None = None
    response_format: dict[str, Any] | None = None
    tools: list[dict[str, Any]] | None = None
    vidence: Extension = Extension()

    @property
    def usage_wanted(self) -> bool:
        """Say whether a stream is to end with what it took."""
        return bool((self.stream_options or {}).get("include_usage"))

    def schema_wanted(self) -> Mapping[str, Any] | None:
        """Return the JSON schema that the answer is to fit; None where it is to be words.

        Raises:
            UsageError: the form is not known.
        """
        kind = (self.response_format or {}).get("type", "text")
        if kind == "text":
            return None
        if kind == "json_object":
            return {"type": "object"}
        schema = (self.response_format or {}).get("json_schema", {}).get("schema")
        if kind == "json_schema" and isinstance(schema, Mapping):
            return schema
        raise UsageError(
            f"response_format is {kind!r}; it is text, json_object, or json_schema with its schema"
        )
