"""Decide where and how to look again: at the time in doubt, with the senses that could settle it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vidence.mcr.belief import Belief
from vidence.mcr.situation import Situation
from vidence.policies.rules.options import concepts_of
from vidence.senses.colour_names import NAMES
from vidence.timeline import Span, instant

MOST_LOOKS = 1
_LOOK_S = {"objects": 6, "looks": 6, "motion": 12, "text": 4, "colour": 10}
_SENSES: dict[str, tuple[str, ...]] = {
    "written": ("text",), "count": ("objects",), "direction": ("motion", "objects"), "place": ("objects", "motion"),
    "yes-no": ("objects",), "change": ("motion",),
    "colour": ("objects",),
}  # fmt: skip
"""Which senses a closer look uses, by kind of question."""


def next_look(situation: Situation, belief: Belief) -> tuple[str, dict[str, Any], str] | None:
    """Return (action, arguments, reasoning) of the next look, or None when no look is left that could help."""
    question, done = situation.question, situation.meter.actions
    options = question.choices
    colours = (
        [c for names in concepts_of(options, "colours", question.language) for c in names] if options else []
    )
    if question.kind == "colour" and not options:
        colours = [name for name in NAMES if name != "grey"]  # grey is in nearly every picture
    colours += question.colours
    if (
        colours
        and question.kind in ("colour", "count", "place", "what")
        and not done["spot"]
        and situation.media.info.video
    ):
        span = question.windows[0] if question.windows else situation.whole
        return (
            "spot", {"colours": list(dict.fromkeys(colours)), "start": span.start, "end": span.end},
            f"Look for regions of {', '.join(dict.fromkeys(colours))}.",
        )  # fmt: skip
    senses = _SENSES.get(question.kind, ())
    if not senses or done["look"] + done["read"] >= MOST_LOOKS or situation.media.info.video is None:
        return None
    span = _where(situation, belief, senses)
    if span is None:
        return None
    doubt = "; ".join(belief.uncertainties) or "no hypothesis"
    why = f"Uncertain ({doubt}): look at {span} again with {', '.join(senses)}."
    if senses == ("text",):
        return "read", {"start": span.start, "end": span.end}, why
    return "look", {"start": span.start, "end": span.end, "senses": list(senses)}, why


def _where(situation: Situation, belief: Belief, senses: Sequence[str]) -> Span | None:
    """Choose the first stretch in doubt that was not looked at yet, cut to what a look may cost."""
    most_s = instant(min(_LOOK_S.get(s, 6) for s in senses))
    for span in (*situation.question.windows, *belief.candidates):
        if span.duration > most_s:
            span = Span(span.middle - most_s / 2, span.middle + most_s / 2)
        else:
            span = span.padded(1).clipped(situation.whole)
        looked = situation.looked_at.get(senses[0], [])
        if not any(span.iou(before) > 0.5 for before in looked):
            return span
    return None
