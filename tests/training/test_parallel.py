"""Several processes train as one does: sharded, with rows shared between them, and after a kill."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from toy import SEEING, configured, settings, torchrun, write_converted, write_start

from vidence.errors import UsageError
from vidence.training import saving
from vidence.training.config import checked
from vidence.training.log import read_log
from vidence.training.loop import Trainer, train

RUN = Path(__file__).with_name("run_stage.py")
STEPS = 6


@pytest.fixture(scope="module")
def latent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_start(folder / "start")
    write_converted(folder / "latent", folder / "start", 0.5)
    return folder / "latent"


@pytest.fixture(scope="module")
def alone(latent: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("alone")
    train("finetune", configured(out / "run", latent, STEPS, 1e-3))
    return out / "run"


def curve(out: Path) -> list[float]:
    return [entry["cross_entropy"] for entry in read_log(out / "log.jsonl") if "cross_entropy" in entry]


def written(folder: Path, **values: object) -> Path:
    """Write a configuration."""
    path = folder / "config.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    return path


def test_sharded_over_two_processes_the_curve_is_that_of_one(
    latent: Path, alone: Path, tmp_path: Path
) -> None:
    values = settings(tmp_path / "run", latent, STEPS, 1e-3)
    torchrun(2, RUN, "finetune", written(tmp_path, **values))
    assert curve(tmp_path / "run") == pytest.approx(curve(alone), rel=2e-3)
    assert curve(alone)[0] > curve(alone)[-1]


def test_two_processes_share_each_row(latent: Path, alone: Path, tmp_path: Path) -> None:
    values = settings(tmp_path / "run", latent, STEPS, 1e-3, parallel={"sequence": 2})
    torchrun(2, RUN, "finetune", written(tmp_path, **values))
    assert curve(tmp_path / "run") == pytest.approx(curve(alone), rel=2e-3)


@pytest.mark.parametrize(("stage", "lengths"), [("finetune", [5]), ("finetune", [2, 3]), ("reinforce", [5])])
def test_killed_at_any_step_it_goes_on_as_if_it_had_not_been(
    latent: Path, tmp_path: Path, stage: str, lengths: list[int]
) -> None:
    one = {"rate": 1e-3, "pack_tokens": 512, "packs": 2, "seeing": SEEING}
    phases = [one | {"steps": steps} for steps in lengths]

    def run(name: str) -> dict[str, torch.Tensor]:
        train(stage, configured(tmp_path / name, latent, 5, 1e-3, save_every=2, phases=phases))
        return load_file(tmp_path / name / "model" / "model.safetensors")

    whole = run("whole")
    with pytest.MonkeyPatch.context() as patch:
        step = Trainer._step

        def killed(trainer: Trainer, at: int) -> dict[str, float]:
            if at == 3:
                raise KeyboardInterrupt
            return step(trainer, at)

        patch.setattr(Trainer, "_step", killed)
        with pytest.raises(KeyboardInterrupt):
            run("broken")
    broken = run("broken")
    assert all(torch.equal(broken[name], weight) for name, weight in whole.items())
    assert [entry["step"] for entry in read_log(tmp_path / "broken" / "log.jsonl")][:5] == [1, 2, 3, 4, 5]


def test_a_run_of_one_process_goes_on_in_two(latent: Path, alone: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    values = settings(out, latent, STEPS, 1e-3, save_every=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(saving, "export", lambda *_: None)
        step = Trainer._step
        patch.setattr(Trainer, "_step", lambda trainer, at: step(trainer, at) if at < 3 else sys.exit())
        with pytest.raises(SystemExit):
            train("finetune", checked(values))
    torchrun(2, RUN, "finetune", written(tmp_path, **values))
    assert curve(out) == pytest.approx(curve(alone), rel=2e-3)


@pytest.mark.parametrize(
    ("model", "near"),
    [({"recompute": True}, 1e-5), ({"dtype": "bfloat16"}, 2e-2), ({"frozen": ["tower"]}, 0.2)],
)
def test_memory_is_saved_without_another_curve(
    latent: Path, alone: Path, tmp_path: Path, model: dict[str, object], near: float
) -> None:
    values = settings(tmp_path / "run", latent, STEPS, 1e-3)
    train("finetune", checked(values | {"model": values["model"] | model}))
    assert curve(tmp_path / "run") == pytest.approx(curve(alone), rel=near)


def test_what_is_frozen_stays_and_the_rest_moves(latent: Path, tmp_path: Path) -> None:
    values = settings(tmp_path / "run", latent, 2, 1e-3)
    train("finetune", checked(values | {"model": values["model"] | {"frozen": ["tower", "embeddings"]}}))
    after = load_file(tmp_path / "run" / "model" / "model.safetensors")
    shards = [load_file(path) for path in latent.glob("*.safetensors")]
    before = {name: weight for shard in shards for name, weight in shard.items()}
    still = {name for name, weight in after.items() if torch.equal(weight, before[name])}
    assert {name for name in after if ".visual." in name or "embed_tokens" in name} <= still
    assert any("self_attn.q_proj" in name for name in set(after) - still)


def test_a_run_goes_on_only_as_it_was_begun(latent: Path, tmp_path: Path) -> None:
    train("finetune", configured(tmp_path / "run", latent, 1, 1e-3))
    begun = tmp_path / "run" / "config.json"
    older = json.loads(begun.read_text("utf-8"))
    del older["phases"][0]["level"]  # a field that an older version did not have
    begun.write_text(json.dumps(older), encoding="utf-8")
    train("finetune", configured(tmp_path / "run", latent, 1, 1e-3))
    with pytest.raises(UsageError, match="was begun with other phases, seed"):
        train("finetune", configured(tmp_path / "run", latent, 1, 2e-3, seed=4))
    with pytest.raises(UsageError, match="was begun with other stage"):
        train("pretrain", configured(tmp_path / "run", latent, 1, 1e-3))
