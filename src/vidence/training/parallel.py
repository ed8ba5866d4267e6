"""Processes that share the work: started by `torchrun`, or one alone.

FSDP2 shards weights, gradients and optimiser states over all processes; those of one sequence group hold parts of the
same row, the groups different rows.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

from vidence.errors import UsageError
from vidence.training.learner import Learner


@dataclass(frozen=True, slots=True)
class Processes:
    """This process among the others. Rows are dealt to `rows` groups, of which this one belongs to number `row`."""

    rank: int = 0
    size: int = 1
    sequence: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    alone: bool = True

    @property
    def rows(self) -> int:
        """Return how many rows are worked on at once."""
        return self.size // self.sequence

    @property
    def row(self) -> int:
        """Return which of them is this process' own."""
        return self.rank // self.sequence

    @property
    def leads(self) -> bool:
        """Return whether this process writes what is written once."""
        return self.rank == 0

    def total(self, *values: float) -> list[float]:
        """Sum numbers over the groups of rows."""
        return [each / self.sequence for each in self._reduced(values, dist.ReduceOp.SUM)]

    def most(self, value: int) -> int:
        """Return the largest of a number over all processes."""
        return int(self._reduced([float(value)], dist.ReduceOp.MAX)[0])

    def gathered(self, value: Any) -> list[Any]:
        """Return every process' value, by rank."""
        if self.alone:
            return [value]
        values: list[Any] = [None] * self.size
        dist.all_gather_object(values, value)
        return values

    def wait(self) -> None:
        """Wait for the others."""
        if not self.alone:
            dist.barrier()

    def _reduced(self, values: Iterable[float], how: Any) -> list[float]:
        numbers = torch.tensor(list(values), dtype=torch.float64, device=self.device)
        if not self.alone and len(numbers):
            dist.all_reduce(numbers, how)
        return numbers.tolist()


def join(sequence: int = 1) -> Processes:
    """Join the processes that `torchrun` started, or stand alone.

    Raises:
        UsageError: their number is no multiple of `sequence`.
    """
    cuda = torch.cuda.is_available()
    if cuda:
        torch.set_float32_matmul_precision("high")
    if "RANK" not in os.environ:
        if sequence > 1:
            raise UsageError(
                f"parallel.sequence: {sequence} processes share a row, but there is one; use torchrun"
            )
        return Processes(device=torch.device("cuda" if cuda else "cpu"))
    local = int(os.environ.get("LOCAL_RANK", "0"))
    device = torch.device("cuda", local) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(device)
    if not dist.is_initialized():
        dist.init_process_group("nccl" if cuda else "gloo", device_id=device if cuda else None)
    size = dist.get_world_size()
    if size % sequence:
        raise UsageError(f"parallel.sequence: {size} processes cannot be shared out by {sequence} a row")
    return Processes(dist.get_rank(), size, sequence, device, alone=False)


@contextmanager
def joined(sequence: int = 1) -> Iterator[Processes]:
    """Join the others for a while; where the caller had done so before, stay joined."""
    before = dist.is_initialized()
    yield (processes := join(sequence))
    if not processes.alone and not before:
        dist.destroy_process_group()


def shard(learner: Learner, processes: Processes, dtype: torch.dtype) -> None:
    """Shard a model over all processes, layer by layer; activations are of `dtype`, gradients summed in float32."""
    mesh = init_device_mesh(processes.device.type, (processes.size,))
    policy = MixedPrecisionPolicy(param_dtype=dtype, reduce_dtype=torch.float32)
    core = learner.model.model
    for block in (*core.visual.blocks, *core.language_model.layers):
        fully_shard(block, mesh=mesh, mp_policy=policy)
    fully_shard(learner, mesh=mesh, mp_policy=policy)
    learner.always_sees = True


def average_gradients(module: nn.Module, processes: Processes) -> None:
    """Average gradients over processes that each hold the whole model."""
    if processes.alone or processes.size == 1:
        return
    trained = [each for each in module.parameters() if each.requires_grad]
    for each in trained:  # a row without pictures leaves the tower without gradients, which others may have
        each.grad = torch.zeros_like(each) if each.grad is None else each.grad
    gradients = [each.grad for each in trained if each.grad is not None]
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    dist.all_reduce(flat)
    flat /= processes.size
    for gradient, part in zip(gradients, flat.split([each.numel() for each in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))


def whole(value: Tensor) -> Tensor:
    """Return a tensor that may be sharded in one piece."""
    return value.full_tensor() if hasattr(value, "full_tensor") else value  # type: ignore[operator]
