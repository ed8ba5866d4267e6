"""Whisper's vocabulary, and what it may write next (Radford et al. 2022, arXiv 2212.04356, sections 2.3 and 4.5).

A transcript is written as start, language, task, then phrases, each between two tokens of time in steps of 20 ms.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from vidence.errors import WeightsError
from vidence.senses.byte_level import pieces

TIME_STEP_S = 0.02
LATEST_FIRST = (
    50  # steps: a transcript's first phrase begins within its first second, or it skips what is said
)
# Marks of annotations ("[music]", "(laughs)", "♪"), which are not speech; commas, stops and quotes may be written.
_ANNOTATING = frozenset("[](){}<>#*@_^|~\\=+/♪♩♫♬♭♮♯「」『』【】《》")


@dataclass(frozen=True)
class Vocabulary:
    """Tokens and what they stand for. `texts` maps text tokens to their bytes, `special` names to the other tokens."""

    texts: dict[int, bytes]
    special: dict[str, int]

    @property
    def start(self) -> int:
        """Begins every transcript."""
        return self.special["<|startoftranscript|>"]

    @property
    def end(self) -> int:
        """Ends it; text tokens are below it."""
        return self.special["<|endoftext|>"]

    @property
    def transcribe(self) -> int:
        """Asks for the words in the language spoken, not in English."""
        return self.special["<|transcribe|>"]

    @property
    def first_time(self) -> int:
        """Stands for 0.00 s; the times follow in steps of `TIME_STEP_S`."""
        return self.special["<|notimestamps|>"] + 1

    @cached_property
    def languages(self) -> dict[str, int]:
        """Language codes and their tokens."""
        between = range(self.start + 1, self.special["<|translate|>"])
        return {name[2:-2]: token for name, token in self.special.items() if token in between}

    @cached_property
    def never(self) -> np.ndarray:
        """Tokens that are never written: annotations, and all that is special but the end and times."""
        marks = [token for token, data in self.texts.items() if _annotates(data)]
        return np.array(sorted({*marks, *range(self.end + 1, self.first_time)}))

    @cached_property
    def blanks(self) -> np.ndarray:
        """What a phrase may not begin with: a bare space."""
        return np.array([token for token, data in self.texts.items() if data == b" "])

    def text(self, tokens: Sequence[int]) -> str:
        """Return the text of some tokens; a character cut in half reads as U+FFFD."""
        return b"".join(self.texts.get(token, b"") for token in tokens).decode("utf-8", "replace")


def read_tokenizer(path: Path) -> Vocabulary:
    """Read the tokenizer.json that lies beside a Whisper model.

    Raises:
        WeightsError: it is not one of a multilingual Whisper.
    """
    table = json.loads(path.read_text(encoding="utf-8"))
    special = {one["content"]: one["id"] for one in table["added_tokens"]}
    wanted = ("<|startoftranscript|>", "<|endoftext|>", "<|transcribe|>", "<|translate|>", "<|notimestamps|>")
    if lacking := [name for name in wanted if name not in special]:
        raise WeightsError(
            f"{path} is no vocabulary of a multilingual Whisper: it lacks {', '.join(lacking)}"
        )
    words = {name: token for name, token in table["model"]["vocab"].items() if name not in special}
    return Vocabulary(pieces(words), special)


def allowed(logits: np.ndarray, written: Sequence[int], known: Vocabulary) -> np.ndarray:
    """Return the logits with what may not come next at -inf.

    Times come in pairs (end of a phrase, start of the next), never run backwards, and come whenever all of them
    together are likelier than any one word.
    """
    logits = logits.copy()
    logits[known.never] = -np.inf
    first = known.first_time
    if not written:
        logits[:first] = -np.inf
        logits[first + LATEST_FIRST + 1 :] = -np.inf
        return logits
    was_time, before_was_time = written[-1] >= first, len(written) < 2 or written[-2] >= first
    if was_time and before_was_time:  # a phrase has begun: it needs words
        logits[first:] = -np.inf
        logits[known.blanks] = -np.inf
    elif was_time:  # a phrase has ended: the next begins, or all is said
        logits[: known.end] = -np.inf
    latest = max(token for token in written if token >= first)
    logits[first : latest + (0 if was_time and not before_was_time else 1)] = -np.inf
    if _sum_log(logits[first:]) > logits[:first].max():
        logits[:first] = -np.inf
    return logits


def _sum_log(logits: np.ndarray) -> float:
    top = float(logits.max())
    return top if top == -np.inf else top + float(np.log(np.exp(logits - top).sum()))


def _annotates(data: bytes) -> bool:
    text = data.decode("utf-8", "replace").strip()
    return bool(text) and all(mark in _ANNOTATING for mark in text)
