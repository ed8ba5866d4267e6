"""Ask any video a question and get an answer whose every claim cites evidence that was re-opened and checked.

import vidence
video = vidence.open("lecture.mp4")
answer = video.ask("What is written on the board at the end?")
print(answer.text, answer.claims)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = ["__version__", "open"]

if TYPE_CHECKING:
    from vidence.video import open
else:

    def __getattr__(name: str) -> object:
        """Load the public entry point on first use, so that `import vidence` stays light (PEP 562)."""
        if name == "open":
            from vidence.video import open as entry

            return entry
        raise AttributeError(f"module 'vidence' has no attribute {name!r}")
