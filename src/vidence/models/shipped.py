"""Models by name: a folder, or one that comes with the package."""

from __future__ import annotations

from pathlib import Path

from vidence.errors import WeightsError

HERE = Path(__file__).parent
NANO = "nano"


def model_folder(name: str | Path) -> Path:
    """Return the folder of a model's weights and processor.

    Raises:
        WeightsError: there is no such folder, and no model of that name comes with the package.
    """
    folder = Path(name)
    if (folder / "config.json").is_file():
        return folder
    if str(name) == NANO and (HERE / NANO / "config.json").is_file():
        return HERE / NANO
    raise WeightsError(
        f"{name}: no folder with a model's config.json; give one, or {NANO!r}, which is built in"
    )
