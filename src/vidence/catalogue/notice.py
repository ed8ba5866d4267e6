"""Compile NOTICE from the catalogue, so that no weights are used by default without being named there.

The scripts of others that the web page contains are named there as well, from the list that lies beside them.

`python -m vidence.catalogue.notice NOTICE` writes it anew; a test fails while it is out of date.
"""

from __future__ import annotations

import json
import sys
from importlib import resources
from pathlib import Path
from textwrap import fill, indent
from typing import Any

from vidence.catalogue.entry import Entry
from vidence.catalogue.shelf import entries

HEAD = """Vidence
Copyright 2026 The Vidence authors

Licensed under the Apache License, Version 2.0; see LICENSE.

Vidence contains the weights of one model, src/vidence/models/nano, trained from nothing on videos that this package
draws, and under its licence. Those below are used by default: each is fetched at its first use from the source named,
checked against a pinned hash, and used under its own licence.

The names of classes and their kinds in src/vidence/senses/looks/data were drawn from WordNet 3.0, Copyright 2006 by
Princeton University; its licence is src/vidence/senses/looks/data/LICENSE-WordNet.txt.
"""


SCRIPTS = "serving/page/vendor"  # under the package; read as data, nothing of it is imported
SCRIPTS_HEAD = f"""
The web page contains the scripts below, unmodified, each under its own licence; the licences lie beside them in
src/vidence/{SCRIPTS}.
"""


def compile_notice() -> str:
    """Return the text of NOTICE: every default entry and every script, with licence and source."""
    weights = "\n".join(_paragraph(one) for one in entries() if one.default)
    return f"{HEAD}\n{weights}{SCRIPTS_HEAD}\n" + "\n".join(_script(one) for one in scripts())


def scripts() -> list[dict[str, Any]]:
    """Return what is recorded of each script of others: file, package, version, licence, source, hash."""
    listed = resources.files("vidence").joinpath(SCRIPTS, "vendor.json").read_text(encoding="utf-8")
    return json.loads(listed)["scripts"]


def _paragraph(entry: Entry) -> str:
    source = entry.sources[0] if len(entry.sources) == 1 else entry.sources[-1]
    about = f"{entry.title}\nLicence: {entry.licence_url}\nSource: {source.describe()}\n"
    return f"* {entry.name} ({entry.licence})\n{indent(about, '  ')}"


def _script(one: dict[str, Any]) -> str:
    about = fill(f"{one['about']}.", width=116)
    about += f"\nLicence: {', '.join(one['licence_files'])}\nSource: {one['source']}\n"
    return f"* {one['package']} {one['version']} ({one['licence']})\n{indent(about, '  ')}"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(compile_notice(), encoding="utf-8")
