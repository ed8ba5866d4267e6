"""Make the recognisers' graphs fit for use: attention over time made visible, 8-bit products in Moonshine's decoder.

All are built once from the verified .ort files (catalogue entries of kind "built"); they say the same words.
Moonshine, measured on 18 short recordings, one thread of an AMD EPYC: 100 ms a token as frozen, 13 ms optimized,
6 to 8 ms with the decoder's products done in 8 bits (330 MB resident in all instead of 850). The encoder keeps 32-bit
products: in 8 bits it got a word wrong that it knew before, and would have saved a tenth.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from vidence.senses.speech.moonshine import ATTENTION, ATTENTIVE_LAYERS
from vidence.senses.speech.ortfile import branches, read_ort, replace_nodes
from vidence.senses.speech.whisper import time_heads

_Packed = dict[
    str, tuple[str, str, str]
]  # name of a widened weight: names of its int8 values, scale, zero point


def build_encoder(source: Path, target: Path) -> None:
    """Write the sound encoder as ONNX, unchanged."""
    onnx.save(read_ort(source), target)


def build_decoder(source: Path, target: Path) -> None:
    """Write the text decoder as ONNX with 8-bit products and its cross-attention among the outputs."""
    model = read_ort(source)
    _multiply_in_int8(model)
    _show_attention(model.graph, ATTENTIVE_LAYERS)
    onnx.checker.check_model(model)
    onnx.save(model, target)


def build_whisper_encoder(source: Path, target: Path) -> None:
    """Write Whisper's sound encoder without the attention it also gives: 432 MB that nobody reads."""
    model = onnx.load(source)
    others = [one for one in model.graph.output if one.name != "last_hidden_state"]
    for one in others:
        model.graph.output.remove(one)
    onnx.save(model, target)


def build_whisper_decoder(source: Path, target: Path) -> None:
    """Write Whisper's text decoder with the cross-attention of its layers that follow the sound as outputs."""
    model = onnx.load(source)
    names = [one.name for one in model.graph.input]
    layers = sum(name.startswith("past_key_values.") and name.endswith(".decoder.key") for name in names)
    _show_attention(model.graph, sorted({layer for layer, _ in time_heads(layers)}))
    onnx.save(model, target)


def _multiply_in_int8(model: onnx.ModelProto) -> None:
    """Replace "widen the weight, then multiply" by one integer product; weights keep their exact values."""
    graph = model.graph
    packed = _unpack_widening(graph)
    for one in reversed(branches(graph)):  # inside out: replacing copies what is nested
        replace_nodes(one, [new for node in one.node for new in _narrowed(node, graph, packed)])
    used = {name for one in branches(graph) for node in one.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))


def _unpack_widening(graph: onnx.GraphProto) -> _Packed:
    """Find each Cast -> Mul by scale -> Add offset, remove the three, and name its 8-bit form instead."""
    weights = {tensor.name: tensor for tensor in graph.initializer}
    maker = {node.output[0]: node for node in graph.node}
    packed: _Packed = {}
    gone: set[str] = set()
    for add in graph.node:
        mul = maker.get(add.input[0]) if add.op_type == "Add" else None
        cast = maker.get(mul.input[0]) if mul and mul.op_type == "Mul" else None
        if not (mul and cast and cast.op_type == "Cast" and cast.input[0] in weights):
            continue
        values, name = cast.input[0], add.output[0]
        scale = float(numpy_helper.to_array(weights[mul.input[1]]).item())
        offset = float(numpy_helper.to_array(weights[add.input[1]]).item())
        zero = round(-offset / scale)  # value = scale * (int8 - zero)
        packed[name] = (values, f"{name}.scale", f"{name}.zero")
        graph.initializer.append(numpy_helper.from_array(np.asarray(scale, np.float32), f"{name}.scale"))
        graph.initializer.append(numpy_helper.from_array(np.asarray(zero, np.int8), f"{name}.zero"))
        gone |= {cast.output[0], mul.output[0], name}
    replace_nodes(graph, [node for node in graph.node if node.output[0] not in gone])
    return packed


def _narrowed(node: onnx.NodeProto, graph: onnx.GraphProto, packed: _Packed) -> list[onnx.NodeProto]:
    """The nodes that do the work of `node` on 8-bit weights."""
    out = node.output[0]
    if node.op_type == "Transpose" and node.input[0] in packed:
        values, scale, zero = packed[node.input[0]]
        packed[out] = (_transposed(values, graph), scale, zero)
        return []
    if node.op_type == "MatMul" and node.input[1] in packed:
        inputs = [node.input[0], *packed[node.input[1]]]
        return [helper.make_node("DynamicQuantizeMatMul", inputs, [out], node.name, domain="com.microsoft")]
    if node.op_type == "Gather" and node.input[0] in packed:
        values, scale, zero = packed[node.input[0]]
        return [
            helper.make_node("Gather", [values, node.input[1]], [f"{out}.int8"], node.name, axis=0),
            helper.make_node("DequantizeLinear", [f"{out}.int8", scale, zero], [out]),
        ]
    if kept := [name for name in node.input if name in packed]:
        raise ValueError(
            f"{node.op_type} {node.name!r} reads the 8-bit weight {kept[0]!r} in a way not known here"
        )
    return [node]


def _transposed(values: str, graph: onnx.GraphProto) -> str:
    name = f"{values}.transposed"
    known = {tensor.name: tensor for tensor in graph.initializer}
    if name not in known:
        turned = np.ascontiguousarray(numpy_helper.to_array(known[values]).T)
        graph.initializer.append(numpy_helper.from_array(turned, name))
    return name


def _show_attention(graph: onnx.GraphProto, layers: Sequence[int]) -> None:
    """Add the attention of some layers over the sound to the outputs of both branches and of the model."""
    choice = next(node for node in graph.node if node.op_type == "If")
    for branch in branches(graph)[1:]:
        for layer in layers:
            part = f"layers.{layer}/encoder_attn"
            name = next(n.output[0] for n in branch.node if n.op_type == "Softmax" and part in n.name)
            branch.output.append(_value_info(name))
    for layer in layers:
        choice.output.append(f"{ATTENTION}.{layer}")
        graph.output.append(_value_info(f"{ATTENTION}.{layer}"))


def _value_info(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [None] * 4)
