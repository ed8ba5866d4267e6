"""`vidence transcribe`: what is said, as subtitles or text."""

from __future__ import annotations

from vidence.cli.perceiving import perceiving

EXPLANATION = """Write what is said in FILE, with times. Subtitles of the file are used where it has them.

\b
vidence transcribe talk.mp4 -f srt -o talk.srt
vidence transcribe talk.mp4 -f srt,vtt,json -o subtitles/
vidence transcribe vortrag.mp4 --language de
"""

command = perceiving(
    "transcribe", "speech", "Write what is said.", EXPLANATION, "no speech was found", tiers=True
)
