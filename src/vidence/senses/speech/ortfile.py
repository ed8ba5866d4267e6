"""Read a graph that was frozen in ONNX Runtime's own file format (.ort) back into an ONNX model.

ONNX Runtime runs an .ort file as it is, without optimizing: Moonshine's 8-bit weights are then widened to 32
bits anew at every decoded token. As an ONNX model the same graph can be optimized, changed and asked for more
outputs. The format is a flatbuffer whose reader comes inside the onnxruntime package.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
from onnx import helper


def read_ort(path: Path) -> onnx.ModelProto:
    """Read an .ort file as an ONNX model of the same computation, its nodes in an order that can be run."""
    from onnxruntime.tools.ort_format_model.ort_flatbuffers_py.fbs.InferenceSession import InferenceSession

    frozen: Any = InferenceSession.GetRootAsInferenceSession(path.read_bytes(), 0).Model()  # type: ignore[no-untyped-call]
    versions = _each(frozen.OpsetImport, frozen.OpsetImportLength())
    plain = [
        helper.make_opsetid("", one.Version()) for one in versions if _text(one.Domain()) in ("", "ai.onnx")
    ]
    graph = _graph(frozen.Graph(), "main")
    return helper.make_model(graph, opset_imports=plain, ir_version=frozen.IrVersion())


def branches(graph: onnx.GraphProto) -> list[onnx.GraphProto]:
    """Return the graph and every graph nested in it (the branches of its conditionals)."""
    nested = [a.g for node in graph.node for a in node.attribute if a.type == onnx.AttributeProto.GRAPH]
    return [graph, *(inner for one in nested for inner in branches(one))]


def replace_nodes(graph: onnx.GraphProto, nodes: list[onnx.NodeProto]) -> None:
    """Give the graph these nodes instead of its own (which may be among them)."""
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(copies)


def _each(get: Callable[[int], Any], count: int) -> list[Any]:
    return [get(index) for index in range(count)]


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode()


def _graph(frozen: Any, name: str) -> onnx.GraphProto:
    graph = onnx.GraphProto(name=name)
    kinds = {one.name: one for one in map(_value, _each(frozen.NodeArgs, frozen.NodeArgsLength()))}
    graph.initializer.extend(map(_tensor, _each(frozen.Initializers, frozen.InitializersLength())))
    weights = {tensor.name for tensor in graph.initializer}
    inputs = map(_text, _each(frozen.Inputs, frozen.InputsLength()))
    graph.input.extend(kinds[one] for one in inputs if one not in weights)
    graph.output.extend(kinds[_text(one)] for one in _each(frozen.Outputs, frozen.OutputsLength()))
    graph.node.extend(_in_order(list(map(_node, _each(frozen.Nodes, frozen.NodesLength())))))
    return graph


def _node(frozen: Any) -> onnx.NodeProto:
    node = onnx.NodeProto(
        name=_text(frozen.Name()), op_type=_text(frozen.OpType()), domain=_text(frozen.Domain())
    )
    node.input.extend(map(_text, _each(frozen.Inputs, frozen.InputsLength())))
    node.output.extend(map(_text, _each(frozen.Outputs, frozen.OutputsLength())))
    node.attribute.extend(map(_attribute, _each(frozen.Attributes, frozen.AttributesLength())))
    return node


def _attribute(frozen: Any) -> onnx.AttributeProto:
    attribute = onnx.AttributeProto(name=_text(frozen.Name()), type=frozen.Type())
    match frozen.Type():
        case onnx.AttributeProto.FLOAT:
            attribute.f = frozen.F()
        case onnx.AttributeProto.INT:
            attribute.i = frozen.I()
        case onnx.AttributeProto.STRING:
            attribute.s = frozen.S()
        case onnx.AttributeProto.TENSOR:
            attribute.t.CopyFrom(_tensor(frozen.T()))
        case onnx.AttributeProto.GRAPH:
            attribute.g.CopyFrom(_graph(frozen.G(), attribute.name))
        case onnx.AttributeProto.FLOATS:
            attribute.floats.extend(_each(frozen.Floats, frozen.FloatsLength()))
        case onnx.AttributeProto.INTS:
            attribute.ints.extend(_each(frozen.Ints, frozen.IntsLength()))
        case other:
            raise ValueError(
                f"attribute {attribute.name!r} is of kind {other}, which this reader does not know"
            )
    return attribute


def _tensor(frozen: Any) -> onnx.TensorProto:
    raw = frozen.RawDataAsNumpy().tobytes() if frozen.RawDataLength() else b""
    dims = _each(frozen.Dims, frozen.DimsLength())
    return onnx.TensorProto(name=_text(frozen.Name()), data_type=frozen.DataType(), dims=dims, raw_data=raw)


def _value(frozen: Any) -> onnx.ValueInfoProto:
    from onnxruntime.tools.ort_format_model.ort_flatbuffers_py.fbs.TensorTypeAndShape import (
        TensorTypeAndShape,
    )

    info = onnx.ValueInfoProto(name=_text(frozen.Name()))
    if frozen.Type() is None:
        return info
    kind: Any = TensorTypeAndShape()  # the schema holds it in a union, which the reader leaves untyped
    kind.Init(frozen.Type().Value().Bytes, frozen.Type().Value().Pos)
    info.type.tensor_type.elem_type = kind.ElemType()
    if shape := kind.Shape():
        for one in _each(shape.Dim, shape.DimLength()):
            size, dim = one.Value(), info.type.tensor_type.shape.dim.add()
            if size is not None and size.DimType() == 1:
                dim.dim_value = size.DimValue()
            elif size is not None and size.DimParam():
                dim.dim_param = _text(size.DimParam())
    return info


def _in_order(nodes: list[onnx.NodeProto]) -> list[onnx.NodeProto]:
    """Sort so that each node follows those whose results it reads; the frozen file keeps no such order."""
    made = {name for node in nodes for name in node.output}
    waiting = [(node, _reads(node) & made) for node in nodes]
    done: set[str] = set()
    ordered: list[onnx.NodeProto] = []
    while waiting:
        late = []
        for node, reads in waiting:
            if reads <= done:
                ordered.append(node)
                done.update(node.output)
            else:
                late.append((node, reads))
        if len(late) == len(waiting):
            raise ValueError(f"the graph's nodes wait for each other, e.g. {late[0][0].name!r}")
        waiting = late
    return ordered


def _reads(node: onnx.NodeProto) -> set[str]:
    """Names a node reads, those that its branches take from outside included."""
    names = set(node.input)
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            inside = {name for inner in attribute.g.node for name in inner.output}
            names |= {name for inner in attribute.g.node for name in _reads(inner)} - inside
    return names
