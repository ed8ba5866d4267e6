"""Fill the template of a run; it asks nothing of any other place, and runs no script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

from vidence.errors import MediaError
from vidence.exports.report.thumbnails import data_uri
from vidence.media import open_media
from vidence.memory.runs import Run, RunStep
from vidence.timeline import clock, instant

SHOWN = 8  # pictures of one look, spread over what was looked at
PICTURES, SIDE = 64, 240  # at most so many on the page; about 8 kB each


def render_run(run: Run, *, name: str | None = None) -> str:
    """Return a run as HTML, its medium called `name` (default: as its file).

    Pictures are opened anew; where the file is gone or changed there are none.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["clock"] = lambda seconds: clock(instant(float(seconds)))
    text = resources.files("vidence.exports.run").joinpath("run.html.j2").read_text(encoding="utf-8")
    style = resources.files("vidence.exports.report").joinpath("report.css").read_text(encoding="utf-8")
    return environment.from_string(text).render(
        run=run,
        name=name or Path(run.path).name,
        asked=datetime.fromtimestamp(run.asked).strftime("%Y-%m-%d %H:%M:%S"),
        style=style,
        pictures=_pictures(run),
        times_of=_times,
        best=_best,
    )


def _pictures(run: Run) -> dict[float, str]:
    """Open the frames that were looked at and those that are cited, by time in seconds."""
    cited = [
        (span["start_s"] + span["end_s"]) / 2
        for claim in (run.answer or {}).get("claims", ())
        for span in claim["spans"]
    ]
    times = list(dict.fromkeys([*cited, *(time for step in run.steps for time in _times(step))]))[:PICTURES]
    try:
        with open_media(run.path) as media:
            if media.hash != run.medium or media.info.video is None or not times:
                return {}
            frames = media.frames_at([instant(time) for time in times], max_side=SIDE, mode="exact")
    except MediaError:
        return {}
    return {time: data_uri(frame.image) for time, frame in zip(times, frames, strict=True)}


def _times(step: RunStep) -> list[float]:
    """Return a few of the times that a step looked at."""
    times: Sequence[float] = step.data.get("times_s", ())
    count = min(len(times), SHOWN)
    return [times[at * len(times) // count] for at in range(count)]


def _best(step: RunStep) -> list[Mapping[str, Any]]:
    """Return the likeliest hypotheses of a step's belief."""
    return sorted(step.data.get("hypotheses", ()), key=lambda one: -one["probability"])[:5]
