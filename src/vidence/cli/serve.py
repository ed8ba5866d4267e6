"""`vidence serve`: the web page, its API, and a local model behind the OpenAI-compatible chat API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vidence.cli.console import note
from vidence.cli.extras import device_option, dtype_option, need
from vidence.cli.options import verbosity_options


@click.command("serve", short_help="Serve the web page and the API.")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Where to listen; with others than this machine's own, --tokens is needed.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, metavar="N")
@click.option(
    "--library",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder of the videos and of what is known of them. Default: your own memory, as of `vidence index`.",
)
@click.option(
    "--tokens",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Let in only who has a token of this file, each with a library of its own; see `vidence token`.",
)
@click.option(
    "--name", "names", multiple=True, metavar="NAME", help="A name under which it may be called; repeat it."
)
@click.option(
    "--fetch-from",
    multiple=True,
    metavar="NETWORK",
    help="Let videos be fetched from this network, such as 10.0.0.0/8, though it is not public; repeat it.",
)
@click.option("--senses", "senses", metavar="LIST", help="What is perceived of new videos. Default: all.")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    metavar="N",
    help="Videos that are indexed at once.",
)
@click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="NAME=VALUE",
    help="Change a limit, such as upload_bytes, duration_s or queued_jobs; repeat it. /api/me tells all of them.",
)
@click.option(
    "--model",
    metavar="DIR",
    help="Serve a model at /v1: the folder of an InternVideo3 model; or nano, which is built in.",
)
@dtype_option
@device_option
@verbosity_options
def command(
    host: str,
    port: int,
    library: Path | None,
    tokens: Path | None,
    names: tuple[str, ...],
    fetch_from: tuple[str, ...],
    senses: str | None,
    workers: int,
    limits: tuple[str, ...],
    model: str | None,
    dtype: str,
    device: str,
) -> None:
    """Serve the web page at http://HOST:PORT/, its API under /api, and a model at /v1, as OpenAI's API does.

    Without --tokens only this machine can reach it, and it shows your own videos.

    \b
    vidence serve
    vidence serve --host 0.0.0.0 --name videos.example.org --tokens tokens.txt --library /srv/videos
    vidence serve --model internvideo3-8b
    vidence ask a.mp4 "Who?" --api-base http://127.0.0.1:8000/v1 --model internvideo3-8b
    """
    from vidence.cli.opening import split_names
    from vidence.senses import default_senses
    from vidence.serving.running import run
    from vidence.serving.settings import Settings, read_limits
    from vidence.serving.site import Model, Site

    wanted = split_names(senses)
    if wanted is not None:
        default_senses(wanted)
    settings = Settings(
        host=host,
        port=port,
        root=library,
        tokens=tokens,
        names=names,
        fetch_from=fetch_from,
        senses=None if wanted is None else tuple(wanted),
        index_workers=workers,
        limits=read_limits(limits),
    )
    routers: list[Any] = []
    site = Site.open(settings)
    if model is not None:
        need("serve")
        from vidence.models.shipped import model_folder
        from vidence.serving.chat_api import chat_router
        from vidence.serving.engine import Engine

        directory = model_folder(model)
        engine = Engine.load(directory.resolve().name, directory, device=device, dtype=dtype)
        routers.append(chat_router(engine))
        address = f"http://127.0.0.1:{port}/v1"
        site = Site.open(settings, (Model(engine.name, address, site.secret),))
        note(f"{engine.name} is served at /v1")
    run(site, *routers, told=lambda address: note(f"Vidence is at {address}/ (stop with Ctrl-C)"))
