"""What a decoded token costs through a latent cache and through a key-value cache: time, memory, bandwidth.

    python benchmarks/decode.py [--device cpu|cuda] [--threads 1]

All ways run in one process and take turns, token by token; figures are medians. On a CPU the decoder has the 8B
model's attention (32 query heads on 8, 128 wide, in 4096), but 2 layers, and its MLP and vocabulary are cut to 1024 so
that they do not hide the attention; times there are CPU seconds of this process, for others may share the machine. On a
GPU it is the full 8B shape, timed by the wall clock after the device has finished.

`roofline` is the share of the memory bandwidth, measured in the same run by summing a gigabyte, that reading weights
and cache once a token would take. Peak memory is of a child process that decodes the same way alone: cache, filling it
and work together. `fits` is the longest context, by thousands of tokens, that a child decodes with when it may take
only so much memory for its cache and its work.
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers.cache_utils import Cache

from common import Bar, write_results
from decode_models import Kind, Shape, cache_bytes, kinds, step
from vidence.models.internvideo3.config import InternVideo3TextConfig
from vidence.models.internvideo3.kernels import available
from vidence.models.internvideo3.latent import LatentCache, bytes_per_token

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
LIMIT_MB = 512
STRONG, GROWING = "GQA, strong", "GQA, growing cache"
LATENT, LATENT_8 = "M2LA 512+64, float rows", "M2LA 512+64, 8-bit rows"


@dataclass(frozen=True, slots=True)
class Setting:
    """What is run: a shape, (context, batch) pairs, dtypes, and tokens timed of each way."""

    shape: Shape
    loads: tuple[tuple[int, int], ...]
    dtypes: tuple[str, ...]
    tokens: int


CPU = Setting(
    Shape(layers=2, mlp=1024, vocabulary=1024),
    ((2048, 1), (8192, 1), (32_768, 1)),
    ("float32", "bfloat16"),
    9,
)
GPU = Setting(
    Shape(),
    (*((kilo * 1024, 1) for kilo in (32, 128, 256, 384, 512, 768)), (32_768, 16)),
    ("bfloat16",),
    32,
)
PREFILL_TOKENS = 131_072


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=1)
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
    setting = GPU if device.type == "cuda" else CPU
    bandwidth = bandwidth_gb_s(device)
    rows = [row for dtype in setting.dtypes for row in decode_rows(setting, dtype, device, bandwidth)]
    checks = sizes()
    if device.type == "cuda":
        rows += prefill_rows(setting, device)
        checks += gpu_bars(rows)
    else:
        held = contexts("bfloat16", arguments.threads)
        checks += cpu_bars(rows, held)
        rows.append(held)
        rows.append({"note": "GPU rows (full 8B shape, 32K to 768K tokens): not measured, no GPU at hand"})
    rows.append({"device": _name(device), "threads": arguments.threads, "bandwidth_gb_s": bandwidth})
    write_results(f"decode-{device.type}", rows, checks)


def decode_rows(setting: Setting, dtype: str, device: torch.device, bandwidth: float) -> list[dict[str, Any]]:
    """Time every way at every load; a way that runs out of a GPU's memory gets a row that says so."""
    rows = []
    models: dict[str, torch.nn.Module] = {}
    for context, batch in setting.loads:
        ready: list[tuple[Kind, torch.nn.Module, Cache]] = []
        for kind in kinds(setting.shape):
            try:
                if device.type == "cuda":
                    torch.cuda.reset_peak_memory_stats()
                if kind.weights not in models:
                    if device.type == "cuda":  # one model at a time: three of the full shape are 53 GB
                        models.clear()
                    models[kind.weights] = _model(kind, setting.shape, dtype, device)
                ready.append((kind, models[kind.weights], kind.fill(models[kind.weights], batch, context)))
            except torch.OutOfMemoryError as fault:
                rows.append(_row(kind.name, dtype, context, batch) | {"note": str(fault).split(".")[0]})
                continue
            if device.type == "cuda":  # a GPU holds one cache at a time, too
                rows += _timed(ready, setting, dtype, context, batch, device, bandwidth)
                ready.clear()
        rows += _timed(ready, setting, dtype, context, batch, device, bandwidth)
    return rows


def _timed(
    ready: list[tuple[Kind, torch.nn.Module, Cache]],
    setting: Setting,
    dtype: str,
    context: int,
    batch: int,
    device: torch.device,
    bandwidth: float,
) -> list[dict[str, Any]]:
    token_B1 = torch.ones((batch, 1), dtype=torch.long, device=device)
    seconds: list[list[float]] = [[] for _ in ready]
    for turn in range(setting.tokens + 1):
        for (_, model, cache), times in zip(ready, seconds, strict=True):
            taken = timed(lambda model=model, cache=cache: step(model, token_B1, cache), device)
            if turn:  # the first is for warming up
                times.append(taken)
    rows = []
    for (kind, model, cache), times in zip(ready, seconds, strict=True):
        each = statistics.median(times)
        read = cache_bytes(cache) + sum(weight.nbytes for weight in model.parameters())
        row = _row(kind.name, dtype, context, batch) | {
            "path": _path(kind, cache, device),
            "ms_per_token": 1e3 * each,
            "tokens_per_s": batch / each,
            "cache_mb": cache_bytes(cache) / 1e6,
            "roofline": read / each / bandwidth / 1e9,
        }
        alone = device.type == "cuda" or context == max(setting.loads)[0]  # a child takes ten seconds
        rows.append(row | {"peak_mb": _peak_mb(kind, dtype, context, device) if alone else None})
    return rows


def timed(work: Callable[[], Any], device: torch.device) -> float:
    """Return the seconds that work takes: CPU time of this process, or wall time until a GPU has finished."""
    if device.type == "cuda":
        torch.cuda.synchronize()
        start = time.perf_counter()
        work()
        torch.cuda.synchronize()
        return time.perf_counter() - start
    start = time.process_time()
    work()
    return time.process_time() - start


def bandwidth_gb_s(device: torch.device) -> float:
    """Measure how fast memory is read: the best of several sums of a gigabyte of float32."""
    values = torch.ones(2**28, device=device)
    return values.nbytes / min(timed(values.sum, device) for _ in range(7)) / 1e9


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
    kind = next(kind for kind in kinds(CPU.shape) if kind.name == name)
    model = _model(kind, CPU.shape, dtype, torch.device("cpu"))
    token_B1 = torch.ones((1, 1), dtype=torch.long)
    step(model, token_B1, kind.fill(model, 1, 256))  # what is allocated once is not the cache's
    if what == "peak":
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak of building the model
        before = _status_kb("VmHWM")
        cache = kind.fill(model, 1, int(context))
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
        step(model, token_B1, kind.fill(model, 1, context))
    except (RuntimeError, MemoryError):  # torch's allocator raises a RuntimeError on a CPU
        return False
    return True


def contexts(dtype: str, threads: int) -> dict[str, Any]:
    """Find the context that each way holds within one limit of memory."""
    row: dict[str, Any] = {"fits": f"tokens within {LIMIT_MB} MB", "dtype": dtype}
    for kind in kinds(CPU.shape):
        row[kind.name] = _child("fits", kind, dtype, 0, threads)["fits_tokens"]
    return row


def prefill_rows(setting: Setting, device: torch.device) -> list[dict[str, Any]]:
    """Time one long prompt through each kind of model, in chunks of 8192 tokens."""
    rows = []
    for kind in (one for one in kinds(setting.shape) if "float rows" in one.name or one.name == GROWING):
        model = _model(kind, setting.shape, "bfloat16", device)
        cache = kind.fill(model, 1, 1)
        chunk_BL = torch.ones((1, 8192), dtype=torch.long, device=device)

        def prompt(model: Any = model, cache: Cache = cache, chunk_BL: torch.Tensor = chunk_BL) -> None:
            for _ in range(PREFILL_TOKENS // chunk_BL.shape[1]):
                step(model, chunk_BL, cache)

        rows.append(_row(kind.name, "bfloat16", PREFILL_TOKENS, 1) | {"prefill_s": timed(prompt, device)})
        del model, cache
    return rows


def cpu_bars(rows: list[dict[str, Any]], held: dict[str, Any]) -> list[Bar]:
    """Compare 512+64 with the key-value caches: memory, speed at 32K, and how time grows with the context."""
    title = f"context within {LIMIT_MB} MB, 512+64 over GQA"
    bars = [Bar(title, held[LATENT] / held[STRONG], "x", ">= 3.4")]
    bars.append(Bar(f"{title}, 8-bit rows", held[LATENT_8] / held[STRONG], "x", "reported"))
    for dtype in CPU.dtypes:
        ms = {(row["way"], row["context"]): row["ms_per_token"] for row in rows if row["dtype"] == dtype}
        for name, target in ((GROWING, "> 1"), (STRONG, ">= 0.5")):
            ratio = ms[name, 32_768] / ms[LATENT, 32_768]
            bars.append(Bar(f"{dtype}: speed at 32K, 512+64 over {name}", ratio, "x", target))
        short, middle, long = (ms[LATENT, context] for context in (2048, 8192, 32_768))
        slope = ((long - middle) / 24_576) / ((middle - short) / 6144)
        bars.append(Bar(f"{dtype}: ms a token of context, 8K to 32K over 2K to 8K", slope, "x", "<= 1.3"))
    return bars


def gpu_bars(rows: list[dict[str, Any]]) -> list[Bar]:
    found = {(row["way"], row["context"], row["batch"]): row for row in rows if "tokens_per_s" in row}
    bars = []
    for context in (131_072, 262_144, 393_216, 524_288, 786_432):
        if row := found.get((LATENT, context, 1)):
            bars.append(
                Bar(f"{context // 1024}K: 512+64, share of its roofline", row["roofline"], "", ">= 0.7")
            )
    for way, context, batch, target in (
        (LATENT, 131_072, 1, 1.4),
        (LATENT, 393_216, 1, 2.0),
        (LATENT, 32_768, 16, 2.5),
        (LATENT_8, 131_072, 1, 1.7),
        (LATENT_8, 393_216, 1, 2.6),
        (LATENT_8, 32_768, 16, 4.0),
    ):
        one, other = found.get((way, context, batch)), found.get((STRONG, context, batch))
        if one and other:
            ratio = one["tokens_per_s"] / other["tokens_per_s"]
            bars.append(Bar(f"{context // 1024}K x {batch}: {way} over {STRONG}", ratio, "x", f">= {target}"))
    for context, target in ((32_768, 1.84), (131_072, 4.12), (262_144, 4.77), (393_216, 5.01)):
        one, other = found.get((LATENT, context, 1)), found.get((GROWING, context, 1))
        if one and other:
            ratio = one["tokens_per_s"] / other["tokens_per_s"]
            bars.append(Bar(f"{context // 1024}K: {LATENT} over {GROWING}", ratio, "x", f"> {target}"))
    prefill = {row["way"]: row["prefill_s"] for row in rows if "prefill_s" in row}
    bars.append(Bar("prefill at 128K, 512+64 over GQA", prefill[LATENT] / prefill[GROWING], "x", "<= 1.3"))
    return bars


def _model(kind: Kind, shape: Shape, dtype: str, device: torch.device) -> torch.nn.Module:
    before = torch.get_default_dtype()
    torch.set_default_dtype(DTYPES[dtype])
    try:
        with device:
            return kind.build(shape).eval()
    finally:
        torch.set_default_dtype(before)


def _row(name: str, dtype: str, context: int, batch: int) -> dict[str, Any]:
    return {"way": name, "dtype": dtype, "context": context, "batch": batch}


def _path(kind: Kind, cache: Cache, device: torch.device) -> str:
    if kind.width is None:
        return "torch"
    rows = cache.layers[0].banks[0].slabs[0]  # type: ignore[attr-defined]
    q_BHLR = torch.empty((1, 1, 1, kind.width[0]), dtype=torch.bfloat16, device=device)
    return "triton" if available(q_BHLR, rows) else "torch"


def _peak_mb(kind: Kind, dtype: str, context: int, device: torch.device) -> float | None:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated() / 1e6
    return _child("peak", kind, dtype, context, torch.get_num_threads())["peak_mb"]


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


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


if __name__ == "__main__":
    main()
