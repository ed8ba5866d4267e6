"""Knowledge points: the terms that are taught, what is said of each, and where.

Terms are those that are defined (in a sentence or on a slide), those that head a slide, and phrases that are both said
again and again and written on slides. A term that lies in another ("search" in "breadth-first search") is its own only
where it is used on its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from vidence.apps.study import definitions
from vidence.apps.study.heard import mended
from vidence.apps.study.passages import Passage, term_stems
from vidence.apps.study.slides import Slide
from vidence.senses.language import fold, stop_words
from vidence.timeline import Instant, Span, union

if TYPE_CHECKING:
    from vidence.mcr.evidence import Verdict

MOST_POINTS = 60
GAP_S = 20  # mentions so near are one place
MOST_PLACES = 6
SAID = 3  # times a phrase must be said to be a term that nobody defines
LONGEST = 3  # words of such a phrase
HEADING_WORDS = 4
_GENERIC = frozenset({
    "introduction", "overview", "summary", "outline", "agenda", "conclusion", "conclusions", "contents", "questions",
    "thanks", "references", "example", "examples", "exercise", "exercises", "motivation", "recap", "review", "part",
    "chapter", "section", "lecture", "lesson", "slide", "slides", "today", "demo", "code", "notes", "welcome", "end",
    "appendix", "einleitung", "überblick", "zusammenfassung", "übersicht", "beispiel",
})  # fmt: skip


_LEADERS = frozenset({
    "a", "an", "the", "this", "that", "these", "its", "our", "each", "every", "any", "all", "no", "of", "by",
    "ein", "eine", "einen", "einem", "einer", "der", "die", "das", "den", "dem", "des", "jede", "jeder", "jedes",
    "un", "une", "le", "la", "les", "du", "chaque", "una", "el", "los", "las", "del", "cada", "il", "lo", "gli",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class KnowledgePoint:
    """One term. `definition` is "" where nobody says what it is; `places` are where it is taught, in order of time."""

    id: str
    name: str
    stems: tuple[str, ...]
    definition: str
    source: Passage | None
    places: tuple[Span, ...]
    mentions: int
    weight: float
    written: bool
    verdict: Verdict | None = None

    @property
    def first(self) -> Instant:
        """When it is introduced: where it is defined, else first named."""
        return self.source.span.start if self.source else self.places[0].start

    @property
    def moment(self) -> Instant:
        """The middle of the passage that introduces it: it may begin a breath before its slide."""
        return self.source.span.middle if self.source else self.places[0].start

    @property
    def certain(self) -> bool:
        """Say whether its definition bore being opened again."""
        return self.verdict is None or self.verdict.kind == "supported"

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values."""
        return {
            "id": self.id,
            "name": self.name,
            "definition": self.definition,
            "defined": self.source.span.to_json() if self.source else None,
            "how": self.source.how if self.source else None,
            "places": [span.to_json() for span in self.places],
            "mentions": self.mentions,
            "weight": round(self.weight, 3),
            "on_slides": self.written,
            "verdict": self.verdict.to_json() if self.verdict else None,
        }


def find_points(passages: Sequence[Passage], slides: Sequence[Slide], language: str) -> list[KnowledgePoint]:
    """Return the knowledge points, the most important first."""
    passages = mended(passages, _written_names(passages, slides, language), language)
    named: dict[tuple[str, ...], str] = {}
    defined: dict[tuple[str, ...], tuple[str, Passage]] = {}
    for passage in passages:
        find = definitions.in_sentence if passage.how == "said" else definitions.in_line
        found = find(passage.text, language)
        if found is None:
            continue
        key = _key(found.term, language)
        if key:
            named.setdefault(key, found.term)
            if key not in defined or (defined[key][1].how == "written" and passage.how == "said"):
                defined[key] = (_sentence(passage, found), passage)
    for key in [key for key, (_, by) in defined.items() if by.how == "written"]:
        if any(
            set(key) < set(other) for other in defined
        ):  # "Dijkstra: ..." is short for what is defined elsewhere
            del defined[key], named[key]
    headings = {key: slide.title for slide in slides if (key := _heading(slide, language))}
    phrases = _phrases(passages, language)
    for key, name in (*headings.items(), *phrases.items()):
        named.setdefault(key, name)
    points = []
    for key, name in named.items():
        mentions = _mentions(key, passages, [other for other in named if len(other) > len(key)])
        if not mentions:
            continue
        written = any(m.how == "written" for m in mentions)
        weight = len(mentions) ** 0.5 * (2.5 if key in defined else 1.0) * (1.5 if key in headings else 1.0)
        weight *= 1.2 if written else 1.0
        definition, source = defined.get(key, ("", None))
        places = union((m.span for m in mentions), GAP_S)
        dense = sorted(places, key=lambda s: -sum(m.span.overlaps(s) for m in mentions))[:MOST_PLACES]
        points.append(
            KnowledgePoint(
                "",
                _surface(name),
                key,
                definition,
                source,
                tuple(sorted(dense)),
                len(mentions),
                weight,
                written,
            )
        )
    best = sorted(points, key=lambda p: (-p.weight, p.first))[:MOST_POINTS]
    return [replace(point, id=f"k{n}") for n, point in enumerate(best, 1)]


def _written_names(
    passages: Sequence[Passage], slides: Sequence[Slide], language: str
) -> list[tuple[str, int]]:
    """Return the names that slides bear, as headings and before a colon, each with the number of its slide."""
    headings = [(slide.title, slide.number) for slide in slides if _heading(slide, language)]
    lines = ((one.slide, definitions.in_line(one.text, language)) for one in passages if one.how == "written")
    return [*headings, *((found.term, number) for number, found in lines if found)]


def _sentence(passage: Passage, found: definitions.Definition) -> str:
    if passage.how == "said":
        return passage.text
    return f"{found.term}: {found.said}"


def _key(term: str, language: str) -> tuple[str, ...]:
    return tuple(term_stems(term, language))


def _heading(slide: Slide, language: str) -> tuple[str, ...]:
    """Return the key of a heading that names a thing: few words, none of them a usual word of headings alone."""
    words = slide.title.split()
    key = _key(slide.title, language)
    generic = any(word.lower().strip(".,:") in _GENERIC for word in words)
    joined = any(fold(word.lower()) in stop_words(language) for word in words)
    symbols = any(c in slide.title for c in "=<>{}()[]")
    return key if 0 < len(words) <= HEADING_WORDS and not generic and not joined and not symbols else ()


def _phrases(passages: Sequence[Passage], language: str) -> dict[tuple[str, ...], str]:
    """Return phrases that are said `SAID` times or more and written too, the longest of those that mean the same."""
    said: Counter[tuple[str, ...]] = Counter()
    led: Counter[tuple[str, ...]] = Counter()  # how often an article goes before: then it is a noun
    surface: dict[tuple[str, ...], str] = {}
    stop = stop_words(language)
    for passage in passages:
        words = [word.strip(".,;:!?\"'()…“”") for word in passage.text.split()]
        for length in range(1, LONGEST + 1):
            for at in range(len(words) - length + 1):
                part = words[at : at + length]
                if any(
                    not w or not w[0].isalpha() or fold(w.lower()) in stop or w.lower() in _GENERIC
                    for w in part
                ):
                    continue
                key = _key(" ".join(part), language)
                if len(key) == length and (length > 1 or len(part[0]) > 3):
                    surface.setdefault(key, " ".join(part))
                    if passage.how == "said":
                        said[key] += 1
                        led[key] += at > 0 and words[at - 1].lower() in _LEADERS
    written = [passage.stems for passage in passages if passage.how == "written"]
    kept = [
        key
        for key, count in said.items()
        if count >= SAID and led[key] * 3 >= count and any(set(key) <= words for words in written)
    ]
    inside = {
        short
        for short in kept
        for long in kept
        if len(long) > len(short) and _within(short, long) and said[long] >= 0.7 * said[short]
    }
    return {key: surface[key] for key in kept if key not in inside}


def _within(short: tuple[str, ...], long: tuple[str, ...]) -> bool:
    return any(long[at : at + len(short)] == short for at in range(len(long) - len(short) + 1))


def _mentions(
    key: tuple[str, ...], passages: Sequence[Passage], longer: Sequence[tuple[str, ...]]
) -> list[Passage]:
    """Return the passages that use a term, other than as part of a longer one."""
    wanted = set(key)
    over = [set(other) for other in longer if _within(key, other)]
    found = []
    for passage in passages:
        if not wanted <= passage.stems:
            continue
        if any(other <= passage.stems for other in over) and not _alone(key, passage, longer):
            continue
        found.append(passage)
    return found


def _alone(key: tuple[str, ...], passage: Passage, longer: Sequence[tuple[str, ...]]) -> bool:
    """Say whether a term stands in a passage more often than the longer terms that hold it."""
    words = term_stems(passage.text)

    def count(part: tuple[str, ...]) -> int:
        return sum(tuple(words[at : at + len(part)]) == part for at in range(len(words) - len(part) + 1))

    return count(key) > sum(count(other) for other in longer if _within(key, other))


def _surface(name: str) -> str:
    """Write a name as in running text: "Graphs" becomes "graphs", "DNA" and "Ohm's law" stay."""
    first = name.split()[0] if name.split() else name
    plain = first[:1].isupper() and first[1:].islower() and "'" not in first and "’" not in first
    return name[:1].lower() + name[1:] if plain else name
