"""Have an application look at a medium: perceive what it lacks, and keep its report as JSON and as a page.

Policies, scenes and vocabularies that a client writes are read here and not in the server: they are strangers' files.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidence.apps import TITLES
from vidence.errors import UsageError
from vidence.mcr.budget import Budget
from vidence.memory import Memory
from vidence.printable import to_json_text
from vidence.senses import query_encoders
from vidence.serving.duties.opening import opened, policy_of, senses_of
from vidence.serving.reports import Report, keep
from vidence.timeline import Span
from vidence.video import Video

if TYPE_CHECKING:
    from vidence.apps.catalogue.vocabulary import Vocabulary
    from vidence.apps.moderate import Policy
    from vidence.apps.report import AppPage
    from vidence.apps.result import Result
    from vidence.apps.watch.scene import Scene
    from vidence.serving.worker import Task, Tell

Options = Mapping[str, Any]
Done = tuple["Result", "AppPage"]
LAST_YEAR = 9000  # in which a recording may have begun: times of the day are counted on from there


def check_options(task: Task, tell: Tell) -> dict[str, Any]:
    """Read what a client wrote for an application.

    Raises:
        UsageError: it is wrong; the message says where.
    """
    del tell
    options = task["options"]
    {"moderate": _policy, "watch": _scene, "catalogue": _vocabulary}.get(task["app"], dict)(options)
    return {}


def apply(task: Task, tell: Tell) -> dict[str, Any]:
    """Do it, and keep the report."""
    from vidence.apps.report import render
    from vidence.apps.report.render import hashes

    def progress(segment: Span, sense: str, done_s: float, total_s: float) -> None:
        del segment
        tell({"progress": {sense: [round(done_s, 3), round(total_s, 3)]}})

    app, options, name = task["app"], task["options"], task["name"]
    how = {
        "budget": Budget(options["time_limit_s"], options.get("max_frames"), max_steps=None),
        "checker": None if task["policy"]["name"] == "rules" else policy_of(task),
        "progress": progress,
    }
    with Memory.open(task["memory"], encoders=query_encoders()) as memory, opened(task) as media:
        result, page = APPS[app](Video(media, memory, senses_of(task)), options, how)
    told = Report(app, time.time(), TITLES[app], len(result.findings), page.summary, **hashes())
    whole = to_json_text({"file": name, **result.to_json()})
    medium = task["medium"].split(":")[-1]
    keep(Path(task["made"]), medium, told, {"json": whole, "html": render(replace(page, name=name))})
    return {"findings": told.findings}


def _moderate(video: Video, options: Options, how: dict[str, Any]) -> Done:
    from vidence.apps.moderate import moderate
    from vidence.apps.moderate.report import page_of

    found = moderate(video, _policy(options), **how)
    return found, page_of(video.media, found)


def _study(video: Video, options: Options, how: dict[str, Any]) -> Done:
    from vidence.apps.study import study
    from vidence.apps.study.page import page_of

    del options
    found = study(video, **how)
    return found, page_of(video, found)


def _watch(video: Video, options: Options, how: dict[str, Any]) -> Done:
    from vidence.apps.watch import watch
    from vidence.apps.watch.report import page_of

    blur, starts = options.get("blur_faces", False), options.get("starts")
    found = watch(video, _scene(options), faces=blur, **how)
    began = None if starts is None else datetime.fromisoformat(starts)
    return found, page_of(video.media, found, starts=began, blur=blur)


def _catalogue(video: Video, options: Options, how: dict[str, Any]) -> Done:
    from vidence.apps.catalogue import catalogue
    from vidence.apps.catalogue.page import page_of

    found = catalogue(video, vocabulary=_vocabulary(options), **how)
    return found, page_of(video, found)


APPS: Mapping[str, Callable[[Video, Options, dict[str, Any]], Done]] = {
    "moderate": _moderate, "study": _study, "watch": _watch, "catalogue": _catalogue
}  # fmt: skip


def _policy(options: Options) -> Policy:
    """Read a policy: the name of one that ships, or YAML; never a path."""
    from vidence.apps.moderate.policy import open_policy, shipped
    from vidence.apps.moderate.reading import read_policy

    given = options.get("policy", "family")
    if given in shipped():
        return open_policy(given)
    if ":" not in given:
        raise UsageError(
            f"policy: there is no {given!r}; write one as YAML, or name one of {', '.join(shipped())}"
        )
    return read_policy(given, "policy")


def _scene(options: Options) -> Scene:
    from vidence.apps.watch.scene import read_scene

    starts = options.get("starts")
    if starts is not None and datetime.fromisoformat(starts).year > LAST_YEAR:
        raise UsageError(f"starts: {starts} is too late for a recording to have begun")
    return read_scene(json.dumps(options.get("scene") or {}), "scene")


def _vocabulary(options: Options) -> Vocabulary | None:
    from vidence.apps.catalogue.vocabulary import parse

    given = options.get("vocabulary")
    return None if given is None else parse(given, "vocabulary")
