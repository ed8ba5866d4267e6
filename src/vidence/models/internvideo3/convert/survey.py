"""One pass over the source: every layer's moments, and what errors of each layer are worth at the model's output.

B branches, L tokens, D hidden width. The states between layers are on disk, and each layer's moments too, so that one
layer is in memory at a time and an interrupted pass goes on with the layer it was at.

The worth of a layer is measured, not derived: some sequences are carried along in branches, each with one layer
converted at a reference size, and at the end each branch's output is compared with the source's. Two branches a layer
tell what positions cost from what the latent costs. For other sizes the loss is taken in proportion to the layer's own
model of its error.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from vidence.models.internvideo3.convert.budget import Ranks, Worth
from vidence.models.internvideo3.convert.fitting import find_basis, find_candidates, fit
from vidence.models.internvideo3.convert.moments import Moments, empty, observe, restored
from vidence.models.internvideo3.convert.norms import (
    NormMoments,
    linearised,
    no_norms,
    normed,
    restored_norms,
)
from vidence.models.internvideo3.convert.recipe import Recipe
from vidence.models.internvideo3.convert.samples import Sample
from vidence.models.internvideo3.convert.source import Layer, Source
from vidence.models.internvideo3.convert.stream import Angles, Stream, deepened, embedded
from vidence.models.internvideo3.convert.twin import Twin
from vidence.models.internvideo3.convert.writing import save_whole, tell_whole

Tell = Callable[[str, float, float | None], None]
PROBED_TOKENS = 1024  # in all: what they carry along is two states a layer and token
DONE = "survey.json"
LOGIT_TOKENS = 256  # whose logits are in memory at once


@dataclass(frozen=True, slots=True)
class Survey:
    """What the pass found: a file of moments a layer, and the output's divergence in nats of its two branches.

    reference: the size at which layers were probed.
    """

    folder: Path
    reference: tuple[Ranks, ...]
    positional_nats: tuple[float, ...]
    whole_nats: tuple[float, ...]

    def moments(self, layer: int) -> Moments:
        """Read a layer's moments."""
        return restored(load_file(_moments_path(self.folder, layer)))

    def norms(self, layer: int) -> NormMoments | None:
        """Read what the norms of a layer's queries and keys do, where it has any."""
        path = _norms_path(self.folder, layer)
        return restored_norms(load_file(path)) if path.is_file() else None

    def layer(self, source: Source, index: int, recipe: Recipe) -> Layer:
        """Read a layer as it is to be converted: with its norms, or their substitute."""
        layer, norms = source.layer(index), self.norms(index)
        return linearised(layer, norms) if norms is not None and recipe.norm == "linear" else layer


def survey(
    source: Source,
    samples: Sequence[Sample],
    folder: Path,
    reference: Sequence[Ranks],
    recipe: Recipe,
    tell: Tell,
    *,
    probing: bool,
) -> Survey:
    """Run the source once over the samples; with `probing`, find layers' worths at the `reference` size."""
    if (folder / DONE).is_file():
        return _read_back(folder)
    layers = source.text.num_hidden_layers
    stream = Stream(folder, "source", samples, source.text.hidden_size)
    probes = _probed(samples, recipe)
    angles = Angles(source)
    start = next((at for at in range(layers, 0, -1) if _whole(folder, stream, at, probing)), 0)
    if not start:
        stream.write(0, embedded(source, samples))
    carried = _restore(folder, start, probes)
    for index in range(start, layers):
        layer = source.layer(index)
        changed = _normed(layer, stream, index, folder, recipe)
        moments = empty(changed)

        def step(
            at: int,
            layer: Layer = layer,
            changed: Layer = changed,
            moments: Moments = moments,
            index: int = index,
        ) -> Tensor:
            sample, hidden, phases = samples[at], stream.read(index, at), angles.phases(samples[at])
            middle = observe(moments, changed, hidden, phases, sample.vision_L[None])
            if changed is not layer:  # the next layer calibrates on what the source itself gives
                middle = layer.attended(hidden, phases)
            tell("calibrating", index + (at + 1) / len(samples), layers)
            return deepened(layer.finish(middle), sample, index)

        stream.write(index + 1, step)
        save_whole(_moments_path(folder, index), moments.tensors())
        if probing:
            twins = _branches(source, moments, changed, reference[index], recipe, angles.scaling)
            for at in probes:
                carried[at] = _carry(
                    layer, twins, carried.get(at), stream.read(index, at), samples[at], index, angles
                )
            save_whole(_probe_path(folder, index + 1), {str(at): states for at, states in carried.items()})
            _probe_path(folder, index).unlink(missing_ok=True)
        stream.drop(index)
    nats = _divergence(source, stream, carried, layers) if probing else []
    found = Survey(folder, tuple(reference), tuple(nats[0::2]), tuple(nats[1::2]))
    told = {"reference": [asdict(one) for one in reference]}
    told |= {"positional_nats": found.positional_nats, "whole_nats": found.whole_nats}
    tell_whole(folder / DONE, told)
    stream.drop(layers)
    _probe_path(folder, layers).unlink(missing_ok=True)
    return found


def worths(source: Source, found: Survey, recipe: Recipe) -> list[Worth]:
    """Scale every layer's model of its own loss so that at the reference size it gives the divergence measured."""
    result = []
    for index, ranks in enumerate(found.reference):
        layer, moments = found.layer(source, index, recipe), found.moments(index)
        mixes = find_candidates(source, moments, layer, recipe)
        directions = find_basis(moments, layer, mixes.kept(ranks.pairs), recipe)
        positional = found.positional_nats[index]
        content = max(found.whole_nats[index] - positional, 0.1 * found.whole_nats[index])
        pairs = mixes.cost_C * (
            recipe.positional * positional / mixes.cost_C[ranks.pairs :].sum().clamp_min(1e-300)
        )
        costs = directions.cost_z * (content / directions.cost_z[ranks.text :].sum().clamp_min(1e-300))
        share = float(moments.tokens_M[1] / moments.tokens_M.sum())
        vision = None
        if share:
            around_zz = moments.covariance_zz(1) * moments.mass_M[1] / moments.mass_M.sum()
            encode = directions.encode_zz
            spread_z = ((encode @ around_zz) * encode).sum(1)
            vision = (costs * (spread_z / directions.cost_z.clamp_min(1e-300)).clamp(0, 1)).tolist()
        result.append(Worth(pairs.tolist(), costs.tolist(), share, vision))
    return result


def logits_of(source: Source) -> Callable[[Tensor], Tensor]:
    """Return a function from states after the last layer to logits."""
    norm, head = source.tensor(f"{source.prefix}norm.weight").float(), source.tensor(source.head)

    def logits(hidden_LD: Tensor) -> Tensor:
        normed_LD = F.rms_norm(hidden_LD, hidden_LD.shape[-1:], norm, source.text.rms_norm_eps)
        return F.linear(normed_LD.to(head.dtype), head).float()

    return logits


def _read_back(folder: Path) -> Survey:
    told = json.loads((folder / DONE).read_text(encoding="utf-8"))
    nats = (tuple(told[name]) for name in ("positional_nats", "whole_nats"))
    return Survey(folder, tuple(Ranks(**one) for one in told["reference"]), *nats)


def _normed(layer: Layer, stream: Stream, index: int, folder: Path, recipe: Recipe) -> Layer:
    """Measure what a linear substitute for the layer's norms would lose; return the layer as it is to be converted."""
    if not normed(layer):
        return layer
    norms = no_norms(layer)
    for at, sample in enumerate(stream.samples):
        norms.observe(layer, stream.read(index, at), sample.vision_L)
    save_whole(_norms_path(folder, index), norms.tensors())
    return linearised(layer, norms) if recipe.norm == "linear" else layer


def _branches(
    source: Source, moments: Moments, layer: Layer, ranks: Ranks, recipe: Recipe, scaling: float
) -> list[Twin]:
    """Make the layer's two branches: rotation lost alone, and all that the reference size loses."""
    lanes = 2 * layer.groups * layer.width
    sizes = (Ranks(ranks.pairs, lanes, lanes), ranks)
    fits = [fit(source, moments, layer, size, recipe, scaling) for size in sizes]
    return [Twin(source, layer, *each) for each in fits]


def _carry(
    layer: Layer,
    twins: Sequence[Twin],
    states_BLD: Tensor | None,
    clean_1LD: Tensor,
    sample: Sample,
    index: int,
    angles: Angles,
) -> Tensor:
    """Take all branches of a sample through a layer, and begin this layer's own."""
    phases, embeddings = angles.phases(sample), angles.embeddings(sample)
    parts = [] if states_BLD is None else [layer.attended(one, phases) for one in states_BLD.split(4)]
    parts += [twin.attended(clean_1LD, embeddings, sample) for twin in twins]
    return torch.cat([deepened(layer.finish(part), sample, index) for part in parts])


def _divergence(source: Source, stream: Stream, carried: dict[int, Tensor], layers: int) -> list[float]:
    """Return each branch's mean divergence from the source's next-token distribution, in nats a token."""
    logits, total, count = logits_of(source), None, 0
    for at, states_BLD in carried.items():
        clean_LD = stream.read(layers, at)[0]
        for span in (slice(first, first + LOGIT_TOKENS) for first in range(0, len(clean_LD), LOGIT_TOKENS)):
            wanted = logits(clean_LD[span]).log_softmax(-1)
            nats = torch.stack([divergence_L(wanted, logits(one[span])).double().sum() for one in states_BLD])
            total = nats if total is None else total + nats
            count += len(wanted)
    return [] if total is None else (total / count).tolist()


def divergence_L(wanted_LV: Tensor, logits_LV: Tensor) -> Tensor:
    """Return KL(wanted || given) a position, `wanted_LV` being log-probabilities."""
    return (wanted_LV.exp() * (wanted_LV - logits_LV.log_softmax(-1))).sum(-1).clamp_min(0)


def _probed(samples: Sequence[Sample], recipe: Recipe) -> list[int]:
    """Choose samples to probe, spread over all, whole ones until the tokens are used up; one at least."""
    count = min(recipe.probes, len(samples))
    chosen, tokens = list[int](), 0
    for at in (step * len(samples) // count for step in range(count)):
        if not chosen or tokens + samples[at].length <= PROBED_TOKENS:
            chosen.append(at)
            tokens += samples[at].length
    return chosen


def _whole(folder: Path, stream: Stream, boundary: int, probing: bool) -> bool:
    """Tell whether all that a boundary needs to go on from it was written."""
    probed = not probing or _probe_path(folder, boundary).is_file()
    return (
        probed and stream.has(boundary) and all(_moments_path(folder, at).is_file() for at in range(boundary))
    )


def _restore(folder: Path, boundary: int, probes: Sequence[int]) -> dict[int, Tensor]:
    path = _probe_path(folder, boundary)
    if not path.is_file():
        return {}
    kept = load_file(path)
    return {at: kept[str(at)] for at in probes}


def _moments_path(folder: Path, layer: int) -> Path:
    return folder / f"moments-{layer:03d}.safetensors"


def _norms_path(folder: Path, layer: int) -> Path:
    return folder / f"norms-{layer:03d}.safetensors"


def _probe_path(folder: Path, boundary: int) -> Path:
    return folder / f"probes-{boundary:03d}.safetensors"
