"""The files of the web page: nothing from outside, nothing inline, every word in every language."""

import hashlib
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from vidence.apps import TITLES
from vidence.apps.moderate.policy import shipped

PAGE = Path(str(resources.files("vidence.serving") / "page"))
SCRIPTS = sorted([*PAGE.glob("*.js"), *PAGE.glob("parts/*.js")])
PLURALS = {"en": {"one", "other"}, "zh": {"other"}}  # CLDR categories of the languages there are
IMPORT = re.compile(r"""(?:from\s+|import\s*\(?\s*)["'](?P<path>[^"']+)["']""")


def catalogue(language: str) -> dict[str, Any]:
    """Read the words of one language."""
    return json.loads((PAGE / "locales" / f"{language}.json").read_text(encoding="utf-8"))


def source() -> str:
    """Return all scripts of ours as one text."""
    return "\n".join(script.read_text(encoding="utf-8") for script in SCRIPTS)


def placeholders(text: str | dict[str, str]) -> set[str]:
    """Return the values that a text takes, over all its plural forms."""
    return set(re.findall(r"\{(\w+)\}", json.dumps(text)))


def test_scripts_of_others_are_those_recorded() -> None:
    vendor = PAGE / "vendor"
    listed = json.loads((vendor / "vendor.json").read_text(encoding="utf-8"))["scripts"]
    assert {one["file"] for one in listed} == {path.name for path in vendor.glob("*.js")}
    for one in listed:
        assert hashlib.sha256((vendor / one["file"]).read_bytes()).hexdigest() == one["sha256"], one["file"]
        assert re.fullmatch(r"\d+\.\d+\.\d+", one["version"])
        assert one["licence"] in {"MIT", "Apache-2.0", "BSD-3-Clause"}
        for name in one["licence_files"]:
            assert len((vendor / name).read_text(encoding="utf-8")) > 500, name


def test_scripts_parse() -> None:
    """All in one process: a module that does not parse is named with the place."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not on this machine")
    check = """
        import { readFileSync } from "node:fs";
        import { SourceTextModule } from "node:vm";
        for (const path of process.argv.slice(1)) {
          try { new SourceTextModule(readFileSync(path, "utf8"), { identifier: path }); }
          catch (error) { console.log(error.stack.split("\\n").slice(0, 4).join("\\n")); }
        }"""
    flags = ["--experimental-vm-modules", "--no-warnings", "--input-type=module", "-e", check]
    checked = subprocess.run([node, *flags, *SCRIPTS], capture_output=True, text=True, check=True)
    assert checked.stdout == ""


def test_every_import_is_a_file_of_the_page() -> None:
    seen = set()
    for script in SCRIPTS:
        for match in IMPORT.finditer(script.read_text(encoding="utf-8")):
            path = match["path"]
            assert path.startswith("."), f"{script.name} imports {path}, which no browser finds by itself"
            assert (script.parent / path).is_file(), f"{script.name} imports {path}, which is not there"
            seen.add((script.parent / path).resolve())
    unused = {path.resolve() for path in SCRIPTS} - seen - {PAGE / "app.js"}
    assert not unused, f"nothing imports {sorted(path.name for path in unused)}"


def test_nothing_is_inline_and_nothing_comes_from_elsewhere() -> None:
    found: list[str] = []

    class Look(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            given = dict(attrs)
            if tag == "style" or (tag == "script" and "src" not in given):
                found.append(f"<{tag}> inline")
            for name, value in given.items():
                if name == "style" or name.startswith("on"):
                    found.append(f"<{tag} {name}>")
                if name in {"src", "href"} and not (PAGE / str(value)).is_file():
                    found.append(f"<{tag} {name}={value}>")

    Look().feed((PAGE / "index.html").read_text(encoding="utf-8"))
    for text in [source(), *(path.read_text(encoding="utf-8") for path in PAGE.glob("styles/*.css"))]:
        found += re.findall(r"https?://[\w.]+|@import|\burl\(\s*[\"']?(?:https?:)?//", text)
        found += re.findall(
            r"\beval\(|new Function|innerHTML|outerHTML|insertAdjacentHTML|document\.write", text
        )
    assert not found


@pytest.mark.parametrize("language", sorted(set(PLURALS) - {"en"}))
def test_catalogues_say_the_same(language: str) -> None:
    english, other = catalogue("en"), catalogue(language)
    assert list(english) == list(other)
    for key, text in english.items():
        assert isinstance(text, dict) == isinstance(other[key], dict), key
        assert placeholders(text) == placeholders(other[key]), key


@pytest.mark.parametrize("language", sorted(PLURALS))
def test_plural_forms_are_those_of_the_language(language: str) -> None:
    forms = {key: set(text) for key, text in catalogue(language).items() if isinstance(text, dict)}
    assert forms
    assert {key: kinds for key, kinds in forms.items() if kinds != PLURALS[language]} == {}
    assert language in source().partition("LANGUAGES = ")[2].partition("}")[0]


def test_every_language_has_a_catalogue() -> None:
    assert {path.stem for path in PAGE.glob("locales/*.json")} == set(PLURALS)


def test_every_key_used_exists_and_every_key_is_used() -> None:
    code, words = source(), catalogue("en")
    used = set(re.findall(r"\bt\(\s*\"([^\"]+)\"", code)) | set(re.findall(r"\"(help\.\w+)\"", code))
    assert used - set(words) == set()
    families = set(re.findall(r"\bnamed\(\s*\"(\w+)\"", code))
    for family in families:
        assert any(key.startswith(f"{family}.") for key in words), family
    unused = {key for key in words if key not in used and key.partition(".")[0] not in families}
    assert unused == set()


def test_every_application_and_policy_has_its_words() -> None:
    words = catalogue("en")
    for family, names in (("app", TITLES), ("about", TITLES), ("viewing", [*shipped(), "own"])):
        assert {key for key in words if key.startswith(f"{family}.")} == {
            f"{family}.{name}" for name in names
        }


def test_no_text_is_written_past_the_catalogue() -> None:
    """Words between tags of a template are words that nobody could translate."""
    loose = []
    for script in SCRIPTS:
        for template in re.findall(r"html`(.*?)`", script.read_text(encoding="utf-8"), re.DOTALL):
            bare = re.sub(r"\$\{[^{}]*\}", "", template)
            loose += [
                (script.name, text) for text in re.findall(r">([^<>${}`]*[A-Za-z]{3,}[^<>${}`]*)<", bare)
            ]
    assert [one for one in loose if one[1].strip() != "Vidence"] == []
