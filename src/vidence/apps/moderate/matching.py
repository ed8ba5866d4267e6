"""Hold a rule against what was perceived: where does it match, how surely, and what speaks against it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from vidence.apps.finding import Path, with_article
from vidence.apps.moderate.patterns import PATTERNS, masked
from vidence.apps.moderate.policy import Rule, Weight
from vidence.apps.moderate.words import WordMatch, find, near_counter, tokens
from vidence.senses.language import detect_language
from vidence.senses.observation import Observation
from vidence.timeline import Span, instant

if TYPE_CHECKING:
    from vidence.senses.looks.match import Match as LooksMatch

LOWERED = 0.4  # of the confidence, for a negated clause, or a quotation
COUNTERED = 0.15  # for a counter-example that the match is part of
VOICE_EARLY_S = Fraction(3, 10)  # by which a voice may sound before it is understood
LIKE = 0.68  # cosine from which a sentence is like an example
_TOLD = {"speech": "said", "text": "written", "captions": "described"}


@dataclass(frozen=True, slots=True)
class Match:
    """One place where a rule fits one observation. `against` says what made it count less."""

    rule: Rule
    observation: Observation
    span: Span
    strength: float
    quote: str
    why: str
    against: tuple[str, ...] = ()
    path: Path = field(default=(), repr=False)


def matches(rule: Rule, observations: Sequence[Observation]) -> list[Match]:
    """Find every match of a rule, whatever its strength, in order of time."""
    usable = [
        o
        for o in observations
        if rule.uses(o.sense) and o.data.get("kind") != "block" and "doubt" not in o.data
    ]
    voices = [o.span for o in observations if o.sense == "speech"]
    found: list[Match] = []
    for seen in usable:
        if seen.sense in ("speech", "text", "captions"):
            found += _by_words(rule, seen)
            found += _by_patterns(rule, seen)
        elif seen.sense in ("objects", "faces"):
            found += _by_things(rule, seen)
        elif seen.sense == "looks":
            found += _by_classes(rule, seen)
        elif seen.sense == "sound" and not _begins_a_voice(seen, voices):
            found += _by_sounds(rule, seen)
    found += _by_examples(rule, [o for o in usable if o.sense in ("speech", "captions")], found)
    found += _by_phrases(rule, [o for o in usable if o.sense == "looks"])
    return sorted(found, key=lambda match: (match.span.start, match.span.end))


def language_of(seen: Observation) -> str:
    """Return the language of an observation's words: as it was heard, else as they look."""
    told = str(seen.data.get("language") or "und")
    return detect_language(seen.text) if told == "und" else told.split("-")[0]


def _by_words(rule: Rule, seen: Observation) -> Iterator[Match]:
    language = language_of(seen)
    listed = [(language, rule.words.get(language, ())), ("any", rule.words.get("any", ()))]
    for tongue, phrases in listed:
        for one in find(seen.text, phrases, tongue) if phrases else ():
            factor, against = _context(rule, seen, one, language)
            form = "" if one.words.casefold() == one.phrase.casefold() else f", a form of “{one.phrase}”"
            form = f", read as “{one.phrase}”" if one.disguised else form
            said = f"“{one.words}” is {_TOLD[seen.sense]}{form}"
            yield _worded(rule, seen, (one.start, one.end), one.words, factor, said, against)


def _by_patterns(rule: Rule, seen: Observation) -> Iterator[Match]:
    for name, expression in rule.patterns.items():
        for hit in re.finditer(expression, seen.text):
            words = hit.group()
            if (
                name in PATTERNS
                and expression == PATTERNS[name].expression
                and not PATTERNS[name].holds(words)
            ):
                continue
            match = WordMatch(words, name, hit.start(), hit.end(), -1, -1)
            counter = near_counter(seen.text, match, rule.counter_examples, language_of(seen))
            factor, against = (COUNTERED, (f"counter-example “{counter}”",)) if counter else (1.0, ())
            shown = masked(words) if rule.mask else words
            yield _worded(
                rule,
                seen,
                (hit.start(), hit.end()),
                shown,
                factor,
                f"{name} {_TOLD[seen.sense]}: “{shown}”",
                against,
            )


def _context(rule: Rule, seen: Observation, one: WordMatch, language: str) -> tuple[float, tuple[str, ...]]:
    """Return what a match is worth where it stands, and why."""
    counter = near_counter(seen.text, one, rule.counter_examples, language)
    if counter:
        return COUNTERED, (f"counter-example “{counter}”",)
    factor, against = 1.0, list[str]()
    contexts: tuple[tuple[bool, Weight, str], ...] = (
        (one.negated, rule.negation, "in a negated clause"),
        (one.quoted, rule.quotation, "quoted or spoken of as a word"),
    )
    for there, weight, told in contexts:
        if there and weight != "keep":
            factor *= _worth(weight)
            against.append(told)
    return factor, tuple(against)


def _worth(weight: Weight) -> float:
    return {"keep": 1.0, "lower": LOWERED, "drop": 0.0}[weight]


def _worded(
    rule: Rule,
    seen: Observation,
    place: tuple[int, int],
    words: str,
    factor: float,
    said: str,
    against: tuple[str, ...],
) -> Match:
    span = words_span(seen, *place)
    quote = all_masked(rule, seen.text) if rule.mask else seen.text
    why = said + (f"; {', '.join(against)}" if against else "")
    return Match(rule, seen, span, seen.confidence * factor, quote, why, against, held(seen, span))


def all_masked(rule: Rule, text: str) -> str:
    """Hide all that a rule's patterns match in a text."""
    for expression in rule.patterns.values():
        text = re.sub(expression, lambda hit: masked(hit.group()), text)
    for phrases in rule.words.values():
        for one in reversed(find(text, phrases, "en")):
            text = text[: one.start] + masked(one.words) + text[one.end :]
    return text


def words_span(seen: Observation, start: int, end: int) -> Span:
    """Return when characters `start` to `end` of an observation are said: the words' own times where they are known."""
    timed = seen.data.get("words") or ()
    if not timed:
        return seen.span
    cut = tokens(seen.text)
    said = [w for w in timed if tokens(str(w[2]))]
    if len(cut) == len(said):
        inside = [w for token, w in zip(cut, said, strict=True) if token.start < end and start < token.end]
    else:  # words are cut in other ways: by their share of the text
        size = max(len(seen.text), 1)
        first, last = int(start / size * len(said)), -(-end * len(said) // size)
        inside = said[first : max(last, first + 1)]
    if not inside:
        return seen.span
    return Span(
        instant(float(inside[0][0])), max(instant(float(inside[-1][1])), instant(float(inside[0][0])))
    )


def held(seen: Observation, span: Span) -> Path:
    """Return an observation's boxes within a span; the first and the last hold to its ends."""
    if not seen.track:
        return ()
    inside = [(time, box) for time, box in seen.track if span.start <= time <= span.end]
    first, last = seen.box_at(span.start), seen.box_at(span.end)
    if first is None or last is None:
        return ()
    head = [] if inside and inside[0][0] == span.start else [(span.start, first)]
    tail = [] if inside and inside[-1][0] == span.end else [(span.end, last)]
    return (*head, *inside, *tail)


def _by_things(rule: Rule, seen: Observation) -> Iterator[Match]:
    if seen.text in rule.things:
        why = f"{with_article(seen.text)} is seen"
        yield Match(rule, seen, seen.span, seen.confidence, seen.text, why, (), held(seen, seen.span))


def _by_classes(rule: Rule, seen: Observation) -> Iterator[Match]:
    named = [(str(n), float(s)) for key in ("classes", "kinds") for n, s in seen.data.get(key, ())]
    fitting = [(share, name) for name, share in named if name in rule.classes]
    if fitting:
        share, name = max(fitting)
        yield Match(rule, seen, seen.span, share, name, f"it looks like {with_article(name)} ({share:.2f})")


def _begins_a_voice(seen: Observation, voices: Sequence[Span]) -> bool:
    """Say whether what suddenly sounds is somebody who speaks on after a pause."""
    begun = seen.span.start
    return seen.text == "sudden sound" and any(
        voice.start - VOICE_EARLY_S <= begun < voice.end for voice in voices
    )


def _by_sounds(rule: Rule, seen: Observation) -> Iterator[Match]:
    for sound in rule.sounds:
        level = float(seen.data.get("level_db", -100.0))
        rise = float(seen.data.get("rise_db", 0.0))
        if seen.text == sound.heard and level >= sound.least_db and rise >= sound.least_rise_db:
            risen = f", {rise:.0f} dB above what was before" if rise else ""
            why = f"{seen.text} at {level:.0f} dBFS{risen}"
            yield Match(rule, seen, seen.span, min(seen.confidence, 0.9), seen.text, why)


def _by_examples(rule: Rule, seen: Sequence[Observation], found: Sequence[Match]) -> Iterator[Match]:
    """Match sentences that say what an example says, in other words or another language."""
    known = {id(match.observation) for match in found}
    left = [o for o in seen if id(o) not in known and len(tokens(o.text)) >= 3]
    if not rule.examples or not left:
        return
    from vidence.senses.language import embed

    sentences = embed([o.text for o in left])
    likeness = (sentences @ embed(rule.examples).T).max(axis=1)
    counters = (
        (sentences @ embed(rule.counter_examples).T).max(axis=1) if rule.counter_examples else likeness * 0
    )
    for one, like, counter in zip(left, likeness, counters, strict=True):
        if like < LIKE:
            continue
        against = ("a counter-example is nearer",) if counter >= like else ()
        strength = one.confidence * min(float(like), 1.0) * (LOWERED if against else 1.0)
        why = f"it says what an example says ({like:.2f})" + (f"; {against[0]}" if against else "")
        yield Match(rule, one, one.span, strength, one.text, why, against)


def _by_phrases(rule: Rule, seen: Sequence[Observation]) -> Iterator[Match]:
    """Match pictures with phrases, where a trained image-text pair looked at them."""
    pictures = paired(seen)
    if not rule.phrases or not pictures:
        return
    from vidence.senses.looks.match import matches as held_against

    best: dict[int, tuple[LooksMatch, str]] = {}
    for phrase in rule.phrases:
        for match in held_against(phrase, pictures):
            known = best.get(id(match.observation))
            if known is None or match.p > known[0].p:
                best[id(match.observation)] = match, phrase
    for match, phrase in best.values():
        why = f"the picture fits “{phrase}” ({match.p:.2f})"
        yield Match(rule, match.observation, match.observation.span, match.p, phrase, why)


def paired(seen: Sequence[Observation]) -> list[Observation]:
    """Return the pictures that a trained image-text pair looked at: the embedded eye knows classes, not scenes."""
    from vidence.senses.looks.embedded_eye import EmbeddedEye

    return [
        o
        for o in seen
        if o.sense == "looks" and o.vector is not None and o.data.get("space") != EmbeddedEye.space
    ]
