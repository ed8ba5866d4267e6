"""Where a weight file can come from: the seam of all kinds of source, and the kinds that download nothing."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

Progress = Callable[[str, int, int | None], None]
"""Called while fetching with (what, bytes so far, bytes in all or None where unknown)."""


class SourceFailed(Exception):
    """One source could not give the file; the next is tried, and the reasons are told together at the end."""


class Source(Protocol):
    """A place that may hold the file: a frozen dataclass whose fields are the keys of the TOML table."""

    kind: ClassVar[str]

    @property
    def filename(self) -> str:
        """Name the file bears there; its suffix matters to the runtimes."""
        ...

    @property
    def archive(self) -> str | None:
        """What is downloaded, if it holds more than this file; those of one archive are fetched together."""
        ...

    def describe(self) -> str:
        """Say in one line what is pinned, for people and for the identity of unhashed entries."""
        ...

    def locate(self) -> Path | None:
        """Return the file if it is on this machine already, without any network."""
        ...

    def fetch(self, folder: Path, progress: Progress, also: Sequence[Source] = ()) -> dict[Source, Path]:
        """Put the file (and those of `also`, which lie in the same archive) into `folder`.

        Raises:
            SourceFailed: it cannot be had from here now, with the reason.
        """
        ...


@dataclass(frozen=True, slots=True)
class Installed:
    """A file inside an installed package, used in place."""

    package: str  # the import name
    member: str  # path inside the package's folder
    kind: ClassVar[str] = "installed"

    @property
    def filename(self) -> str:
        return self.member.rsplit("/", 1)[-1]

    def describe(self) -> str:
        return f"installed package {self.package}: {self.member}"

    @property
    def archive(self) -> str | None:
        return None

    def locate(self) -> Path | None:
        # find_spec does not run the package, which may be slow to import (rapidocr: 1 s)
        spec = importlib.util.find_spec(self.package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            if (path := Path(folder, self.member)).is_file():
                return path
        return None

    def fetch(self, folder: Path, progress: Progress, also: Sequence[Source] = ()) -> dict[Source, Path]:
        raise SourceFailed(f"package {self.package!r} is not installed or lacks the file; pip install it")


@dataclass(frozen=True, slots=True)
class Built:
    """A file made here from another entry, by a function `builder(source_path, target_path)` of ours.

    What is pinned is the other entry's hash; raise `version` when the builder's output changes.
    """

    of: str
    builder: str  # "package.module:function"
    file: str
    version: str = "1"
    kind: ClassVar[str] = "built"

    @property
    def filename(self) -> str:
        return self.file

    def describe(self) -> str:
        return f"built from {self.of} by {self.builder}, version {self.version}"

    @property
    def archive(self) -> str | None:
        return None

    def locate(self) -> Path | None:
        return None

    def fetch(self, folder: Path, progress: Progress, also: Sequence[Source] = ()) -> dict[Source, Path]:
        from vidence.catalogue.shelf import weights  # a built entry rests on another entry of the same shelf

        module, _, function = self.builder.partition(":")
        build: Callable[[Path, Path], None] = getattr(importlib.import_module(module), function)
        target = folder / self.file
        build(weights(self.of, progress), target)
        return {self: target}
