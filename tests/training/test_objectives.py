"""What is minimised has the gradient that it is said to have."""

from __future__ import annotations

import itertools

import pytest
import torch

from vidence.training.objectives import (
    Clip,
    cross_entropy,
    group_advantages,
    gspo,
    on_policy_distillation,
    reference_divergence,
    sample_weights,
    sequence_ratios,
)

WORDS, LENGTH = 4, 2


def logits(seed: int) -> torch.Tensor:
    """Return the logits of a policy without memory: (LENGTH, WORDS)."""
    return torch.randn(LENGTH, WORDS, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_on_policy_distillation_has_the_gradient_of_the_exact_divergence() -> None:
    student, teacher = logits(0).requires_grad_(), logits(1).log_softmax(-1)
    own = student.log_softmax(-1)
    exact = (own.exp() * (own - teacher)).sum() / LENGTH
    (wanted,) = torch.autograd.grad(exact, student)
    found = torch.zeros_like(student)
    for said in itertools.product(range(WORDS), repeat=LENGTH):
        at = torch.arange(LENGTH), torch.tensor(said)
        logprobs = student.log_softmax(-1)[at]
        sampled = logprobs.detach()
        owners = torch.zeros(LENGTH, dtype=torch.int64)
        loss = on_policy_distillation(logprobs, sampled, teacher[at], owners, 1, most=1e9)
        found += torch.autograd.grad(loss, student)[0] * sampled.sum().exp()
    torch.testing.assert_close(found, wanted)


def test_the_log_probability_of_samples_alone_teaches_nothing() -> None:
    student = logits(0).requires_grad_()
    found = torch.zeros_like(student)
    for said in itertools.product(range(WORDS), repeat=LENGTH):
        logprobs = student.log_softmax(-1)[torch.arange(LENGTH), torch.tensor(said)]
        found += torch.autograd.grad(logprobs.sum(), student)[0] * logprobs.detach().sum().exp()
    assert found.abs().max() < 1e-12


def test_sequence_ratio_is_the_geometric_mean_of_its_tokens() -> None:
    new, old = torch.tensor([-1.0, -2.0, -0.5]), torch.tensor([-1.5, -1.0, -0.5])
    ratios = sequence_ratios(new, old, torch.tensor([0, 0, 1]), 2)
    torch.testing.assert_close(ratios, torch.tensor([-0.25, 0.0]).exp())


def test_gspo_on_policy_is_the_policy_gradient() -> None:
    logprobs = torch.tensor([-1.0, -2.0, -0.5], requires_grad=True)
    owners, advantages = torch.tensor([0, 0, 1]), torch.tensor([2.0, -1.0])
    loss, clipped = gspo(logprobs, logprobs.detach(), owners, advantages, Clip())
    (found,) = torch.autograd.grad(loss, logprobs)
    torch.testing.assert_close(found, torch.tensor([-1.0, -1.0, 1.0]))
    assert not clipped.any()


@pytest.mark.parametrize(
    ("shift", "advantage", "moves"),
    [(0.1, 1.0, False), (0.1, -1.0, True), (-0.1, 1.0, True), (-0.1, -1.0, False)],
)
def test_gspo_stops_where_a_sequence_has_gone_far_enough(shift: float, advantage: float, moves: bool) -> None:
    old = torch.tensor([-1.0, -2.0])
    logprobs = (old + shift).requires_grad_()
    loss, clipped = gspo(logprobs, old, torch.zeros(2, dtype=torch.int64), torch.tensor([advantage]), Clip())
    (found,) = torch.autograd.grad(loss, logprobs)
    assert bool(found.abs().max() > 0) is moves
    assert bool(clipped[0]) is not moves


def test_divergence_from_a_reference_is_unbiased_and_never_negative() -> None:
    policy, reference = logits(2)[:1].log_softmax(-1), logits(3)[:1].log_softmax(-1)
    exact = (policy.exp() * (policy - reference)).sum()
    owners = torch.zeros(1, dtype=torch.int64)
    parts = [reference_divergence(policy[:, at], reference[:, at], owners, 1) for at in range(WORDS)]
    assert min(parts) >= 0
    found = sum(part * policy[0, at].exp() for at, part in enumerate(parts))
    torch.testing.assert_close(found, exact)


def test_weights_by_the_length_of_samples() -> None:
    owners = torch.tensor([0, 0, 0, 0, 1])
    torch.testing.assert_close(sample_weights(owners, "square"), torch.tensor([0.5, 0.5, 0.5, 0.5, 1.0]))
    torch.testing.assert_close(sample_weights(owners, "sample").sum(), torch.tensor(2.0))
    assert cross_entropy(torch.full((5,), -2.0), sample_weights(owners, "token")) == 10


def test_advantages_are_against_the_group() -> None:
    assert group_advantages(torch.tensor([1.0, 0.0, 1.0, 0.0])).tolist() == pytest.approx(
        [1, -1, 1, -1], abs=1e-4
    )
    assert group_advantages(torch.ones(3)).tolist() == [0, 0, 0]
