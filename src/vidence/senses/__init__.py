"""What can be perceived: one sense a file. Naming the senses imports none of them."""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module

from vidence.errors import UsageError
from vidence.senses.observation import Box, Modality, Observation, Producer
from vidence.senses.sense import SEGMENT_S, AudioSense, Cost, Sampling, Sense, VisualSense, Watcher

SENSES = {
    "shots": "Shots",
    "speech": "Speech",
    "text": "Text",
    "objects": "Objects",
    "faces": "Faces",
    "looks": "Looks",
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
]


def default_senses(names: Collection[str] | None = None) -> list[Sense]:
    """Build the senses (default: all), in the order of `SENSES`; weights are loaded when first used.

    Raises:
        UsageError: a name is not that of a sense.
    """
    if unknown := sorted(set(names or ()) - set(SENSES)):
        raise UsageError(f"no sense is called {', '.join(unknown)}; there are {', '.join(SENSES)}")
    return [
        getattr(import_module(f"{__name__}.{name}"), kind)()
        for name, kind in SENSES.items()
        if names is None or name in names
    ]
