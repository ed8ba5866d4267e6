"""/api/me and /api/session: who asks, and the cookie for what a page shows by address."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter, Request, Response

from vidence import __version__
from vidence.apps import TITLES
from vidence.exports import FORMATS
from vidence.senses import default_senses
from vidence.serving.api.reaching import Here, Serving
from vidence.serving.api.shapes import App, Me, Policy, Session
from vidence.serving.guarding.tokens import COOKIE, SESSION_S, digest_of
from vidence.serving.refusing import Refused

router = APIRouter(tags=["session"])


@router.get("/me")
def me(site: Serving, library: Here) -> Me:
    """Tell who asks, and what this server offers."""
    policies = [
        Policy(name="rules", label="Rules"),
        *(Policy(name=m.name, label=m.name) for m in site.models),
    ]
    return Me(
        name=library.name,
        version=__version__,
        senses=[sense.name for sense in default_senses(site.settings.senses, tier=site.settings.tier)],
        formats=[*FORMATS, "html"],
        policies=policies,
        apps=[App(name=name, title=title) for name, title in TITLES.items()],
        limits=asdict(site.settings.limits),
        tokens=site.tokens is not None,
    )


@router.post("/session")
async def begin_session(request: Request, response: Response, site: Serving) -> Session:
    """Give a cookie for addresses in a page (`<video src>`), which cannot bear a token; it only reads."""
    name = request.state.user
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if site.tokens is not None:
        if kind.lower() != "bearer":
            raise Refused(401, "a session begins with a token: Authorization: Bearer TOKEN")
        cookie = site.sessions.begin(name, digest_of(token.strip()))
        response.set_cookie(
            COOKIE, cookie, max_age=SESSION_S, httponly=True, samesite="strict",
            secure=request.url.scheme == "https",
        )  # fmt: skip
    return Session(name=name)


@router.delete("/session", status_code=204)
async def end_session(request: Request, site: Serving) -> Response:
    """Make the cookie good for nothing."""
    if cookie := request.cookies.get(COOKIE):
        site.sessions.end(cookie)
    answer = Response(status_code=204)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer
