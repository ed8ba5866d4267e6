"""Write observations in the formats that other tools read: one writer a file."""

from vidence.exports.writer import FORMATS, parse_formats, write

__all__ = ["FORMATS", "parse_formats", "write"]
