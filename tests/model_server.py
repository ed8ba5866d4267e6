"""A model that has learned nothing, with the words of worlds, served on a free port."""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn

from vidence.serving.chat_api import chat_api
from vidence.serving.engine import Engine, Limits


def write_model(folder: Path) -> Path:
    """Write the model."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parent / "training"))
        toy = importlib.import_module("toy")
        toy.write_start(folder / "start")
        toy.write_converted(folder / "latent", folder / "start", 0.5)
    return folder / "latent"


@contextmanager
def model_served(folder: Path, limits: Limits | None = None) -> Iterator[tuple[str, Engine]]:
    """Serve it to the end of a block; give the address of its API."""
    engine = Engine.load("toy", folder, device="cpu", dtype="float32", limits=limits)
    engine.processor.video_limits |= {"min_frames": 2, "max_frames": 4, "max_frame_pixels": 1024}
    server = uvicorn.Server(uvicorn.Config(chat_api(engine), host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/v1", engine
    finally:
        server.should_exit = True
        thread.join(10)
        engine.close()
