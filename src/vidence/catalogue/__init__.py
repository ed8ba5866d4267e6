"""The model catalogue: which weights each sense uses, under which licence, and where they come from.

`weights("silero-vad")` gives the path of a verified file, fetched at first use. Every entry is one TOML file
in `entries/`; every byte is checked against a pinned SHA-256 (or, where none can be known beforehand, against
the hash recorded when it was first fetched).
"""

from vidence.catalogue.entry import Entry, Tier
from vidence.catalogue.shelf import Row, digest, entries, entry, here, pull, rows, weights, where
from vidence.catalogue.source import Progress

__all__ = [
    "Entry",
    "Progress",
    "Row",
    "Tier",
    "digest",
    "entries",
    "entry",
    "here",
    "pull",
    "rows",
    "weights",
    "where",
]
