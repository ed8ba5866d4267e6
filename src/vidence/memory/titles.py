"""Name and sum up a stretch of film by its own words: nothing is made up, everything is taken from observations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from math import log

from vidence.senses.language import stems
from vidence.senses.observation import Observation
from vidence.timeline import Span

_TITLE_SIGN = 60  # letters of a sign that fit a title
_SENTENCES = 2
_SURE = 0.6  # below this confidence what was read or seen does not make a title


class Corpus:
    """All scenes of one medium, each a document, so that what tells one from the others can be found."""

    def __init__(self, seen: Sequence[Observation], scenes: Sequence[Span]) -> None:
        self._scenes = [_within(seen, scene) for scene in scenes]
        counts = [
            Counter(t for s in scene if s.modality == "speech" for t in set(stems(s.text)))
            for scene in self._scenes
        ]
        self._speech = _telling(counts)
        self._labels = _telling([_labels(scene) for scene in self._scenes])
        signs = [Counter({s.text: 1 for s in scene if _sign(s)}) for scene in self._scenes]
        self._signs = _telling(signs)

    def title(self, n: int) -> str:
        """Name scene n: its most telling sign, then words that are said, then things that are seen."""
        scene = self._scenes[n]
        signs = sorted((s for s in scene if _sign(s)), key=lambda s: -_prominence(s) * self._signs(n, s.text))
        parts = [_shorten(signs[0].text, _TITLE_SIGN)] if signs else []
        parts += [", ".join(self._keywords(n))] if self._keywords(n) else []
        if len(parts) < 2 and (labels := self._things(n)[:3]):
            parts.append(", ".join(labels))
        return " · ".join(parts) or headline(scene) or f"scene {n + 1}"

    def summary(self, n: int) -> str:
        """Sum up scene n: its most telling sentences, its signs, and its caption or the things seen, in that order."""
        scene = self._scenes[n]
        spoken = [s for s in scene if s.modality == "speech" and s.text]
        best = sorted(spoken, key=lambda s: -self._worth(n, s.text))[:_SENTENCES]
        parts = [s.text.strip() for s in sorted(best, key=lambda s: s.span)]
        signs = sorted(
            {s.text: _prominence(s) for s in scene if _sign(s)}.items(), key=lambda sign: -sign[1]
        )[:3]
        if signs:
            parts.append("Written: " + "; ".join(_shorten(text, 80) for text, _ in signs) + ".")
        if captions := [s for s in scene if s.sense == "captions"]:
            parts.append(max(captions, key=lambda s: float(s.span.duration) * s.confidence).text)
        elif things := self._things(n)[:5]:
            parts.append("Seen: " + ", ".join(things) + ".")
        return " ".join(parts) or headline(scene)

    def _keywords(self, n: int) -> list[str]:
        words: Counter[str] = Counter()
        surface: dict[str, str] = {}
        for s in self._scenes[n]:
            if s.modality == "speech":
                for word in s.text.split():
                    for stem in stems(word):
                        if len(stem) > 2 and not stem.isdigit():
                            words[stem] += 1
                            surface.setdefault(stem, word.strip(".,;:!?\"'()…").lower())
        ranked = sorted(words, key=lambda stem: (-words[stem] * self._speech(n, stem), stem))
        return [surface[stem] for stem in ranked[:3]]

    def _things(self, n: int) -> list[str]:
        labels = _labels(self._scenes[n])
        return sorted(labels, key=lambda label: (-labels[label] * self._labels(n, label), label))

    def _worth(self, n: int, text: str) -> float:
        terms = set(stems(text))
        return sum(self._speech(n, term) for term in terms) / (len(terms) + 4) ** 0.5


def _telling(documents: Sequence[Counter[str]]) -> Callable[[int, str], float]:
    """Return (document, term) → weight: 1 for a term that every document has, more the rarer it is."""
    having = Counter(term for document in documents for term in document)

    def weight(n: int, term: str) -> float:
        return (1.0 + log(len(documents) / max(having[term], 1))) if term in documents[n] else 0.0

    return weight


def headline(seen: Sequence[Observation]) -> str:
    """Say in a few words what is most worth knowing: what is said, else written, else seen, else heard."""
    spoken = [s.text for s in seen if s.modality == "speech" and s.text]
    if spoken:
        return _shorten(spoken[0], _TITLE_SIGN)
    if signs := [s for s in seen if _sign(s)]:
        return _shorten(max(signs, key=_prominence).text, _TITLE_SIGN)
    for sense in ("captions", "objects", "faces", "motion", "looks", "colour", "sound"):
        if names := Counter(_name(s) for s in seen if s.sense == sense and s.text):
            return ", ".join(name for name, _ in names.most_common(3))
    return ""


def _name(seen: Observation) -> str:
    classes = seen.data.get("classes")
    return str(classes[0][0]) if seen.sense == "looks" and classes else seen.text


def _within(seen: Sequence[Observation], scene: Span) -> list[Observation]:
    return [s for s in seen if s.span.overlaps(scene) and s.sense != "shots"]


def _sign(seen: Observation) -> bool:
    return seen.modality == "text" and seen.confidence >= _SURE and sum(c.isalpha() for c in seen.text) >= 3


def _prominence(seen: Observation) -> float:
    """Large and long-standing signs tell more; a minute is as good as an hour."""
    height = float(seen.data.get("height", 0.05))
    return height * min(float(seen.span.duration) + 0.5, 60.0) ** 0.5 * seen.confidence


def _labels(scene: Sequence[Observation]) -> Counter[str]:
    """Seconds for which each thing was seen."""
    seconds: Counter[str] = Counter()
    for s in scene:
        if s.sense == "objects" and s.confidence >= 0.4:
            seconds[s.text] += float(s.span.duration) * s.confidence  # pyright: ignore[reportArgumentType]
        elif s.sense == "looks":
            for label, share in (s.data.get("classes") or ())[:1]:
                if share >= _SURE:
                    seconds[str(label)] += float(s.span.duration) * share  # pyright: ignore[reportArgumentType]
    return seconds


def _shorten(text: str, letters: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= letters else line[: letters - 1].rsplit(" ", 1)[0] + "…"
