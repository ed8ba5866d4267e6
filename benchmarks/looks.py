"""What the sense of looks is worth: right clip by description, right time by phrase, and whether chances hold.

    python benchmarks/looks.py [--clips ../shared/videos] [--fit]

The folder holds the clips and a questions.json with a description each; the truth by eye is in looks_truth.py. With
--fit the constants of senses/looks/calibration.py are fitted anew and printed, each clip held out in turn.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.stats import rankdata

from common import Bar, write_results
from looks_truth import ALWAYS, OPEN, PHRASES, PRESENT, Times
from vidence.media import open_media
from vidence.senses.language import embed
from vidence.senses.looks import Looks, matches, names_in
from vidence.senses.looks.calibration import logit
from vidence.senses.looks.classes import kinds
from vidence.senses.looks.classifier import classify
from vidence.senses.looks.conse import picture_vector, standing
from vidence.senses.looks.match import known_chance
from vidence.senses.observation import Observation

LANGUAGES = ("English", "Spanish", "German")
BINS = (0.0, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0)
EDGE_S = 0.6  # nearer to a border of the truth than this counts neither way


@dataclass(slots=True)
class Clip:
    """One clip as the sense saw it. `mass_NK`: probability mass of every kind, for fitting."""

    name: str
    description: str
    observations: list[Observation]
    mass_NK: np.ndarray
    cpu_s: float
    frames: int

    @property
    def times(self) -> np.ndarray:
        return np.array([float(o.span.start) for o in self.observations])

    @property
    def vectors(self) -> np.ndarray:
        return np.stack([o.vector for o in self.observations if o.vector is not None])


def watch(path: Path, description: str) -> Clip:
    """Run the sense on a clip, as indexing does."""
    sense = Looks()
    with open_media(path) as media:
        watcher, mass, frames, cpu = sense.watch(media, media.info.span), [], 0, 0.0
        for frame in media.frames(rate_hz=sense.sampling.rate_hz, max_side=sense.sampling.max_side):
            before, start = len(watcher.found), time.process_time()
            watcher.see(frame)
            cpu += time.process_time() - start
            frames += 1
            if len(watcher.found) > before:
                mass.append((classify(frame.image) @ kinds().members_CK).max(axis=0))
        return Clip(path.stem, description, watcher.finish(), np.array(mass), cpu, frames)


def within(times: np.ndarray, spans: Times, edge_s: float = 0.0) -> np.ndarray:
    """Say for each time whether it lies in one of the spans, widened by `edge_s`."""
    return np.any([(times >= a - edge_s) & (times < b + edge_s) for a, b in spans], axis=0)


def area(positive: np.ndarray, negative: np.ndarray) -> float:
    """Area under the curve: how often a right moment scores above a wrong one; chance 0.5."""
    ranks = rankdata(np.concatenate([positive, negative]))[: len(positive)]
    return float((ranks.sum() - len(positive) * (len(positive) + 1) / 2) / (len(positive) * len(negative)))


def by_description(clips: list[Clip]) -> tuple[float, float]:
    """Find each clip by its description: share found first, and mean reciprocal rank."""
    score = np.array([[np.sort(s)[-3:].mean() for s in _scores(clip.description, clips)] for clip in clips])
    score -= score.mean(axis=0, keepdims=True)
    rank = np.array([int((row > row[i]).sum()) + 1 for i, row in enumerate(score)])
    return float((rank == 1).mean()), float((1 / rank).mean())


def _scores(phrase: str, clips: Iterable[Clip]) -> list[np.ndarray]:
    vector = embed([phrase])
    return [standing(vector, clip.vectors)[0] for clip in clips]


def _chances(phrase: str, clips: Iterable[Clip]) -> list[np.ndarray]:
    found = []
    for clip in clips:
        by_id = {id(m.observation): m.p for m in matches(phrase, clip.observations)}
        found.append(np.array([by_id[id(o)] for o in clip.observations]))
    return found


def by_phrase(
    clips: list[Clip], language: int, scorer: Callable[..., list[np.ndarray]]
) -> list[tuple[float, float]]:
    """Find the moments of each phrase: area under the curve against other clips, and within its own clip."""
    areas = []
    for name, spans, phrases in PHRASES:
        scores = dict(zip([c.name for c in clips], scorer(phrases[language], clips), strict=True))
        own = next(clip for clip in clips if clip.name == name)
        inside = within(own.times, spans)
        others = np.concatenate([scores[c.name] for c in clips if c.name != name])
        rest = scores[name][~within(own.times, spans, EDGE_S)]
        inner = area(scores[name][inside], rest) if len(rest) > 1 else float("nan")
        areas.append((area(scores[name][inside], others), inner))
    return areas


def labels(clip: Clip) -> np.ndarray:
    """Give the truth for every kind and moment: 1 present, 0 absent, NaN open; shape (N, K)."""
    names, truth = kinds().names, np.zeros((len(clip.observations), len(kinds().names)))
    for kind in OPEN[clip.name].split(", "):
        if kind in names:
            truth[:, names.index(kind)] = np.nan
    for listed, spans in PRESENT[clip.name]:
        for kind in (k for k in listed.split(", ") if k in names):
            column = truth[:, names.index(kind)]
            column[within(clip.times, spans, EDGE_S) & (column == 0)] = np.nan
            column[within(clip.times, spans)] = 1
    return truth


def fit(features: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Fit a logistic model (constant first) by maximum likelihood."""
    x = np.column_stack([np.ones(len(truth)), features])

    def loss(b: np.ndarray) -> float:
        return float((np.logaddexp(0, x @ b) - truth * (x @ b)).mean())

    return minimize(loss, np.zeros(x.shape[1])).x


def held_out(features: np.ndarray, truth: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Give each sample the chance from a model that never saw its group."""
    chance = np.zeros(len(truth))
    for group in np.unique(groups):
        out = groups == group
        b = fit(features[~out], truth[~out])
        chance[out] = 1 / (1 + np.exp(-(b[0] + features[out] @ b[1:])))
    return chance


def reliability(chance: np.ndarray, truth: np.ndarray) -> list[dict[str, float]]:
    """Compare what was promised with what was there, by bins."""
    rows = []
    for low, high in pairwise(BINS):
        inside = (chance >= low) & ((chance < high) | (high == 1.0))
        if inside.any():
            rows.append({"from": low, "to": high, "n": int(inside.sum()), "promised": float(chance[inside].mean()),
                         "true": float(truth[inside].mean())})  # fmt: skip
    return rows


def kind_samples(clips: list[Clip]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gather features (logit mass, logit share), truth and clip for all kinds and moments that are not open."""
    truth = np.concatenate([labels(clip) for clip in clips])
    mass = np.concatenate([clip.mass_NK for clip in clips])
    group = np.concatenate([np.full(len(clip.observations), i) for i, clip in enumerate(clips)])
    known = ~np.isnan(truth)
    share = np.broadcast_to(logit(kinds().share_K), truth.shape)
    features = np.column_stack([logit(mass)[known], share[known]])
    return features, truth[known], np.broadcast_to(group[:, None], truth.shape)[known]


def phrase_samples(clips: list[Clip], named: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gather features (standing; with `named` also logit chance of what is named), truth and phrase."""
    rows, truth, group = [], [], []
    for index, (name, spans, phrases) in enumerate(PHRASES):
        for phrase in phrases:
            known = names_in(phrase)
            if named and not known:
                continue
            for clip, scores in zip(clips, _scores(phrase, clips), strict=True):
                right = within(clip.times, spans) if clip.name == name else np.zeros(len(clip.times), bool)
                unsure = (clip.name == name) & ~right if spans is not ALWAYS else np.zeros(len(right), bool)
                extra = [
                    [max(known_chance(one, o) for one in known)] if named else [] for o in clip.observations
                ]
                for keep, score, more, is_right in zip(~unsure, scores, extra, right, strict=True):
                    if keep:
                        rows.append([score, *(float(logit(np.array(m))) for m in more)])
                        truth.append(float(is_right))
                        group.append(index)
    return np.array(rows), np.array(truth), np.array(group)


def main() -> None:
    """Run, print the tables, and with --fit the constants."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=Path, default=Path("../shared/videos"))
    parser.add_argument("--fit", action="store_true")
    arguments = parser.parse_args()
    picture_vector(np.full((1, 1000), 1e-3, np.float32))  # loads the words, so that looking alone is timed
    classify(np.zeros((224, 224, 3), np.uint8))
    questions = json.loads((arguments.clips / "questions.json").read_text())
    clips = [watch(arguments.clips / v["file"], v["description"]) for v in questions["videos"]]
    if arguments.fit:
        _print_fit(clips)
        return
    result = _measure(clips)
    bars = [
        Bar(
            "right clip first, by description",
            result["by_description"]["first"],
            "share",
            f"> {1 / len(clips):.4f}",
        ),
        Bar("CPU time a frame", result["cpu_ms_per_frame"], "ms", "reported"),
    ]
    write_results("looks", [{"measure": name, "value": value} for name, value in result.items()], bars)


def _measure(clips: list[Clip]) -> dict:
    first, reciprocal = by_description(clips)
    tables = {}
    for index, language in enumerate(LANGUAGES):
        standing_areas = by_phrase(clips, index, _scores)
        chance_areas = by_phrase(clips, index, _chances)
        tables[language] = {
            "standing": _means(standing_areas),
            "chance": _means(chance_areas),
            "phrases": {
                p[2][index]: [None if np.isnan(x) else round(x, 2) for x in a]
                for p, a in zip(PHRASES, chance_areas, strict=True)
            },
        }
    f, y, g = kind_samples(clips)
    pf, py, pg = phrase_samples(clips, named=False)
    nf, ny, ng = phrase_samples(clips, named=True)
    return {
        "clips": len(clips),
        "chance_level": {"first": 1 / len(clips), "area": 0.5},
        "by_description": {"first": first, "mean_reciprocal_rank": reciprocal},
        "by_phrase": tables,
        "kinds_held_out_by_clip": reliability(held_out(f, y, g), y),
        "phrases_held_out_by_phrase": reliability(held_out(pf, py, pg), py),
        "named_phrases_held_out_by_phrase": reliability(held_out(nf, ny, ng), ny),
        "cpu_ms_per_frame": 1000 * sum(c.cpu_s for c in clips) / sum(c.frames for c in clips),
        "looked_at": sum(len(c.observations) for c in clips) / sum(c.frames for c in clips),
    }


def _means(areas: list[tuple[float, float]]) -> dict[str, float]:
    return {"over_clips": float(np.mean([a for a, _ in areas])),
            "within_clip": float(np.nanmean([b for _, b in areas]))}  # fmt: skip


def _print_fit(clips: list[Clip]) -> None:
    print("KIND", fit(*kind_samples(clips)[:2]).round(3))
    print("PHRASE", fit(*phrase_samples(clips, named=False)[:2]).round(3))
    print("TOGETHER", fit(*phrase_samples(clips, named=True)[:2]).round(3))


if __name__ == "__main__":
    main()
