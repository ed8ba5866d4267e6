"""`vidence chat`: talk with a local model about videos."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from vidence.cli.console import clean, note
from vidence.cli.extras import device_option, dtype_option, model_option, need
from vidence.cli.options import verbosity_options


@click.command("chat", short_help="Talk with a local model.")
@model_option
@click.option("--video", "videos", multiple=True, metavar="FILE", help="A video to talk about; repeat it.")
@click.option("--image", "images", multiple=True, metavar="FILE", help="An image to talk about; repeat it.")
@click.option(
    "--keep",
    "kept",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PATH",
    help="Keep the conversation in this file, and go on from it where it exists: a video is then seen once for all.",
)
@click.option(
    "--max-tokens",
    type=click.IntRange(min=1),
    default=1024,
    show_default=True,
    metavar="N",
    help="Longest answer.",
)
@click.option(
    "--cache",
    "storage",
    type=click.Choice(["float", "int8"]),
    help="How cached rows are kept: as computed, or in 8 bits. Default: as the model says.",
)
@dtype_option
@device_option
@verbosity_options
def command(
    name: str,
    videos: tuple[str, ...],
    images: tuple[str, ...],
    kept: Path | None,
    max_tokens: int,
    storage: str | None,
    dtype: str,
    device: str,
) -> None:
    """Read one message a line from the terminal or a pipe, and print each answer as it is written.

    Videos and images are seen once, with the first message; with --keep, name them in the first run alone. What the
    model says is not checked: for answers whose evidence is opened again, use `vidence ask`.

    \b
    vidence chat --model internvideo3-8b --video talk.mp4
    echo "What is on slide 1?" | vidence chat --model internvideo3-8b --video talk.mp4 --keep talk.kv
    echo "And on the last?" | vidence chat --model internvideo3-8b --keep talk.kv
    """
    need("model")
    from vidence.models.internvideo3.conversation import Conversation
    from vidence.models.internvideo3.loading import weights_name
    from vidence.models.internvideo3.opening import open_model
    from vidence.models.shipped import model_folder

    directory = model_folder(name)
    conversation = Conversation(*open_model(directory, device=device, dtype=dtype), storage=storage)
    made_by = weights_name(directory) if kept else ""
    if kept and kept.exists():
        conversation.resume(kept, made_by=made_by)
    for text in _messages():
        conversation.say(text, videos=videos, images=images, told=_tell, max_new_tokens=max_tokens)
        click.echo()
        if kept:
            conversation.keep(kept, made_by=made_by)
        videos = images = ()


def _messages() -> Iterator[str]:
    """Yield what is typed or piped, line by line; an empty line is no message."""
    asks = sys.stdin.isatty()
    if asks:
        note("Write a message and press Enter; end with Ctrl-D.")
    while True:
        if asks:
            click.echo("> ", nl=False, err=True)
        line = sys.stdin.readline()
        if not line:
            return
        if line.strip():
            yield line.strip()


def _tell(piece: str) -> None:
    click.echo(clean(piece), nl=False)
    sys.stdout.flush()
