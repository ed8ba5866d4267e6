"""Cataloguing against known truth: cuts of a made film, traits and finds on real clips told by eye
(benchmarks/truth/catalogue.json), flaws and takes made on purpose, and timecodes read back from every format.

A cut counts as found within one frame of the true one, a dissolve anywhere within it. Recall at k is the share of
queries for which a shot that fits is among the first k; pictures asked for are cropped by a tenth on each side and
made darker. Timecode error is the largest difference, in frames, between the frame that a shot begins or ends on and
the one that OpenTimelineIO, or for FCPXML exact fractions, read back.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import opentimelineio as otio

from common import Bar
from matching import Tally, near
from vidence.apps.catalogue import Catalogue, Query, catalogue, find
from vidence.apps.catalogue.describe import describe, known
from vidence.apps.catalogue.takes import grouped
from vidence.exports.edit import EditList, Grid, Rate, cut, write_edit
from vidence.media import Media, open_media
from vidence.memory import Coverage, Memory
from vidence.senses import default_senses, query_encoders
from vidence.senses.picture import PictureSense
from vidence.senses.shots import SIDE as SHOT_SIDE
from vidence.senses.shots import Shots
from vidence.timeline import Span
from vidence.video import open as open_video

TRUTH = json.loads((Path(__file__).parent / "truth/catalogue.json").read_text(encoding="utf-8"))
NAMES = ("size", "camera", "place", "people", "time", "look")
FPS, SIZE = 25, (320, 180)
VARIABLE = [Fraction(n, 30) + Fraction((n * n) % 7, 1000) for n in range(60)] + [
    2 + Fraction(n, 12) for n in range(30)
]
"""Times of a film that begins with thirty pictures a second, unevenly, and goes on with twelve."""

PIECES, DISSOLVE = 28, 12  # pieces of the made film; frames of a dissolve
RATES: dict[str, tuple[Fraction | None, bool]] = {
    "23.976": (Fraction(24_000, 1001), False),
    "25": (Fraction(25), False),
    "29.97 drop": (Fraction(30_000, 1001), True),
    "59.94 drop": (Fraction(60_000, 1001), True),
    "variable": (None, False),
}


def measure(videos: Path, memory: Path) -> tuple[list[dict[str, Any]], list[Bar]]:
    """Return the rows and bars."""
    rows: list[dict[str, Any]] = []
    bars: list[Bar] = []
    with tempfile.TemporaryDirectory() as folder:
        for part in (
            cuts(videos, Path(folder)),
            timecodes(Path(folder)),
            flaws(videos, Path(folder)),
            takes(videos, Path(folder)),
            dialogue(videos, Path(folder)),
            clips(videos, memory),
        ):
            rows += part[0]
            bars += part[1]
    return rows, bars


Part = tuple[list[dict[str, Any]], list[Bar]]


def row(what: str, tally: Tally, note: str = "") -> dict[str, Any]:
    """One line of the table."""
    return {
        "what": what, "truth": tally.truth, "found": tally.found, "right": tally.right,
        "precision": round(tally.precision, 3), "recall": round(tally.recall, 3), "note": note,
    }  # fmt: skip


# Cuts


def cuts(videos: Path, folder: Path) -> Part:
    """Cut pieces of real clips together, hard and dissolved, and count what the sense of shots finds."""
    path, hard, soft = folder / "cuts.mp4", list[Fraction](), list[Span]()
    frames: list[np.ndarray] = []
    for n, piece in enumerate(_pieces(videos, PIECES)):
        if frames and n % 4 == 3:
            for k in range(DISSOLVE):
                share = (k + 1) / (DISSOLVE + 1)
                frames[-DISSOLVE + k] = cv2.addWeighted(frames[-DISSOLVE + k], 1 - share, piece[k], share, 0)
            soft.append(Span(Fraction(len(frames) - DISSOLVE, FPS), Fraction(len(frames), FPS)))
            piece = piece[DISSOLVE:]
        elif frames:
            hard.append(Fraction(len(frames), FPS))
        frames += piece
    _write(path, frames)
    with open_media(path) as media:
        watcher = Shots().watch(media, media.info.span)
        for frame in media.frames(max_side=SHOT_SIDE):
            watcher.see(frame)
        found = [shot.span.start for shot in watcher.finish() if shot.data["cut"]]
    exact = near([float(t) for t in found], [float(t) for t in hard], 1 / FPS + 1e-6)
    blended = sum(any(span.start <= t <= span.end for t in found) for span in soft)
    both = Tally(len(hard) + len(soft), len(found), exact.right + blended)
    f1 = 2 * both.precision * both.recall / max(both.precision + both.recall, 1e-9)
    return [row("cuts and dissolves of a made film", both, f"{len(hard)} cuts, {len(soft)} dissolves")], [
        Bar("shot boundary F1", f1, "", ">= 0.9")
    ]


def _pieces(videos: Path, count: int, seed: int = 3) -> Iterator[list[np.ndarray]]:
    """Yield stretches of 1.5 to 3 seconds from within one shot of a clip, in turns."""
    rng, names = Random(seed), [name for name in TRUTH["shots"] if name != "gnome_dual.webm"]
    for n in range(count):
        with open_media(videos / names[n % len(names)]) as media:
            whole = media.info.span
            length = Fraction(rng.randrange(38, 76), FPS)
            start = whole.start + Fraction(rng.randrange(1000), 1000) * max(whole.duration - length - 1, 0)
            inside = Span(start, min(start + length, whole.end))
            yield _resampled(media, inside)


def _resampled(media: Media, span: Span) -> list[np.ndarray]:
    times = [span.start + Fraction(k, FPS) for k in range(int(span.duration * FPS))]
    return [cv2.resize(f.image, SIZE) for f in media.frames_at(times, max_side=SIZE[0])]


def _write(
    path: Path, frames: Sequence[np.ndarray], sound: np.ndarray | None = None, hz: int = 16_000
) -> Path:
    import av

    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "crf": "20"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        audio: Any = out.add_stream("aac", rate=hz, layout="mono") if sound is not None else None
        for frame in frames:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), "rgb24")))
        out.mux(stream.encode(None))
        if audio is not None and sound is not None:
            from vidence.apps.report.clips import write_sound

            write_sound(out, audio, sound, hz)
    return path


# Timecodes


def timecodes(folder: Path) -> Part:
    """Write films whose frames are known, export their shots in every format, and read the lists back."""
    rows, worst = [], 0
    for name, (rate, drop) in RATES.items():
        times = None if rate else VARIABLE
        path = _numbered(folder / f"{name.split()[0]}.mp4", rate or Fraction(30), times)
        with open_media(path) as media:
            grid = Grid.of(media, drop=drop)
            starts = [*media.frame_times(), media.info.span.end]
            marks = [0, 1, 29, 30, 61, 90]
            spans = [Span(starts[a], starts[b]) for a, b in pairwise(marks)]
            edit = EditList("t", tuple(cut(grid, span, f"{n}") for n, span in enumerate(spans)))
            for kind in ("otio", "edl", "fcpxml", "ale", "csv"):
                error = 0
                for span, (first, frames) in zip(
                    spans, _read(kind, write_edit(edit, kind), grid.reel.rate), strict=True
                ):
                    # a cell of the grid must show what is on screen in the shot, and its neighbours must not
                    inside = [
                        n
                        for n in range(first - 3, first + frames + 3)
                        if span.start <= grid.time(n) < span.end
                    ]
                    if rate is not None:
                        inside = [round((t - grid.zero) * rate) for t in starts[:-1] if t in span]
                    error = max(error, abs(inside[0] - first), abs(inside[-1] - (first + frames - 1)))
                worst = max(worst, error)
                rows.append(
                    row(
                        f"timecode, {name}, {kind}",
                        Tally(len(spans), len(spans), len(spans)),
                        f"{error} frames",
                    )
                )
    return rows, [Bar("timecode error, every rate and format", worst, "frames", "<= 0")]


def _numbered(path: Path, rate: Fraction, times: Sequence[Fraction] | None) -> Path:
    import av

    when = times or [n / rate for n in range(90)]
    base = Fraction(1, 90_000) if times else 1 / rate
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=rate, options={"preset": "ultrafast", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = base
        for n, time_ in enumerate(when):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), n, np.uint8), "rgb24")
            frame.pts, frame.time_base = round(time_ / base), base
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def _read(kind: str, text: str, rate: Rate) -> list[tuple[int, int]]:
    if kind == "csv":
        rows = list(csv.DictReader(io.StringIO(text)))
        return [(rate.frame(r["start"]), rate.frame(r["end"]) - rate.frame(r["start"])) for r in rows]
    if kind == "fcpxml":
        clips = ElementTree.fromstring(text).findall(".//asset-clip")
        both = [[Fraction(c.get(key, "")[:-1]) * rate.hz for key in ("start", "duration")] for c in clips]
        assert all(value.denominator == 1 for pair in both for value in pair)
        return [(int(start), int(length)) for start, length in both]
    adapter = {"otio": "otio_json", "edl": "cmx_3600", "ale": "ale"}[kind]
    read = otio.adapters.read_from_string(
        text, adapter, **({"rate": float(rate.hz)} if kind == "edl" else {})
    )
    found: list[Any] = list(read) if kind == "ale" else list(read.find_clips())
    return [(round(c.source_range.start_time.value), round(c.source_range.duration.value)) for c in found]


# Flaws and takes


def flaws(videos: Path, folder: Path) -> Part:
    """Spoil pieces of real clips on purpose, and count the flaws that are told."""
    spoil = {
        "blurred": lambda f: cv2.GaussianBlur(f, (0, 0), 3),
        "burnt out": lambda f: np.clip(f.astype(np.float32) * 2.6 + 40, 0, 255).astype(np.uint8),
        "under-exposed": lambda f: (f * 0.1).astype(np.uint8),
        "black": np.zeros_like,
        "": lambda f: f,
    }
    totals = dict.fromkeys([name for name in spoil if name], Tally())
    for piece in _pieces(videos, 10, seed=11):
        for name, change in spoil.items():
            path = _write(folder / "flaw.mp4", [change(frame) for frame in piece[:38]])
            with open_media(path) as media:
                shot = _described(media)[0]
            told = set(shot.values("flag"))
            for flaw, tally in totals.items():
                totals[flaw] = tally + Tally(flaw == name, flaw in told, flaw == name and flaw in told)
    rows = [row(f"flaw: {name}", tally) for name, tally in totals.items()]
    whole = sum(totals.values(), Tally())
    return rows, [
        Bar("flaws, precision", whole.precision, "", ">= 0.8"),
        Bar("flaws, recall", whole.recall, "", ">= 0.8"),
    ]


def _described(media: Media, spans: Sequence[Span] = ()):
    """Describe shots from their pictures alone."""
    watcher = PictureSense().watch(media, media.info.span)
    for frame in media.frames(rate_hz=PictureSense.sampling.rate_hz, max_side=PictureSense.sampling.max_side):
        watcher.see(frame)
    of = known(watcher.finish(), Coverage(media.hash, media.info.span), media.info)
    return [describe(n, span, of) for n, span in enumerate(spans or [media.info.span], 1)]


def takes(videos: Path, folder: Path) -> Part:
    """Repeat pieces as a second take would: a little later, moved by the hand, lighter; others come once."""
    rng, frames = np.random.default_rng(5), list[np.ndarray]()
    spans, setups = list[Span](), list[int]()

    def add(piece: Sequence[np.ndarray], setup: int) -> None:
        spans.append(Span(Fraction(len(frames), FPS), Fraction(len(frames) + len(piece), FPS)))
        setups.append(setup)
        frames.extend(piece)

    for setup, piece in enumerate(_pieces(videos, 12, seed=23)):
        add(piece, setup)
        if setup % 2 == 0:
            shift = rng.integers(-8, 9, 2)
            move = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
            add([
                np.clip(cv2.warpAffine(f, move, SIZE, borderMode=cv2.BORDER_REFLECT) * 1.08, 0, 255).astype(np.uint8)
                for f in piece[2:]
            ], setup)  # fmt: skip
    path = _write(folder / "takes.mp4", frames)
    with open_media(path) as media:
        shots = grouped(_described(media, spans))
    groups = [shot.take.setup if shot.take else -shot.number for shot in shots]
    pairs = [(a, b) for a in range(len(shots)) for b in range(a + 1, len(shots))]
    tally = Tally(
        sum(setups[a] == setups[b] for a, b in pairs),
        sum(groups[a] == groups[b] for a, b in pairs),
        sum(setups[a] == setups[b] and groups[a] == groups[b] for a, b in pairs),
    )
    return [row("duplicate takes, pairs", tally)], [
        Bar("duplicate takes, precision", tally.precision, "", ">= 0.9")
    ]


# Finding


def dialogue(videos: Path, folder: Path) -> Part:
    """Lay recorded speech under pieces of clips, a sentence a shot, and find each shot by half of its words."""
    speech = videos.parent / "speech"
    if not (speech / "manifest.json").is_file():
        return [], []
    items = [
        one for one in json.loads((speech / "manifest.json").read_text())["items"] if one["seconds"] > 2.5
    ]
    frames, sounds, asked = list[np.ndarray](), list[np.ndarray](), list[tuple[Fraction, str]]()
    for item, piece in zip(items, _pieces(videos, len(items), seed=31), strict=True):
        sound = _wav(speech / item["file"])
        count = int(len(sound) / 16_000 * FPS) + 1
        words = item["transcript"].split()
        asked.append(
            (
                Fraction(len(frames), FPS),
                " ".join(words[len(words) // 4 : len(words) // 4 + max(len(words) // 2, 3)]),
            )
        )
        frames += [piece[n % len(piece)] for n in range(count)]
        sounds.append(np.pad(sound, (0, count * 16_000 // FPS - len(sound))))
    path = _write(folder / "talk.mp4", frames, np.concatenate(sounds))
    with Memory.open(folder / "talk.sqlite", encoders=query_encoders()) as memory:
        with open_video(path, memory=memory) as video:
            video.senses = default_senses(["shots", "speech"])
            result = catalogue(video, checks=0)
        ranks = []
        for start, words in asked:
            found = find(Query(said=words), [result], memory, limit=5)
            ranks.append(
                next((n for n, one in enumerate(found, 1) if start + Fraction(1, 5) in one.shot.span), 99)
            )
    return _recalls("dialogue", ranks)


def _wav(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        hz, channels = file.getframerate(), file.getnchannels()
        pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, channels).mean(1) / 32768
    at = np.arange(int(len(pcm) * 16_000 / hz)) * (hz / 16_000)
    return np.interp(at, np.arange(len(pcm)), pcm).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Told:
    right: int = 0
    told: int = 0
    asked: int = 0


def clips(videos: Path, memory: Path) -> Part:
    """Catalogue the real clips: what is told of their shots, and what is found by words and by picture."""
    results: dict[str, Catalogue] = {}
    with Memory.open(memory, encoders=query_encoders()) as remembered:
        for name in TRUTH["shots"]:
            if not (videos / name).is_file():
                continue
            with open_video(videos / name, memory=remembered) as video:
                video.index()
                results[name] = catalogue(video, checks=0)
        rows, bars = _traits(results)
        ranks = []
        for query in TRUTH["queries"]:
            found = find(Query(text=query["text"]), list(results.values()), remembered, limit=5)
            ranks.append(_rank(found, query["shots"]))
        told = _recalls("words", ranks)
        pictured = _recalls("picture", list(_pictured(results, videos, remembered)))
    rows += told[0] + pictured[0]
    bars += told[1] + pictured[1]
    return rows, bars


def _traits(results: dict[str, Catalogue]) -> Part:
    counts = dict.fromkeys(NAMES, _Told())
    for name, result in results.items():
        for shot, truth in zip(result.shots, TRUTH["shots"][name], strict=False):
            for trait, right in truth.items():
                value = (shot.values(trait) or [None])[0]
                was = counts[trait]
                counts[trait] = _Told(
                    was.right + (value in right), was.told + (value is not None), was.asked + 1
                )
    rows = [row(f"trait: {name}", Tally(one.asked, one.told, one.right)) for name, one in counts.items()]
    whole = sum(one.right for one in counts.values()) / max(sum(one.told for one in counts.values()), 1)
    return rows, [Bar("traits told right, of those told", whole, "", ">= 0.8")]


def _pictured(results: dict[str, Catalogue], videos: Path, memory: Memory) -> Iterator[int]:
    with tempfile.TemporaryDirectory() as folder:
        still = Path(folder) / "still.png"
        for name, result in results.items():
            with open_media(videos / name) as media:
                for shot in result.shots:
                    (frame,) = media.frames_at([shot.span.start + shot.span.duration / 5], max_side=640)
                    height, width = frame.image.shape[:2]
                    part = frame.image[height // 10 : -height // 10, width // 10 : -width // 10]
                    cv2.imwrite(str(still), (part * 0.85).astype(np.uint8)[:, :, ::-1])
                    found = find(Query(image=still), list(results.values()), memory, limit=5)
                    group = TRUTH["alike"].get(name, [])
                    yield _rank(found, {name: group if shot.number in group else [shot.number]})


def _rank(found: Sequence[Any], fitting: dict[str, list[int]]) -> int:
    return next(
        (n for n, one in enumerate(found, 1) if one.shot.number in fitting.get(one.catalogue.file, [])), 99
    )


def _recalls(how: str, ranks: Sequence[int]) -> Part:
    rows, bars = [], []
    for k in (1, 5):
        right = sum(rank <= k for rank in ranks)
        rows.append(row(f"found by {how}, first {k}", Tally(len(ranks), len(ranks), right)))
        bars.append(Bar(f"retrieval by {how}, recall at {k}", right / max(len(ranks), 1), "", "reported"))
    return rows, bars
