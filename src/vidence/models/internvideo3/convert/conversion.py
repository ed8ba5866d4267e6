"""The conversion: survey the source, share out the cache, fit and write layer after layer, measure, report.

Whatever is finished is on disk at once; the same call goes on where an earlier one was stopped, and refuses to where
it was asked for something else.
"""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import torch
from torch import Tensor

from vidence import __version__
from vidence.errors import UsageError
from vidence.models.internvideo3.convert.budget import Ranks, Target, allocate, uniform
from vidence.models.internvideo3.convert.compensate import compensation
from vidence.models.internvideo3.convert.fitting import Fit, config_fields, fit
from vidence.models.internvideo3.convert.measure import Measured, measure
from vidence.models.internvideo3.convert.moments import empty, observe
from vidence.models.internvideo3.convert.recipe import Recipe
from vidence.models.internvideo3.convert.samples import Corpus
from vidence.models.internvideo3.convert.source import Layer, Source, latent_config
from vidence.models.internvideo3.convert.stream import Angles, Stream, deepened, embedded
from vidence.models.internvideo3.convert.survey import Survey, Tell, survey, worths
from vidence.models.internvideo3.convert.twin import Twin
from vidence.models.internvideo3.convert.writing import read_layer, shard_path, write_layer, write_rest
from vidence.models.internvideo3.loading import weights_name

WORK, RECORD = "work", "conversion.json"


@dataclass(frozen=True, slots=True)
class Conversion:
    """What was done and measured; `record` is the content of conversion.json."""

    folder: Path
    fits: tuple[Fit, ...]
    measured: Measured
    record: dict[str, object]


def convert(
    source: Source,
    folder: Path,
    target: Target,
    calibration: Corpus,
    held_out: Corpus,
    *,
    recipe: Recipe | None = None,
    tell: Tell = lambda what, done, total: None,
) -> Conversion:
    """Convert `source` into `folder`, calibrated on one corpus and measured on the other.

    Raises:
        UsageError: the folder holds something else, or a conversion of another kind that was begun there.
    """
    recipe = recipe or Recipe()
    work = _begin(source, folder, target, calibration, recipe)
    count = source.text.num_hidden_layers
    even = uniform(target, count, groups=source.text.key_value_heads, width=source.text.head_dim)
    with torch.no_grad():
        probing = recipe.allocate == "measured" and target.ranks is None
        found = survey(source, calibration.samples, work, even, recipe, tell, probing=probing)
        ranks = even
        if probing:
            seen = source.visual and recipe.modalities
            ranks = allocate(target, worths(source, found, even, recipe), by_modality=seen)
        fits = _fit_layers(source, folder, work, calibration, found, ranks, recipe, tell)
        write_rest(folder, source, latent_config(source, **config_fields(fits, recipe)), count)

        def twin(index: int, layer: Layer) -> Twin:
            written = Twin(source, layer, fits[index])
            written.load(read_layer(folder, source, index))
            return written

        measured = measure(source, held_out.samples, work, twin, tell)
    record = _record(source, target, calibration, held_out, recipe, found, fits, measured)
    (folder / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    shutil.rmtree(work)
    return Conversion(folder, tuple(fits), measured, record)


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
    angles, fits = Angles(source), list[Fit]()
    compensating = _Compensating(source, work, calibration, recipe) if recipe.compensate else None
    for index, each in enumerate(ranks):
        layer = source.layer(index)
        if compensating is None:
            fitted = fit(source, found.moments(index), layer, each, recipe, angles.scaling)
        else:
            fitted = compensating.fit(index, layer, each)
        fits.append(fitted)
        if not shard_path(folder, index).is_file():
            write_layer(folder, source, index, layer.weights, fitted.tensors)
        tell("fitting", index + 1, len(ranks))
    return fits


class _Compensating:
    """Fit on the stream of the layers already converted, and correct each against the source's own stream."""

    def __init__(self, source: Source, work: Path, calibration: Corpus, recipe: Recipe) -> None:
        self.source, self.recipe, self.angles = source, recipe, Angles(source)
        self.samples, self.work = calibration.samples, work
        self.wanted = Stream(work, "wanted", self.samples, source.text.hidden_size)
        self.given = Stream(work, "given", self.samples, source.text.hidden_size)
        for stream in (self.wanted, self.given):
            if not stream.has(0):
                stream.write(0, embedded(source, self.samples))

    def fit(self, index: int, layer: Layer, ranks: Ranks) -> Fit:
        """Fit one layer and take both streams past it."""
        moments = empty(layer)
        for at, sample in enumerate(self.samples):
            observe(
                moments, layer, self.given.read(index, at), self.angles.phases(sample), sample.vision_L[None]
            )
        fitted = fit(self.source, moments, layer, ranks, self.recipe, self.angles.scaling)
        equations = compensation(Twin(self.source, layer, fitted))

        def past(at: int) -> Tensor:
            sample = self.samples[at]
            wanted = layer.attended(self.wanted.read(index, at), self.angles.phases(sample))
            equations.observe(self.given.read(index, at), self.angles.embeddings(sample), sample, wanted)
            return deepened(layer.finish(wanted), sample, index)

        self.wanted.write(index + 1, past)
        fitted.tensors.update(equations.solved(self.recipe.ridge))
        twin = Twin(self.source, layer, fitted)

        def on(at: int) -> Tensor:
            sample = self.samples[at]
            middle = twin.attended(self.given.read(index, at), self.angles.embeddings(sample), sample)
            return deepened(layer.finish(middle), sample, index)

        self.given.write(index + 1, on)
        return fitted


def _begin(source: Source, folder: Path, target: Target, calibration: Corpus, recipe: Recipe) -> Path:
    """Make the folder, or check that what was begun in it is what is asked for now."""
    work = folder / WORK
    asked = {
        "source": weights_name(source.directory),
        "target": target.text,
        "recipe": recipe.to_json(),
        "calibration": list(calibration.origin),
        "tokens": calibration.tokens,
    }
    begun = work / "asked.json"
    if begun.is_file():
        if json.loads(begun.read_text(encoding="utf-8")) != asked:
            raise UsageError(
                f"{folder}: another conversion was begun there; finish that, or remove the folder"
            )
        return work
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder}: not empty; give a new folder")
    work.mkdir(parents=True, exist_ok=True)
    begun.write_text(json.dumps(asked), encoding="utf-8")
    return work


def _record(
    source: Source,
    target: Target,
    calibration: Corpus,
    held_out: Corpus,
    recipe: Recipe,
    found: Survey,
    fits: Sequence[Fit],
    measured: Measured,
) -> dict[str, object]:
    """Return all that is needed to repeat the conversion, and what it gave."""
    packages = ("torch", "transformers", "safetensors")
    return {
        "vidence": __version__,
        "versions": {"python": platform.python_version()} | {name: version(name) for name in packages},
        "source": {
            "name": source.directory.name,
            "model_type": source.config.model_type,
            "weights": weights_name(source.directory),
        },
        "target": {"asked": target.text, "lanes": target.lanes, "lanes_used": _lanes(fits)},
        "recipe": recipe.to_json(),
        "calibration": {"tokens": calibration.tokens, "files": list(calibration.origin)},
        "held_out_tokens": held_out.tokens,
        "worth_nats": {"positional": list(found.positional_nats), "whole": list(found.whole_nats)},
        "layers": [
            {"pairs": one.ranks.pairs, "text_rank": one.ranks.text, "vision_rank": one.ranks.vision}
            | {"frequencies": list(one.frequencies), "errors": asdict(one.errors)}
            for one in fits
        ],
        "measured": measured.to_json(),
    }


def _lanes(fits: Sequence[Fit]) -> int:
    return sum(2 * one.ranks.pairs + one.ranks.text for one in fits)
