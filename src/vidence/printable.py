"""Text and JSON without the codes that would steer a terminal or break a file."""

from __future__ import annotations

import json
import re
from typing import Any

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f]")
_C1 = re.compile(r"[\x7f-\x9f]")
_DIRECTION = re.compile(r"[\u202a-\u202e\u2066-\u2069]")


def printable(text: str, *, directions: bool = True) -> str:
    """Drop control codes except tab and line ends; without `directions` also the overrides of writing direction.

    A video's subtitles, signs and metadata are written by strangers: an escape sequence in them could recolour,
    retitle or rewrite the terminal, and an override of direction could make a line read as another.
    """
    kept = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return kept if directions else _DIRECTION.sub("", kept)


def to_json_text(value: Any) -> str:
    """Write JSON, indented, letters as they are, every control code escaped.

    Raises:
        ValueError: a number is infinite or not a number.
    """
    text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)
    return _C1.sub(lambda code: f"\\u{ord(code[0]):04x}", text)  # json escapes those below 0x20 by itself
