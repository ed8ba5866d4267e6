"""Write EfficientNet-lite0 out as an ONNX graph, once, from its PyTorch weights.

EfficientNet-lite0 (Tan and Le 2019, arXiv 1905.11946; the lite variant has ReLU6 and no squeeze-and-excite):
stem, 16 inverted residual blocks, head, mean, 1000 ImageNet classes. Batch norms are folded into the
convolutions before them. The graph takes any height and width, as all but its mean is convolution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vidence.errors import WeightsError
from vidence.senses.looks.state_dict import read_state_dict

if TYPE_CHECKING:
    import onnx

STEM_STRIDE = 2
# (blocks, kernel, stride of the first, expansion, channels) of each stage, table 1 of the paper
STAGES = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112),
          (4, 5, 2, 6, 192), (1, 3, 1, 6, 320))  # fmt: skip
NORM_EPSILON = 1e-3
OPSET, IR_VERSION = 17, 8  # run by every onnxruntime since 1.12
FEATURES, CLASSES = 1280, 1000


def build(source: Path, target: Path) -> None:
    """Write the graph for the weights in `source` (.pth) to `target` (.onnx).

    Input "pixels" (N, 3, H, W) float32; outputs "map" (N, 1280, H/32, W/32), "feature" (N, 1280): its mean, and
    "logits" (N, 1000).

    Raises:
        WeightsError: the weights are not those of EfficientNet-lite0.
    """
    import onnx

    state = read_state_dict(source)
    try:
        model = _model(state)
    except KeyError as problem:
        raise WeightsError(f"{source} lacks {problem}; it is not EfficientNet-lite0") from problem
    onnx.checker.check_model(model)
    onnx.save(model, str(target))


@dataclass(slots=True)
class _Writer:
    """Appends nodes in order; names follow the weights'."""

    state: dict[str, np.ndarray]
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: list[onnx.TensorProto] = field(default_factory=list)

    def constant(self, name: str, value: np.ndarray) -> str:
        from onnx import numpy_helper

        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=output, **attributes))
        return output

    def conv(self, x: str, conv: str, norm: str, *, stride: int = 1, relu6: bool = True) -> str:
        """Add a convolution with its batch norm folded in; padding as TensorFlow's SAME (more at the end)."""
        weight = self.state[f"{conv}.weight"].astype(np.float64)
        mean, variance = self.state[f"{norm}.running_mean"], self.state[f"{norm}.running_var"]
        scale = self.state[f"{norm}.weight"] / np.sqrt(variance.astype(np.float64) + NORM_EPSILON)
        folded = (weight * scale[:, None, None, None]).astype(np.float32)
        bias = (self.state[f"{norm}.bias"] - mean * scale).astype(np.float32)
        group = folded.shape[0] if folded.shape[1] == 1 and conv.endswith("_depthwise_conv") else 1
        inputs = [x, self.constant(f"{conv}.weight", folded), self.constant(f"{conv}.bias", bias)]
        y = self.node("Conv", inputs, conv, strides=[stride] * 2, group=group, auto_pad="SAME_UPPER")
        return self.node("Clip", [y, "zero", "six"], f"{conv}.relu6") if relu6 else y

    def block(self, x: str, index: int, stride: int, expansion: int, residual: bool) -> str:
        name = f"_blocks.{index}."
        y = x if expansion == 1 else self.conv(x, f"{name}_expand_conv", f"{name}_bn0")
        y = self.conv(y, f"{name}_depthwise_conv", f"{name}_bn1", stride=stride)
        y = self.conv(y, f"{name}_project_conv", f"{name}_bn2", relu6=False)
        return self.node("Add", [x, y], f"{name}sum") if residual else y


def _model(state: dict[str, np.ndarray]) -> onnx.ModelProto:
    from onnx import TensorProto, helper

    w = _Writer(state)
    w.constant("zero", np.array(0.0, np.float32))
    w.constant("six", np.array(6.0, np.float32))
    x = w.conv("pixels", "_conv_stem", "_bn0", stride=STEM_STRIDE)
    index = 0
    for blocks, _, first_stride, expansion, _ in STAGES:
        for position in range(blocks):
            stride = first_stride if position == 0 else 1
            x = w.block(x, index, stride, expansion, residual=position > 0)
            index += 1
    w.node("Identity", [w.conv(x, "_conv_head", "_bn1")], "map")
    w.node("ReduceMean", ["map"], "feature", axes=[2, 3], keepdims=0)
    head = [w.constant("_fc.weight", state["_fc.weight"]), w.constant("_fc.bias", state["_fc.bias"])]
    w.node("Gemm", ["feature", *head], "logits", transB=1)
    pixels = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", 3, "h", "w"])
    outputs = [
        helper.make_tensor_value_info("map", TensorProto.FLOAT, ["n", FEATURES, "rows", "columns"]),
        helper.make_tensor_value_info("feature", TensorProto.FLOAT, ["n", FEATURES]),
        helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", CLASSES]),
    ]
    graph = helper.make_graph(w.nodes, "efficientnet_lite0", [pixels], outputs, w.weights)
    opset = [helper.make_opsetid("", OPSET)]
    return helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION, producer_name="vidence")
