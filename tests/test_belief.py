"""The belief adds what is independent, counts what is said twice once, and is never surer than its clues."""

import math

from vidence.mcr.belief import Belief, Clue, Hypothesis
from vidence.mcr.context import Context
from vidence.policies.rules.options import contrast


def test_clues_of_one_channel_count_once() -> None:
    twice = Hypothesis("x", (Clue(0, 1.0, "on screen", "a"), Clue(0, 0.8, "on screen", "b")))
    assert twice.support == 1.0
    both = Hypothesis("x", (Clue(0, 1.0, "on screen", "a"), Clue(0, 0.8, "said", "b")))
    assert both.support == 1.8


def test_exclusive_probabilities_sum_to_one() -> None:
    belief = Belief((Hypothesis("a"), Hypothesis("b"), Hypothesis("c"))).with_clues([Clue(1, 2.0, "x", "")])
    odds = belief.probabilities()
    assert math.isclose(sum(odds), 1.0)
    assert belief.best() == (1, odds[1])


def test_none_of_these_takes_its_share() -> None:
    weak = Belief((Hypothesis("a", (Clue(0, 0.1, "x", ""),)),), none_of_these=0.9)
    strong = Belief((Hypothesis("a", (Clue(0, 4.0, "x", ""),)),), none_of_these=0.9)
    assert weak.probabilities()[0] < 0.5 < strong.probabilities()[0]


def test_without_hypotheses_there_is_no_best() -> None:
    assert Belief().best() is None


def test_contrast_is_silent_where_nothing_differs() -> None:
    assert contrast([0.4, 0.4, 0.4], 3.0, "x", [""] * 3) == []
    assert contrast([0.4, None, None], 3.0, "x", [""] * 3) == []


def test_contrast_sums_to_nothing() -> None:
    clues = contrast([1.0, 0.0, 0.5], 2.0, "x", [""] * 3)
    assert math.isclose(sum(c.weight for c in clues), 0.0, abs_tol=1e-9)
    assert max(clues, key=lambda c: c.weight).hypothesis == 0


def test_folding_keeps_the_instruction_the_newest_step_and_every_evidence_id() -> None:
    context = Context()
    context.append("instruction", "What is written?")
    for i in range(40):
        context.append("action", f"look({i})")
        context.append("feedback", "x" * 200, evidence=[f"e{i}"])
    folded = context.folded(375)
    assert folded[0].kind == "instruction"
    assert folded[-1] == context.steps[-1]
    assert sum(len(s.content) for s in folded[2:]) <= 1500
    kept = {e for step in folded for e in step.data.get("evidence", ())}
    assert kept == {f"e{i}" for i in range(40)}
    assert len(context.steps) == 81
