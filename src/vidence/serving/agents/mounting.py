"""The tools at /mcp of the server, behind its guard: each caller reaches their own library."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from mcp.server.transport_security import TransportSecuritySettings

from vidence.serving.agents.desk import Desk
from vidence.serving.agents.server import mcp_server

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

    from vidence.serving.site import Site


def mount(app: FastAPI, site: Site) -> AbstractAsyncContextManager[None]:
    """Add the route; return what must be entered while the application runs.

    No session is kept: every request is answered from the library of its own token. Host and origin are checked by the
    guard, so that they need not be a second time.
    """

    def desk_of(request: Request) -> Desk:
        return Desk(site, app.state.keeper, site.library_of(request.state.user), files=False)

    server = mcp_server(desk_of, files=False)
    security = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    inner = server.streamable_http_app(
        streamable_http_path="/mcp", stateless_http=True, transport_security=security
    )
    app.router.routes.extend(inner.routes)
    return server.session_manager.run()
