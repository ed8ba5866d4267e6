"""The Python front door: open a video, index it, ask it, search it."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from vidence.errors import UsageError
from vidence.mcr.answer import Answer
from vidence.mcr.budget import Budget, Meter
from vidence.mcr.question import read_question
from vidence.media import Media, open_media
from vidence.memory import Memory, index
from vidence.senses import default_senses, query_encoders

if TYPE_CHECKING:
    from vidence.mcr.grounding import Grounding
    from vidence.mcr.loop import Listener
    from vidence.mcr.policy import Policy
    from vidence.mcr.situation import Situation
    from vidence.mcr.web import WebSearch
    from vidence.memory import Hit, IndexReport, Progress
    from vidence.senses.observation import Observation
    from vidence.senses.sense import Sense


def open(
    source: str | Path,
    *,
    memory: Memory | Path | None = None,
    tier: str | None = None,
    language: str = "auto",
) -> Video:
    """Open a video file or URL; use it in a `with` statement, or close it when done.

    Args:
        source: path or URL.
        memory: where what is perceived is kept (default: the user's memory file).
        tier: weights of the senses: "auto", "embedded" or "standard" (default: $VIDENCE_TIER, else "auto").
        language: spoken in it, as a code such as "de", or "auto".

    Raises:
        UsageError: there is no such tier or language.
        MediaError: the source cannot be opened or holds nothing that can be decoded.
        StoreError: the memory file cannot be used.
    """
    senses = default_senses(tier=tier, language=language)
    media = open_media(source)
    if isinstance(memory, Memory):
        return Video(media, memory, senses)
    return Video(media, Memory.open(memory, encoders=query_encoders()), senses, owns_memory=True)


@dataclass
class Video:
    """One video and what is remembered of it. Index once; every question after that starts from memory."""

    media: Media
    memory: Memory
    senses: list[Sense] = field(default_factory=default_senses)  # used to index and to look again
    last_situation: Situation | None = field(default=None, repr=False)  # the trace of the last question
    owns_memory: bool = False  # opened for this video, and closed with it

    def __enter__(self) -> Video:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the decoder, and of the memory file unless it was handed in open."""
        self.media.close()
        if self.owns_memory:
            self.memory.close()

    def index(self, senses: Sequence[Sense] | None = None, progress: Progress | None = None) -> IndexReport:
        """Perceive what is not yet in memory. A second call does nothing."""
        return index(self.media, self.memory, self.senses if senses is None else senses, progress=progress)

    def ask(
        self,
        question: str,
        *,
        choices: Sequence[str] = (),
        budget: Budget | None = None,
        question_language: str = "auto",
        policy: Policy | None = None,
        web: WebSearch | None = None,
        progress: Progress | None = None,
        told: Listener | None = None,
    ) -> Answer:
        """Answer a question, or say what is lacking. Indexes first where that was not done.

        `policy` decides what to do (default: by rules, from memory and the senses); for one that recalls nothing,
        nothing is indexed. `question_language` is that of the question's words ("auto": told from them); the spoken
        one is given to `open`. `web` is what a policy may search besides the video (`vidence.mcr.web.open_web`).
        `told` hears of each step of the reasoning as it is taken.

        Raises:
            UsageError: the question is empty, or there is only one choice.
        """
        from vidence.mcr.loop import reason
        from vidence.policies import RulesPolicy

        asked, options = question.strip(), tuple(choice.strip() for choice in choices)
        if not asked:
            raise UsageError(
                'the question is empty; ask something, for example "What is written at the end?"'
            )
        if len(options) == 1 or any(not option for option in options):
            raise UsageError("give at least two choices, none of them empty, or none at all")
        meter, policy = Meter(budget or Budget()), policy or RulesPolicy()
        if policy.recalls:
            self.index_within(meter, progress)
        else:
            self.index(senses=())  # the video is entered in memory, and nothing perceived
        read = read_question(asked, self.media.info.span, options, question_language)
        answer, self.last_situation = reason(
            read, policy, self.media, self.memory, self.senses, meter, web, told
        )
        return answer

    def ground(self, phrase: str, *, limit: int = 5, progress: Progress | None = None) -> list[Grounding]:
        """Find the spans in which a phrase is seen, read or heard, best first."""
        from vidence.mcr.grounding import ground
        from vidence.mcr.situation import Situation

        if not phrase.strip():
            raise UsageError('the phrase is empty; say what to look for, for example "a red car"')
        self.index(progress=progress)
        question = read_question(phrase, self.media.info.span)
        recalled = self.memory.observations(self.media.hash)
        situation = Situation(
            question, self.media, self.memory.coverage(self.media.hash), Meter(Budget()), recalled=recalled
        )
        return ground(phrase, situation, limit=limit)

    def search(self, query: str, *, limit: int = 20) -> list[Hit]:
        """Search what is remembered of this video."""
        return self.memory.search(query, media=[self.media.hash], limit=limit)

    def observations(self, *senses: str) -> list[Observation]:
        """Return what the senses perceived (all of them when none is named), in time order."""
        return self.memory.observations(self.media.hash, senses=senses or None)

    def index_within(
        self, meter: Meter, progress: Progress | None = None, senses: Collection[str] | None = None
    ) -> None:
        """Index what is missing, on a meter's account: four fifths of its time at most, the rest is thought.

        `senses` narrows the choice by name.
        """
        started, limit_s = time.monotonic(), meter.budget.time_limit_s
        share_s = None if limit_s is None else 0.8 * limit_s
        chosen = [sense for sense in self.senses if senses is None or sense.name in senses]
        index(self.media, self.memory, chosen, progress=progress, time_limit_s=share_s)
        meter.index_s = time.monotonic() - started
