"""`vidence show`: what is remembered, of all videos or of one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vidence.cli.console import clean, emit, note, paint, say
from vidence.cli.options import json_option, memory_option, time_range_options, verbosity_options
from vidence.timeline import TimeLike, clock

if TYPE_CHECKING:
    from vidence.memory import Coverage, Medium, Memory
    from vidence.senses.observation import Observation


@click.command("show", short_help="Show what is remembered.")
@click.argument("file", required=False, metavar="[FILE]")
@click.option(
    "--senses", "names", metavar="LIST", help="List what these perceived, e.g. text,objects; or all."
)
@time_range_options
@memory_option
@json_option
@verbosity_options
def command(
    file: str | None,
    names: str | None,
    start: TimeLike | None,
    end: TimeLike | None,
    memory: Path | None,
    as_json: bool,
) -> None:
    """List the remembered videos, or what is known of FILE (a path, or the start of a hash).

    \b
    vidence show
    vidence show match.mp4
    vidence show match.mp4 --senses text,speech --start 1:00 --end 2:00
    """
    from vidence.cli.opening import split_names
    from vidence.cli.perceive import time_range
    from vidence.cli.stored import find_medium
    from vidence.memory import Memory
    from vidence.senses import default_senses

    with Memory.open(memory) as store:
        if file is None:
            _show_all(store.media(), as_json)
            return
        medium = find_medium(store, file)
        span = time_range(medium.info, start, end)
        if names is None and span is None:
            _show_one(store, medium, as_json)
        else:
            wanted = None if names in (None, "all") else split_names(names)
            senses = None if wanted is None else [sense.name for sense in default_senses(wanted)]
            _show_observations(store.observations(medium.hash, senses=senses, span=span), as_json)


def _show_all(media: Sequence[Medium], as_json: bool) -> None:
    if as_json:
        emit({"media": [_medium(one) for one in media]})
        return
    for one in media:
        click.echo(f"{_short(one)}  {clock(one.info.duration, millis=False):>8}  {clean(one.path)}")
    if not media:
        note("nothing is remembered yet; `vidence index FILE` begins")


def _show_one(store: Memory, medium: Medium, as_json: bool) -> None:
    coverage, scenes = store.coverage(medium.hash), store.scenes(medium.hash)
    if as_json:
        emit(
            {
                **_medium(medium),
                "coverage": coverage.to_json(),
                "scenes": [
                    {**scene.span.to_json(), "title": scene.title, "summary": scene.summary}
                    for scene in scenes
                ],
            }
        )
        return
    click.echo(paint(medium.path, bold=True))
    say(_streams(medium), indent=2, hang=2)
    _print_coverage(coverage)
    for scene in scenes:
        click.echo(paint(f"\n{scene.span}  {scene.title}", bold=True))
        say(scene.summary, indent=2)


def _print_coverage(coverage: Coverage) -> None:
    seen = [f"{sense} {coverage.seen(coverage.whole, sense):.0%}" for sense in coverage.senses]
    say("seen: " + (", ".join(seen) or "nothing yet"), indent=2, hang=2)
    for failure in coverage.failures:
        say(f"{failure.sense} failed at {failure.span}: {failure.reason}", indent=2, hang=2)


def _show_observations(found: Sequence[Observation], as_json: bool) -> None:
    if as_json:
        from vidence.exports.records import record

        emit({"observations": [record(item) for item in found]})
        return
    for item in found:
        say(f"{item.span}  {item.sense}: {item.text or item.modality} ({item.confidence:.2f})", hang=4)
    if not found:
        note("nothing was perceived there by these senses")


def _streams(medium: Medium) -> str:
    info, video = medium.info, medium.info.video
    parts = [f"{clock(info.duration)} of {info.format}"]
    if video:
        rate = f" at {float(video.fps):.3f} fps" if video.fps else ""
        parts.append(f"{video.codec} {video.width}x{video.height}{rate}")
    parts += [f"{stream.codec} {stream.rate_hz} Hz" for stream in info.audio]
    parts += [*info.warnings, *medium.problems]
    return ", ".join(parts)


def _medium(one: Medium) -> dict[str, Any]:
    return {"hash": one.hash, "path": one.path, **one.info.span.to_json(), "problems": list(one.problems)}


def _short(one: Medium) -> str:
    return one.hash.split(":")[-1][:12]
