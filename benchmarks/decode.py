"""What a decoded token costs through a latent cache and through a key-value cache: time, memory, bandwidth.

    python benchmarks/decode.py [--device cpu|cuda] [--threads 1] [--contexts 32,128] [--prefill 128]

Figures are medians over tokens. On a CPU all ways take turns, token by token; the decoder has the 8B model's attention
(32 query heads on 8, 128 wide, in 4096), but 2 layers, and its MLP and vocabulary are cut to 1024 so that they do not
hide the attention; times there are CPU seconds of this process, for others may share the machine. On a GPU it is the
full 8B shape: decode_gpu.py says what is timed there.

`roofline` is the share of the memory bandwidth, measured in the same run by summing floats, that reading weights and
cache once a token would take. Peak memory is of cache, filling it and work together; on a CPU, of a child process that
decodes the same way alone. `fits` is the longest context, by thousands of tokens, that a child decodes with when it may
take only so much memory for its cache and its work.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers.cache_utils import Cache

import decode_gpu
from common import Bar, write_results
from decode_models import (
    DTYPES,
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
from vidence.models.internvideo3.config import InternVideo3TextConfig
from vidence.models.internvideo3.latent import LatentCache, bytes_per_token

LIMIT_MB = 512
SHAPE = Shape(layers=2, mlp=1024, vocabulary=1024)
CONTEXTS = (2048, 8192, 32_768)
TOKENS = 9
CPU = torch.device("cpu")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--contexts",
        type=lambda text: [int(part) for part in text.split(",")],
        default=list(decode_gpu.CONTEXTS_K),
        metavar="K,K",
        help="on a GPU: contexts to decode at, in units of 1024 tokens (default: all)",
    )
    parser.add_argument(
        "--prefill",
        type=int,
        default=decode_gpu.PREFILL_K,
        metavar="K",
        help="on a GPU: length of the prompt, in units of 1024 tokens (default: %(default)s)",
    )
    parser.add_argument(
        "--child", nargs=4, metavar=("WHAT", "KIND", "DTYPE", "CONTEXT"), help=argparse.SUPPRESS
    )
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.child:
        print(json.dumps(alone(*arguments.child)))
        return
    if arguments.device == "cuda" and not torch.cuda.is_available():
        parser.error("--device cuda: torch finds no GPU here")
    device = torch.device(arguments.device)
    if device.type == "cuda":
        name, bandwidth = torch.cuda.get_device_name(device), decode_gpu.bandwidth_gb_s(device)
        rows = decode_gpu.decode_rows(arguments.contexts, device, bandwidth)
        rows += decode_gpu.prefill_rows(arguments.prefill, device)
        bars = decode_gpu.bars(rows)
    else:
        name, bandwidth = "cpu", bandwidth_gb_s()
        rows = [row for dtype in DTYPES for row in decode_rows(dtype, bandwidth)]
        held = contexts("bfloat16", arguments.threads)
        bars = cpu_bars(rows, held)
        rows.append(held)
    rows.append({"device": name, "threads": arguments.threads, "bandwidth_gb_s": bandwidth})
    write_results(f"decode-{device.type}", rows, sizes() + bars)


def decode_rows(dtype: str, bandwidth: float) -> list[dict[str, Any]]:
    """Time every way at every context."""
    rows = []
    models: dict[str, torch.nn.Module] = {}
    for context in CONTEXTS:
        ready: list[tuple[Kind, torch.nn.Module, Cache]] = []
        for kind in kinds(SHAPE):
            if kind.weights not in models:
                models[kind.weights] = built(kind, SHAPE, dtype, CPU)
            model = models[kind.weights]
            ready.append((kind, model, kind.fill(model, 1, context, ROOM)))
        rows += _timed(ready, dtype, context, bandwidth)
    return rows


def _timed(
    ready: list[tuple[Kind, torch.nn.Module, Cache]], dtype: str, context: int, bandwidth: float
) -> list[dict[str, Any]]:
    token_B1 = torch.ones((1, 1), dtype=torch.long)
    seconds: list[list[float]] = [[] for _ in ready]
    for turn in range(TOKENS + 1):
        for (_, model, cache), times in zip(ready, seconds, strict=True):
            taken = timed(lambda model=model, cache=cache: step(model, token_B1, cache))
            if turn:  # the first is for warming up
                times.append(taken)
    rows = []
    for (kind, model, cache), times in zip(ready, seconds, strict=True):
        each = statistics.median(times)
        row = {"way": kind.name, "dtype": dtype, "context": context, "batch": 1} | {
            "path": path(kind, cache, CPU),
            "ms_per_token": 1e3 * each,
            "tokens_per_s": 1 / each,
            "cache_mb": cache_bytes(cache) / 1e6,
            "roofline": read_bytes(model, cache) / each / bandwidth / 1e9,
            "peak_mb": None,
        }
        if context == max(CONTEXTS):  # a child takes ten seconds
            row |= _child("peak", kind, dtype, context, torch.get_num_threads())
        rows.append(row)
    return rows


def timed(work: Callable[[], Any]) -> float:
    """Return the CPU seconds of this process that work takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def bandwidth_gb_s() -> float:
    """Measure how fast memory is read: the best of several sums of a gigabyte of float32."""
    values = torch.ones(2**28)
    return values.nbytes / min(timed(values.sum) for _ in range(7)) / 1e9


def sizes() -> list[Bar]:
    """Weigh the 8B shape's caches in bfloat16: the bytes really allocated for a token, against those computed."""
    bars = []
    for rank, rope, storage, wanted in (
        (896, 128, "float", 73_728),
        (512, 64, "float", 41_472),
        (896, 128, "int8", 36 * (1024 + 4)),
        (512, 64, "int8", 36 * (576 + 4)),
    ):
        config = InternVideo3TextConfig(kv_lora_rank=rank, qk_rope_head_dim=rope)
        cache = LatentCache(config, storage=storage)
        plan = cache.begin(torch.ones((1, 256), dtype=torch.uint8), torch.arange(256)[None], torch.empty(1))
        for layer in range(config.num_hidden_layers):
            rows_BLW = torch.zeros((1, 256, rank + rope), dtype=torch.bfloat16)
            cache.write(rows_BLW[..., :rank], rows_BLW[..., rank:], layer, plan)
        assert bytes_per_token(config, 2, storage) == wanted
        name = f"cache of a token, {rank}+{rope}, {'8-bit' if storage == 'int8' else '16-bit'} rows"
        bars.append(Bar(name, cache_bytes(cache) / 256, "B", f"== {wanted}"))
        bars.append(Bar(f"{name}, saved of GQA's 147,456 B", 100 * (1 - wanted / 147_456), "%", "reported"))
    return bars


def alone(what: str, name: str, dtype: str, context: str) -> dict[str, Any]:
    """Run one way in this process: its peak memory at a context, or the context that fits within a limit of memory."""
    kind = next(kind for kind in kinds(SHAPE) if kind.name == name)
    model = built(kind, SHAPE, dtype, CPU)
    token_B1 = torch.ones((1, 1), dtype=torch.long)
    step(model, token_B1, kind.fill(model, 1, 256, ROOM))  # what is allocated once is not the cache's
    if what == "peak":
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak of building the model
        before = _status_kb("VmHWM")
        cache = kind.fill(model, 1, int(context), ROOM)
        for _ in range(3):
            step(model, token_B1, cache)
        return {"peak_mb": (_status_kb("VmHWM") - before) * 1024 / 1e6}
    used = _status_kb("VmSize") * 1024
    resource.setrlimit(resource.RLIMIT_AS, (used + LIMIT_MB * 10**6, resource.RLIM_INFINITY))
    fits, beyond = 0, 1024
    while beyond - fits > 1:
        tried = (fits + beyond) // 2
        fits, beyond = (tried, beyond) if _holds(kind, model, token_B1, tried * 1000) else (fits, tried)
    return {"fits_tokens": fits * 1000}


def _status_kb(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    raise LookupError(name)


def _holds(kind: Kind, model: torch.nn.Module, token_B1: torch.Tensor, context: int) -> bool:
    try:
        step(model, token_B1, kind.fill(model, 1, context, ROOM))
    except (RuntimeError, MemoryError):  # torch's allocator raises a RuntimeError on a CPU
        return False
    return True


def contexts(dtype: str, threads: int) -> dict[str, Any]:
    """Find the context that each way holds within one limit of memory."""
    row: dict[str, Any] = {"fits": f"tokens within {LIMIT_MB} MB", "dtype": dtype}
    for kind in kinds(SHAPE):
        row[kind.name] = _child("fits", kind, dtype, 0, threads)["fits_tokens"]
    return row


def cpu_bars(rows: list[dict[str, Any]], held: dict[str, Any]) -> list[Bar]:
    """Compare 512+64 with the key-value caches: memory, speed at 32K, and how time grows with the context."""
    title = f"context within {LIMIT_MB} MB, 512+64 over GQA"
    bars = [Bar(title, held[LATENT] / held[STRONG], "x", ">= 3.4")]
    bars.append(Bar(f"{title}, 8-bit rows", held[LATENT_8] / held[STRONG], "x", "reported"))
    for dtype in DTYPES:
        ms = {(row["way"], row["context"]): row["ms_per_token"] for row in rows if row["dtype"] == dtype}
        for name, target in ((GROWING, "> 1"), (STRONG, ">= 0.5")):
            ratio = ms[name, 32_768] / ms[LATENT, 32_768]
            bars.append(Bar(f"{dtype}: speed at 32K, 512+64 over {name}", ratio, "x", target))
        short, middle, long = (ms[LATENT, context] for context in CONTEXTS)
        slope = ((long - middle) / 24_576) / ((middle - short) / 6144)
        bars.append(Bar(f"{dtype}: ms a token of context, 8K to 32K over 2K to 8K", slope, "x", "<= 1.3"))
    return bars


def _child(what: str, kind: Kind, dtype: str, context: int, threads: int) -> dict[str, Any]:
    command = [
        sys.executable,
        __file__,
        "--threads",
        str(threads),
        "--child",
        what,
        kind.name,
        dtype,
        str(context),
    ]
    environment = os.environ | {
        "MALLOC_MMAP_THRESHOLD_": "65536",
        "MALLOC_ARENA_MAX": "1",
    }  # freed memory goes back
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
