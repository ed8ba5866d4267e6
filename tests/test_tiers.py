"""One switch decides which weights the senses use; strong ones are taken once they are here, and never by surprise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from conftest import MakeVideo
from vidence.catalogue import entries, here
from vidence.cli.group import vidence
from vidence.errors import UsageError, WeightsError
from vidence.senses import SENSES, default_senses, query_encoders
from vidence.senses.tiers import STANDARD, chosen_tier, is_strong


@pytest.fixture(autouse=True)
def nothing_pulled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDENCE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.delenv("VIDENCE_TIER", raising=False)


def pull_from_a_hub(folder: Path, model: str) -> None:
    """Lay files where the hub's own cache would hold them."""
    for one in entries():
        for source in (s for s in one.sources if one.model == model and s.kind == "hub"):
            repo, revision, file = source.repo, source.revision, source.file  # type: ignore[attr-defined]
            place = folder / "hub" / ("models--" + repo.replace("/", "--")) / "snapshots" / revision / file
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(b"weights")


def names(**how: str) -> list[str]:
    return [sense.name for sense in default_senses(**how)]


def test_every_model_of_the_standard_tier_is_in_the_catalogue_under_that_tier() -> None:
    for sense, model in STANDARD.items():
        assert {(one.sense, one.tier) for one in entries() if one.model == model} == {(sense, "standard")}


def test_without_a_choice_only_what_is_here_is_used() -> None:
    assert names() == [name for name in SENSES if name != "captions"]
    assert names(tier="standard") == list(SENSES)
    assert names(tier="embedded") == names()
    assert not any(is_strong(sense, "auto") for sense in SENSES)


@pytest.mark.parametrize("sense", ["objects", "looks", "captions", "speech"])
def test_what_was_pulled_is_used_from_then_on_unless_it_is_refused(sense: str, tmp_path: Path) -> None:
    before = {one.name: one.producer for one in default_senses()}
    pull_from_a_hub(tmp_path, STANDARD[sense])
    after = {one.name: one.producer for one in default_senses()}
    assert [name for name in SENSES if after.get(name) != before.get(name)] == [sense]
    assert {one.name: one.producer for one in default_senses(tier="embedded")} == before
    strong = {one.name: one.producer for one in default_senses(tier="standard")}
    assert after[sense] == strong[sense]


def test_queries_reach_the_strong_looks_once_they_are_here(tmp_path: Path) -> None:
    assert query_encoders() == {}
    pull_from_a_hub(tmp_path, STANDARD["looks"])
    (looks,) = default_senses(["looks"])
    assert list(query_encoders()) == [looks.space]  # type: ignore[attr-defined]


def test_the_environment_chooses_and_the_flag_goes_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDENCE_TIER", "standard")
    assert chosen_tier() == "standard"
    assert chosen_tier("embedded") == "embedded"
    monkeypatch.setenv("VIDENCE_TIER", "golden")
    with pytest.raises(UsageError, match="VIDENCE_TIER 'golden'"):
        default_senses()


def test_a_model_is_here_when_all_its_files_are(tmp_path: Path) -> None:
    pull_from_a_hub(tmp_path, "florence2-base")
    assert here("florence2-base")
    next((tmp_path / "hub").rglob("merges.txt")).unlink()
    assert not here("florence2-base")
    with pytest.raises(WeightsError, match="florence9"):
        here("florence9")


def test_the_numbers_of_a_model_stand_beside_its_weights() -> None:
    by_name = {one.name: one for one in entries()}
    assert by_name["siglip2-base-text"].numbers.keys() == {"logit_scale", "logit_bias"}
    assert by_name["silero-vad"].numbers == {}


@pytest.mark.parametrize("command", ["index", "transcribe", "ground", "ask", "report"])
def test_every_command_that_perceives_takes_the_tier_and_the_language(
    command: str, make_video: MakeVideo, tmp_path: Path
) -> None:
    film = str(make_video("a.mp4", frames=5))
    more = {"ground": ["a dog"], "ask": ["What is said?"], "report": ["-o", str(tmp_path / "a.html")]}
    line = [command, film, *more.get(command, []), "--memory", str(tmp_path / "m.sqlite")]
    wrong = CliRunner().invoke(vidence, [*line, "--language", "klingon"])
    assert wrong.exit_code == UsageError.exit_code
    assert "klingon" in wrong.stderr
    assert CliRunner().invoke(vidence, [*line, "--tier", "golden"]).exit_code == UsageError.exit_code


def test_the_spoken_language_is_part_of_what_the_memory_keeps(make_video: MakeVideo, tmp_path: Path) -> None:
    film, there = str(make_video("a.mp4", frames=5)), ["--memory", str(tmp_path / "m.sqlite"), "--json"]

    def done(language: str) -> int:
        line = ["index", film, "--senses", "speech", "--language", language, *there]
        return json.loads(CliRunner().invoke(vidence, line).stdout)["segments_done"].get("speech", 0)

    assert [done("es"), done("es"), done("fr"), done("es")] == [1, 0, 1, 0]
