"""Run a server until it is told to stop."""

from __future__ import annotations

import socket

import uvicorn

from vidence.errors import UsageError
from vidence.serving.application import application
from vidence.serving.completions.speaker import Speaker
from vidence.serving.settings import Settings
from vidence.serving.site import Site

STOP_S = 3  # that streams may go on once it is told to


def run(site: Site, line: socket.socket, *speakers: Speaker) -> None:
    """Serve a site at a port that is listened at, until the process is told to stop."""
    uvicorn.Server(configured(site, *speakers)).run(sockets=[line])


def configured(site: Site, *speakers: Speaker) -> uvicorn.Config:
    """Return how uvicorn is to serve a site."""
    return uvicorn.Config(
        application(site, *speakers),
        log_level="warning",
        access_log=False,  # addresses of what people watch are nobody's business
        server_header=False,
        timeout_graceful_shutdown=STOP_S,
    )


def listen(settings: Settings) -> socket.socket:
    """Take the host's port; 0 takes one that is free.

    Raises:
        UsageError: it cannot be had.
    """
    host, port = settings.host, settings.port
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise UsageError(f"cannot listen at {host} port {port}: {error.strerror or error}") from error


def address_of(settings: Settings, line: socket.socket) -> str:
    """Return where a server is reached from this machine, such as "http://127.0.0.1:8000"."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(settings.host, settings.host)
    return f"http://{host}:{line.getsockname()[1]}"
