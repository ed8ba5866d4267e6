"""Open questions about what is there, and yes-or-no questions about it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from vidence.mcr.belief import Clue, Hypothesis
from vidence.mcr.grounding import ground
from vidence.mcr.situation import Situation
from vidence.policies.rules.tracks import in_window
from vidence.senses.observation import Observation

_VISUAL = ("objects", "looks")
_CONSIDERED = 10  # of the moments that fit best
_SEEN_ENOUGH = 0.9  # share of the span that must have been looked at before absence may be said


def what_hypotheses(situation: Situation) -> list[Hypothesis]:
    """Propose the things detected and the classes seen, the most present first."""
    seconds: dict[str, float] = defaultdict(float)
    source: dict[str, Observation] = {}
    for o in situation.observations("objects"):
        if in_window(o, situation.question.windows):
            _add(seconds, source, o.text, float(o.span.duration) * o.confidence, o)
    for o in situation.observations("looks"):
        if in_window(o, situation.question.windows):
            for name, p in o.data.get("classes", ()):
                _add(seconds, source, str(name), float(o.span.duration) * float(p), o)
    whole = (
        float(sum((w.duration for w in situation.question.windows), start=0) or situation.whole.duration)
        or 1.0
    )
    ranked = sorted(seconds, key=lambda name: -seconds[name])[:8]
    return [_hypothesis(situation, name, seconds[name], whole, source[name]) for name in ranked]


def _hypothesis(situation: Situation, name: str, seconds: float, whole: float, o: Observation) -> Hypothesis:
    """Weigh by the share of the time asked about: there for a tenth of it is even odds."""
    weight = 2.5 * math.log10(max(seconds / whole, 1e-3)) + 2.5
    clue = Clue(0, weight, "presence", f"seen for {seconds:.1f} s", (situation.cite(o),))
    return Hypothesis(name, (clue,), (o.span,))


def _add(
    seconds: dict[str, float], source: dict[str, Observation], name: str, weight: float, o: Observation
) -> None:
    if o.confidence > (source[name].confidence if name in source else -1.0):
        source[name] = o
    seconds[name] += weight


def presence_clues(situation: Situation, options: Sequence[str]) -> list[Clue]:
    """Weigh a plain yes against a plain no by whether what is asked about can be found; unseen is not absent.

    That something moves, does not say what it is.
    """
    if situation.question.kind != "yes-no":
        return []
    plain = [option.lower().strip(" .") for option in options]
    if not {"yes", "no"} <= set(plain):
        return []
    yes, no = plain.index("yes"), plain.index("no")
    for found in ground(situation.question.text, situation, limit=_CONSIDERED):
        if found.source and found.source.sense != "motion" and found.score > 0.3:
            evidence = (situation.cite(found.source, span=found.span),)
            return [Clue(yes, 5 * (found.score - 0.3), "presence", found.why, evidence)]
    in_vocabulary = bool(situation.question.things)
    if in_vocabulary and situation.seen(_VISUAL, situation.whole) >= _SEEN_ENOUGH:
        return [Clue(no, 0.8, "absence", "looked at throughout and not found")]
    return []
