"""What a conversion lost: source and converted model side by side on held-out sequences, a layer at a time.

L tokens, D hidden width. Everything is told for text and vision tokens apart; perplexity is of text alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from vidence.models.internvideo3.convert.moments import MODALITIES
from vidence.models.internvideo3.convert.samples import Sample
from vidence.models.internvideo3.convert.source import Layer, Source
from vidence.models.internvideo3.convert.stream import Angles, Stream, deepened, embedded
from vidence.models.internvideo3.convert.survey import LOGIT_TOKENS, Tell, divergence_L, logits_of
from vidence.models.internvideo3.convert.twin import Twin

Twins = Callable[[int, Layer], Twin]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How one modality's positions agree: mean divergence in nats, and the share whose likeliest token is the same."""

    positions: int
    nats: float
    top1: float


@dataclass(frozen=True, slots=True)
class LayerError:
    """One layer's error as a share of energy: of its attention output alone, and of the stream up to it."""

    output: dict[str, float]
    stream: dict[str, float]


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured on held-out sequences."""

    tokens: int
    agreement: dict[str, Agreement]
    perplexity_before: float
    perplexity_after: float
    layers: tuple[LayerError, ...]

    def to_json(self) -> dict[str, object]:
        """Write as dictionaries."""
        return asdict(self)


def measure(source: Source, samples: Sequence[Sample], folder: Path, twins: Twins, tell: Tell) -> Measured:
    """Run both models over the samples. `twins` gives a layer's converted twin; `folder` holds the states meanwhile."""
    count = source.text.num_hidden_layers
    angles = Angles(source)
    streams = [
        Stream(folder, name, samples, source.text.hidden_size)
        for name in ("measured-source", "measured-twin")
    ]
    for stream in streams:
        stream.write(0, embedded(source, samples))
    errors = []
    for index in range(count):
        layer = source.layer(index)
        twin = twins(index, layer)
        sums = {name: torch.zeros(4, dtype=torch.float64) for name in MODALITIES}
        following: list[tuple[Tensor, Tensor]] = []
        for at, sample in enumerate(samples):
            phases, embeddings = angles.phases(sample), angles.embeddings(sample)
            clean, other = (stream.read(index, at) for stream in streams)
            wanted, local = layer.attended(clean, phases), twin.attended(clean, embeddings, sample)
            after = twin.attended(other, embeddings, sample)
            clean_next, other_next = (deepened(layer.finish(one), sample, index) for one in (wanted, after))
            for name, here_L in _modalities(sample):
                pairs = ((local - wanted, wanted - clean), (other_next - clean_next, clean_next))
                sums[name] += torch.stack(
                    [one[0, here_L].double().square().sum() for pair in pairs for one in pair]
                )
            following.append((clean_next, other_next))
            tell("measuring", index + (at + 1) / len(samples), count)
        for which, stream in enumerate(streams):
            stream.write(index + 1, lambda at, which=which, found=following: found[at][which])
            stream.drop(index)
        told = {name: part for name, part in sums.items() if bool(part.any())}
        errors.append(
            LayerError(
                {name: float(part[0] / part[1]) for name, part in told.items()},
                {name: float(part[2] / part[3]) for name, part in told.items()},
            )
        )
    result = _compare(source, samples, streams, tuple(errors))
    for stream in streams:
        stream.drop(count)
    return result


def _compare(
    source: Source, samples: Sequence[Sample], streams: Sequence[Stream], errors: tuple[LayerError, ...]
) -> Measured:
    logits, count = logits_of(source), source.text.num_hidden_layers
    nats: dict[str, float] = dict.fromkeys(MODALITIES, 0.0)
    same: dict[str, int] = dict.fromkeys(MODALITIES, 0)
    positions: dict[str, int] = dict.fromkeys(MODALITIES, 0)
    losses, predicted = [0.0, 0.0], 0
    for at, sample in enumerate(samples):
        clean_LD, other_LD = (stream.read(count, at)[0] for stream in streams)
        for first in range(0, sample.length, LOGIT_TOKENS):
            span = slice(first, min(first + LOGIT_TOKENS, sample.length))
            wanted, given = logits(clean_LD[span]).log_softmax(-1), logits(other_LD[span])
            apart_L, agree_L = divergence_L(wanted, given), wanted.argmax(-1) == given.argmax(-1)
            for name, here_L in _modalities(sample):
                part = here_L[span]
                nats[name] += float(apart_L[part].double().sum())
                same[name] += int(agree_L[part].sum())
                positions[name] += int(part.sum())
            # The next token is predicted where it is text; the last position has none.
            next_l = sample.ids_L[span.start + 1 : span.stop + 1]
            text_l = ~sample.vision_L[span.start + 1 : span.stop + 1]
            for which, table in enumerate((wanted, given.log_softmax(-1))):
                picked = table[: len(next_l)].gather(-1, next_l[:, None])[:, 0]
                losses[which] -= float(picked[text_l].double().sum())
            predicted += int(text_l.sum())
    agreement = {
        name: Agreement(positions[name], nats[name] / positions[name], same[name] / positions[name])
        for name in MODALITIES
        if positions[name]
    }
    before, after = (math.exp(loss / max(predicted, 1)) for loss in losses)
    return Measured(sum(sample.length for sample in samples), agreement, before, after, errors)


def _modalities(sample: Sample) -> list[tuple[str, Tensor]]:
    pairs = zip(MODALITIES, (~sample.vision_L, sample.vision_L), strict=True)
    return [(name, here_L) for name, here_L in pairs if bool(here_L.any())]
