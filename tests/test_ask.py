"""Ask a film whose every second is known: a ball crosses, a title stands, a line is spoken; answers cite and check."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from conftest import write_video
from vidence.errors import UsageError
from vidence.mcr.actions import ACTIONS, schema
from vidence.mcr.answer import Answer
from vidence.mcr.budget import Budget
from vidence.senses import default_senses
from vidence.timeline import Span
from vidence.video import Video
from vidence.video import open as open_video

FPS = 10
SIZE = (480, 270)
TITLE = Span.of(6, 9)


def _picture(number: int) -> np.ndarray:
    """Paint second 0 to 6: a yellow ball from left to right over grey; 6 to 9: a title; then an empty picture."""
    at_s = number / FPS
    rng = np.random.default_rng(7)
    picture = np.full((SIZE[1], SIZE[0], 3), 110, np.uint8) + rng.integers(
        0, 12, (SIZE[1], SIZE[0], 1), np.uint8
    )
    if 1 <= at_s < 5:
        cv2.circle(picture, (int(20 + 440 * (at_s - 1) / 4), 150), 24, (240, 210, 20), -1)
    if at_s in TITLE:
        picture = np.full_like(picture, 15)
        cv2.putText(
            picture,
            "NORTHERN LIGHTS",
            (40, 150),
            cv2.FONT_HERSHEY_DUPLEX,
            1.3,
            (245, 245, 245),
            2,
            cv2.LINE_AA,
        )
    return picture


CUES = ((1.0, 3.0, "The harbour opens at nine."), (9.5, 11.5, "Nobody has seen the lighthouse keeper."))


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Video:
    folder = tmp_path_factory.mktemp("ask")
    path: Path = write_video(
        folder / "film.mp4", size=SIZE, fps=FPS, frames=12 * FPS, paint=_picture, cues=CUES
    )
    opened = open_video(path, memory=folder / "memory.sqlite")
    opened.__dict__["senses"] = default_senses(["shots", "speech", "text", "motion", "colour"])
    return opened


def _supported(answer: Answer) -> bool:
    return any(claim.verdict.kind == "supported" for claim in answer.claims)


def test_written_answer_is_cited_where_it_stands_and_checked(video: Video) -> None:
    answer = video.ask("What is the title?")
    assert answer.text == "NORTHERN LIGHTS"
    assert answer.spans[0].iou(TITLE) > 0.7
    assert _supported(answer)
    assert answer.claims[0].evidence[0].frame_hash


def test_spoken_answer_quotes_what_is_said(video: Video) -> None:
    answer = video.ask("What does the speaker say about the harbour?")
    assert "opens at nine" in answer.text
    assert answer.spans[0].overlaps(Span.of(1, 3))


def test_direction_of_movement_among_choices(video: Video) -> None:
    answer = video.ask(
        "In which direction does the ball move?", choices=["From right to left", "From left to right"]
    )
    assert answer.choice is not None
    assert answer.choice.text == "From left to right"
    assert _supported(answer)


def test_colour_among_choices(video: Video) -> None:
    answer = video.ask("What colour is the ball?", choices=["Red", "Green", "Blue", "Yellow"])
    assert answer.choice is not None
    assert answer.choice.letter == "D"


def test_when_returns_the_span(video: Video) -> None:
    assert video.ask('When can "Northern Lights" be read?').spans[0].iou(TITLE) > 0.7
    assert video.ground("Northern Lights")[0].span.iou(TITLE) > 0.7


def test_what_is_not_there_is_not_answered(video: Video) -> None:
    answer = video.ask("What does the speaker say about quantum computers in hospitals?")
    assert not answer.confident
    assert answer.status == "insufficient evidence"
    assert answer.lacking


def test_a_spent_budget_is_said(video: Video) -> None:
    answer = video.ask("What is the title?", budget=Budget(max_frames=0))
    assert answer.status == "budget exhausted"
    assert "frame limit" in answer.lacking
    assert all(claim.verdict.kind == "unseen" for claim in answer.claims)


def test_receipt_counts_the_frames_opened(video: Video) -> None:
    answer = video.ask("What is the title?")
    assert 0 < answer.receipt.frames < 60
    assert answer.receipt.actions["verify"] >= 1
    assert answer.receipt.wall_s > 0


def test_trace_tells_reasoning_action_and_feedback(video: Video) -> None:
    video.ask("What is the title?")
    situation = video.last_situation
    assert situation is not None
    kinds = [step.kind for step in situation.context.steps]
    assert kinds[0] == "instruction"
    assert {"reasoning", "belief", "action", "feedback"} <= set(kinds)


@pytest.mark.parametrize(("question", "choices"), [("  ", ()), ("What?", ("one",)), ("What?", ("one", " "))])
def test_senseless_questions_are_usage_errors(video: Video, question: str, choices: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        video.ask(question, choices=choices)


def test_every_action_has_a_schema_from_its_signature() -> None:
    for name in ACTIONS:
        described = schema(name)
        assert described["description"].endswith((".", ":"))
        assert set(described["parameters"]["required"]) <= set(described["parameters"]["properties"])
    assert schema("look")["parameters"]["required"] == ["start", "end"]
    assert schema("look")["parameters"]["properties"]["region"]["items"] == {"type": "number"}


def test_look_sees_more_where_it_is_told_to(video: Video) -> None:
    from vidence.mcr.actions import Actions
    from vidence.mcr.budget import Meter
    from vidence.mcr.question import read_question
    from vidence.mcr.situation import Situation

    video.index()
    question = read_question("What is written?", video.media.info.span)
    situation = Situation(question, video.media, video.memory.coverage(video.media.hash), Meter(Budget()))
    actions = Actions(situation, video.memory, video.senses)
    seen = actions.run("look", {"start": "00:06.5", "end": 8, "senses": ["text"], "region": [0, 0.3, 1, 0.5]})
    assert any("NORTHERN" in o.text for o in seen.observations)
    box = seen.observations[0].track[0][1]
    assert 0.3 < box.centre[1] < 0.7
    assert situation.looked_at["text"] == [Span(Fraction(13, 2), Fraction(8))]
    assert "no action" in actions.run("fly", {}).text
    assert "wrong arguments" in actions.run("look", {"start": 0}).text
    assert "could not be done" in actions.run("look", {"start": 5, "end": 2}).text


def test_time_limit_stops_indexing_and_the_rest_stays_unseen(video: Video, tmp_path: Path) -> None:
    fresh = open_video(video.media.path, memory=tmp_path / "memory.sqlite")
    answer = fresh.ask("What is the title?", budget=Budget(time_limit_s=0))
    assert answer.status == "budget exhausted"
    assert not answer.claims
    assert fresh.memory.coverage(fresh.media.hash).seen(fresh.media.info.span, "text") == 0


def test_a_video_closes_the_memory_it_opened_and_no_other(tmp_path: Path) -> None:
    from vidence.errors import StoreError
    from vidence.memory import Memory

    film = write_video(tmp_path / "film.mp4", size=(64, 48), fps=5, frames=5)
    with open_video(film, memory=tmp_path / "own.sqlite") as own:
        assert own.observations() == []
    with pytest.raises(StoreError):
        own.observations()
    with Memory.open(tmp_path / "shared.sqlite") as shared:
        with open_video(film, memory=shared):
            pass
        assert shared.media() == []
