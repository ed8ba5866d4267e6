"""Check findings outside of a question: their evidence is opened again, as the gate of the loop does for answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from vidence.apps.finding import SEVERITIES, Finding, lowered, numbered
from vidence.apps.kept import Kept, key_of
from vidence.mcr.actions import Actions
from vidence.mcr.evidence import Evidence, Verdict
from vidence.mcr.question import read_question
from vidence.mcr.situation import Situation

if TYPE_CHECKING:
    from vidence.mcr.budget import Meter
    from vidence.mcr.policy import Policy
    from vidence.senses.observation import Observation
    from vidence.timeline import Span
    from vidence.video import Video

MAX_CHECKS = 2
"""Pieces of a finding's evidence that are opened again, the strongest first, until one bears it out."""

DOUBT = 0.5
"""What remains of the confidence of a finding whose evidence, opened again, does not bear it out."""


class Checker:
    """Cites what is known of one video, and checks findings within one budget.

    `policy` checks (default: the sense that perceived looks harder); a model takes the step through the same protocol.
    """

    def __init__(self, video: Video, meter: Meter, purpose: str, policy: Policy | None = None) -> None:
        from vidence.policies import RulesPolicy

        medium = video.media.hash
        self.situation = Situation(
            read_question(purpose, video.media.info.span), video.media, video.memory.coverage(medium), meter,
            recalled=video.memory.observations(medium),
        )  # fmt: skip
        self.actions = Actions(self.situation, video.memory, video.senses)
        self.policy = policy or RulesPolicy()
        self.kept = Kept.beside(video.memory.path)

    def cite(self, observation: Observation, *, span: Span | None = None, quote: str = "") -> Evidence:
        """Make evidence of an observation, which can then be opened again."""
        return self.situation.cite(observation, span=span, quote=quote)

    def verdict(self, claim: str, evidence: Sequence[Evidence]) -> tuple[Verdict, tuple[Evidence, ...]]:
        """Open the evidence of a claim again; return the best verdict, and the evidence with hashes of the frames."""
        best, opened = Verdict("unseen", -1.0, "there is no evidence to open"), {e.id: e for e in evidence}
        for item in sorted(evidence, key=lambda e: -e.confidence)[:MAX_CHECKS]:
            found, digest = self._opened(claim, item)
            if digest:
                opened[item.id] = replace(item, frame_hash=digest)
            best = max(best, found, key=_rank)
            if best.kind == "supported":
                break
        return replace(best, score=max(best.score, 0.0)), tuple(opened.values())

    def _opened(self, claim: str, item: Evidence) -> tuple[Verdict, str | None]:
        """Open one piece of evidence, unless that was done before; no more than the budget allows."""
        source = self.situation.source(item)
        key = key_of(claim, item, source, self.policy.identity)
        known = self.kept.opened(key)
        if known is not None:
            return known
        over = self.situation.meter.exhausted()
        if over and over != "step limit":
            return Verdict("unseen", 0.0, f"not opened again: {over} reached"), None
        found, digest = self.policy.check(claim, item, self.situation, self.actions)
        self.situation.meter.actions["verify"] += 1
        if found.kind != "unseen" and not self.situation.meter.exhausted():
            self.kept.keep(key, item.medium, found, digest)
        return found, digest

    def check(self, finding: Finding) -> Finding | None:
        """Check a finding: one that is not borne out is lowered, one that is contradicted is None."""
        verdict, evidence = self.verdict(finding.why or finding.title, finding.evidence)
        if verdict.kind == "contradicted":
            return None
        checked = replace(finding, verdict=verdict, evidence=evidence)
        if verdict.kind != "unsupported":
            return checked
        return replace(checked, severity=lowered(finding.severity), confidence=finding.confidence * DOUBT)

    def check_all(
        self, findings: Sequence[Finding], checked: Sequence[Finding] = ()
    ) -> tuple[list[Finding], int]:
        """Check findings, the gravest first while the budget lasts; return them numbered, and how many were dropped.

        `checked` are some that were checked in a way of their own.
        """
        ordered = sorted(findings, key=lambda f: (-SEVERITIES.index(f.severity), -f.confidence))
        looked = [self.check(finding) for finding in ordered]
        kept = [finding for finding in looked if finding is not None]
        return numbered([*kept, *checked]), len(looked) - len(kept)


def _rank(verdict: Verdict) -> tuple[int, float]:
    return ("unseen", "contradicted", "unsupported", "supported").index(verdict.kind), verdict.score
