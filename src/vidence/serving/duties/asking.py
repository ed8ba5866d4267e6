"""Answer a question about a medium, telling each step as it is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vidence.mcr.budget import Budget
from vidence.mcr.context import Step
from vidence.memory import Memory
from vidence.senses import query_encoders
from vidence.serving.duties.opening import opened, policy_of, senses_of
from vidence.video import Video

if TYPE_CHECKING:
    from vidence.serving.worker import Task, Tell


def ask(task: Task, tell: Tell) -> dict[str, Any]:
    """Ask, and return the answer as `Answer.to_json` writes it."""

    def told(run: int | None, step: Step) -> None:
        tell({"run": run, "step": step.to_json()})

    policy = policy_of(task)
    with Memory.open(task["memory"], encoders=query_encoders()) as memory, opened(task) as media:
        video = Video(media, memory, senses_of(task))
        answer = video.ask(
            task["question"],
            choices=task["choices"],
            budget=Budget(**task["budget"]),
            question_language=task["question_language"],
            policy=policy,
            told=told,
        )
    return answer.to_json()
