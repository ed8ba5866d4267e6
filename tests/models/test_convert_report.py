"""The report of a conversion shows every layer and all that repeats it, asks for nothing, and trusts no name."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

pytest.importorskip("matplotlib")

from vidence.models.internvideo3.convert.recipe import Recipe
from vidence.models.internvideo3.convert.report import CHOICES, cache_of, render

EVIL = """</script><img src=https://example.org/x onerror="alert(1)">'"&{{ 7*7 }}"""
VOID = {"meta", "br", "link", "img", "path", "use"}


class Reader(HTMLParser):
    """Collects tags with their attributes, the text outside styles, and what is opened but not closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def layer(at: int, *, vision: bool) -> dict[str, Any]:
    errors = {"kept_energy": 0.99 - 0.01 * at, "positional": 0.01 * (at + 1), "content": 0.0}
    sizes = {"pairs": 2 + at, "text_rank": 40 + at, "vision_rank": (30 if vision else 40) + at}
    return {**sizes, "frequencies": [0, 0, *range(1, 1 + at)], "errors": errors}


def made(*, vision: bool = False, **changes: Any) -> dict[str, Any]:
    """Make a record of three layers; keys and values of a layer are 96 lanes."""
    kinds = ("text", "vision") if vision else ("text",)
    layers = [layer(at, vision=vision) for at in range(3)]
    agreement = {kind: {"positions": 60, "nats": 0.25, "top1": 0.875} for kind in kinds}
    measured = [
        {"output": dict.fromkeys(kinds, 0.0125 * (at + 1)), "stream": dict.fromkeys(kinds, 0.0375 * (at + 1))}
        for at in range(3)
    ]
    return {
        "vidence": "0.1.0",
        "versions": {"python": "3.11.0", "torch": "2.13.0"},
        "source": {"name": "small", "model_type": "qwen3_vl" if vision else "qwen3", "weights": "ab" * 32},
        "target": {"asked": "50%", "lanes": 144, "lanes_before": 288},
        "recipe": Recipe(keys=2.0).to_json(),
        "calibration": {"tokens": 800, "files": [{"file": "a.txt", "sha256": "cd" * 32, "tokens": 920}]},
        "held_out_tokens": 120,
        "worth_nats": {"positional": [0.001, 0.002, 0.0], "whole": [0.003, 0.001, 0.004]},
        "layers": layers,
        "measured": {
            "tokens": 120,
            "agreement": agreement,
            "perplexity_before": 10.0,
            "perplexity_after": 12.5,
            "layers": measured,
        },
        **changes,
    }


@pytest.mark.parametrize("vision", [False, True])
def test_a_page_shows_the_headline_every_layer_and_five_drawings(vision: bool) -> None:
    page = render(made(vision=vision))
    read = Reader(page)
    assert not read.open
    assert "10 → 12.5" in read.text
    assert "+25.0 %" in read.text
    assert read.text.count("87.5 %") == (2 if vision else 1)
    table = page[page.index('<table class="numbers">') : page.index("</table>")]
    for at in range(3):
        row = re.search(rf'<th scope="row">{at}</th>(.*?)</tr>', table, re.DOTALL)
        assert row is not None
        assert f"<td>{40 + at}</td>" in row[1]
        assert (f"<td>{30 + at}</td>" in row[1]) is vision
        assert row[1].count(f"{3.75 * (at + 1):.3g}"[:4]) >= 1 + vision
    assert len([tag for tag, _ in read.tags if tag == "svg"]) == 5
    assert len([tag for tag, _ in read.tags if tag == "figcaption"]) == 5
    for label in ("lanes a token", "energy kept, %", "divergence, 0.001 nats a token", "layer"):
        assert label in read.text


def test_a_page_says_how_to_repeat_the_conversion() -> None:
    text = Reader(render(made())).text
    for told in ("ab" * 32, "cd" * 32, "a.txt", "920", "torch 2.13.0", "keys=2.0", "weigh='outputs'", "50%"):
        assert told in text
    assert "2.0 (usually 1.0)" in text
    assert set(Recipe().to_json()) <= set(CHOICES), "each choice of a recipe is told in words"


@pytest.mark.parametrize("vision", [False, True])
def test_a_page_asks_for_nothing_and_runs_nothing(vision: bool) -> None:
    page = render(made(vision=vision))
    tags = Reader(page).tags
    assert "http:" not in page
    assert "https:" not in page
    assert "@import" not in page
    assert not {tag for tag, _ in tags} & {"script", "link", "img", "iframe", "object", "form", "a"}
    links = [
        value for _, attrs in tags for name, value in attrs.items() if name in ("src", "href", "xlink:href")
    ]
    assert all(value is not None and value.startswith("#") for value in links)
    policy = next(attrs["content"] for _, attrs in tags if "http-equiv" in attrs)
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


def test_drawings_do_not_share_names_and_take_the_pages_colours() -> None:
    page = render(made(vision=True))
    tags = Reader(page).tags
    names = [attrs["id"] for _, attrs in tags if "id" in attrs]
    assert len(names) == len(set(names))
    used = re.findall(r'(?:url\(|xlink:href=")#([^)"]+)', page)
    assert used
    assert set(used) <= set(names)
    styles = "".join(attrs.get("style") or "" for _, attrs in tags)
    assert "var(--rope)" in styles
    assert not re.search(r"#[0-9a-f]{6}", styles)


def test_names_from_outside_are_only_text() -> None:
    record = made()
    record["source"] |= {"name": EVIL, "model_type": EVIL, "weights": EVIL}
    record["target"] |= {"asked": EVIL}
    record["versions"] |= {EVIL: EVIL}
    record["recipe"] |= {"weigh": EVIL, EVIL: EVIL}
    record["calibration"] |= {"files": [{"file": EVIL, "sha256": EVIL, "tokens": 1}]}
    record["vidence"] = EVIL
    read = Reader(render(record))
    assert not {tag for tag, _ in read.tags} & {"script", "img"}
    assert not [name for _, attrs in read.tags for name in attrs if name.startswith("on")]
    assert EVIL in read.text
    assert not read.open


def test_the_cache_is_added_up_for_text_and_vision_apart() -> None:
    alone = cache_of(made())
    assert alone.before == 2 * 3 * 96
    (rows,) = alone.after
    assert (rows.rope, rows.latent) == (2 * 2 * (2 + 3 + 4), 2 * (40 + 41 + 42))
    assert alone.share == rows.whole / alone.before
    both = cache_of(made(vision=True))
    assert [one.latent for one in both.after] == [246, 186]
    assert both.mean == (246 + 186) / 2 + 36


def test_a_record_that_does_not_tell_what_the_source_took_shows_what_is_left() -> None:
    record = made(target={"asked": "40+4", "lanes": 132})
    assert cache_of(record).share is None
    text = Reader(render(record)).text
    assert "282 bytes a token" in text
    assert "before" not in text[: text.index("Layers")]


def test_healing_and_replaced_norms_are_drawn_where_there_were_any() -> None:
    healing = {"steps": 250, "seconds": 61.2, "tokens": 9000, "rate": 5e-4, "nats": [0.5] * 25 + [0.25] * 225}
    norms = [None, *({"queries": {"text": 0.01}, "keys": {"text": 0.02}} for _ in range(2))]
    page = render(made(healing=healing, norm_substitute_error=norms))
    text = Reader(page).text
    assert page.count("<svg ") == 7
    assert "0.5 nats over the first tenth, 0.25 over the last" in text
    assert "error energy, queries" in text
    assert "norms kept here would miss" in text
    assert "rate of 0.0005" in text
    none = render(made(healing=None, norm_substitute_error=[None] * 3))
    assert none.count("<svg ") == 5


def test_a_lossless_conversion_without_worths_or_files_is_drawn() -> None:
    record = made(worth_nats={"positional": [], "whole": []}, calibration={"tokens": 800, "files": []})
    for one, told in zip(record["layers"], record["measured"]["layers"], strict=True):
        one["errors"] = {"kept_energy": 1.0, "positional": 0.0, "content": 0.0}
        told |= {"output": {"text": 0.0}, "stream": {"text": 0.0}}
    page = render(record)
    assert page.count("<svg ") == 4
    assert "nats<br>" not in page
    assert "names no files" in page
