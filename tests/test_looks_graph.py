"""Weights are read without PyTorch and without trust, and the graph written from them computes the same."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from vidence.errors import WeightsError
from vidence.senses.looks.graph import CLASSES, FEATURES, NORM_EPSILON, STAGES, _Writer, build
from vidence.senses.looks.state_dict import read_state_dict

FLOATS = "FloatStorage"


class _Global:
    """Pickles as a name of another package, without that package."""

    def __init__(self, module: str, name: str, *arguments: object) -> None:
        self.module, self.name, self.arguments = module, name, arguments


class _TorchPickler(pickle._Pickler):  # type: ignore[name-defined]  # the Python one: its opcodes can be written by hand
    """Writes tensors as torch.save does: a call of torch._utils._rebuild_tensor_v2 on a persistent storage."""

    def save(self, obj: object, save_persistent_id: bool = True) -> None:
        if isinstance(obj, _Global):
            self.write(f"c{obj.module}\n{obj.name}\n".encode())
            if obj.arguments:
                super().save(obj.arguments)
                self.write(pickle.REDUCE)
            return
        super().save(obj, save_persistent_id)

    def persistent_id(self, obj: object) -> object:
        return obj[1] if isinstance(obj, list) and obj[:1] == ["storage"] else None


def tensor(
    key: str, array: np.ndarray, count: int, *, offset: int = 0, stride: tuple[int, ...] | None = None
) -> _Global:
    strides = stride or tuple(s // array.itemsize for s in array.strides)
    storage = ["storage", ("storage", _Global("torch", FLOATS), key, "cpu", count)]
    return _Global(
        "torch._utils", "_rebuild_tensor_v2", storage, offset, array.shape, strides, False, OrderedDict()
    )


def dump(value: object) -> bytes:
    file = io.BytesIO()
    _TorchPickler(file, protocol=2).dump(value)
    return file.getvalue()


def write_zip(path: Path, arrays: dict[str, np.ndarray]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        named = OrderedDict((n, tensor(str(i), a, a.size)) for i, (n, a) in enumerate(arrays.items()))
        archive.writestr("weights/data.pkl", dump(named))
        for i, array in enumerate(arrays.values()):
            archive.writestr(f"weights/data/{i}", array.astype("<f4").tobytes())


def write_legacy(path: Path, arrays: dict[str, np.ndarray], *, cut: int = 0) -> None:
    legacy = [
        dump(0x1950A86A20F9469CFC6C), dump(1001), dump({"protocol_version": 1001, "little_endian": True}),
        dump(OrderedDict((n, tensor(str(i), a, a.size)) for i, (n, a) in enumerate(arrays.items()))),
        dump([str(i) for i in range(len(arrays))]),
    ]  # fmt: skip
    for array in arrays.values():
        legacy.append(np.int64(array.size).tobytes() + array.astype("<f4").tobytes())
    data = b"".join(legacy)
    path.write_bytes(data[: len(data) - cut])


ARRAYS = {
    "a.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "a.bias": np.array([1.5, -2.0], np.float32),
    "count": np.array(7.0, np.float32),
}


@pytest.mark.parametrize("write", [write_zip, write_legacy])
def test_both_layouts_are_read(tmp_path: Path, write) -> None:
    write(tmp_path / "w.pth", ARRAYS)
    read = read_state_dict(tmp_path / "w.pth")
    assert list(read) == list(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(read[name], array)


@pytest.mark.parametrize(
    "module_name", [("os", "system"), ("builtins", "eval"), ("torch", "load"), ("numpy", "load")]
)
def test_a_file_that_asks_for_anything_else_is_refused(tmp_path: Path, module_name: tuple[str, str]) -> None:
    marker = tmp_path / "ran"
    evil = OrderedDict(x=_Global(*module_name, f"touch {marker}"))
    with zipfile.ZipFile(tmp_path / "w.pth", "w") as archive:
        archive.writestr("w/data.pkl", dump(evil))
    with pytest.raises(WeightsError, match=module_name[1]):
        read_state_dict(tmp_path / "w.pth")
    assert not marker.exists()


def test_a_tensor_past_its_storage_is_refused(tmp_path: Path) -> None:
    array = ARRAYS["a.weight"]
    with zipfile.ZipFile(tmp_path / "w.pth", "w") as archive:
        archive.writestr("w/data.pkl", dump(OrderedDict(x=tensor("0", array, array.size, offset=5))))
        archive.writestr("w/data/0", array.tobytes())
    with pytest.raises(WeightsError, match="past its storage"):
        read_state_dict(tmp_path / "w.pth")


def test_damage_and_other_files_are_told(tmp_path: Path) -> None:
    write_legacy(tmp_path / "cut.pth", ARRAYS, cut=3)
    (tmp_path / "noise.pth").write_bytes(os.urandom(500))
    (tmp_path / "empty.pth").write_bytes(b"")
    (tmp_path / "list.pth").write_bytes(pickle.dumps([1, 2]))
    for name in ("cut", "noise", "empty", "list"):
        with pytest.raises(WeightsError, match=f"{name}.pth"):
            read_state_dict(tmp_path / f"{name}.pth")


def random_state() -> dict[str, np.ndarray]:
    """Make weights of the right names and shapes."""
    rng, state = np.random.default_rng(0), {}

    def conv(name: str, norm: str, out: int, into: int, kernel: int) -> None:
        state[f"{name}.weight"] = (
            rng.normal(size=(out, into, kernel, kernel)) / np.sqrt(into * kernel**2)
        ).astype("f4")
        for part, low, high in (("weight", 0.5, 1.5), ("bias", -0.5, 0.5), ("running_mean", -0.5, 0.5),
                                ("running_var", 0.5, 2.0)):  # fmt: skip
            state[f"{norm}.{part}"] = rng.uniform(low, high, out).astype("f4")

    conv("_conv_stem", "_bn0", 32, 3, 3)
    channels, index = 32, 0
    for blocks, kernel, _, expansion, out in STAGES:
        for _ in range(blocks):
            wide, name = channels * expansion, f"_blocks.{index}."
            if expansion > 1:
                conv(name + "_expand_conv", name + "_bn0", wide, channels, 1)
            conv(name + "_depthwise_conv", name + "_bn1", wide, 1, kernel)
            conv(name + "_project_conv", name + "_bn2", out, wide, 1)
            channels, index = out, index + 1
    conv("_conv_head", "_bn1", FEATURES, channels, 1)
    state["_fc.weight"] = rng.normal(size=(CLASSES, FEATURES)).astype("f4") * 0.03
    state["_fc.bias"] = rng.normal(size=CLASSES).astype("f4")
    return state


def numpy_conv(x: np.ndarray, state: dict[str, np.ndarray], conv: str, norm: str, stride: int) -> np.ndarray:
    """Convolve with SAME padding and norm, unfolded, in float64: what the paper defines, step by step."""
    weight = state[f"{conv}.weight"].astype(np.float64)
    out, _, kernel, _ = weight.shape
    depthwise = conv.endswith("_depthwise_conv")
    size = -(-x.shape[1] // stride)
    pad = max((size - 1) * stride + kernel - x.shape[1], 0)
    x = np.pad(x, ((0, 0), (pad // 2, pad - pad // 2), (pad // 2, pad - pad // 2)))
    y = np.zeros((out, size, size))
    for r in range(kernel):
        for c in range(kernel):
            part = x[:, r : r + size * stride : stride, c : c + size * stride : stride][:, :size, :size]
            taps = weight[:, :, r, c]
            y += part * taps[:, :1, None] if depthwise else np.tensordot(taps, part, axes=(1, 0))
    values = {
        p: state[f"{norm}.{p}"].astype(np.float64)[:, None, None]
        for p in ("weight", "bias", "running_mean", "running_var")
    }
    return (y - values["running_mean"]) / np.sqrt(values["running_var"] + NORM_EPSILON) * values[
        "weight"
    ] + values["bias"]


def numpy_forward(x: np.ndarray, state: dict[str, np.ndarray]) -> np.ndarray:
    """Run the network by its definition."""

    def six(y: np.ndarray) -> np.ndarray:
        return y.clip(0, 6)

    x = six(numpy_conv(x, state, "_conv_stem", "_bn0", 2))
    index = 0
    for blocks, _, first, expansion, _ in STAGES:
        for position in range(blocks):
            name, y = f"_blocks.{index}.", x
            if expansion > 1:
                y = six(numpy_conv(y, state, name + "_expand_conv", name + "_bn0", 1))
            y = six(
                numpy_conv(y, state, name + "_depthwise_conv", name + "_bn1", first if position == 0 else 1)
            )
            y = numpy_conv(y, state, name + "_project_conv", name + "_bn2", 1)
            x = x + y if position > 0 else y
            index += 1
    return six(numpy_conv(x, state, "_conv_head", "_bn1", 1))


def test_the_graph_computes_what_the_network_defines(tmp_path: Path) -> None:
    import onnxruntime

    state = random_state()
    write_zip(tmp_path / "w.pth", state)
    build(tmp_path / "w.pth", tmp_path / "w.onnx")
    pixels = np.random.default_rng(1).normal(size=(3, 70, 70)).astype(np.float32)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(tmp_path / "w.onnx", options, providers=["CPUExecutionProvider"])
    named = {
        o.name: v
        for o, v in zip(session.get_outputs(), session.run(None, {"pixels": pixels[None]}), strict=True)
    }
    expected = numpy_forward(pixels.astype(np.float64), state)
    np.testing.assert_allclose(named["map"][0], expected, atol=2e-4)
    feature = expected.mean(axis=(1, 2))
    np.testing.assert_allclose(named["feature"][0], feature, atol=2e-4)
    np.testing.assert_allclose(
        named["logits"][0], state["_fc.weight"] @ feature + state["_fc.bias"], atol=2e-3
    )


def test_other_weights_are_refused(tmp_path: Path) -> None:
    write_zip(tmp_path / "w.pth", ARRAYS)
    with pytest.raises(WeightsError, match="EfficientNet-lite0"):
        build(tmp_path / "w.pth", tmp_path / "w.onnx")
    assert _Writer({}).nodes == []
