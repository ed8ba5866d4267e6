"""Fill the template of an application's page."""

from __future__ import annotations

from vidence.apps.report.page import AppPage
from vidence.exports.report.template import fill, hash_of, joined

STYLES = ("exports/report/report.css", "apps/report/app.css")
SCRIPTS = ("exports/report/report.js", "apps/report/app.js")


def hashes() -> dict[str, str]:
    """Return the hashes of a page's style and script, as a content security policy names them."""
    return {"style": hash_of(joined(STYLES)), "script": hash_of(joined(SCRIPTS))}


def render(page: AppPage) -> str:
    """Return the page as HTML; all that comes from the video is escaped, and no script in it can run."""
    return fill(
        "apps/report/app.html.j2",
        page.info.span,
        styles=STYLES,
        scripts=SCRIPTS,
        page=page,
    )
