"""Teachers that score what a student said: in this process, or behind an OpenAI-compatible endpoint.

N learned tokens of a row.
"""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from typing import Any, Protocol

import torch
from torch import Tensor

from vidence.errors import UsageError
from vidence.training.learner import Learner
from vidence.training.packing import Pack

ATTEMPTS, WAIT_S, TIMEOUT_S = 4, 2.0, 300


class Judge(Protocol):
    """Who scores what the student said."""

    def logprobs(self, pack: Pack) -> Tensor:
        """Return the log-probability of each learned token (N,)."""
        ...


class InProcessJudge:
    """A teacher of this process."""

    def __init__(self, learner: Learner) -> None:
        self.learner = learner.requires_grad_(False)

    def logprobs(self, pack: Pack) -> Tensor:
        """Score a row."""
        with torch.no_grad():
            return self.learner(pack).logprobs_N


class EndpointJudge:
    """A teacher behind `/completions` that echoes a prompt of token ids with their log-probabilities.

    As vLLM's does. The ids must mean the same words there; pictures cannot be sent as ids, so only trajectories of text
    alone can be judged.
    """

    def __init__(self, url: str, model: str) -> None:
        self.url, self.model = f"{url.rstrip('/')}/completions", model

    def logprobs(self, pack: Pack) -> Tensor:
        """Score a row.

        Raises:
            UsageError: it shows pictures, or the endpoint does not answer as it must.
        """
        if any(one.pictures for one in pack.trajectories):
            raise UsageError(
                "distill.teacher_url: an endpoint is sent token ids and cannot be shown pictures; "
                "name the teacher's folder as distill.teacher"
            )
        asked = {
            "model": self.model,
            "prompt": [one.ids_L.tolist() for one in pack.trajectories],
            "max_tokens": 1,
            "temperature": 0,
            "echo": True,
            "logprobs": 1,
        }
        answer = self._post(asked)
        try:
            choices = sorted(answer["choices"], key=lambda choice: choice["index"])
            found = [choice["logprobs"]["token_logprobs"] for choice in choices]
            parts = [
                torch.tensor([found[number][at] for at in (one.learned_L[1:].nonzero()[:, 0] + 1).tolist()])
                for number, one in enumerate(pack.trajectories)
            ]
            return torch.cat(parts).to(pack.logprobs_N)
        except (KeyError, IndexError, TypeError, ValueError) as fault:
            raise UsageError(
                f"{self.url}: the answer holds no log-probabilities of the prompt ({fault!r}); "
                "the endpoint must support echo with logprobs"
            ) from fault

    def _post(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Ask, and ask again where the endpoint is busy or away for a moment."""
        headers = {"Content-Type": "application/json"}
        if key := os.environ.get("OPENAI_API_KEY"):
            headers["Authorization"] = f"Bearer {key}"
        request = urllib.request.Request(self.url, json.dumps(asked).encode(), headers)
        last: Exception | None = None
        for attempt in range(ATTEMPTS):
            try:
                with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as fault:
                if fault.code < 500 and fault.code != 429:
                    raise UsageError(f"{self.url}: refused, {fault.code} {fault.reason}") from fault
                last = fault
            except (OSError, ValueError) as fault:
                last = fault
            time.sleep(WAIT_S * 2**attempt * (attempt + 1 < ATTEMPTS))
        raise UsageError(f"{self.url}: gave no answer in {ATTEMPTS} attempts: {last}") from last
