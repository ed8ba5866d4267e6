"""How much may be cached, and who gets it: a target, and ranks for every layer by what each lane is worth.

L layers, J pairs of a rope key, R latent width. A pair costs two lanes.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Sequence
from dataclasses import dataclass

from vidence.errors import UsageError

ELEMENT_BYTES = 2  # rows in 16 bits
LEAST_PAIRS, LEAST_RANK = 1, 4  # of any layer: no measurement is exact enough to give it nothing

_RANKS = re.compile(r"(\d+)\s*\+\s*(\d+)")
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*%|(0?\.\d+|1(?:\.0*)?)")
_BYTES = re.compile(r"(\d+)\s*(?:B|bytes)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked for: the same (rank, rope width) in every layer, or lanes of all layers to be shared out."""

    text: str
    ranks: tuple[int, int] | None
    lanes: int


@dataclass(frozen=True, slots=True)
class Worth:
    """What one layer loses, in nats of the model's output: by pair and by direction that is not kept, costliest first.

    vision_share: of the tokens. vision_z: by direction, the part of its cost that vision tokens bear.
    """

    pairs: Sequence[float]
    directions: Sequence[float]
    vision_share: float = 0.0
    vision: Sequence[float] | None = None


@dataclass(frozen=True, slots=True)
class Ranks:
    """A layer's share: pairs of the rope key, latent width of text rows and of vision rows."""

    pairs: int
    text: int
    vision: int


def parse_target(text: str, *, layers: int, groups: int, width: int) -> Target:
    """Read a target: "512+64" (latent + rope key), "28%" or "0.28" of the grouped-query cache, or "41472B" a token.

    Raises:
        UsageError: none of these, or more than grouped-query attention takes.
    """
    plain = 2 * groups * width
    if found := _RANKS.fullmatch(text.strip()):
        rank, rope = int(found[1]), int(found[2])
        if rope % 2 or rope < 2 or rank < 1:
            raise UsageError(
                f"--target {text}: the rope key is an even number of at least 2, the rank at least 1"
            )
        if rank + rope > plain or rope > groups * width:
            raise UsageError(
                f"--target {text}: rows of {rank + rope} are no smaller than this model's own keys and values of "
                f"{plain}; ask for a share of them instead, such as --keep 0.28"
            )
        return Target(text, (rank, rope), layers * (rank + rope))
    if found := _SHARE.fullmatch(text.strip()):
        share = float(found[1]) / 100 if found[1] else float(found[2])
        lanes = int(share * plain * layers)
    elif found := _BYTES.fullmatch(text.strip()):
        lanes = int(found[1]) // ELEMENT_BYTES
    else:
        raise UsageError(
            f"--target {text}: give ranks such as 512+64, a share such as 28% or 0.28, or bytes a token such as 41472B"
        )
    least = layers * (LEAST_RANK + 2 * LEAST_PAIRS)
    if not least <= lanes <= plain * layers:
        raise UsageError(
            f"--target {text} is {lanes * ELEMENT_BYTES} bytes a token; this model takes {least * ELEMENT_BYTES} to "
            f"{plain * layers * ELEMENT_BYTES}"
        )
    return Target(text, None, lanes)


def uniform(target: Target, layers: int, *, groups: int, width: int) -> list[Ranks]:
    """Give every layer the same: a sixth of its lanes to the rope key where the target does not say."""
    if target.ranks is not None:
        rank, rope = target.ranks
        return [Ranks(rope // 2, rank, rank)] * layers
    each = target.lanes // layers
    pairs = max(LEAST_PAIRS, min(round(each / 8), groups * width // 2))
    rank = max(1, min(each - 2 * pairs, 2 * groups * width))
    return [Ranks(pairs, rank, rank)] * layers


def allocate(target: Target, worths: Sequence[Worth], *, by_modality: bool = False) -> list[Ranks]:
    """Share the target's lanes out: always the pair or direction whose loss would cost most for the lanes it takes.

    With `by_modality` a direction may be kept for text alone, which takes only text tokens' share of a lane.
    """
    if target.ranks is not None:
        rank, rope = target.ranks
        return [Ranks(rope // 2, rank, rank) for _ in worths]
    kept = {
        "pairs": [min(LEAST_PAIRS, len(worth.pairs)) for worth in worths],
        "text": [min(LEAST_RANK, len(worth.directions)) for worth in worths],
        "vision": [min(LEAST_RANK, len(worth.directions)) for worth in worths],
    }
    left = target.lanes - sum(2 * one + rank for one, rank in zip(kept["pairs"], kept["text"], strict=True))
    heap: list[tuple[float, int, str, int]] = []

    def offer(layer: int, what: str) -> None:
        worth, at = worths[layer], kept[what][layer]
        if at < len(worth.pairs if what == "pairs" else worth.directions):
            # Rows of vision are the beginning of those of text: a direction beyond them is bought for both.
            kind = "both" if what == "vision" and at >= kept["text"][layer] else what
            heapq.heappush(heap, (-_gain(worth, kind, at, by_modality), layer, what, at))

    for layer in range(len(worths)):
        for what in ("pairs", "text", "vision") if by_modality else ("pairs", "text"):
            offer(layer, what)
    while heap:
        gain, layer, what, at = heapq.heappop(heap)
        if at != kept[what][layer]:
            continue  # bought meanwhile, together with another
        both = what == "vision" and at >= kept["text"][layer]
        kind = "both" if both else what
        if -gain != _gain(worths[layer], kind, at, by_modality):
            offer(layer, what)  # text has it by now, so vision alone is to pay
            continue
        price = _price(worths[layer], kind, by_modality)
        if price > left:
            continue
        left -= price
        for each in ("text", "vision") if both else (what,):
            kept[each][layer] += 1
            offer(layer, each)
    vision = kept["vision"] if by_modality else kept["text"]
    return [Ranks(*ranks) for ranks in zip(kept["pairs"], kept["text"], vision, strict=True)]


def _price(worth: Worth, what: str, by_modality: bool) -> float:
    if what == "pairs":
        return 2.0
    if what == "both" or not by_modality:
        return 1.0
    return worth.vision_share if what == "vision" else 1 - worth.vision_share


def _gain(worth: Worth, what: str, at: int, by_modality: bool) -> float:
    """Return what the next pair or direction is worth for each lane that it takes."""
    if what == "pairs":
        return worth.pairs[at] / 2
    cost = worth.directions[at]
    if by_modality and worth.vision is not None and what != "both":
        seen = worth.vision[at]
        cost = seen if what == "vision" else cost - seen
    return cost / max(_price(worth, what, by_modality), 1e-9)
