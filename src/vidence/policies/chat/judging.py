"""A model as a judge: whether what is put before it bears a statement out, in a call that knows of nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vidence.mcr import trial
from vidence.policies.chat import writing
from vidence.policies.chat.endpoint import Endpoint
from vidence.policies.chat.forms import Judgement


def filled(endpoint: Endpoint, form: type[Any], role: str, parts: Sequence[dict[str, Any]]) -> Any:
    """Let a model answer in a form, with no memory of other calls."""
    asked = [
        {"role": "system", "content": f"{role}\n{writing.in_json(form.model_json_schema())}"},
        {"role": "user", "content": list(parts)},
    ]
    return endpoint.fill(form, asked)


def judged(endpoint: Endpoint, put: Sequence[dict[str, Any]], claim: str) -> Judgement:
    """Ask whether a statement is borne out by parts of a message."""
    stated = {"type": "text", "text": f"Statement: {writing.data(claim)}"}
    return filled(endpoint, Judgement, writing.JUDGE, [*put, stated])


def perceived(sense: str, quote: str) -> dict[str, Any]:
    """Write what a sense perceived as a part of a message."""
    return {"type": "text", "text": f"Perceived by {sense}: {writing.data(quote)}"}


def stands_trial(endpoint: Endpoint) -> bool:
    """Tell whether a model passes the trial of judges."""
    sign = [perceived("text", trial.SIGN)]
    return trial.stands(lambda statement: judged(endpoint, sign, statement).verdict)
