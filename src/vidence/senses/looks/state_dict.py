"""Read a PyTorch state dict without PyTorch, and without trusting it.

Two layouts exist: a zip archive (`data.pkl` and one member a storage; PyTorch 1.6 and later) and, before that,
a chain of pickles followed by the storages. Both are read by an unpickler that can build nothing but ordered
dictionaries and float or integer arrays: any other name in the file is refused.
"""

from __future__ import annotations

import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from vidence.errors import WeightsError

_DTYPES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PROTOCOL = 1001


def read_state_dict(path: Path) -> dict[str, np.ndarray]:
    """Read name to array from a `.pth` file, little-endian, either layout.

    Raises:
        WeightsError: not a state dict, damaged, or it asks for anything but arrays.
    """
    try:
        found = _read_zip(path) if zipfile.is_zipfile(path) else _read_legacy(path)
        if not isinstance(found, Mapping):
            raise ValueError(f"holds a {type(found).__name__}")
        named = {str(name): value for name, value in found.items()}
        if wrong := next((name for name, value in named.items() if not isinstance(value, _Strided)), None):
            raise ValueError(f"entry {wrong!r} is no tensor")
        return {name: value.array() for name, value in named.items()}
    except (
        pickle.UnpicklingError,
        ValueError,
        LookupError,
        ArithmeticError,
        AttributeError,
        TypeError,
        EOFError,
        MemoryError,  # damage may read as a length of terabytes
        zipfile.BadZipFile,
    ) as problem:
        raise WeightsError(
            f"{path} is no readable state dict ({problem}); delete it and fetch it again"
        ) from problem


@dataclass(slots=True)
class _Storage:
    """A flat array that tensors are views of. The old layout fills it only after the tensors are named."""

    dtype: np.dtype
    count: int
    flat: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class _Strided:
    """A tensor: a strided view of a storage."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    def array(self) -> np.ndarray:
        flat = self.storage.flat
        if flat is None:
            raise ValueError("a storage is missing")
        last = self.offset + sum((n - 1) * s for n, s in zip(self.shape, self.stride, strict=True))
        if min((self.offset, *self.shape, *self.stride), default=0) < 0 or last >= max(len(flat), 1):
            raise ValueError("a tensor reaches past its storage")
        strides = tuple(s * flat.itemsize for s in self.stride)
        return np.lib.stride_tricks.as_strided(flat[self.offset :], self.shape, strides).copy()


def _rebuild(
    storage: _Storage, offset: int, shape: tuple[int, ...], stride: tuple[int, ...], *_: Any
) -> _Strided:
    if not isinstance(storage, _Storage):
        raise pickle.UnpicklingError("a tensor has no storage")
    return _Strided(storage, offset, tuple(shape), tuple(stride))


class _Unpickler(pickle.Unpickler):
    """Builds ordered dictionaries and strided views; refuses every other name."""

    def __init__(self, file: IO[bytes], storages: dict[str, _Storage]) -> None:
        super().__init__(file)
        self.storages = storages

    def find_class(self, module: str, name: str, /) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch._utils" and name in ("_rebuild_tensor", "_rebuild_tensor_v2"):
            return _rebuild
        if module == "torch" and name in _DTYPES:
            return np.dtype(_DTYPES[name])
        raise pickle.UnpicklingError(f"asks for {module}.{name}, which no state dict needs")

    def persistent_load(self, pid: Any, /) -> _Storage:
        kind, dtype, key, _, count = pid[:5]
        if kind != "storage" or not isinstance(dtype, np.dtype):
            raise pickle.UnpicklingError(f"asks for a stored {kind!r}")
        return self.storages.setdefault(str(key), _Storage(dtype, int(count)))


def _read_zip(path: Path) -> Any:
    storages: dict[str, _Storage] = {}
    with zipfile.ZipFile(path) as archive:
        member = next((name for name in archive.namelist() if name.endswith("/data.pkl")), None)
        if member is None:
            raise ValueError("the archive has no data.pkl")
        with archive.open(member) as file:
            found = _Unpickler(file, storages).load()
        folder = member.rsplit("/", 1)[0]
        for key, storage in storages.items():
            storage.flat = np.frombuffer(archive.read(f"{folder}/data/{key}"), storage.dtype)
    return found


def _read_legacy(path: Path) -> Any:
    storages: dict[str, _Storage] = {}
    with path.open("rb") as file:
        head = [_Unpickler(file, {}).load() for _ in range(3)]
        if head[0] != _LEGACY_MAGIC or head[1] != _LEGACY_PROTOCOL or not head[2].get("little_endian"):
            raise ValueError("not written by torch.save on a little-endian machine")
        found = _Unpickler(file, storages).load()
        for key in _Unpickler(file, {}).load():
            storage = storages[str(key)]
            size = int(np.frombuffer(file.read(8), "<i8")[0])
            data = file.read(size * storage.dtype.itemsize)
            storage.flat = np.frombuffer(data, storage.dtype, count=size)
    return found
