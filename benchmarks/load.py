"""Fifty clients at once: how long each kind of request takes, and that no job is lost.

python benchmarks/load.py [--clients 50] [--seconds 60] [--workers 1]

A server of its own process serves an empty library that is first given eight short worlds. Each client then asks,
without a pause, for what a page asks for: the list of videos, a search, a timeline, a frame; now and then it sends a
new video, or asks a question. Refusals of what must wait (429) are counted apart: the client comes again when it is
told to. At the end all jobs are waited for. Times are the client's, on the clock, of requests that were taken.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import random
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2 as httpx
import numpy as np

from common import Bar, write_results
from vidence.worlds import Setting, make_world

MIX = {"list": 20, "search": 20, "timeline": 20, "frame": 30, "upload": 3, "ask": 7}  # parts in a hundred
WORLDS, SETTING = 8, Setting(duration_s=4, size=(160, 96), level=0)
QUESTIONS = ("How many shots are there?", "What moves?", "Which colour is seen most?")
WORDS = ("static camera", "something moves", "bright", "a red thing", "shot")


@dataclass
class Seen:
    """What the clients saw."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    refused: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    jobs: list[int] = field(default_factory=list)
    why: list[str] = field(default_factory=list)


class Client:
    """One client: its own line, its own dice."""

    def __init__(self, number: int, address: str, videos: list[bytes], seen: Seen) -> None:
        self.line = httpx.AsyncClient(base_url=address, timeout=600, trust_env=False)
        self.dice, self.number = random.Random(number), number
        self.videos, self.seen = videos, seen
        self.sent = itertools.count()

    async def work(self, until: float, media: list[str]) -> None:
        """Ask for one thing after the other."""
        async with self.line:
            while time.monotonic() < until:
                (kind,) = self.dice.choices(list(MIX), list(MIX.values()))
                began = time.perf_counter()
                try:
                    answer = await self.ask(kind, self.dice.choice(media))
                except httpx.HTTPError as error:
                    self.seen.errors[kind] += 1
                    self.seen.why.append(f"{kind}: {error!r}")
                    continue
                if answer.status_code == 429:
                    self.seen.refused[kind] += 1
                    await asyncio.sleep(min(float(answer.headers["retry-after"]), 2.0))
                elif answer.status_code >= 400:
                    self.seen.errors[kind] += 1
                    self.seen.why.append(f"{kind}: {answer.status_code} {answer.text[:200]}")
                else:
                    self.seen.seconds[kind].append(time.perf_counter() - began)
                    if kind == "upload":
                        self.seen.jobs.append(answer.json()["id"])

    async def ask(self, kind: str, medium: str) -> httpx.Response:
        """Send one request of a kind."""
        get = self.line.get
        if kind == "list":
            return await get("/api/media")
        if kind == "search":
            return await get("/api/search", params={"q": self.dice.choice(WORDS)})
        if kind == "timeline":
            return await get(f"/api/media/{medium}/timeline")
        if kind == "frame":
            at = round(self.dice.uniform(0, 4), 2)
            return await get(f"/api/media/{medium}/frame", params={"at": at, "height": 96})
        if kind == "ask":
            question = {"media": [medium], "question": self.dice.choice(QUESTIONS)}
            return await self.line.post("/api/ask", json=question)
        video = another(self.dice.choice(self.videos), self.number, next(self.sent))
        return await self.line.put("/api/media", params={"name": f"{self.number}.mp4"}, content=video)


def another(video: bytes, *numbers: int) -> bytes:
    """Make another video of one: a box at its end that players skip gives it another content."""
    return video + struct.pack(">I4sII", 16, b"free", *numbers)


async def load(
    address: str, videos: list[bytes], clients: int, seconds: float
) -> tuple[Seen, dict[str, Any]]:
    """Fill the library, let the clients loose, wait for the jobs; return what was seen, and how jobs ended."""
    seen = Seen()
    async with httpx.AsyncClient(base_url=address, timeout=600, trust_env=False) as line:
        first = [(await line.put("/api/media", content=video)).json() for video in videos]
        await ended(line, [job["id"] for job in first])
        media = [job["media_id"] for job in first]
        until = time.monotonic() + seconds
        crowd = [Client(number, address, videos, seen) for number in range(clients)]
        await asyncio.gather(*(client.work(until, media) for client in crowd))
        return seen, await ended(line, seen.jobs)


async def ended(line: httpx.AsyncClient, jobs: list[int]) -> dict[str, Any]:
    """Wait for jobs to end; return how they did, and the seconds from being queued to being done."""
    states, seconds = Counter[str](), []
    for id in jobs:
        while True:
            answer = await line.get(f"/api/jobs/{id}")
            job = (
                answer.json() if answer.status_code == 200 else {"state": "lost", "finished": 0, "created": 0}
            )
            if answer.status_code != 429 and job["finished"] is not None:
                break
            await asyncio.sleep(0.2)
        states[job["state"]] += 1
        if job["state"] == "done":
            seconds.append(job["finished"] - job["created"])
    return {"states": states, "seconds": seconds}


def row(kind: str, seconds: list[float], refused: int, errors: int) -> dict[str, Any]:
    """Make a row of the table."""
    p50, p95 = np.percentile(seconds, (50, 95)) * 1000 if seconds else (float("nan"),) * 2
    return {
        "kind": kind,
        "taken": len(seconds),
        "p50_ms": round(float(p50), 1),
        "p95_ms": round(float(p95), 1),
        "refused": refused,
        "errors": errors,
    }


def main() -> None:
    """Start a server, load it, and write what was seen."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--clients", type=int, default=50)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--workers", type=int, default=1)
    options.add_argument("--senses", default="shots,colour,motion")
    how = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        videos = []
        for seed in range(WORLDS):
            path = Path(folder) / f"{seed}.mp4"
            make_world(seed, SETTING).write(path)
            videos.append(path.read_bytes())
        limits = [
            "requests_per_s=100000",
            "requests_at_once=100000",
            "queued_jobs=1000",
            "asks=8",
            "asks_overall=8",
        ]
        command = [
            sys.executable, "-m", "vidence", "serve", "--library", f"{folder}/library", "--port", "0",
            "--senses", how.senses, "--workers", str(how.workers), *(f"--limit={limit}" for limit in limits),
        ]  # fmt: skip
        server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ)
        try:
            assert server.stderr is not None
            address = next(word for word in server.stderr.readline().split() if word.startswith("http"))
            seen, jobs = asyncio.run(load(address.rstrip("/"), videos, how.clients, how.seconds))
        finally:
            server.terminate()
            server.wait()
    rows = [row(kind, seen.seconds[kind], seen.refused[kind], seen.errors[kind]) for kind in MIX]
    rows.append(row("upload to indexed", jobs["seconds"], 0, len(seen.jobs) - jobs["states"]["done"]))
    for line in seen.why[:10]:
        print(line)
    taken = sum(len(seconds) for seconds in seen.seconds.values())
    bars = [
        Bar("clients", how.clients, "clients", "reported"),
        Bar("requests a second", taken / how.seconds, "requests/s", "reported"),
        Bar("jobs lost", len(seen.jobs) - jobs["states"]["done"], "jobs", "== 0"),
        Bar("errors", sum(seen.errors.values()), "requests", "== 0"),
        *(Bar(f"{one['kind']} p95", one["p95_ms"], "ms", "reported") for one in rows),
    ]
    print(write_results("load", rows, bars))


if __name__ == "__main__":
    main()
