"""The model that comes with the package answers what it was trained for, through the whole loop."""

import itertools
from pathlib import Path

import pytest

pytest.importorskip("torch")

from vidence.memory import Memory
from vidence.models.shipped import NANO, model_folder
from vidence.policies.internvideo3 import InternVideo3Policy
from vidence.video import open as open_video
from vidence.worlds import Setting, make_world

KINDS = ("attribute", "object", "action", "spatial", "state")
FIRST_SEED, WORLDS = 7_500_000, 8  # training does not come so far


def test_nano_answers_questions_about_videos_of_worlds_that_it_has_not_seen(tmp_path: Path) -> None:
    policy, right, cited = InternVideo3Policy.load(model_folder(NANO)), list[bool](), list[bool]()
    worlds = (make_world(seed, Setting(duration_s=6, level=0)) for seed in itertools.count(FIRST_SEED))
    asked = ((world, questions[0]) for world in worlds if (questions := world.questions(kinds=KINDS)))
    with Memory.open(tmp_path / "memory.sqlite") as memory:
        for world, question in itertools.islice(asked, WORLDS):
            path = tmp_path / f"{world.seed}.mp4"
            world.write(path)
            with open_video(path, memory=memory) as video:
                answer = video.ask(question.text, policy=policy)
            right.append(answer.text == question.answer)
            spans = [evidence.span for claim in answer.claims for evidence in claim.evidence]
            cited.append(any(span.overlaps(true) for span in spans for true in question.evidence))
    assert sum(right) >= 6, right
    assert sum(cited) >= 6, cited
