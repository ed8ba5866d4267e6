"""Hostile inputs: each is refused with the status that says so, and the server goes on as if nothing had been."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import httpx2 as httpx
import numpy as np
import pytest

from conftest import write_video
from serving.conftest import Served, ended, put, running
from serving.hostile_inputs import ADDRESSES, NAMES, REQUESTS
from vidence.serving.settings import Limits

BAD_ADDRESSES = [(group, url) for group, urls in ADDRESSES.items() for url in urls]


@pytest.fixture(scope="module")
def there(served: Served, videos: list[Path]) -> str:
    """The id of a video that is there."""
    with served.client() as client:
        job = ended(client, put(client, videos[0])["id"])
        return job["media_id"]


def test_there_are_hundreds_of_them() -> None:
    assert len(BAD_ADDRESSES) + len(NAMES) + len(REQUESTS) + len(FILES) >= 200


@pytest.mark.parametrize("group", ADDRESSES)
def test_no_address_is_fetched_that_is_not_public(client: httpx.Client, group: str) -> None:
    answers = {url: client.post("/api/media", json={"url": url}) for url in ADDRESSES[group]}
    taken = {url: answer.text for url, answer in answers.items() if answer.status_code != 400}
    assert not taken
    assert client.get("/api/jobs").json()["jobs"] == [] or not [
        job for job in client.get("/api/jobs").json()["jobs"] if job["kind"] == "fetch"
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_only_a_name(client: httpx.Client, served: Served, videos: list[Path], name: str) -> None:
    before = _files(served)
    answer = client.put("/api/media", params={"name": name}, content=videos[0].read_bytes())
    assert answer.status_code == 202
    shown = answer.json()["name"]
    assert shown
    assert not set(shown) & {"/", "\\", "\0", "\r", "\n", "\x1b", "\u202e"}
    assert _files(served) - before <= {answer.json()["media_id"]}
    id = answer.json()["media_id"]
    client.patch(f"/api/media/{id}", json={"name": name})
    header = client.get(f"/api/media/{id}/export?format=txt").headers["content-disposition"]
    assert header.isascii()
    assert header.startswith("attachment; filename*=UTF-8''")
    assert not set(header.removeprefix("attachment; filename*=UTF-8''")) & set("\"'<>;/\\\r\n ")
    ended(client, answer.json()["id"])


def _files(served: Served) -> set[str]:
    root = served.site.settings.root
    assert root is not None
    return {path.name for path in root.rglob("*") if path.is_file() and "sqlite" not in path.name}


@pytest.mark.parametrize(
    ("method", "path", "how", "status"),
    REQUESTS,
    ids=[f"{n}-{one[0]}-{one[3]}" for n, one in enumerate(REQUESTS)],
)
def test_a_bad_request_is_refused(
    client: httpx.Client, there: str, served: Served, method: str, path: str, how: dict[str, Any], status: int
) -> None:
    if "json" in how:
        how = {"json": json.loads(json.dumps(how["json"]).replace("{id}", there))}
    address = served.address + path.replace("{id}", there)
    request = client.build_request(method, "/", **how)
    request.url = httpx.URL(served.address).copy_with(raw_path=address.removeprefix(served.address).encode())
    answer = client.send(request)
    assert answer.status_code == status, answer.text[:300]
    if method not in ("HEAD", "TRACE") and "/file" not in path:
        assert set(answer.json()["error"]) == {"message", "type", "code"}
        assert "Traceback" not in answer.text
    assert client.get("/health").status_code == 200


def _text(text: str) -> Callable[[Path], bytes]:
    return lambda _: text.encode()


def _huge_gif(_: Path) -> bytes:
    return (
        b"GIF89a"
        + struct.pack("<HH", 65535, 65535)
        + b"\x80\0\0\0\0\0\xff\xff\xff"
        + (b"\x2c" + struct.pack("<HHHH", 0, 0, 65535, 65535) + b"\0\x02\x02\x4c\x01\0;")
    )


def _huge_y4m(_: Path) -> bytes:
    return b"YUV4MPEG2 W60000 H60000 F25:1 C420\nFRAME\n" + b"\0" * 5000


def _lying_avi(folder: Path) -> bytes:
    """Say 160 x 120 in the container's head, of JPEGs of 8000 x 6000."""
    path, side = folder / "bomb.avi", (8000, 6000)
    _, jpeg = cv2.imencode(".jpg", np.full((side[1], side[0], 3), 128, np.uint8))
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = *side, "yuvj420p"
        out.start_encoding()
        packet = av.Packet(jpeg.tobytes())
        packet.stream, packet.pts, packet.dts, packet.is_keyframe = stream, 0, 0, True
        out.mux(packet)
    return path.read_bytes().replace(struct.pack("<ii", *side), struct.pack("<ii", 160, 120))


def _png_in_mov(folder: Path) -> bytes:
    """Say 64 x 64 in the container's head, of a PNG of 30000 x 30000 in a hundred kilobytes."""
    path, side = folder / "bomb.mov", 30000

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(b"\0" * (side + 1)) for _ in range(side)) + packer.flush()
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    with av.open(str(path), "w") as out:
        stream = out.add_stream("png", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "rgb24"
        out.start_encoding()
        packet = av.Packet(png)
        packet.stream, packet.pts, packet.dts, packet.is_keyframe = stream, 0, 0, True
        out.mux(packet)
    return path.read_bytes()


def _cut(folder: Path) -> bytes:
    return write_video(folder / "cut.mp4", frames=50).read_bytes()[:3000]  # its index stands at the end


def _noise_in_mp4(folder: Path) -> bytes:
    whole = bytearray(write_video(folder / "noise.mp4", frames=50).read_bytes())
    at = whole.index(b"moov")
    whole[at + 8 :] = np.random.default_rng(0).bytes(len(whole) - at - 8)
    return bytes(whole)


FILES: dict[str, tuple[Callable[[Path], bytes], int]] = {
    "text": (_text("no video " * 1000), 415),
    "page": (_text("<!doctype html><script>alert(1)</script>" * 100), 415),
    "playlist of local files": (_text("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"), 415),
    "playlist of a private network": (_text("#EXTM3U\n#EXTINF:1,\nhttp://10.0.0.1/a.ts\n#EXT-X-ENDLIST\n"), 415),
    "list of files": (_text("ffconcat version 1.0\nfile '/etc/passwd'\nduration 1\n"), 415),
    "session description": (_text("v=0\no=- 0 0 IN IP4 127.0.0.1\ns=a\nt=0 0\nm=video 5004 RTP/AVP 96\n"), 415),
    "dash manifest": (_text('<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>'), 415),
    "vector picture": (_text('<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'), 415),
    "subtitles": (_text("1\n00:00:01,000 --> 00:00:02,000\nhello\n"), 415),
    "metadata": (_text(";FFMETADATA1\ntitle=a\n"), 415),
    "archive": (lambda _: b"PK\x03\x04" + b"\0" * 3000, 415),
    "compressed zeros": (lambda _: __import__("gzip").compress(b"\0" * 10**7), 415),
    "program": (lambda _: b"\x7fELF\x02\x01\x01" + b"\0" * 3000, 415),
    "database": (lambda _: b"SQLite format 3\0" + b"\0" * 4000, 415),
    "zeros": (lambda _: b"\0" * 100_000, 415),
    "noise": (lambda _: np.random.default_rng(1).bytes(100_000), 415),
    "picture": (lambda _: cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes(), 415),
    "mp4 without its index": (_cut, 415),
    "mp4 with a broken index": (_noise_in_mp4, 415),
    "mp4 head alone": (lambda _: b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0\0\0\x08free", 415),
    "mkv head alone": (lambda _: b"\x1a\x45\xdf\xa3\x01\xff\xff\xff\xff\xff\xff\xff" * 100, 415),
    "pictures of 65535 x 65535 (gif)": (_huge_gif, 415),
    "pictures of 60000 x 60000 (y4m)": (_huge_y4m, 415),
    "pictures of 30000 x 30000 that the head says are small": (_png_in_mov, 415),
    "pictures of 8000 x 6000 that the head says are small": (_lying_avi, 422),
}  # fmt: skip


@pytest.mark.parametrize("kind", FILES)
def test_a_file_is_what_it_holds_whatever_it_is_called(
    client: httpx.Client, served: Served, tmp_path: Path, kind: str
) -> None:
    make, status = FILES[kind]
    before = _files(served)
    answer = client.put("/api/media", params={"name": "film.mp4"}, content=make(tmp_path))
    assert answer.status_code == status, answer.text
    assert "/" not in answer.json()["error"]["message"].replace("http://", "").replace("video/", "")
    assert _files(served) == before


@pytest.mark.parametrize(
    ("limits", "status"),
    [
        (Limits(duration_s=3), 422),
        (Limits(pixels=160 * 96 - 1), 422),
        (Limits(upload_bytes=1000), 413),
        (Limits(spare_bytes=1 << 60), 507),
    ],
)
def test_limits_hold(videos: list[Path], tmp_path: Path, limits: Limits, status: int) -> None:
    with running(tmp_path, limits) as served, served.client() as client:
        assert client.put("/api/media", content=videos[0].read_bytes()).status_code == status


def test_an_endless_video_ends(tmp_path: Path) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"\0" * 65536

    with running(tmp_path, Limits(upload_bytes=1 << 20)) as served, served.client() as client:
        try:
            status = client.put("/api/media", content=endless()).status_code
        except httpx.TransportError:  # hung up on while it was still sending
            status = 413
        assert status == 413
        assert not list((tmp_path / "incoming").iterdir())


def test_a_video_that_takes_too_long_to_open_is_given_up(videos: list[Path], tmp_path: Path) -> None:
    with running(tmp_path, Limits(view_s=0.001)) as served, served.client() as client:
        answer = client.put("/api/media", content=videos[0].read_bytes())
        assert answer.status_code == 422
        assert "took more than" in answer.json()["error"]["message"]
