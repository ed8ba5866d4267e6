"""The guard at the door: every request passes it, also those of what is mounted beside the API."""

from __future__ import annotations

import hmac
import time
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse

from vidence.serving.guarding.coming import Coming
from vidence.serving.guarding.hosts import WRITES, check_host, check_origin, names
from vidence.serving.guarding.rates import Rates
from vidence.serving.guarding.tokens import COOKIE, digest_of
from vidence.serving.refusing import Refused, body, busy
from vidence.serving.site import Site

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

GUARDED = ("/api", "/v1", "/mcp", "/metrics")  # what needs a token where there are tokens
METHODS = {*WRITES, "GET", "HEAD", "OPTIONS"}
POLICY = "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'"
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


class Guard:
    """Checks host, origin, token, rate and size; sets `scope["state"]["user"]`, the headers, and the metrics."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self.app, self.site = app, site
        limits = site.settings.limits
        self.names = names(site.settings)
        self.rates = Rates(limits.requests_per_s, limits.requests_at_once)
        self.logins = Rates(limits.failed_logins_per_minute / 60, limits.failed_logins_per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or refuse it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        begun, route, began = time.perf_counter(), "refused", False
        coming = Coming(scope, receive, self.site.settings.limits)

        async def answer(message: Message) -> None:
            nonlocal began
            if message["type"] == "http.response.start":
                began = True
                headers = MutableHeaders(scope=message)
                if not await coming.drained():
                    headers["Connection"] = "close"
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                status = str(message["status"])
                path = _pattern(scope) if "route" in scope else route
                method = scope["method"] if scope["method"] in METHODS else "other"
                self.site.metrics.requests.labels(method, path, status).inc()
                self.site.metrics.seconds.labels(path).observe(time.perf_counter() - begun)
            await send(message)

        try:
            self._check(scope)
            route = "other"
            await self.app(scope, coming.receive, answer)
        except Refused as refusal:
            if began:
                raise
            status = refusal.status_code
            told = JSONResponse(body(status, refusal.detail), status, refusal.headers)
            await told(scope, receive, answer)

    def _check(self, scope: Scope) -> None:
        headers, path, method = Headers(scope=scope), scope["path"], scope["method"]
        host = headers.get("host", "")
        check_host(host, self.names)
        check_origin(method, headers.get("origin"), headers.get("sec-fetch-site"), host)
        address = (scope.get("client") or ("unknown",))[0]
        user = "local" if self.site.tokens is None else self._user(headers, method, path, address)
        if wait_s := self.rates.wait_s(f"{user} {address}"):
            raise busy("too many requests", wait_s)
        scope.setdefault("state", {})["user"] = user

    def _user(self, headers: Headers, method: str, path: str, address: str) -> str | None:
        """Return whose request it is; None where none need say."""
        assert self.site.tokens is not None
        if not path.startswith(GUARDED):
            return None
        if wait_s := self.logins.wait_s(address, spend=False):
            raise busy("too many wrong tokens", wait_s)
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and token:
            if path.startswith("/v1") and hmac.compare_digest(token.encode(), self.site.secret.encode()):
                return "ourselves"
            user = self.site.tokens.holder(digest_of(token.strip()))
        elif (cookie := _cookie(headers)) and (method not in WRITES or path == "/api/session"):
            user = self.site.sessions.holder(cookie, self.site.tokens)
        else:
            raise Refused(401, "a token is needed: Authorization: Bearer TOKEN", headers=_ASK)
        if user is None:
            self.logins.wait_s(address)
            raise Refused(401, "this token is not known here", headers=_ASK)
        return user


def _pattern(scope: Scope) -> str:
    """Return the path with the names of its parameters in their places: metrics must not grow with what is asked."""
    path = scope["path"]
    for name, value in scope.get("path_params", {}).items():
        path = path.replace(str(value), f"{{{name}}}") if str(value) else path
    return path


_ASK = {"WWW-Authenticate": "Bearer"}


def _cookie(headers: Headers) -> str | None:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return found.value if found else None
