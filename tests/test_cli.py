"""The command line: what it prints and where, its exit codes, and that nothing done is ever lost."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pysubs2
import pytest
from click.testing import CliRunner, Result

from conftest import hear_interrupts, write_video
from vidence.cli.group import COMMANDS, vidence

SCHEMAS = Path(__file__).parents[1] / "src/vidence/schemas"
HEAVY = (
    "numpy",
    "av",
    "cv2",
    "onnxruntime",
    "sqlite3",
    "scipy",
    "jinja2",
    "tqdm",
    "vidence.media",
    "vidence.memory",
)


def card(number: int) -> np.ndarray:
    """Paint EXIT 25 on dark blue for two seconds, then a light picture without words."""
    import cv2

    if number >= 50:
        return np.full((240, 320, 3), 200, np.uint8)
    picture = np.full((240, 320, 3), (20, 30, 60), np.uint8)
    cv2.putText(picture, "EXIT 25", (60, 130), cv2.FONT_HERSHEY_SIMPLEX, 1.6, (240, 240, 240), 3, cv2.LINE_AA)
    return picture


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write four seconds: a sign, a cut at 2 s, and two subtitles, one with a terminal's control code in it."""
    cues = [(0.5, 1.5, "Turn left here."), (2.5, 3.5, "We have \x1b[31marrived.")]
    folder = tmp_path_factory.mktemp("clip")
    return write_video(folder / "trip.mp4", frames=100, fps=25, size=(320, 240), paint=card, cues=cues)


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Name one memory file for the whole module: what one test indexed, the next need not."""
    return str(tmp_path_factory.mktemp("memory") / "memory.sqlite")


def run(*arguments: str, **how: Any) -> Result:
    return CliRunner().invoke(vidence, list(arguments), **how)


def printed(result: Result, schema: str) -> Any:
    """Read the JSON on stdout and check it against the published schema."""
    found = json.loads(result.stdout)
    jsonschema.validate(found, json.loads((SCHEMAS / f"{schema}.json").read_text()))
    return found


def test_help_loads_nothing_heavy() -> None:
    code = "import sys; from vidence.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    code += "print([name for name in sys.argv[1:] if name in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code, *HEAVY], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "Ask any video a question" in done.stdout


def test_help_takes_less_than_0_3_s_of_processor_time() -> None:
    def cpu_s() -> float:
        spent = os.times()
        return spent.children_user + spent.children_system

    def once() -> float:
        before = cpu_s()
        subprocess.run([sys.executable, "-m", "vidence.cli", "--help"], stdout=subprocess.DEVNULL, check=True)
        return cpu_s() - before

    assert min(once() for _ in range(3)) < 0.3


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: vidence {name}")
    assert max(len(line) for line in result.stdout.splitlines()) <= 100


def test_an_unknown_command_is_wrong_usage() -> None:
    assert run("sing").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["ask", "{clip}", "  "], 2, "the question is empty"),
        (["ask", "{clip}", "Which?", "--choice", "one"], 2, "at least two choices"),
        (["ask", "{clip}", "Which?", "--choice", " ", "--choice", "b"], 2, "the choice is empty"),
        (["ask", "{clip}", "Which?", "--time-limit", "-1"], 2, "--time-limit"),
        (["ground", "{clip}", ""], 2, "the phrase is empty"),
        (["shots", "{clip}", "-f", "doc"], 2, "unknown format 'doc'"),
        (["shots", "{clip}", "-f", "srt,vtt"], 2, "cannot share stdout"),
        (["shots", "{clip}", "--start", "soon"], 2, "cannot read 'soon' as a time"),
        (["shots", "{clip}", "--start", "3", "--end", "2"], 2, "empty range"),
        (["shots", "{clip}", "--start", "99"], 2, "empty range"),
        (["shots", "{clip}", "-o", "/proc/none/shots.txt"], 2, "cannot write -o /proc/none/shots.txt"),
        (["index", "{clip}", "--senses", "smell"], 2, "smell"),
        (["shots", "{folder}/none.mp4"], 3, "none.mp4"),
        (["shots", "{folder}"], 3, "{folder}"),
        (["shots", "{garbage}"], 3, "garbage.mp4"),
        (["shots", "{empty}"], 3, "empty.mp4"),
        (["models", "where", "no-such"], 4, "no-such"),
        (["shots", "{clip}", "--memory", "{garbage}"], 5, "garbage.mp4"),
        (["show", "never-indexed.mp4"], 2, "not in the memory"),
        (["forget", "never-indexed.mp4"], 2, "not in the memory"),
    ],
)
def test_what_is_wrong_is_told_in_one_line_with_its_exit_code(
    arguments: list[str], code: int, told: str, clip: Path, memory: str, tmp_path: Path
) -> None:
    places = {
        "clip": clip,
        "folder": tmp_path,
        "garbage": tmp_path / "garbage.mp4",
        "empty": tmp_path / "empty.mp4",
    }
    places["garbage"].write_bytes(b"not a video at all" * 99)
    places["empty"].touch()
    filled = [argument.format(**places) for argument in arguments]
    result = run(*filled, *([] if "--memory" in filled or filled[0] == "models" else ["--memory", memory]))
    assert result.exit_code == code
    assert result.stdout == ""
    assert told.format(**places) in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr


def test_verbose_adds_the_trace(tmp_path: Path) -> None:
    result = run("shots", str(tmp_path / "none.mp4"), "-v", "--memory", str(tmp_path / "m.sqlite"))
    assert result.exit_code == 3
    assert "Traceback" in result.stderr


def test_shots_are_exact_and_fit_the_schema(clip: Path, memory: str) -> None:
    result = run("shots", str(clip), "-f", "json", "--memory", memory)
    assert result.exit_code == 0
    spans = [(one["start_s"], one["end_s"]) for one in printed(result, "observations")["observations"]]
    assert spans == [(0.0, 2.0), (2.0, 4.0)]


def test_a_range_may_be_given_as_frames_clock_or_seconds(clip: Path, memory: str) -> None:
    for start in ("60f", "0:02.4", "2.4s"):
        result = run("transcribe", str(clip), "--start", start, "-q", "--memory", memory)
        assert result.stdout.split("\t")[1] == "We have [31marrived.\n", start


def test_read_finds_the_sign_and_when_it_is_there(clip: Path, memory: str) -> None:
    result = run("read", str(clip), "-f", "json", "--memory", memory)
    (sign,) = printed(result, "observations")["observations"][:1]
    assert sign["text"] == "EXIT 25"
    assert (sign["start_s"], sign["end_s"]) == (0.0, 2.0)


def test_several_formats_go_into_a_folder_each_readable(clip: Path, memory: str, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    result = run("transcribe", str(clip), "-f", "srt,vtt", "-f", "json", "-o", str(out), "--memory", memory)
    assert result.exit_code == 0
    assert result.stdout == ""
    assert sorted(path.name for path in out.iterdir()) == ["trip.json", "trip.srt", "trip.vtt"]
    for name in ("srt", "vtt"):
        first = pysubs2.load(str(out / f"trip.{name}"))[0]
        assert (first.start, first.end, first.plaintext) == (500, 1500, "Turn left here.")


def test_what_a_video_says_does_not_steer_the_terminal(clip: Path, memory: str) -> None:
    run("transcribe", str(clip), "-q", "--memory", memory)
    result = run("show", str(clip), "--senses", "speech", "--memory", memory, color=True)
    assert "arrived." in result.stdout
    assert "\x1b[31m" not in result.stdout


def test_no_color_is_respected(clip: Path, memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run("shots", str(clip), "-q", "--memory", memory)
    assert "\x1b[" in run("show", str(clip), "--memory", memory, color=True).stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in run("show", str(clip), "--memory", memory, color=True).stdout


def test_index_search_show_and_forget_agree(clip: Path, tmp_path: Path) -> None:
    there = ["--memory", str(tmp_path / "m.sqlite")]
    first = printed(run("index", str(clip), "--senses", "shots,text,speech", "--json", *there), "index")
    again = printed(run("index", str(clip), "--senses", "shots,text,speech", "--json", *there), "index")
    assert first["new_observations"] >= 5
    assert again["new_observations"] == 0
    assert not any(again["segments_done"].values())
    (known,) = printed(run("show", "--json", *there), "show")["media"]
    assert known["path"] == str(clip)
    best = printed(run("search", "exit", "--json", *there), "search")["hits"][0]
    assert best["observation"]["text"] == "EXIT 25"
    one = printed(run("show", known["hash"].split(":")[-1][:12], "--json", *there), "show")
    assert one["coverage"]["seen"] == {"shots": 1.0, "speech": 1.0, "text": 1.0}
    assert run("forget", str(clip), *there).exit_code == 0
    assert printed(run("show", "--json", *there), "show") == {"media": []}
    assert run("search", "exit", *there).exit_code == 1


def test_models_list_tells_licence_and_place() -> None:
    models = printed(run("models", "list", "--json"), "models")["models"]
    assert {"silero-vad", "moonshine-base-en-encoder"} <= {one["name"] for one in models}
    assert all(one["licence"] for one in models)
    text = run("models", "list", "--tier", "embedded").stdout
    assert "silero-vad" in text
    assert "standard" not in text


def test_a_reader_that_goes_away_is_no_fault(clip: Path, memory: str) -> None:
    command = [
        sys.executable,
        "-m",
        "vidence.cli",
        "shots",
        str(clip),
        "-f",
        "json",
        "-q",
        "--memory",
        memory,
    ]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


def test_interrupting_keeps_what_is_done(tmp_path: Path) -> None:
    film = write_video(tmp_path / "long.mp4", frames=6000, fps=10, size=(160, 120), gop=50)
    place = tmp_path / "m.sqlite"
    command = [sys.executable, "-m", "vidence.cli", "shots", str(film), "--memory", str(place)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=hear_interrupts
    )
    try:
        kept = _interrupt_after_a_segment(place, process)
        _, told = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "what was finished is kept" in told
    assert "Traceback" not in told
    assert 0 < kept <= _segments(place) < 10
    again = printed(run("index", str(film), "--senses", "shots", "--json", "--memory", str(place)), "index")
    assert again["segments_skipped"]["shots"] >= kept
    assert again["segments_skipped"]["shots"] + again["segments_done"]["shots"] == 10


def _interrupt_after_a_segment(place: Path, process: subprocess.Popen[str]) -> int:
    """Let the command run in slices, standing still while its memory is looked at: no race on a busy machine."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.1)
        process.send_signal(signal.SIGSTOP)
        kept = _segments(place) if place.exists() else 0
        if kept:
            process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGCONT)
        if kept:
            return kept
    raise AssertionError("no segment was kept before the command ended")


def _segments(place: Path) -> int:
    """Count the segments kept, without ever waiting for a writer that stands still."""
    with contextlib.closing(sqlite3.connect(f"file:{place}?mode=ro", uri=True, timeout=0.1)) as reader:
        try:
            return int(reader.execute("SELECT count(*) FROM segment").fetchone()[0])
        except sqlite3.OperationalError:
            return 0  # the file is still being made
