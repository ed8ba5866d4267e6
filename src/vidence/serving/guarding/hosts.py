"""By which names a server may be called (DNS rebinding), and from which pages it may be written to (CSRF)."""

from __future__ import annotations

from urllib.parse import urlsplit

from vidence.serving.refusing import Refused
from vidence.serving.settings import LOOPBACK, Settings

WRITES = {"POST", "PUT", "PATCH", "DELETE"}


def names(settings: Settings) -> frozenset[str]:
    """Return the host names that requests may bear."""
    return frozenset(name.lower() for name in (*LOOPBACK, settings.host, *settings.names))


def check_host(host: str, known: frozenset[str]) -> None:
    """Check the Host header: a page elsewhere whose name leads here would bear its own.

    Raises:
        Refused: 421.
    """
    name = _name(f"//{host}")
    if name not in known:
        raise Refused(421, "this server is not called that; start it with --name NAME to let it be")


def check_origin(method: str, origin: str | None, site: str | None, host: str) -> None:
    """Check that a request that changes something comes from our own page, or from no page at all.

    Raises:
        Refused: 403.
    """
    if method not in WRITES:
        return
    strange = origin is not None and urlsplit(origin).netloc.lower() != host.lower()
    if strange or site in ("cross-site", "same-site"):
        raise Refused(403, "this came from a page of another site")


def _name(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
