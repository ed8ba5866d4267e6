"""Sources that are plain downloads: a URL, or a file of a repository on the Hugging Face hub."""

from __future__ import annotations

import hashlib
import os
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote, urlsplit

from vidence.catalogue.source import Progress, Source, SourceFailed

TIMEOUT_S = 30  # without a single byte
CHUNK = 1 << 20


def download(
    url: str, target: Path, what: str, progress: Progress, headers: dict[str, str] | None = None
) -> None:
    """Stream `url` into `target`, through the environment's proxy and certificates (SSL_CERT_FILE).

    Raises:
        SourceFailed: no answer, a refusal, or fewer bytes than announced.
    """
    request = urllib.request.Request(url, headers={"User-Agent": "vidence", **(headers or {})})
    done = 0
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer, target.open("wb") as out:
            length = answer.headers.get("Content-Length")
            total = int(length) if length else None
            while chunk := answer.read(CHUNK):
                out.write(chunk)
                done += len(chunk)
                progress(what, done, total)
    except (urllib.error.URLError, TimeoutError, HTTPException, ConnectionError, ValueError) as problem:
        raise SourceFailed(f"{url}: {problem}") from problem
    if total is not None and done != total:
        raise SourceFailed(f"{url}: the download broke off at {done} of {total} bytes")


@dataclass(frozen=True, slots=True)
class Url:
    """A plain URL."""

    url: str
    kind: ClassVar[str] = "url"

    @property
    def filename(self) -> str:
        return urlsplit(self.url).path.rsplit("/", 1)[-1]

    def describe(self) -> str:
        return self.url

    @property
    def archive(self) -> str | None:
        return None

    def locate(self) -> Path | None:
        return None

    def fetch(self, folder: Path, progress: Progress, also: Sequence[Source] = ()) -> dict[Source, Path]:
        target = folder / self.filename
        download(self.url, target, self.filename, progress)
        return {self: target}


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The hub tells a file's hash in the headers of its redirect, which must be read, not followed."""

    def redirect_request(self, *args: object, **kwargs: object) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Hub:
    """A file of a Hugging Face repository at a fixed revision.

    HF_ENDPOINT (a mirror), HF_TOKEN, HF_HOME, HF_HUB_CACHE and HF_HUB_OFFLINE are respected; a file that is
    already in the hub's own cache is used where it lies. What arrives is checked against the hub's hash.
    """

    repo: str
    revision: str  # a commit, so that the file can never change under the name
    file: str
    kind: ClassVar[str] = "hub"

    @property
    def filename(self) -> str:
        return self.file.rsplit("/", 1)[-1]

    def describe(self) -> str:
        return f"hub {self.repo}@{self.revision}: {self.file}"

    @property
    def archive(self) -> str | None:
        return None

    def locate(self) -> Path | None:
        home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface").expanduser()
        hub = Path(os.environ.get("HF_HUB_CACHE") or home / "hub").expanduser()
        repo = hub / ("models--" + self.repo.replace("/", "--"))
        named = repo / "refs" / self.revision
        commit = named.read_text().strip() if named.is_file() else self.revision
        path = repo / "snapshots" / commit / self.file
        return path if path.is_file() else None

    def fetch(self, folder: Path, progress: Progress, also: Sequence[Source] = ()) -> dict[Source, Path]:
        if os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on"):
            raise SourceFailed("HF_HUB_OFFLINE is set, and the hub's cache does not hold the file")
        endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
        url = f"{endpoint}/{self.repo}/resolve/{quote(self.revision, safe='')}/{quote(self.file)}"
        token = os.environ.get("HF_TOKEN")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        expected = self._hub_hash(url, headers)
        target = folder / self.filename
        download(url, target, f"{self.repo}/{self.file}", progress, headers)
        if expected and (actual := _hub_style_hash(target, expected)) != expected:
            raise SourceFailed(f"{url}: the hub says its hash is {expected}, what arrived has {actual}")
        return {self: target}

    def _hub_hash(self, url: str, headers: dict[str, str]) -> str:
        """Ask the hub for its own hash: SHA-256 for large files, git's blob SHA-1 for small ones."""
        request = urllib.request.Request(url, method="HEAD", headers={"User-Agent": "vidence", **headers})
        try:
            with urllib.request.build_opener(_NoRedirect).open(request, timeout=TIMEOUT_S) as answer:
                found = answer.headers
        except urllib.error.HTTPError as answer:
            if answer.code not in (301, 302, 303, 307, 308):
                raise SourceFailed(f"{url}: {answer}") from answer
            found = answer.headers
        except (urllib.error.URLError, TimeoutError, HTTPException, ConnectionError, ValueError) as problem:
            raise SourceFailed(f"{url}: {problem}") from problem
        return (found.get("X-Linked-Etag") or found.get("ETag") or "").removeprefix("W/").strip('"')


def _hub_style_hash(path: Path, expected: str) -> str:
    if len(expected) == 40:
        data = path.read_bytes()
        return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
