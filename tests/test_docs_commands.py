"""Every command of the README runs, on a video written for it, and does what the README says of it."""

from __future__ import annotations

import json
import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from app_cases import check_schema
from chat_server import serving
from conftest import sign_then_wall, write_video
from vidence.cli.group import vidence

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINES = [
    line for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) for line in block.splitlines() if line
]
OURS = [line for line in LINES if line.startswith("vidence ")]
SKILL = [
    line.strip()
    for block in re.findall(
        r"```sh\n(.*?)```", (ROOT / "skills/vidence/SKILL.md").read_text(encoding="utf-8"), re.DOTALL
    )
    for line in block.splitlines()
    if line.strip()
]
TRAINING = """
out = "trained"
workers = 0
model = {path = "internvideo3-8b"}
[[sources]]
kind = "world"
level = 0
[[phases]]
steps = 2
rate = 1e-3
pack_tokens = 2048
seeing = {max_frames = 4}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Work in a folder that holds talk.mp4, with a memory of its own."""
    place = tmp_path_factory.mktemp("readme")
    cues = [(0.2, 1.8, "Turn left at the exit."), (2.2, 3.8, "We have arrived.")]
    if find_spec("torch") and find_spec("transformers"):
        from tiny_checkpoint import write_checkpoint, write_grouped_checkpoint

        write_checkpoint(place / "internvideo3-8b")
        write_grouped_checkpoint(place / "qwen3-vl-8b")
        (place / "finetune.toml").write_text(TRAINING, encoding="utf-8")
        (place / "notes.txt").write_text("The bell rings twice and the door opens. " * 600, encoding="utf-8")
    write_video(place / "talk.mp4", frames=100, fps=25, size=(320, 240), paint=sign_then_wall, cues=cues)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setenv("VIDENCE_HOME", str(place / "home"))
        yield place


def run(line: str) -> str:
    result = CliRunner().invoke(vidence, shlex.split(line)[1:])
    assert result.exit_code in (0, 1), f"{line}\n{result.output}"  # 1: no supported answer, said so
    return result.stdout


def answers_over_http(line: str) -> None:
    """Start the server on a free port, and ask it what it serves."""
    place = "v1/models" if "--model" in line else "api/media"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", *shlex.split(line), "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        told = server.stderr.readline()  # once the model is loaded
        for _ in range(100):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/{place}") as reply:
                    found = json.load(reply)
                break
            except OSError:
                time.sleep(0.1)
        else:
            pytest.fail(f"the server does not answer; it said {told!r}")
        server.terminate()
    if "--model" in line:
        assert [one["id"] for one in found["data"]] == [
            "vidence",
            "vidence/internvideo3-8b",
            "internvideo3-8b",
        ]
    else:
        assert isinstance(found["media"], list)


def schema(name: str) -> dict[str, object]:
    return json.loads((ROOT / "src/vidence/schemas" / f"{name}.json").read_text())


@pytest.mark.parametrize("line", OURS)
def test_the_command_runs(line: str, folder: Path) -> None:
    if ("internvideo3" in line or " convert " in line) and not (folder / "internvideo3-8b").exists():
        pytest.skip("needs the extra `model`")
    if line.startswith("vidence serve"):
        answers_over_http(line)
        return
    if line == "vidence mcp":
        pytest.importorskip("mcp")  # that it answers is tested in tests/serving/test_agents.py
    if "--api-base" not in line:
        run(line)
        return
    pytest.importorskip("openai")
    final = {"thought": "t", "text": "", "confidence": 0.1, "lacking": "nobody disagrees"}
    with serving(lambda request: {"name": "answer", "arguments": final}) as server:
        assert "nobody disagrees" in run(line.replace("http://localhost:8000/v1", server.address))


@pytest.mark.parametrize("line", SKILL)
def test_what_agents_are_taught_runs(line: str, folder: Path) -> None:
    if "search" in line:
        run("vidence index talk.mp4 --senses speech")
    run(line)


def test_the_readme_tells_of_every_command() -> None:
    from vidence.cli.group import COMMANDS

    assert {line.split()[1] for line in OURS} == set(COMMANDS)


def test_the_sign_is_read_and_cited_where_it_is(folder: Path) -> None:
    answer = json.loads(run('vidence ask talk.mp4 "What is written on the sign?" --json'))
    jsonschema.validate(answer, schema("ask"))
    assert "EXIT 25" in answer["text"]
    assert answer["status"] == "answered"
    assert answer["claims"][0]["verdict"] == "supported"
    cited = answer["claims"][0]["evidence"][0]
    assert (cited["start_s"], cited["end_s"]) == (0.0, 2.0)
    assert answer["coverage"]["seen"]["text"] == 1.0


def test_the_choice_comes_with_its_index(folder: Path) -> None:
    (line,) = (line for line in OURS if "--choice" in line)
    answer = json.loads(run(line + " --json"))
    jsonschema.validate(answer, schema("ask"))
    assert answer["choice"]["index"] in (0, 1)
    assert answer["choice"]["text"] == ["the sign is shown", "the wall is shown"][answer["choice"]["index"]]


def test_the_answer_as_text_shows_verdict_time_quote_and_cost_in_80_columns(folder: Path) -> None:
    text = run('vidence ask talk.mp4 "What is written on the sign?"')
    for expected in ("EXIT 25", "supported", "00:00.000–00:02.000", "checked:", "cost:", "confidence"):
        assert expected in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_several_files_are_each_asked_and_one_bad_file_takes_nothing_away(folder: Path) -> None:
    (folder / "broken.mp4").write_bytes(b"none" * 100)
    line = 'vidence ask broken.mp4 talk.mp4 "What is written on the sign?"'
    result = CliRunner().invoke(vidence, [*shlex.split(line)[1:], "--json"])
    found = json.loads(result.stdout)
    jsonschema.validate(found, schema("ask"))
    assert result.exit_code == 3
    assert "error" in found["answers"][0]
    assert "EXIT 25" in found["answers"][1]["text"]
    shown = CliRunner().invoke(vidence, shlex.split(line)[1:])
    assert "talk.mp4" in shown.stdout
    assert "broken.mp4" in shown.stderr


def test_grounding_gives_spans_best_first(folder: Path) -> None:
    found = json.loads(run('vidence ground talk.mp4 "the exit sign" --json'))
    jsonschema.validate(found, schema("ground"))
    scores = [span["score"] for span in found["spans"]]
    assert scores
    assert scores == sorted(scores, reverse=True)
    assert found["spans"][0]["start_s"] < 2.0


def test_a_question_without_time_ends_within_it_and_says_so(folder: Path) -> None:
    result = CliRunner().invoke(vidence, ["ask", "talk.mp4", "Who dances?", "--time-limit", "0", "--json"])
    found = json.loads(result.stdout)
    jsonschema.validate(found, schema("ask"))
    assert result.exit_code == 1
    assert found["status"] != "answered"
    assert found["lacking"]


def test_the_report_of_the_readme_is_written(folder: Path) -> None:
    (line,) = (line for line in OURS if line.startswith("vidence report"))
    run(line)
    page = (folder / "talk.html").read_text(encoding="utf-8")
    assert "EXIT 25" in page
    assert "What is said?" in page


@pytest.mark.parametrize("app", ["moderate", "study", "watch", "catalogue"])
def test_an_application_writes_its_page(app: str, folder: Path) -> None:
    (line,) = (line for line in OURS if line.startswith(f"vidence {app} "))
    found = json.loads(run(f"{line} --json"))
    check_schema(found, app)
    flags = shlex.split(line)
    for flag in ("--html", "--export", "--csv"):
        if flag in flags:
            assert (folder / flags[flags.index(flag) + 1]).stat().st_size > 0


def test_the_python_of_the_readme_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(code, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "EXIT 25" in printed
    assert "supported" in printed


def test_the_other_commands_are_those_of_installing() -> None:
    assert [line for line in LINES if line not in OURS] == ["python -m pip install .", "make demo"]
    tried = subprocess.run(["make", "-n", "demo"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "examples/demo.py" in tried.stdout


@pytest.mark.slow
def test_the_package_installs_from_a_clone_with_its_data(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(tmp_path), "."]
    subprocess.run(pip, cwd=ROOT, check=True)
    package = tmp_path / "vidence"
    for wanted in ("schemas/ask.json", "exports/report/report.html.j2", "catalogue/entries/silero-vad.toml"):
        assert (package / wanted).is_file()
