"""Flash cards for Anki: a deck of the glossary and the quiz, as an .apkg file.

A card's identity is its question within its video: importing a deck again updates cards and keeps their schedule.
"""

from __future__ import annotations

import hashlib
import html
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from vidence.apps.study.study import Study
from vidence.printable import printable
from vidence.timeline import Span, clock

if TYPE_CHECKING:
    from genanki import Model, Note

MODEL_ID = 1_748_201_933  # for ever the same: Anki knows a kind of card by it
_FRONT = "{{Front}}"
_BACK = "{{FrontSide}}<hr id=answer>{{Back}}<p class=source>{{Source}}</p>"
_STYLE = (
    ".card{font-family:system-ui,sans-serif;font-size:20px;text-align:center}"
    ".source{font-size:13px;color:#777}ul{display:inline-block;text-align:left}"
)


def to_apkg(study: Study) -> bytes:
    """Return the deck as the bytes of an .apkg file."""
    import genanki

    model = genanki.Model(
        MODEL_ID,
        "Vidence question",
        fields=[{"name": name} for name in ("Front", "Back", "Source")],
        templates=[{"name": "Card 1", "qfmt": _FRONT, "afmt": _BACK}],
        css=_STYLE,
    )
    deck = genanki.Deck(_number(study.coverage.medium), f"Vidence::{_field(study.file)}")
    for point in study.glossary:
        front = f"What is meant by <b>{_field(point.name)}</b>?"
        deck.add_note(
            _note(model, study, front, _field(point.definition), point.source.span if point.source else None)
        )
    for item in study.quiz:
        options = "".join(f"<li>{_field(option)}</li>" for option in item.options)
        front = _field(item.question) + (f"<ul>{options}</ul>" if options else "")
        deck.add_note(_note(model, study, front, f"<b>{_field(item.answer)}</b>", item.span))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "deck.apkg"
        genanki.Package(deck).write_to_file(str(path))
        return path.read_bytes()


def _note(model: Model, study: Study, front: str, back: str, span: Span | None) -> Note:
    import genanki

    source = f"{_field(study.file)}, {clock(span.start, millis=False)}" if span else _field(study.file)
    guid = genanki.guid_for(study.coverage.medium, front)
    return genanki.Note(model=model, fields=[front, back, source], guid=guid)


def _number(text: str) -> int:
    """Return a number that a deck of this video always has, in the range that Anki takes."""
    return (1 << 30) + int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") % (1 << 30)


def _field(text: str) -> str:
    return html.escape(" ".join(printable(text, directions=False).split()), quote=False)
