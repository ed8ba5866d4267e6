"""Cut timed words into sentences, or into phrases where a sentence runs long or the speaker stops."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from vidence.senses.speech.recogniser import Word

STOP_S = 1.0  # a pause this long ends the phrase whatever the punctuation says
LONG_S = 8.0  # from here on a comma, or half a pause, is enough
_END = re.compile(r"[.?!…。？！]+[\"'”’)\]]*$")
_COMMA = re.compile(r"[,;:—–、，]$")
_ABBREVIATION = re.compile(
    r"^(?:[A-Z]|(?:[A-Za-z]\.)+[A-Za-z]?|Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|vs|etc|No|Lt|Col|Gen|Sgt|Capt)\.$"
)


def sentences(words: Iterable[Word]) -> list[tuple[Word, ...]]:
    """Group words into sentences in time order."""
    groups: list[list[Word]] = []
    for word in words:
        if not groups or _ends(groups[-1], word):
            groups.append([])
        groups[-1].append(word)
    return [tuple(group) for group in groups]


def _ends(group: Sequence[Word], following: Word) -> bool:
    last = group[-1]
    pause_s = following.start_s - last.end_s
    if pause_s >= STOP_S or (_END.search(last.text) and not _ABBREVIATION.match(last.text)):
        return True
    long = last.end_s - group[0].start_s >= LONG_S
    return long and (bool(_COMMA.search(last.text)) or pause_s >= STOP_S / 2)
