"""Pictures: cast from an installed package, or told how to get it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from vidence.errors import UsageError
from vidence.worlds import Setting, make_world, pictures
from vidence.worlds.cast import Thing
from vidence.worlds.record import to_json

SETTING = Setting(cast="pictures", languages=("en", "zh", "es"))


@pytest.fixture(autouse=True)
def fresh_shelf() -> Iterator[None]:
    pictures.shelf.cache_clear()
    yield
    pictures.shelf.cache_clear()


def test_without_the_package_it_is_said_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(pictures, "STAMPS", tmp_path)
    with pytest.raises(UsageError, match="apt-get install tuxpaint-stamps-default"):
        make_world(1, SETTING)


def test_worlds_are_cast_from_pictures_and_name_their_source() -> None:
    if not pictures.STAMPS.is_dir():
        pytest.skip("tuxpaint-stamps-default is not installed")
    seen = {}
    for split in ("train", "test"):
        setting = Setting(cast="pictures", split=split, languages=("en", "zh", "es"))
        worlds = [make_world(seed, setting) for seed in range(12)]
        things = [part.entity for world in worlds for scene in world.scenes for part in scene.parts]
        seen[split] = {
            one.noun for one in things if isinstance(one, Thing) and one.noun.startswith(pictures.MARK)
        }
        for world in worlds:
            for language in ("en", "zh", "es"):
                assert not any(
                    pictures.MARK in question.text + "".join(question.options)
                    for question in world.questions(language=language)
                )
        record = to_json(worlds[0])
        assert record["pictures"]
        assert all(one["licence"] == "GPL-2" and Path(one["file"]).is_file() for one in record["pictures"])
    assert seen["train"]
    assert seen["test"]
    assert not seen["train"] & seen["test"]


def test_a_picture_is_drawn_where_it_stands() -> None:
    if not pictures.STAMPS.is_dir():
        pytest.skip("tuxpaint-stamps-default is not installed")
    world = make_world(3, Setting(level=1, cast="pictures"))
    whole = world.frame(1, size=(512, 384))
    near = world.frame(1, size=(256, 192), region=(0.5, 0.5, 1, 1))
    assert np.abs(whole[192:, 256:].astype(int) - near.astype(int)).mean() < 6
