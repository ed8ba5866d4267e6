"""`vidence watch`: who and what passes in recorded footage, and what happens there."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vidence.cli.applying import Given, application_options, apply, files_argument, show_findings, show_limits
from vidence.cli.console import note, say
from vidence.errors import UsageError

if TYPE_CHECKING:
    from vidence.apps.watch import Watch
    from vidence.media import Media
    from vidence.video import Video


@click.command("watch", short_help="Count, follow and find events in footage of a place.")
@files_argument
@click.option(
    "--scene",
    "scene_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="YAML",
    help="Zones, lines and what counts as what. Default: the picture as a whole.",
)
@click.option(
    "--csv",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PATH",
    help="Write the events as a table.",
)
@click.option(
    "--tracks",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PATH",
    help="Write every box as a table.",
)
@click.option(
    "--coco",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PATH",
    help="Write the boxes as COCO JSON.",
)
@click.option(
    "--cvat",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PATH",
    help="Write the boxes as CVAT XML.",
)
@click.option(
    "--heat", type=click.Path(path_type=Path, dir_okay=False), metavar="PNG", help="Write the heat map."
)
@click.option(
    "--ruler",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PNG",
    help="Write the scene with its zones and a ruler to draw others by.",
)
@click.option("--blur-faces", is_flag=True, help="Make faces unrecognisable, in the report and in --copy.")
@click.option(
    "--copy",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="MP4",
    help="With --blur-faces: write a copy of the video.",
)
@click.option(
    "--starts",
    type=click.DateTime(["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"]),
    metavar="TIME",
    help="When the recording began, for times of the day: 2026-05-01 08:00.",
)
@application_options
def command(
    files: tuple[str, ...],
    scene_file: Path | None,
    csv: Path | None,
    tracks: Path | None,
    coco: Path | None,
    cvat: Path | None,
    heat: Path | None,
    ruler: Path | None,
    blur_faces: bool,
    copy: Path | None,
    starts: datetime | None,
    **shared: Any,
) -> None:
    """Follow people, vehicles and what else moves through each FILE, and say what happens.

    Counts, dwell, lines crossed, loitering, wrong way, things left or taken away,
    crowds, fall-like motion, and what is unusual for the scene, learned from the
    footage itself. Faces are never identified.

    \b
    vidence watch gate.mp4 --scene gate.yaml --html gate.html
    vidence watch yard.mp4 --starts "2026-05-01 08:00" --csv events.csv --cvat yard.xml
    vidence watch hall.mp4 --blur-faces --copy hall-blurred.mp4
    """
    written = {"--csv": csv, "--tracks": tracks, "--coco": coco, "--cvat": cvat, "--heat": heat, "--ruler": ruler,
               "--copy": copy}  # fmt: skip
    wanted = [flag for flag, place in written.items() if place]
    if len(files) > 1 and wanted:
        raise UsageError(
            f"{', '.join(wanted)} take one FILE at a time; for several there are --html and --json"
        )
    if copy and not blur_faces:
        raise UsageError("--copy writes what --blur-faces makes of the video; give that flag as well")
    from vidence.apps.report import render
    from vidence.apps.watch import open_scene, watch

    scene = open_scene(scene_file) if scene_file else None
    given = Given(**shared)
    checker = given.decider()

    def work(video: Video, budget: Any, shown: Any) -> Watch:
        found = watch(video, scene, budget=budget, checker=checker, progress=shown, faces=blur_faces)
        _write_tables(video.media, found, csv, tracks, coco, cvat, starts)
        _write_pictures(video.media, found, heat, ruler)
        if copy:
            from vidence.apps.redact import redact
            from vidence.apps.watch.privacy import covers_of

            redact(video.media, copy, covers=covers_of(found))
            note(f"wrote {copy}")
        return found

    def show(found: Watch) -> None:
        from vidence.apps.watch.tables import summary

        for line in summary(found, starts):
            say(line, hang=2)
        show_findings(
            [one for one in found.findings if one.severity != "info"], "nothing out of the ordinary was found"
        )
        show_limits(found)

    def page(video: Video, found: Watch) -> str:
        from vidence.apps.watch.report import page_of

        return render(page_of(video.media, found, starts=starts, blur=blur_faces))

    apply(files, given, work, show, page)


def _write_tables(
    media: Media,
    found: Watch,
    csv: Path | None,
    tracks: Path | None,
    coco: Path | None,
    cvat: Path | None,
    starts: datetime | None,
) -> None:
    from vidence.apps.watch.tables import event_table, footage_of, tracked
    from vidence.cli.files import save
    from vidence.exports.tracks import to_coco, to_cvat, to_track_table

    if csv:
        save(csv, event_table(found, starts))
    for place, write in ((tracks, to_track_table), (coco, to_coco), (cvat, to_cvat)):
        if place:
            save(place, write(tracked(found), footage_of(media)))


def _write_pictures(media: Media, found: Watch, heat: Path | None, ruler: Path | None) -> None:
    if not (heat or ruler) or media.info.video is None:
        return
    import cv2

    from vidence.apps.watch import heat as pictures

    image = pictures.backdrop(media)
    warmth = pictures.heat(found.subjects, found.scene.anchor, image.shape[:2])
    for place, make in (
        (heat, lambda: pictures.heat_picture(image, warmth)),
        (ruler, lambda: pictures.drawn(image, found.scene)),
    ):  # fmt: skip
        if place and not cv2.imwrite(str(place), make()[:, :, ::-1]):
            raise UsageError(
                f"cannot write {place}: give a name that ends in .png or .jpg, in a folder that there is"
            )
        if place:
            note(f"wrote {place}")
