"""The gate that every answer passes: its evidence is opened again, and where pieces disagree, both sides are.

Evidence that does not hold, or a contradiction that was not known, sends the policy back to decide anew.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vidence.mcr.draft import Draft, DraftClaim
from vidence.mcr.evidence import Claim, Conflict, Evidence, Verdict
from vidence.mcr.policy import Policy
from vidence.mcr.situation import Situation

if TYPE_CHECKING:
    from vidence.mcr.actions import Actions

MAX_CHECKS = 3
"""Pieces of evidence opened again for one draft: the strongest ones carry the claim."""

MAX_DISPUTED = 4
"""Pieces of evidence in conflicts opened again for one draft."""


class Gate:
    """Checks the drafts of one rollout, whose answers leave through it."""

    def __init__(self, situation: Situation, actions: Actions, policy: Policy) -> None:
        self.situation, self.actions, self.policy = situation, actions, policy
        self._told = set[tuple[str, str]]()  # of which conflicts the policy was, by their evidence

    def passes(self, draft: Draft) -> bool:
        """Open the evidence of a draft again; False where that showed what the policy could not know."""
        stated = [(claim.text, evidence) for claim in draft.claims for evidence in claim.evidence]
        held = [self._opens(claim, evidence) for claim, evidence in stated[:MAX_CHECKS]]
        # Whether either side of a conflict is there at all is asked of it alone, not of what the draft makes of it.
        sides = [side for conflict in draft.conflicts for side in (conflict.left, conflict.right)]
        held += [self._opens(side.quote, side) for side in sides[:MAX_DISPUTED]]
        return all(held) and not self._disputed(draft)

    def conflicts(self, draft: Draft) -> tuple[Conflict, ...]:
        """Return the conflicts of a draft of which no side fell, with those that the check itself found."""
        failed = self.situation.failed
        standing = [c for c in draft.conflicts if c.left.id not in failed and c.right.id not in failed]
        return (*standing, *(found for claim in draft.claims for found in self._split(claim)))

    def checked(self, claim: DraftClaim) -> Claim:
        """Join the verdicts of a claim's evidence: the best of what was opened decides."""
        verdicts, known = self.situation.verdicts, self.situation.evidence
        opened = [verdicts[claim.text, e.id] for e in claim.evidence if (claim.text, e.id) in verdicts]
        best = max(opened, key=lambda v: v.score, default=Verdict("unseen", 0.0, "not opened again"))
        return Claim(claim.text, tuple(known.get(e.id, e) for e in claim.evidence), best, claim.against)

    def _opens(self, claim: str, evidence: Evidence) -> bool:
        """Open one piece of evidence again; False where it does not hold, and that is news."""
        situation = self.situation
        if (claim, evidence.id) in situation.verdicts:
            return True
        known = evidence.id in situation.failed
        over = situation.meter.exhausted()
        if over and over != "step limit":
            verdict, digest = Verdict("unseen", 0.0, f"not opened again: {over} reached"), None
        else:
            verdict, digest = self.policy.check(claim, evidence, situation, self.actions)
        situation.meter.actions["verify"] += 1
        situation.verdicts[claim, evidence.id] = verdict
        if digest:
            situation.evidence[evidence.id] = replace(evidence, frame_hash=digest)
        told = f"verify {evidence.id} at {evidence.span}: {verdict.kind}, {verdict.checked_by}"
        situation.context.append("feedback", told, evidence=[evidence.id])
        return known or verdict.kind not in ("unsupported", "contradicted")

    def _disputed(self, draft: Draft) -> bool:
        """Tell the policy of conflicts that stand after the check, each once; it may look closer."""
        new = [c for c in self.conflicts(draft) if (c.left.id, c.right.id) not in self._told]
        for conflict in new:
            self._told.add((conflict.left.id, conflict.right.id))
            ids = [conflict.left.id, conflict.right.id]
            told = f"{' and '.join(ids)} disagree, and both hold when opened again: {conflict.note}"
            self.situation.context.append("feedback", told, evidence=ids)
        return bool(new)

    def _split(self, claim: DraftClaim) -> list[Conflict]:
        """Find where one piece of a claim's evidence bears it out and another speaks against it."""
        found = {e.id: self.situation.verdicts.get((claim.text, e.id)) for e in claim.evidence}
        kinds = {id: verdict.kind for id, verdict in found.items() if verdict}
        sides = [
            [e for e in claim.evidence if kinds.get(e.id) == kind] for kind in ("supported", "contradicted")
        ]
        return [
            Conflict(claim.text, left, right, f"{left.sense} bears it out, {right.sense} contradicts it")
            for left in sides[0][:1]
            for right in sides[1]
        ]
