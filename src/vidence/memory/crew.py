"""The threads of one index run: a feeder that decodes, a worker a visual sense, a listener an audio sense."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from vidence.errors import StoreError
from vidence.memory import claims
from vidence.memory.heap import share_arenas
from vidence.memory.memory import Memory
from vidence.memory.sampling import Plan, Reel
from vidence.memory.workers import Outcome, Stopped, Worker
from vidence.senses.sense import Sense, VisualSense
from vidence.timeline import Span

if TYPE_CHECKING:
    from vidence.media import Media

HALT_S = 5.0  # how long Ctrl-C waits for a sense to end its current frame


class Crew:
    """Works through `todo` (segment → senses that lack it), claiming each piece before it is begun."""

    def __init__(
        self, media: Media, memory: Memory, owner: str, plan: Plan | None, todo: dict[Span, list[Sense]]
    ) -> None:
        self.media, self.memory, self.owner, self.plan, self.todo = media, memory, owner, plan, todo
        self.claimed = 0
        self._stop = threading.Event()
        self._results: queue.Queue[Outcome | StoreError] = queue.Queue()
        self._workers: dict[str, Worker] = {}
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start the threads."""
        share_arenas()
        for sense in {s.name: s for senses in self.todo.values() for s in senses}.values():
            worker = Worker(sense, self.media, self._results.put, self._stop)
            self._workers[sense.name] = worker
            if isinstance(sense, VisualSense):
                self._threads.append(worker)
            else:
                self._threads.append(self._thread(lambda worker=worker: self._listen(worker)))
        self._threads.append(self._thread(self._feed))
        for thread in self._threads:
            thread.start()

    def outcomes(self, deadline_s: float | None = None) -> Iterator[Outcome]:
        """Yield what becomes of each piece until all threads have ended or it is `deadline_s` on the monotonic clock.

        Renews the claims meanwhile.
        """
        renewed_s = time.monotonic()
        while True:
            if deadline_s is not None and time.monotonic() >= deadline_s:
                return
            alive = any(thread.is_alive() for thread in self._threads)
            try:
                result = self._results.get(timeout=0.2 if alive else 0.0)
            except queue.Empty:
                if not alive:
                    return
            else:
                if isinstance(result, StoreError):
                    raise result
                yield result
            if time.monotonic() - renewed_s > claims.RENEW_EVERY_S:
                self.memory.renew(self.owner)
                renewed_s = time.monotonic()

    def halt(self) -> list[Outcome]:
        """Stop the threads, and return what was finished but not yet taken."""
        self._stop.set()
        deadline_s = time.monotonic() + HALT_S
        for thread in self._threads:
            thread.join(max(deadline_s - time.monotonic(), 0.0))
        left: list[Outcome] = []
        while not self._results.empty():
            if isinstance(result := self._results.get(), Outcome):
                left.append(result)
        return left

    def unasked(self) -> set[tuple[str, Span]]:
        """Return the pieces that were left because their sense had been given up."""
        dead = {name for name, worker in self._workers.items() if worker.dead.is_set()}
        return {(s.name, segment) for segment, senses in self.todo.items() for s in senses if s.name in dead}

    def _thread(self, work: Callable[[], None]) -> threading.Thread:
        return threading.Thread(target=self._guarded, args=(work,), daemon=True)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Stopped:
            pass
        except StoreError as error:
            self._results.put(error)

    def _take(self, segment: Span, workers: list[Worker]) -> list[Worker]:
        living = [worker for worker in workers if not worker.dead.is_set()]
        if not living or self._stop.is_set():
            return []
        got = self.memory.claim(self.media.hash, [w.sense.producer for w in living], segment, self.owner)
        self.claimed += len(got)
        return [worker for worker in living if worker.sense.producer in got]

    def _listen(self, worker: Worker) -> None:
        for segment, senses in self.todo.items():
            if worker.sense in senses and self._take(segment, [worker]):
                worker.hear(segment)

    def _feed(self) -> None:
        visual = {n: worker for n, worker in self._workers.items() if isinstance(worker.sense, VisualSense)}
        reel = Reel(self.media, self.plan) if self.plan is not None else None
        for segment, senses in self.todo.items():
            due = self._take(segment, [visual[s.name] for s in senses if s.name in visual])
            if due and reel is not None:
                reel = self._show(reel, segment, due)
        for worker in visual.values():
            worker.finish()

    def _show(self, reel: Reel, segment: Span, workers: list[Worker]) -> Reel:
        """Decode a segment once and hand every worker its frames; returns the reel to go on with."""
        by_name = {worker.sense.name: worker for worker in workers}
        samplings = {w.sense.name: w.sense.sampling for w in workers if isinstance(w.sense, VisualSense)}
        for worker in workers:
            worker.begin(segment)
        broken = None
        try:
            for name, frame in reel.show(segment, samplings):
                by_name[name].show(frame)
        except Stopped:
            raise
        except Exception as error:  # noqa: BLE001 - a decoder's error costs this segment, and is told in the coverage
            broken = f"decoding failed: {error}"
            reel = Reel(self.media, reel.plan)
        for worker in workers:
            worker.end(broken)
        return reel
