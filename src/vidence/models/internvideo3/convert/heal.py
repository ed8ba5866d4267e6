"""Healing: a short distillation after conversion, in which the converted attention learns to give the source's logits.

B batch, L tokens, V vocabulary. Embeddings, MLPs, norms between layers and the head are the source's and stay; both
models are in memory, in float32.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from vidence.models.internvideo3.convert.fitting import Fit
from vidence.models.internvideo3.convert.samples import Corpus, Sample
from vidence.models.internvideo3.convert.source import Layer, Source
from vidence.models.internvideo3.convert.stream import Angles, deepened, embedded
from vidence.models.internvideo3.convert.survey import Tell, logits_of
from vidence.models.internvideo3.convert.twin import Twin
from vidence.models.internvideo3.convert.writing import prefix, read_layer, save_whole, shard_path

WARM_UP, LEAST_RATE = 20, 0.05  # steps until the full rate; share of it that is left at the end
CLIP = 1.0


@dataclass(frozen=True, slots=True)
class Healing:
    """What was done: steps of one sequence each, seconds, tokens, and the divergence in nats as it fell."""

    steps: int
    seconds: float
    tokens: int
    rate: float
    nats: tuple[float, ...]

    def to_json(self) -> dict[str, object]:
        """Write as a dictionary."""
        return asdict(self)


def heal(
    source: Source,
    folder: Path,
    fits: Sequence[Fit],
    corpus: Corpus,
    *,
    seconds: float,
    rate: float = 1e-4,
    seed: int = 0,
    tell: Tell = lambda what, done, total: None,
) -> Healing:
    """Train a converted checkpoint's attention for so many seconds, and write it back.

    Every step takes one sequence, drawn without repetition until all have been seen. The rate rises over the first
    steps and falls as a cosine of the time used.
    """
    layers = [source.layer(index) for index in range(len(fits))]
    twins = [
        Twin(source, layers[index], fit, _levelled(read_layer(folder, source, index)))
        for index, fit in enumerate(fits)
    ]
    parameters = []
    for twin in twins:
        twin.attention.requires_grad_(True)
        parameters += [each for name, each in twin.attention.named_parameters() if _used(name, corpus)]
    optimiser = torch.optim.AdamW(parameters, lr=rate, betas=(0.9, 0.95), weight_decay=0.0)
    model = _Pair(source, layers, twins, corpus.samples)
    order, nats, tokens = torch.Generator().manual_seed(seed), list[float](), 0
    queue: list[int] = []
    start = time.monotonic()
    while (used := (time.monotonic() - start) / seconds) < 1:
        queue = queue or torch.randperm(len(corpus.samples), generator=order).tolist()
        at = queue.pop()
        share = LEAST_RATE + (1 - LEAST_RATE) * (1 + math.cos(math.pi * used)) / 2
        optimiser.param_groups[0]["lr"] = rate * min(1, (len(nats) + 1) / WARM_UP) * share
        loss = model.divergence(at)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, CLIP)
        optimiser.step()
        nats.append(loss.item())
        tokens += corpus.samples[at].length
        tell("healing", used, 1.0)
    for index, twin in enumerate(twins):
        _write_back(folder, source, index, twin)
    return Healing(len(nats), time.monotonic() - start, tokens, rate, tuple(nats))


class _Pair:
    """Source and twin, run side by side on one sample."""

    def __init__(
        self, source: Source, layers: Sequence[Layer], twins: Sequence[Twin], samples: Sequence[Sample]
    ) -> None:
        self.layers, self.twins, self.samples = layers, twins, samples
        self.angles, self.logits, self.embedded = Angles(source), logits_of(source), embedded(source, samples)

    def divergence(self, at: int) -> Tensor:
        """Return the mean divergence of the twin's next-token distributions from the source's, in nats."""
        sample = self.samples[at]
        phases, embeddings = self.angles.phases(sample), self.angles.embeddings(sample)
        clean = self.embedded(at)
        other = clean
        with torch.no_grad():
            for index, layer in enumerate(self.layers):
                clean = deepened(layer.finish(layer.attended(clean, phases)), sample, index)
            wanted_LV = self.logits(clean[0]).log_softmax(-1)
        for index, twin in enumerate(self.twins):
            middle = twin.attended(other, embeddings, sample)
            other = deepened(twin.layer.finish(middle), sample, index)
        given_LV = self.logits(other[0]).log_softmax(-1)
        return torch.nn.functional.kl_div(given_LV, wanted_LV, log_target=True, reduction="batchmean")


def _levelled(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Give encoder and decoder one size, which changes nothing but that both then learn at one pace."""
    encoder, decoder = tensors["self_attn.text_encoder.weight"], tensors["self_attn.kv_b_proj.weight"]
    scale = (decoder.norm() / encoder.norm()).sqrt()
    written = [name for name in tensors if "_encoder." in name]
    read = {"self_attn.kv_b_proj.weight": decoder / scale}
    return tensors | {name: tensors[name] * scale for name in written} | read


def _used(name: str, corpus: Corpus) -> bool:
    """Tell whether a parameter takes part: vision's encoder only where anything is seen."""
    return not name.startswith("vision_encoder") or any(bool(one.vision_L.any()) for one in corpus.samples)


def _write_back(folder: Path, source: Source, index: int, twin: Twin) -> None:
    path, start = shard_path(folder, index), f"{prefix(source)}layers.{index}."
    with safe_open(path, framework="pt") as shard:
        tensors = {name: shard.get_tensor(name) for name in shard.keys()}  # noqa: SIM118
    for name, each in twin.attention.named_parameters():
        stored = f"{start}self_attn.{name}"
        tensors[stored] = each.detach().to(tensors[stored].dtype).contiguous()
    save_whole(path, tensors)
