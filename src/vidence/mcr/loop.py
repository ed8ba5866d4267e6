"""The closed loop: observe, reason, act, get feedback, update the belief, verify, answer (paper, section 3.1).

Each turn the policy reads the situation and decides; the action runs; its feedback is appended. When the policy wants
to answer, the gate opens the evidence of its claims again. Evidence that fails the check is taken out of the belief and
the policy decides anew; the answer that leaves says of each claim what the check found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from vidence.mcr.actions import Actions, Feedback
from vidence.mcr.answer import CONFIDENT, Answer, Choice, Status
from vidence.mcr.budget import Meter
from vidence.mcr.evidence import Claim, Conflict, Evidence, Verdict
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

MAX_CHECKS = 3
"""Pieces of evidence opened again for one draft: the strongest ones carry the claim."""

MAX_ROUNDS = 3
"""Drafts that may fail the gate before the last one leaves with its verdicts as they are."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a policy hands to the gate with the action "answer"."""

    text: str
    claims: tuple[DraftClaim, ...]
    confidence: float
    choice: Choice | None = None
    spans: tuple[Span, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    lacking: str = ""


@dataclass(frozen=True, slots=True)
class DraftClaim:
    """One statement with the evidence it rests on, not yet checked."""

    text: str
    evidence: tuple[Evidence, ...]
    against: tuple[Evidence, ...] = ()


def reason(
    question: Question,
    policy: Policy,
    media: Media,
    memory: Memory,
    senses: Sequence[Sense],
    meter: Meter,
    web: WebSearch | None = None,
) -> tuple[Answer, Situation]:
    """Run one rollout to its answer, each step kept in memory as it is taken. `web` is what may be searched besides.

    Never raises for want of evidence: the answer says what is lacking.
    """
    situation = Situation(question, media, memory.coverage(media.hash), meter)
    run = memory.runs.begin(media.hash, question.text, question.choices, policy.name, asdict(meter.budget))
    if run is not None:
        situation.context.told = lambda step: memory.runs.step(
            run, step.index, step.kind, step.content, step.data
        )
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
    rounds, watch = 0, Standstill(situation)
    while True:
        meter.steps += 1
        decision = policy.decide(situation)
        _record(situation, decision)
        if decision.action == "answer":
            draft: Draft = decision.arguments["draft"]
            failed = _gate(situation, actions, policy, draft)
            rounds += 1
            if failed and rounds < MAX_ROUNDS and not meter.exhausted():
                continue
            return _close(situation, draft)
        if watch.heedless():
            return _close(situation, Draft("", (), 0.0, lacking=f"no answer was given: {situation.stopped}"))
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


def _gate(situation: Situation, actions: Actions, policy: Policy, draft: Draft) -> set[str]:
    """Open the evidence of the draft again; return the ids of what did not hold and was not known not to hold."""
    fresh: set[str] = set()
    checks = [(claim.text, evidence) for claim in draft.claims for evidence in claim.evidence][:MAX_CHECKS]
    for claim, evidence in checks:
        if evidence.id in situation.verdicts:
            continue
        over = situation.meter.exhausted() if situation.meter.exhausted() != "step limit" else None
        verdict, frame_hash = (
            (Verdict("unseen", 0.0, f"not opened again: {over} reached"), None)
            if over
            else policy.check(claim, evidence, situation, actions)
        )
        situation.meter.actions["verify"] += 1
        situation.verdicts[evidence.id] = verdict
        if frame_hash:
            situation.evidence[evidence.id] = replace(evidence, frame_hash=frame_hash)
        situation.context.append(
            "feedback",
            f"verify {evidence.id} at {evidence.span}: {verdict.kind}, {verdict.checked_by}",
            evidence=[evidence.id],
        )
        if verdict.kind in ("unsupported", "contradicted"):
            fresh.add(evidence.id)
    return fresh


def _close(situation: Situation, draft: Draft) -> Answer:
    claims = tuple(_checked(claim, situation) for claim in draft.claims)
    failing = [c for c in claims if c.verdict.kind in ("unsupported", "contradicted")]
    confidence = draft.confidence * (0.5 if failing and len(failing) == len(claims) else 1.0)
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
        conflicts=draft.conflicts, next_looks=_next_looks(situation, confidence), lacking=lacking,
    )  # fmt: skip


def _next_looks(situation: Situation, confidence: float) -> tuple[Span, ...]:
    """Name where more would be looked at; a settled answer needs no more."""
    spans = () if confidence >= CONFIDENT else situation.belief.candidates or situation.question.windows
    return tuple(dict.fromkeys(spans))[:5]


def _checked(claim: DraftClaim, situation: Situation) -> Claim:
    """Join the verdicts of a claim's evidence: the best of what was opened decides."""
    opened = [situation.verdicts[e.id] for e in claim.evidence if e.id in situation.verdicts]
    evidence = tuple(situation.evidence.get(e.id, e) for e in claim.evidence)
    if not opened:
        return Claim(claim.text, evidence, Verdict("unseen", 0.0, "not opened again"), claim.against)
    best = max(opened, key=lambda v: v.score)
    return Claim(claim.text, evidence, best, claim.against)
