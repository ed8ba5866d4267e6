"""What an application shows besides its findings, as data: tables, pictures, text, charts, a diagram.

All text is escaped by the page; pictures are data URIs. A `Span` in a table's cell becomes a button that plays it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from vidence.timeline import Span

Cell = str | int | float | Span | None


@dataclass(frozen=True, slots=True)
class Figure:
    """A key number, written as it is to be read; `tone` is "", "good", "doubt" or "bad"."""

    label: str
    value: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head; numbers stand to the right."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""
    kind: str = field(default="table", init=False)


@dataclass(frozen=True, slots=True)
class Prose:
    """Paragraphs; `more` stands folded away below them (a longer summary, a transcript)."""

    title: str
    paragraphs: Sequence[str]
    more: Sequence[tuple[str, Sequence[str]]] = ()  # (heading, paragraphs)
    note: str = ""
    kind: str = field(default="prose", init=False)


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a list or gallery. `hidden` is shown on demand (the answer of a quiz)."""

    title: str
    text: str = ""
    span: Span | None = None
    picture: str | None = None
    tags: Sequence[str] = ()
    hidden: str = ""
    veiled: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """Entries one below the other (chapters, glossary, quiz), or side by side as a gallery (slides, shots, takes)."""

    title: str
    items: Sequence[Item]
    gallery: bool = False
    note: str = ""
    kind: str = field(default="listing", init=False)


@dataclass(frozen=True, slots=True)
class Picture:
    """One large picture, such as a heat map."""

    title: str
    uri: str
    caption: str = ""
    note: str = ""
    kind: str = field(default="picture", init=False)


@dataclass(frozen=True, slots=True)
class Chart:
    """Columns over time, under the timeline's clock: how many, how loud, how long."""

    title: str
    points: Sequence[tuple[Span, float]]
    unit: str = ""
    note: str = ""
    kind: str = field(default="chart", init=False)

    @property
    def most(self) -> float:
        """The largest value, never zero."""
        return max((value for _, value in self.points), default=0.0) or 1.0


@dataclass(frozen=True, slots=True)
class Bars:
    """Named amounts, side by side to compare."""

    title: str
    rows: Sequence[tuple[str, float, str]]  # name, amount, the amount in words
    note: str = ""
    kind: str = field(default="bars", init=False)

    @property
    def most(self) -> float:
        """The largest amount, never zero."""
        return max((amount for _, amount, _ in self.rows), default=0.0) or 1.0


@dataclass(frozen=True, slots=True)
class Node:
    """A box of a diagram: its middle as shares of the width and height."""

    name: str
    x: float
    y: float
    text: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Diagram:
    """Boxes and arrows between them (a concept map); `edges` are (from, to, label) by the nodes' names."""

    title: str
    nodes: Sequence[Node]
    edges: Sequence[tuple[str, str, str]]
    width: int = 960
    height: int = 480
    note: str = ""
    kind: str = field(default="diagram", init=False)

    def place(self, name: str) -> tuple[float, float]:
        """Return the middle of a node in pixels."""
        node = next(node for node in self.nodes if node.name == name)
        return node.x * self.width, node.y * self.height


Section = Table | Prose | Listing | Picture | Chart | Bars | Diagram
