"""One HTML page about one run: its steps with the frames that were looked at, beliefs, verdicts, cost."""

from vidence.exports.run.page import render_run

__all__ = ["render_run"]
