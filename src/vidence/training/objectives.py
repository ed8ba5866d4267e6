"""What the four stages minimise, as functions of the learned tokens' log-probabilities.

N learned tokens of a row, K trajectories in it. Each returns a sum; the loop divides by what the whole step weighs.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

NORMALISATIONS = ("token", "square", "sample")


def sample_weights(owners_N: Tensor, normalisation: str = "square") -> Tensor:
    """Weigh tokens by how many their sample has, n: 1, 1 / sqrt(n) (the published recipe) or 1 / n."""
    counts_K = torch.bincount(owners_N).float()
    power = {"token": 0.0, "square": -0.5, "sample": -1.0}[normalisation]
    return counts_K.pow(power)[owners_N]


def cross_entropy(logprobs_N: Tensor, weights_N: Tensor) -> Tensor:
    """Return the weighted sum of negative log-likelihoods."""
    return -(weights_N * logprobs_N).sum()


@dataclass(frozen=True, slots=True)
class Clip:
    """How far below and above 1 a sequence's importance ratio may go before it stops counting."""

    low: float = 3e-4
    high: float = 4e-4


def sequence_ratios(logprobs_N: Tensor, sampled_N: Tensor, owners_N: Tensor, count: int) -> Tensor:
    """Return by trajectory the geometric mean of its tokens' importance ratios (GSPO, equation 7)."""
    return _means(logprobs_N - sampled_N, owners_N, count).exp()


def gspo(
    logprobs_N: Tensor, sampled_N: Tensor, owners_N: Tensor, advantages_K: Tensor, clip: Clip
) -> tuple[Tensor, Tensor]:
    """Return the sum over trajectories of the clipped objective, negated, and which of them were clipped (K,).

    Source: Group Sequence Policy Optimization (arXiv 2507.18071), equations 5 and 7; the paper, section on rule-based
    reinforcement learning.
    """
    ratios_K = sequence_ratios(logprobs_N, sampled_N, owners_N, len(advantages_K))
    bounded_K = ratios_K.clamp(1 - clip.low, 1 + clip.high)
    plain_K, clipped_K = ratios_K * advantages_K, bounded_K * advantages_K
    return -torch.minimum(plain_K, clipped_K).sum(), clipped_K < plain_K


def reference_divergence(logprobs_N: Tensor, reference_N: Tensor, owners_N: Tensor, count: int) -> Tensor:
    """Return the sum over trajectories of their tokens' mean divergence from the reference, estimated without bias.

    exp(d) - d - 1 with d = log reference - log policy: never negative, and low in variance.
    """
    ahead_N = reference_N - logprobs_N
    return _means(ahead_N.exp() - ahead_N - 1, owners_N, count).sum()


def on_policy_distillation(
    logprobs_N: Tensor, sampled_N: Tensor, teacher_N: Tensor, owners_N: Tensor, count: int, most: float = 10.0
) -> Tensor:
    """Return the sum over trajectories of a loss with the gradient of the reverse divergence KL(student | teacher).

    The gradient of log pi(y_t) alone has expectation zero, so each token's advantage log teacher - log student (of when
    it was sampled, no gradient, cut at `most`) weighs it, as in a policy gradient with no look ahead; the importance
    ratio corrects for updates since. What the other trajectories' tokens have on average is taken off: it does not
    depend on what this one said, so it lowers the variance and leaves the mean gradient as it is.
    """
    advantages_N = (teacher_N - sampled_N).clamp(-most, most).detach()
    totals_K = advantages_N.new_zeros(count).index_add(0, owners_N, advantages_N)
    counts_K = torch.bincount(owners_N, minlength=count)
    others_K = (totals_K.sum() - totals_K) / (counts_K.sum() - counts_K).clamp_min(1)
    ratios_N = (logprobs_N - sampled_N.detach()).exp()
    return -_means((advantages_N - others_K[owners_N]) * ratios_N, owners_N, count).sum()


def group_advantages(rewards_G: Tensor, *, scaled: bool = True, least: float = 1e-6) -> Tensor:
    """Return rewards less their mean, over their deviation (G outcomes of one prompt); zero where all are equal."""
    centred_G = rewards_G - rewards_G.mean()
    return centred_G / (rewards_G.std(correction=0) + least) if scaled else centred_G


def _means(values_N: Tensor, owners_N: Tensor, count: int) -> Tensor:
    """Return the mean of each trajectory's tokens, (K,); zero for one that has none."""
    sums_K = values_N.new_zeros(count).index_add(0, owners_N, values_N)
    return sums_K / torch.bincount(owners_N, minlength=count).clamp_min(1)
