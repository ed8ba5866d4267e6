"""Run an ONNX graph on one thread: the other cores belong to the other senses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


def open_session(path: Path, *, varied: bool = False) -> InferenceSession:
    """Load a graph into onnxruntime.

    `varied` is for inputs of ever other shapes, such as lines of text: nothing is kept from one run to the next, as an
    arena keeps the largest of each shape. Nor are weights stored a second time in the order of the kernels: 74 MB
    less for the reader of text, and no slower.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only
    if varied:
        options.enable_cpu_mem_arena = False
        options.add_session_config_entry("session.disable_prepacking", "1")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class Graph:
    """A loaded graph. May be run by several threads at once."""

    def __init__(self, path: Path) -> None:
        self._session: Any = open_session(path)
        self.inputs: tuple[str, ...] = tuple(one.name for one in self._session.get_inputs())

    @property
    def heads(self) -> tuple[int, int]:
        """Attention heads and their size, of a decoder that keeps what it has computed: (H, D) of its first cache."""
        cache = next(one for one in self._session.get_inputs() if one.name.startswith("past_key_values."))
        return int(cache.shape[1]), int(cache.shape[3])

    def run(self, outputs: Sequence[str], inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Return the named outputs."""
        return self._session.run(list(outputs), dict(inputs))
