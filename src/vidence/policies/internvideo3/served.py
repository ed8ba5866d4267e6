"""The model behind `vidence serve`: the dialogue is sent each time, and its server reads only what is new in it."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import openai

from vidence.errors import EndpointError
from vidence.models.internvideo3.limits import VideoLimits
from vidence.models.internvideo3.patches import PatchShape
from vidence.models.internvideo3.video import Clip
from vidence.policies.internvideo3.host import Message

PLAIN_BYTES = 24 << 20  # of pixels of one video that are sent without loss
QUALITY, TIMEOUT_S = 95, 600.0


class ServedHost:
    """A model by its name, at the address of a server's API, such as http://127.0.0.1:8000/v1."""

    def __init__(self, model: str, address: str, key: str | None = None) -> None:
        """Ask the server how the model sees.

        Raises:
            EndpointError: it cannot be reached, or serves no such model, or one that is not ours.
        """
        self.model, self.address = model, address
        key = key or os.environ.get("OPENAI_API_KEY") or "none"
        self.client = openai.OpenAI(base_url=address, api_key=key, timeout=TIMEOUT_S)
        try:
            told: Any = self.client.models.retrieve(model)
        except openai.OpenAIError as fault:
            raise EndpointError(f"{address}: {fault}") from fault
        sight = getattr(told, "sight", None)
        if not isinstance(sight, Mapping):
            raise EndpointError(
                f"{address}: {model} is no InternVideo3 model that sees; ask it as a chat model"
            )
        self.limits, self.shape = VideoLimits(**sight["limits"]), PatchShape(**sight["shape"])
        self.options, self.weights = str(sight["options"]), str(sight["weights"])

    def talk(self) -> ServedTalk:
        """Begin a dialogue."""
        return ServedTalk(self)


@dataclass(slots=True)
class ServedTalk:
    """A dialogue over the API."""

    host: ServedHost
    tokens: int = 0
    logprobs: Sequence[float] = ()
    _said: list[dict[str, Any]] = field(default_factory=list)  # as the API takes it
    _pieces: Sequence[str] = ()  # of the last answer, by token
    _open: bool = False  # the last message goes on with what is said next

    @property
    def started(self) -> bool:
        """Tell whether anything was shown or said yet."""
        return bool(self._said)

    def see(self, messages: Sequence[Message], known_as: str) -> None:
        """Put videos before the question; the server sees them with it, or knows them already."""
        del known_as
        self._said += [_sent(one) for one in messages]
        self._open = True

    def reply(self, messages: Sequence[Message], max_new_tokens: int) -> str:
        """Answer.

        Raises:
            EndpointError: the server does not.
        """
        self._said = self._with(messages)
        self._open = False
        answer = self._asked(self._said, max_tokens=max_new_tokens, logprobs=True)
        told = answer.choices[0].logprobs.content or []
        self.logprobs, self._pieces = [one.logprob for one in told], [one.token for one in told]
        text = answer.choices[0].message.content or ""
        self._said.append({"role": "assistant", "content": text})
        return text

    def likelihoods(self, answers: Sequence[str]) -> Sequence[float]:
        """Weigh answers.

        Raises:
            EndpointError: the server does not.
        """
        answer = self._asked(self._said[:-1], extra_body={"vidence": {"weigh": list(answers)}})
        return answer.choices[0].message.likelihoods

    def spelled(self, text: str) -> int:
        """Count the tokens that spell the beginning of the last answer."""
        length, count = 0, 0
        while length < len(text) and count < len(self._pieces):
            length += len(self._pieces[count])
            count += 1
        return count

    def _with(self, messages: Sequence[Message]) -> list[dict[str, Any]]:
        new = [_sent(one) for one in messages]
        if not (self._open and new):
            return [*self._said, *new]
        last, first = self._said[-1], new[0]
        joined = {**last, "content": [*_parts(last["content"]), *_parts(first["content"])]}
        return [*self._said[:-1], joined, *new[1:]]

    def _asked(self, messages: Any, **how: Any) -> Any:
        try:
            answer = self.host.client.chat.completions.create(
                model=self.host.model, messages=messages, temperature=0, **how
            )
        except openai.OpenAIError as fault:
            raise EndpointError(f"{self.host.address}: {fault}") from fault
        if (usage := answer.usage) is not None:
            known = (usage.prompt_tokens_details and usage.prompt_tokens_details.cached_tokens) or 0
            self.tokens += usage.total_tokens - known
        return answer


def _parts(content: str | Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def _sent(message: Message) -> dict[str, Any]:
    content = message["content"]
    if isinstance(content, str):
        return {"role": message["role"], "content": content}
    return {"role": message["role"], "content": [_part(one) for one in content]}


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    if part["type"] != "video":
        return {"type": "text", "text": part["text"]}
    clip: Clip = part["video"]
    frames = ",".join(base64.b64encode(one).decode() for one in _pictures(clip.frames_THWC))
    times = [str(time) for time in clip.times]
    return {"type": "video_url", "video_url": {"url": f"data:video/jpeg;base64,{frames}", "times": times}}


def _pictures(frames_THWC: np.ndarray) -> list[bytes]:
    """Write frames as PNG, or as JPEG where that would be much."""
    plain = frames_THWC.nbytes <= PLAIN_BYTES
    ending, how = (".png", []) if plain else (".jpg", [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return [cv2.imencode(ending, frame[:, :, ::-1], how)[1].tobytes() for frame in frames_THWC]
