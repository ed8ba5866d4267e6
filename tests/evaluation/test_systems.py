"""What a model is shown in a single pass: as many frames as the setting has it, as large as it has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import vidence
from conftest import read_number, write_video
from vidence.evaluation.item import Frames, Item
from vidence.evaluation.systems import SinglePass


@dataclass
class Seeing:
    """Keeps what it is shown."""

    name: str = "seeing"
    shown: list[Any] = field(default_factory=list)

    def say(self, shown: Any, start: Any, text: str) -> tuple[str, int]:
        self.shown.append(shown)
        return "A", 1


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
