"""What a model is shown in a single pass: as many frames as the setting has it, as large as it has them."""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import pytest

import vidence
from chat_server import serving
from conftest import number_picture, read_number, write_video
from vidence.evaluation.benchmarks import benchmark
from vidence.evaluation.item import Frames, Item
from vidence.evaluation.models import LocalModel, RemoteModel
from vidence.evaluation.plan import Plan
from vidence.evaluation.runner import results, run
from vidence.evaluation.systems import Agent, SinglePass
from vidence.mcr.budget import Budget
from vidence.mcr.situation import Shown
from vidence.media import open_media
from vidence.policies import RulesPolicy
from vidence.timeline import Span


@dataclass
class Seeing:
    """Keeps what it is shown."""

    name: str = "seeing"
    weighs: bool = False
    shown: list[Any] = field(default_factory=list)

    def say(self, shown: Any, start: Any, text: str) -> tuple[str, int]:
        self.shown.append(shown if len(shown) > 1 else shown[0] if shown else None)
        return "AB"[len(shown) > 1], 1


@pytest.mark.parametrize(
    ("pixels", "size", "want"),
    [
        ((256, 256), (120, 160), (448, 608)),  # 443.4 by 591.2, each up to the next 32
        ((256, 256), (512, 512), (512, 512)),
        ((256, 512), (600, 600), (600, 600)),
        ((256, 512), (2160, 3840), (543, 965)),
        ((128, 512), (64, 128), (256, 512)),  # fits exactly: no side is made larger than need be
    ],
)
def test_frames_are_enlarged_and_shrunk(
    pixels: tuple[int, int], size: tuple[int, int], want: tuple[int, int]
) -> None:
    least, most = (each * 1024 for each in pixels)
    assert Frames(min_pixels=least, max_pixels=most).size(*size) == want


def test_small_frames_are_enlarged_as_by_the_processor() -> None:
    pytest.importorskip("torch")
    from vidence.models.internvideo3.patches import fitted

    for height in range(64, 480, 23):
        for width in range(64, 480, 29):
            setting = Frames(min_pixels=256 * 1024, max_pixels=512 * 1024)
            reference = fitted(height, width, 32, least=setting.min_pixels, most=setting.max_pixels)
            assert setting.size(height, width) == reference


@pytest.mark.parametrize(("least", "most", "shape"), [(256, 512, (448, 608)), (1, 8, (79, 105))])
def test_a_single_pass_shows_them_so(tmp_path: Path, least: int, most: int, shape: tuple[int, int]) -> None:
    path, model = write_video(tmp_path / "a.mp4", frames=50), Seeing()  # 160 by 120, two seconds
    system = SinglePass(model, Frames(fps=2, min_pixels=least * 1024, max_pixels=most * 1024))
    with vidence.open(path, memory=tmp_path / "memory.sqlite") as video:
        reply = system.answer(Item("1", "a.mp4", "?", ("x", "y")), "choice", video)
    frames = model.shown[0].frames
    assert [frame.image.shape[:2] for frame in frames] == [shape] * 4
    assert [read_number(frame.image) for frame in frames] == [6, 18, 31, 43]
    assert len(reply.frames) == 4


@pytest.fixture
def several(tmp_path: Path) -> Path:
    """One question about a video alone, one about two videos and a picture, one about a video that is missing."""
    folder = tmp_path / "MMSI-Video"
    folder.mkdir()
    write_video(folder / "a.mp4", frames=50)
    write_video(folder / "b.mp4", frames=150)
    cv2.imwrite(str(folder / "p.png"), number_picture(1000, 160, 120))
    one = {"type": "Planning", "ori_question": "<video>What lands?", "options": ["a kite", "a gull"]}
    rows = [
        one
        | {"id": id, "ground_truth": "B", "ref_images": images, "video_list": [{"path": v} for v in videos]}
        for id, videos, images in (
            ("1", ["a.mp4"], []),
            ("2", ["a.mp4", "b.mp4"], ["p.png"]),
            ("3", ["a.mp4", "gone.mp4"], []),
        )
    ]
    (folder / "mmsivideo.json").write_text(json.dumps(rows))
    return folder


def test_a_single_pass_is_shown_several_videos_and_pictures(several: Path, tmp_path: Path) -> None:
    model = Seeing()
    system = SinglePass(model, Frames(fps=4, max_frames=16, min_pixels=1))
    run(benchmark("mmsi-video"), several, system, Plan("all", control=False), tmp_path / "run", settings={})
    first, second, third = results(tmp_path / "run/results.jsonl")
    assert (first["said"], second["said"], third["fault"]) == ("A", "B", "gone.mp4 is missing")
    a, b, picture = model.shown[1]
    assert [len(each.frames) for each in (a, b, picture)] == [3, 11, 1]  # of 16, by how long they last
    assert read_number(picture.frames[0].image) == 1000
    assert all(each.frames[0].time >= 0 and each.span.start == 0 for each in (a, b, picture))
    assert len(second["frames"]) == 15


def test_a_loop_is_asked_about_one_video_alone(several: Path, tmp_path: Path) -> None:
    system = Agent(RulesPolicy(), Budget(max_steps=1))
    found = run(
        benchmark("mmsi-video"), several, system, Plan("all", control=False), tmp_path / "run", settings={}
    )
    assert [one["id"] for one in found["faults"]] == ["2", "3"]
    assert all("--single-pass" in one["fault"] for one in found["faults"])
    assert found["all"]["questions"] == 1


def media(folder: Path) -> list[Shown]:
    """A video of two frames, and a picture."""
    frames = open_media(write_video(folder / "v.mp4", frames=50)).frames_at([Fraction(0), Fraction(1)])
    return [Shown(Span.of(0, 2), tuple(frames)), Shown(Span.of(0, 0), (frames[0],))]


def test_an_endpoint_is_sent_videos_with_times_and_pictures_without(tmp_path: Path) -> None:
    pytest.importorskip("openai")
    from vidence.policies.chat.endpoint import Endpoint

    with serving(lambda request: "B") as server:
        said, _ = RemoteModel(Endpoint("m", base_url=server.address)).say(
            media(tmp_path), Fraction(0), "What lands?"
        )
    told = [part.get("text", part["type"]) for part in server.requests[0]["messages"][0]["content"]]
    assert said == "B"
    assert told == ["<0.0 seconds>", "image_url", "<1.0 seconds>", "image_url", "image_url", "What lands?"]


def test_a_local_model_is_shown_videos_and_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for needed in ("torch", "transformers", "pydantic", "tokenizers"):
        pytest.importorskip(needed)
    from vidence.models.internvideo3.loading import load_model
    from vidence.models.internvideo3.processing import InternVideo3Processor

    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "training"))
    toy = importlib.import_module("toy")
    toy.write_start(tmp_path / "start")
    toy.write_converted(tmp_path / "latent", tmp_path / "start", 0.5)
    processor = InternVideo3Processor.from_pretrained(tmp_path / "latent")
    model = load_model(tmp_path / "latent", dtype="float32", device="cpu")
    system = LocalModel(model, processor, "toy", max_new_tokens=2)
    _, alone = system.say(media(tmp_path)[:1], Fraction(0), "what lands")
    _, both = system.say(media(tmp_path), Fraction(0), "what lands")
    assert 0 < alone < both


@dataclass
class Weighing(Seeing):
    """Finds the second of its options likeliest."""

    weighs: bool = True
    asked: list[str] = field(default_factory=list)

    def losses(self, shown: Any, start: Any, text: str, answers: Any) -> tuple[list[float], int]:
        self.asked.append(text)
        return [float(at != 1) for at in range(len(answers))], 7


def test_a_model_that_reads_no_options_has_them_weighed(tmp_path: Path) -> None:
    model = Weighing()
    system, path = SinglePass(model, Frames(fps=1)), write_video(tmp_path / "v.mp4", frames=50)
    with vidence.open(path, memory=tmp_path / "m.sqlite") as video:
        reply = system.answer(Item("1", "v.mp4", "Which?", ("red", "blue", "green")), "choice", video)
    assert (reply.text, reply.tokens) == ("B", 7)
    assert "blue" not in model.asked[0]
