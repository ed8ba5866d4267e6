"""The controlled vocabulary: YAML that a user may replace, and the terms of it that fit a shot.

The file is documented at its head (`vocabulary.yaml` beside this module).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from vidence.apps.catalogue.size import SIZES
from vidence.apps.catalogue.trait import ShotRecord, Tag
from vidence.apps.fields import read_yaml
from vidence.errors import UsageError
from vidence.senses.language import normalise, stems
from vidence.senses.looks import matches

TRAITS = frozenset({"size", "camera", "people", "place", "time", "light", "look", "sound", "flag"})
OTHERS = frozenset({"thing", "said", "written", "phrase", "longer_s", "shorter_s", "least"})
LEAST = 0.6
ANY = "*"


@dataclass(frozen=True, slots=True)
class Term:
    """One term; `when` are alternatives, each a mapping of conditions that must all hold."""

    facet: str
    id: str
    label: str
    also: tuple[str, ...]
    when: tuple[Mapping[str, Any], ...]

    @property
    def names(self) -> list[str]:
        """What people may call it."""
        return [self.label, *self.also]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A vocabulary: its name, and its terms in order."""

    name: str
    version: str
    terms: tuple[Term, ...]

    def tags(self, shot: ShotRecord) -> list[Tag]:
        """Return the terms that fit a shot, in the vocabulary's order."""
        found = []
        for term in self.terms:
            fits = [fit for conditions in term.when if (fit := _fit(conditions, shot)) is not None]
            if fits:
                sure, why = max(fits, key=lambda fit: fit[0])
                found.append(Tag(term.facet, term.id, term.label, sure, why))
        return found

    def named_in(self, text: str) -> tuple[list[Term], list[str]]:
        """Return the terms that a query names (the longer name where names overlap), and the words left over."""
        words = f" {normalise(text)} "
        found: list[tuple[int, Term]] = []
        names = [(normalise(name), term) for term in self.terms for name in term.names]
        for name, term in sorted(names, key=lambda pair: -len(pair[0])):
            if name and f" {name} " in words:
                found.append((words.index(f" {name} "), term))
                words = words.replace(f" {name} ", f" {'_' * len(name)} ", 1)
        left = stems(" ".join(word for word in words.split() if word.strip("_")))
        return [term for _, term in sorted(found, key=lambda pair: pair[0])], left if words.strip(
            "_ "
        ) else []


@cache
def standard() -> Vocabulary:
    """Return the vocabulary that ships."""
    text = resources.files("vidence.apps.catalogue").joinpath("vocabulary.yaml").read_text(encoding="utf-8")
    return parse(text, "vocabulary.yaml")


def read(path: Path | None) -> Vocabulary:
    """Read a vocabulary (default: the one that ships).

    Raises:
        UsageError: it cannot be read, or is not one; the message says where.
    """
    if path is None:
        return standard()
    try:
        return parse(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"vocabulary {path}: cannot be read ({error})") from error


def parse(text: str, place: str) -> Vocabulary:
    """Read a vocabulary from YAML.

    Raises:
        UsageError: it is not one; the message says where.
    """
    wanted = "write `name:` and `facets:`, a list, each with `name:` and `terms:`"
    raw = read_yaml(text, place, wanted)
    if not isinstance(raw.get("facets"), list):
        raise UsageError(f"{place}: {wanted}")
    terms: list[Term] = []
    for facet in raw["facets"]:
        if not isinstance(facet, Mapping) or not isinstance(facet.get("terms"), list):
            raise UsageError(f"{place}: each facet needs `name:` and `terms:`, a list; found {facet!r}"[:300])
        terms += [_term(one, str(facet.get("name", "tags")), place) for one in facet["terms"]]
    ids = [term.id for term in terms]
    if twice := {id for id in ids if ids.count(id) > 1}:
        raise UsageError(f"{place}: the id {sorted(twice)[0]!r} is given to two terms")
    return Vocabulary(str(raw.get("name", place)), str(raw.get("version", "")), tuple(terms))


def _term(raw: Any, facet: str, place: str) -> Term:
    if not isinstance(raw, Mapping) or "id" not in raw or "when" not in raw:
        raise UsageError(f"{place}: each term needs `id:` and `when:`; found {raw!r}"[:300])
    when = raw["when"] if isinstance(raw["when"], list) else [raw["when"]]
    for conditions in when:
        if not isinstance(conditions, Mapping) or not conditions:
            raise UsageError(f"{place}: `when:` of {raw['id']!r} is no mapping of conditions")
        if unknown := set(conditions) - TRAITS - OTHERS:
            known = ", ".join(sorted(TRAITS | OTHERS))
            raise UsageError(
                f"{place}: {raw['id']!r} asks for {sorted(unknown)[0]!r}; conditions are {known}"
            )
        for size in _listed(conditions.get("size", ())):
            if size not in SIZES:
                raise UsageError(f"{place}: {raw['id']!r}: no size is {size!r}; sizes are {', '.join(SIZES)}")
    also = tuple(str(name) for name in _listed(raw.get("also", ())))
    return Term(facet, str(raw["id"]), str(raw.get("label", raw["id"])), also, tuple(when))


def _fit(conditions: Mapping[str, Any], shot: ShotRecord) -> tuple[float, str] | None:
    """Return how surely all conditions hold, and why; None where one does not."""
    sure, why = 1.0, []
    least = float(conditions.get("least", LEAST))
    for name, wanted in conditions.items():
        if name == "least":
            continue
        if name in ("longer_s", "shorter_s"):
            length = float(shot.span.duration)
            fit = (1.0, f"{length:.1f} s") if (length >= float(wanted)) == (name == "longer_s") else None
        elif name in ("said", "written"):
            fit = _words(_listed(wanted), shot.said if name == "said" else shot.written)
        elif name == "phrase":
            fit = _phrase(_listed(wanted), shot, least)
        else:
            fit = _trait(name, _listed(wanted), shot, least if name == "thing" else 0.0)
        if fit is None:
            return None
        sure = min(sure, fit[0])
        why.append(fit[1])
    return sure, "; ".join(dict.fromkeys(why))


def _trait(name: str, wanted: Sequence[str], shot: ShotRecord, least: float) -> tuple[float, str] | None:
    found = [t for t in shot.traits if t.name == name and t.value in wanted and t.confidence >= least]
    if not found:
        return None
    best = max(found, key=lambda trait: trait.confidence)
    return best.confidence, f"{best.value}: {best.why}" if best.why else best.value


def _words(wanted: Sequence[str], text: str) -> tuple[float, str] | None:
    if not text:
        return None
    if ANY in wanted:
        return 0.9, f"“{text[:60]}”"
    there = set(stems(text))
    said = next((words for words in wanted if (asked := set(stems(words))) and asked <= there), None)
    return (0.9, f"“{said}”") if said else None


def _phrase(wanted: Sequence[str], shot: ShotRecord, least: float) -> tuple[float, str] | None:
    from vidence.senses.observation import Observation, Producer

    if shot.vector is None:
        return None
    seen = Observation(
        shot.span, "visual", Producer("looks", ""), vector=shot.vector, data={"space": shot.space}
    )
    best = max(
        ((match.p, phrase) for phrase in wanted for match in matches(phrase, [seen])), default=(0.0, "")
    )
    return (best[0], f"looks like “{best[1]}”") if best[0] >= least else None


def _listed(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list | tuple) else [str(value)]
