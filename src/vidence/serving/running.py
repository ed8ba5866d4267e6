"""Run a server until it is told to stop."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn
from fastapi import APIRouter

from vidence.errors import UsageError
from vidence.serving.application import application
from vidence.serving.site import Site

STOP_S = 3  # that streams may go on once it is told to


def run(site: Site, *routers: APIRouter, told: Callable[[str], None]) -> None:
    """Serve a site at its host and port; `told` hears of the address once it can be reached.

    Raises:
        UsageError: the port cannot be had.
    """
    settings = site.settings
    line = _listen(settings.host, settings.port)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    told(f"http://{host}:{line.getsockname()[1]}")
    uvicorn.Server(configured(site, *routers)).run(sockets=[line])


def configured(site: Site, *routers: APIRouter) -> uvicorn.Config:
    """Return how uvicorn is to serve a site."""
    return uvicorn.Config(
        application(site, *routers),
        log_level="warning",
        access_log=False,  # addresses of what people watch are nobody's business
        server_header=False,
        timeout_graceful_shutdown=STOP_S,
    )


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise UsageError(f"cannot listen at {host} port {port}: {error.strerror or error}") from error
