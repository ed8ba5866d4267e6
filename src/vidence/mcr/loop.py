"""The closed loop: observe, reason, act, get feedback, update the belief, verify, answer (paper, section 3.1).

Each turn the policy reads the situation and decides; the action runs; its feedback is appended. When the policy wants
to answer, the gate opens the evidence of its claims again. Evidence that fails the check is taken out of the belief and
the policy decides anew; the answer that leaves says of each claim what the check found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from vidence.mcr.actions import Actions, Feedback
from vidence.mcr.answer import CONFIDENT, Answer, Status
from vidence.mcr.budget import Meter
from vidence.mcr.context import Step
from vidence.mcr.draft import Draft
from vidence.mcr.gate import Gate
from vidence.mcr.policy import Decision, Policy
from vidence.mcr.question import Question
from vidence.mcr.situation import Situation
from vidence.mcr.standstill import Standstill
from vidence.timeline import Span

if TYPE_CHECKING:
    from vidence.mcr.web import WebSearch
    from vidence.media import Media
    from vidence.memory import Memory
    from vidence.senses.sense import Sense

Listener = Callable[[int | None, Step], None]
"""Hears (number under which the run is kept, or None; step)."""

MAX_ROUNDS = 3
"""Drafts that may fail the gate before the last one leaves with its verdicts as they are."""


def reason(
    question: Question,
    policy: Policy,
    media: Media,
    memory: Memory,
    senses: Sequence[Sense],
    meter: Meter,
    web: WebSearch | None = None,
    told: Listener | None = None,
) -> tuple[Answer, Situation]:
    """Run one rollout to its answer, each step kept in memory as it is taken. `web` is what may be searched besides.

    `told` hears of each step once it is kept.

    Never raises for want of evidence: the answer says what is lacking.
    """
    situation = Situation(question, media, memory.coverage(media.hash), meter)
    run = memory.runs.begin(media.hash, question.text, question.choices, policy.name, asdict(meter.budget))

    def keep(step: Step) -> None:
        if run is not None:
            memory.runs.step(run, step.index, step.kind, step.content, step.data)
        if told is not None:
            told(run, step)

    situation.context.told = keep
    answer = replace(_rollout(situation, policy, Actions(situation, memory, senses, web)), run=run)
    if run is not None:
        memory.runs.finish(run, answer.to_json())
    return answer, situation


def _rollout(situation: Situation, policy: Policy, actions: Actions) -> Answer:
    """Turn the loop until an answer leaves."""
    question, meter = situation.question, situation.meter
    situation.context.append(
        "instruction", question.text, choices=list(question.choices), routes=question.routes
    )
    situation.offers = actions.offers
    rounds, watch, gate = 0, Standstill(situation), Gate(situation, actions, policy)
    while True:
        meter.steps += 1
        decision = policy.decide(situation)
        _record(situation, decision)
        if decision.action == "answer":
            draft: Draft = decision.arguments["draft"]
            passed = gate.passes(draft)
            rounds += 1
            if passed or rounds >= MAX_ROUNDS or meter.exhausted():
                return _close(situation, gate, draft)
            continue
        if watch.heedless():
            unanswered = Draft("", (), 0.0, lacking=f"no answer was given: {situation.stopped}")
            return _close(situation, gate, unanswered)
        told = watch.repeated(decision)
        feedback = Feedback(told) if told else actions.run(decision.action, decision.arguments)
        cited = [o.id for o in feedback.observations if o.id is not None][:50]
        situation.context.append(
            "feedback", feedback.text, observations=cited, spans=[str(s) for s in feedback.spans]
        )
        watch.look_back()


def _record(situation: Situation, decision: Decision) -> None:
    """Append R_i, the belief, and A_{i+1} to the context."""
    context = situation.context
    context.append("reasoning", decision.reasoning)
    situation.belief = decision.belief
    best = decision.belief.best()
    standing = "settled" if best is not None and best[1] >= CONFIDENT else "open"
    open_points = "; ".join(decision.belief.uncertainties) or standing
    context.append("belief", open_points, **decision.belief.to_json())
    shown = {k: _plain(v) for k, v in decision.arguments.items() if k != "draft"}
    text = f"{decision.action}({', '.join(f'{k}={v}' for k, v in shown.items())})"
    context.append("action", text, name=decision.action, arguments=shown)


def _plain(value: Any) -> Any:
    return (
        value
        if isinstance(value, str | int | bool | None)
        else str(value)
        if not isinstance(value, list | tuple)
        else [_plain(v) for v in value]
    )


def _close(situation: Situation, gate: Gate, draft: Draft) -> Answer:
    claims = tuple(gate.checked(claim) for claim in draft.claims)
    failing = [c for c in claims if c.verdict.kind in ("unsupported", "contradicted")]
    confidence = draft.confidence * (0.5 if failing and len(failing) == len(claims) else 1.0)
    if not any(c.verdict.kind == "supported" for c in claims):  # nothing was borne out: a guess, however sure
        confidence = min(confidence, CONFIDENT - 0.01)
    over = situation.meter.exhausted()
    status: Status = "answered"
    if not draft.text or not claims:
        status = "insufficient evidence"
    if over and (status != "answered" or any(c.verdict.kind == "unseen" for c in claims)):
        status = "budget exhausted"
    lacking = draft.lacking or (f"the {over} was reached" if status == "budget exhausted" else "")
    kept = tuple(c for c in claims if c.verdict.kind != "contradicted")
    return Answer(
        question=situation.question.text, text=draft.text, status=status, confidence=confidence, claims=kept,
        receipt=situation.meter.receipt(), coverage=situation.coverage, choice=draft.choice, spans=draft.spans,
        conflicts=gate.conflicts(draft), next_looks=_next_looks(situation, confidence), lacking=lacking,
    )  # fmt: skip


def _next_looks(situation: Situation, confidence: float) -> tuple[Span, ...]:
    """Name where more would be looked at; a settled answer needs no more."""
    spans = () if confidence >= CONFIDENT else situation.belief.candidates or situation.question.windows
    return tuple(dict.fromkeys(spans))[:5]
