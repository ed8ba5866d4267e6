"""TRL's loss, where TRL is installed, says what ours should be."""

from __future__ import annotations

from collections import defaultdict
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
import torch
from torch import Tensor

from vidence.training.objectives import Clip, gspo, reference_divergence

CLIP, WEIGHT = Clip(0.05, 0.1), 0.04
LENGTHS = (3, 5, 1, 4)


def theirs(
    logprobs_BT: Tensor, old_BT: Tensor, reference_BT: Tensor, mask_BT: Tensor, advantages_B: Tensor
) -> Tensor:
    """Run TRL's GRPO loss with ratios by sequence on given log-probabilities, without a trainer around it."""
    grpo = pytest.importorskip("trl.trainer.grpo_trainer", reason="TRL is not installed")
    trainer = MagicMock()
    trainer._get_per_token_logps_and_entropies.return_value = logprobs_BT, torch.zeros_like(logprobs_BT), None
    trainer.accelerator.gather = lambda value: value
    trainer._metrics = defaultdict(lambda: defaultdict(list))
    trainer.args = SimpleNamespace(use_bias_correction_kl=False, delta=None)
    for name, value in {
        "aux_loss_enabled": False,
        "top_entropy_quantile": 1.0,
        "off_policy_mask_threshold": None,
        "importance_sampling_level": "sequence",
        "beta": WEIGHT,
        "loss_type": "grpo",
        "epsilon_low": CLIP.low,
        "epsilon_high": CLIP.high,
        "use_vllm": False,
        "current_gradient_accumulation_steps": 1,
        "_entropy_bonus_enabled": False,
    }.items():
        setattr(trainer, name, value)
    inputs = {
        "prompt_ids": torch.zeros(len(LENGTHS), 1, dtype=torch.int64),
        "prompt_mask": torch.ones(len(LENGTHS), 1, dtype=torch.int64),
        "completion_ids": torch.zeros_like(mask_BT),
        "completion_mask": mask_BT,
        "advantages": advantages_B,
        "old_per_token_logps": old_BT,
        "ref_per_token_logps": reference_BT,
    }
    return grpo.GRPOTrainer._compute_loss(trainer, MagicMock(), inputs)


@pytest.mark.parametrize("apart", [0.0, 0.3])
def test_our_loss_and_its_gradient_are_trls(apart: float) -> None:
    draw = torch.Generator().manual_seed(3)
    shape = len(LENGTHS), max(LENGTHS)
    mask_BT = (torch.arange(shape[1]) < torch.tensor(LENGTHS)[:, None]).long()
    logprobs_BT = (-2 * torch.rand(shape, generator=draw)).requires_grad_()
    old_BT = logprobs_BT.detach() + apart * torch.randn(shape, generator=draw)
    reference_BT = logprobs_BT.detach() + 0.5 * torch.randn(shape, generator=draw)
    advantages_B = torch.tensor([1.0, -0.5, 2.0, -1.5])
    wanted = theirs(logprobs_BT, old_BT, reference_BT, mask_BT, advantages_B)
    (wanted_gradient,) = torch.autograd.grad(wanted, logprobs_BT)

    owners_N = mask_BT.nonzero()[:, 0]
    logprobs_N, old_N, reference_N = (each[mask_BT.bool()] for each in (logprobs_BT, old_BT, reference_BT))
    count = len(LENGTHS)
    value = gspo(logprobs_N, old_N, owners_N, advantages_B, CLIP)[0]
    value = value + WEIGHT * reference_divergence(logprobs_N, reference_N, owners_N, count)
    torch.testing.assert_close(value / count, wanted)
    (gradient,) = torch.autograd.grad(value / count, logprobs_BT)
    torch.testing.assert_close(gradient, wanted_gradient)
