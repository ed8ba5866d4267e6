"""What a policy may do: look, listen, read, segment, ground, recall, note, summarize, web_search, or what plug-ins add.

Each action is one method.

The same definitions serve every policy, the documentation and (through `schema`) function calling: an action's schema
is its signature and docstring. `verify` and `answer` end a rollout and belong to the loop. Times are anything that
`timeline.instant` reads; feedback is text for a reader plus the observations themselves.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from vidence.errors import UsageError
from vidence.mcr.grounding import ground as ground_phrase
from vidence.mcr.pictures import crop, reduced, uncropped
from vidence.mcr.situation import Shown, Situation
from vidence.mcr.summary import summarise
from vidence.plugins import installed
from vidence.senses.observation import Box, Observation, Producer
from vidence.senses.sense import AudioSense, Sense, VisualSense
from vidence.timeline import Span, TimeLike, clock, instant

if TYPE_CHECKING:
    from vidence.mcr.web import WebSearch
    from vidence.memory import Memory

SPOT = Producer("colour", "1", "", "regions")
"""Who perceives the regions that `spot` finds."""

MAX_LOOK_S = 60
"""A look is cut to this length: it is for a second opinion, not for indexing."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """What an action brought back."""

    text: str
    observations: tuple[Observation, ...] = ()
    spans: tuple[Span, ...] = ()
    data: dict[str, Any] = field(default_factory=dict)


class Actions:
    """The actions on one medium, within one rollout."""

    def __init__(
        self, situation: Situation, memory: Memory, senses: Sequence[Sense], web: WebSearch | None = None
    ) -> None:
        self.situation = situation
        self.memory = memory
        self.web = web
        self.senses = {sense.name: sense for sense in senses}

    @property
    def offers(self) -> tuple[str, ...]:
        """Return the names of the actions that can be done here."""
        return tuple(name for name in (*ACTIONS, *plugins()) if name != "web_search" or self.web is not None)

    def run(self, name: str, arguments: dict[str, Any]) -> Feedback:
        """Run an action by name; an unknown name or wrong arguments come back as feedback, not as a crash."""
        action = ACTIONS.get(name) or plugins().get(name)
        if action is None:
            return Feedback(f"there is no action {name!r}; there are {', '.join([*ACTIONS, *plugins()])}")
        try:
            inspect.signature(action).bind(self, **arguments)
        except TypeError as error:
            return Feedback(f"wrong arguments for {name}: {error}")
        self.situation.meter.actions[name] += 1
        try:
            return action(self, **arguments)
        except UsageError as error:
            return Feedback(f"{name} could not be done: {error}")

    def recall(
        self,
        query: str = "",
        start: TimeLike | None = None,
        end: TimeLike | None = None,
        senses: Sequence[str] | None = None,
        limit: int = 2000,
    ) -> Feedback:
        """Bring back what memory holds: by meaning when a query is given, else all in time order."""
        span = self._span(start, end)
        medium = self.situation.media.hash
        if query:
            hits = self.memory.search(query, media=[medium], senses=senses, span=span, limit=limit)
            found = [hit.observation for hit in hits]
        else:
            found = self.memory.observations(medium, senses=senses, span=span)[:limit]
        known = {o.id for o in self.situation.recalled}
        self.situation.recalled.extend(o for o in found if o.id not in known)
        return Feedback(f"{len(found)} observations", tuple(found))

    def look(
        self,
        start: TimeLike,
        end: TimeLike,
        rate_hz: float = 4.0,
        senses: Sequence[str] = ("objects", "looks", "motion", "colour"),
        zoom: float = 1.5,
        region: Sequence[float] | None = None,
        show: int = 0,
        max_side: int = 768,
    ) -> Feedback:
        """Look at a span again, at a higher rate and `zoom` times the size that indexing used.

        `region` is a part of the picture to look at alone: left, top, width, height as fractions. A policy that sees
        has `show` frames brought back as well, evenly in time and no side above `max_side`.
        """
        span = self._span(start, end)
        box = Box(*region) if region else None
        shown = self._show(span, show, max_side, box) if show else ""
        if not senses:
            return Feedback(shown or "nothing was asked for: neither senses nor frames to show", (), (span,))
        visual = [s for name in senses if isinstance(s := self.senses.get(name), VisualSense)]
        if not visual or self.situation.media.info.video is None:
            return Feedback("there is nothing to look with: no picture, or none of these senses")
        span = Span(span.start, min(span.end, span.start + MAX_LOOK_S))
        found = self.watch(visual, span, rate_hz, zoom, box)
        self._keep(found, span, [s.name for s in visual])
        told = f"looked at {span} with {', '.join(s.name for s in visual)}: {len(found)} observations"
        return Feedback(f"{shown}; {told}" if shown else told, tuple(found))

    def spot(
        self,
        colours: Sequence[str],
        start: TimeLike | None = None,
        end: TimeLike | None = None,
        looks: int = 6,
    ) -> Feedback:
        """Find regions of given colours in a few frames spread over a span."""
        from vidence.senses.colour_regions import find_colour

        span, situation = self._span(start, end), self.situation
        count = situation.meter.frames_left(looks)
        times = span.middles(count)
        frames = situation.media.frames_at(times, max_side=480, mode="exact") if times else []
        situation.meter.frames += len(frames)
        found = [
            Observation(
                frame.span, "visual", SPOT, f"{colour} region", blob.strength, ((frame.time, blob.box),),
                data={"kind": "blob", "colour": colour, "share": blob.share, "colours": [[colour, 1.0]]},
            )
            for frame in frames for colour in colours for blob in find_colour(frame.image, colour)
        ]  # fmt: skip
        situation.looked.extend(found)
        return Feedback(f"{len(found)} regions in {len(frames)} frames", tuple(found))

    def listen(self, start: TimeLike, end: TimeLike) -> Feedback:
        """Listen to a span again."""
        span = self._span(start, end)
        sense = self.senses.get("speech")
        if not isinstance(sense, AudioSense):
            return Feedback("there is nothing to listen with")
        found = sense.hear(self.situation.media, span)
        self._keep(found, span, [sense.name])
        self.situation.meter.model_calls += 1
        return Feedback(" ".join(o.text for o in found) or "nothing is said", tuple(found))

    def read(self, start: TimeLike, end: TimeLike) -> Feedback:
        """Read the text on screen in a span again, at full size."""
        return self.look(start, end, rate_hz=2.0, senses=("text",), zoom=2.0)

    def segment(self, start: TimeLike | None = None, end: TimeLike | None = None) -> Feedback:
        """Cut a span into shots, using every frame."""
        span = self._span(start, end)
        known = [o for o in self.situation.observations("shots") if o.span.overlaps(span)]
        if self.situation.seen(("shots",), span) < 1 and isinstance(
            sense := self.senses.get("shots"), VisualSense
        ):
            known = self.watch([sense], span, None, 1.0)
            self._keep(known, span, ["shots"])
        return Feedback(f"{len(known)} shots", tuple(known), tuple(o.span for o in known))

    def ground(self, phrase: str, limit: int = 5) -> Feedback:
        """Find the spans in which a phrase is seen, read or heard, best first."""
        found = ground_phrase(phrase, self.situation, limit=limit)
        text = "; ".join(f"{g.span} ({g.score:.2f}, {g.why})" for g in found) or "nothing matches"
        return Feedback(text, (), tuple(g.span for g in found), {"scores": [g.score for g in found]})

    def summarize(self, start: TimeLike | None = None, end: TimeLike | None = None) -> Feedback:
        """Say in a few sentences what is known of a span."""
        return Feedback(summarise(self.situation, self._span(start, end)))

    def note(self, text: str) -> Feedback:
        """Keep a finding in mind: it stays in view when older steps are folded."""
        if not text.strip():
            raise UsageError("there is nothing to note")
        self.situation.notes.append(text.strip())
        return Feedback(f"noted: {text.strip()}")

    def web_search(self, query: str, limit: int = 5) -> Feedback:
        """Search the web, or documents at hand, for knowledge that the video does not hold."""
        if self.web is None:
            return Feedback("there is nothing to search: web search was not turned on")
        pages = self.web.search(query, limit)
        told = "; ".join(f"{page.title} ({page.place}): {page.text}" for page in pages)
        return Feedback(told or "nothing was found", data={"pages": [page.to_json() for page in pages]})

    def watch(
        self,
        senses: Sequence[VisualSense],
        span: Span,
        rate_hz: float | None,
        zoom: float = 1.0,
        region: Box | None = None,
    ) -> list[Observation]:
        """Run senses over a span and return what they perceive; nothing is kept.

        `rate_hz` None shows every frame. `region` shows only that part of the picture; boxes come back in fractions of
        the whole.
        """
        situation = self.situation
        sides = {s.name: round(s.sampling.max_side * zoom) for s in senses}
        if rate_hz is not None:
            affordable = situation.meter.frames_left(max(1, int(span.duration * Fraction(rate_hz)) + 1))
            if not affordable:
                return []
            rate_hz = (
                min(rate_hz, max(affordable - 1, 1) / max(float(span.duration), 1e-3))
                if span.duration
                else rate_hz
            )
        watchers = [(s.name, s.watch(situation.media, span)) for s in senses]
        for picture in situation.media.pictures(span, rate_hz=rate_hz):
            situation.meter.frames += 1
            part = crop(picture.at(None), region) if region else None
            for name, watcher in watchers:
                watcher.see(reduced(part, sides[name]) if part else picture.at(sides[name]))
        situation.meter.seconds_decoded += float(span.duration)
        situation.meter.model_calls += len(watchers)
        found = [o for _, watcher in watchers for o in watcher.finish()]
        return [uncropped(o, region) for o in found] if region else found

    def opened(self, span: Span, show: int, max_side: int) -> Shown | None:
        """Open frames of a span for a check alone: they are not among what the rollout was shown."""
        shown = self.situation.shown
        before = len(shown)
        self.look(span.start, span.end, senses=(), show=show, max_side=max_side)
        found = shown[before:]
        del shown[before:]
        return found[0] if found else None

    def _show(self, span: Span, count: int, max_side: int, region: Box | None) -> str:
        """Open frames for a policy that sees, in the middle of equal stretches of a span; return what was shown."""
        situation = self.situation
        if situation.media.info.video is None:
            return "there is no picture to show"
        count = situation.meter.frames_left(count)
        times = span.middles(count)
        if region is None:
            frames = situation.media.frames_at(times, max_side=max_side, mode="exact") if times else []
        else:
            frames = [
                reduced(crop(frame, region), max_side)
                for frame in situation.media.frames_at(times, mode="exact")
            ]
        situation.meter.frames += len(frames)
        situation.meter.seconds_decoded += float(sum(frame.duration for frame in frames))
        told = f"{len(frames)} frames of {span}"
        if frames:
            situation.shown.append(Shown(span, tuple(frames)))
            times = [round(float(frame.time), 6) for frame in frames]
            situation.context.append("observation", told, span=span.to_json(), times_s=times)
        return told

    def _keep(self, found: Sequence[Observation], span: Span, senses: Sequence[str]) -> None:
        self.situation.looked.extend(found)
        for name in senses:
            self.situation.looked_at.setdefault(name, []).append(span)

    def _span(self, start: TimeLike | None, end: TimeLike | None) -> Span:
        whole = self.situation.whole
        first = whole.start if start is None else instant(start)
        last = whole.end if end is None else instant(end)
        if last < first:
            raise UsageError(f"the span ends at {clock(last)}, before its start at {clock(first)}")
        return Span(first, last).clipped(whole)


ACTIONS: dict[str, Callable[..., Feedback]] = {
    action.__name__: action
    for action in (
        Actions.recall,
        Actions.look,
        Actions.spot,
        Actions.listen,
        Actions.read,
        Actions.segment,
        Actions.ground,
        Actions.note,
        Actions.summarize,
        Actions.web_search,
    )
}
"""Actions by name; plug-ins add to them, and do not take their place."""


def plugins() -> dict[str, Callable[..., Feedback]]:
    """Return the actions of installed packages: entry points of the group "vidence.actions", by name.

    Raises:
        UsageError: one cannot be imported, naming it.
    """
    return installed("vidence.actions")


def schema(name: str) -> dict[str, Any]:
    """Describe an action for function calling: name, one-line description, JSON schema of its parameters."""
    action = ACTIONS.get(name) or plugins()[name]
    kinds = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
    properties, required = {}, []
    for parameter in list(inspect.signature(action).parameters.values())[1:]:
        annotation = str(parameter.annotation).replace(" | None", "")
        if annotation.startswith("Sequence"):
            item = "number" if "float" in annotation else "string"
            properties[parameter.name] = {"type": "array", "items": {"type": item}}
        elif annotation == "TimeLike":
            properties[parameter.name] = {"type": "string", "description": "seconds, or [H:]MM:SS.mmm"}
        else:
            properties[parameter.name] = {"type": kinds[annotation]}
        if parameter.default is inspect.Parameter.empty:
            required.append(parameter.name)
    return {
        "name": name,
        "description": (inspect.getdoc(action) or "").splitlines()[0],
        "parameters": {"type": "object", "properties": properties, "required": required},
    }
