"""What the closed loop is worth: steps, the gate, looking again; and whether what was not seen is said to be unseen.

    python benchmarks/loop.py [--clips ../shared/videos] [--memory FILE] [--model nano] [--parts steps,gate,cut,...]

"steps" and "gate" ask the embedded policy about real clips (questions.json, see docs/benchmarks.md) with at most 1, 2,
4 and 8 steps, and with every check passed unopened. "cut" asks 20 questions of clips from which the seconds that hold
the answer were taken out: a confident wrong answer is one too many. "worlds" asks a model about written videos: all
frames in a single pass, and half of them with looks that may bring the other half; with and without the check. "cache"
counts the tokens that each step reads with the latent cache kept over the rollout, and without it.

Grounded: the share of claims of which half of the cited span lies within the annotated evidence, or holds half of it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

import vidence
from answers import score
from common import Bar, write_results
from vidence.mcr.answer import Answer
from vidence.mcr.budget import Budget
from vidence.mcr.evidence import Verdict
from vidence.media import open_media
from vidence.memory import Memory
from vidence.policies import RulesPolicy
from vidence.timeline import Span
from vidence.worlds import Setting, make_world

PARTS = ("steps", "gate", "cut", "worlds", "cache")
STEPS = (1, 2, 4, 8)
CUT = 20  # questions
FIRST_SEED = 7_000_000
KINDS = ("action", "attribute", "object", "order", "spatial", "state")


@dataclass(frozen=True, slots=True)
class Asked:
    """One question, its answer, and what is known of both."""

    answer: Answer
    right: bool | None
    evidence: tuple[Span, ...]
    chance: float | None
    seconds: float


class Unchecked:
    """A policy whose citations are all passed, unopened."""

    def __init__(self, policy: Any) -> None:
        self.policy, self.name, self.recalls = policy, policy.name, policy.recalls
        self.identity = f"unchecked {policy.identity}"

    def decide(self, situation: Any) -> Any:
        """Decide as the policy does."""
        return self.policy.decide(situation)

    def check(self, claim: str, evidence: Any, situation: Any, actions: Any) -> tuple[Verdict, str | None]:
        """Pass."""
        del claim, evidence, situation, actions
        return Verdict("supported", 1.0, "not opened again"), None


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=Path, default=Path("../shared/videos"))
    parser.add_argument("--model", default="nano", help="that is asked about worlds: a folder or a name")
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--seconds", type=int, default=6, help="of a world: what the model was trained on")
    parser.add_argument("--videos", type=int, default=60, help="worlds that are written and asked about")
    parser.add_argument("--memory", type=Path, help="keep what is perceived of the clips here")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work, made = (
            Path(folder),
            {"steps": steps, "gate": gate, "cut": cut, "worlds": worlds, "cache": cache},
        )
        for part in arguments.parts.split(","):
            rows, bars = made[part](arguments, work)
            write_results("loop", rows, bars, part="row")


def steps(arguments: argparse.Namespace, work: Path) -> tuple[list[dict[str, Any]], list[Bar]]:
    """Ask about the clips with more and more steps."""
    rows = [
        row(
            f"rules, clips, at most {most} steps",
            on_clips(arguments, work, RulesPolicy(), Budget(max_steps=most)),
        )
        for most in STEPS
    ]
    gain = rows[-1]["accuracy"] - rows[0]["accuracy"]
    return rows, [Bar("rules, clips: accuracy gained from 1 step to 8", gain, "", "reported")]


def gate(arguments: argparse.Namespace, work: Path) -> tuple[list[dict[str, Any]], list[Bar]]:
    """Ask about the clips with and without the check."""
    checked = row("rules, clips, with the gate", on_clips(arguments, work, RulesPolicy(), Budget()))
    passed = row(
        "rules, clips, without the gate", on_clips(arguments, work, Unchecked(RulesPolicy()), Budget())
    )
    fewer = passed["confident_wrong"] - checked["confident_wrong"]
    return [checked, passed], [
        Bar("rules, clips: confident wrong answers that the gate took", fewer, "", ">= 0")
    ]


def cut(arguments: argparse.Namespace, work: Path) -> tuple[list[dict[str, Any]], list[Bar]]:
    """Ask about clips that do not hold the answer any more."""
    found = list[Asked]()
    for clip in json.loads((arguments.clips / "questions.json").read_text())["videos"]:
        for question in clip["qa"]:
            spans = [Span.of(*each) for each in question["evidence"]]
            gone = sum(float(each.duration) for each in spans)
            short = gone > 0.6 * clip["duration_s"] or clip["duration_s"] - gone < 2
            if short or question["type"] == "grounding" or len(found) == CUT:
                continue
            path = without(arguments.clips / clip["file"], spans, work / f"{question['id']}.mp4")
            with vidence.open(path, memory=work / "cut.sqlite") as video:
                found.append(put(video, question, RulesPolicy(), Budget()))
            path.unlink()
            last = found[-1].answer
            print(
                question["id"],
                found[-1].right,
                last.confident,
                last.text,
                "/",
                question["answer"],
                flush=True,
            )
    told = row(f"rules, {len(found)} questions whose seconds were cut out", found)
    return [told], [Bar("cut out: confident wrong answers", told["confident_wrong"], "", "<= 1")]


def worlds(arguments: argparse.Namespace, work: Path) -> tuple[list[dict[str, Any]], list[Bar]]:
    """Ask a model about worlds: single pass against loop, checked and unchecked, and the embedded policy beside it."""
    written, rows = list(films(arguments.videos, arguments.seconds, work)), list[dict[str, Any]]()
    what = f"worlds of {arguments.seconds} s"
    model = loaded(arguments.model)
    single, looking = replace(model, max_looks=0), replace(model, max_looks=2)
    for name, policy, most in (
        ("single pass, unchecked", Unchecked(single), None),
        ("single pass", single, None),
        *((f"looking, at most {most} steps", looking, most) for most in STEPS),
        ("looking, unchecked", Unchecked(looking), None),
    ):
        found = on_worlds(written, policy, Budget(max_steps=most), work)
        rows.append(row(f"{Path(arguments.model).name}, {what}, {name}", found))
    rows.append(row(f"rules, {what}", on_worlds(written, RulesPolicy(), Budget(), work)))
    loop, once = rows[6], rows[0]  # both unchecked: the check opens frames besides
    gain = loop["accuracy"] - once["accuracy"]
    return rows, [
        Bar(f"{what}: accuracy of the loop less that of a single pass", gain, "", "reported"),
        Bar(f"{what}: frames of the loop for one of a single pass", loop["shown"] / once["shown"], "", "<= 1"),
        Bar(f"{what}: accuracy of the loop above chance", loop["accuracy"] - loop["chance"], "", "> 0.1"),
    ]  # fmt: skip


def cache(arguments: argparse.Namespace, work: Path) -> tuple[list[dict[str, Any]], list[Bar]]:
    """Count what each step of a rollout reads with its cache kept, and what it would read without."""
    policy, kept, anew = loaded(arguments.model), list[int](), list[int]()
    for path, asked in films(12, arguments.seconds, work):
        with vidence.open(path, memory=work / "cache.sqlite") as video:
            video.ask(asked[0].text, choices=asked[0].options, policy=policy)
        kept += policy.rollout.talk.prefilled
        anew += policy.rollout.talk.contexts
    ratio = statistics.mean(kept) / statistics.mean(anew)
    rows = [
        {
            "row": f"{Path(arguments.model).name}, tokens read at a step, {how}",
            "mean": statistics.mean(read),
            "steps": len(read),
        }
        for how, read in (("cache kept", kept), ("without it", anew))
    ]
    return rows, [Bar("tokens read at a step, with the cache to without", ratio, "", "< 1")]


def on_clips(arguments: argparse.Namespace, work: Path, policy: Any, budget: Budget) -> list[Asked]:
    """Ask all questions about the real clips."""
    found, memory = list[Asked](), arguments.memory or work / "clips.sqlite"
    for clip in json.loads((arguments.clips / "questions.json").read_text())["videos"]:
        with vidence.open(arguments.clips / clip["file"], memory=memory) as video:
            video.index()
            found += [put(video, question, policy, budget) for question in clip["qa"]]
    return found


def put(video: Any, question: dict[str, Any], policy: Any, budget: Budget) -> Asked:
    """Put one question of a manifest."""
    options, start = tuple(question.get("options") or ()), time.monotonic()
    answer = video.ask(question["question"], choices=options, policy=policy, budget=budget)
    right, iou = score(answer, question, options)
    evidence = tuple(Span.of(*each) for each in question["evidence"])
    chance = 1 / len(options) if options else None
    seconds = time.monotonic() - start
    return Asked(answer, right if iou is None else iou >= 0.5, evidence, chance, seconds)


def films(count: int, seconds: int, work: Path) -> Iterator[tuple[Path, list[Any]]]:
    """Write worlds as videos, each with up to two questions that have options."""
    for number in range(count):
        world, path = (
            make_world(FIRST_SEED + number, Setting(duration_s=seconds, level=0)),
            work / f"{number}.mp4",
        )
        asked = [one for one in world.questions(kinds=KINDS) if one.options][:2]
        if asked:
            if not path.is_file():
                world.write(path)
            yield path, asked


def on_worlds(
    written: Sequence[tuple[Path, list[Any]]], policy: Any, budget: Budget, work: Path
) -> list[Asked]:
    """Ask the questions about worlds."""
    found = list[Asked]()
    with Memory.open(work / f"worlds-{policy.name}.sqlite") as memory:
        for path, asked in written:
            with vidence.open(path, memory=memory) as video:
                for question in asked:
                    start = time.monotonic()
                    answer = video.ask(question.text, choices=question.options, policy=policy, budget=budget)
                    right = answer.choice is not None and answer.choice.index == question.correct
                    seconds, chance = time.monotonic() - start, 1 / len(question.options)
                    found.append(Asked(answer, right, question.evidence, chance, seconds))
    return found


def row(name: str, found: Sequence[Asked]) -> dict[str, Any]:
    """Sum up what came of questions."""
    right = [one.right for one in found if one.right is not None]
    confident = [one for one in found if one.answer.confident]
    claims = [
        grounded([each.span for each in claim.evidence], one.evidence)
        for one in found
        for claim in one.answer.claims
    ]
    receipts = [one.answer.receipt for one in found]
    chances = [one.chance for one in found if one.chance is not None]
    told = {
        "row": name,
        "questions": len(found),
        "accuracy": statistics.mean(right),
        "chance": statistics.mean(chances) if chances else None,
        "confident": len(confident),
        "confident_wrong": sum(one.right is False for one in confident),
        "grounded": statistics.mean(claims) if claims else None,
        "supported": statistics.mean(
            [claim.verdict.kind == "supported" for one in found for claim in one.answer.claims] or [0]
        ),
        "shown": statistics.mean(receipt.frames for receipt in receipts),
        "tokens": statistics.mean(receipt.tokens for receipt in receipts),
        "steps": statistics.mean(receipt.steps for receipt in receipts),
        "seconds": statistics.median(one.seconds for one in found),
    }
    print(json.dumps(told), flush=True)
    return told


def grounded(cited: Sequence[Span], true: Sequence[Span]) -> bool:
    """Tell whether one of the cited spans lies by half in a true one, or holds half of it."""
    shared = [(one, each, one.intersection(each)) for one in cited for each in true]
    return any(both and 2 * both.duration >= min(one.duration, each.duration) for one, each, both in shared)


def without(path: Path, gone: Sequence[Span], out: Path) -> Path:
    """Write a video again, silent, without some of its seconds."""
    with open_media(path) as media, av.open(str(out), "w") as film:
        stream, rate = None, Fraction(media.info.video.fps or 25).limit_denominator(1000)
        for frame in media.frames(media.info.span):
            if any(span.start <= frame.time - media.info.span.start < span.end for span in gone):
                continue
            if stream is None:
                stream = film.add_stream("libx264", rate=rate, options={"crf": "20", "preset": "veryfast"})
                height, width = (side // 2 * 2 for side in frame.image.shape[:2])
                stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            picture = frame.image[: stream.height, : stream.width]
            film.mux(stream.encode(av.VideoFrame.from_ndarray(picture.copy(), "rgb24")))
        assert stream is not None
        film.mux(stream.encode(None))
    return out


def loaded(model: str) -> Any:
    """Open our own model as a policy."""
    from vidence.policies import open_policy

    return open_policy("internvideo3", model)


if __name__ == "__main__":
    main()
