"""The conversion: survey the source, share out the cache, fit and write layer after layer, measure, report.

Whatever is finished is on disk at once; the same call goes on where an earlier one was stopped, and refuses to where
it was asked for something else.
"""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vidence import __version__
from vidence.errors import UsageError
from vidence.models.internvideo3.convert.budget import Ranks, Target, allocate, uniform
from vidence.models.internvideo3.convert.compensate import compensation
from vidence.models.internvideo3.convert.fitting import Fit, config_fields, fit
from vidence.models.internvideo3.convert.heal import Healing, heal
from vidence.models.internvideo3.convert.measure import Measured, measure
from vidence.models.internvideo3.convert.moments import empty, observe
from vidence.models.internvideo3.convert.recipe import Recipe
from vidence.models.internvideo3.convert.report import render
from vidence.models.internvideo3.convert.samples import Corpus
from vidence.models.internvideo3.convert.source import Layer, Source, latent_config
from vidence.models.internvideo3.convert.stream import Angles, Stream, deepened, embedded
from vidence.models.internvideo3.convert.survey import Survey, Tell, survey, worths
from vidence.models.internvideo3.convert.twin import Twin
from vidence.models.internvideo3.convert.writing import read_layer, tell_whole, write_layer, write_rest
from vidence.models.internvideo3.loading import weights_name

WORK, RECORD, REPORT = "work", "conversion.json", "conversion.html"


@dataclass(frozen=True, slots=True)
class Conversion:
    """What was done and measured; `record` is the content of conversion.json."""

    folder: Path
    fits: tuple[Fit, ...]
    healed: Healing | None
    measured: Measured
    record: dict[str, Any]


def convert(
    source: Source,
    folder: Path,
    target: Target,
    calibration: Corpus,
    held_out: Corpus,
    *,
    recipe: Recipe | None = None,
    heal_seconds: float = 0.0,
    heal_on: Corpus | None = None,
    surveyed: Path | None = None,
    report: bool = True,
    tell: Tell = lambda what, done, total: None,
) -> Conversion:
    """Convert `source` into `folder`, calibrated on one corpus and measured on the other.

    With `heal_seconds` the converted attention is then trained for so long, on `heal_on` if given. `surveyed` is a
    folder where the calibration is kept, and found again for another target. `report` draws conversion.html.

    Raises:
        UsageError: a folder holds something else, or a conversion of another kind that was begun there.
    """
    recipe = recipe or Recipe()
    count = source.text.num_hidden_layers
    even = uniform(target, count, groups=source.text.key_value_heads, width=source.text.head_dim)
    probing = recipe.allocate == "measured" and target.ranks is None
    asked = _asked(source, calibration, recipe, probing=probing)
    work = _begin(folder, asked | {"target": target.text, "recipe": recipe.to_json()}, inside=WORK)
    place = work / "survey" if surveyed is None else _begin(surveyed, asked)
    place.mkdir(exist_ok=True)
    with torch.no_grad():
        found = survey(source, calibration.samples, place, even, recipe, tell, probing=probing)
        ranks = even
        if probing:
            seen = source.visual and recipe.modalities
            ranks = allocate(target, worths(source, found, recipe), by_modality=seen)
        fits = _fit_layers(source, folder, work, calibration, found, ranks, recipe, tell)
        write_rest(folder, source, latent_config(source, **config_fields(fits)), count)
    healing = None
    if heal_seconds:
        healing = heal(source, folder, fits, heal_on or calibration, seconds=heal_seconds, tell=tell)

    def twin(index: int, layer: Layer) -> Twin:
        return Twin(source, layer, fits[index], read_layer(folder, source, index))

    with torch.no_grad():
        measured = measure(source, held_out.samples, work, twin, tell)
    record = _record(source, target, calibration, held_out, recipe, found, fits, healing, measured)
    (folder / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if report:
        (folder / REPORT).write_text(render(record), encoding="utf-8")
    shutil.rmtree(work)
    return Conversion(folder, tuple(fits), healing, measured, record)


def _fit_layers(
    source: Source,
    folder: Path,
    work: Path,
    calibration: Corpus,
    found: Survey,
    ranks: Sequence[Ranks],
    recipe: Recipe,
    tell: Tell,
) -> list[Fit]:
    """Fit and write layer after layer; those that an earlier call wrote are read back."""
    angles, fits = Angles(source), list[Fit]()
    compensating = _Compensating(source, work, calibration, recipe) if recipe.compensate else None
    for index, each in enumerate(ranks):
        told = work / f"fit-{index:03d}.json"
        if told.is_file():
            fits.append(Fit.from_json(json.loads(told.read_text(encoding="utf-8"))))
            continue
        layer = found.layer(source, index, recipe)
        if compensating is None:
            fitted, tensors = fit(source, found.moments(index), layer, each, recipe, angles.scaling)
        else:
            fitted, tensors = compensating.fit(index, layer, each)
        fits.append(fitted)
        write_layer(folder, source, index, layer.weights, tensors)
        tell_whole(told, fitted.to_json())
        if compensating is not None:
            compensating.drop(index)
        tell("fitting", index + 1, len(ranks))
    return fits


class _Compensating:
    """Fit on the stream of the layers already converted, and correct each against the source's own stream."""

    def __init__(self, source: Source, work: Path, calibration: Corpus, recipe: Recipe) -> None:
        self.source, self.recipe, self.angles = source, recipe, Angles(source)
        self.samples = calibration.samples
        self.wanted = Stream(work, "wanted", self.samples, source.text.hidden_size)
        self.given = Stream(work, "given", self.samples, source.text.hidden_size)
        if not any(self.given.has(boundary) for boundary in range(source.text.num_hidden_layers + 1)):
            for stream in (self.wanted, self.given):
                stream.write(0, embedded(source, self.samples))

    def fit(self, index: int, layer: Layer, ranks: Ranks) -> tuple[Fit, dict[str, Tensor]]:
        """Fit one layer and take both streams past it."""
        original = self.source.layer(index)  # `layer` may have a substitute for its norms
        moments, scaling = empty(layer), self.angles.scaling
        for at, sample in enumerate(self.samples):
            hidden, phases = self.given.read(index, at), self.angles.phases(sample)
            observe(moments, layer, hidden, phases, sample.vision_L[None])
        fitted, tensors = fit(self.source, moments, layer, ranks, self.recipe, scaling)
        equations = compensation(Twin(self.source, layer, fitted, tensors))

        def past(at: int) -> Tensor:
            sample = self.samples[at]
            wanted = original.attended(self.wanted.read(index, at), self.angles.phases(sample))
            equations.observe(self.given.read(index, at), self.angles.embeddings(sample), sample, wanted)
            return deepened(layer.finish(wanted), sample, index)

        self.wanted.write(index + 1, past)
        tensors |= equations.solved(self.recipe.ridge)
        twin = Twin(self.source, layer, fitted, tensors)

        def on(at: int) -> Tensor:
            sample = self.samples[at]
            middle = twin.attended(self.given.read(index, at), self.angles.embeddings(sample), sample)
            return deepened(layer.finish(middle), sample, index)

        self.given.write(index + 1, on)
        return fitted, tensors

    def drop(self, boundary: int) -> None:
        """Forget the states before a layer that is written."""
        self.wanted.drop(boundary)
        self.given.drop(boundary)


def _asked(source: Source, calibration: Corpus, recipe: Recipe, *, probing: bool) -> dict[str, Any]:
    """Return what a calibration depends on."""
    return {
        "source": weights_name(source.directory),
        "calibration": list(calibration.origin),
        "tokens": calibration.tokens,
        "norm": recipe.norm,
        "probing": probing,
    }


def _begin(folder: Path, asked: Mapping[str, Any], *, inside: str = "") -> Path:
    """Make a folder to work in, or check that what was begun in it is what is asked for now."""
    work = folder / inside
    begun = work / "asked.json"
    if begun.is_file():
        if json.loads(begun.read_text(encoding="utf-8")) != asked:
            raise UsageError(f"{folder}: something else was begun there; finish that, or remove the folder")
        return work
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder}: not empty; give a new folder")
    work.mkdir(parents=True, exist_ok=True)
    tell_whole(begun, asked)
    return work


def _record(
    source: Source,
    target: Target,
    calibration: Corpus,
    held_out: Corpus,
    recipe: Recipe,
    found: Survey,
    fits: Sequence[Fit],
    healing: Healing | None,
    measured: Measured,
) -> dict[str, Any]:
    """Return all that is needed to repeat the conversion, and what it gave."""
    packages = ("torch", "transformers", "safetensors")
    norms = [found.norms(layer) for layer in range(len(fits))]
    return {
        "vidence": __version__,
        "versions": {"python": platform.python_version()} | {name: version(name) for name in packages},
        "source": {
            "name": source.directory.name,
            "model_type": source.config.model_type,
            "weights": weights_name(source.directory),
        },
        "target": {
            "asked": target.text,
            "lanes": target.lanes,
            "lanes_text": sum(2 * one.ranks.pairs + one.ranks.text for one in fits),
            "lanes_vision": sum(2 * one.ranks.pairs + one.ranks.vision for one in fits),
            "lanes_before": 2 * len(fits) * source.text.key_value_heads * source.text.head_dim,
        },
        "recipe": recipe.to_json(),
        "calibration": {"tokens": calibration.tokens, "files": list(calibration.origin)},
        "held_out_tokens": held_out.tokens,
        "worth_nats": {"positional": list(found.positional_nats), "whole": list(found.whole_nats)},
        "norm_substitute_error": [
            None if one is None else one.errors(source.text.num_attention_heads) for one in norms
        ],
        "layers": [
            {"pairs": one.ranks.pairs, "text_rank": one.ranks.text, "vision_rank": one.ranks.vision}
            | {"frequencies": list(one.frequencies), "errors": asdict(one.errors)}
            for one in fits
        ],
        "healing": None if healing is None else healing.to_json(),
        "measured": measured.to_json(),
    }
