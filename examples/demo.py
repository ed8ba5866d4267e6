"""Index a film of known content, ask it five questions, and compare each answer with what is known.

    make demo
    make demo VIDEO=talk.mp4 QUESTION="Who is named on the slides?"

With a video of yours there is nothing to compare with: the answer is printed with its evidence. Everything is kept in
the folder `demo`: the film, the memory and the report.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import vidence
from film import make_film, spans
from vidence.cli.answer_text import show_answer
from vidence.cli.opening import tell_failures
from vidence.cli.progress import indexing
from vidence.errors import VidenceError
from vidence.exports.report import gather, render
from vidence.mcr.answer import Answer
from vidence.timeline import Span
from vidence.video import Video

FOLDER = Path("demo")
LEAST_IOU = 0.5  # an answer in time agrees when it shares at least half with the truth


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of a kind, the known truth in words, and how an answer is held against it."""

    kind: str
    question: str
    truth: str
    agrees: Callable[[Answer], bool]
    choices: tuple[str, ...] = ()


def says(*words: str) -> Callable[[Answer], bool]:
    """Agree when the answer's text holds all of these, as whole words."""
    return lambda answer: all(
        re.search(rf"\b{re.escape(word)}\b", answer.text, re.IGNORECASE) for word in words
    )


def lies_at(start: int, end: int) -> Callable[[Answer], bool]:
    """Agree when the answer's first span and the truth share at least half of what both cover."""
    return lambda answer: bool(answer.spans) and answer.spans[0].iou(Span.of(start, end)) >= LEAST_IOU


def picks(index: int) -> Callable[[Answer], bool]:
    """Agree when this option was chosen."""
    return lambda answer: answer.choice is not None and answer.choice.index == index


DEPARTURES = spans("DEPARTURES")[0]
INTERMISSIONS = len(spans("INTERMISSION"))

QUESTIONS = (
    Asked(
        "said",
        "What does the speaker say after it was the age of wisdom?",
        "the age of foolishness",
        says("foolishness"),
    ),
    Asked("written", "At what time does the train to Oslo leave?", "14:35", says("14:35")),
    Asked(
        "when", "When is the departures board shown?", "{} to {} s".format(*DEPARTURES), lies_at(*DEPARTURES)
    ),
    Asked(
        "how often", 'How many times is "INTERMISSION" shown?', str(INTERMISSIONS), says(str(INTERMISSIONS))
    ),
    Asked(
        "choice",
        "What do the people ride?",
        "bicycles",
        picks(1),
        ("horses", "bicycles", "skis", "boats"),
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; return 0 when it ran, whatever the answers are worth, and an error's code otherwise."""
    parser = argparse.ArgumentParser(description="Index a film, ask it, and write a report.")
    parser.add_argument("--video", help="your own video instead of the film of known content")
    parser.add_argument("--question", help="your own question")
    given = parser.parse_args(arguments)
    started = time.monotonic()
    try:
        video = vidence.open(given.video or _film(), memory=FOLDER / "memory.sqlite")
        _index(video)
        answers = _ask_own(video, given.question) if given.video or given.question else _ask_known(video)
        report = FOLDER / "report.html"
        report.write_text(render(gather(video.media, video.memory, answers)), encoding="utf-8")
    except VidenceError as error:
        print(f"demo: {error}", file=sys.stderr)
        return error.exit_code
    print(f"\nThe report with timeline and evidence: {report}  ({time.monotonic() - started:.0f} s in all)")
    return 0


def _film() -> Path:
    path = FOLDER / "film.mp4"
    FOLDER.mkdir(exist_ok=True)
    if not path.exists():
        print("Making a film of two minutes from clips and speech that come inside packages ...")
        make_film(path)
    return path


def _index(video: Video) -> None:
    FOLDER.mkdir(exist_ok=True)
    print("Looking and listening (the first time it fetches the weights, about 165 MB) ...")
    with indexing() as shown:
        report = video.index(progress=shown)
    tell_failures(report)
    length_s = float(video.media.info.duration)
    print(f"{report.new_observations} new observations of {length_s:.0f} s of video in {report.wall_s:.1f} s")


def _ask_own(video: Video, question: str | None) -> list[Answer]:
    if question is None:
        print("No question was given: the report shows what was perceived.")
        return []
    print(f"\n{question}")
    answer = video.ask(question)
    show_answer(answer, ())
    return [answer]


def _ask_known(video: Video) -> list[Answer]:
    answers, right = [], 0
    for asked in QUESTIONS:
        print(f"\n{'=' * 72}\n{asked.question}   ({asked.kind})")
        answer = video.ask(asked.question, choices=asked.choices)
        show_answer(answer, asked.choices)
        agrees = asked.agrees(answer)
        right += agrees and answer.status == "answered"
        print(f"known truth: {asked.truth}; {_judge(answer, agrees)}")
        answers.append(answer)
    print(f"\n{right} of {len(QUESTIONS)} answers agree with what is known.")
    return answers


def _judge(answer: Answer, agrees: bool) -> str:
    if answer.status != "answered":
        unsure = "a guess that agrees, but not enough to say so"
        return unsure if agrees and answer.text else "not found, and it says so"
    if agrees:
        return "the answer agrees"
    return "THE ANSWER IS WRONG" if answer.confident else "the guess is wrong, and it is called a guess"


if __name__ == "__main__":
    sys.exit(main())
