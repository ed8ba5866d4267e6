"""Perceive what is missing: one decode for all visual senses, each segment kept as soon as it is done."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from vidence.memory.claims import new_owner
from vidence.memory.coverage import Failure
from vidence.memory.crew import Crew
from vidence.memory.joining import Joiner
from vidence.memory.meanings import LANGUAGE_SPACE
from vidence.memory.memory import Memory
from vidence.memory.sampling import plan
from vidence.memory.workers import Outcome
from vidence.senses.sense import SEGMENT_S, Sense, VisualSense
from vidence.timeline import Span, windows

if TYPE_CHECKING:
    from vidence.media import Media

MAX_ATTEMPTS = 2  # at a segment that fails for another reason than missing weights
_POLL_S = 0.25  # how often to ask whether another process has finished what it claimed


class Progress(Protocol):
    """Told after each segment: which sense has now perceived how many of its seconds."""

    def __call__(self, segment: Span, sense: str, done_s: float, total_s: float) -> None: ...


@dataclass(slots=True)
class IndexReport:
    """What one run did. Seconds by sense: `busy_s` on the clock, `cpu_s` of its own thread."""

    medium: str
    wall_s: float = 0.0
    new_observations: int = 0
    done: dict[str, int] = field(default_factory=dict)  # segments perceived now
    skipped: dict[str, int] = field(default_factory=dict)  # segments already known
    busy_s: dict[str, float] = field(default_factory=dict)
    cpu_s: dict[str, float] = field(default_factory=dict)
    failed: list[Failure] = field(default_factory=list)
    problems: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Write as JSON."""
        return {
            "medium": self.medium,
            "wall_s": round(self.wall_s, 3),
            "new_observations": self.new_observations,
            "segments_done": self.done,
            "segments_skipped": self.skipped,
            "busy_s": {sense: round(value, 3) for sense, value in self.busy_s.items()},
            "cpu_s": {sense: round(value, 3) for sense, value in self.cpu_s.items()},
            "failed": [failure.to_json() for failure in self.failed],
            "problems": list(self.problems),
        }


def index(
    media: Media,
    memory: Memory,
    senses: Sequence[Sense] | None = None,
    *,
    span: Span | None = None,
    progress: Progress | None = None,
    time_limit_s: float | None = None,
) -> IndexReport:
    """Perceive with every sense what it has not perceived yet, within `span` (default: the whole medium).

    At `time_limit_s` it stops with what is done by then; the rest stays unseen in the coverage. A sense that fails is
    noted in the coverage with its reason, and the rest goes on. Ctrl-C keeps what is done.

    Raises:
        StoreError: the memory cannot be written.
        KeyboardInterrupt: after keeping what is done.
    """
    if senses is None:
        from vidence.senses import default_senses

        senses = default_senses()
    started_s = time.perf_counter()
    memory.add(media)
    run = _Run(media, memory, _usable(senses, media), span, progress)
    deadline_s = None if time_limit_s is None else time.monotonic() + time_limit_s
    while todo := run.todo():
        if deadline_s is not None and time.monotonic() >= deadline_s:
            break
        if not run.work_on(todo, deadline_s):
            time.sleep(_POLL_S)  # all that is left is claimed by another process: wait for it, or inherit it
    if run.report.done:
        memory.complete(media.hash)
    memory.note_problems(media.hash, media.problems)
    run.report.problems = tuple(media.problems)
    run.report.wall_s = time.perf_counter() - started_s
    return run.report


def _usable(senses: Sequence[Sense], media: Media) -> list[Sense]:
    info = media.info
    return [s for s in senses if not isinstance(s, VisualSense) or info.video is not None]


class _Run:
    """One call of `index`: what is due, who does it, and what came of it."""

    def __init__(
        self, media: Media, memory: Memory, senses: list[Sense], span: Span | None, progress: Progress | None
    ) -> None:
        self.media, self.memory, self.senses, self.progress = media, memory, senses, progress
        whole = media.info.span
        self.segments = [s for s in windows(whole, SEGMENT_S) if span is None or s.overlaps(span)]
        self.total_s = float(sum(s.duration for s in self.segments))
        self.done_s = {sense.name: 0.0 for sense in senses}
        self.owner = new_owner()
        self.hopeless: set[tuple[str, Span]] = set()
        self.report = IndexReport(media.hash)
        visual = [sense.sampling for sense in senses if isinstance(sense, VisualSense)]
        self.plan = plan(visual) if visual else None

    def todo(self) -> dict[Span, list[Sense]]:
        """Return what is missing, by segment."""
        missing: dict[Span, list[Sense]] = {}
        for sense in self.senses:
            done = self.memory.done(self.media.hash, sense.producer, joiner_of(sense))
            failed = self.memory.attempts(self.media.hash, sense.producer)
            for segment in self.segments:
                if segment in done or failed.get(segment, 0) >= MAX_ATTEMPTS:
                    continue
                if (sense.name, segment) not in self.hopeless:
                    missing.setdefault(segment, []).append(sense)
            if sense.name not in self.report.skipped:
                known = [segment for segment in self.segments if segment in done]
                self.report.skipped[sense.name] = len(known)
                self.done_s[sense.name] = float(sum(segment.duration for segment in known))
        return {segment: missing[segment] for segment in sorted(missing)}

    def work_on(self, todo: dict[Span, list[Sense]], deadline_s: float | None = None) -> bool:
        """Perceive all of it that no other process has claimed; say whether there was any."""
        crew = Crew(self.media, self.memory, self.owner, self.plan, todo)
        crew.start()
        try:
            for outcome in crew.outcomes(deadline_s):
                self.keep(outcome)
        finally:  # at the end, at the time limit, on Ctrl-C, on a full disk: what is finished is kept
            for outcome in crew.halt():
                self.keep(outcome)
            self.memory.release(self.owner)
        self.hopeless |= crew.unasked()
        return crew.claimed > 0 or bool(crew.unasked())

    def keep(self, outcome: Outcome) -> None:
        """Write one outcome to the memory and to the report."""
        sense, segment, report = outcome.sense, outcome.segment, self.report
        name = sense.name
        report.busy_s[name] = report.busy_s.get(name, 0.0) + outcome.busy_s
        report.cpu_s[name] = report.cpu_s.get(name, 0.0) + outcome.cpu_s
        if outcome.error is not None:
            self.memory.fail(
                self.media.hash, sense.producer, segment, outcome.error, counts=not outcome.fatal
            )
            report.failed.append(Failure(name, segment, outcome.error))
            self.hopeless.add((name, segment))
            return
        sampling = sense.sampling if isinstance(sense, VisualSense) else None
        report.new_observations += self.memory.write(
            self.media.hash,
            sense.producer,
            segment,
            outcome.observations,
            rate_hz=sampling.rate_hz if sampling else None,
            max_side=sampling.max_side if sampling else None,
            space=getattr(sense, "space", LANGUAGE_SPACE),
            joiner=joiner_of(sense),
        )
        report.done[name] = report.done.get(name, 0) + 1
        self.done_s[name] += float(segment.duration)
        if self.progress is not None:
            self.progress(segment, name, self.done_s[name], self.total_s)


def joiner_of(sense: Sense) -> Joiner:
    """Say how far from a boundary the parts of one thing may lie: one and a half sampling steps, at least 0.25 s."""
    rate_hz = sense.sampling.rate_hz if isinstance(sense, VisualSense) else None
    return Joiner(sense.join, max(1.5 / rate_hz, 0.25) if rate_hz else 0.25)
