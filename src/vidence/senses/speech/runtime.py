"""Run an ONNX graph on one thread: the other cores belong to the other senses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np


class Graph:
    """A loaded graph. May be run by several threads at once."""

    def __init__(self, path: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors only
        self._session: Any = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self.inputs: tuple[str, ...] = tuple(one.name for one in self._session.get_inputs())

    @property
    def heads(self) -> tuple[int, int]:
        """Attention heads and their size, of a decoder that keeps what it has computed: (H, D) of its first cache."""
        cache = next(one for one in self._session.get_inputs() if one.name.startswith("past_key_values."))
        return int(cache.shape[1]), int(cache.shape[3])

    def run(self, outputs: Sequence[str], inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Return the named outputs."""
        return self._session.run(list(outputs), dict(inputs))
