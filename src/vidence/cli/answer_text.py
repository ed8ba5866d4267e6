"""An answer as text for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from vidence.cli.console import paint, say

if TYPE_CHECKING:
    from vidence.mcr.answer import Answer
    from vidence.mcr.budget import Receipt
    from vidence.mcr.evidence import Claim, Evidence

VERDICT_STYLE = {
    "supported": ("+", "green"),
    "contradicted": ("x", "red"),
    "unsupported": ("?", "yellow"),
    "unseen": ("-", "yellow"),
}
SHOWN_EVIDENCE = 3  # of one claim; --json has all


def show_answer(answer: Answer, options: Sequence[str]) -> None:
    """Print the answer, its claims with verdict, time and quote, conflicts, what is lacking, the cost."""
    _heading(answer, options)
    for claim in answer.claims:
        _claim(claim)
    if answer.conflicts:
        click.echo(paint("\nContradictions", bold=True))
        for conflict in answer.conflicts:
            say(f"{conflict.about}: {conflict.note}" if conflict.note else conflict.about, indent=2, hang=2)
            _evidence(conflict.left)
            _evidence(conflict.right)
    _unseen(answer)
    click.echo()
    say(_cost(answer.receipt), hang=2, dim=True)
    if answer.run is not None:
        say(f"steps: vidence runs show {answer.run}", dim=True)


def _heading(answer: Answer, options: Sequence[str]) -> None:
    from vidence.mcr.answer import STATUS_TEXT

    if answer.status != "answered":
        say(STATUS_TEXT[answer.status])
    if answer.text:
        click.echo()
        say(answer.text)
    if answer.choice and options:
        say(f"({answer.choice.letter} of {len(options)})")
    sure = f"confidence {answer.confidence:.0%}"
    say(sure if answer.confident else f"{sure}: a guess, not a finding")
    if answer.spans:
        say("at " + ", ".join(str(span) for span in answer.spans[:5]), hang=3)
    if answer.claims:
        click.echo(paint("\nEvidence", bold=True))


def _claim(claim: Claim) -> None:
    mark, colour = VERDICT_STYLE[claim.verdict.kind]
    verdict = paint(f"{mark} {claim.verdict.kind}", fg=colour)
    click.echo(f"  {verdict}")
    say(claim.text, indent=4, hang=2)
    for evidence in claim.evidence[:SHOWN_EVIDENCE]:
        _evidence(evidence)
    if len(claim.evidence) > SHOWN_EVIDENCE:
        say(f"and {len(claim.evidence) - SHOWN_EVIDENCE} more (--json has all)", indent=6)
    for evidence in claim.against[:SHOWN_EVIDENCE]:
        _evidence(evidence, "against: ")
    if claim.verdict.checked_by:
        say(f"checked: {claim.verdict.checked_by}", indent=6, hang=2)


def _evidence(evidence: Evidence, before: str = "") -> None:
    say(f"{before}{evidence.span}  {evidence.sense}: “{evidence.quote}”", indent=6, hang=2)


def _unseen(answer: Answer) -> None:
    """Say what was missing, which part of the medium no sense has perceived, and where it would look next."""
    if answer.lacking:
        click.echo(paint("\nLacking", bold=True))
        say(answer.lacking, indent=2)
    if answer.next_looks:
        say("would look next at " + ", ".join(str(span) for span in answer.next_looks[:5]), indent=2, hang=2)


def _cost(receipt: Receipt) -> str:
    actions = ", ".join(f"{name} {count}" for name, count in receipt.actions.items())
    parts = [
        f"{receipt.wall_s:.1f} s"
        + (f" ({receipt.index_s:.1f} s of it indexing)" if receipt.index_s >= 0.05 else ""),
        f"{receipt.seconds_decoded:.1f} s of video decoded",
        f"{receipt.frames} frames",
        f"{receipt.model_calls} model calls",
        *([f"{receipt.tokens} tokens"] if receipt.tokens else []),
        *([f"{receipt.steps} steps: {actions}"] if actions else []),
    ]
    return "cost: " + ", ".join(parts)
