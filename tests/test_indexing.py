"""Indexing does what is missing, once, whatever fails, whoever else is at it, and whenever it is killed."""

from __future__ import annotations

import gc
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from conftest import MakeVideo, hear_interrupts, read_number, write_video
from test_memory import content, no_meaning
from vidence.errors import WeightsError
from vidence.media import Frame, Media, open_media
from vidence.memory import Memory, index
from vidence.memory.sampling import plan
from vidence.memory.workers import QUEUE_BATCHES
from vidence.senses.observation import Observation, Producer
from vidence.senses.sense import Cost, Sampling, Sense
from vidence.timeline import Span


@dataclass
class Numbers:
    """Reports the number painted on every frame it is shown, with the frame's time and size."""

    name: str
    sampling: Sampling
    log: Path | None = None
    pause_s: float = 0.0
    cost: Cost = field(default_factory=lambda: Cost(1, 1))

    @property
    def producer(self) -> Producer:
        return Producer(self.name, "1", parameters=str(self.sampling))

    def watch(self, media: Media, segment: Span) -> NumberWatcher:
        return NumberWatcher(self, segment)

    def join(self, left: Observation, right: Observation) -> Observation | None:
        step_s = 1 / (self.sampling.rate_hz or 5)  # a border may lie between two frames
        if left.text != right.text or right.span.start - left.span.end > step_s:
            return None
        shown = left.data["shown"] + right.data["shown"]
        return replace(left, span=left.span.hull(right.span), data={"shown": shown, "lead": 0})


@dataclass
class NumberWatcher:
    """Observations are runs of frames of the same number; lead frames are counted, not reported."""

    sense: Numbers
    segment: Span
    seen: list[tuple[Frame, str]] = field(default_factory=list)
    lead: int = 0

    def see(self, frame: Frame) -> None:
        time.sleep(self.sense.pause_s)
        if frame.time < self.segment.start:
            self.lead += 1
        else:
            self.seen.append((replace(frame, image=frame.image[:0].copy()), str(read_number(frame.image))))
            assert max(frame.image.shape) <= self.sense.sampling.max_side

    def finish(self) -> list[Observation]:
        found: list[Observation] = []
        ends = [frame.time for frame, _ in self.seen[1:]] + [self.segment.end]
        for (frame, number), end in zip(self.seen, ends, strict=True):
            data = {"shown": [str(frame.time)], "lead": self.lead}
            one = Observation(Span(frame.time, end), "visual", self.sense.producer, number, data=data)
            joined = self.sense.join(found[-1], one) if found else None
            found[-1:] = [joined] if joined else [*found[-1:], one]
        if self.sense.log is not None:
            with self.sense.log.open("a") as log:
                log.write(f"{self.sense.name} {self.segment.start}\n")
        return found


@dataclass
class Loudness:
    """Reports the level of every ten seconds of sound."""

    name: str = "loudness"
    producer: Producer = field(default_factory=lambda: Producer("loudness", "1"))
    cost: Cost = field(default_factory=lambda: Cost(1, 1))

    def hear(self, media: Media, segment: Span) -> list[Observation]:
        start, samples = media.audio(segment)
        level = float(np.sqrt((samples**2).mean())) if len(samples) else 0.0
        return [Observation(segment, "audio", self.producer, f"{level:.2f} from {float(start):.1f}")]

    def join(self, left: Observation, right: Observation) -> Observation | None:
        return None


def slow_count(number: int) -> np.ndarray:
    """Paint a picture number that changes every 25 s (at 5 fps), so that runs cross the segments' borders."""
    from conftest import number_picture

    return number_picture(number // 125, 64, 48)


def senses(log: Path | None = None, pause_s: float = 0.0) -> list[Sense]:
    return [
        Numbers("every", Sampling(None, 32, lead_s=2.0), log, pause_s),
        Numbers("fast", Sampling(2.0, 64), log),
        Numbers("slow", Sampling(0.5, 48, lead_s=4.0), log),
        Loudness(),
    ]


@pytest.fixture(scope="module")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 s at 5 fps: four segments, the last of 20 s; the clock starts at 7/3 s."""
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    return write_video(
        path, fps=5, frames=1000, size=(64, 48), paint=slow_count, tone_hz=300, start=Fraction(7, 3)
    )


@pytest.fixture(scope="module")
def expected(long_video: Path, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[object, ...]]:
    return run(long_video, tmp_path_factory.mktemp("expected") / "m.sqlite")


def opened(path: Path) -> Memory:
    return Memory.open(path, encoders={"language": no_meaning})


def run(video: Path, path: Path, **how: float) -> list[tuple[object, ...]]:
    with opened(path) as memory, open_media(video) as media:
        index(media, memory, senses(**how))  # pyright: ignore[reportArgumentType]
        return content(memory.observations(media.hash))


def test_every_sense_gets_the_frames_of_its_own_rate_as_if_it_were_alone(
    long_video: Path, expected: list[tuple[object, ...]]
) -> None:
    with open_media(long_video) as media:
        for sense in senses()[:3]:
            assert isinstance(sense, Numbers)
            alone = [str(frame.time) for frame in media.frames(rate_hz=sense.sampling.rate_hz, max_side=16)]
            shown = [time for row in expected if row[1] == sense.name for time in row[5]["shown"]]  # pyright: ignore
            assert shown == alone


def test_runs_are_joined_over_the_borders_of_segments(expected: list[tuple[object, ...]]) -> None:
    for name in ("every", "fast"):
        starts_s = [float(row[0].start) for row in expected if row[1] == name]  # pyright: ignore
        assert starts_s == pytest.approx(
            [7 / 3 + 25 * k for k in range(8)], abs=0.5 if name == "fast" else 0.001
        )


def test_lead_frames_come_before_every_segment_but_the_first(long_video: Path, tmp_path: Path) -> None:
    class NeverJoined(Numbers):
        def join(self, left: Observation, right: Observation) -> Observation | None:
            return None

    sense = NeverJoined("every", Sampling(None, 32, lead_s=2.0))
    with opened(tmp_path / "m.sqlite") as memory, open_media(long_video) as media:
        index(media, memory, [sense])
        leads = {
            int((s.span.start - media.info.span.start) // 60): s.data["lead"]
            for s in memory.observations(media.hash)
        }
    assert leads == {0: 0, 1: 10, 2: 10, 3: 10}


def test_a_second_run_does_nothing(
    long_video: Path, tmp_path: Path, expected: list[tuple[object, ...]]
) -> None:
    log = tmp_path / "log"
    assert run(long_video, tmp_path / "m.sqlite", log=log) == expected  # pyright: ignore[reportArgumentType]
    once = log.read_text()
    before_s = time.process_time()
    assert run(long_video, tmp_path / "m.sqlite", log=log) == expected  # pyright: ignore[reportArgumentType]
    assert log.read_text() == once
    assert time.process_time() - before_s < 0.5


def test_a_part_first_and_the_rest_later_equals_one_run(
    long_video: Path, tmp_path: Path, expected: list[tuple[object, ...]]
) -> None:
    with opened(tmp_path / "m.sqlite") as memory, open_media(long_video) as media:
        told: list[tuple[str, float, float]] = []
        report = index(
            media, memory, senses(), span=Span.of(70, 80), progress=lambda _, *rest: told.append(rest)
        )
        assert report.done == {"every": 1, "fast": 1, "slow": 1, "loudness": 1}
        assert sorted(told) == [(name, 60.0, 60.0) for name in ("every", "fast", "loudness", "slow")]
        assert memory.coverage(media.hash).seen(Span.of(63, 122), "fast") == 1.0
        assert memory.coverage(media.hash).seen(Span.of(0, 60), "fast") == 0.0
        index(media, memory, senses()[1:])
        index(media, memory, senses())
        assert content(memory.observations(media.hash)) == expected


CHILD = [sys.executable, __file__]


def start_child(video: Path, memory: Path, log: Path, pause_s: float) -> subprocess.Popen[bytes]:
    command = [*CHILD, str(video), str(memory), str(log), str(pause_s)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, preexec_fn=hear_interrupts)


def test_killed_at_any_moment_and_resumed_equals_one_run(
    long_video: Path, tmp_path: Path, expected: list[tuple[object, ...]]
) -> None:
    dice, path, log = random.Random(7), tmp_path / "m.sqlite", tmp_path / "log"
    for _ in range(6):
        child = start_child(long_video, path, log, pause_s=0.002)
        time.sleep(0.4 + dice.random() * 1.2)
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert run(long_video, path, log=log) == expected  # pyright: ignore[reportArgumentType]
    perceived = log.read_text().split("\n")[:-1]
    # a killed process loses at most the segment that each of its senses was at
    assert 12 <= len(perceived) <= 12 + 6 * 3


def test_two_processes_share_the_work(
    long_video: Path, tmp_path: Path, expected: list[tuple[object, ...]]
) -> None:
    path, log = tmp_path / "m.sqlite", tmp_path / "log"
    children = [start_child(long_video, path, log, pause_s=0.003) for _ in range(2)]
    for child in children:
        _, errors = child.communicate(timeout=120)
        assert child.returncode == 0, errors.decode()
    perceived = log.read_text().split("\n")[:-1]
    assert len(perceived) == len(set(perceived)) == 12
    assert run(long_video, path) == expected


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX knows them")
def test_ctrl_c_keeps_what_is_done_and_ends_before_the_rest(long_video: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.sqlite"
    child = start_child(long_video, path, tmp_path / "log", pause_s=0.02)
    deadline_s = time.monotonic() + 60
    while not (tmp_path / "log").exists() and time.monotonic() < deadline_s:
        time.sleep(0.05)
    time.sleep(0.3)
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=120)
    assert b"KeyboardInterrupt" in errors
    with opened(path) as memory, open_media(long_video) as media:
        coverage = memory.coverage(media.hash)
        assert coverage.spans("fast")
        assert coverage.seen(coverage.whole, "every") < 1
        assert memory._database.read("SELECT * FROM claim") == []


# Failures


class Failing(Numbers):
    """Fails at the second segment, with an error that no sense should raise."""

    def watch(self, media: Media, segment: Span) -> NumberWatcher:
        if segment.start > 60 and segment.start < 120:
            raise ZeroDivisionError("a bug in a sense")
        return super().watch(media, segment)


class Weightless(Numbers):
    def watch(self, media: Media, segment: Span) -> NumberWatcher:
        raise WeightsError("no weights for weightless; run `vidence models pull weightless`")


def test_a_failing_sense_is_told_in_the_coverage_and_the_rest_goes_on(
    long_video: Path, tmp_path: Path
) -> None:
    failing, missing = Failing("failing", Sampling(1.0, 32)), Weightless("weightless", Sampling(1.0, 32))
    with opened(tmp_path / "m.sqlite") as memory, open_media(long_video) as media:
        report = index(media, memory, [missing, failing, *senses()[1:2]])
        assert report.done == {"failing": 3, "fast": 4}
        coverage = memory.coverage(media.hash)
        assert coverage.seen(coverage.whole, "fast") == 1.0
        assert [float(f.span.duration) for f in coverage.failures if f.sense == "failing"] == [60.0]
        reasons = {f.sense: f.reason for f in coverage.failures}
        assert reasons["failing"] == "ZeroDivisionError: a bug in a sense"
        assert "models pull" in reasons["weightless"]
        assert index(media, memory, [failing]).failed  # tried once more
        assert not index(media, memory, [failing]).failed  # and then left alone
        mended = Numbers("weightless", Sampling(1.0, 32))
        assert index(media, memory, [missing]).failed
        assert index(media, memory, [missing]).failed  # missing weights are asked for each time
        assert index(media, memory, [mended]).done == {"weightless": 4}
        assert {f.sense for f in memory.coverage(media.hash).failures} == {"failing"}


def test_a_medium_without_pictures_is_only_heard(tmp_path: Path, make_video: MakeVideo) -> None:
    video = make_video("sound.mp4", frames=0, tone_hz=200)
    with opened(tmp_path / "m.sqlite") as memory, open_media(video) as media:
        assert index(media, memory, senses()).done == {"loudness": 1}
        assert memory.coverage(media.hash).senses == ("loudness",)


def test_a_picture_that_stands_over_whole_segments_is_seen_in_each(
    tmp_path: Path, make_video: MakeVideo
) -> None:
    times = [Fraction(0), Fraction(10), Fraction(200)]
    video = make_video("slides.mp4", times=times, size=(64, 48))
    with opened(tmp_path / "m.sqlite") as memory, open_media(video) as media:
        index(media, memory, senses())
        for name in ("every", "fast", "slow"):
            runs = [(s.text, float(s.span.start)) for s in memory.observations(media.hash, senses=[name])]
            assert runs == [("0", 0.0), ("1", 10.0), ("2", 200.0)], name


@dataclass
class Counter(Numbers):
    """Counts the frames that are alive somewhere while it looks at one, slowly."""

    most: int = 0

    def watch(self, media: Media, segment: Span) -> NumberWatcher:
        return CountingWatcher(self, segment)


class CountingWatcher(NumberWatcher):
    def see(self, frame: Frame) -> None:
        assert isinstance(self.sense, Counter)
        time.sleep(self.sense.pause_s)
        self.sense.most = max(
            self.sense.most, sum(isinstance(o, Frame) and o.image.size > 0 for o in gc.get_objects())
        )


def test_few_frames_are_alive_at_once_however_slow_a_sense(tmp_path: Path, make_video: MakeVideo) -> None:
    video = make_video(
        "big.mp4", frames=100, size=(800, 600)
    )  # 1.4 MB a frame: each is handed over by itself
    slow = Counter("slow", Sampling(None, 800), pause_s=0.02)
    with opened(tmp_path / "m.sqlite") as memory, open_media(video) as media:
        index(media, memory, [slow, Numbers("quick", Sampling(None, 780))])
    assert 2 <= slow.most <= 2 * (QUEUE_BATCHES + 3)


def test_claims_of_the_dead_are_inherited_and_those_of_the_living_respected(
    long_video: Path, tmp_path: Path
) -> None:
    import socket

    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True
    )
    sense = senses()[1]
    with opened(tmp_path / "m.sqlite") as memory, open_media(long_video) as media:
        memory.add(media)
        segment = Span(media.info.span.start, media.info.span.start + 60)
        host = socket.gethostname()
        assert memory.claim(media.hash, [sense.producer], segment, f"{host} {dead.stdout.strip()} x")
        assert memory.claim(media.hash, [sense.producer], segment, f"{host} {os.getpid()} y") == [
            sense.producer
        ]
        assert memory.claim(media.hash, [sense.producer], segment, f"{host} {os.getpid()} z") == []
        memory._database.read("UPDATE claim SET expires = 0")
        assert index(media, memory, [sense]).done == {"fast": 4}


@pytest.mark.parametrize(
    ("rates", "decoded"),
    [([2.0, 1.0, 0.5], 2.0), ([3.0, 2.0], 6.0), ([None, 2.0], None), ([2.5, 1.0], 5.0), ([1 / 3, 1.0], None)],
)
def test_the_decoded_grid_holds_every_sense_s_grid(rates: list[float | None], decoded: float | None) -> None:
    assert plan([Sampling(rate, 100 + n, n) for n, rate in enumerate(rates)]).rate_hz == decoded


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]), log=Path(sys.argv[3]), pause_s=float(sys.argv[4]))  # pyright: ignore
