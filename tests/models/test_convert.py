"""Converting grouped-query attention: nothing is lost at full size, little at less, and requests are kept to."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tiny_models import prompt  # noqa: E402
from tiny_sources import seeing_source, seen_corpus, target, text_corpus, text_source  # noqa: E402

from vidence.errors import UsageError, WeightsError  # noqa: E402
from vidence.models.internvideo3.convert.conversion import Conversion, convert  # noqa: E402
from vidence.models.internvideo3.convert.recipe import Recipe  # noqa: E402
from vidence.models.internvideo3.convert.source import open_source  # noqa: E402
from vidence.models.internvideo3.loading import load_baseline, load_model  # noqa: E402


def converted(source: Any, folder: Path, size: str, corpus: Any, **options: Any) -> Conversion:
    options = {"report": False, **options}
    return convert(source, folder, target(source, size), *corpus.held_out(), **options)


def divergence(source: Any, folder: Path, inputs: dict[str, Any]) -> float:
    with torch.no_grad():
        wanted = load_baseline(source.directory)(**inputs).logits.log_softmax(-1)
        given = load_model(folder)(**inputs).logits.log_softmax(-1)
    return float((wanted.exp() * (wanted - given)).sum(-1).mean())


def test_at_full_size_the_converted_model_is_the_source(tmp_path: Path) -> None:
    source = seeing_source(tmp_path / "source")
    done = converted(source, tmp_path / "latent", "100%", seen_corpus(source))
    assert max(one.nats for one in done.measured.agreement.values()) < 1e-5
    assert divergence(source, tmp_path / "latent", prompt(5, (2, 4, 4), 7, (3, 4, 8), 9)) < 1e-5
    assert divergence(source, tmp_path / "latent", prompt(30)) < 1e-5
    assert done.measured.perplexity_after == pytest.approx(done.measured.perplexity_before, rel=1e-3)


def test_less_cache_loses_more_and_stays_within_what_was_asked_for(tmp_path: Path) -> None:
    source = seeing_source(tmp_path / "source")
    corpus = seen_corpus(source)
    nats = []
    for size in ("75%", "50%", "30%"):
        done = converted(source, tmp_path / size, size, corpus)
        lanes = sum(2 * one.ranks.pairs + one.ranks.text for one in done.fits)
        vision = sum(2 * one.ranks.pairs + one.ranks.vision for one in done.fits)
        share = done.record["target"]["lanes"]
        assert min(lanes, vision) <= share + 1e-6
        assert all(one.ranks.vision <= one.ranks.text for one in done.fits)
        nats.append(done.measured.agreement["vision"].nats + done.measured.agreement["text"].nats)
        assert divergence(source, tmp_path / size, prompt(5, (2, 4, 4), 7, (3, 4, 8), 9)) < 0.1
    assert nats == sorted(nats)


def test_explicit_ranks_are_given_to_every_layer(tmp_path: Path) -> None:
    source = text_source(tmp_path / "source")
    done = converted(source, tmp_path / "latent", "24+8", text_corpus(source))
    model = load_model(tmp_path / "latent")
    shapes = {model.config.latent_shape(layer) for layer in range(4)}
    assert {(shape.text_rank, shape.rope_width) for shape in shapes} == {(24, 8)}
    assert {(one.ranks.pairs, one.ranks.text) for one in done.fits} == {(4, 24)}


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(weigh="energy"),
        Recipe(turn=False, centre=False),
        Recipe(fold=2),
        Recipe(allocate="uniform"),
        Recipe(modalities=False),
        Recipe(norm="linear"),
        Recipe(compensate=True),
    ],
    ids=lambda recipe: json.dumps({k: v for k, v in recipe.to_json().items() if v != Recipe().to_json()[k]}),
)
def test_every_way_to_convert_gives_a_model_that_loads(tmp_path: Path, recipe: Recipe) -> None:
    source = seeing_source(tmp_path / "source")
    done = converted(source, tmp_path / "latent", "60%", seen_corpus(source), recipe=recipe)
    assert done.record["recipe"] == recipe.to_json()
    assert divergence(source, tmp_path / "latent", prompt(5, (2, 4, 4), 7, (3, 4, 8), 9)) < 0.1
    assert not (done.folder / "work").exists()


def test_weighing_by_what_reads_loses_less_than_by_energy(tmp_path: Path) -> None:
    """Queries that read few directions of the keys: the latent should keep those."""
    source = text_source(tmp_path / "source")
    path = tmp_path / "source" / "model.safetensors"
    from safetensors.torch import load_file, save_file

    weights = load_file(path)
    for name, weight in weights.items():
        if "q_norm" in name:  # pairs 1 to 7 of every head are hardly read
            weight.copy_(torch.tensor([3.0, *[0.05] * 7] * 2))
    save_file(weights, path, metadata={"format": "pt"})
    corpus = text_corpus(source)
    nats = {}
    for weigh in ("outputs", "energy"):
        recipe = Recipe(weigh=weigh, allocate="uniform")
        done = converted(source, tmp_path / weigh, "16+4", corpus, recipe=recipe)
        nats[weigh] = done.measured.agreement["text"].nats
    assert nats["outputs"] < 0.8 * nats["energy"]


def test_compensation_brings_the_stream_nearer(tmp_path: Path) -> None:
    """On what it was fitted to: random text has nothing in common with other random text."""
    source = text_source(tmp_path / "source")
    corpus = text_corpus(source, 24)
    errors = []
    for compensate in (False, True):
        recipe, folder = Recipe(compensate=compensate), tmp_path / str(compensate)
        done = convert(source, folder, target(source, "40+8"), corpus, corpus, recipe=recipe, report=False)
        errors.append(done.measured.layers[-1].stream["text"])
    assert errors[1] < errors[0]


def test_healing_brings_the_output_nearer(tmp_path: Path) -> None:
    """On what it was trained on, as above."""
    source = text_source(tmp_path / "source")
    corpus, size = text_corpus(source, 4), target(source, "32+8")
    plain = convert(source, tmp_path / "plain", size, corpus, corpus, report=False)
    healed = convert(source, tmp_path / "healed", size, corpus, corpus, heal_seconds=8.0, report=False)
    assert healed.healed is not None
    assert healed.healed.nats[-1] < healed.healed.nats[0]
    assert healed.measured.agreement["text"].nats < plain.measured.agreement["text"].nats
    assert divergence(source, tmp_path / "healed", prompt(30)) < 0.5


def test_the_linear_substitute_is_reported_for_both_modalities(tmp_path: Path) -> None:
    source = seeing_source(tmp_path / "source")
    done = converted(
        source,
        tmp_path / "latent",
        "100%",
        seen_corpus(source),
        recipe=Recipe(norm="linear", allocate="uniform"),
    )
    for layer in done.record["norm_substitute_error"]:
        for part in ("queries", "keys"):
            assert set(layer[part]) == {"text", "vision"}
            assert all(0 < error < 0.5 for error in layer[part].values())
    config = load_model(tmp_path / "latent").config.get_text_config()
    assert not config.qk_norm
    assert config.attention_bias


def test_a_conversion_can_be_repeated_from_its_record(tmp_path: Path) -> None:
    source = text_source(tmp_path / "source")
    corpus = text_corpus(source)
    one = converted(source, tmp_path / "one", "50%", corpus, recipe=Recipe(fold=2))
    told = json.loads((tmp_path / "one" / "conversion.json").read_text("utf-8"))
    again = converted(
        source, tmp_path / "two", told["target"]["asked"], corpus, recipe=Recipe(**told["recipe"])
    )
    assert again.record == one.record
    for path in sorted((tmp_path / "one").glob("*.safetensors")):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


@pytest.mark.parametrize("compensate", [False, True])
def test_stopped_anywhere_it_goes_on_without_loss(tmp_path: Path, compensate: bool) -> None:
    source = seeing_source(tmp_path / "source")
    corpus, recipe = seen_corpus(source, 4), Recipe(compensate=compensate)
    whole = converted(source, tmp_path / "whole", "50%", corpus, recipe=recipe)
    told = list[str]()
    stops = [3, 9, 17, 23, 24, 26, 30]

    def tell(what: str, done: float, total: float | None) -> None:
        told.append(what)
        if stops and len(told) >= stops[0]:
            stops.pop(0)
            raise KeyboardInterrupt

    while True:
        try:
            done = converted(source, tmp_path / "stopped", "50%", corpus, recipe=recipe, tell=tell)
        except KeyboardInterrupt:
            continue
        break
    assert not stops
    assert {"calibrating", "fitting"} <= set(told)
    assert done.record == whole.record
    for path in sorted((tmp_path / "whole").glob("*.safetensors")):
        assert path.read_bytes() == (tmp_path / "stopped" / path.name).read_bytes()


def test_a_survey_serves_several_sizes(tmp_path: Path) -> None:
    source = text_source(tmp_path / "source")
    corpus = text_corpus(source)
    told = list[str]()
    for size in ("50%", "30%"):
        converted(
            source,
            tmp_path / size,
            size,
            corpus,
            surveyed=tmp_path / "survey",
            tell=lambda *what: told.append(what[0]),
        )
    assert told.count("calibrating") == 4 * 7  # layers times sequences, once
    with pytest.raises(UsageError, match="something else was begun"):
        converted(source, tmp_path / "other", "50%", text_corpus(source, 4), surveyed=tmp_path / "survey")


def test_what_lies_in_the_way_is_not_touched(tmp_path: Path) -> None:
    source = text_source(tmp_path / "source")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        converted(source, tmp_path / "full", "50%", text_corpus(source))
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["notes.txt"]


def test_models_that_cannot_be_converted_are_refused(tmp_path: Path) -> None:
    text_source(tmp_path / "source")
    path = tmp_path / "source" / "config.json"
    config = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(config | {"hidden_act": "gelu"}))
    with pytest.raises(UsageError, match="hidden_act 'gelu'"):
        open_source(tmp_path / "source")
    path.write_text(json.dumps({"model_type": "gpt2"}))
    with pytest.raises(WeightsError, match="convertible are"):
        open_source(tmp_path / "source")


MEMORY = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[1].split(":")
from tiny_sources import target, text_corpus
from vidence.models.internvideo3.convert.conversion import convert
from vidence.models.internvideo3.convert.recipe import Recipe
from vidence.models.internvideo3.convert.source import open_source

def peak_mb(clear):
    if clear:
        Path("/proc/self/clear_refs").write_text("5")
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024

folder = Path(sys.argv[2])
source = open_source(folder / "source")
corpus = text_corpus(source, 4)
source.layer(0)
before = peak_mb(True)
convert(source, folder / "latent", target(source, "50%"), *corpus.held_out(), recipe=Recipe(probes=1))
print(peak_mb(False) - before)
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peak memory is read from /proc")
def test_memory_is_that_of_a_few_layers(tmp_path: Path) -> None:
    wide = {"hidden_size": 512, "intermediate_size": 4096, "num_hidden_layers": 12, "num_attention_heads": 8}
    source = text_source(tmp_path / "source", **wide)
    size = sum(path.stat().st_size for path in source.directory.glob("*.safetensors")) / 2**20
    code = [sys.executable, "-c", MEMORY, ":".join(sys.path), str(tmp_path)]
    grown = float(subprocess.run(code, capture_output=True, text=True, check=True).stdout.split()[-1])
    assert size > 250
    # Of this 77 MB are pages of weight files and of libraries used for the first time, whatever the depth.
    assert grown < size / 2, f"{grown:.0f} MB more for a model of {size:.0f} MB"
