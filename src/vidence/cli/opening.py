"""Open what a command works with: a video, closed after it whatever happens, and who decides."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidence.cli.console import note
from vidence.cli.extras import need

if TYPE_CHECKING:
    from vidence.mcr.policy import Policy
    from vidence.memory import IndexReport
    from vidence.video import Video


@contextmanager
def opened(
    file: str, memory: Path | None, *, tier: str | None = None, language: str = "auto"
) -> Iterator[Video]:
    """Yield the video, its senses of a tier and for a spoken language.

    What is wrong with the file but does not stop the run is told on stderr.

    Raises:
        MediaError: it cannot be opened.
        UsageError: there is no such tier or language.
        StoreError: the memory file cannot be used.
    """
    from vidence.video import open as open_video

    with open_video(file, memory=memory, tier=tier, language=language) as video:
        for warning in video.media.info.warnings:
            note(f"{file}: {warning}")
        yield video


def chosen_policy(name: str | None, model: str | None, **told: Any) -> Policy:
    """Open the policy that is named, or else meant by a model and an endpoint; the rest is told `open_policy`.

    Raises:
        UsageError: what it needs is not installed, or does not fit together.
        WeightsError: the model cannot be loaded.
    """
    from vidence.policies import open_policy

    served = bool(told.get("api_base") or os.environ.get("OPENAI_BASE_URL"))
    name = name or ("rules" if model is None else "chat" if served else "internvideo3")
    if name == "internvideo3":
        need("model")
    if name == "chat" or (name != "rules" and told.get("api_base")):
        need("chat")
    return open_policy(name, model, **told)


def split_names(text: str | None) -> list[str] | None:
    """Read a comma list of senses; None when none was given."""
    return None if text is None else [part.strip().lower() for part in text.split(",") if part.strip()]


def tell_failures(report: IndexReport) -> None:
    """Say on stderr which senses failed, each once, with the reason; the coverage keeps every span."""
    for sense, reason in {failure.sense: failure.reason for failure in report.failed}.items():
        note(f"{sense} could not perceive some or all of it: {reason}")
    for problem in report.problems[:3]:
        note(f"damaged: {problem}")
    if len(report.problems) > 3:
        note(f"damaged: {len(report.problems) - 3} more places")
