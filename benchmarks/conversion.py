"""What converting grouped-query attention to M2LA loses, on real weights, beside TransMLA's figures.

    python benchmarks/conversion.py [--texts ../shared/text] [--parts targets,seeing]

Perplexity of SmolLM2-135M-Instruct on WikiText-2 (`conversion_setting` tells the protocol) as converted at four sizes
of the cache, untrained, with rows in floats and in 8 bits; at 50 % with each step of the conversion changed in turn; at
long distances, where a passage must be found again; and after a short healing run. Draws results/conversion.svg.
"""

from __future__ import annotations

import argparse
import math
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import cross_entropy, embedding
from transformers import AutoModelForCausalLM

from common import RESULTS, Bar, write_results
from conversion_seeing import modality_rows, needle_row
from conversion_setting import PUBLISHED, TRANSMLA, copying, corpora, perplexity, source_model, tokens
from vidence.catalogue.store import cache_folder
from vidence.models.internvideo3.convert.budget import Ranks, allocate, parse_target, uniform
from vidence.models.internvideo3.convert.conversion import convert
from vidence.models.internvideo3.convert.fitting import fit
from vidence.models.internvideo3.convert.recipe import Recipe
from vidence.models.internvideo3.convert.source import Source
from vidence.models.internvideo3.convert.stream import Angles
from vidence.models.internvideo3.convert.survey import Survey, logits_of, survey, worths
from vidence.models.internvideo3.convert.twin import Twin
from vidence.models.internvideo3.loading import load_model

PARTS = ("targets", "ablation", "alone", "distance", "near", "seeing", "healing")
UNTRAINED = {0.5: 25.5, 0.667: 21.7, 0.333: 34.0, 0.25: 48.0}
HEALED = {0.5: 22.0, 0.28: 28.0}
DISTANCES = (256, 1024, 4096)
SHORT, SHORT_SEQUENCES = 512, 32
TURNED_OFF: dict[str, Recipe] = {
    "as it is": Recipe(),
    "keys and values weighed by energy, not by what reads them": Recipe(weigh="energy"),
    "no mean rotation for what is not positional": Recipe(turn=False),
    "content not centred": Recipe(centre=False),
    "the same ranks in every layer": Recipe(allocate="uniform"),
    "positions at their single-layer worth": Recipe(positional=1.0),
    "frequencies folded in pairs": Recipe(fold=2),
    "keys count twice": Recipe(keys=2.0),
    "keys count half": Recipe(keys=0.5),
    "all of the above as TransMLA has it": Recipe(
        weigh="energy", turn=False, centre=False, allocate="uniform"
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--texts", type=Path, default=Path("../shared/text"))
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--heal-minutes", type=float, default=10.0, help="of each healing run")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    work = cache_folder() / "benchmarks" / "conversion"
    work.mkdir(parents=True, exist_ok=True)
    bench = Bench(source_model(work), arguments.texts, work, arguments.heal_minutes)
    for part in arguments.parts.split(","):
        rows, bars = getattr(bench, part)()
        write_results("conversion", rows, bars, part="row")
    draw()


class Bench:
    """The parts of the benchmark; the calibration is made once for all of them."""

    def __init__(self, source: Source, texts: Path, work: Path, minutes: float) -> None:
        self.source, self.work, self.minutes = source, work, minutes
        self.calibration, self.held_out = corpora(source, texts)
        self.all_calibration, _ = corpora(source, texts, limit=10**6, length=SHORT)
        self.short_calibration, _ = corpora(source, texts, limit=SHORT_SEQUENCES, length=SHORT)
        self.test_T = tokens(source, texts / "wikitext2-test.txt")
        self.baseline: Any = AutoModelForCausalLM.from_pretrained(source.directory).eval()
        self.plain = 2 * source.text.key_value_heads * source.text.head_dim

    def targets(self) -> tuple[list[dict[str, Any]], list[Bar]]:
        """Convert at each size and read perplexities from the written checkpoints."""
        before = perplexity(self.baseline, self.held_out)
        rows = [_row("source", 1.0, before, before)]
        bars = [Bar("source: perplexity, which tells that the protocol is the same", before, "", "reported")]
        bars.append(Bar("source: off the published figure", abs(before - PUBLISHED), "", "<= 0.05"))
        for share, most in UNTRAINED.items():
            model, seconds = self.converted(share)
            for storage, kind in ((None, "float rows"), ("int8", "8-bit rows")):
                after = perplexity(model, self.held_out, storage)
                name = f"{share:.1%} kept, {kind}"
                rows.append(
                    _row(name, share, after, before)
                    | {
                        "transmla": TRANSMLA[share],
                        "transmla_ratio": TRANSMLA[share] / PUBLISHED,
                        "seconds": seconds,
                    }
                )
                bars.append(Bar(f"{name}: perplexity, untrained", after, "", f"<= {most}"))
        return rows, bars

    def converted(self, share: float, heal: float = 0.0, recipe: Recipe | None = None) -> tuple[Any, float]:
        """Convert to a share of the cache; return the model and the seconds taken."""
        folder = self.work / f"kept-{share}{'-healed' if heal else ''}{'-otherwise' if recipe else ''}"
        shutil.rmtree(folder, ignore_errors=True)
        start = time.monotonic()
        few = replace(self.held_out, samples=self.held_out.samples[:2])
        convert(
            self.source,
            folder,
            self.target(share),
            self.calibration,
            few,
            recipe=recipe,
            heal_seconds=heal,
            heal_on=self.all_calibration,
            surveyed=self.work / "survey",
        )
        return load_model(folder), time.monotonic() - start

    def target(self, share: float) -> Any:
        """Return the target of a share."""
        text = self.source.text
        return parse_target(
            f"{share:.4f}", layers=text.num_hidden_layers, groups=text.key_value_heads, width=text.head_dim
        )

    def ablation(self) -> tuple[list[dict[str, Any]], list[Bar]]:
        """At half the cache, change one step at a time; without compensation, and without writing checkpoints."""
        with torch.no_grad():
            found = self.surveyed()
            before = self.read_through(None)
            rows = []
            for name, recipe in TURNED_OFF.items():
                ranks = self.shared_out(found, recipe)
                rows.append(
                    _row(
                        f"50% kept: {name}", 0.5, self.read_through(self.fitted(found, ranks, recipe)), before
                    )
                )
        return rows, []

    def alone(self) -> tuple[list[dict[str, Any]], list[Bar]]:
        """At half the cache, fit each layer for itself, with no account of what the layers before it have lost."""
        model, _ = self.converted(0.5, recipe=Recipe(compensate=False))
        before, after = perplexity(self.baseline, self.held_out), perplexity(model, self.held_out)
        return [_row("50% kept: every layer for itself", 0.5, after, before)], []

    def seeing(self) -> tuple[list[dict[str, Any]], list[Bar]]:
        """A tiny random model that sees: loss by modality, and needles in a picture."""
        with torch.no_grad():
            needles = [needle_row(share) for share in (0.75, 0.5, 0.28)]
            bars = [
                Bar(f"{row['row']}: found", row["found"] / row["source finds"], "", "reported")
                for row in needles
            ]
            return [*modality_rows(), *needles], bars

    def surveyed(self) -> Survey:
        """Return the calibration that the targets were converted with."""
        text = self.source.text
        even = uniform(
            self.target(0.5), text.num_hidden_layers, groups=text.key_value_heads, width=text.head_dim
        )
        place = self.work / "survey"
        place.mkdir(exist_ok=True)
        return survey(self.source, self.calibration.samples, place, even, Recipe(), _silent, probing=True)

    def shared_out(self, found: Survey, recipe: Recipe) -> Sequence[Ranks]:
        """Share half the cache out as a recipe says."""
        if recipe.allocate == "uniform":
            text = self.source.text
            return uniform(
                self.target(0.5), text.num_hidden_layers, groups=text.key_value_heads, width=text.head_dim
            )
        return allocate(self.target(0.5), worths(self.source, found, recipe))

    def fitted(self, found: Survey, ranks: Sequence[Ranks], recipe: Recipe) -> list[Twin]:
        """Fit every layer."""
        layers = [found.layer(self.source, index, recipe) for index in range(len(ranks))]
        fits = [
            fit(self.source, found.moments(index), layer, ranks[index], recipe)
            for index, layer in enumerate(layers)
        ]
        return [Twin(self.source, layer, *each) for layer, each in zip(layers, fits, strict=True)]

    def read_through(self, twins: Sequence[Twin] | None) -> float:
        """Return the perplexity of the source, or of its twins."""
        angles, table = Angles(self.source), self.source.tensor(self.source.embedding)
        layers = [twin.layer for twin in twins] if twins else None
        layers = layers or [self.source.layer(at) for at in range(self.source.text.num_hidden_layers)]
        logits, losses = logits_of(self.source), []
        for sample in self.held_out.samples:
            hidden = embedding(sample.ids_L, table)[None]
            for index, layer in enumerate(layers):
                if twins:
                    middle = twins[index].attended(hidden, angles.embeddings(sample), sample)
                else:
                    middle = layer.attended(hidden, angles.phases(sample))
                hidden = layer.finish(middle)
            losses.append(float(cross_entropy(logits(hidden[0, :-1]), sample.ids_L[1:])))
        return math.exp(sum(losses) / len(losses))

    def distance(self) -> tuple[list[dict[str, Any]], list[Bar]]:
        """Copy a passage from far back: mean rotations are fitted to where attention looks in calibration."""
        with torch.no_grad():
            before = copying(self.baseline, self.test_T, DISTANCES)
            rows = [
                _copied(f"copying, {share:.1%} kept", load_model(self.kept(share)), self.test_T, before)
                for share in (0.667, 0.5, 0.28)
            ]
        return rows, []

    def near(self) -> tuple[list[dict[str, Any]], list[Bar]]:
        """As `distance` and `targets`, calibrated on as many tokens in shorter sequences."""
        folder = self.work / "kept-0.667-near"
        shutil.rmtree(folder, ignore_errors=True)
        few = replace(self.held_out, samples=self.held_out.samples[:1])
        convert(self.source, folder, self.target(0.667), self.short_calibration, few, report=False)
        model = load_model(folder)
        before, after = perplexity(self.baseline, self.held_out), perplexity(model, self.held_out)
        with torch.no_grad():
            far = copying(self.baseline, self.test_T, DISTANCES)
            name = f"66.7% kept, calibrated on sequences of {SHORT}"
            return [
                _row(name, 0.667, after, before),
                _copied(f"copying, {name}", model, self.test_T, far),
            ], []

    def kept(self, share: float) -> Path:
        """Return the folder of a conversion, made if it is not there."""
        folder = self.work / f"kept-{share}"
        if not (folder / "conversion.json").is_file():
            self.converted(share)
        return folder

    def healing(self) -> tuple[list[dict[str, Any]], list[Bar]]:
        """Convert, distil for some minutes, and read perplexities."""
        before = perplexity(self.baseline, self.held_out)
        rows, bars = [], []
        for share, most in HEALED.items():
            model, _ = self.converted(share, heal=60 * self.minutes)
            for storage, kind in ((None, "float rows"), ("int8", "8-bit rows")):
                after = perplexity(model, self.held_out, storage)
                name = f"{share:.1%} kept, healed, {kind}"
                rows.append(_row(name, share, after, before) | {"heal_minutes": self.minutes})
                bars.append(Bar(f"{name}: perplexity", after, "", f"<= {most}"))
        bars.append(Bar("healing run", self.minutes, "minutes", "<= 30"))
        return rows, bars


def draw() -> None:
    """Draw perplexity over the share of the cache, from the newest results."""
    import json

    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = json.loads(sorted(RESULTS.glob("conversion-*.json"))[-1].read_text(encoding="utf-8"))["rows"]
    figure, axes = pyplot.subplots(figsize=(7, 4.5))

    def curve(label: str, pick: Callable[[dict[str, Any]], float | None], style: str) -> None:
        points = sorted((row["kept"], value) for row in rows if (value := pick(row)) is not None)
        if points:
            axes.plot(*zip(*points, strict=True), style, label=label)

    def named(end: str) -> Callable[[dict[str, Any]], float | None]:
        return lambda row: row["ratio"] if row["row"].endswith(end) and "ratio" in row else None

    curve("TransMLA, untrained", lambda row: row.get("transmla_ratio"), "o--")
    curve("Vidence, untrained", named("kept, float rows"), "o-")
    curve("Vidence, untrained, 8-bit rows", named("kept, 8-bit rows"), "o:")
    curve("Vidence, healed", named("healed, float rows"), "s-")
    axes.axhline(1, color="grey", linewidth=1)
    axes.set(
        xlabel="share of the grouped-query cache that is kept (values a token)",
        ylabel="perplexity over the source's",
    )
    axes.set_title("SmolLM2-135M-Instruct, WikiText-2")
    axes.legend()
    figure.tight_layout()
    figure.savefig(RESULTS / "conversion.svg")


def _copied(name: str, model: Any, ids_T: torch.Tensor, before: dict[int, float]) -> dict[str, Any]:
    row: dict[str, Any] = {"row": name}
    for distance, after in copying(model, ids_T, DISTANCES).items():
        row |= {f"source at {distance}": before[distance], f"at {distance}": after}
    return row


def _row(name: str, share: float, after: float, before: float) -> dict[str, Any]:
    return {"row": name, "kept": share, "perplexity": after, "ratio": after / before}


def _silent(what: str, done: float, total: float | None) -> None:
    del what, done, total


if __name__ == "__main__":
    main()
