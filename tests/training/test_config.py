"""A file is read strictly: what is unknown or wrong is named, and every field can be looked up."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from toy import settings

from vidence.cli import train
from vidence.cli.group import vidence
from vidence.errors import UsageError
from vidence.training.config import Config, checked, described, read_config
from vidence.training.schedule import phase_at, rate_at
from vidence.training.stages import STAGES

FILE = """
out = "run"
[model]
path = "start"
[[sources]]
kind = "world"
[[phases]]
steps = 10
rate = 1e-3
pack_tokens = 512
"""


def test_a_file_is_read_and_its_paths_are_from_its_folder(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(FILE, encoding="utf-8")
    config = read_config(tmp_path / "a.toml", ["phases.0.steps=7", "seed=3", 'sources.0.form="open"'])
    assert (config.out, config.model.path) == (tmp_path / "run", tmp_path / "start")
    assert (config.steps, config.seed, config.sources[0].form) == (7, 3, "open")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("sede=1", "sede: is not known"),
        ("phases.0.rte=1", "phases.0.rte: is not known"),
        ("phases.0.steps=0", "phases.0.steps: input should be greater than 0"),
        ("sources.0.level=9", "sources.0.level: input should be less than or equal to 3"),
        ('sources.0.form="quiz"', "sources.0.form"),
        ('sources.0.kind="chat"', "a source of kind chat needs a path"),
        ("sources.0.duration_s=[9, 4]", "the shortest is above the longest"),
        ("seed", "write table.key=value"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, change: str, said: str) -> None:
    (tmp_path / "a.toml").write_text(FILE, encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        read_config(tmp_path / "a.toml", [change])


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_config(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("out = = 3", encoding="utf-8")
    with pytest.raises(UsageError, match=r"bad\.toml: is no TOML"):
        read_config(tmp_path / "bad.toml")


def test_every_field_is_described() -> None:
    fields = described()
    assert all(meaning and kind for _, kind, _, meaning in fields)
    names = {name for name, *_ in fields}
    assert {"out", "phases[].seeing.fps", "reinforce.clip_low", "sources[].form"} <= names
    assert {name.split("[")[0].split(".")[0] for name in names} == set(Config.model_fields)


def test_the_command_lists_fields_and_tells_what_is_missing(tmp_path: Path) -> None:
    listed = CliRunner().invoke(vidence, ["train", "--fields"])
    assert listed.exit_code == 0
    assert "phases[].pack_tokens" in listed.output
    alone = CliRunner().invoke(vidence, ["train", "finetune"])
    assert alone.exit_code == 2


def test_the_command_offers_the_stages_that_there_are() -> None:
    assert set(train.STAGES) == set(STAGES)


def test_the_rate_rises_and_falls_in_each_phase() -> None:
    phases = [{"steps": 10, "rate": 1.0, "pack_tokens": 64}, {"steps": 20, "rate": 0.5, "pack_tokens": 64}]
    config = checked(settings(Path("out"), Path("model"), 1, 1.0, phases=phases, optimiser={"warmup": 0.2}))
    rates = [rate_at(config.phases, config.optimiser, step) for step in range(30)]
    assert rates[0] == 0.5
    assert max(rates[:10]) == rates[1] == 1.0
    assert rates[9] < 0.2
    assert max(rates[10:]) == 0.5
    assert rates[29] == pytest.approx(0.05 * 0.5, abs=0.01)
    assert [phase_at(config.phases, step)[0] for step in (0, 9, 10, 29)] == [0, 0, 1, 1]
