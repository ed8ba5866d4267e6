"""The part of decode.py that runs on a GPU: decoders of the full 8B shape in bfloat16, and a long prompt through each.

One model and one cache are held at a time. Of every way and load two figures are taken:

`ms_per_token` is a step as generate() calls it, by the wall clock until the device has finished. A step is some
thousands of small kernels, and at short contexts the device waits for Python to launch them.
`device_ms_per_token` leaves the launching out: the same step, recorded once as a CUDA graph and replayed. A growing
cache cannot be recorded, as its tensors are new ones at each token.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache

from common import Bar
from decode_models import (
    GROWING,
    LATENT,
    LATENT_8,
    ROOM,
    STRONG,
    Kind,
    Shape,
    built,
    cache_bytes,
    kinds,
    path,
    read_bytes,
    step,
)
from vidence.errors import UsageError
from vidence.models.internvideo3.latent import LatentCache
from vidence.models.internvideo3.ledger import TEXT

DTYPE = "bfloat16"
KILO = 1024
CONTEXTS_K = (32, 128, 256, 384, 512, 768)
BATCHES = ((32, 8), (32, 16))  # (context in K tokens, sequences), run where that context is
PREFILL_K = 128
CHUNK = 8192  # tokens of a prompt at once
TOKENS, WARMING = 8, 2
AS_CALLED, DEVICE = "ms_per_token", "device_ms_per_token"


def bandwidth_gb_s(device: torch.device) -> float:
    """Measure how fast memory is read: the best of several sums of 4 GB of float32."""
    values = torch.ones(2**30, device=device)
    return values.nbytes / (min(_device_ms(values.sum, 9)) / 1e3) / 1e9


def decode_rows(
    contexts_k: Sequence[int], device: torch.device, bandwidth: float, shape: Shape | None = None
) -> list[dict[str, Any]]:
    """Time every way at every load; where memory does not suffice, a row says so."""
    loads = [(k, 1) for k in contexts_k] + [load for load in BATCHES if load[0] in contexts_k]
    rows = []
    for _, ways in groupby(kinds(shape or Shape()), lambda kind: kind.weights):
        same = list(ways)
        model = built(same[0], shape or Shape(), DTYPE, device)
        for context_k, batch in loads:
            rows += [_told(_decoded, kind, model, context_k * KILO, batch, bandwidth) for kind in same]
        del model
    return rows


def prefill_rows(prompt_k: int, device: torch.device, shape: Shape | None = None) -> list[dict[str, Any]]:
    """Time one long prompt, in chunks, through the strong baseline and each kind of latent rows in floats."""
    rows = []
    for kind in kinds(shape or Shape()):
        if kind.name == STRONG or "float rows" in kind.name:
            model = built(kind, shape or Shape(), DTYPE, device)
            rows.append(_told(_prefilled, kind, model, prompt_k * KILO, 1, 0.0))
            del model
    return rows


def bars(rows: Sequence[dict[str, Any]]) -> list[Bar]:
    """Compare 512+64 with the roofline and with the key-value caches; each as it is called and on the device alone."""
    found = {(row["way"], row["context"], row["batch"]): row for row in rows if AS_CALLED in row}
    told = []
    for measure, said in ((AS_CALLED, "as called"), (DEVICE, "device alone")):
        for context_k in CONTEXTS_K[1:]:
            if row := found.get((LATENT, context_k * KILO, 1)):
                share = row["roofline" if measure == AS_CALLED else "device_roofline"]
                told.append(Bar(f"{context_k}K, {said}: 512+64, share of its roofline", share, "", ">= 0.7"))
        for way, context_k, batch, target in (
            (LATENT, 128, 1, ">= 1.4"),
            (LATENT, 384, 1, ">= 2.0"),
            (LATENT, 32, 8, "reported"),
            (LATENT, 32, 16, ">= 2.5"),
            (LATENT_8, 128, 1, ">= 1.7"),
            (LATENT_8, 384, 1, ">= 2.6"),
            (LATENT_8, 32, 8, "reported"),
            (LATENT_8, 32, 16, ">= 4.0"),
        ):
            one, other = (found.get((name, context_k * KILO, batch)) for name in (way, STRONG))
            if one and other:
                name = f"{context_k}K x {batch}, {said}: {way} over {STRONG}"
                told.append(Bar(name, other[measure] / one[measure], "x", target))
    for context_k, target in ((32, 1.84), (128, 4.12), (256, 4.77), (384, 5.01)):
        one, other = (found.get((name, context_k * KILO, 1)) for name in (LATENT, GROWING))
        if one and other:
            ratio = other[AS_CALLED] / one[AS_CALLED]
            told.append(Bar(f"{context_k}K, as called: {LATENT} over {GROWING}", ratio, "x", f"> {target}"))
    prefill = {row["way"]: row for row in rows if "prefill_s" in row}
    if LATENT in prefill and STRONG in prefill:
        ratio = prefill[LATENT]["prefill_s"] / prefill[STRONG]["prefill_s"]
        name = f"prefill of {prefill[LATENT]['context'] // KILO}K tokens, time of 512+64 over {STRONG}"
        told.append(Bar(name, ratio, "x", "<= 1.3"))
    return told


def _told(measure: Callable[..., dict[str, Any]], kind: Kind, *load: Any) -> dict[str, Any]:
    """Measure one row and show it at once: all of them take minutes."""
    _, context, batch, _ = load
    row = {"way": kind.name, "dtype": DTYPE, "context": context, "batch": batch}
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    try:
        row |= measure(kind, *load)
    except (torch.OutOfMemoryError, UsageError) as fault:  # torch's own, and the latent cache's refusal
        row["note"] = f"memory does not suffice: {str(fault).split('.')[0]}"
    print(row, file=sys.stderr, flush=True)
    return row


def _decoded(
    kind: Kind, model: torch.nn.Module, context: int, batch: int, bandwidth: float
) -> dict[str, Any]:
    device = next(model.parameters()).device
    before = torch.cuda.memory_allocated()
    cache = kind.fill(model, batch, context, ROOM)
    token_B1 = torch.ones((batch, 1), dtype=torch.long, device=device)
    called = [_wall_s(lambda: step(model, token_B1, cache)) for _ in range(WARMING + TOKENS)]
    each_s = statistics.median(called[WARMING:])
    peak = torch.cuda.max_memory_allocated() - before
    device_s = None if kind.name == GROWING else _replayed_s(model, token_B1, cache)
    floor_s = read_bytes(model, cache) / bandwidth / 1e9
    return {
        "path": path(kind, cache, device),
        AS_CALLED: 1e3 * each_s,
        DEVICE: device_s and 1e3 * device_s,
        "tokens_per_s": batch / each_s,
        "cache_mb": cache_bytes(cache) / 1e6,
        "roofline": floor_s / each_s,
        "device_roofline": device_s and floor_s / device_s,
        "peak_mb": peak / 1e6,
    }


def _prefilled(kind: Kind, model: torch.nn.Module, prompt: int, batch: int, _: float) -> dict[str, Any]:
    chunk_BL = torch.ones((batch, CHUNK), dtype=torch.long, device=next(model.parameters()).device)
    step(model, chunk_BL, kind.fill(model, batch, 1, CHUNK))  # for warming up
    cache = kind.fill(model, batch, 1, prompt)

    def whole() -> None:
        for _ in range(prompt // CHUNK):
            step(model, chunk_BL, cache)

    return {"prefill_s": _wall_s(whole)}


def _replayed_s(model: torch.nn.Module, token_B1: Tensor, cache: Cache) -> float:
    graph = torch.cuda.CUDAGraph()
    with _planned(cache, token_B1, next(model.parameters())), torch.cuda.graph(graph):
        step(model, token_B1, cache)
    return statistics.median(_device_ms(graph.replay, TOKENS)) / 1e3


@contextmanager
def _planned(cache: Cache, token_B1: Tensor, like: Tensor) -> Iterator[None]:
    """Do a step's part on the host beforehand, as a graph cannot hold it: a latent cache's plan of where rows go."""
    if not isinstance(cache, LatentCache):
        yield
        return
    kinds_B1 = torch.full(token_B1.shape, TEXT, dtype=torch.uint8)
    positions_B1 = torch.full(token_B1.shape, cache.get_seq_length())
    plan = cache.begin(kinds_B1, positions_B1, like.new_empty((len(token_B1), 1, 1)))
    cache.expect, cache.begin = (lambda *_: None), (lambda *_: plan)  # type: ignore[method-assign]
    try:
        yield
    finally:
        del cache.expect, cache.begin


def _wall_s(work: Callable[[], Any]) -> float:
    torch.cuda.synchronize()
    start = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - start


def _device_ms(work: Callable[[], Any], times: int) -> list[float]:
    marks = [[torch.cuda.Event(enable_timing=True) for _ in range(2)] for _ in range(times)]
    for begin, end in marks:
        begin.record()
        work()
        end.record()
    torch.cuda.synchronize()
    return [begin.elapsed_time(end) for begin, end in marks]
