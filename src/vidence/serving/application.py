"""The application: the guard, the API, the page, the chat API, the tools of agents, health and metrics."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.staticfiles import StaticFiles

from vidence import __version__
from vidence.serving.api import apps, ask, jobs, media, runs, search, session, uploads, viewing
from vidence.serving.api.shapes import PROBLEMS
from vidence.serving.completions import files
from vidence.serving.completions.loop import Loop
from vidence.serving.completions.router import chat_router
from vidence.serving.completions.speaker import Speaker
from vidence.serving.failing import handle_errors
from vidence.serving.guarding.guard import Guard
from vidence.serving.keeper import Keeper
from vidence.serving.previews import Previews
from vidence.serving.site import Site

THREADS = max(4, 2 * (os.cpu_count() or 1))  # that answer: more only wait for one another, in one interpreter
PAGE = Path(__file__).with_name("page")
ROUTERS = (
    session.router, media.router, uploads.router, viewing.router, jobs.router, search.router, ask.router, runs.router,
    apps.router,
)  # fmt: skip


def application(site: Site, *speakers: Speaker) -> FastAPI:
    """Return the application of a site; `speakers` answer at /v1 beside the loop."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        keeper: Keeper = app.state.keeper
        to_thread.current_default_thread_limiter().total_tokens = THREADS
        keeper.start()
        try:
            async with agents:
                yield
        finally:
            await keeper.stop()
            await app.state.previews.stop()
            await site.close()

    app = FastAPI(title="Vidence", version=__version__, docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.site, app.state.keeper, app.state.previews = site, Keeper(site), Previews(site)
    for router in ROUTERS:
        app.include_router(router, prefix="/api", responses=PROBLEMS)
    app.include_router(_watching(site), responses=PROBLEMS)
    loops = [Loop("vidence", "rules"), *(Loop(f"vidence/{model.name}", model.name) for model in site.models)]
    app.include_router(chat_router([*loops, *speakers]), responses=PROBLEMS)
    app.include_router(files.router, responses=PROBLEMS)
    agents = _agents(app, site)
    handle_errors(app)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    app.mount("/", _Page(directory=PAGE, html=True), name="page")
    app.add_middleware(Guard, site=site)
    return app


class _Page(StaticFiles):
    """The page's files. A browser asks each time whether they have changed, as they do with a new version."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """Send one, or say that it is the same as before."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


def _agents(app: FastAPI, site: Site) -> AbstractAsyncContextManager[None]:
    """Add /mcp where its library is installed; return what it does while the application runs."""
    if find_spec("mcp") is None:
        return contextlib.nullcontext()
    from vidence.serving.agents.mounting import mount

    return mount(app, site)


def _watching(site: Site) -> APIRouter:
    router = APIRouter(tags=["watching"])

    @router.get("/health")
    async def health(request: Request, response: Response) -> dict[str, str]:
        """Say whether the server is at work."""
        well = request.app.state.keeper.alive
        response.status_code = 200 if well else 503
        return {"status": "ok" if well else "failing", "version": __version__}

    @router.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    def metrics() -> Response:
        """Send the counters as Prometheus reads them."""
        return Response(site.counted(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return router


def _described(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, with the token that a server may ask for."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes)
        document.setdefault("components", {})["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer"}
        }
        document["security"] = [{}, {"token": []}]
        app.openapi_schema = document
    return app.openapi_schema
