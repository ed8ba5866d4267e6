"""An OpenAI-compatible endpoint: streamed, retried, counted; features that a server lacks are left out from then on."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import openai
from pydantic import BaseModel, ValidationError

from vidence.errors import EndpointError

TIMEOUT_S, RETRIES = (
    180.0,
    4,
)  # retries wait half a second, then twice as long each time, or as long as the server says
MAX_TOKENS = 1024
OPTIONAL = ("response_format", "tools", "stream_options")  # in the order in which they are given up
_THOUGHT = re.compile(r"<think>.*?</think>", re.DOTALL)
_FENCED = re.compile(r"^\s*```(?:json)?\s*|\s*```\s*$")

Message = Mapping[str, Any]
Form = TypeVar("Form", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call as the model wrote it."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, and what it cost in tokens (0 where the server does not say)."""

    text: str
    calls: tuple[Call, ...]
    tokens: int


class CannotSee(EndpointError):
    """The server or its model takes no pictures."""


class Endpoint:
    """One model of one server. `spent` is told of each reply's tokens."""

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        timeout_s: float = TIMEOUT_S,
        retries: int = RETRIES,
    ) -> None:
        self.model = model
        self.address = base_url or os.environ.get("OPENAI_BASE_URL") or "https://api.openai.com/v1"
        key = api_key or os.environ.get("OPENAI_API_KEY") or "none"  # local servers want none, the client any
        self._client = openai.OpenAI(
            api_key=key, base_url=self.address, timeout=timeout_s, max_retries=retries
        )
        self.lacks = set[str]()
        self.spent: Callable[[int], None] = lambda tokens: None

    def ask(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        schema: Mapping[str, Any] | None = None,
        max_tokens: int = MAX_TOKENS,
    ) -> Reply:
        """Send messages; return the reply, which is empty where the server turns out to take no tools.

        Raises:
            CannotSee: pictures were sent, and are what the server refuses.
            EndpointError: it cannot be reached, or refuses for another reason.
        """
        wanted: dict[str, Any] = {"stream_options": {"include_usage": True}}
        if tools:
            wanted["tools"] = [{"type": "function", "function": dict(tool)} for tool in tools]
        if schema is not None:
            named = {"name": schema["title"], "schema": dict(schema)}
            wanted["response_format"] = {"type": "json_schema", "json_schema": named}
        while True:
            given = {name: value for name, value in wanted.items() if name not in self.lacks}
            try:
                return self._heard(messages, max_tokens, given)
            except (
                openai.BadRequestError,
                openai.UnprocessableEntityError,
                openai.InternalServerError,
            ) as fault:
                refused = _refused(given, str(fault))
                if _pictured(messages) and (refused is None or "image" in str(fault).lower()):
                    raise CannotSee(
                        f"{self.address}: {self.model} takes no pictures: {_short(fault)}"
                    ) from fault
                if refused is None:
                    raise EndpointError(f"{self.address}: refused the request: {_short(fault)}") from fault
                self.lacks.add(refused)
                if refused == "tools":
                    return Reply("", (), 0)  # who asked must tell in words what can be called

    def fill(self, form: type[Form], messages: Sequence[Message]) -> Form:
        """Ask for JSON of a form; a reply that is not gets one chance to be mended.

        Raises:
            EndpointError: it was not mended; or as `ask`.
        """
        schema = form.model_json_schema()
        said = self.ask(messages, schema=schema)
        try:
            return form.model_validate(json_of(said.text))
        except ValueError as fault:
            again = [*messages, {"role": "assistant", "content": said.text}, repair(fault, schema)]
        try:
            return form.model_validate(json_of(self.ask(again, schema=schema).text))
        except ValueError as fault:
            raise EndpointError(
                f"{self.model} did not answer in the form that was asked for ({form.__name__}), twice: {_short(fault)}"
            ) from fault

    def _heard(self, messages: Sequence[Message], max_tokens: int, given: Mapping[str, Any]) -> Reply:
        text, tokens, calls = "", 0, dict[int, list[str]]()
        create: Any = self._client.chat.completions.create
        try:
            for chunk in create(
                model=self.model,
                messages=list(messages),
                max_tokens=max_tokens,
                temperature=0,
                stream=True,
                **given,
            ):
                tokens = chunk.usage.total_tokens if chunk.usage else tokens
                for choice in chunk.choices:
                    text += choice.delta.content or ""
                    _gather(calls, choice.delta.tool_calls or ())
        except openai.AuthenticationError as fault:
            raise EndpointError(
                f"{self.address}: refused the key; set OPENAI_API_KEY to a valid one"
            ) from fault
        except openai.NotFoundError as fault:
            raise EndpointError(
                f"{self.address}: knows no model {self.model!r}, or is no OpenAI-compatible address: {_short(fault)}"
            ) from fault
        except openai.RateLimitError as fault:
            raise EndpointError(
                f"{self.address}: is over its rate limit, after {self._client.max_retries} more tries: {_short(fault)}"
            ) from fault
        except openai.APITimeoutError as fault:
            raise EndpointError(
                f"{self.address}: did not answer in {self._client.timeout} seconds"
            ) from fault
        except openai.APIConnectionError as fault:
            raise EndpointError(
                f"{self.address}: cannot be reached; start the server, or name another with --api-base"
            ) from fault
        self.spent(tokens)
        return Reply(_THOUGHT.sub("", text).strip(), tuple(_call(*each) for each in calls.values()), tokens)


def json_of(text: str) -> Any:
    """Read the JSON object in a reply, fenced or with words around it.

    Raises:
        ValueError: there is none.
    """
    bare = _FENCED.sub("", text)
    first, last = bare.find("{"), bare.rfind("}")
    return json.loads(bare[first : last + 1] if 0 <= first < last else bare)


def repair(fault: ValueError, schema: Mapping[str, Any]) -> Message:
    """Write the turn that asks for a mended reply."""
    return {
        "role": "user",
        "content": f"That could not be used: {_short(fault)}. Reply with one JSON object of this schema, and nothing "
        f"else: {json.dumps(schema)}",
    }


def _gather(calls: dict[int, list[str]], parts: Iterable[Any]) -> None:
    """Add what a chunk holds of tool calls to what came before."""
    for part in parts:
        held = calls.setdefault(part.index, ["", ""])
        if part.function is not None:
            held[0] += part.function.name or ""
            held[1] += part.function.arguments or ""


def _call(name: str, arguments: str) -> Call:
    try:
        given = json.loads(arguments or "{}")
    except json.JSONDecodeError:
        given = {"unreadable": arguments}  # wrong arguments: the action says so, and the model may mend it
    return Call(name, given if isinstance(given, dict) else {"unreadable": arguments})


def _refused(given: Mapping[str, Any], message: str) -> str | None:
    """Tell which optional feature a server refuses: one that it names, else the first of those that were sent."""
    named = [name for name in OPTIONAL if name in given and name.split("_")[0] in message.lower()]
    sent = [name for name in OPTIONAL if name in given]
    return (named or sent or [None])[0]


def _pictured(messages: Sequence[Message]) -> bool:
    return any(
        part.get("type") in ("image_url", "video_url")
        for message in messages
        if isinstance(message["content"], list)
        for part in message["content"]
    )


def _short(fault: Exception) -> str:
    if isinstance(fault, ValidationError):
        return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in fault.errors()[:5])
    return " ".join(str(fault).split())[:300]
