"""Run a server until it is told to stop."""

from __future__ import annotations

import uvicorn
from fastapi import APIRouter

from vidence.serving.application import application
from vidence.serving.site import Site

STOP_S = 3  # that streams may go on once it is told to


def run(site: Site, *routers: APIRouter) -> None:
    """Serve a site at its host and port."""
    settings = site.settings
    config = uvicorn.Config(
        application(site, *routers),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,  # addresses of what people watch are nobody's business
        server_header=False,
        timeout_graceful_shutdown=STOP_S,
        h11_max_incomplete_event_size=64 << 10,
    )
    uvicorn.Server(config).run()
