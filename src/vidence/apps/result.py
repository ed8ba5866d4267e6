"""What every application returns besides its own parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from vidence.apps.finding import Finding
    from vidence.mcr.budget import Receipt
    from vidence.memory import Coverage


class Result(Protocol):
    """Findings, what was looked at, what it cost, and what could not be seen or told (`limits`, in words)."""

    @property
    def findings(self) -> Sequence[Finding]:
        """In time order."""
        ...

    @property
    def coverage(self) -> Coverage:
        """What was perceived."""
        ...

    @property
    def receipt(self) -> Receipt:
        """What it cost."""
        ...

    @property
    def limits(self) -> Sequence[str]:
        """What could not be seen or told, in sentences."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values; each application publishes its schema."""
        ...


def to_json(app: str, result: Result, **own: Any) -> dict[str, Any]:
    """Write the common parts as JSON values, and an application's own between them."""
    return {
        "application": app,
        "medium": result.coverage.medium,
        "findings": [finding.to_json() for finding in result.findings],
        **own,
        "limits": list(result.limits),
        "coverage": result.coverage.to_json(),
        "receipt": result.receipt.to_json(),
    }


def unseen(coverage: Coverage, senses: Sequence[str]) -> list[str]:
    """Say of each sense that was needed how much of the video it has not perceived, and why."""
    told = []
    for sense in senses:
        share = coverage.seen(coverage.whole, sense)
        if share < 0.999:
            reasons = dict.fromkeys(f.reason for f in coverage.failures if f.sense == sense)
            why = f" ({'; '.join(reasons)})" if reasons else ""
            told.append(
                f"{sense} perceived {share:.0%} of the video{why}: what only it can tell may be missing."
            )
    return told
