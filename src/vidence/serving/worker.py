"""A worker process: reads tasks as lines of JSON, does one after the other, and answers with lines of JSON.

Only here are strangers' files opened. It ends when the server does (its standard input closes), when a task is
cancelled (it is killed), and when it goes beyond its limits. JSON and not pickles: what a worker says after a decoder
was broken into shall not run in the server.

python -m vidence.serving.worker '{"bytes": 4000000000, "network": false}'
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

from vidence.errors import VidenceError
from vidence.serving import confining

Task = Mapping[str, Any]
Tell = Callable[[Mapping[str, Any]], None]
"""Sends a word of progress."""

DUTIES = {
    "prepare": "indexing",
    "index": "indexing",
    "ask": "asking",
    "apply": "applying",
    "check_options": "applying",
    "fetch": "fetching",
    "admit": "viewing",
    "frame": "viewing",
    "sprite": "viewing",
    "preview": "playable",
    "see": "seeing",
    "see_pictures": "seeing",
    "report": "pages",
    "run_page": "pages",
}
"""Task → module of `vidence.serving.duties` whose function of that name does it."""


def main() -> None:
    """Work until standard input closes."""
    how = json.loads(sys.argv[1])
    said = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints must not be taken for an answer
    lock = threading.Lock()

    def say(message: Mapping[str, Any]) -> None:
        with lock:
            said.write(json.dumps(message, ensure_ascii=False) + "\n")
            said.flush()

    for first in how.get("first", ()):  # what needs the network, before it is dropped
        _do(first, lambda _: None)
    if not how["network"]:
        confining.drop_network()
    confining.die_with_parent()  # after that: a change of user forgets it
    confining.limit_memory(how["bytes"])
    tasks: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(tasks,), daemon=True).start()
    while True:
        task = json.loads(tasks.get())
        confining.limit_time(task["cpu_s"])
        _do(task, say)


def _read(tasks: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        tasks.put(line)
    os._exit(0)  # the server has gone: whatever is being done is for nobody


def _do(task: Task, say: Tell) -> None:
    """Do a task, and say what came of it."""
    try:
        module = importlib.import_module(f"vidence.serving.duties.{DUTIES[task['task']]}")
        say({"done": getattr(module, task["task"])(task, say)})
    except VidenceError as error:
        say({"error": _placeless(str(error), task), "kind": type(error).__name__})
    except MemoryError:
        say({"error": "it takes more memory than a worker may have", "kind": "MediaError"})
    except Exception as error:  # noqa: BLE001 - the boundary of a process: the server must hear of it
        say({"error": f"{type(error).__name__}: {error}", "kind": "Fault"})


def _placeless(text: str, task: Task) -> str:
    """Leave out where files lie: users are told what is wrong with them, and not where the server keeps them."""
    for name in ("path", "place", "memory"):
        if place := task.get(name):
            text = text.replace(f"{place}: ", "the file: ").replace(str(place), "the file")
    return text


if __name__ == "__main__":
    main()
