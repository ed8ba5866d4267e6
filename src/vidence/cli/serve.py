"""`vidence serve`: put a local model behind the OpenAI-compatible chat API."""

from __future__ import annotations

import click

from vidence.cli.console import note
from vidence.cli.extras import device_option, dtype_option, model_option, need
from vidence.cli.options import verbosity_options


@click.command("serve", short_help="Serve a local model over HTTP.")
@model_option
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, metavar="N")
@dtype_option
@device_option
@verbosity_options
def command(name: str, port: int, dtype: str, device: str) -> None:
    """Answer chats at http://127.0.0.1:PORT/v1, as OpenAI's API does, from this machine alone.

    It takes images and videos as data URLs, streams, and keeps to a JSON schema where one is asked for. The model bears
    its folder's name. A chat that goes on reads only what is new.

    \b
    vidence serve --model internvideo3-8b --port 8000
    vidence ask a.mp4 "Who?" --api-base http://127.0.0.1:8000/v1 --model internvideo3-8b
    """
    need("serve")
    import uvicorn

    from vidence.models.shipped import model_folder
    from vidence.serving.chat_api import chat_api
    from vidence.serving.engine import Engine

    directory = model_folder(name)
    engine = Engine.load(directory.resolve().name, directory, device=device, dtype=dtype)
    note(f"{engine.name} is served at http://127.0.0.1:{port}/v1; stop with Ctrl-C")
    uvicorn.run(chat_api(engine), host="127.0.0.1", port=port, log_level="warning")
