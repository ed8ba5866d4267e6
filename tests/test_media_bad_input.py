"""Bad input: a clear error that names the file, or an honest partial read; never a crash, never a hang."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import threading
from fractions import Fraction
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from conftest import MakeVideo, read_number
from vidence.errors import MediaError
from vidence.media import open_media


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.mp4", b"", "empty"),
        ("garbage.mp4", bytes(np.random.default_rng(1).integers(0, 256, 200_000, np.uint8)), "garbage.mp4"),
        ("zeros.mp4", bytes(200_000), "zeros.mp4"),
        ("letter.mp4", b"Dear Sir,\n" * 500, "letter.mp4"),
        ("letter.txt", b"Dear Sir,\n" * 500, "letter.txt"),
        ("page.mp4", b"<!doctype html><html><body>404 not found</body></html>", "page.mp4"),
        ("only.srt", b"1\n00:00:01,000 --> 00:00:02,000\nHello\n", "subtitles"),
        ("head.mp4", b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41", "head.mp4"),
    ],
)
def test_what_is_no_video_says_so(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(MediaError, match=says) as caught:
        open_media(path)
    assert str(path) in str(caught.value)
    assert caught.value.exit_code == 3


def test_missing_and_folders(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="no such file"):
        open_media(tmp_path / "none.mp4")
    with pytest.raises(MediaError, match="is a folder"):
        open_media(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(MediaError, match="not a regular file"):
        open_media(tmp_path / "pipe")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_unreadable(make_video: MakeVideo) -> None:
    path = make_video("a.mp4", frames=5)
    path.chmod(0)
    with pytest.raises(MediaError, match="read permission"):
        open_media(path)


@pytest.mark.parametrize(
    "source",
    ["concat:a.mp4|b.mp4", "rtsp://host/live", "ftp://host/a.mp4", "data:video/mp4;base64,AAAA", "pipe:0"],
)
def test_other_protocols_are_refused(source: str) -> None:
    with pytest.raises(MediaError, match="not allowed"):
        open_media(source)


def test_a_local_playlist_cannot_reach_the_network(tmp_path: Path) -> None:
    path = tmp_path / "list.m3u8"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(MediaError):
        open_media(path)


def test_names_that_look_like_protocols_or_patterns_are_files(make_video: MakeVideo) -> None:
    for name in ("a:b.mp4", "100%d.mp4", "ümläut 🎬.mp4", "-i.mp4", "c#d?e.mp4"):
        assert read_number(open_media(make_video(name, frames=3)).frames_at([Fraction(0)])[0].image) == 0


def test_a_wrong_extension_does_not_matter(make_video: MakeVideo) -> None:
    path = make_video("a.mkv", frames=5)
    wrong = path.rename(path.with_name("a.mp3"))
    assert len(list(open_media(wrong).frames())) == 5


@pytest.mark.parametrize("name", ["cut.mkv", "cut.ts", "cut.avi", "cut.mp4"])
def test_a_truncated_file_is_read_as_far_as_it_goes(make_video: MakeVideo, name: str) -> None:
    codec = {"codec": "mpeg4"} if name.endswith("avi") else {}
    how = {"container_options": {"movflags": "faststart"}} if name.endswith("mp4") else {}
    path = make_video(name, frames=100, **codec, **how)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    media = open_media(path)
    numbers = [read_number(frame.image) for frame in media.frames()]
    assert numbers[:30] == list(range(30))
    assert len(numbers) < 80
    assert media.info.duration < Fraction(16, 5)  # what is there, not what the container promised
    last = media.frames_at([media.info.span.end])[0]
    assert last.time <= media.info.span.end


def test_an_mp4_without_its_index_is_a_clear_error(make_video: MakeVideo) -> None:
    path = make_video("a.mp4", frames=50)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(MediaError, match=r"a\.mp4"):
        open_media(path)


def test_damage_in_the_middle_is_noted_and_passed_over(make_video: MakeVideo) -> None:
    path = make_video("a.mkv", frames=100, gop=10, size=(320, 240))
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + len(data) // 20] = os.urandom(len(data) // 20)
    path.write_bytes(data)
    media = open_media(path)
    numbers = [read_number(frame.image) for frame in media.frames()]
    assert numbers[:30] == list(range(30))
    assert numbers[-1] == 99
    assert len(numbers) > 70
    assert media.problems
    assert all(":" in problem for problem in media.problems)


def test_an_unknown_picture_codec_leaves_the_sound(make_video: MakeVideo) -> None:
    path = make_video("a.mp4", frames=20, tone_hz=440)
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzz1").replace(b"avcC", b"zzzC"))
    media = open_media(path)
    assert media.info.video is None
    assert len(media.audio()[1]) > 10_000


def test_largest_pictures_are_scaled_as_they_come(make_video: MakeVideo) -> None:
    path = make_video("8k.mkv", codec="mjpeg", pixel_format="yuvj420p", size=(7680, 4320), frames=1)
    media = open_media(path)
    frames = list(media.frames(max_side=320))
    assert [read_number(frame.image) for frame in frames] == [0]
    assert frames[0].image.shape == (180, 320, 3)
    assert not media._parked  # a decoder of such pictures is not kept


def test_three_hours_open_at_once(make_video: MakeVideo) -> None:
    path = make_video("long.mkv", times=[Fraction(10 * n) for n in range(1080)], gop=30, size=(32, 32))
    media = open_media(path)
    assert media.info.duration >= 10_790
    assert media.frames_at([Fraction(9_005)])[0].time == 9_000
    assert sum(len(samples) for _, samples in media.audio_windows()) == 0


@pytest.fixture
def served(tmp_path: Path):
    """Serve the test's folder over http on this machine."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_a_url_is_read_like_a_file(make_video: MakeVideo, served: str) -> None:
    path = make_video("a.mkv", frames=30, tone_hz=440)
    media = open_media(f"{served}/a.mkv")
    assert [read_number(frame.image) for frame in media.frames()] == list(range(30))
    assert media.info.bytes == path.stat().st_size
    assert media.hash == open_media(f"{served}/a.mkv").hash != open_media(path).hash


def test_a_missing_url_says_so(served: str) -> None:
    with pytest.raises(MediaError, match=r"none\.mp4.*404"):
        open_media(f"{served}/none.mp4")


def test_a_remote_playlist_cannot_read_local_files(make_video: MakeVideo, served: str) -> None:
    secret = make_video("secret.ts", frames=30)
    secret.with_name("list.m3u8").write_text(
        f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile://{secret}\n#EXT-X-ENDLIST\n"
    )
    with pytest.raises(MediaError):
        open_media(f"{served}/list.m3u8")


EXERCISE = textwrap.dedent("""
    import json, pathlib, re, resource, sys
    from fractions import Fraction
    from itertools import islice
    from vidence.errors import MediaError
    from vidence.media import open_media
    from vidence.timeline import Span
    outcomes = {}
    for path in sys.argv[1:]:
        print(path, file=sys.stderr, flush=True)  # the last one named is the one that crashed or hung
        try:
            with open_media(path) as media:
                seen = sum(1 for _ in media.frames(max_side=64)) if media.info.video else 0
                if media.info.video:
                    middle = media.info.span.middle
                    media.frames_at([middle, media.info.span.start, media.info.span.end], max_side=64)
                    media.frames_at([middle, media.info.span.end], max_side=64, mode="keyframe")
                    list(islice(media.frames(Span(middle, middle + 1), rate_hz=5, max_side=64), 10))
                    media.frame_times()
                for _ in islice(media.audio_windows(window_s=10), 100):
                    pass
                media.cues(), media.hash
                outcomes[path] = ["read", seen, len(media.problems)]
        except MediaError as error:
            assert path in str(error), error
            outcomes[path] = ["refused", str(error), 0]
    # On Linux getrusage also counts what the parent, a test process with models in it, held when it was forked.
    status = pathlib.Path("/proc/self/status")
    own = re.search(r"VmHWM:\\s+(\\d+)", status.read_text()) if status.exists() else None
    peak_kb = int(own.group(1)) if own else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak_mb = peak_kb / 1024
    print(json.dumps({"outcomes": outcomes, "peak_mb": peak_mb}))
""")


def originals(make_video: MakeVideo) -> list[Path]:
    """Small whole files in containers and codecs of different kinds."""
    quick = {"deadline": "realtime", "cpu-used": "8"}
    film = {"frames": 40, "size": (96, 64), "tone_hz": 440}
    return [
        make_video("a.mp4", **film, b_frames=2, cues=[(0.1, 0.5, "Hello"), (0.6, 1.2, "you")]),
        make_video("b.webm", **film, codec="libvpx-vp9", options=quick, sound_codec="libopus"),
        make_video("c.avi", **film, codec="mpeg4", b_frames=2, sound_codec="libmp3lame"),
        make_video("d.ts", **film, codec="mpeg2video", b_frames=2, sound_codec="mp2"),
        make_video(
            "e.mkv",
            **film,
            codec="libx264",
            interlaced=True,
            sound_codec="flac",
            cues=[(0, 1, "x")],
            cue_codec="ass",
        ),
        make_video("f.mov", **(film | {"tone_hz": None}), codec="qtrle", pixel_format="argb"),
        make_video("g.flv", **film, codec="flv", sound_codec="libmp3lame", sound_rate=44_100),
        make_video("h.ogv", frames=0, tone_hz=440, sound_codec="libopus"),
    ]


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """Damage a file one way: cut, flip bits, splice bytes in, swap or blank or repeat blocks."""
    spoilt = bytearray(data)
    at = int(rng.integers(0, len(data)))
    length = int(rng.integers(1, max(2, len(data) // 8)))
    match int(rng.integers(0, 6)):
        case 0:
            del spoilt[max(at, 64) :]
        case 1:
            for place in rng.integers(0, len(data), int(rng.integers(1, 200))):
                spoilt[place] ^= 1 << int(rng.integers(0, 8))
        case 2:
            spoilt[at:at] = rng.bytes(length)
        case 3:
            other = int(rng.integers(0, len(data)))
            spoilt[at : at + length], spoilt[other : other + length] = (
                spoilt[other : other + length],
                spoilt[at : at + length],
            )
        case 4:
            spoilt[at : at + length] = bytes(len(spoilt[at : at + length]))
        case _:
            spoilt[at:at] = spoilt[at : at + length] * 3
    return bytes(spoilt)


def fuzz(make_video: MakeVideo, tmp_path: Path, count: int, seed: int) -> dict[str, list]:
    """Read `count` damaged files in a child process, ten seconds of wall time for each on the average at most."""
    rng = np.random.default_rng(seed)
    wholes = originals(make_video)
    paths = []
    for number in range(count):
        whole = wholes[number % len(wholes)]
        path = tmp_path / f"{number:03}{whole.suffix}"
        path.write_bytes(damaged(whole.read_bytes(), rng))
        paths.append(str(path))
    child = subprocess.run(
        [sys.executable, "-c", EXERCISE, *paths],
        capture_output=True,
        text=True,
        timeout=60 + 10 * count,
        check=False,
    )
    assert child.returncode == 0, child.stderr[-3000:]
    result = json.loads(child.stdout.splitlines()[-1])
    assert result["peak_mb"] < 1500
    assert len(result["outcomes"]) == count
    return result["outcomes"]


def test_sixty_damaged_files(make_video: MakeVideo, tmp_path: Path) -> None:
    outcomes = fuzz(make_video, tmp_path, 60, seed=2)
    read = [outcome for outcome in outcomes.values() if outcome[0] == "read"]
    assert len(read) > 30  # most damage leaves something to see
    assert any(outcome[2] for outcome in read)  # and is owned up to


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_five_hundred_damaged_files(make_video: MakeVideo, tmp_path: Path, seed: int) -> None:
    assert len(fuzz(make_video, tmp_path, 100, seed=100 + seed)) == 100
