"""Fetch a file from an address that is checked, and again wherever it leads; within a size and a time.

Written on `http.client`, which follows nothing by itself and knows no proxies: it is told to which of the checked
addresses to connect, so that a name cannot lead elsewhere between the check and the connection.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from vidence import __version__
from vidence.errors import MediaError
from vidence.serving.fetching import Target, check_url
from vidence.serving.refusing import Refused

if TYPE_CHECKING:
    from vidence.serving.worker import Task, Tell

REDIRECTS, CONNECT_S, SILENCE_S = 5, 10.0, 30.0
BLOCK = 1 << 18
TELL_EVERY_S = 0.5
_MOVED = {301, 302, 303, 307, 308}


def fetch(task: Task, tell: Tell) -> dict[str, Any]:
    """Fetch `url` into the file `place`, `bytes` at most, within `limit_s` seconds.

    Raises:
        MediaError: it may not be fetched, or cannot be.
    """
    deadline = time.monotonic() + task["limit_s"]
    url = task["url"]
    for _ in range(REDIRECTS + 1):
        try:
            target = check_url(url, task["allowed"])
        except Refused as refusal:
            raise MediaError(f"it leads where nothing may be fetched: {refusal}") from None
        try:
            moved = _get(target, task, tell, deadline)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise MediaError(f"{target.host} did not send it ({error or type(error).__name__})") from error
        if moved is None:
            return {}
        url = urljoin(url, moved)
    raise MediaError(f"it is sent on from one address to the next more than {REDIRECTS} times")


def _get(target: Target, task: Task, tell: Tell, deadline: float) -> str | None:
    """Ask for the file and write it; return instead where it has moved to."""
    connection = _Checked(target, deadline)
    try:
        headers = {"User-Agent": f"vidence/{__version__}", "Accept": "*/*", "Accept-Encoding": "identity"}
        connection.request("GET", target.path, headers=headers)
        answer = connection.getresponse()
        if answer.status in _MOVED and (place := answer.headers.get("Location")):
            return place
        if answer.status != 200:
            raise MediaError(f"{target.host} answered {answer.status}")
        _write(answer, connection, task, tell, deadline)
        return None
    finally:
        connection.close()


def _write(
    answer: http.client.HTTPResponse, connection: _Checked, task: Task, tell: Tell, deadline: float
) -> None:
    most, total, done, told_at = task["bytes"], answer.length, 0, 0.0
    if total is not None and total > most:
        raise MediaError(f"it has {total:,} bytes; {most:,} are allowed")
    with Path(task["place"]).open("wb") as file:
        while block := answer.read1(BLOCK):
            done += len(block)
            if done > most:
                raise MediaError(f"it has more than the {most:,} bytes that are allowed")
            file.write(block)
            if time.monotonic() > deadline:
                raise MediaError("it took longer than is allowed")
            connection.hurry()
            if time.monotonic() - told_at > TELL_EVERY_S:
                told_at = time.monotonic()
                tell({"bytes": [done, total]})
    tell({"bytes": [done, total]})
    if total is not None and done < total:
        raise MediaError(f"only {done:,} of {total:,} bytes came")
    if not done:
        raise MediaError("it is empty")


class _Checked(http.client.HTTPConnection):
    """A connection to a checked address, encrypted where the scheme says so."""

    def __init__(self, target: Target, deadline: float) -> None:
        super().__init__(target.host, target.port, timeout=CONNECT_S)
        self._target, self._deadline = target, deadline

    def connect(self) -> None:
        """Connect to the first checked address that answers."""
        trouble: OSError | None = None
        for address in self._target.addresses:
            try:
                self.sock = socket.create_connection((address, self._target.port), CONNECT_S)
                break
            except OSError as error:
                trouble = error
        else:
            raise trouble or OSError("it has no address")
        if self._target.scheme == "https":
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self._target.host)
        self.hurry()

    def hurry(self) -> None:
        """Wait for the next bytes only as long as is left."""
        if self.sock is not None:
            self.sock.settimeout(max(0.01, min(SILENCE_S, self._deadline - time.monotonic())))
