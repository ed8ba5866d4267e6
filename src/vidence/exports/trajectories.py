"""Runs as training data: one conversation a line, as `vidence train` reads it (docs/training.md, kind "chat")."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from vidence.memory.runs import Run, RunStep
from vidence.models.internvideo3 import protocol
from vidence.timeline import Instant, Span, instant


def to_trajectories(runs: Sequence[Run], *, reasoning: bool = False) -> str:
    """Write finished runs, calls as the model writes them and what they brought; others are left out.

    `reasoning` writes before each call what the policy gave as its reason.
    """
    rows = [_row(run, reasoning=reasoning) for run in runs if run.answer is not None and run.answer["text"]]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def supported(run: Run) -> bool:
    """Tell whether a run was answered and every claim of it held when it was checked."""
    answer = run.answer
    return (
        answer is not None
        and answer["status"] == "answered"
        and all(claim["verdict"] == "supported" for claim in answer["claims"])
    )


def _row(run: Run, *, reasoning: bool) -> dict[str, Any]:
    answer, steps = run.answer, list(run.steps)
    assert answer is not None  # who asks has made sure
    first = _first_look(steps)
    text = protocol.question(run.question, run.choices)
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": [_video(run, first), {"type": "text", "text": text}]}
    ]
    why, names, start_s = "", list[str](), instant(answer["coverage"]["start_s"])
    for at, step in enumerate(steps):
        if step.kind == "reasoning":
            why = step.content
        if step.kind != "action" or step.data["name"] == "answer" or (first and step.index < first.index):
            continue
        names.append(step.data["name"])
        said = protocol.called_as(names[-1], _given(step.data["arguments"], start_s))
        messages.append({"role": "assistant", "content": f"{why}\n{said}" if reasoning and why else said})
        messages.append({"role": "tool", "content": _brought(run, steps[at + 1 :])})
    spans = [
        Span(instant(span["start_s"]) - start_s, instant(span["end_s"]) - start_s)
        for claim in answer["claims"]
        for span in claim["spans"]
    ]
    letter = (
        protocol.letters(run.choices)[answer["choice"]["index"]][0] if answer["choice"] else answer["text"]
    )
    cited = " ".join([letter, *(protocol.citation(span) for span in dict.fromkeys(spans))])
    messages.append({"role": "assistant", "content": f"{why}\n{cited}" if reasoning and why else cited})
    if names:
        messages.insert(0, {"role": "system", "content": _offer(names)})
    return {"messages": messages, "answer": letter, "run": run.id}


def _offer(names: Sequence[str]) -> str:
    """Say what may be called: `look` alone as our model is told, or several by name."""
    called = sorted(set(names))
    if called == ["look"]:
        return protocol.OFFER
    return f"You may call {', '.join(called)}, for example {protocol.called_as(called[0], {})}, then answer and cite."


def _first_look(steps: Sequence[RunStep]) -> RunStep | None:
    """Return the frames that were shown before anything else was done: the question comes with them."""
    for step in steps:
        if step.kind == "observation":
            return step
        if step.kind == "feedback":
            return None
    return None


def _video(run: Run, step: RunStep | None) -> dict[str, Any]:
    part: dict[str, Any] = {"type": "video", "video": run.path}
    return part if step is None else part | {"times": step.data["times_s"]}


def _given(arguments: Mapping[str, Any], start_s: Instant) -> dict[str, Any]:
    """Write arguments as a model does: times in seconds from the start, without what the policy fills in by itself."""
    kept = {name: value for name, value in arguments.items() if name not in ("show", "max_side", "senses")}
    times = {
        name: round(float(instant(kept[name]) - start_s), 3) for name in ("start", "end") if name in kept
    }
    return kept | times


def _brought(run: Run, later: Sequence[RunStep]) -> str | list[dict[str, Any]]:
    """Return what an action brought: frames where some were shown, else its feedback."""
    for step in later:
        if step.kind == "observation":
            return [_video(run, step)]
        if step.kind == "feedback":
            return step.content
    return ""
