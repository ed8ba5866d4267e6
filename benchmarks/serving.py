"""Many questions at once: tokens a second and the wait for the first, side by side against one at a time.

    python benchmarks/serving.py [--model DIR] [--questions 1,4,16] [--frames 64] [--tokens 64]

Questions are about one video, or each about its own. Three ways: a conversation each, one after the other, as if
nothing were shared; the engine with one question at a time, which reads what questions share once; and the engine with
all of them side by side. All questions come at once: the wait for the first token holds the wait for those before.
Without --model, a small model with random weights: what it says is nonsense of the length asked for, and what it costs
is real. Greedy answers of all ways must be the same. On a CPU one thread computes, and seconds are those of the
processor, whatever else the machine does.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from common import Bar, write_results
from vidence.models.internvideo3.config import InternVideo3Config
from vidence.models.internvideo3.conversation import Conversation
from vidence.models.internvideo3.modeling import InternVideo3ForConditionalGeneration
from vidence.models.internvideo3.opening import open_model
from vidence.models.internvideo3.processing import InternVideo3Processor
from vidence.models.internvideo3.video import Clip
from vidence.serving.engine import Answering, Engine, Limits, Sampling
from vidence.training.fresh import tokenizer
from vidence.worlds import Setting, make_world

ONE, EACH = "one video", "a video each"
CONVERSATIONS, SINGLE, BESIDE = "a conversation each", "engine, one at a time", "engine, side by side"
SIZE_PX = (96, 128)
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
MARKS = ("image_token_id", "video_token_id", "vision_start_token_id", "vision_end_token_id")


now_s = time.process_time if DEVICE == "cpu" else time.perf_counter


@dataclass(frozen=True, slots=True)
class Run:
    """One way on one set of questions: seconds in all and to each first token, the answers, tokens not read."""

    seconds: float
    firsts_s: list[float]
    texts: list[str]
    said: int
    prompt: int
    cached: int
    frames: int


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path)
    parser.add_argument("--questions", default="1,4,16")
    parser.add_argument("--frames", type=int, default=64)
    parser.add_argument("--tokens", type=int, default=64)
    given = parser.parse_args()
    if DEVICE == "cpu":
        torch.set_num_threads(1)
    model, processor = open_model(given.model, device=DEVICE) if given.model else small()
    rows, same, runs = list[dict[str, Any]](), list[bool](), dict[tuple[str, int, str], Run]()
    measured(model, processor, BESIDE, questions(ONE, 1, 8), 4)  # whatever is slow once
    for shown in (ONE, EACH):
        for count in map(int, given.questions.split(",")):
            asked = questions(shown, count, given.frames)
            for way in (CONVERSATIONS, SINGLE, BESIDE):
                run = runs[shown, count, way] = measured(model, processor, way, asked, given.tokens)
                same.append(run.texts == runs[shown, count, CONVERSATIONS].texts)
                rows.append(row(shown, count, way, run))
                print(rows[-1], flush=True)
    most = max(count for _, count, _ in runs)
    bars = [
        Bar("runs whose greedy answers are those of conversations", statistics.mean(same), "share", "== 1")
    ]
    for shown in (ONE, EACH):
        for way in (CONVERSATIONS, SINGLE):
            ratio = runs[shown, most, way].seconds / runs[shown, most, BESIDE].seconds
            bars.append(Bar(f"{shown}, {most} questions: side by side against {way}", ratio, "times", "> 1"))
    write_results("serving", rows, bars)


def small() -> tuple[Any, InternVideo3Processor]:
    """Make a model with random weights: 8 layers of 256, rows of 64 + 16."""
    worlds = (make_world(seed, Setting(duration_s=4, level=0, size=(32, 32))) for seed in range(100))
    texts = [text for world in worlds for one in world.questions() for text in (one.text, one.answer)]
    processor = InternVideo3Processor(tokenizer(texts, 512))
    text = {
        "vocab_size": 512, "hidden_size": 256, "intermediate_size": 768, "num_hidden_layers": 8,
        "num_attention_heads": 8, "num_key_value_heads": 2, "head_dim": 32, "attention_layout": "exact",
        "kv_lora_rank": 64, "qk_rope_head_dim": 16, "qk_nope_head_dim": 32, "v_head_dim": 32,
        "rope_parameters": {
            "rope_type": "default", "rope_theta": 5e6, "mrope_section": [6, 5, 5], "mrope_interleaved": True,
        },
    }  # fmt: skip
    vision = {
        "depth": 3, "hidden_size": 96, "intermediate_size": 288, "num_heads": 3, "out_hidden_size": 256,
        "deepstack_visual_indexes": [1, 2], "num_position_embeddings": 256,
    }  # fmt: skip
    torch.manual_seed(0)
    marks = {name: getattr(processor, name) for name in MARKS}
    model = InternVideo3ForConditionalGeneration(
        InternVideo3Config(text_config=text, vision_config=vision, **marks)
    ).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "language_model" in name and weight.ndim == 2:
                weight.normal_(0, weight.shape[1] ** -0.5)
        model.lm_head.weight.normal_(0, 1)
        model.lm_head.weight[processor.tokenizer.eos_token_id] = 0  # so that answers are long
    return model.to(DEVICE), processor


def questions(shown: str, count: int, frames: int) -> list[dict[str, Any]]:
    """Write questions about one video or about one each."""
    clips = [film(0 if shown == ONE else number, frames) for number in range(1 if shown == ONE else count)]
    return [
        {
            "key": f"{shown} {number}",
            "role": "user",
            "content": [
                {"type": "video", "video": clips[number % len(clips)]},
                {"type": "text", "text": f"Question {number}: what moves, and where to?"},
            ],
        }
        for number in range(count)
    ]


def film(seed: int, frames: int) -> Clip:
    """Make pictures that all differ."""
    draw = np.random.default_rng(seed)
    return Clip.at_rate(draw.integers(0, 256, (frames, *SIZE_PX, 3), dtype=np.uint8), 2)


def measured(model: Any, processor: Any, way: str, asked: Sequence[dict[str, Any]], tokens: int) -> Run:
    """Ask all questions at once, in one way."""
    if way == CONVERSATIONS:
        return conversed(model, processor, asked, tokens)
    limits = Limits(running=1 if way == SINGLE else len(asked), waiting=len(asked))
    engine = Engine("measured", model, processor, limits)
    with first_tokens() as firsts:
        start_s = now_s()
        under_way = [engine.ask([one], Sampling(tokens)) for one in asked]
        replies = [one.result() for one in under_way]
        seconds = now_s() - start_s
    counts = engine.counts()
    engine.close()
    return Run(
        seconds,
        [firsts[id(one)] - start_s for one in under_way],
        [one.text for one in replies],
        sum(one.completion for one in replies),
        sum(one.prompt for one in replies),
        sum(one.cached for one in replies),
        counts.frames,
    )


def conversed(model: Any, processor: Any, asked: Sequence[dict[str, Any]], tokens: int) -> Run:
    """Have a conversation of its own about each."""
    texts, firsts, said, prompt, frames = list[str](), list[float](), 0, 0, 0
    start_s = now_s()
    for one in asked:
        talk, clock = Conversation(model, processor), Clock()
        message = {name: one[name] for name in ("role", "content")}
        texts.append(talk.reply([message], max_new_tokens=tokens, do_sample=False, constraint=clock))
        firsts.append(clock.first_s - start_s)
        said += talk.ids_BT.shape[1] - talk.contexts[-1]
        prompt += talk.contexts[-1]
        frames += math.ceil(len(one["content"][0]["video"].times) / 2)
    return Run(now_s() - start_s, firsts, texts, said, prompt, 0, frames)


class Clock:
    """A constraint that forbids nothing, and notes when the first token is drawn."""

    first_s = 0.0

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        self.first_s = self.first_s or now_s()
        return scores


@contextmanager
def first_tokens() -> Iterator[dict[int, float]]:
    """Note when each answer's first token is heard."""
    found, hear = dict[int, float](), Answering.hear

    def noting(self: Answering, event: Any) -> None:
        found.setdefault(id(self), now_s())
        hear(self, event)

    Answering.hear = noting  # type: ignore[method-assign]
    try:
        yield found
    finally:
        Answering.hear = hear  # type: ignore[method-assign]


def row(shown: str, count: int, way: str, run: Run) -> dict[str, Any]:
    """Write a line of the table."""
    return {
        "videos": shown,
        "questions": count,
        "way": way,
        "device": DEVICE,
        "seconds": round(run.seconds, 3),
        "tokens_s": round(run.said / run.seconds, 1),
        "first_median_s": round(statistics.median(run.firsts_s), 3),
        "first_last_s": round(max(run.firsts_s), 3),
        "prompt_tokens": run.prompt,
        "share_cached": round(run.cached / run.prompt, 3),
        "frames_seen": run.frames,
    }


if __name__ == "__main__":
    main()
