"""`vidence world`: write a procedural video whose every moment is known, with questions and answers."""

from __future__ import annotations

from pathlib import Path

import click

from vidence.cli.console import emit, note
from vidence.cli.options import Time, json_option, verbosity_options
from vidence.cli.progress import progress
from vidence.errors import UsageError
from vidence.timeline import TimeLike


class Size(click.ParamType):
    """A size of pictures as WIDTHxHEIGHT."""

    name = "size"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Read two whole numbers."""
        if isinstance(value, tuple):
            return value
        width, _, height = str(value).lower().partition("x")
        if not (width.isdigit() and height.isdigit()):
            self.fail(f"{value!r} is no size; write WIDTHxHEIGHT, as 640x360", param, ctx)
        return int(width), int(height)


@click.command("world", short_help="Write a video whose every moment is known.")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False), metavar="OUT.mp4")
@click.option("--seed", type=int, default=0, show_default=True, help="Which world.")
@click.option(
    "--duration", type=Time(), default="30", show_default=True, metavar="TIME", help="From 2 s to 4 hours."
)
@click.option(
    "--level", type=click.IntRange(0, 3), default=2, show_default=True, help="From plain (0) to hard (3)."
)
@click.option(
    "--size", type=Size(), default="640x360", show_default=True, metavar="WxH", help="Of the pictures."
)
@click.option("--rate", type=click.IntRange(1, 120), default=8, show_default=True, help="Pictures a second.")
@click.option(
    "--language", "languages", multiple=True, default=["en"], show_default=True, metavar="CODE",
    help="Of questions and captions: en, zh or es; repeat it. Lines are spoken in the first.",
)  # fmt: skip
@click.option(
    "--split",
    type=click.Choice(["train", "test"]),
    default="train",
    show_default=True,
    help="Which looks, places and words.",
)
@click.option(
    "--cast",
    type=click.Choice(["drawn", "pictures"]),
    default="drawn",
    show_default=True,
    help="Drawn, or from installed clip art.",
)
@click.option("--no-sound", "silent", is_flag=True, help="Leave the sound out.")
@json_option
@verbosity_options
def command(
    out: Path,
    seed: int,
    duration: TimeLike,
    level: int,
    size: tuple[int, int],
    rate: int,
    languages: tuple[str, ...],
    split: str,
    cast: str,
    silent: bool,
    as_json: bool,
) -> None:
    """Write a procedural video to OUT.mp4, and beside it what is true of it.

    OUT.json holds the timeline, captions, and questions with answers, options and the spans where they can be seen;
    OUT.srt what is said. The same seed and flags give the same world.

    \b
    vidence world world.mp4 --seed 7 --duration 60
    vidence world hard.mp4 --level 3 --duration 1:00:00 --split test --language zh
    """
    from vidence.worlds import Setting, make_world

    if str(duration).endswith("f"):
        raise UsageError(f"--duration {duration}: give seconds or a clock, not a frame")
    world = make_world(seed, Setting(duration, size, rate, level, split, tuple(languages), cast))
    with progress("s") as tell:
        written = world.write(out, sound=not silent, tell=tell)
    if written.sound == "tones":
        note("espeak-ng is not installed: lines are hummed in tones; they can be read in the subtitles")
    counts = {language: len(world.questions(language=language)) for language in languages}
    if as_json:
        emit(
            {
                "video": str(written.video),
                "record": str(written.record),
                "subtitles": str(written.subtitles) if written.subtitles else None,
                "sound": written.sound,
                "frames": written.frames,
                "scenes": len(world.scenes),
                "events": len(world.events),
                "questions": counts,
                "synopsis": {language: world.synopsis(language) for language in languages},
            }
        )
        return
    click.echo(f"{written.video}: {len(world.scenes)} scenes, {written.frames} frames, sound {written.sound}")
    click.echo(
        f"{written.record}: {', '.join(f'{count} questions ({language})' for language, count in counts.items())}"
    )
    click.echo(world.synopsis(languages[0]))
