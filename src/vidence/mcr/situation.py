"""The state of one rollout: the question, the context, the belief, and all that has been perceived so far."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vidence.mcr.belief import Belief
from vidence.mcr.budget import Meter
from vidence.mcr.context import Context
from vidence.mcr.evidence import Evidence, Verdict
from vidence.mcr.question import Question
from vidence.senses.observation import Observation
from vidence.timeline import Span

if TYPE_CHECKING:
    from vidence.media import Frame, Media
    from vidence.memory import Coverage

_SAME_PLACE_IOU = 0.2


@dataclass(frozen=True, slots=True)
class Shown:
    """Frames of a span that an action opened for a policy which sees, in time order."""

    span: Span
    frames: tuple[Frame, ...]


@dataclass(slots=True)
class Situation:
    """What a policy decides from. `recalled` is what memory holds, `looked` what this rollout perceived by itself."""

    question: Question
    media: Media
    coverage: Coverage
    meter: Meter
    offers: tuple[str, ...] = ()  # names of the actions that can be done
    context: Context = field(default_factory=Context)
    belief: Belief = field(default_factory=Belief)
    recalled: list[Observation] = field(default_factory=list)
    looked: list[Observation] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    idle: str | None = None  # why it has come to a standstill, where it has
    looked_at: dict[str, list[Span]] = field(default_factory=dict)  # sense → spans perceived by this rollout
    evidence: dict[str, Evidence] = field(default_factory=dict)
    verdicts: dict[tuple[str, str], Verdict] = field(default_factory=dict)  # of claim and evidence id
    reopened: dict[str, tuple[Verdict, str | None]] = field(
        default_factory=dict
    )  # by evidence id, and frame hash
    _cited: dict[tuple[int, Span | None, str], str] = field(default_factory=dict)
    _sources: dict[str, Observation] = field(default_factory=dict)

    @property
    def stopped(self) -> str | None:
        """Say why no further action is worth its cost, or None: a policy answers then with what it has."""
        return self.meter.exhausted() or self.idle

    @property
    def whole(self) -> Span:
        """The span of the medium."""
        return self.media.info.span

    def observations(self, *senses: str, span: Span | None = None) -> list[Observation]:
        """Return what is known of the senses (all when none is named), in time order.

        A closer look adds what memory does not hold yet. It never takes away: it saw the stretch without what came
        before and after, so what it missed may well be there.
        """

        def wanted(o: Observation) -> bool:
            return (not senses or o.sense in senses) and (span is None or o.span.overlaps(span))

        known = [o for o in self.recalled if wanted(o)]
        new = [o for o in self.looked if wanted(o) and not any(_same(o, k) for k in known)]
        return sorted(known + new, key=lambda o: (o.span.start, o.span.end))

    def seen(self, senses: Collection[str], span: Span) -> float:
        """Return the share of a span (0 to 1) that at least one of the senses perceived."""
        return max((self.coverage.seen(span, sense) for sense in senses), default=0.0)

    def cite(
        self,
        observation: Observation,
        *,
        found_by: str = "recall",
        span: Span | None = None,
        quote: str = "",
        absent: bool = False,
    ) -> Evidence:
        """Make evidence of an observation; citing it again in the same way gives the same evidence."""
        key = (id(observation), span, quote)
        if key in self._cited:
            return self.evidence[self._cited[key]]
        evidence = Evidence(
            id=f"e{len(self.evidence) + 1}",
            medium=self.media.hash,
            span=span or observation.span,
            modality=observation.modality,
            quote=quote or observation.text,
            sense=observation.sense,
            confidence=observation.confidence,
            found_by="look" if observation.id is None else found_by,
            observation=None if absent else observation.id,
            absent=absent,
        )
        self.evidence[evidence.id] = evidence
        self._cited[key] = evidence.id
        self._sources[evidence.id] = observation
        return evidence

    @property
    def failed(self) -> set[str]:
        """Return the ids of evidence that was opened again and bore out nothing it was cited for."""
        kinds: dict[str, set[str]] = {}
        for (_, id), verdict in self.verdicts.items():
            kinds.setdefault(id, set()).add(verdict.kind)
        return {id for id, found in kinds.items() if found and found <= {"unsupported", "contradicted"}}

    def source(self, evidence: Evidence) -> Observation | None:
        """Return the observation behind a piece of evidence."""
        return self._sources.get(evidence.id)


def _same(new: Observation, known: Observation) -> bool:
    """Say whether a closer look shows a thing that is known: same sense, same words, at the same time and place."""
    if (new.sense, new.text, new.data.get("kind")) != (known.sense, known.text, known.data.get("kind")):
        return False
    shared = new.span.intersection(known.span)
    if shared is None or shared.duration * 2 < new.span.duration:
        return False
    here, there = new.box_at(shared.middle), known.box_at(shared.middle)
    return here is None or there is None or here.iou(there) > _SAME_PLACE_IOU
