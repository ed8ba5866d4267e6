"""Episodes: samples played to their outcome by a policy, judged by rules, and written down as trajectories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from vidence.models.internvideo3.protocol import offered
from vidence.training.chat import Chat, Message
from vidence.training.config import RolloutPart, SeeingPart
from vidence.training.environment import Asking, Environment, Looking
from vidence.training.rewards import Outcome, Rubric, Truth
from vidence.training.rollout import Engine, Said, Sampling
from vidence.training.sources import Sample
from vidence.training.trajectory import Piece, Trajectory, joined


@dataclass(frozen=True, slots=True)
class Episode:
    """One dialogue to its end: the tokens, what it came to, its reward and the parts of that."""

    trajectory: Trajectory
    outcome: Outcome
    parts: dict[str, float]
    said: str

    @property
    def reward(self) -> float:
        """Return the weighted sum of the parts."""
        return self.trajectory.reward


@dataclass(frozen=True, slots=True)
class Play:
    """How episodes are played."""

    chat: Chat
    rubric: Rubric
    rollout: RolloutPart
    seeing: SeeingPart

    def sampling(self, *, greedy: bool = False) -> Sampling:
        """Return how tokens are drawn: what stands for pictures never is."""
        processor = self.chat.processor
        banned = (processor.image_token_id, processor.video_token_id, processor.vision_start_token_id)
        return Sampling(
            0.0 if greedy else self.rollout.temperature,
            self.rollout.max_new_tokens,
            (self.chat.end,),
            banned,
        )

    def surroundings(self, sample: Sample) -> Environment:
        """Return what one dialogue about a sample acts in."""
        if self.looks(sample) and sample.medium is not None:
            return Looking(sample.medium, self.seeing)
        return Asking()

    def asked(self, sample: Sample) -> Sequence[Message]:
        """Return the messages that a dialogue opens with."""
        return offered(sample.question) if self.looks(sample) else sample.question

    def looks(self, sample: Sample) -> bool:
        """Tell whether the policy may look again."""
        return self.rollout.turns > 1 and sample.medium is not None

    def episodes(
        self, engine: Engine, samples: Sequence[Sample], *, group: int, seed: int, greedy: bool = False
    ) -> list[list[Episode]]:
        """Play each sample `group` times, all side by side; return the episodes by sample."""
        prompts = [self.chat.prompt(self.asked(sample)) for sample in samples]
        dialogues = engine.begin(prompts, group, seed)
        played = [
            _Played(self, sample, prompt, at)
            for at, (sample, prompt) in enumerate(zip(samples, prompts, strict=True))
            for _ in range(group)
        ]
        sampling = self.sampling(greedy=greedy)
        for turn in range(self.rollout.turns):
            said = dialogues.hear(sampling)
            told = [
                one.take(each, last=turn + 1 == self.rollout.turns) if each is not None else None
                for one, each in zip(played, said, strict=True)
            ]
            if all(each is None for each in told):
                break
            dialogues.tell(told)
        finished = [one.episode() for one in played]
        return [finished[start : start + group] for start in range(0, len(finished), group)]


class _Played:
    """One dialogue while it is played."""

    def __init__(self, play: Play, sample: Sample, prompt: list[Piece], group: int) -> None:
        self.play, self.sample, self.group = play, sample, group
        self.pieces, self.surroundings = list(prompt), play.surroundings(sample)
        self.outcome, self.text = Outcome("", ended=False), ""

    def take(self, said: Said, *, last: bool) -> list[Piece] | None:
        """Enter a turn; return what the dialogue reads next, None if it is over."""
        chat = self.play.chat
        self.pieces.append(Piece(said.ids, learned=True, logprobs=said.logprobs))
        self.text = chat.tokenizer.decode(said.ids, skip_special_tokens=True)
        reply = self.surroundings.reply(self.text, ended=said.ended, last=last)
        if reply.outcome is not None:
            self.outcome = reply.outcome
            return None
        told = [
            chat.closing(),
            *(piece for one in reply.messages for piece in chat.pieces(one)),
            chat.opening(),
        ]
        self.pieces += told
        return told

    def episode(self) -> Episode:
        """Judge what it came to."""
        reward, parts = self.play.rubric.judge(self.outcome, self.sample.truth or Truth(""))
        trajectory = joined(self.sample.name, self.pieces, group=self.group, reward=reward)
        return Episode(trajectory, self.outcome, parts, self.text)


def weighed(episodes: Sequence[Episode], advantages: Any) -> list[Trajectory]:
    """Return the trajectories of one prompt with their advantages."""
    return [
        replace(episode.trajectory, advantage=float(advantage))
        for episode, advantage in zip(episodes, advantages, strict=True)
    ]
