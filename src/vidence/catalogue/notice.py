"""Compile NOTICE from the catalogue, so that no weights are used by default without being named there.

`python -m vidence.catalogue.notice NOTICE` writes it anew; a test fails while it is out of date.
"""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import indent

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


def compile_notice() -> str:
    """Return the text of NOTICE: every default entry with its licence, where the licence is, and its first source."""
    return HEAD + "\n" + "\n".join(_paragraph(one) for one in entries() if one.default)


def _paragraph(entry: Entry) -> str:
    source = entry.sources[0] if len(entry.sources) == 1 else entry.sources[-1]
    about = f"{entry.title}\nLicence: {entry.licence_url}\nSource: {source.describe()}\n"
    return f"* {entry.name} ({entry.licence})\n{indent(about, '  ')}"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(compile_notice(), encoding="utf-8")
