"""`vidence read`: what is written in the picture."""

from __future__ import annotations

from vidence.cli.perceiving import perceiving

EXPLANATION = """Write the text that is seen in FILE: each sign or line once, with the time it is on screen.

\b
vidence read slides.mp4 -f csv -o slides.csv
"""

command = perceiving("read", "text", "Write the text seen in the picture.", EXPLANATION, "no text was found")
