"""Catalogue a video: its shots, each with size, movement, people, place, light, words, sound, flaws, takes and tags."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidence.apps.catalogue import vocabulary as vocabularies
from vidence.apps.catalogue.describe import describe, known, shots_of
from vidence.apps.catalogue.takes import grouped
from vidence.apps.catalogue.trait import ShotRecord, Trait
from vidence.apps.checking import Checker
from vidence.apps.finding import Finding, Severity
from vidence.apps.result import to_json, unseen
from vidence.mcr.budget import Budget, Meter
from vidence.mcr.evidence import Evidence, Verdict
from vidence.senses.clipping import Clipping
from vidence.senses.picture import PictureSense

if TYPE_CHECKING:
    from vidence.apps.catalogue.vocabulary import Vocabulary
    from vidence.mcr.budget import Receipt
    from vidence.mcr.policy import Policy
    from vidence.memory import Coverage, Progress
    from vidence.video import Video

NEEDED = ("shots", "objects", "faces", "looks", "motion", "colour", "text", "speech", "sound", "picture")
CHECKED = ("people", "thing", "size")
"""Traits whose evidence is opened again: those that a detector may get wrong."""

MOST_CHECKS = 24
"""Traits of one video that are opened again, the least sure of the told ones first; the rest are told as perceived."""

TOLD = 0.5
"""Confidence from which a trait is written in a shot's title."""


@dataclass(frozen=True)
class Catalogue:
    """What was found in one video. `findings` are its shots, `shots` the same with all that is told of them."""

    file: str
    shots: tuple[ShotRecord, ...]
    findings: tuple[Finding, ...]
    coverage: Coverage
    receipt: Receipt
    limits: tuple[str, ...]
    vocabulary: str
    checked: int = 0

    @property
    def takes(self) -> dict[int, list[ShotRecord]]:
        """The groups of duplicate takes, by their number."""
        groups: dict[int, list[ShotRecord]] = {}
        for shot in self.shots:
            if shot.take:
                groups.setdefault(shot.take.setup, []).append(shot)
        return groups

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values; the schema is `schemas/catalogue.json`."""
        return to_json(
            "catalogue",
            self,
            vocabulary=self.vocabulary,
            shots=[shot.to_json() for shot in self.shots],
            takes=[
                {"setup": setup, "shots": [shot.number for shot in shots]}
                for setup, shots in sorted(self.takes.items())
            ],
            traits_checked=self.checked,
        )


def catalogue(
    video: Video,
    *,
    vocabulary: Vocabulary | None = None,
    budget: Budget | None = None,
    checker: Policy | None = None,
    checks: int = MOST_CHECKS,
    progress: Progress | None = None,
) -> Catalogue:
    """Catalogue a video; perceives first what is not yet in memory.

    `vocabulary` gives the tags (default: the one that ships); `checker` checks what was perceived (default: the senses
    look again), `checks` traits at most.
    """
    meter, words = Meter(budget or Budget(max_steps=None)), vocabulary or vocabularies.standard()
    told = replace(video, senses=[*video.senses, PictureSense(), Clipping()])
    told.index_within(meter, progress)
    check = Checker(told, meter, "catalogue the shots", checker)
    seen, info = check.situation.recalled, video.media.info
    coverage = check.situation.coverage
    of = known(seen, coverage, info)
    spans = shots_of(seen, info.span) if info.video else []
    shots = grouped([describe(number, span, of) for number, span in enumerate(spans, 1)])
    shots, verdicts = _checked(shots, check, checks)
    shots = [replace(shot, tags=tuple(words.tags(shot))) for shot in shots]
    sure = {o.span: o.confidence for o in seen if o.sense == "shots"}
    findings = [
        _finding(shot, sure.get(shot.span, 1.0), check, verdicts.get(shot.number, {})) for shot in shots
    ]
    limits = [*_limits(video, shots), *unseen(coverage, [name for name in NEEDED if _due(name, video)])]
    return Catalogue(
        Path(video.media.path).name, tuple(shots), tuple(findings), coverage, meter.receipt(), tuple(limits),
        words.name, sum(len(found) for found in verdicts.values()),
    )  # fmt: skip


def _checked(
    shots: Sequence[ShotRecord], check: Checker, most: int
) -> tuple[list[ShotRecord], dict[int, dict[str, tuple[Verdict, Evidence]]]]:
    """Open what a detector perceived again, the least sure first; take out what does not hold."""
    asked = [
        (trait, shot)
        for shot in shots
        for trait in shot.traits
        if trait.name in CHECKED and trait.source is not None and trait.confidence >= TOLD
        and trait.source.sense in ("objects", "faces", "looks")
    ]  # fmt: skip
    verdicts: dict[int, dict[str, tuple[Verdict, Evidence]]] = {}
    dropped: dict[int, list[Trait]] = {}
    for trait, shot in sorted(asked, key=lambda pair: pair[0].confidence)[:most]:
        if check.situation.meter.exhausted() not in (None, "step limit"):
            break
        assert trait.source is not None
        middle = trait.source.span.intersection(shot.span) or trait.source.span
        source = replace(trait.source, span=middle)
        cited = check.cite(source, quote=f"{trait.value}: {trait.why}")
        verdict, evidence = check.verdict(f"{trait.name}: {trait.value}", (cited,))
        verdicts.setdefault(shot.number, {})[f"{trait.name}:{trait.value}"] = (verdict, evidence[0])
        if verdict.kind in ("unsupported", "contradicted"):
            dropped.setdefault(shot.number, []).append(trait)
    told = []
    for shot in shots:
        gone = tuple(dropped.get(shot.number, ()))
        told.append(replace(shot, traits=tuple(t for t in shot.traits if t not in gone), withdrawn=gone))
    return told, verdicts


def _finding(
    shot: ShotRecord, sure: float, check: Checker, verdicts: dict[str, tuple[Verdict, Evidence]]
) -> Finding:
    opened = {key: evidence for key, (_, evidence) in verdicts.items()}
    evidence, paths = [], []
    for trait in shot.traits:
        if trait.source is None:
            continue
        quote = f"{trait.value}: {trait.why}" if trait.why else trait.value
        evidence.append(opened.get(f"{trait.name}:{trait.value}") or check.cite(trait.source, quote=quote))
        if trait.name in ("people", "size") and trait.source.track:
            path = tuple(at for at in trait.source.track if at[0] in shot.span)
            paths += [path] if path and path not in paths else []
    held = [verdict for verdict, _ in verdicts.values() if verdict.kind == "supported"]
    flags = shot.values("flag")
    why = "; ".join(f"{flag}: {trait.why}" for flag in flags for trait in shot.traits if trait.value == flag)
    return Finding(
        f"shot-{shot.number}", "shot", title_of(shot), shot.span, _severity(flags, shot), sure,
        tuple(dict.fromkeys(evidence)), max(held, key=lambda v: v.score, default=None), why, tuple(paths),
        {key: value for key, value in shot.to_json().items() if key not in ("traits", "withdrawn", "start_s", "end_s")},
    )  # fmt: skip


def title_of(shot: ShotRecord) -> str:
    """Say in a line what a shot is: its size, its movement, who or what is in it, where."""
    sure = {
        name: [t.value for t in shot.traits if t.name == name and t.confidence >= TOLD] for name in _NAMED
    }
    people = {"one": "one person", "two": "two people", "group": "a group", "crowd": "a crowd"}
    things = sure["thing"][:2]
    who = [people[name] for name in sure["people"] if name in people]
    parts = [*sure["size"][:1], *sure["camera"][:1], *who, *things, *sure["place"][:1]]
    if "black" in shot.values("flag"):
        parts = ["black"]
    return f"{shot.number}: " + (", ".join(parts) or shot.written[:60] or "nothing told")


_NAMED = ("size", "camera", "people", "thing", "place")


def _severity(flags: Sequence[str], shot: ShotRecord) -> Severity:
    if any(flag in ("blurred", "burnt out", "under-exposed", "black", "sound clips") for flag in flags):
        return "medium"
    return "low" if flags or (shot.take and not shot.take.best) else "info"


def _limits(video: Video, shots: Sequence[ShotRecord]) -> list[str]:
    told = []
    if video.media.info.video is None:
        return ["There are no pictures, so there are no shots."]
    untold = Counter(name for shot in shots for name in ("size", "place") if shot.value(name) is None)
    if untold["size"]:
        told.append(
            f"Shot size could not be told in {untold['size']} of {len(shots)} shots: it is measured on faces, people "
            "and the main thing, and none was detected there."
        )
    if untold["place"]:
        told.append(f"Indoors or outdoors could not be told in {untold['place']} of {len(shots)} shots.")
    if not any(sense.name == "captions" for sense in video.senses):
        told.append(
            "Things are those of eighty detected kinds and a thousand classes of photographs; actions and rarer things "
            "are not named. The standard tier adds captions and image search by any phrase."
        )
    return told


def _due(sense: str, video: Video) -> bool:
    info = video.media.info
    return bool(info.audio or info.subtitles) if sense in ("speech", "sound") else info.video is not None
