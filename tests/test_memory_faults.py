"""Full disks, damaged files, missing permissions, other programs' files: a clear error, and nothing is lost."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from conftest import write_video
from test_memory import SPEECH, add, said
from vidence.errors import StoreError
from vidence.memory import Memory, schema
from vidence.timeline import Span

posix = pytest.mark.skipif(os.name != "posix", reason="limits and users as POSIX knows them")


@pytest.fixture
def filled(tmp_path: Path) -> tuple[Path, str]:
    """A closed memory of 40 segments."""
    path = tmp_path / "m.sqlite"
    with Memory.open(path) as memory:
        medium = add(memory, write_video(tmp_path / "a.mp4", frames=3))
        for n in range(40):
            memory.write(
                medium, SPEECH, Span.of(60 * n, 60 * n + 60), [said(60 * n, 60 * n + 5, f"sentence {n}")]
            )
    return path, medium


def write_many(memory: Memory, medium: str, numbers: Iterable[int], text: str) -> None:
    """Write one segment for each number; its sentence begins with "late" and the number."""
    for n in numbers:
        spoken = said(60 * n, 60 * n + 1, f"late {n} {text}")
        memory.write(medium, SPEECH, Span.of(60 * n, 60 * n + 60), [spoken])


def test_garbage_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "m.sqlite"
    path.write_bytes(b"this is no database, " * 500)
    with pytest.raises(StoreError, match="move it away"):
        Memory.open(path)
    assert path.read_bytes() == b"this is no database, " * 500


def test_damage_in_the_middle_is_told_and_not_overwritten(filled: tuple[Path, str]) -> None:
    path, medium = filled
    whole = path.read_bytes()
    damaged = whole[:8192] + b"\xff" * (len(whole) - 8192)
    path.write_bytes(damaged)

    def use() -> None:
        with Memory.open(path) as memory:
            memory.write(medium, SPEECH, Span.of(9000, 9060), [said(9000, 9001, "more")])
            memory.observations(medium)

    with pytest.raises(StoreError, match=r"damaged.*recover"):
        use()
    assert path.read_bytes()[8192:16384] == damaged[8192:16384]


def test_the_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE bookmarks(url)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        Memory.open(path)
    assert path.read_bytes()[100:] == before[100:]  # the first 100 bytes hold SQLite's own counters


def test_a_newer_file_is_refused(filled: tuple[Path, str]) -> None:
    with sqlite3.connect(filled[0]) as db:
        db.execute("INSERT INTO migration VALUES ('from_the_future', 0)")
    with pytest.raises(StoreError, match=r"newer Vidence.*from_the_future"):
        Memory.open(filled[0])


def test_an_older_file_is_brought_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.sqlite"
    with monkeypatch.context() as older:
        older.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
        Memory.open(path).close()
    with Memory.open(path) as memory:
        medium = add(memory, write_video(tmp_path / "a.mp4", frames=3))
        memory.write(medium, SPEECH, Span.of(0, 60), [said(1, 2, "a walrus")])
        assert memory.search("walrus")


def test_a_folder_and_a_place_that_cannot_be_made_are_errors(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="folder"):
        Memory.open(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot make the folder"):
        Memory.open(tmp_path / "file" / "m.sqlite")


def test_a_full_database_loses_nothing(filled: tuple[Path, str]) -> None:
    path, medium = filled
    with Memory.open(path) as memory:
        pages = memory._database.value("PRAGMA page_count")
        memory._database.read(f"PRAGMA max_page_count = {pages + 4}")
        with pytest.raises(StoreError, match="disk is full"):
            write_many(memory, medium, range(40, 400), "z" * 5000)
        assert len(memory.observations(medium)) >= 40
    with Memory.open(path) as memory:
        assert [s.text for s in memory.observations(medium)][:40] == [f"sentence {n}" for n in range(40)]
        assert memory._database.value("PRAGMA integrity_check") == "ok"


FILL = """
import sys
from pathlib import Path
import resource
from vidence.errors import StoreError
from vidence.memory import Memory
sys.path.insert(0, sys.argv[1])
from test_memory import no_meaning
from test_memory_faults import write_many
path, medium = Path(sys.argv[2]), sys.argv[3]
memory = Memory.open(path, encoders={"language": no_meaning})
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
try:
    for n in range(40, 400):
        write_many(memory, medium, [n], "z" * 3000)
        print(n, flush=True)
except StoreError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
"""


@posix
def test_a_disk_that_takes_no_more_loses_nothing_that_was_committed(filled: tuple[Path, str]) -> None:
    path, medium = filled
    tests = str(Path(__file__).parent)
    ended = subprocess.run(
        [sys.executable, "-c", FILL, tests, str(path), medium], capture_output=True, text=True
    )
    assert ended.returncode == StoreError.exit_code, ended.stderr
    assert "what was stored before is kept" in ended.stderr
    committed = {f"late {n} " + "z" * 3000 for n in ended.stdout.split()}
    with Memory.open(path) as memory:
        found = {s.text for s in memory.observations(medium)}
        assert memory._database.value("PRAGMA integrity_check") == "ok"
    assert {f"sentence {n}" for n in range(40)} | committed <= found


READ_ONLY = """
import os, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
import vidence.media, vidence.memory.scenes
from vidence.errors import StoreError
from vidence.memory import Memory
from vidence.senses.language import stems
from test_memory import SPEECH, no_meaning, said
from vidence.timeline import Span
stems("all that is imported late must be imported before the rights are gone")
os.setuid(65534)
memory = Memory.open(Path(sys.argv[2]), encoders={"language": no_meaning})
assert len(memory.observations(sys.argv[3])) == 40
assert memory.search("sentence", limit=3)
assert memory.scenes(sys.argv[3])
try:
    memory.write(sys.argv[3], SPEECH, Span.of(9000, 9060), [])
except StoreError as error:
    print(error)
"""


@posix
@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root, to become a user without rights"
)
@pytest.mark.parametrize("folder_mode", [0o755, 0o555])
def test_a_file_without_write_permission_can_be_read_and_says_so(
    filled: tuple[Path, str], folder_mode: int
) -> None:
    folder = Path(tempfile.mkdtemp())  # pytest's own folders are closed to other users
    try:
        path = folder / "m.sqlite"
        shutil.copy(filled[0], path)
        path.chmod(0o444)
        folder.chmod(folder_mode)
        tests = str(Path(__file__).parent)
        command = [sys.executable, "-c", READ_ONLY, tests, str(path), filled[1]]
        ended = subprocess.run(command, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr
        assert "read-only" in ended.stdout
    finally:
        shutil.rmtree(folder)


WRITE = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from vidence.memory import Memory
from vidence.memory.joining import Joiner
from test_memory import SPEECH, no_meaning, said
from vidence.timeline import Span
memory = Memory.open(Path(sys.argv[2]), encoders={"language": no_meaning})
for n in range(int(sys.argv[4]), 300, 3):
    spoken = [said(60 * n + k, 60 * n + k + 1, f"{n} {k}") for k in range(5)]
    memory.write(sys.argv[3], SPEECH, Span.of(60 * n, 60 * n + 60), spoken)
"""


def test_three_processes_write_at_once(filled: tuple[Path, str]) -> None:
    path, medium = filled
    tests = str(Path(__file__).parent)
    running = [
        subprocess.Popen(
            [sys.executable, "-c", WRITE, tests, str(path), medium, str(40 + k)], stderr=subprocess.PIPE
        )
        for k in range(3)
    ]
    for child in running:
        _, errors = child.communicate(timeout=60)
        assert child.returncode == 0, errors.decode()
    with Memory.open(path) as memory:
        assert len(memory.observations(medium)) == 40 + 5 * 260
        assert len(memory.done(medium, SPEECH)) == 300
