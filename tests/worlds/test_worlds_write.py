"""Files: what is written can be opened, and holds what the world says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pysubs2
import pytest
from click.testing import CliRunner

from vidence.cli.group import vidence
from vidence.errors import UsageError
from vidence.media import open_media
from vidence.worlds import Setting, make_world, speech
from vidence.worlds.event import Line


def test_a_world_is_written_and_read_back(tmp_path: Path) -> None:
    world = make_world(4, Setting(duration_s=20, size=(160, 120), languages=("en", "zh")))
    told: list[float] = []
    written = world.write(tmp_path / "world.mp4", tell=lambda what, done, total: told.append(done))
    assert written.frames == 160
    assert told[-1] == 20
    with open_media(written.video) as medium:
        assert abs(medium.info.span.duration - 20) < 0.2
        video = medium.info.video
        assert video is not None
        assert (video.width, video.height, video.fps) == (160, 120, 8)
        assert medium.info.audio
        for frame in medium.frames_at([world.span.end / 4, world.span.end / 2]):
            drawn = world.frame(frame.time).astype(int)
            assert np.abs(frame.image.astype(int) - drawn).mean() < 8
    record = json.loads(written.record.read_text(encoding="utf-8"))
    assert record["questions"]["zh"][0]["id"] == record["questions"]["en"][0]["id"]
    assert len(record["events"]) == len(world.events)
    assert record["synopsis"]["en"] == world.synopsis()
    if world.lines:
        assert written.subtitles is not None
        assert [line.text for line in pysubs2.load(str(written.subtitles))] == [
            line.text for line in world.lines
        ]


def test_sound_may_be_left_out(tmp_path: Path) -> None:
    written = make_world(1, Setting(duration_s=2, level=0)).write(tmp_path / "still.mp4", sound=False)
    assert written.sound == "none"
    with open_media(written.video) as medium:
        assert not medium.info.audio


def test_lines_are_hummed_without_a_speaking_program(monkeypatch: pytest.MonkeyPatch) -> None:
    world = next(world for seed in range(20) if (world := make_world(seed, Setting())).lines)
    line: Line = world.lines[0]
    monkeypatch.setattr(speech, "program", lambda: None)
    sound = speech.spoken(line)
    assert 0 < len(sound) <= line.span.duration * speech.SOUND_HZ
    assert 0.01 < float(np.abs(sound).max()) < 1


def test_lines_are_spoken_where_the_program_is_installed() -> None:
    if speech.program() is None:
        pytest.skip("espeak-ng is not installed")
    world = next(world for seed in range(20) if (world := make_world(seed, Setting())).lines)
    sound = speech.spoken(world.lines[0])
    assert 0 < len(sound) <= world.lines[0].span.duration * speech.SOUND_HZ
    assert 0.05 < float(np.abs(sound).max()) < 1


@pytest.mark.parametrize(("size", "name"), [((33, 32), "world.mp4"), ((32, 32), "world.mkv")])
def test_what_cannot_be_written_is_refused(tmp_path: Path, size: tuple[int, int], name: str) -> None:
    with pytest.raises(UsageError):
        make_world(1, Setting(duration_s=2, size=size)).write(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_a_world(tmp_path: Path) -> None:
    out = tmp_path / "world.mp4"
    run = CliRunner().invoke(
        vidence,
        ["world", str(out), "--seed", "7", "--duration", "6", "--size", "96x64", "--no-sound", "--json"],
    )
    assert run.exit_code == 0, run.output
    told = json.loads(run.stdout)
    assert told["frames"] == 48
    assert out.exists()
    assert Path(told["record"]).exists()
    wrong = CliRunner().invoke(vidence, ["world", str(out), "--duration", "1"])
    assert wrong.exit_code == 2
