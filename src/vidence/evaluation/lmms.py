"""Vidence as a model of lmms-eval (0.7 and later), which finds it by its entry point and is alone in importing this.

A task hands over a prompt, and a function that names the video's file; it wants words back, or likelihoods.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lmms_eval.api.model import lmms  # pyright: ignore[reportMissingImports]
from lmms_eval.models.registry_v2 import ModelManifest  # pyright: ignore[reportMissingImports]

from vidence.errors import MediaError, UsageError
from vidence.evaluation.item import Frames, Item
from vidence.evaluation.models import LocalModel, alone
from vidence.evaluation.options import prompted
from vidence.evaluation.systems import Agent, SinglePass
from vidence.mcr.budget import Budget
from vidence.policies import open_policy
from vidence.video import open as open_video

if TYPE_CHECKING:
    from vidence.video import Video


def manifest() -> ModelManifest:
    """Tell lmms-eval what `--model vidence` is."""
    return ModelManifest("vidence", simple_class_path=f"{__name__}.{Vidence.__name__}")


class Vidence(lmms):
    """A policy in its loop, or a model in a single pass, as `--model_args` say.

    Args:
        policy: "rules", "internvideo3" or "chat"; by default what fits `model` and `api_base`.
        model: as for `vidence ask`.
        api_base: as for `vidence ask`.
        single_pass: the model alone, shown frames once, with the task's own prompt.
        max_steps: of the loop.
        most_frames: of a single pass.
        memory: file in which what was perceived is kept (default: the user's).
        device: where a local model runs.
        batch_size: 1; questions are put one at a time.

    Raises:
        UsageError: these do not fit together, or others are given.
        WeightsError: the model cannot be loaded.
    """

    is_simple = True

    def __init__(
        self,
        policy: str | None = None,
        model: str | None = None,
        api_base: str | None = None,
        single_pass: bool = False,
        max_steps: int = 12,
        most_frames: int = 64,
        memory: str | None = None,
        device: str = "auto",
        batch_size: int | str = 1,
        max_batch_size: int | None = None,
        **others: Any,
    ) -> None:
        super().__init__()
        if others:
            raise UsageError(f"--model_args has {', '.join(others)}, which vidence does not take")
        if str(batch_size) != "1":
            raise UsageError(
                f"--batch_size is {batch_size}; vidence puts questions one at a time: leave it at 1"
            )
        name = policy or ("rules" if model is None else "chat" if api_base else "internvideo3")
        self.device = device  # lmms-eval reads it where it runs several processes
        self._memory = Path(memory) if memory else None
        opened = open_policy(name, model, device=device, api_base=api_base)
        run_by = alone(opened)
        self._alone = SinglePass(run_by, Frames(), most_frames) if run_by else None
        if single_pass and self._alone is None:
            raise UsageError("single_pass=True is of a model; the policy rules runs none")
        self._loop = None if single_pass else Agent(opened, Budget(max_steps=max_steps))

    def generate_until(self, requests: Sequence[Any]) -> list[str]:
        """Answer each request: with a letter where its prompt has options, in the loop."""
        return [self._answered(*request.args) for request in requests]

    def loglikelihood(self, requests: Sequence[Any]) -> list[tuple[float, bool]]:
        """Return the loss of each request's answer a token, and whether the model would say it.

        lmms-eval takes the answer of the least, since its own models return losses and no likelihoods.

        Raises:
            UsageError: the policy runs no local model, of which alone they can be had.
        """
        if self._alone is None or not isinstance(self._alone.model, LocalModel):
            raise UsageError(
                "this task wants likelihoods, which a local model alone gives: name one by "
                "--model_args policy=internvideo3,model=..., or take the task's variant that generates"
            )
        asked = (request.args for request in requests)
        # All answers to a question follow each other, and are weighed after one look at the video.
        together = itertools.groupby(asked, lambda args: (args[0], *args[3:]))
        return [loss for _, same in together for loss in self._losses(self._alone.model, list(same))]

    def generate_until_multi_round(self, requests: Sequence[Any]) -> list[str]:
        """Refuse.

        Raises:
            UsageError: always.
        """
        raise UsageError(
            "vidence answers one question at a time; tasks of several rounds cannot be put to it"
        )

    def _answered(
        self, context: str, settings: Any, visual: Callable[..., Any], number: int, task: str, split: str
    ) -> str:
        path = _video(visual(self.task_dict[task][split][number]), task)
        try:
            with self._opened(path) as video:
                text = self._said(context, str(path), video)
        except MediaError as fault:
            warnings.warn(f"{task}, question {number} has no answer: {fault}", stacklevel=2)
            text = ""
        self.cache_hook.add_partial("generate_until", (context, settings), text)
        return text

    def _said(self, context: str, path: str, video: Video) -> str:
        if self._loop is None:
            assert self._alone is not None  # as made sure when it was made
            return self._alone.answer(Item(path, path, context), "open", video).text
        question, options = prompted(context)
        key = "choice" if options else "open"
        return self._loop.answer(Item(path, path, question, options), key, video).text

    def _losses(self, model: LocalModel, same: Sequence[tuple[Any, ...]]) -> list[tuple[float, bool]]:
        """Weigh the answers to one question; without a document, they are weighed without a video."""
        assert self._alone is not None
        context, _, *where = same[0]
        if not where:
            return model.expected([], Fraction(0), context, [_worded(args[1], None) for args in same])
        visual, number, task, split = where
        doc = self.task_dict[task][split][number]
        answers = [_worded(args[1], doc) for args in same]
        path = _video(visual(doc), task)
        with self._opened(path) as video:
            shown = self._alone.shown(Item(str(path), str(path), context), video)
            return model.expected([shown], video.media.info.span.start, context, answers)

    @contextmanager
    def _opened(self, path: Path) -> Iterator[Video]:
        with open_video(path, memory=self._memory) as video:
            if video.media.info.video is None:
                raise MediaError(f"{path}: has no picture")
            yield video


def _video(visuals: Any, task: str) -> Path:
    """Return the one file that a task shows."""
    given = visuals if isinstance(visuals, list | tuple) else [visuals]
    if len(given) != 1 or not isinstance(given[0], str | Path):
        kinds = ", ".join(type(one).__name__ for one in given) or "nothing"
        raise UsageError(f"the task {task} shows {kinds}; vidence is asked about one video file at a time")
    return Path(given[0])


def _worded(answer: str | Callable[[Any], str], doc: Any) -> str:
    """Return an answer's words, without the space that would part it from a prompt that goes on."""
    words = (answer if isinstance(answer, str) else str(answer(doc))).strip()
    if not words:
        raise UsageError("the task has an empty answer, which has no likelihood")
    return words
