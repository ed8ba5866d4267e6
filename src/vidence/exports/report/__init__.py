"""The report: one self-contained HTML page with the timeline of a video and the evidence of its answers."""

from vidence.exports.report.page import Page, gather
from vidence.exports.report.render import render

__all__ = ["Page", "gather", "render"]
