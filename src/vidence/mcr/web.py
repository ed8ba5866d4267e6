"""Knowledge from outside the video: a SearXNG server, or documents at hand. It is data, and cites no span."""

from __future__ import annotations

import json
import sqlite3
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Protocol

from vidence.errors import UsageError
from vidence.printable import printable

TIMEOUT_S = 10.0
MOST_CHARS = 500  # of a page's text
MOST_BYTES = 4 << 20  # of a server's reply
KINDS = (".txt", ".md", ".rst", ".html", ".htm", ".json", ".csv")


@dataclass(frozen=True, slots=True)
class Found:
    """One page or passage."""

    title: str
    place: str  # its address, or its file
    text: str

    def to_json(self) -> dict[str, str]:
        """Write as JSON values."""
        return asdict(self)


class WebSearch(Protocol):
    """Where knowledge is searched for."""

    def search(self, query: str, limit: int) -> list[Found]:
        """Return the best pages.

        Raises:
            UsageError: it cannot be reached.
        """
        ...


def open_web(place: str) -> WebSearch:
    """Open the address of a SearXNG server, or a folder or file of documents.

    Raises:
        UsageError: it is neither.
    """
    if place.startswith(("http://", "https://")):
        return SearXNG(place)
    return Documents(Path(place))


@dataclass(frozen=True, slots=True)
class SearXNG:
    """A SearXNG server; its settings must allow the format "json"."""

    address: str

    def search(self, query: str, limit: int) -> list[Found]:
        """Ask the server."""
        asked = urllib.parse.urlencode({"q": query, "format": "json"})
        url = f"{self.address.rstrip('/')}/search?{asked}"
        try:
            with urllib.request.urlopen(url, timeout=TIMEOUT_S) as reply:
                rows = json.loads(reply.read(MOST_BYTES))["results"]
        except (OSError, ValueError, KeyError, TypeError) as fault:
            status = fault.code if isinstance(fault, urllib.error.HTTPError) else fault
            raise UsageError(
                f"{self.address}: web search failed ({status}); SearXNG must run there and allow the format json"
            ) from fault
        return [_found(row) for row in rows[:limit] if isinstance(row, dict)]


class Documents:
    """Text files, cut into passages and searched by words."""

    def __init__(self, place: Path) -> None:
        files = [place] if place.is_file() else sorted(place.rglob("*")) if place.is_dir() else []
        files = [file for file in files if file.suffix.lower() in KINDS and file.is_file()]
        if not files:
            raise UsageError(f"{place}: holds no documents; give a folder or file of {', '.join(KINDS)}")
        self._passages = sqlite3.connect(":memory:", check_same_thread=False)
        self._passages.execute("CREATE VIRTUAL TABLE passage USING fts5(place UNINDEXED, title, text)")
        for file in files:
            rows = ((str(file), file.stem, each) for each in _passages(file))
            self._passages.executemany("INSERT INTO passage VALUES (?, ?, ?)", rows)

    def search(self, query: str, limit: int) -> list[Found]:
        """Return the passages that share most words with the query, rare ones first."""
        words = ["".join(letter for letter in word if letter.isalnum()) for word in query.split()]
        asked = " OR ".join(f'"{word}"' for word in words if word)
        if not asked:
            return []
        rows = self._passages.execute(
            "SELECT title, place, text FROM passage WHERE passage MATCH ? ORDER BY bm25(passage) LIMIT ?",
            (asked, limit),
        )
        return [Found(*row) for row in rows]


def _found(row: dict[str, Any]) -> Found:
    title, place, text = (printable(str(row.get(key) or "")) for key in ("title", "url", "content"))
    return Found(title, place, text[:MOST_CHARS])


def _passages(file: Path) -> Iterator[str]:
    """Yield a document's text in passages of whole paragraphs, or parts of very long ones."""
    text = file.read_text(encoding="utf-8", errors="replace")
    if file.suffix.lower() in (".html", ".htm"):
        text = _visible(text)
    kept = ""
    for part in _short(text.split("\n\n")):
        if kept and len(kept) + len(part) > MOST_CHARS:
            yield kept
            kept = ""
        kept = f"{kept} {part}".strip()
    if kept:
        yield kept


def _short(paragraphs: Sequence[str]) -> Iterator[str]:
    for paragraph in paragraphs:
        words = printable(" ".join(paragraph.split()))
        yield from (words[at : at + MOST_CHARS] for at in range(0, len(words), MOST_CHARS))


def _visible(text: str) -> str:
    """Return what a page shows, without marks, scripts and styles."""
    reader = _Reader()
    reader.feed(text)
    return "".join(reader.parts)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts, self._hidden = list[str](), 0

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self._hidden += tag in ("script", "style")
        self.parts += ["\n\n"] if tag in ("p", "div", "li", "h1", "h2", "h3", "tr", "br") else []

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        self.parts += [] if self._hidden > 0 else [data]
