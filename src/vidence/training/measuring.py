"""What a run is measured by on held-out samples: likelihood of the right words, and answers given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vidence.training.chat import Chat
from vidence.training.config import SeeingPart
from vidence.training.episodes import Episode, Play
from vidence.training.learner import HEAD_TOKENS, Learner, Teacher
from vidence.training.packing import arranged, fitting, packed
from vidence.training.rewards import Rubric
from vidence.training.rollout import InProcess
from vidence.training.sources import Sample

if TYPE_CHECKING:
    from vidence.training.stages.stage import Run

AT_ONCE = 32  # samples answered side by side


def likelihood(
    run: Run, chat: Chat, samples: Sequence[Sample], tokens: int, teacher: Learner | None = None
) -> dict[str, float]:
    """Return the mean negative log-likelihood a learned token, and the divergence from a teacher."""
    if not samples:
        return {}
    learner, sums = run.whole(), [0.0, 0.0, 0.0]
    with torch.no_grad():
        ones = [fitting(chat.trajectory(sample.name, sample.messages), tokens) for sample in samples]
        for row in arranged(ones, tokens):
            pack = packed(row, learner.place, learner.merge).to(run.processes.device)
            scores = learner(pack, teacher=teacher and teacher.teach(pack))
            sums[0] -= float(scores.logprobs_N.sum())
            sums[1] += len(scores.logprobs_N)
            sums[2] += 0.0 if scores.divergence_N is None else float(scores.divergence_N.sum())
    loss, count, divergence = run.processes.total(*sums)
    found = {"held_out_loss": loss / count}
    return found if teacher is None else found | {"held_out_divergence": divergence / count}


def answers(
    run: Run, chat: Chat, samples: Sequence[Sample], seeing: SeeingPart, *, group: int = 0
) -> dict[str, float]:
    """Return the mean reward and its parts: of the likeliest answers, or of `group` sampled ones to each question."""
    play = Play(chat, Rubric(run.config.reinforce.rewards), run.config.rollout, seeing)
    engine, played = InProcess(run.whole()), list[Episode]()
    for start in range(0, len(samples), AT_ONCE):
        some = samples[start : start + AT_ONCE]
        groups = play.episodes(engine, some, group=max(group, 1), seed=start, greedy=not group)
        played += [episode for each in groups for episode in each]
    return averages(run, played)


def divergence(
    run: Run, teacher: Learner, chat: Chat, samples: Sequence[Sample], seeing: SeeingPart
) -> dict[str, float]:
    """Return the reverse divergence KL(policy | teacher) a token, over all words, on the policy's own samples."""
    learner, sums = run.whole(), [0.0, 0.0]
    play = Play(chat, Rubric(run.config.reinforce.rewards), run.config.rollout, seeing)
    for start in range(0, len(samples), AT_ONCE):
        for (episode,) in play.episodes(
            InProcess(learner), samples[start : start + AT_ONCE], group=1, seed=start
        ):
            pack = packed([episode.trajectory], learner.place, learner.merge).to(run.processes.device)
            found_N = reverse_divergence(
                learner.teach(pack), teacher.teach(pack), run.config.rollout.temperature
            )
            sums[0] += float(found_N.sum())
            sums[1] += len(found_N)
    total, count = run.processes.total(*sums)
    return {"held_out_reverse_divergence": total / count} if count else {}


@torch.no_grad()
def reverse_divergence(policy: Teacher, teacher: Teacher, temperature: float) -> Tensor:
    """Return KL(policy | teacher) of each learned token, over all words, in nats (N,)."""
    parts = []
    for own_ND, other_ND in zip(
        policy.hidden_ND.split(HEAD_TOKENS), teacher.hidden_ND.split(HEAD_TOKENS), strict=True
    ):
        own_NW = (policy.head(own_ND).float() / temperature).log_softmax(-1)
        parts.append((own_NW.exp() * (own_NW - teacher.head(other_ND).float().log_softmax(-1))).sum(-1))
    return torch.cat(parts)


def averages(run: Run, played: Sequence[Episode]) -> dict[str, float]:
    """Average rewards and their parts over all processes."""
    parts = run.config.reinforce.rewards
    sums = [sum(episode.reward for episode in played), float(len(played))]
    sums += [sum(episode.parts[name] for episode in played) for name in parts]
    reward, count, *rest = run.processes.total(*sums)
    if not count:
        return {}
    found = {"held_out_reward": reward / count}
    return found | {f"held_out_{name}": value / count for name, value in zip(parts, rest, strict=True)}
