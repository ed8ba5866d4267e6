"""The report of an application: one self-contained HTML page of findings with pictures and clips."""

from vidence.apps.report.page import AppPage, gather
from vidence.apps.report.render import render

__all__ = ["AppPage", "gather", "render"]
