"""`vidence convert` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from click.testing import CliRunner, Result
from tiny_checkpoint import write_grouped_checkpoint

from vidence.cli.group import vidence


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    write_grouped_checkpoint(folder)
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
