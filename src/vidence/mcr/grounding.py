"""Find when a phrase is true: spans in which it is seen, read or heard, best first (temporal grounding).

Each sense proposes spans with a score; proposals that say the same are joined, the joined score being that of at least
one of them being right. "Out of the picture" asks for the gaps between the times a thing is seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from vidence.mcr.question import Question, read_question, telling_words
from vidence.senses.colour_names import likeness
from vidence.senses.language import embed, stems
from vidence.senses.observation import Observation
from vidence.timeline import Span, subtract, union

if TYPE_CHECKING:
    from vidence.mcr.situation import Situation

_SAME = 0.5  # IoU above which two proposals are one
_BRIDGE = Fraction(3, 2)  # seconds: a thing lost for less was not away
_TOLD = {"text": "read", "speech": "heard", "captions": "described as"}
_CLOSE = ("close", "near", "fill", "fills", "filling", "close-up", "closeup", "big", "large")


@dataclass(frozen=True, slots=True)
class Grounding:
    """A span in which the phrase holds. `score` is 0 to 1; `why` names what found it."""

    span: Span
    score: float
    why: str
    source: Observation | None = None
    absent: bool = False  # the span is where the source is not seen

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values."""
        return {**self.span.to_json(), "score": round(self.score, 4), "why": self.why}


def ground(phrase: str, situation: Situation, *, limit: int = 5) -> list[Grounding]:
    """Ground a phrase or a question that begins with "when"."""
    question = read_question(phrase, situation.whole)
    tracks = _by_tracks(question, situation)
    if question.absent and tracks:
        proposals = tracks
    else:
        proposals = [*_by_words(question, situation), *tracks, *_by_looks(question, situation)]
    proposals = [
        p for p in proposals if not question.windows or any(p.span.overlaps(w) for w in question.windows)
    ]
    if question.absent:
        proposals = _gaps(proposals, situation.whole)
    joined = _join(proposals)
    if question.ordinal is not None and len(joined) > 1:
        joined = _nth(joined, question.ordinal)
    return joined[:limit]


def _by_words(question: Question, situation: Situation) -> list[Grounding]:
    """Propose what is written, said or described with the phrase's words or meaning."""
    found = [o for o in situation.observations("text", "speech", "captions") if o.text]
    wanted = telling_words(question.text, question.language)
    if not found or not (wanted or question.quoted):
        return []
    cosine = embed([question.text])[0] @ embed([o.text for o in found]).T
    out = []
    for o, near in zip(found, cosine, strict=True):
        bag = set(stems(o.text))
        share = len(wanted & bag) / max(len(wanted), 1)
        quoted = any(q.lower() in o.text.lower() for q in question.quoted)
        score = max(share * 0.9, (float(near) - 0.35) * 1.2, 0.95 if quoted else 0.0) * o.confidence
        if "title" in question.text.lower() and o.sense == "text":
            score = max(score, 0.6 * min(float(o.data.get("height", 0.0)) / 0.08, 1.0))
        if score > 0.15:
            out.append(Grounding(o.span, min(score, 1.0), f"{_TOLD[o.sense]} “{o.text}”", o))
    return out


def _by_tracks(question: Question, situation: Situation) -> list[Grounding]:
    """Propose the times at which the things named are followed; moving blobs stand in for what no detector knows."""
    detected = [o for o in situation.observations("objects", "faces") if _is_named(o, question)]
    movers = [o for o in situation.observations("motion") if o.data.get("kind") == "mover"]
    out = [Grounding(o.span, o.confidence * _fits(o, question), f"{o.text} seen", o) for o in detected]
    if movers and (question.things or question.colours) and not any(g.score > 0.5 for g in out):
        out += [
            Grounding(o.span, 0.6 * o.confidence * _fits(o, question), "something moving", o) for o in movers
        ]
    if question.ordinal is None and not question.absent and not _wants_close(question):
        out += _runs(out, situation.whole)
    return [g for g in out if g.score > 0.08]


def _is_named(o: Observation, question: Question) -> bool:
    return o.text in question.things or (o.text == "face" and "person" in question.things)


def _wants_close(question: Question) -> bool:
    return any(word in _CLOSE for word in question.text.lower().replace(",", " ").split())


def _fits(o: Observation, question: Question) -> float:
    """Weigh a track by the colours, the closeness and the side that the phrase asks for."""
    fit = 1.0
    if question.colours:
        shares = {str(n): float(s) for n, s in o.data.get("colours", ())}
        fit *= max(0.2, min(1.0, max(likeness(c, shares.items()) for c in question.colours) / 0.4))
    if _wants_close(question) and o.track:
        fit *= min(1.0, max(box.area for _, box in o.track) / 0.25)
    return fit


def _runs(parts: Sequence[Grounding], whole: Span) -> list[Grounding]:
    """Join tracks of the same kind that follow one another closely: one presence, seen in pieces."""
    out = []
    for run in union((p.span for p in parts if p.score > 0.2), gap=_BRIDGE):
        inside = [p for p in parts if run.overlaps(p.span)]
        if len(inside) > 1 and run.duration < whole.duration * Fraction(95, 100):
            top = max(inside, key=lambda p: p.score)
            out.append(
                Grounding(run, min(1.0, top.score * 1.05), f"{top.why} in {len(inside)} pieces", top.source)
            )
    return out


def _by_looks(question: Question, situation: Situation) -> list[Grounding]:
    """Propose stretches whose classes match the phrase better than the rest of the film."""
    from vidence.senses.looks import matches

    samples = situation.observations("looks")
    if len(samples) < 3:
        return []
    p = {id(match.observation): match.p for match in matches(question.text, samples)}
    score = np.array([p.get(id(o), 0.0) for o in samples])
    # Where nothing is seen plainly, the best stretch is still offered: at its own low score.
    level = min(max(float(score.mean() + 0.5 * score.std()), 0.25), float(score.max()))
    if level < 0.03:
        return []
    runs = union((o.span for o, s in zip(samples, score, strict=True) if s >= level), gap=_BRIDGE)
    out = []
    for run in runs:
        inside = [(s, o) for o, s in zip(samples, score, strict=True) if o.span.overlaps(run)]
        if run.duration < situation.whole.duration * Fraction(95, 100):
            top = max(inside, key=lambda pair: pair[0])[1]
            mean = float(np.mean([s for s, _ in inside]))
            out.append(Grounding(run, 0.8 * mean, f"looks like {top.text}", top))
    return out


def _gaps(proposals: Sequence[Grounding], whole: Span) -> list[Grounding]:
    seen = [p for p in proposals if p.score > 0.25]
    if not seen:
        return []
    sure = sum(p.score for p in seen) / len(seen)
    gaps = [gap for gap in subtract(whole, [p.span for p in seen]) if gap.duration >= Fraction(1, 4)]
    label = seen[0].source.text if seen[0].source else "it"
    inner = [g for g in gaps if g.start > whole.start and g.end < whole.end]
    return [
        Grounding(g, sure * (0.9 if g in inner else 0.6), f"{label} not seen", seen[0].source, absent=True)
        for g in gaps
    ]


def _join(proposals: Iterable[Grounding]) -> list[Grounding]:
    """Merge proposals that overlap by half or more; independent senses raise one another's score."""
    kept: list[Grounding] = []
    for p in sorted(proposals, key=lambda g: -g.score):
        twin = next((i for i, k in enumerate(kept) if k.span.iou(p.span) >= _SAME), None)
        if twin is None:
            kept.append(p)
        elif kept[twin].why.split()[0] != p.why.split()[0]:
            k = kept[twin]
            kept[twin] = Grounding(
                k.span, 1 - (1 - k.score) * (1 - 0.7 * p.score), f"{k.why}; {p.why}", k.source
            )
    return sorted(kept, key=lambda g: -g.score)


def _nth(found: list[Grounding], ordinal: int) -> list[Grounding]:
    """Put the nth in time first, counting only those nearly as good as the best."""
    good = sorted((g for g in found if g.score >= 0.6 * found[0].score), key=lambda g: g.span.start)
    chosen = good[max(-len(good), min(ordinal, len(good) - 1))]
    rest = [replace(g, score=g.score * 0.5) for g in found if g is not chosen]
    return [replace(chosen, score=found[0].score), *rest]
