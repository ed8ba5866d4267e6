"""lmms-eval, where it is installed, finds Vidence by the entry point of its metadata, and gets answers and losses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("lmms_eval")
pytest.importorskip("torch")
pytest.importorskip("transformers")
from lmms_eval.api.instance import Instance, unwrap_generation_output
from lmms_eval.models.registry_v2 import ModelRegistryV2

from conftest import write_video
from vidence.errors import UsageError

ROOT = Path(__file__).parents[2]
PROMPT = (
    "Select the best answer to the following multiple-choice question based on the video. Respond with only the letter "
    "(A, B, C, or D) of the correct option.\nWhat is written on the sign?\nA. EXIT 31\nB. PLATFORM 9\nC. NO SMOKING\n"
    "D. WET PAINT\nAnswer with the option's letter from the given choices directly."
)
OPTIONS = ("EXIT 31", "PLATFORM 9")


@pytest.fixture(scope="module")
def sign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second and a half of a sign."""
    picture = np.full((160, 320, 3), (20, 60, 30), np.uint8)
    cv2.putText(
        picture, "PLATFORM 9", (20, 90), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (240, 240, 240), 3, cv2.LINE_AA
    )
    path = tmp_path_factory.mktemp("signs") / "sign.mp4"
    return write_video(path, size=(320, 160), fps=10, frames=15, paint=lambda _: picture)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model with random weights."""
    from tiny_checkpoint import write_checkpoint

    folder = tmp_path_factory.mktemp("internvideo3")
    write_checkpoint(folder)
    return folder


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelRegistryV2:
    """lmms-eval's own registry, with the metadata that the package's build writes on the path."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
    folder = tmp_path / "site/vidence_as_built-0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: vidence-as-built\nVersion: 0\n")
    lines = [f"{name} = {value}" for name, value in declared["lmms_eval.models"].items()]
    (folder / "entry_points.txt").write_text("\n".join(["[lmms_eval.models]", *lines]))
    monkeypatch.syspath_prepend(str(folder.parent))
    found = ModelRegistryV2()
    found.load_entrypoint_manifests()
    return found


def made(registry: ModelRegistryV2, tmp_path: Path, video: Any, arguments: str = "policy=rules") -> Any:
    """Make the model as `lmms-eval --model vidence --model_args ...` does, with a task of one document."""
    arguments += f",memory={tmp_path / 'memory.sqlite'}"
    added = {"batch_size": "1", "max_batch_size": None, "device": "cpu"}
    model = registry.get_model_class("vidence").create_from_arg_string(arguments, added)
    model.task_dict["signs"] = {"test": [{"video": video, "answer": "B"}]}
    return model


def request(kind: str, *arguments: Any, visual: Any = lambda doc: [doc["video"]]) -> Instance:
    about = {"task": "signs", "doc_id": 0, "repeats": 1}
    return Instance(kind, (*arguments, visual, 0, "signs", "test"), 0, about)


def test_a_question_is_answered_by_its_letter(registry: Any, tmp_path: Path, sign: Path) -> None:
    model = made(registry, tmp_path, str(sign), "policy=rules,max_steps=6")
    (said,) = model.generate_until([request("generate_until", PROMPT, {"max_new_tokens": 16})])
    assert unwrap_generation_output(said) == ("B", None)


def test_a_question_without_options_is_answered_in_words(registry: Any, tmp_path: Path, sign: Path) -> None:
    model = made(registry, tmp_path, str(sign))
    prompt = "What is written on the sign?\nAnswer the question using a single word or phrase."
    (said,) = model.generate_until([request("generate_until", prompt, {})])
    assert "PLATFORM 9" in said


def test_a_file_that_cannot_be_opened_costs_its_own_answer_alone(
    registry: Any, tmp_path: Path, sign: Path
) -> None:
    model = made(registry, tmp_path, str(sign))
    gone = request("generate_until", PROMPT, {}, visual=lambda _: [str(tmp_path / "gone.mp4")])
    with pytest.warns(UserWarning, match="signs, question 0 has no answer"):
        assert model.generate_until([gone, request("generate_until", PROMPT, {})]) == ["", "B"]


def test_what_does_not_fit_is_refused(registry: Any, tmp_path: Path, sign: Path) -> None:
    with pytest.raises(UsageError, match="temperature"):
        made(registry, tmp_path, str(sign), "temperature=1")
    with pytest.raises(UsageError, match="single_pass"):
        made(registry, tmp_path, str(sign), "single_pass=True")
    model = made(registry, tmp_path, str(sign))
    with pytest.raises(UsageError, match="batch_size is 4"):
        type(model)(batch_size=4)
    with pytest.raises(UsageError, match="signs shows ndarray, ndarray"):
        model.generate_until([request("generate_until", PROMPT, {}, visual=lambda _: [np.zeros(1)] * 2)])
    with pytest.raises(UsageError, match="wants likelihoods"):
        model.loglikelihood([request("loglikelihood", PROMPT, " A")])
    with pytest.raises(UsageError, match="several rounds"):
        model.generate_until_multi_round([])


def test_a_model_alone_is_given_the_tasks_own_prompt(
    registry: Any, tmp_path: Path, sign: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vidence.evaluation.models import LocalModel

    model = made(registry, tmp_path, str(sign), f"model={checkpoint},single_pass=True,most_frames=4")
    asked, say = list[Any](), LocalModel.say

    def heard(self: LocalModel, shown: Any, start: Any, text: str) -> tuple[str, int]:
        asked.append((len(shown[0].frames), text))
        return say(self, shown, start, text)

    monkeypatch.setattr(LocalModel, "say", heard)
    (said,) = model.generate_until([request("generate_until", PROMPT, {})])
    assert isinstance(said, str)
    assert asked == [(4, PROMPT)]


def test_losses_come_in_order_and_the_least_is_what_the_model_says(
    registry: Any, tmp_path: Path, sign: Path, checkpoint: Path
) -> None:
    model = made(registry, tmp_path, str(sign), f"model={checkpoint},most_frames=2")
    (spoken,) = type(model).generate_until(
        made(registry, tmp_path, str(sign), f"model={checkpoint},single_pass=True,most_frames=2"),
        [request("generate_until", PROMPT, {})],
    )
    start = spoken.strip()[:1]
    answers = [" EXIT 31", f" {start}", lambda doc: doc["answer"]]
    losses = model.loglikelihood([request("loglikelihood", PROMPT, answer) for answer in answers])
    assert [said for _, said in losses] == [False, True, spoken.startswith("B")]
    assert all(loss > 0 for loss, _ in losses)
    assert losses[1][0] == min(loss for loss, _ in losses)
    again = model.loglikelihood([request("loglikelihood", PROMPT, answers[0])])
    assert again[0][0] == pytest.approx(losses[0][0], rel=1e-3)
    about = {"task": "signs", "doc_id": 0, "repeats": 1}
    (blind,) = model.loglikelihood([Instance("loglikelihood", ("", "EXIT 31"), 0, about)])
    assert blind[0] != losses[0][0]


TASK = """
task: signs
dataset_path: json
dataset_kwargs: {data_files: {test: DATA}}
test_split: test
output_type: generate_until
doc_to_visual: !function signs.visual
doc_to_text: question
doc_to_target: answer
process_results: !function signs.scored
metric_list: [{metric: right, aggregation: mean, higher_is_better: true}]
"""
FUNCTIONS = """
def visual(doc):
    return [doc["video"]]

def scored(doc, results):
    return {"right": float(results[0] == doc["answer"])}
"""


@pytest.mark.slow
def test_lmms_eval_scores_us_by_its_own_command(registry: Any, tmp_path: Path, sign: Path) -> None:
    pytest.importorskip("datasets")
    docs = [{"video": str(sign), "question": PROMPT, "answer": answer} for answer in "BA"]
    (tmp_path / "signs.json").write_text(json.dumps(docs))
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks/signs.yaml").write_text(TASK.replace("DATA", str(tmp_path / "signs.json")))
    (tmp_path / "tasks/signs.py").write_text(FUNCTIONS)
    command = [
        sys.executable,
        "-m",
        "lmms_eval",
        "--model",
        "vidence",
        "--tasks",
        "signs",
        "--batch_size",
        "1",
    ]
    command += ["--model_args", f"policy=rules,memory={tmp_path / 'memory.sqlite'}"]
    command += ["--include_path", str(tmp_path / "tasks"), "--output_path", str(tmp_path / "out")]
    offline = {"HF_HOME": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    paths = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        command, env={**os.environ, **offline, "PYTHONPATH": paths}, capture_output=True, text=True
    )
    (found,) = (tmp_path / "out").rglob("*_results.json")
    assert json.loads(found.read_text())["results"]["signs"]["right,none"] == 0.5, done.stderr
