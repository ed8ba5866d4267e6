"""What a model's words say: a letter, a number, an interval; strictly as was asked for, and as a lenient reader would.

Both are reported side by side: on one checkpoint of a peer the two differ by seven points and more, and a score says
little without the reader that made it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from vidence.senses.language import normalise
from vidence.timeline import Span

_THOUGHT = re.compile(r"<think>.*?</think>|^.*</think>", re.DOTALL)
_STRICT = re.compile(r"^\s*\(?([A-Z])\)?\s*[.:)]?\s*$")
_SAID = re.compile(
    r"(?:answer|option|choice)(?:\s+(?:is|would be|should be))?\s*[:=]?\s*\**\s*\(?\b([A-Z])\b\)?(?!')",
    re.IGNORECASE,
)
_BOXED = re.compile(r"\\boxed\{\s*(?:\\text\{)?\s*\(?([A-Z])\)?", re.IGNORECASE)
_TAGGED = re.compile(r"<answer>\s*(.*?)\s*(?:</answer>|$)", re.DOTALL | re.IGNORECASE)
_HEAD = re.compile(r"^\W*([A-Z])(?:[.):,]|\s*[-–—]\s|\s*$)")
_ALONE = re.compile(r"(?<![\w'])([A-Z])(?![\w'])")
_NUMBER = re.compile(r"-?\d+(?:,\d{3})+(?:\.\d+)?|-?\d+(?:\.\d+)?")
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{2}(?:\.\d+)?)")


def strict_letter(text: str, count: int) -> int | None:
    """Return the index of the option whose letter is all that was said, of `count` options; None for anything else."""
    found = _STRICT.match(text)
    return _index(found[1], count) if found else None


def lenient_letter(text: str, options: Sequence[str]) -> int | None:
    """Return the option that was meant: a letter in any usual dress, the last said first, or an option's words.

    Thoughts between <think> marks are left out. Where two options are named and none is chosen, None.
    """
    said = _THOUGHT.sub("", text).strip()
    if tagged := _TAGGED.findall(said):
        said = tagged[-1]
    for pattern in (_STRICT, _BOXED, _SAID, _HEAD):
        for letter in reversed(pattern.findall(said)):
            if (index := _index(letter.upper(), len(options))) is not None:
                return index
    named = {i for letter in _ALONE.findall(said) if (i := _index(letter, len(options))) is not None}
    # "A" and "I" are words as well: alone they say nothing within a sentence.
    if len(named) == 1 and (index := named.pop()) not in (0, 8):
        return index
    return _worded(said, options)


def number(text: str) -> float | None:
    """Return the last number said, or None."""
    found = _NUMBER.findall(_THOUGHT.sub("", text))
    return float(found[-1].replace(",", "")) if found else None


def interval(text: str) -> Span | None:
    """Return the first two times said, in seconds or as a clock, as a span; None where there are none, or no length."""
    said = _THOUGHT.sub("", text)
    clocks = [
        float(hours or 0) * 3600 + float(minutes) * 60 + float(seconds)
        for hours, minutes, seconds in _CLOCK.findall(said)
    ]
    times = clocks if len(clocks) >= 2 else [float(one.replace(",", "")) for one in _NUMBER.findall(said)]
    if len(times) < 2 or times[1] <= times[0] or times[0] < 0:
        return None
    return Span.of(str(times[0]), str(times[1]))


def holds(text: str, true: str) -> bool:
    """Tell whether a short answer holds the true words, allowing one letter in six of each to be misread.

    One that is more than four times as long names too much to be an answer.
    """
    left, right = normalise(_THOUGHT.sub("", text)).split(), normalise(true).split()
    if not left or len("".join(left)) > 4 * max(len("".join(right)), 3):
        return False
    return all(max(SequenceMatcher(None, word, one).ratio() for one in left) >= 1 - 1 / 6 for word in right)


def _index(letter: str, count: int) -> int | None:
    at = ord(letter) - ord("A")
    return at if 0 <= at < count else None


def _worded(said: str, options: Sequence[str]) -> int | None:
    """Return the one option whose words were said; of options that lie in one another the longest."""
    plain = normalise(said)
    named = [at for at, option in enumerate(options) if f" {normalise(option)} " in f" {plain} "]
    longest = max(named, key=lambda at: len(options[at]), default=None)
    if longest is None:
        return None
    outer = normalise(options[longest])
    return longest if all(f" {normalise(options[at])} " in f" {outer} " for at in named) else None
