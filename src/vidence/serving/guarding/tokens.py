"""Who may come in: names and SHA-256 of tokens in a file, compared in constant time; the tokens are kept nowhere."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import threading
import time
from pathlib import Path

from vidence.errors import UsageError

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_LINE = re.compile(rf"({NAME.pattern})\s+sha256:([0-9a-f]{{64}})")
SESSION_S = 12 * 3600
COOKIE = "vidence_session"


class Tokens:
    """The tokens of a file, read again when it changes, so that one taken out is refused from then on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._read: tuple[float, dict[str, str]] = (-1.0, {})
        self.names()

    def names(self) -> list[str]:
        """Return whose tokens there are.

        Raises:
            UsageError: the file cannot be read, or a line of it.
        """
        return list(self._digests())

    def holder(self, digest: str) -> str | None:
        """Return whose token has a digest, or None; how long that takes tells nothing."""
        found = None
        for name, known in self._digests().items():
            if hmac.compare_digest(digest, known):
                found = name
        return found

    def _digests(self) -> dict[str, str]:
        with self._lock:
            try:
                changed = self.path.stat().st_mtime
                if changed != self._read[0]:
                    self._read = changed, read_tokens(self.path.read_text(encoding="utf-8"), self.path)
            except (OSError, UnicodeDecodeError) as error:
                raise UsageError(f"--tokens {self.path} cannot be read ({error})") from error
            return self._read[1]


class Sessions:
    """Cookies for what a page shows by address (video, pictures), each as good as the token it was given for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[str, str, float]] = {}

    def begin(self, name: str, digest: str) -> str:
        """Return a new cookie for the holder of the token with a digest."""
        cookie, now = secrets.token_urlsafe(32), time.monotonic()
        with self._lock:
            self._known = {key: one for key, one in self._known.items() if one[2] > now}
            self._known[digest_of(cookie)] = name, digest, now + SESSION_S
        return cookie

    def holder(self, cookie: str, tokens: Tokens) -> str | None:
        """Return whose a cookie is, while its token is good."""
        with self._lock:
            name, digest, until = self._known.get(digest_of(cookie), ("", "", 0.0))
        return name if until > time.monotonic() and tokens.holder(digest) == name else None

    def end(self, cookie: str) -> None:
        """Make a cookie good for nothing."""
        with self._lock:
            self._known.pop(digest_of(cookie), None)


def digest_of(token: str) -> str:
    """Return what is kept of a token: 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def read_tokens(text: str, path: Path) -> dict[str, str]:
    """Read "NAME sha256:HEX" lines, "#" for remarks, as name → digest.

    Raises:
        UsageError: a line is something else, or a name stands twice.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.partition("#")[0].strip()
        if not line:
            continue
        fits = _LINE.fullmatch(line)
        if fits is None or fits[1] in found:
            trouble = "the name stands twice" if fits else "is not 'NAME sha256:HEX'"
            raise UsageError(f"{path} line {number}: {trouble}; make lines with `vidence token NAME`")
        found[fits[1]] = fits[2]
    return found


def make_token(name: str, path: Path) -> str:
    """Add a new token to a file that only its owner may read, and return it: it cannot be read again.

    Raises:
        UsageError: the name is none, or has a token, or the file cannot be written.
    """
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name; use a to z, digits, - and _, 32 at most")
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if name in read_tokens(text, path):
            raise UsageError(f"{name} has a token in {path}; take out its line to make another")
        token = "vd-" + secrets.token_urlsafe(32)
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8"
        ) as file:
            file.write(
                ("" if not text or text.endswith("\n") else "\n") + f"{name} sha256:{digest_of(token)}\n"
            )
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror})") from error
    return token
