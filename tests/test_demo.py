"""The demo film holds what it is said to hold, to the frame, and the demo judges answers as it should."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from vidence.mcr.answer import Answer, Choice, Status
from vidence.mcr.budget import Receipt
from vidence.memory import Coverage
from vidence.timeline import Span

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

import demo

import film


def answer(
    text: str = "", *, status: Status = "answered", choice: int | None = None, span: Span | None = None
) -> Answer:
    return Answer(
        question="?",
        text=text,
        status=status,
        confidence=0.9,
        claims=(),
        receipt=Receipt(0, 0, 0, 0, 0, 0, 0, {}),
        coverage=Coverage("sha256:0", Span.of(0, 118)),
        choice=None if choice is None else Choice(choice, "an option"),
        spans=(span,) if span else (),
    )


def test_the_truth_is_derived_from_the_film_itself() -> None:
    assert film.spans("INTERMISSION") == [(26, 31), (52, 57), (91, 96)]
    assert film.spans("DEPARTURES") == [(73, 81)]
    assert film.spans("demo-rabbit") == [(31, 52), (96, 112)]
    assert sum(part.seconds for part in film.PARTS) == 118


def test_the_five_questions_are_of_five_kinds() -> None:
    assert len({asked.kind for asked in demo.QUESTIONS}) == len(demo.QUESTIONS) == 5


def test_an_answer_agrees_only_when_it_says_what_is_known() -> None:
    said, written, when, often, choice = (asked.agrees for asked in demo.QUESTIONS)
    assert said(answer("It was the age of foolishness."))
    assert not said(answer("It was the best of times."))
    assert written(answer("14:35"))
    assert not written(answer("Platform 9"))
    assert when(answer(span=Span.of(73, 81)))
    assert not when(answer(span=Span.of(0, 118)))
    assert not when(answer("73 to 81 s"))
    assert often(answer("3"))
    assert not often(answer("13"))
    assert choice(answer(choice=1))
    assert not choice(answer(choice=2))
    assert not choice(answer("bicycles"))


@pytest.mark.slow
def test_the_film_shows_and_says_everything_where_it_should(tmp_path: Path) -> None:
    from vidence.media import open_media

    with open_media(film.make_film(tmp_path / "film.mp4")) as media:
        assert media.info.duration == 118
        for start, end in film.spans("INTERMISSION"):
            before, first, last, after = (
                frame.image.astype(int)
                for frame in media.frames_at(
                    [Fraction(start * 25 - 1, 25), Fraction(start), Fraction(end * 25 - 1, 25), Fraction(end)]
                )
            )
            assert np.abs(first - last).mean() < 2
            assert np.abs(before - first).mean() > 20
            assert np.abs(after - last).mean() > 20
        _, silence = media.audio(Span.of(60, 80))
        _, speech = media.audio(Span.of(10, 30))
        assert np.abs(silence).max() < 0.01 < np.abs(speech).max()


@pytest.mark.slow
def test_the_demo_takes_a_video_and_a_question_of_ones_own(
    make_video: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make_video("own.mp4", frames=50, size=(320, 240))  # type: ignore[operator]
    monkeypatch.chdir(tmp_path)
    assert demo.main(["--video", str(path), "--question", "What is written at the end?"]) == 0
    assert "cost:" in capsys.readouterr().out
    assert "own.mp4" in (tmp_path / "demo/report.html").read_text(encoding="utf-8")
    assert demo.main(["--video", str(tmp_path / "none.mp4")]) == 3
