"""Formulas and code on screen, line by line and put together as they stand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from vidence.apps.study.slides import Slide, SlideLine
from vidence.timeline import Instant, Span

Kind = Literal["formula", "code"]

_CODE = re.compile(
    r"(?:^\s*(?:def|class|import|from|return|while|for|if|elif|else|try|except|with|public|private|static|void|int|"
    r"float|double|char|const|let|var|function|func|fn|struct|package|using|namespace|print|echo|sudo|pip|git|npm|cd|ls|"
    r"SELECT|INSERT|UPDATE|DELETE|CREATE)\b[^.]*[(){}\[\];:=<>$]|^\s*[$>#]\s?\w+|[;{]\s*$|^\s*[}\])]+;?\s*$|=>|::|\+\+|"
    r"\w+\.\w+\(|^\s*#include|^\s*//|^\s*</?\w+|\w+\(.*\)\s*[;:]?$|^\s*\w+ = [\[{(\"'])"
)
_OPERATORS = re.compile(r"[=≤≥≠≈≡∝→⇒⇔∈∉⊂∪∩∀∃∑Σ∏∫√∂∇±×÷^]|->|<=|>=")
_MATHS = re.compile(r"[∑Σ∏∫√∂∇∞≤≥≠≈∈∉⊂∪∩∀∃αβγδελμπρσφωΔΩ²³]")
_PLAIN = re.compile(r"^[\d\s.,:/%-]+$|https?:|www\.|@|\b\d{1,2}:\d{2}\b")
_WORDY = re.compile(r"[A-Za-z]{4,}")
CALL = re.compile(r"^[A-Za-z]\w{0,2}\(.*\)")  # d(v), f(x, y): a function of mathematics, not a call


@dataclass(frozen=True, slots=True)
class OnScreen:
    """A formula, or a block of code, of one slide."""

    kind: Kind
    text: str
    span: Span
    slide: int
    shown: Instant
    lines: tuple[SlideLine, ...]

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values."""
        return {"kind": self.kind, "text": self.text, "slide": self.slide, **self.span.to_json()}


def find_on_screen(slides: Sequence[Slide]) -> list[OnScreen]:
    """Return the formulas and blocks of code, in order of the slides."""
    found: list[OnScreen] = []
    for slide in slides:
        kinds = [(line, kind_of(line.text)) for line in slide.lines]
        code = [line for line, kind in kinds if kind == "code"]
        if len(code) >= 2 or (code and len(code) * 2 >= len(slide.body)):
            block = _block(slide, code)
            found.append(
                OnScreen(
                    "code", _indented(block), slide.appearances[0], slide.number, slide.shown, tuple(block)
                )
            )
        else:
            code = []
        for line, kind in kinds:
            if kind == "formula" and line not in code and line.text != slide.title:
                found.append(
                    OnScreen("formula", line.text, slide.appearances[0], slide.number, slide.shown, (line,))
                )
    return [one for one in found if one.kind == "code" or not _in_block(one, found)]


def kind_of(text: str) -> Kind | None:
    """Tell a line of code and a formula from words."""
    plain = text.strip()
    if len(plain) < 3 or _PLAIN.search(plain):
        return None
    if "=" not in plain and not any(c.isalpha() for c in plain.replace("×", "")):
        return None  # "1024 × 768 (4:3)"
    signs = len(_OPERATORS.findall(plain))
    long_words = len(_WORDY.findall(plain))
    if CALL.match(plain) and signs:
        return "formula"
    if _CODE.search(plain) and not (signs and long_words == 0 and plain[-1] not in ";{}:])"):
        return "code"
    if _MATHS.search(plain) and long_words <= 3:
        return "formula"
    if signs and long_words <= 1 and len(plain.split()) <= 16:
        return "formula"
    return None


def _block(slide: Slide, code: Sequence[SlideLine]) -> list[SlideLine]:
    """Return the lines from the first of code to the last, whatever stands between them."""
    top, bottom = min(line.box.y for line in code), max(line.box.y for line in code)
    inside = [line for line in slide.lines if top <= line.box.y <= bottom and line.text != slide.title]
    return sorted(inside, key=lambda line: (round(line.box.y / 0.02), line.box.x))


def _indented(lines: Sequence[SlideLine]) -> str:
    """Write lines one below the other, moved in by as many steps as they stand on screen."""
    widths = sorted(line.box.w / max(len(line.text), 1) for line in lines)
    letter = widths[len(widths) // 2] or 0.01
    left = min(line.box.x for line in lines)
    moved = [line.box.x - left for line in lines]
    step = min((by for by in moved if by > letter), default=4 * letter)
    return "\n".join(
        " " * (4 * round(by / step)) + line.text.strip() for line, by in zip(lines, moved, strict=True)
    )


def _in_block(one: OnScreen, found: Sequence[OnScreen]) -> bool:
    return any(other.kind == "code" and one.lines[0] in other.lines for other in found)
