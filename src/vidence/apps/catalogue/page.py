"""The catalogue's page: what there is of each kind, the shots as cards, takes side by side, flaws, and finds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from vidence.apps.catalogue.catalogue import Catalogue
from vidence.apps.catalogue.flaws import FLAWS
from vidence.apps.catalogue.size import SIZES
from vidence.apps.catalogue.trait import ShotRecord
from vidence.apps.report import AppPage, gather, render
from vidence.apps.report.page import finding_lane
from vidence.apps.report.sections import Bars, Figure, Item, Listing, Section, Table
from vidence.exports.report.lanes import Lane, Mark, stack, thin
from vidence.exports.report.thumbnails import data_uri

if TYPE_CHECKING:
    from vidence.apps.catalogue.retrieval import Found
    from vidence.video import Video

SIDE = 256
PICTURES = 80  # of takes and finds


def to_html(video: Video, result: Catalogue, found: Sequence[Found] = (), asked: str = "") -> str:
    """Return the page; `found` are the finds of a query in this video, `asked` says what was looked for."""
    return render(page_of(video, result, found, asked))


def page_of(video: Video, result: Catalogue, found: Sequence[Found] = (), asked: str = "") -> AppPage:
    """Collect the page."""
    here = [one for one in found if one.catalogue is result]
    pictures = _pictures(
        video, [one.shot for one in here] + [s for group in result.takes.values() for s in group]
    )
    sections: list[Section] = []
    if asked:
        sections.append(_finds(here, asked, pictures))
    sections += [*_amounts(result), *_takes(result, pictures), *_flaws(result)]
    return gather(
        video.media, result, "Catalogue", noun="shots", figures=_figures(result), sections=sections,
        lanes=_lanes(result), tags={f.id: _tags(s) for f, s in zip(result.findings, result.shots, strict=True)},
        summary=_summary(result),
    )  # fmt: skip


def _figures(result: Catalogue) -> list[Figure]:
    flawed = sum(finding.severity == "medium" for finding in result.findings)
    lengths = sorted(float(shot.span.duration) for shot in result.shots)
    return [
        Figure("Shots", str(len(result.shots))),
        Figure("Usual length", f"{lengths[len(lengths) // 2]:.1f} s" if lengths else "none"),
        Figure("With flaws", str(flawed), "doubt" if flawed else "good"),
        Figure("Repeated setups", str(len(result.takes))),
        Figure("With dialogue", str(sum(bool(shot.said) for shot in result.shots))),
        Figure("Opened again", f"{result.checked} traits"),
    ]


def _summary(result: Catalogue) -> str:
    kinds = Counter(
        tag.label for shot in result.shots for tag in shot.tags if tag.facet in ("subject", "place")
    )
    names = ", ".join(name for name, _ in kinds.most_common(5))
    many = f"{len(result.shots)} shot{'s' if len(result.shots) != 1 else ''}"
    return f"{many}. Most often: {names}." if names else f"{many}."


def _lanes(result: Catalogue) -> list[Lane]:
    """Shots, then one lane each for size, camera, dialogue, flaws."""
    whole = result.coverage.whole
    lanes = [finding_lane("shots", "Shots", result.findings, whole)]
    for name, title in (("size", "Size"), ("camera", "Camera"), ("place", "Place"), ("flag", "Flaws")):
        marks = [
            Mark(shot.span, ", ".join(shot.values(name)), confidence=0.9)
            for shot in result.shots
            if shot.values(name)
        ]
        if marks:
            lanes.append(
                Lane(
                    "evidence" if name == "flag" else name,
                    title,
                    tuple(stack(thin(marks, whole))),
                    len(marks),
                )
            )
    said = [Mark(o.span, o.text) for shot in result.shots for o in shot.dialogue]
    if said:
        lanes.append(Lane("speech", "Dialogue", tuple(stack(thin(said, whole))), len(said)))
    return lanes


def _tags(shot: ShotRecord) -> list[str]:
    take = (
        [f"take {shot.take.number} of {shot.take.of}{', best' if shot.take.best else ''}"]
        if shot.take
        else []
    )
    said = [f"“{shot.said[:90]}{'…' if len(shot.said) > 90 else ''}”"] if shot.said else []
    written = [f"written: {shot.written[:60]}{'…' if len(shot.written) > 60 else ''}"] if shot.written else []
    return [
        *(f"⚠ {flag}" for flag in shot.values("flag")),
        *take,
        *(t.label for t in shot.tags),
        *said,
        *written,
    ]


def _amounts(result: Catalogue) -> list[Section]:
    """How much there is of each size and movement, in seconds."""
    sections: list[Section] = []
    for name, title, order in (("size", "Shot sizes", SIZES), ("camera", "Camera movement", ())):
        seconds: Counter[str] = Counter()
        counts: Counter[str] = Counter()
        for shot in result.shots:
            value = shot.value(name) or "not told"
            seconds[value] += float(shot.span.duration)  # pyright: ignore[reportArgumentType]
            counts[value] += 1
        names = (
            [one for one in order if one in seconds] if order else [one for one, _ in seconds.most_common()]
        )
        names += [one for one in seconds if one not in names]
        rows = [(one, float(seconds[one]), f"{counts[one]}, {seconds[one]:.1f} s") for one in names]
        if rows and set(names) != {"not told"}:
            sections.append(Bars(title, rows))
    return sections


def _takes(result: Catalogue, pictures: dict[int, str]) -> list[Section]:
    items = [
        Item(
            f"Setup {setup}, take {shot.take.number}",
            shot.said[:120],
            shot.span,
            pictures.get(shot.number),
            [*(["best"] if shot.take.best else []), *shot.values("flag"), *_sharp(shot)],
        )
        for setup, shots in sorted(result.takes.items())
        for shot in shots
        if shot.take
    ]
    note = (
        "Best is the take with the fewest flaws and, of those, the sharpest; it says nothing of the acting."
    )
    return [Listing("Duplicate takes", items, gallery=True, note=note)] if items else []


def _flaws(result: Catalogue) -> list[Section]:
    rows = [
        (shot.span, trait.value, trait.why, f"{trait.confidence:.2f}")
        for shot in result.shots
        for trait in shot.traits
        if trait.name == "flag" and trait.value in FLAWS
    ]
    return [Table("Flaws", ("Shot", "Flaw", "Measured", "Confidence"), rows)] if rows else []


def _finds(found: Sequence[Found], asked: str, pictures: dict[int, str]) -> Section:
    items = [
        Item(
            f"Shot {one.shot.number}",
            "; ".join(one.why),
            one.shot.span,
            pictures.get(one.shot.number),
            [f"{one.score:.2f}", *(tag.label for tag in one.shot.tags[:6])],
        )
        for one in found
    ]
    return Listing(f"Found: {asked}", items, gallery=True, note="" if items else "Nothing here fits.")


def _sharp(shot: ShotRecord) -> list[str]:
    return [f"sharpness {shot.sharpness:.2f}"] if shot.sharpness is not None else []


def _pictures(video: Video, shots: Sequence[ShotRecord]) -> dict[int, str]:
    wanted = list({shot.number: shot for shot in shots}.values())[:PICTURES]
    if not wanted or video.media.info.video is None:
        return {}
    frames = video.media.frames_at([shot.span.middle for shot in wanted], max_side=SIDE)
    return {shot.number: data_uri(frame.image) for shot, frame in zip(wanted, frames, strict=True)}
