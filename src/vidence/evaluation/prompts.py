"""How a model is asked in a single pass: in the manner of the paper's released scripts, in words of our own."""

from __future__ import annotations

from collections.abc import Sequence

from vidence.evaluation.item import Item
from vidence.models.internvideo3.protocol import question as listed


def prompt(item: Item, key: str, duration_s: float | None, said: Sequence[str] = ()) -> str:
    """Write a question as a model without a loop is asked it. `duration_s` None: it is shown no video.

    `said` are the subtitles that belong to what it is shown.
    """
    asked_of = _question(item, key, duration_s)
    return "\n".join(["The video's subtitles:", *said, "", asked_of]) if said else asked_of


def _question(item: Item, key: str, duration_s: float | None) -> str:
    if key == "choice":
        return f"{listed(item.question, item.options)}\nAnswer with the letter of the best option, and nothing else."
    if key == "grounding":
        lasts = f"The video lasts {duration_s:.1f} seconds. " if duration_s is not None else ""
        return (
            f"{lasts}When does this happen: {item.question.strip()} "
            "Answer with the second at which it starts and the second at which it ends."
        )
    if key == "number":
        return f"{item.question}\nAnswer with a number, and nothing else."
    if key == "words":
        return f"{item.question}\nAnswer in a few words, and nothing else."
    return item.question


def asked(item: Item, key: str) -> str:
    """Write a question as a policy is asked it, which has options given apart."""
    return f"When does this happen: {item.question.strip()}" if key == "grounding" else item.question
