"""`vidence search`: find moments in everything that was indexed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vidence.cli.console import emit, note, paint, say
from vidence.cli.options import json_option, memory_option, require_text, verbosity_options


@click.command("search", short_help="Find moments in all indexed videos.")
@click.argument("query")
@click.option(
    "--in", "files", multiple=True, metavar="FILE", help="Only in this indexed file; repeat it for more."
)
@click.option("--senses", "names", metavar="LIST", help="Only what these perceived, e.g. speech,text.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, metavar="N", help="Moments at most."
)
@memory_option
@json_option
@verbosity_options
def command(
    query: str, files: tuple[str, ...], names: str | None, limit: int, memory: Path | None, as_json: bool
) -> None:
    """Find the moments that fit QUERY, in any language, best first, in all indexed videos.

    \b
    vidence search "someone opens a door"
    vidence search "budget" --in meeting.mp4 --senses speech --json
    """
    query = require_text(query, "query")
    from vidence.cli.opening import split_names
    from vidence.cli.stored import find_medium
    from vidence.memory import Memory
    from vidence.senses import default_senses

    senses = [sense.name for sense in default_senses(split_names(names))] if names else None
    with Memory.open(memory) as store:
        media = [find_medium(store, file).hash for file in files] or None
        paths = {medium.hash: medium.path for medium in store.media()}
        hits = store.search(query, media=media, senses=senses, limit=limit)
    if as_json:
        emit({"query": query, "hits": [_hit(hit, paths) for hit in hits]})
    else:
        for hit in hits:
            place = f"{Path(paths.get(hit.medium, hit.medium)).name}  {hit.observation.span}"
            click.echo(paint(place, bold=True))
            say(f"{hit.observation.sense}: {hit.observation.text}", indent=2, hang=2)
        if not hits:
            note("nothing that was indexed fits")
    click.get_current_context().exit(0 if hits else 1)


def _hit(hit: Any, paths: dict[str, str]) -> dict[str, Any]:
    from vidence.exports.records import record

    why = {name: round(value, 6) for name, value in hit.why.items()}
    return {
        "medium": hit.medium,
        "path": paths.get(hit.medium),
        "score": round(hit.score, 6),
        "why": why,
        "observation": record(hit.observation),
    }
