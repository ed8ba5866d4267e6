"""Samples made ready for training, in this process or in others beside it: drawing, decoding and writing take time."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from functools import cache, lru_cache
from typing import Any

import torch

from vidence.errors import UsageError, VidenceError
from vidence.models.internvideo3.protocol import offered
from vidence.training.chat import Chat
from vidence.training.config import Config, PhasePart
from vidence.training.loading import load_processor
from vidence.training.packing import fitting
from vidence.training.sources import Sample, Source, open_source
from vidence.training.stream import Order, Stream, Where
from vidence.training.trajectory import Trajectory

PHASES, PHASE_SAMPLES = (
    100,
    1_000_000,
)  # of a source without end, each phase of each seed has so many to itself


class Preparer:
    """Make samples of a run's sources ready, in each of its phases."""

    def __init__(self, config: Config) -> None:
        self.config, self.processor = config, load_processor(config.model.path)
        self._sources: dict[int, list[Source]] = {}

    def trajectory(self, phase: int, where: Where) -> Trajectory:
        """Return a sample to be learned as it is.

        Raises:
            VidenceError: it is damaged, does not fit a row, or has nothing to learn.
        """
        sample, part = self._sample(phase, where), self.config.phases[phase]
        return fitting(self.chat(part).trajectory(sample.name, sample.messages), part.pack_tokens)

    def question(self, phase: int, where: Where) -> Sample:
        """Return a sample to be answered: rules can judge it, and there is room for an answer.

        Raises:
            VidenceError: it is damaged, or not so.
        """
        sample, part = self._sample(phase, where), self.config.phases[phase]
        if sample.truth is None:
            raise UsageError(f"{sample.name}: names no answer that rules could judge")
        rollout = self.config.rollout
        asked = offered(sample.question) if rollout.turns > 1 and sample.medium else sample.question
        length = sum(len(piece.ids) for piece in self.chat(part).prompt(asked))
        if length + rollout.turns * rollout.max_new_tokens > part.pack_tokens:
            raise UsageError(
                f"{sample.name}: a prompt of {length} tokens and its answer do not fit a row of {part.pack_tokens}; "
                "raise pack_tokens or lower fps and max_frames"
            )
        return sample

    def chat(self, part: PhasePart) -> Chat:
        """Return how messages are written while a phase lasts."""
        return Chat(self.processor, video_limits=seeing_limits(part))

    def sources(self, phase: int) -> list[Source]:
        """Return what a phase draws from."""
        if phase not in self._sources:
            part = self.config.phases[phase]
            self._sources[phase] = [open_source(source, part) for source in self.config.sources]
        return self._sources[phase]

    def stream(
        self,
        phase: int,
        make: Callable[[Where], Future[Any]],
        *,
        number: int,
        streams: int,
        ahead: int,
        tell: Callable[[str], None],
    ) -> Stream[Any]:
        """Return what `make` makes of a phase's samples: of those that are dealt to stream `number` of `streams`."""
        config = self.config
        sizes = [source.size for source in self.sources(phase)]
        shares = [part.share for part in config.sources]
        seed = config.seed * PHASES + phase
        order = Order(sizes, shares, seed, seed * PHASE_SAMPLES)
        share = config.bad_share
        return Stream(order, make, number=number, streams=streams, ahead=ahead, bad_share=share, tell=tell)

    def tried(self, wanted: str, phase: int, where: Where) -> tuple[Any, str | None]:
        """Return what is wanted, `trajectory` or `question`; or None and what is wrong with it."""
        try:
            return getattr(self, wanted)(phase, where), None
        except VidenceError as fault:
            return None, f"source {where[0]}, sample {where[1]}: {fault}"

    def _sample(self, phase: int, where: Where) -> Sample:
        return self.sources(phase)[where[0]].sample(where[1])


class Workshop:
    """Prepare questions in processes that all runs of this one share; without any, at once."""

    def __init__(self, preparer: Preparer) -> None:
        self.preparer, self._config = preparer, preparer.config.model_dump_json()

    def question(self, phase: int, where: Where) -> Future[Any]:
        """Have a question prepared."""
        if workers := self.preparer.config.workers:
            return processes(workers).submit(_made, self._config, phase, where)
        return done(self.preparer.tried("question", phase, where))


def done(value: Any) -> Future[Any]:
    """Return a future that is past."""
    future: Future[Any] = Future()
    future.set_result(value)
    return future


@lru_cache(2)
def preparer(config: str) -> Preparer:
    """Return a worker's own preparer of a run."""
    return Preparer(Config.model_validate_json(config))


@cache
def processes(count: int, number: int = 0) -> ProcessPoolExecutor:
    """Return the pool of a number, of so many processes with one thread each; all runs of this process share it."""
    context = multiprocessing.get_context("spawn")  # a process that has used a GPU must not be forked
    return ProcessPoolExecutor(count, context, torch.set_num_threads, (1,))


def _made(config: str, phase: int, where: Where) -> tuple[Any, str | None]:
    return preparer(config).tried("question", phase, where)


def seeing_limits(phase: PhasePart) -> dict[str, Any]:
    """Return a phase's limits as the processor takes them."""
    seeing = phase.seeing
    limits: dict[str, Any] = {
        "fps": seeing.fps,
        "min_frames": min(seeing.min_frames, seeing.look_frames),
        "max_frames": max(seeing.max_frames, seeing.look_frames),
    }
    return (
        limits if seeing.max_frame_pixels is None else limits | {"max_frame_pixels": seeing.max_frame_pixels}
    )
