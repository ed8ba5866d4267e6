"""What is drawn: by probability, among the likeliest, from each one's own numbers."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from vidence.serving.sampling import Dice, Sampling, drawn  # noqa: E402

LOGITS = torch.tensor([0.5, 0.25, 0.125, 0.0625, 0.0625]).log()


def shares(sampling: Sampling, times: int = 4000) -> list[float]:
    dice = Dice(0)
    counts = torch.zeros(5)
    for _ in range(times // 8):
        for token in drawn(LOGITS.expand(8, -1), [sampling] * 8, [dice] * 8):
            counts[token] += 1
    return (counts / counts.sum()).tolist()


def test_tokens_come_as_often_as_they_are_likely() -> None:
    assert shares(Sampling(temperature=1)) == pytest.approx([0.5, 0.25, 0.125, 0.0625, 0.0625], abs=0.03)
    flatter = LOGITS.mul(0.5).softmax(-1).tolist()
    assert shares(Sampling(temperature=2)) == pytest.approx(flatter, abs=0.03)


@pytest.mark.parametrize(
    ("top_p", "expected"),
    [(0.4, [1, 0, 0, 0, 0]), (0.6, [2 / 3, 1 / 3, 0, 0, 0]), (0.8, [4 / 7, 2 / 7, 1 / 7, 0, 0])],
)
def test_only_the_likeliest_that_reach_top_p_are_drawn(top_p: float, expected: list[float]) -> None:
    assert shares(Sampling(temperature=1, top_p=top_p)) == pytest.approx(expected, abs=0.03)


def test_what_is_forbidden_is_never_drawn() -> None:
    logits = LOGITS.clone()
    logits[0] = logits[4] = -torch.inf
    found = {drawn(logits[None], [Sampling(temperature=1)], [Dice(seed)])[0] for seed in range(200)}
    assert found == {1, 2, 3}


def test_each_draws_its_own_whoever_else_does() -> None:
    def three(at: int, others: int) -> list[int]:
        samplings = [Sampling(temperature=0.0 if one % 2 else 1.3) for one in range(others + 1)]
        samplings[at] = Sampling(temperature=1)
        dice = [Dice(7) if one == at else Dice(None) for one in range(others + 1)]
        return [drawn(LOGITS.expand(others + 1, -1), samplings, dice)[at] for _ in range(12)]

    assert three(0, 0) == three(2, 3) == three(4, 4)
    assert drawn(LOGITS.expand(2, -1), [Sampling(), Sampling(temperature=1)], [Dice(1), Dice(1)])[0] == 0
