"""Who gets the cache: what is worth most for the lanes it takes, and no row of vision wider than one of text."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from vidence.models.internvideo3.convert.budget import LEAST_RANK, Worth, allocate, parse_target

TARGET = parse_target("50%", layers=2, groups=2, width=16)
PAIRS = [0.1**step for step in range(16)]
DIRECTIONS = [0.8**step for step in range(64)]


def worth(seen: float) -> Worth:
    """Return what a layer loses where vision, half of the tokens, bears this share of every direction's cost."""
    return Worth(PAIRS, DIRECTIONS, 0.5, [seen * cost for cost in DIRECTIONS])


def test_vision_rows_are_never_wider_than_those_of_text() -> None:
    for seen in (0.05, 0.5, 0.99):
        ranks = allocate(TARGET, [worth(seen), worth(seen)], by_modality=True)
        assert all(LEAST_RANK <= one.vision <= one.text for one in ranks)
        spent = sum(2 * one.pairs + (one.text + one.vision) / 2 for one in ranks)
        assert TARGET.lanes - 2 < spent <= TARGET.lanes


def test_who_bears_the_loss_gets_the_lanes() -> None:
    text, seeing = (allocate(TARGET, [worth(seen)] * 2, by_modality=True)[0] for seen in (0.05, 0.99))
    assert text.text > text.vision
    assert seeing.text == seeing.vision
    even = allocate(TARGET, [worth(0.99)] * 2)[0]
    assert even.text == even.vision
