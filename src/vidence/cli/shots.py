"""`vidence shots`: where the cuts are."""

from __future__ import annotations

from vidence.cli.perceiving import perceiving

EXPLANATION = """Write the shots of FILE: from one cut to the next.

\b
vidence shots film.mp4 -f json --start 1:00 --end 2:30
"""

command = perceiving("shots", "shots", "Write the shots, cut to cut.", EXPLANATION, "no shots were found")
