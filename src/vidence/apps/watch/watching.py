"""Watch a recording: follow what passes, find what happens, check it, count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from statistics import median
from typing import TYPE_CHECKING, Any

from vidence.apps import result as results
from vidence.apps.checking import DOUBT, Checker
from vidence.apps.finding import Finding, lowered
from vidence.apps.watch.falls import check_fall, falls
from vidence.apps.watch.happening import Happening
from vidence.apps.watch.left import left_and_removed
from vidence.apps.watch.lines import crossings
from vidence.apps.watch.place import Opened, check_change, check_presence
from vidence.apps.watch.scene import PERSON, Scene
from vidence.apps.watch.subjects import Subject, grid, subjects_of
from vidence.apps.watch.unusual import unusual
from vidence.apps.watch.zones import Stay, stays, zone_events
from vidence.mcr.budget import Budget, Meter, Receipt
from vidence.mcr.evidence import Verdict
from vidence.memory import Coverage
from vidence.senses.observation import Observation
from vidence.timeline import Instant, Span

if TYPE_CHECKING:
    from vidence.mcr.policy import Policy as Decider
    from vidence.memory import Progress
    from vidence.video import Video

SENSES = ("objects", "motion")
SHAKEN = 0.3  # share of the time with a moving camera from which on zones and lines mean little


@dataclass(frozen=True, slots=True)
class Watch:
    """What was watched. `subjects` are all that was followed, `stays` who was in which zone.

    `faces` are the paths of faces, to blur them; nobody is identified.
    """

    scene: Scene
    subjects: tuple[Subject, ...]
    stays: tuple[Stay, ...]
    findings: tuple[Finding, ...]
    coverage: Coverage
    receipt: Receipt
    limits: tuple[str, ...] = ()
    dropped: int = 0
    faces: tuple[Observation, ...] = field(default=(), repr=False)

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """By kind: how many passed, how many stood all the time, and the most at once."""
        kinds = dict.fromkeys(one.kind for one in self.subjects)
        times = grid(self.coverage.whole)
        return {
            kind: {
                "passing": sum(one.kind == kind and one.moves for one in self.subjects),
                "standing": sum(one.kind == kind and not one.moves for one in self.subjects),
                "most_at_once": max((present(self.subjects, time, kind) for time in times), default=0),
            }
            for kind in kinds
        }

    @property
    def crossings(self) -> dict[str, dict[str, int]]:
        """By line: how many crossed it each way."""
        counts = {line.name: {str(way): 0 for way in line.ways} for line in self.scene.lines}
        for one in self.findings:
            if one.kind == "crossing":
                counts[one.data["line"]][one.data["way"]] += 1
        return counts

    @property
    def zones(self) -> dict[str, dict[str, float]]:
        """By zone: entries, departures, stays, the most at once, and seconds of dwell in the middle and at most."""
        told = {}
        for zone in self.scene.places:
            here = [stay for stay in self.stays if stay.zone.name == zone.name]
            moving = [stay for stay in here if stay.subject.moves]
            dwells = [stay.dwell_s for stay in moving] or [0.0]
            times = grid(self.coverage.whole)
            told[zone.name] = {
                "entered": sum(stay.came for stay in moving),
                "left": sum(stay.went for stay in moving),
                "stays": len(here),
                "most_at_once": max((sum(t in stay.span for stay in here) for t in times), default=0),
                "median_dwell_s": round(median(dwells), 2),
                "longest_dwell_s": round(max(dwells), 2),
            }
        return told

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values; the schema is `schemas/watch.json`."""
        return results.to_json(
            "watch", self,
            scene=self.scene.name, counts=self.counts, lines=self.crossings, zones=self.zones,
            subjects=[
                {"id": one.id, "kind": one.kind, **one.span.to_json(), "confidence": round(one.confidence, 4),
                 "moves": one.moves, "enters": one.enters, "leaves": one.leaves}
                for one in self.subjects
            ],
            dropped=self.dropped,
        )  # fmt: skip


def watch(
    video: Video,
    scene: Scene | None = None,
    *,
    budget: Budget | None = None,
    checker: Decider | None = None,
    progress: Progress | None = None,
    faces: bool = False,
) -> Watch:
    """Watch a recording. Indexes first where that was not done.

    `scene` has the zones and lines (default: the picture as a whole). `checker` opens the evidence again (default: the
    sense that perceived it). `faces` finds faces as well, so that they can be blurred.
    """
    scene, meter = scene or Scene(), Meter(budget or Budget())
    needed = (*SENSES, "faces") if faces else SENSES
    video.index_within(meter, progress, senses=needed)
    check = Checker(video, meter, "watch", checker)
    observations, whole = check.situation.recalled, video.media.info.span
    subjects = subjects_of(observations, scene)
    inside = [stay for zone in scene.places for stay in stays(subjects, zone, scene.anchor)]
    picture = video.media.info.video
    aspect = picture.width / picture.height if picture else 1.0
    events = [
        *crossings(subjects, scene),
        *(e for zone in scene.places
          for e in zone_events([s for s in inside if s.zone.name == zone.name], zone, scene, whole)),
        *left_and_removed(observations, subjects, scene, whole),
        *falls(subjects, aspect),
        *unusual(subjects, scene.anchor, whole),
    ]  # fmt: skip
    opened = (
        {} if checker else {n: own for n, e in enumerate(events) if (own := _own_check(e, check, aspect))}
    )
    plain = [finding_of(event, check) for n, event in enumerate(events) if n not in opened]
    special = [_decided(finding_of(events[n], check), *own) for n, own in opened.items()]
    checked, dropped = check.check_all(plain, special)
    coverage = check.situation.coverage
    return Watch(
        scene, tuple(subjects), tuple(inside), tuple(checked), coverage, meter.receipt(),
        limits=(*results.unseen(coverage, needed), *_limits(observations, subjects, whole)),
        dropped=dropped, faces=tuple(o for o in observations if o.sense == "faces"),
    )  # fmt: skip


def present(subjects: Sequence[Subject], time: Instant, kind: str | None = None) -> int:
    """Count who is in the picture at a time."""
    return sum(time in one.span and kind in (None, one.kind) for one in subjects)


def finding_of(event: Happening, check: Checker) -> Finding:
    """Make a finding of an event, with its evidence."""
    data: Mapping[str, Any] = {"line": None, "zone": None, "way": None, **event.data}
    return Finding(
        "", event.kind, event.title[:1].upper() + event.title[1:], event.span, event.severity, event.confidence,
        evidence=tuple(check.cite(seen, quote=_quote(seen, event)) for seen in event.evidence()),
        why=event.why, paths=event.paths, data=data,
    )  # fmt: skip


def _quote(seen: Observation, event: Happening) -> str:
    names = ", ".join(one.id for one in event.subjects) if len(event.subjects) == 1 else ""
    return f"{seen.text} ({names})" if names and seen.text not in names else names or seen.text


def _own_check(event: Happening, check: Checker, aspect: float) -> Opened | None:
    """Check an event in the way of its kind; None where the sense that perceived it is to look again."""
    if event.kind in ("object-left", "object-removed"):
        return check_change(event, check)
    if event.kind == "fall-like":
        return check_fall(event, check, aspect)
    if event.kind in ("loitering", "intrusion", "crowding") and event.unnamed:
        return check_presence(event, check)
    return None


def _decided(found: Finding, verdict: Verdict, digest: str | None) -> Finding:
    """Give a finding the verdict of its own check; what is not borne out is lowered."""
    evidence = tuple(replace(e, frame_hash=digest or e.frame_hash) for e in found.evidence)
    found = replace(found, verdict=verdict, evidence=evidence)
    if verdict.kind == "supported":
        return found
    return replace(found, severity=lowered(found.severity), confidence=found.confidence * DOUBT)


def _limits(observations: Sequence[Observation], subjects: Sequence[Subject], whole: Span) -> list[str]:
    told = []
    moving = [o for o in observations if o.data.get("kind") == "camera" and o.data.get("move") != "static"]
    shaken = sum((o.span.duration for o in moving), Fraction(0))
    if whole.duration and float(shaken / whole.duration) > SHAKEN:
        told.append(
            "The camera moves for much of the time: zones, lines and what is usual hold for a still camera alone."
        )
    if any(one.kind == PERSON for one in subjects):
        told.append(
            "People who cross may be taken for one another, and far or covered ones are missed. "
            "Counts of passers-by are estimates, better at a line than over the whole picture."
        )
    told.append(
        "A fall is told by the shape of a box, and looks alike when somebody bends or lies down; nobody is identified."
    )
    return told
