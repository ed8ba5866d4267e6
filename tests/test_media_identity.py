"""A medium is known by its content, cheaply, whatever its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import MakeVideo
from vidence.errors import MediaError
from vidence.media import open_media
from vidence.media.identity import content_hash
from vidence.media.source import resolve

BIG = 12 << 20


def digest(path: Path) -> str:
    return content_hash(resolve(path))


def test_the_name_does_not_matter_and_the_content_does(make_video: MakeVideo) -> None:
    first, other = make_video("a.mp4", frames=5), make_video("b.mp4", frames=6)
    copy = first.with_name("copy.mp4")
    copy.write_bytes(first.read_bytes())
    assert open_media(first).hash == open_media(copy).hash != open_media(other).hash
    assert open_media(first).hash.startswith("sha256-sampled:")


@pytest.mark.parametrize("at", [0, 1 << 20, BIG // 2 + 7, BIG - 1])
def test_a_changed_stretch_gives_another_hash(tmp_path: Path, at: int) -> None:
    path = tmp_path / "big.bin"
    data = bytearray(BIG)
    path.write_bytes(data)
    before = digest(path)
    data[max(0, at - 200_000) : at + 1] = b"x" * min(at + 1, 200_001)
    path.write_bytes(data)
    assert digest(path) != before


def test_size_alone_tells_apart(tmp_path: Path) -> None:
    path = tmp_path / "big.bin"
    path.write_bytes(bytes(BIG))
    before = digest(path)
    path.write_bytes(bytes(BIG + 1))
    assert digest(path) != before


def test_fifty_gigabytes_are_not_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "huge.bin"
    with path.open("wb") as file:
        file.truncate(50 << 30)  # sparse: takes no room
    read: list[int] = []
    plain_open = Path.open

    def counting_open(self: Path, *how, **more):
        file = plain_open(self, *how, **more)
        plain_read = file.read
        monkeypatch.setattr(file, "read", lambda n=-1: read.append(n) or plain_read(n), raising=False)
        return file

    try:
        monkeypatch.setattr(Path, "open", counting_open)
        digest(path)
    except AttributeError:  # a buffered reader takes no attributes: count by wrapping is not possible
        pytest.fail("reads could not be counted")
    assert 0 < sum(read) <= 6 << 20


def test_a_vanished_file_is_a_clear_error(make_video: MakeVideo) -> None:
    path = make_video("a.mp4", frames=5)
    media = open_media(path)
    path.unlink()
    with pytest.raises(MediaError, match=r"a\.mp4"):
        _ = media.hash
