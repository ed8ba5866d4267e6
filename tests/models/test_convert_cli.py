"""`vidence convert` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from click.testing import CliRunner, Result  # noqa: E402
from processor_cases import tiny_tokenizer  # noqa: E402
from tiny_models import tiny_vision  # noqa: E402
from tiny_sources import shape  # noqa: E402
from transformers.models.qwen3_vl.configuration_qwen3_vl import Qwen3VLConfig  # noqa: E402
from transformers.models.qwen3_vl.modeling_qwen3_vl import Qwen3VLForConditionalGeneration  # noqa: E402

from vidence.cli.group import vidence  # noqa: E402
from vidence.models.internvideo3.processing import InternVideo3Processor  # noqa: E402

MARKS = ("image_token_id", "video_token_id", "vision_start_token_id", "vision_end_token_id")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    processor = InternVideo3Processor(tiny_tokenizer())
    marks = {name: getattr(processor, name) for name in MARKS}
    text = shape(vocab_size=max(300, len(processor.tokenizer)))
    config = Qwen3VLConfig(text_config=text, vision_config=tiny_vision(), tie_word_embeddings=False, **marks)
    Qwen3VLForConditionalGeneration(config).save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "notes.txt"
    path.write_text("The bell rings twice and the door opens. " * 60, encoding="utf-8")
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(vidence, [str(one) for one in arguments], catch_exceptions=False)


def test_a_model_is_converted_and_talked_with(source: Path, words: Path, tmp_path: Path) -> None:
    options = ("--calibrate", words, "--length", 32, "--sequences", 8)
    done = run("convert", source, tmp_path / "latent", "--keep", 0.5, *options)
    assert done.exit_code == 0, done.output
    assert "bytes a token in 16 bits, 50% of" in done.output
    assert "perplexity" in done.output
    told = run("model", "info", tmp_path / "latent", "--json")
    assert json.loads(told.stdout)["layout"] == "exact"
    page = (tmp_path / "latent" / "conversion.html").read_text("utf-8")
    assert "<svg" in page
    spoken = CliRunner().invoke(
        vidence, ["chat", "--model", str(tmp_path / "latent"), "--max-tokens", "3"], input="Who rings?\n"
    )
    assert spoken.exit_code == 0, spoken.output


def test_pictures_are_calibrated_on(source: Path, words: Path, tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (96, 64), "navy").save(tmp_path / "sky.png")
    options = ("--calibrate", words, "--calibrate", tmp_path / "sky.png", "--measure", tmp_path / "sky.png")
    done = run(
        "convert", source, tmp_path / "latent", "--target", "24+8", *options, "--length", 160, "--json"
    )
    assert done.exit_code == 0, done.output
    record = json.loads(done.stdout)
    assert record["measured"]["agreement"]["vision"]["positions"] > 0
    assert {one["file"] for one in record["calibration"]["files"]} == {"notes.txt", "sky.png"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "nothing to calibrate on"),
        (("--calibrate", "missing.txt"), "no such file"),
        (("--target", "28%", "--keep", "0.3"), "give one of them"),
        (("--keep", "1.5"), "above 0 and at most 1"),
        (("--target", "512+64"), "--keep 0.28"),
        (("--calibrate", "WORDS", "--length", "4096", "--keep", "0.5"), "shorter than one sequence"),
    ],
)
def test_what_makes_no_sense_is_said(
    source: Path, words: Path, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    given = [str(words) if one == "WORDS" else one for one in arguments]
    if "--keep" not in given and "--target" not in given:
        given += ["--keep", "0.5"]
    done = run("convert", source, tmp_path / "latent", *given)
    assert done.exit_code == 2
    assert said in done.output
    assert not (tmp_path / "latent").exists()
