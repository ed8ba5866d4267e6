"""Graphs read exactly: TensorFlow.js to ONNX, and both exports of D-FINE behind one detector."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from vidence.errors import WeightsError
from vidence.senses.objects.detectors import Detection, DFine, load, select
from vidence.senses.objects.look import detect, pair
from vidence.senses.objects.tfjs import Converter, read_weights
from vidence.senses.observation import Box


def text(value: str) -> dict[str, str]:
    return {"s": base64.b64encode(value.encode()).decode()}


def numbers(*values: int) -> dict[str, Any]:
    return {"list": {"i": [str(value) for value in values]}}


def node(name: str, op: str, inputs: list[str], **attributes: Any) -> dict[str, Any]:
    return {"name": name, "op": op, "input": inputs, "attr": attributes}


def convolve(image_YXC: np.ndarray, kernel_YXIO: np.ndarray, stride: int) -> np.ndarray:
    """Say again, slowly, what TensorFlow means by SAME: the odd pixel of padding lies below and to the right."""
    rows, columns, _ = image_YXC.shape
    size = kernel_YXIO.shape[0]
    out_rows, out_columns = -(-rows // stride), -(-columns // stride)
    pad_y = max((out_rows - 1) * stride + size - rows, 0)
    pad_x = max((out_columns - 1) * stride + size - columns, 0)
    padded = np.pad(image_YXC, ((pad_y // 2, pad_y - pad_y // 2), (pad_x // 2, pad_x - pad_x // 2), (0, 0)))
    out = np.zeros((out_rows, out_columns, kernel_YXIO.shape[3]), np.float64)
    for y in range(out_rows):
        for x in range(out_columns):
            patch = padded[y * stride : y * stride + size, x * stride : x * stride + size]
            out[y, x] = np.einsum("yxi,yxio->o", patch, kernel_YXIO)
    return out


def test_a_graph_model_computes_the_same_as_onnx() -> None:
    import onnxruntime

    rng = np.random.default_rng(3)
    kernel = rng.normal(size=(3, 3, 3, 4)).astype(np.float16)
    depth = rng.normal(size=(3, 3, 4, 2)).astype(np.float16)
    rest = rng.normal(size=(4, 8)).astype(np.float32)  # scale, bias, mean, variance
    rest[3] = np.abs(rest[3]) + 0.5
    manifest = [
        {
            "paths": ["a", "b"],
            "weights": [
                {
                    "name": "k",
                    "shape": [3, 3, 3, 4],
                    "dtype": "float32",
                    "quantization": {"dtype": "float16"},
                },
                {
                    "name": "d",
                    "shape": [3, 3, 4, 2],
                    "dtype": "float32",
                    "quantization": {"dtype": "float16"},
                },
                *({"name": name, "shape": [8], "dtype": "float32"} for name in "sbmv"),
            ],
        }
    ]
    blob = kernel.tobytes() + depth.tobytes() + rest.tobytes()
    weights = read_weights(manifest, {"a": blob[:101], "b": blob[101:]}.__getitem__)
    assert weights["k"].dtype == np.float32

    same = {"padding": text("SAME"), "dilations": numbers(1, 1, 1, 1)}
    nodes = [
        node("in", "Placeholder", []),
        node("conv", "Conv2D", ["in", "k"], strides=numbers(1, 2, 2, 1), **same),
        node("six", "Relu6", ["conv"]),
        node("deep", "DepthwiseConv2dNative", ["six", "d"], strides=numbers(1, 1, 1, 1), **same),
        node("norm", "FusedBatchNorm", ["deep", "s", "b", "m", "v"], epsilon={"f": 0.001}),
    ]
    graph = Converter(nodes, weights)
    graph.input("image", "in", (1, 9, 6, 3))
    graph.output("out", "norm", (1, 5, 3, 8))
    session = onnxruntime.InferenceSession(graph.model("t").SerializeToString())
    image = rng.normal(size=(1, 9, 6, 3)).astype(np.float32)
    (given,) = session.run(None, {"image": image})

    six = np.clip(convolve(image[0], kernel.astype(float), 2), 0, 6)
    deep = np.concatenate(
        [convolve(six[..., [c]], depth[:, :, [c]].astype(float), 1) for c in range(4)], axis=-1
    )
    wanted = (deep - rest[2]) / np.sqrt(rest[3] + 0.001) * rest[0] + rest[1]
    np.testing.assert_allclose(np.asarray(given)[0], wanted, atol=2e-4)


def test_an_unknown_operation_and_a_short_shard_are_errors() -> None:
    graph = Converter([node("in", "Placeholder", []), node("x", "MysteryOp", ["in"])], {})
    graph.input("image", "in", (1,))
    with pytest.raises(WeightsError, match="MysteryOp"):
        graph.output("out", "x", (1,))
    manifest = [{"paths": ["a"], "weights": [{"name": "w", "shape": [3], "dtype": "float32"}]}]
    with pytest.raises(WeightsError, match="end within w"):
        read_weights(manifest, lambda _: b"\0" * 11)
    with pytest.raises(WeightsError, match="13 bytes"):
        read_weights(manifest, lambda _: b"\0" * 13)


def constant_graph(
    path: Path, inputs: dict[str, tuple[int, list[int]]], outputs: dict[str, np.ndarray]
) -> Path:
    """Write a graph that answers the same whatever it is shown, with the signature of a detector."""
    nodes = [
        helper.make_node("Constant", [], [name], value=numpy_helper.from_array(v))
        for name, v in outputs.items()
    ]
    graph = helper.make_graph(
        nodes,
        "d",
        [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()],
        [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape)
            for name, v in outputs.items()
        ],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    return path


def authors_export(path: Path) -> Path:
    picture = (TensorProto.FLOAT, [1, 3, 640, 640])
    return constant_graph(
        path,
        {"images": picture, "orig_target_sizes": (TensorProto.INT64, [1, 2])},
        {
            "labels": np.array([[0, 16, 2]], np.int64),
            "boxes": np.array([[[0.1, 0.2, 0.4, 0.8], [0.5, 0.5, 0.9, 0.9], [0, 0, 1, 1]]], np.float32),
            "scores": np.array([[0.7, 0.9, 0.1]], np.float32),
        },
    )


def transformers_export(path: Path) -> Path:
    logits = np.full((1, 3, 80), -9.0, np.float32)
    for query, (kind, chance) in enumerate([(0, 0.7), (16, 0.9), (2, 0.1)]):
        logits[0, query, kind] = np.log(chance / (1 - chance))
    boxes = np.array([[[0.25, 0.5, 0.3, 0.6], [0.7, 0.7, 0.4, 0.4], [0.5, 0.5, 1, 1]]], np.float32)
    picture = (TensorProto.FLOAT, [1, 3, 640, 640])
    return constant_graph(path, {"pixel_values": picture}, {"logits": logits, "pred_boxes": boxes})


@pytest.mark.parametrize("export", [authors_export, transformers_export])
def test_both_exports_of_dfine_drop_in_by_entry_name(
    export: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = export(tmp_path / "model.onnx")
    (tmp_path / "entries").mkdir()
    name = f"dfine-{export.__name__.split('_')[0]}"
    (tmp_path / "entries" / f"{name}.toml").write_text(
        f'title = "t"\nsense = "objects"\ntier = "standard"\nlicence = "Apache-2.0"\nbytes = {graph.stat().st_size}\n'
        f'sha256 = "{hashlib.sha256(graph.read_bytes()).hexdigest()}"\n'
        f'[[sources]]\nkind = "url"\nurl = "{graph.as_uri()}"\n'
    )
    monkeypatch.setenv("VIDENCE_CATALOGUE", str(tmp_path / "entries"))
    monkeypatch.setenv("VIDENCE_CACHE", str(tmp_path / "cache"))
    assert isinstance(load(name), DFine)
    found = detect(np.zeros((90, 160, 3), np.uint8), floor=0.3, first=name, second=None)
    assert [(one.label, round(one.score, 3)) for one in found] == [("dog", 0.9), ("person", 0.7)]
    dog, person = (one.box for one in found)
    assert (dog.x, dog.y, dog.w, dog.h) == pytest.approx((0.5, 0.5, 0.4, 0.4), abs=1e-6)
    assert (person.x, person.y, person.w, person.h) == pytest.approx((0.1, 0.2, 0.3, 0.6), abs=1e-6)


def test_a_name_that_no_detector_can_run_is_refused() -> None:
    with pytest.raises(WeightsError, match="mtcnn-pnet"):
        load("mtcnn-pnet")


def test_repeats_of_one_thing_are_dropped_and_neighbours_are_not() -> None:
    boxes = np.array([[0.1, 0.1, 0.5, 0.5], [0.12, 0.1, 0.52, 0.5], [0.55, 0.1, 0.95, 0.5]])
    scores = np.zeros((3, 80))
    scores[:, 0] = 0.8, 0.9, 0.7
    assert [one.score for one in select(boxes, scores, 0.3)] == [0.9, 0.7]
    scores[1] = 0
    scores[1, 2] = 0.6  # a car, nearly where the person is: one thing under two names
    assert [one.label for one in select(boxes, scores, 0.3)] == ["person", "person"]


def test_agreement_gains_and_solitude_loses() -> None:
    here, aside, there = Box(0.1, 0.1, 0.3, 0.3), Box(0.12, 0.1, 0.3, 0.3), Box(0.6, 0.6, 0.2, 0.2)
    mine = [Detection("person", 0.6, here), Detection("dog", 0.6, there)]
    both, alone = pair(mine, [Detection("person", 0.5, aside)])
    assert both.score == pytest.approx(0.8)
    assert alone.score < 0.6
    assert [one.score for one in pair(mine, None)] == [0.6, 0.6]  # not asked: neither gained nor lost
    renamed, _ = pair(mine, [Detection("car", 0.9, aside)])[:2]
    assert renamed.second == 0.0  # a car is no kin of a person: no agreement
