"""What can be perceived: one sense a file. Naming the senses imports none of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from vidence.catalogue import here
from vidence.errors import UsageError
from vidence.plugins import installed
from vidence.senses.observation import Box, Modality, Observation, Producer
from vidence.senses.sense import SEGMENT_S, AudioSense, Cost, Sampling, Sense, VisualSense, Watcher
from vidence.senses.tiers import STANDARD, Choice, chosen_tier, is_strong

if TYPE_CHECKING:
    import numpy as np

SENSES = {
    "shots": "Shots",
    "speech": "Speech",
    "text": "Text",
    "objects": "Objects",
    "faces": "Faces",
    "looks": "Looks",
    "captions": "Captions",
    "motion": "Motion",
    "colour": "Colour",
    "sound": "Sound",
}
"""Name of a sense (its module in this package) → its class, in the order in which they are run and listed."""

__all__ = [
    "SEGMENT_S",
    "SENSES",
    "AudioSense",
    "Box",
    "Cost",
    "Modality",
    "Observation",
    "Producer",
    "Sampling",
    "Sense",
    "VisualSense",
    "Watcher",
    "default_senses",
    "query_encoders",
]


def default_senses(
    names: Collection[str] | None = None, *, tier: str | None = None, language: str = "auto"
) -> list[Sense]:
    """Build the senses, in the order of `SENSES`; weights are loaded when first used.

    Args:
        names: which; None for all that have weights in the tier (captions exist in the standard tier alone).
        tier: "auto", "embedded" or "standard" (see `senses.tiers`); None: $VIDENCE_TIER, else "auto".
        language: spoken in the media, as a code, or "auto".

    Senses of installed packages (entry points of the group "vidence.senses", called without arguments) come last.

    Raises:
        UsageError: a name is not that of a sense, there is no such tier or language, or a package cannot be imported.
    """
    added = installed("vidence.senses")
    if unknown := sorted(set(names or ()) - set(SENSES) - set(added)):
        raise UsageError(f"no sense is called {', '.join(unknown)}; there are {', '.join([*SENSES, *added])}")
    level = chosen_tier(tier)
    wanted = [name for name in SENSES if name in names] if names is not None else _all_in(level)
    own = [_build(name, level, language) for name in wanted]
    return own + [make() for name, make in added.items() if names is None or name in names]


def query_encoders() -> dict[str, Callable[[Sequence[str]], np.ndarray]]:
    """Return what turns a query into a vector of the standard tier's looks, by space; none where it is not here."""
    if not here(STANDARD["looks"]):
        return {}
    from vidence.senses.looks import standard_eye

    eye = standard_eye()
    return {eye.space: eye.phrases}


def _all_in(level: Choice) -> list[str]:
    return [name for name in SENSES if name != "captions" or is_strong(name, level)]


def _build(name: str, level: Choice, language: str) -> Sense:
    module = import_module(f"{__name__}.{name}")
    kind, strong = getattr(module, SENSES[name]), is_strong(name, level)
    if name == "speech":
        return kind(language, STANDARD[name] if strong else "whisper-base")
    if name == "objects" and strong:
        return kind(STANDARD[name], None)
    if name == "looks" and strong:
        return kind(module.standard_eye())
    return kind()
