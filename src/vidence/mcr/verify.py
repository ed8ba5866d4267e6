"""The check behind every citation: open the span again, look harder than the first time, and compare.

One mechanism serves every sense. The sense that made the observation is run once more over its span, on more and
larger frames (or on the sound again), without sight of the first result; then the two are compared in the terms of
that sense: words by edit distance, things by label and place, classes by meaning, movement by direction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from difflib import SequenceMatcher
from fractions import Fraction
from typing import TYPE_CHECKING

from vidence.mcr.evidence import Evidence, Verdict
from vidence.mcr.pictures import around
from vidence.senses.language import embed, normalise
from vidence.senses.observation import Observation
from vidence.senses.sense import AudioSense, VisualSense
from vidence.timeline import Span, instant

if TYPE_CHECKING:
    from vidence.mcr.actions import Actions
    from vidence.mcr.situation import Situation

CHECK_S = {
    "text": 1.0,
    "objects": 1.5,
    "faces": 1.5,
    "looks": 1.0,
    "motion": 10.0,
    "speech": 15.0,
    "colour": 2.0,
    "captions": 1.0,
}
"""Seconds opened around the middle of the evidence, by sense: enough for it to perceive, little enough to be quick."""

CHECK_HZ = {
    "text": 2.0,
    "objects": 4.0,
    "faces": 4.0,
    "looks": 3.0,
    "motion": 6.0,
    "colour": 2.0,
    "captions": 1.0,
}
"""Frames a second in the check: at least twice the rate of indexing."""


def recheck(evidence: Evidence, situation: Situation, actions: Actions) -> tuple[Verdict, str | None]:
    """Open evidence again; return the verdict and the hash of the middle frame (None for sound).

    It is opened once a rollout, however many claims cite it.
    """
    if evidence.id not in situation.reopened:
        source = situation.source(evidence)
        situation.reopened[evidence.id] = reopened(evidence, source, situation, actions)
    return situation.reopened[evidence.id]


def reopened(
    evidence: Evidence, observation: Observation | None, situation: Situation, actions: Actions
) -> tuple[Verdict, str | None]:
    """Open evidence again, whether it was opened before or not; `observation` is what stands behind it."""
    sense = actions.senses.get(evidence.sense)
    if observation is None or sense is None:
        return Verdict(
            "unseen", 0.0, "nothing to open: the evidence names no observation that can be perceived again"
        ), None
    if evidence.absent:
        return _recheck_absence(evidence, observation, situation, actions)
    span = _window(observation, situation.whole)
    if observation.data.get("kind") == "blob":
        again = list(actions.spot([observation.data["colour"]], span.start, span.end, looks=2).observations)
        return compared(observation, again, span), frame_hash(situation, observation.span.middle)
    if isinstance(sense, AudioSense):
        again = sense.hear(situation.media, span)
        situation.meter.model_calls += 1
        digest = None
    elif isinstance(sense, VisualSense):
        rate_hz = CHECK_HZ.get(evidence.sense, 4.0) if evidence.sense != "shots" else None
        # Text is read again by itself, large; other things need their surroundings to be known.
        region = around(observation, 0.6) if evidence.sense == "text" else None
        again = actions.watch([sense], span, rate_hz, 1.5, region)
        digest = frame_hash(situation, observation.span.middle)
    else:
        return Verdict("unseen", 0.0, f"the sense {evidence.sense} cannot be run again"), None
    return compared(observation, again, span), digest


def _recheck_absence(
    evidence: Evidence, observation: Observation, situation: Situation, actions: Actions
) -> tuple[Verdict, str | None]:
    """Open the middle of a span in which something should not be, and look for it."""
    sense = actions.senses.get(evidence.sense)
    if not isinstance(sense, VisualSense):
        return Verdict("unseen", 0.0, f"the sense {evidence.sense} cannot look for it"), None
    half_s = min(instant(CHECK_S.get(evidence.sense, 4.0)), evidence.span.duration * Fraction(4, 5)) / 2
    middle = evidence.span.middle
    span = Span(middle - half_s, middle + half_s).clipped(situation.whole)
    again = actions.watch([sense], span, CHECK_HZ.get(evidence.sense, 4.0), 1.5)
    there = [o for o in again if o.text == observation.text and o.confidence >= 0.5]
    how = f"opened {span} again and found {'one' if there else 'none'}"
    return Verdict("contradicted" if there else "supported", 0.0 if there else 0.8, how), frame_hash(
        situation, middle
    )


def _window(observation: Observation, whole: Span) -> Span:
    """Choose what to open: the middle of the evidence, where it is least likely to be cut."""
    most_s = CHECK_S.get(observation.sense, 4.0)
    # What moved is known only against what was there before and after it.
    margin = Fraction(5, 2) if observation.sense == "motion" else Fraction(1, 4)
    if observation.span.duration + 2 * margin <= instant(most_s):
        return observation.span.padded(margin).clipped(whole)
    return Span(observation.span.middle, observation.span.middle).padded(most_s / 2).clipped(whole)


def frame_hash(situation: Situation, time: Fraction) -> str:
    """Return the SHA-256 of the pixels on screen at a time."""
    frame = situation.media.frames_at([time], mode="exact")[0]
    situation.meter.frames += 1
    return hashlib.sha256(frame.image.tobytes()).hexdigest()


def compared(before: Observation, again: list[Observation], span: Span) -> Verdict:
    """Compare what was perceived again with what is claimed; the best match counts."""
    compare = _COMPARE.get(before.sense, _same_words)
    alike = [o for o in again if o.data.get("kind") == before.data.get("kind")]
    scored = sorted(((compare(before, o), o) for o in alike), key=lambda pair: -pair[0])
    if not scored:
        return Verdict("unsupported", 0.0, f"opened {span} again and perceived nothing there")
    score, match = scored[0]
    kind = "supported" if score >= 0.6 else "contradicted" if _contradicts(before, match) else "unsupported"
    return Verdict(kind, min(score, 1.0), f"opened {span} again and perceived {match.text!r}")


def _same_words(before: Observation, after: Observation) -> float:
    left, right = normalise(before.text), normalise(after.text)
    if not left:
        return 1.0 if not right else 0.0
    if left in right:
        return 1.0
    # A check may open only part of an utterance: what was heard again must lie in what is claimed.
    blocks = SequenceMatcher(None, left, right, autojunk=False).get_matching_blocks()
    matched = sum(block.size for block in blocks if block.size >= 3)
    return (
        matched / max(min(len(left), len(right)), 1)
        if len(right) >= min(12, len(left) * 0.5)
        else matched / len(left)
    )


def _same_thing(before: Observation, after: Observation) -> float:
    if before.text != after.text:
        return 0.0
    if not before.track or not after.track:
        return 0.8
    time = after.track[len(after.track) // 2][0]
    left, right = before.box_at(time), after.box_at(time)
    if left is None or right is None:
        return 0.8
    near = abs(left.centre[0] - right.centre[0]) + abs(left.centre[1] - right.centre[1]) < 0.25
    return 1.0 if left.iou(right) > 0.2 else 0.8 if near else 0.5


def _same_class(before: Observation, after: Observation) -> float:
    cosine = 0.0
    if before.vector is not None and after.vector is not None and before.vector.shape == after.vector.shape:
        cosine = float(before.vector @ after.vector)
    shared = {c for c, _ in before.data.get("classes", ())} & {c for c, _ in after.data.get("classes", ())}
    return max(cosine, 0.7 if shared else 0.0)


def _same_movement(before: Observation, after: Observation) -> float:
    if before.data.get("kind") in ("camera", "travel"):
        return 1.0 if before.data.get("move") == after.data.get("move") else 0.3
    if before.data.get("kind") == "change":
        return 1.0 if before.data.get("change") == after.data.get("change") else 0.3
    time = after.span.middle
    left, right = before.box_at(time), after.box_at(time)
    near = left is not None and right is not None and (
        abs(left.centre[0] - right.centre[0]) + abs(left.centre[1] - right.centre[1]) < 0.2
    )  # fmt: skip
    same = before.data.get("direction") == after.data.get("direction")
    return 1.0 if near and same else 0.8 if near else 0.6 if same else 0.2


def _same_colours(before: Observation, after: Observation) -> float:
    if before.data.get("kind") == "blob":
        here, there = before.track[0][1].centre, after.track[0][1].centre
        near = abs(here[0] - there[0]) + abs(here[1] - there[1]) < 0.25
        return 1.0 if near else 0.7
    left, right = dict(before.data.get("colours", ())), dict(after.data.get("colours", ()))
    if before.data.get("monochrome") != after.data.get("monochrome"):
        return 0.2
    return sum(min(share, right.get(name, 0.0)) for name, share in left.items()) / max(
        sum(left.values()), 1e-6
    )


def _same_meaning(before: Observation, after: Observation) -> float:
    """Compare two descriptions of a moment: no two are written in the same words."""
    left, right = embed([before.text, after.text])
    return float(left @ right)


def _contradicts(before: Observation, after: Observation) -> bool:
    """Say whether the second look shows the opposite, not merely something else."""
    return (
        before.sense == "colour" and before.data.get("monochrome") != after.data.get("monochrome")
    ) or (
        before.sense == "motion" and {before.data.get("direction"), after.data.get("direction")} in _OPPOSITE
    )  # fmt: skip


_OPPOSITE = ({"left", "right"}, {"up", "down"}, {"nearer", "farther"})

_COMPARE: dict[str, Callable[[Observation, Observation], float]] = {
    "text": _same_words, "speech": _same_words, "objects": _same_thing, "faces": _same_thing, "looks": _same_class,
    "motion": _same_movement, "colour": _same_colours, "captions": _same_meaning,
}  # fmt: skip
