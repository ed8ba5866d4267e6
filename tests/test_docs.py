"""The documents agree with the program: the reference is what `--help` prints, and every link and command holds."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from vidence.cli.group import COMMANDS

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])


def generated(page: str) -> str:
    """Return what `make docs` writes of a page."""
    return subprocess.run(
        [sys.executable, "-c", f"import generate; print(generate.{page}(), end='')"],
        cwd=ROOT / "docs",
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_the_reference_of_the_command_line_is_what_help_prints() -> None:
    written = generated("pages")
    assert (ROOT / "docs/cli.md").read_text(encoding="utf-8") == written, "run `make docs`"
    assert all(f"## vidence {name}\n" in written for name in COMMANDS)


def test_the_reference_of_the_training_file_is_what_its_fields_say() -> None:
    pytest.importorskip("pydantic")
    written = generated("fields")
    assert (ROOT / "docs/training-file.md").read_text(encoding="utf-8") == written, "run `make docs`"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8"))
    broken = [link for link in links if "://" not in link and not (path.parent / link).exists()]
    assert broken == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_flag_that_is_written_of_exists(path: Path) -> None:
    known = set(re.findall(r"--[a-z][a-z-]+", (ROOT / "docs/cli.md").read_text(encoding="utf-8")))
    text = path.read_text(encoding="utf-8")
    commands = re.findall(r"vidence [a-z]+[^`\n]*", text)
    used = {flag for command in commands for flag in re.findall(r"--[a-z][a-z-]+", command)}
    assert used <= known


def test_exit_codes_are_documented_as_they_are() -> None:
    from vidence import errors
    from vidence.cli import group

    text = (ROOT / "docs/exit-codes.md").read_text(encoding="utf-8")
    codes = {kind.exit_code for kind in vars(errors).values() if isinstance(kind, type)}
    codes |= {0, 1, group.INTERRUPTED, group.CLOSED_PIPE, group.INTERNAL}
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)} == codes


def test_the_example_of_a_catalogue_entry_is_read(tmp_path: Path) -> None:
    from vidence.catalogue.entry import read_entry

    text = (ROOT / "docs/models.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert tomllib.loads(example)
    place = tmp_path / "my-detector.toml"
    place.write_text(example)
    assert read_entry(place).sense == "objects"


def test_the_senses_are_documented_all_and_only() -> None:
    from vidence.senses import SENSES

    text = (ROOT / "docs/senses.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == list(SENSES)


def test_the_make_targets_that_are_written_of_exist() -> None:
    used = {
        name
        for path in DOCUMENTS
        for name in re.findall(r"(?<!bench )\bmake ([a-z]+)", path.read_text(encoding="utf-8"))
    }
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert used <= set(targets)
    assert {"demo", "test", "lint", "bench"} <= used
