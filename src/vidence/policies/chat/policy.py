"""The policy that asks a chat model: a planner decides from words alone, an observer looks at frames, a judge checks.

They are separate calls, of one model or of two. The planner is shown no picture, so what it says about the video it has
from evidence, which it must cite; what the observer sees becomes evidence with the times of the frames it saw it in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from vidence.errors import EndpointError
from vidence.mcr.actions import Actions
from vidence.mcr.belief import Belief
from vidence.mcr.draft import Draft, DraftClaim
from vidence.mcr.evidence import Conflict, Evidence, Verdict
from vidence.mcr.policy import Decision
from vidence.mcr.situation import Shown, Situation
from vidence.mcr.verify import frame_hash, recheck
from vidence.policies.chat import plans, writing
from vidence.policies.chat.endpoint import CannotSee, Endpoint, Message, Reply, repair
from vidence.policies.chat.forms import Final, Plan, Report
from vidence.policies.chat.judging import filled, judged, perceived, stands_trial
from vidence.policies.chat.plans import FILLED_IN, belief_of, chosen
from vidence.senses.observation import Observation, Producer
from vidence.timeline import Span, instant

OBSERVER = "observer"  # the sense that the model's own eyes count as
FIRST_RECALL = 20  # observations that the question itself brings back before the planner is asked
NEW_EVIDENCE = 20  # of one action: more would bury what matters
CHECKS_AT = 2  # times the frames of a look, of a span that is opened again


@dataclass(slots=True)
class _Talk:
    """What was read and cited so far of one question."""

    situation: Situation
    known: list[Evidence] = field(default_factory=list)
    shown: int = 0
    recalled: int = 0
    looked: int = 0


@dataclass(slots=True)
class ChatPolicy:
    """Decides with models behind endpoints. One policy serves one question at a time.

    `tools` False writes calls as JSON in words, for models that were not trained to call tools; a server that refuses
    tools has the same effect. A look brings back `frames` frames of at most `max_side` pixels, as `frames_as` says.
    """

    planner: Endpoint
    observer: Endpoint
    frames: int = 8
    max_side: int = 512
    frames_as: writing.FramesAs = "images"
    tools: bool = True
    sees: bool = True
    name: str = "chat"
    recalls: bool = True
    _talk: _Talk | None = field(default=None, repr=False)
    _judges: bool | None = field(default=None, repr=False)

    @property
    def identity(self) -> str:
        """The observer, which judges, by its address and name, and how much it is shown."""
        seen = f"{self.frames} {self.frames_as} of {self.max_side}"
        return f"{self.name} {self.observer.model} at {self.observer.address}, {seen}"

    def decide(self, situation: Situation) -> Decision:
        """Recall what the question itself brings back; observe what was shown; then let the planner decide."""
        talk = self._of(situation)
        if not situation.meter.actions["recall"] and situation.stopped is None:
            given = {"query": situation.question.text, "limit": FIRST_RECALL}
            return Decision("Begin with what memory holds.", "recall", given, Belief())
        self._observe(talk)
        self._cite_new(talk)
        return self._planned(talk)

    def check(
        self, claim: str, evidence: Evidence, situation: Situation, actions: Actions
    ) -> tuple[Verdict, str | None]:
        """Open the evidence again; whether it bears the claim out, a judge says who knows nothing else."""
        self._of(situation)
        if evidence.sense != OBSERVER:
            found, digest = recheck(evidence, situation, actions)
            if found.kind != "supported":
                return found, digest
            put = [perceived(evidence.sense, evidence.quote)]
        else:
            shown = self._opened(evidence.span, situation, actions)
            if shown is None:
                return Verdict("unseen", 0.0, "no frame could be opened again"), None
            digest = frame_hash(situation, evidence.span.middle)
            put = writing.frames(shown, situation.whole.start, self.frames_as)
        if not self._can_judge():
            how = f"{self.observer.model} cannot tell a true statement from a false one: its checks mean nothing"
            return Verdict("unseen", 0.0, how), digest
        try:
            said = judged(self.observer, put, claim)
        except CannotSee:
            return Verdict("unseen", 0.0, f"{self.observer.model} cannot see what was opened"), digest
        how = f"opened {evidence.span} again; {self.observer.model}: {said.why or said.verdict}"
        return Verdict(said.verdict, said.score if said.verdict == "supported" else 0.0, how), digest

    def _can_judge(self) -> bool:
        """Tell whether the judge passes the trial, held once."""
        if self._judges is None:
            self._judges = stands_trial(self.observer)
        return self._judges

    def _of(self, situation: Situation) -> _Talk:
        if self._talk is None or self._talk.situation is not situation:
            self._talk = _Talk(situation)
            for endpoint in (self.planner, self.observer):
                endpoint.spent = lambda tokens: _count(situation, tokens)
        return self._talk

    # The observer

    def _observe(self, talk: _Talk) -> None:
        """Let the observer see what was shown since the last turn; what it reports is perceived, and can be cited."""
        situation = talk.situation
        new, talk.shown = situation.shown[talk.shown :], len(situation.shown)
        for shown in new:
            start = situation.whole.start
            put = writing.frames(shown, start, self.frames_as)
            asked = {"type": "text", "text": writing.question_of(situation)}
            try:
                report = filled(self.observer, Report, writing.OBSERVER, [*put, asked])
            except CannotSee as fault:
                self.sees = False
                situation.context.append("feedback", f"the model cannot see: {fault}")
                return
            producer = Producer(OBSERVER, "1", "", f"model={self.observer.model}")
            situation.looked += [
                Observation(
                    _snapped(one.start_s, one.end_s, shown, start),
                    "visual",
                    producer,
                    one.text,
                    one.confidence,
                )
                for one in report.observations
                if one.text.strip()
            ]

    def _opened(self, span: Span, situation: Situation, actions: Actions) -> Shown | None:
        """Open frames for the check alone, closer together and larger than when they were first seen."""
        if not self.sees or situation.media.info.video is None:
            return None
        return actions.opened(span, self.frames * CHECKS_AT, self.max_side * CHECKS_AT)

    def _cite_new(self, talk: _Talk) -> None:
        """Give what was perceived since the last turn ids by which it can be cited."""
        situation = talk.situation
        recalled, looked = situation.recalled[talk.recalled :], situation.looked[talk.looked :]
        talk.recalled, talk.looked = len(situation.recalled), len(situation.looked)
        new = [one for one in (*recalled, *looked) if one.text][:NEW_EVIDENCE]
        talk.known += [one for one in map(situation.cite, new) if one not in talk.known]

    # The planner

    def _planned(self, talk: _Talk) -> Decision:
        situation, lines = talk.situation, list[str]()
        if not self.sees:
            lines.append("No model here can see frames: only what the senses perceive can be known.")
        if situation.stopped:
            lines.append(f"Answer now with what there is: {situation.stopped}.")
        messages: list[Message] = [
            {"role": "system", "content": writing.PLANNER},
            {"role": "user", "content": writing.told(situation, talk.known, lines)},
        ]
        names = () if situation.stopped else situation.offers
        reply, plan = self._asked(talk, messages, names)
        try:
            return self._decision(talk, plan)
        except ValueError as fault:
            messages += [
                {"role": "assistant", "content": reply.text or repr(reply.calls)},
                repair(fault, Final.model_json_schema()),
            ]
        # Who wrote words where a tool was to be called is asked for words of a form.
        _, plan = self._asked(talk, messages, names, tools=bool(reply.calls))
        try:
            return self._decision(talk, plan)
        except ValueError as fault:
            why = " ".join(str(fault).split())[:300]
            raise EndpointError(
                f"{self.planner.model} did not give an answer that can be used, twice: {why}"
            ) from fault

    def _asked(
        self, talk: _Talk, messages: Sequence[Message], names: Sequence[str], *, tools: bool = True
    ) -> tuple[Reply, Plan]:
        """Ask for the next action, by a tool call where the model has learned to, else by JSON."""
        if tools and self.tools and "tools" not in self.planner.lacks:
            reply = self.planner.ask(messages, tools=plans.tools(names))
            if reply.calls:
                return reply, plans.called(reply)
            if "tools" not in self.planner.lacks and reply.text:
                return reply, plans.written(reply)
        schema = plans.planning(names)
        told = f"{messages[0]['content']}\n{writing.in_json(schema)}"
        asked = [{**messages[0], "content": told}, *messages[1:]]
        reply = self.planner.ask(asked, schema=plans.citing(schema, [one.id for one in talk.known]))
        return reply, plans.written(reply)

    def _decision(self, talk: _Talk, plan: Plan) -> Decision:
        """Turn a plan into a decision; an answer is checked.

        Raises:
            ValueError: the answer lacks what it must have, or cites what there is not.
        """
        situation, belief = talk.situation, belief_of(plan, talk.situation)
        if plan.action == "answer":
            final = Final.model_validate(plan.arguments)
            draft = self._draft(talk, final)
            return Decision(plan.thought, "answer", {"draft": draft}, belief)
        given = {name: value for name, value in plan.arguments.items() if name not in FILLED_IN}
        if plan.action == "look" and self.sees and situation.media.info.video is not None:
            given |= {"senses": [], "show": self.frames, "max_side": self.max_side}
        return Decision(plan.thought, plan.action, given, belief)

    def _draft(self, talk: _Talk, final: Final) -> Draft:
        known, choices = {one.id: one for one in talk.known}, talk.situation.question.choices
        named = {each for claim in final.claims for each in (*claim.evidence, *claim.against)}
        missing = sorted(named - set(known))
        if missing:
            raise ValueError(
                f"there is no evidence {', '.join(missing)}; there is {', '.join(known) or 'none yet'}"
            )
        if final.text and not final.claims:
            raise ValueError(
                "the answer states nothing: give at least one claim with the ids of its evidence"
            )
        claims = tuple(
            DraftClaim(
                claim.text,
                tuple(known[each] for each in dict.fromkeys(claim.evidence)),
                tuple(known[each] for each in dict.fromkeys(claim.against) if each not in claim.evidence),
            )
            for claim in final.claims
        )
        choice = chosen(final, choices)
        blind = "" if self.sees else "the model cannot see pictures: only what the senses perceived was known"
        return Draft(
            text=choice.text if choice else final.text,
            claims=claims,
            confidence=final.confidence,
            choice=choice,
            spans=tuple(dict.fromkeys(one.span for claim in claims for one in claim.evidence)),
            conflicts=tuple(_conflict(claim) for claim in claims if claim.against),
            lacking=final.lacking or ("" if final.text else "the evidence is not enough") or blind,
        )


def _conflict(claim: DraftClaim) -> Conflict:
    left, right = claim.evidence[0], claim.against[0]
    return Conflict(claim.text, left, right, f"{left.sense} speaks for it, {right.sense} against it")


def _count(situation: Situation, tokens: int) -> None:
    situation.meter.tokens += tokens
    situation.meter.model_calls += 1


def _snapped(start_s: float, end_s: float, shown: Shown, start: Any) -> Span:
    """Return the span from the frame nearest to a written start to the end of that nearest to a written end."""
    first, last = (
        min(shown.frames, key=lambda frame: abs(frame.time - start - instant(float(time))))
        for time in (start_s, end_s)
    )
    first, last = sorted((first, last), key=lambda frame: frame.time)
    return Span(first.time, last.time + last.duration)
