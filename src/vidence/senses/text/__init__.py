"""Read what is written in pictures, and follow each line through time."""

from vidence.senses.text.line import Line
from vidence.senses.text.reading import read_image
from vidence.senses.text.sense import Text

__all__ = ["Line", "Text", "read_image"]
