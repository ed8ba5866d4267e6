"""Keep what was perceived, find it again, and know what was not seen."""

from vidence.memory.coverage import Coverage, Failure, Perceived
from vidence.memory.indexing import IndexReport, Progress, index
from vidence.memory.medium import Medium
from vidence.memory.memory import Memory

__all__ = ["Coverage", "Failure", "IndexReport", "Medium", "Memory", "Perceived", "Progress", "index"]
