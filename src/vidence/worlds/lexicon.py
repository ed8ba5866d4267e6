"""Words: reads lexicon.toml, and makes noun phrases and clauses of it in one language."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vidence.worlds.cast import Actor, Thing
    from vidence.worlds.event import Event
    from vidence.worlds.places import Place

LANGUAGES = ("en", "zh", "es")


@cache
def table(name: str) -> dict[str, Any]:
    """Read one of the word lists that lie beside this module."""
    text = (files("vidence.worlds") / f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def word(group: str, key: str, language: str) -> Any:
    """Return the entry of a group in a language; pictures bring their own names."""
    if key.startswith("picture/"):
        from vidence.worlds.pictures import name

        return name(key, language)
    return table("lexicon")[group][key][language]


class Tongue:
    """Speaks of one world's cast in one language; who looks alike is told apart by the hat."""

    def __init__(self, language: str, actors: Iterable[Actor] = ()) -> None:
        self.language = language
        colours = [(actor.noun, actor.colour) for actor in actors if actor.person]
        self._shared = {look for look in colours if colours.count(look) > 1}

    def plain(self, group: str, key: str) -> str:
        """Return a word that does not bend."""
        found = word(group, key, self.language)
        return found if isinstance(found, str) else found[0]

    def noun(self, group: str, key: str) -> str:
        """Return a bare noun."""
        return word(group, key, self.language).split("/")[0]

    def the(self, group: str, key: str, *describing: tuple[str, str]) -> str:
        """Return "the red ball": a noun with its describing (group, key) words."""
        noun, _, gender = word(group, key, self.language).partition("/")
        words = [word(*one, self.language) for one in describing]
        if self.language == "es":
            bent = [one if isinstance(one, str) else one[gender == "f"] for one in words]
            return " ".join(["la" if gender == "f" else "el", noun, *bent])
        if self.language == "zh":
            return "".join(words) + "的" * bool(words) + noun
        return " ".join(["the", *words, noun])

    def thing(self, thing: Thing) -> str:
        """Name a thing by all its look."""
        if not thing.colour:
            return self.the("things", thing.noun)
        pattern = [] if thing.pattern == "plain" else [("patterns", thing.pattern)]
        order = [*pattern, ("colours", thing.colour)]
        return self.the("things", thing.noun, *(order if self.language == "en" else reversed(order)))

    def actor(self, actor: Actor) -> str:
        """Name an actor by its look, as briefly as it is alone with."""
        if actor.noun in ("filmer", "hand"):
            return word("filmer", "name", self.language)
        if not actor.person:
            return self.the("actors", actor.noun, ("colours", actor.colour))
        noun = self.the("actors", actor.noun)
        with_hat = (actor.noun, actor.colour) in self._shared
        hat = self.plain("hats", actor.hat)
        if self.language == "zh":
            worn = f"戴{hat}、" if actor.hat != "none" else "没戴帽子、"
            return f"{worn if with_hat else ''}穿{self.plain('colours', actor.colour)}上衣的{noun}"
        if self.language == "es":
            shirt = word("colours", actor.colour, "es")[1]
            worn = f" y {hat}" if actor.hat != "none" else " y sin sombrero"
            return f"{noun} de la camisa {shirt}{worn if with_hat else ''}"
        worn = f" and {hat}"
        return f"{noun} in the {actor.colour} shirt{worn if with_hat else ''}"

    def name(self, what: Actor | Thing) -> str:
        """Name whatever it is."""
        return self.actor(what) if hasattr(what, "hat") else self.thing(what)  # type: ignore[arg-type]

    def clause(self, event: Event, subject: str | None = None) -> str:
        """Say what happens; `subject` stands for who does it where given."""
        return self.say(
            word("clauses", event.verb, self.language),
            s=self.name(event.subject) if subject is None else subject,
            t=self.name(event.thing) if event.thing else "",
            o=self.name(event.other) if event.other else "",
            v=self._value(event),
        )

    def where(self, place: Place) -> str:
        """Say "in the kitchen", told apart from other kitchens by its walls or its light and weather."""
        tone, weather = self.plain("tones", place.tone) if place.noun != "ground" else "", ""
        weather = self.plain("weathers", place.weather)
        noun = self.noun("places", place.noun)
        if place.noun == "ground":
            colour = self.plain("colours", place.tone)
            return {
                "en": f"on the {colour} background",
                "zh": f"在{colour}背景上",
                "es": f"sobre el fondo {colour}",
            }[self.language]
        if self.language == "zh":
            return f"在{weather}{tone}{noun}{'里' if place.indoors else ''}"
        if self.language == "es":
            return " ".join(filter(None, ["en", self.the("places", place.noun), tone, weather]))
        if place.indoors:
            return f"in the {tone} {noun}"
        where = {"beach": "on the", "street": "on the", "station": "at the"}.get(place.noun, "in the")
        return " ".join(filter(None, [where, noun, tone, weather]))

    def say(self, template: str, **slots: str) -> str:
        """Fill a template, and join what Spanish joins."""
        text = template.format(**slots)
        if self.language == "es":
            text = re.sub(r"\b([ad])(e?) el\b", lambda found: found[1] + found[2] + "l", text)
        return text

    def sentence(self, text: str, scope: str = "") -> str:
        """Begin with the scope ("In the kitchen, ...") and a capital."""
        if scope:
            text = f"{scope}，{text}" if self.language == "zh" else f"{scope}, {text}"
        start = 1 if text[:1] in "¿¡" else 0
        return text[:start] + text[start : start + 1].upper() + text[start + 1 :]

    def _value(self, event: Event) -> str:
        return self.plain("colours", event.value) if event.verb == "turn_colour" else event.value
