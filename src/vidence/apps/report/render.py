"""Fill the template of an application's page."""

from __future__ import annotations

from vidence.apps.report.page import AppPage
from vidence.exports.report.template import fill


def render(page: AppPage) -> str:
    """Return the page as HTML; all that comes from the video is escaped, and no script in it can run."""
    return fill(
        "apps/report/app.html.j2",
        page.info.span,
        styles=("exports/report/report.css", "apps/report/app.css"),
        scripts=("exports/report/report.js", "apps/report/app.js"),
        page=page,
    )
