"""Fill the template of a video's report."""

from __future__ import annotations

from vidence.exports.report.page import Page
from vidence.exports.report.template import fill


def render(page: Page) -> str:
    """Return the report as HTML; all that comes from the video is escaped, and no script in it can run."""
    return fill(
        "exports/report/report.html.j2",
        page.info.span,
        styles=("exports/report/report.css",),
        scripts=("exports/report/report.js",),
        page=page,
    )
