"""Keep what was perceived, find it again, and know what was not seen."""

from vidence.memory.coverage import Coverage, Failure, Perceived
from vidence.memory.indexing import IndexReport, Progress, index
from vidence.memory.medium import Medium
from vidence.memory.memory import Memory, default_path, seen_folder
from vidence.memory.outline import Moment, Scene, Shot
from vidence.memory.search import Hit

__all__ = [
    "Coverage",
    "Failure",
    "Hit",
    "IndexReport",
    "Medium",
    "Memory",
    "Moment",
    "Perceived",
    "Progress",
    "Scene",
    "Shot",
    "default_path",
    "index",
    "seen_folder",
]
