"""What users of the catalogue call: find an entry, get its verified file, list, pull and locate."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from vidence.catalogue import store
from vidence.catalogue.entry import Entry, Tier, read_entry
from vidence.catalogue.source import Built, Installed, Progress, Source, SourceFailed
from vidence.errors import UsageError, WeightsError

_verified: dict[tuple[str, str, int, int], bool] = {}  # by path, expected hash, size and mtime


@dataclass(frozen=True, slots=True)
class Row:
    """One line of `vidence models list`."""

    name: str
    title: str
    sense: str
    tier: Tier
    licence: str
    bytes: int
    default: bool
    path: Path | None  # None: not on this machine yet

    @property
    def present(self) -> bool:
        """Say whether the file is on this machine."""
        return self.path is not None


def entries() -> list[Entry]:
    """Return every entry, sorted by name; those of $VIDENCE_CATALOGUE, a folder, add to the built-in."""
    extra = os.environ.get("VIDENCE_CATALOGUE")
    return list(_read_all(extra or "").values())


def entry(name: str) -> Entry:
    """Return one entry.

    Raises:
        WeightsError: there is none of that name; lists those there are.
    """
    known = _read_all(os.environ.get("VIDENCE_CATALOGUE") or "")
    if name not in known:
        raise WeightsError(f"no weights are named {name!r}; the catalogue has {', '.join(known)}")
    return known[name]


def digest(name: str) -> str:
    """Return the hash that identifies an entry's weights (64 hex digits), without fetching them."""
    return _identity(entry(name))


def weights(name: str, progress: Progress | None = None) -> Path:
    """Return the path of an entry's file, fetched at first use and verified.

    Raises:
        WeightsError: no source could give a file of the right hash; tells what each said and what to do.
    """
    wanted = entry(name)
    try:
        if path := _present(wanted):
            return path
        with store.turn(name):
            return _present(wanted) or _fetch(wanted, progress or _silent)
    except OSError as problem:
        folder = store.cache_folder()
        raise WeightsError(
            f"cannot keep weights {name!r} in {folder}: {problem}; free space there or set VIDENCE_CACHE"
        ) from problem


def where(name: str) -> Path | None:
    """Return where an entry's file lies on this machine (verified), or None; never fetches."""
    return _present(entry(name))


def here(model: str) -> bool:
    """Say whether all that a model needs lies on this machine, looked for, not hashed; what is built here can be built.

    Raises:
        WeightsError: there is no such model.
    """
    files = [one for one in entries() if one.model == model]
    if not files:
        raise WeightsError(f"no model is named {model!r}; `vidence models list` shows those there are")
    return all(_lies(one) is not None for one in files if not any(isinstance(s, Built) for s in one.sources))


def rows(tier: Tier | None = None) -> list[Row]:
    """Return what `vidence models list` shows, sorted by name. Files are looked for, not hashed."""
    return [
        Row(one.name, one.title, one.sense, one.tier, one.licence, one.bytes, one.default, _lies(one))
        for one in entries()
        if tier in (None, one.tier)
    ]


def pull(
    names: Collection[str] = (), tier: Tier | None = None, progress: Progress | None = None
) -> dict[str, Path]:
    """Fetch entries by name or by model ("moonshine-base-en" is three files); no names: all defaults.

    Raises:
        UsageError: a name is neither an entry nor a model.
        WeightsError: one could not be fetched; those before it are kept.
    """
    return {one.name: weights(one.name, progress) for one in _chosen(names, tier)}


def _chosen(names: Collection[str], tier: Tier | None) -> list[Entry]:
    everything = [one for one in entries() if tier in (None, one.tier)]
    if not names:
        return [one for one in everything if one.default or tier == "standard"]
    unknown = set(names) - {one.name for one in everything} - {one.model for one in everything}
    if unknown:
        known = ", ".join(sorted({one.model for one in everything}))
        raise UsageError(f"no weights are named {', '.join(sorted(unknown))}; there are {known}")
    return [one for one in everything if one.name in names or one.model in names]


def _silent(what: str, done: int, total: int | None) -> None:
    """Tell nobody."""


@cache
def _read_all(extra: str) -> dict[str, Entry]:
    folders = [Path(__file__).parent / "entries", *([Path(extra).expanduser()] if extra else [])]
    found = [read_entry(path) for folder in folders for path in sorted(folder.glob("*.toml"))]
    return {one.name: one for one in sorted(found, key=lambda one: one.name)}


def _identity(wanted: Entry) -> str:
    """The entry's own identity; for something built, mixed with that of what it is built from."""
    from hashlib import sha256

    parts = [digest(of) for source in wanted.sources if (of := getattr(source, "of", ""))]
    if wanted.pinned or not parts:
        return wanted.identity
    return sha256("\n".join([wanted.identity, *parts]).encode()).hexdigest()


def _place(wanted: Entry) -> Path:
    return store.place(wanted.name, _identity(wanted), wanted.filename)


def _lies(wanted: Entry) -> Path | None:
    """Where the file lies on this machine, unverified."""
    candidates = [_place(wanted), *(path for source in wanted.sources if (path := source.locate()))]
    return next((path for path in candidates if path.is_file()), None)


def _present(wanted: Entry) -> Path | None:
    """The file on this machine if its hash is right. A damaged file is removed only from our cache."""
    cached = _place(wanted)
    expected = wanted.sha256 or store.recorded_hash(cached)
    if expected and cached.is_file():
        if _has_hash(cached, expected):
            return cached
        store.discard(cached)
    for source in wanted.sources:
        path = source.locate()
        if path and (not wanted.pinned or _has_hash(path, wanted.sha256)):
            return path
    return None


def _has_hash(path: Path, expected: str) -> bool:
    state = path.stat()
    key = (str(path), expected, state.st_size, state.st_mtime_ns)
    if key not in _verified:
        _verified[key] = store.sha256_of(path) == expected
    return _verified[key]


def _fetch(wanted: Entry, progress: Progress) -> Path:
    """Try the sources in their order; the first file of the right hash is kept."""
    if os.environ.get("VIDENCE_OFFLINE"):
        raise WeightsError(
            f"weights {wanted.name!r} are not on this machine, and VIDENCE_OFFLINE forbids to fetch them"
        )
    reasons = []
    for source in wanted.sources:
        try:
            with store.workshop(wanted.name) as folder:
                return _fetch_from(source, wanted, folder, progress)
        except SourceFailed as problem:
            reasons.append(f"{source.kind}: {problem}")
    told = "\n  ".join(reasons)
    raise WeightsError(
        f"weights {wanted.name!r} ({wanted.bytes / 1e6:.1f} MB) could not be fetched:\n  {told}\n"
        f"Check the network, or put the file at {_place(wanted)}."
    )


def _fetch_from(source: Source, wanted: Entry, folder: Path, progress: Progress) -> Path:
    kin = list(_kin(source, wanted)) if source.archive else []
    arrived = source.fetch(folder, progress, [other for _, other in kin])
    for one, other in [*kin, (wanted, source)]:
        _keep(one, other, arrived[other])
    return _place(wanted)


def _kin(source: Source, wanted: Entry) -> Iterable[tuple[Entry, Source]]:
    """Other entries, not here yet, whose file lies in the same archive: one download serves all."""
    for one in entries():
        if one.name != wanted.name and one.model == wanted.model and not _lies(one):
            yield from ((one, other) for other in one.sources if other.archive == source.archive)


def _keep(wanted: Entry, source: Source, file: Path) -> None:
    actual = store.sha256_of(file)
    if wanted.pinned and actual != wanted.sha256:
        file.unlink()
        what = "the installed file" if isinstance(source, Installed) else "the download, now deleted,"
        raise SourceFailed(f"{source.describe()}: expected SHA-256 {wanted.sha256}, {what} has {actual}")
    store.adopt(file, _place(wanted), actual)
