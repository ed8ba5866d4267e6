"""Byte-level pieces, as GPT-2 introduced them: a vocabulary in which every byte has a printable letter of its own.

Whisper and Florence-2 write and read with such vocabularies. Decoding joins the bytes of the pieces; encoding joins
the pairs of a word's letters in the order in which training merged them (Sennrich et al. 2016, arXiv 1508.07909).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

# a word with the space before it, a number, or a run of marks: enough for the plain prompts that we encode ourselves
_PARTS = re.compile(r" ?[^\W\d_]+| ?\d+| ?[^\s\w]+|\s+")


@cache
def letters() -> tuple[str, ...]:
    """Return the letter that stands for each of the 256 bytes.

    Bytes that print in Latin-1 stand for themselves; the others take the letters from U+0100 on, in their order.
    """
    plain = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return tuple(chr(byte if byte in plain else next(others)) for byte in range(256))


def to_bytes(piece: str) -> bytes:
    """Return the bytes that a piece of the vocabulary stands for."""
    return bytes(_byte_of()[letter] for letter in piece)


def pieces(vocabulary: Mapping[str, int]) -> dict[int, bytes]:
    """Return the bytes of each token of a vocabulary; tokens with other letters (special ones) are left out."""
    known = _byte_of()
    return {token: to_bytes(name) for name, token in vocabulary.items() if all(c in known for c in name)}


def read_vocabulary(path: Path) -> dict[str, int]:
    """Read a vocab.json: piece to token."""
    return json.loads(path.read_text(encoding="utf-8"))


def read_merges(path: Path) -> list[tuple[str, str]]:
    """Read a merges.txt: one pair a line, the first merged first, after an optional line of version."""
    lines = path.read_text(encoding="utf-8").splitlines()
    pairs = [line.split(" ") for line in lines if line and not line.startswith("#version")]
    return [(left, right) for left, right in pairs]


def encode(text: str, vocabulary: Mapping[str, int], merges: Sequence[tuple[str, str]]) -> list[int]:
    """Turn plain text into tokens."""
    rank = {pair: at for at, pair in enumerate(merges)}
    parts = (_written(part.encode()) for part in _PARTS.findall(text))
    return [vocabulary[piece] for part in parts for piece in _merged(list(part), rank)]


def _written(data: Iterable[int]) -> str:
    table = letters()
    return "".join(table[byte] for byte in data)


def _merged(symbols: list[str], rank: Mapping[tuple[str, str], int]) -> list[str]:
    while len(symbols) > 1:
        pairs = list(pairwise(symbols))
        best = min(pairs, key=lambda pair: rank.get(pair, len(rank)))
        if best not in rank:
            break
        joined: list[str] = []
        for symbol in symbols:
            if joined and (joined[-1], symbol) == best:
                joined[-1] += symbol
            else:
                joined.append(symbol)
        symbols = joined
    return symbols


@cache
def _byte_of() -> dict[str, int]:
    return {letter: byte for byte, letter in enumerate(letters())}
