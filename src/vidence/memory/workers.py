"""Threads that perceive: one a sense, fed frame by frame through a short queue, so that memory stays bounded.

onnxruntime, OpenCV, NumPy and FFmpeg let go of the interpreter while they work, so threads fill the cores. A worker
goes on to the next segment as soon as it has finished one: a slow sense holds up a fast one by its queue at most.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vidence.errors import VidenceError, WeightsError
from vidence.senses.observation import Observation
from vidence.senses.sense import AudioSense, Sense, VisualSense, Watcher
from vidence.timeline import Span

if TYPE_CHECKING:
    from vidence.media import Frame, Media


QUEUE_BATCHES = 5  # 1280 x 720 RGB: 16 MB a sense
BATCH_BYTES = (
    1 << 20
)  # small frames are handed over by the dozen: at 160 x 90 that saves 0.4 ms of 1.8 a frame
GIVE_UP_AFTER = 3  # failures in a row, after which a sense is not asked again in this run


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one segment with one sense: observations, or the reason why there are none."""

    sense: Sense
    segment: Span
    observations: list[Observation]
    busy_s: float
    cpu_s: float
    error: str | None = None
    fatal: bool = False  # no other segment can go better until the user has mended it: weights are missing


@dataclass(frozen=True, slots=True)
class _Begin:
    segment: Span


@dataclass(frozen=True, slots=True)
class _Broken:
    reason: str


class _End:
    """Marks the end of a segment in a queue."""


class Stopped(Exception):
    """The run was stopped while a frame waited for its place in a queue."""


class Worker(threading.Thread):
    """Runs one sense. `report` is called, on this thread, with each outcome."""

    def __init__(
        self, sense: Sense, media: Media, report: Callable[[Outcome], None], stop: threading.Event
    ) -> None:
        super().__init__(name=f"vidence-{sense.name}", daemon=True)
        self.sense, self.media, self.report, self.stop = sense, media, report, stop
        self._items: queue.Queue[_Begin | _Broken | _End | list[Frame] | None] = queue.Queue(QUEUE_BATCHES)
        self._batch: list[Frame] = []
        self._batch_bytes = 0
        self.dead = threading.Event()  # set when the sense is given up
        self._failures = 0

    def begin(self, segment: Span) -> None:
        """Start a segment. This and the next three wait for a place in the queue, and raise `Stopped`."""
        self._put(_Begin(segment))

    def show(self, frame: Frame) -> None:
        """Hand over a frame, now or with the next ones."""
        self._batch.append(frame)
        self._batch_bytes += frame.image.nbytes
        if self._batch_bytes >= BATCH_BYTES:
            self._flush()

    def end(self, broken: str | None = None) -> None:
        """Finish a segment; `broken` says why its frames did not come to the end."""
        self._flush()
        if broken is not None:
            self._put(_Broken(broken))
        self._put(_End())

    def finish(self) -> None:
        """End the thread after what is queued."""
        self._put(None)

    def _flush(self) -> None:
        batch, self._batch, self._batch_bytes = self._batch, [], 0
        if batch:
            self._put(batch)

    def _put(self, item: _Begin | _Broken | _End | list[Frame] | None) -> None:
        while not self.stop.is_set():
            try:
                return self._items.put(item, timeout=0.2)
            except queue.Full:
                continue
        raise Stopped

    def run(self) -> None:
        """Take items until None comes or the run is stopped."""
        turn: _Turn | None = None
        while not self.stop.is_set():
            try:
                item = self._items.get(timeout=0.2)
            except queue.Empty:
                continue
            if item is None:
                return
            if isinstance(item, _Begin):
                turn = _Turn(self.sense, self.media, item.segment)
            elif turn is None:
                continue
            elif isinstance(item, _End):
                self._tell(turn.outcome())
            elif isinstance(item, _Broken):
                turn.error = turn.error or item.reason
            else:
                turn.see(item)
            item = None  # let the frames go before waiting for the next

    def hear(self, segment: Span) -> None:
        """Perceive a segment of sound, on the calling thread."""
        self._tell(_Turn(self.sense, self.media, segment).outcome())

    def _tell(self, outcome: Outcome) -> None:
        self._failures = self._failures + 1 if outcome.error else 0
        if self._failures >= GIVE_UP_AFTER or outcome.fatal:
            self.dead.set()
        self.report(outcome)


class _Turn:
    """One segment with one sense; keeps the first error and is silent after it."""

    def __init__(self, sense: Sense, media: Media, segment: Span) -> None:
        self.sense, self.media, self.segment = sense, media, segment
        self.watcher: Watcher | None = None
        self.error: str | None = None
        self.fatal = False
        self.busy_s = self.cpu_s = 0.0
        if isinstance(sense, VisualSense):
            self._guard(self._watch)

    def see(self, frames: list[Frame]) -> None:
        watcher = self.watcher
        if watcher is not None and self.error is None:
            self._guard(lambda: [watcher.see(frame) for frame in frames])

    def outcome(self) -> Outcome:
        observations: list[Observation] = []
        if self.error is None:
            self._guard(lambda: observations.extend(self._finish()))
        return Outcome(
            self.sense, self.segment, observations, self.busy_s, self.cpu_s, self.error, self.fatal
        )

    def _watch(self) -> None:
        assert isinstance(self.sense, VisualSense)
        self.watcher = self.sense.watch(self.media, self.segment)

    def _finish(self) -> list[Observation]:
        if self.watcher is not None:
            return self.watcher.finish()
        assert isinstance(self.sense, AudioSense)
        return self.sense.hear(self.media, self.segment)

    def _guard(self, work: Callable[[], object]) -> None:
        """Run a piece of the sense's own code: the boundary at which a failing sense is kept from ending the run."""
        start_s, start_cpu_s = time.perf_counter(), time.thread_time()
        try:
            work()
        except WeightsError as error:
            self.error, self.fatal = str(error), True
        except VidenceError as error:
            self.error = str(error)
        except Exception as error:  # noqa: BLE001 - whatever a model or a codec throws is told in the coverage
            self.error = f"{type(error).__name__}: {error}"
        self.busy_s += time.perf_counter() - start_s
        self.cpu_s += time.thread_time() - start_cpu_s
