"""The web page, in a real browser, on a real server, with a real video that says what is to be found in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from serving.browsing import PHONE, Visit, violations, visit
from serving.conftest import Program, tokens_file
from vidence.worlds import Setting, make_world

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NASTY = "<img src=x onerror=\"document.title='owned'\"><script>alert(1)</script>&amp;.mp4".replace("/", "∕")
QUESTION = "Which word can be read on the board?"
SEED, LENGTH_S = 33, 10  # a world in which a board with one word on it comes into the picture


@dataclass(frozen=True)
class Film:
    """A video on the page: its id there, the word that can be read in it, and from when."""

    id: str
    word: str
    start_s: float


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[str]:
    """Serve an empty library; give its address."""
    program = Program(tmp_path_factory.mktemp("library"), "--senses", "shots,text")
    yield program.address
    program.kill()


@pytest.fixture(scope="module")
def film(site: str, chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Film:
    """Add the video as people do, and wait until it was looked at; its name is an attack."""
    world = make_world(SEED, Setting(LENGTH_S, (480, 270), 8, 1))
    written = world.write(tmp_path_factory.mktemp("film") / "film.mp4", sound=True)
    asked = next(one for one in world.questions(language="en") if one.text == QUESTION)
    with visit(chromium, site) as seen:
        page = seen.go()
        page.get_by_role("heading", name="Ask any video a question").wait_for()
        seen.shot("empty")
        payload: Any = {"name": NASTY, "mimeType": "video/mp4", "buffer": written.video.read_bytes()}
        page.set_input_files("#files", [payload])
        page.locator(".medium progress").first.wait_for()
        seen.shot("adding")
        card = page.locator(".medium > a")
        card.wait_for()
        page.get_by_text("Fully seen by 2 senses").wait_for()
        seen.shot("library")
        id = re.search(r"#/video/(\w+)", card.get_attribute("href") or "")
        assert id is not None
    return Film(id[1], asked.answer, float(asked.evidence[0].start))


@pytest.fixture
def here(site: str, film: Film, chromium: Browser) -> Iterator[Visit]:
    with visit(chromium, site) as seen:
        yield seen


def open_film(seen: Visit, film: Film, query: str = "") -> Page:
    """Open the video, and wait for player and timeline."""
    page = seen.go(f"#/video/{film.id}{query}")
    page.locator(".timeline .mark").first.wait_for()
    seen.until("document.querySelector('video')?.readyState > 0")
    return page


def ask(page: Page, question: str = QUESTION) -> None:
    """Ask as people do, and wait for the answer."""
    page.fill("#question", question)
    page.keyboard.press("Enter")
    page.locator(".answer-text").first.wait_for()


def test_answer_cites_and_a_citation_plays_in_a_loop(here: Visit, film: Film) -> None:
    page = open_film(here, film)
    ask(page)
    assert film.word in page.locator(".answer-text").inner_text()
    claim = page.locator(".claim.supported").first
    assert "Supported" in claim.inner_text()
    here.shot("answer", full_page=True)
    chip = claim.locator(".cite .chip").first
    start, end = (float(chip.get_attribute(f"data-{side}") or "nan") for side in ("start", "end"))
    assert end > film.start_s
    chip.click()
    page.locator(".loop").wait_for()
    here.until(
        "([start]) => { const v = document.querySelector('video'); return !v.paused && v.currentTime > start + 0.2; }",
        arg=[start],
    )
    page.evaluate("([end]) => { document.querySelector('video').currentTime = end - 0.3; }", [end])
    here.until("([start]) => document.querySelector('video').currentTime < start + 1.5", arg=[start])
    assert start - 0.1 <= page.evaluate("document.querySelector('video').currentTime") <= end + 0.1
    assert page.locator("[data-lane=evidence] .mark").count() > 0


def test_answer_says_why_what_it_cost_and_what_was_not_seen(here: Visit, film: Film) -> None:
    page = open_film(here, film)
    ask(page)
    page.get_by_text("Why: the steps").click()
    kinds = page.locator(".trace .step-kind").all_inner_texts()
    assert {"Thinks", "Does", "Finds"} <= set(kinds)
    page.get_by_text("What was not seen").click()
    assert "seen by every sense" in page.locator(".coverage").inner_text()
    assert re.search(r"Cost: .*second.*step", page.locator(".receipt").inner_text())


def test_name_of_a_file_is_text(here: Visit, film: Film) -> None:
    page = here.go()
    heading = page.locator(".medium h2")
    heading.wait_for()
    assert heading.inner_text() == NASTY
    open_film(here, film)
    assert page.locator("h1").inner_text() == NASTY
    assert NASTY in page.title()
    assert page.locator("img[onerror], main script").count() == 0


def test_every_export_is_a_download(here: Visit, film: Film, tmp_path: Path) -> None:
    page = open_film(here, film)
    me = json.loads(page.evaluate("fetch('api/me').then((r) => r.text())"))
    page.get_by_role("button", name="Export").click()
    items = page.get_by_role("menuitem")
    assert items.count() == len(me["formats"])
    here.shot("export")
    page.keyboard.press("Escape")
    for number, form in enumerate(me["formats"]):
        page.get_by_role("button", name="Export").click()
        with page.expect_download() as coming:
            items.nth(number).click()
        place = tmp_path / f"got.{form}"
        coming.value.save_as(place)
        assert coming.value.suggested_filename.endswith(f".{form}")
        if form in {"json", "csv", "txt", "html"}:
            assert film.word in place.read_text(encoding="utf-8")


def test_chinese_by_the_browser_and_english_by_choice(site: str, film: Film, chromium: Browser) -> None:
    with visit(chromium, site, locale="zh-CN") as seen:
        page = open_film(seen, film)
        assert page.locator("html").get_attribute("lang") == "zh-Hans"
        page.get_by_role("link", name="视频库", exact=True).wait_for()
        ask(page)
        page.get_by_text("成立", exact=True).first.wait_for()
        seen.shot("chinese")
        page.select_option(".language", "en")
        page.get_by_role("link", name="Library", exact=True).wait_for()
        page.get_by_text("Supported", exact=True).first.wait_for()
        page.reload()
        page.get_by_role("link", name="Library", exact=True).wait_for()
        assert page.locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_phone(site: str, film: Film, chromium: Browser, scheme: Any) -> None:
    with visit(chromium, site, color_scheme=scheme, **PHONE) as seen:
        page = open_film(seen, film)
        ask(page)
        page.get_by_text("Why: the steps").click()
        assert seen.width() <= 375
        seen.shot(f"phone-{scheme}", full_page=True)
        for path in ("#/", f"#/search?q={film.word}", "#/runs"):
            seen.go(path)
            page.locator(".medium, .hit, .run").first.wait_for()
            assert seen.width() <= 375, path


def test_dark_follows_the_system_until_it_is_switched(site: str, film: Film, chromium: Browser) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    with visit(chromium, site, color_scheme="dark") as seen:
        page = seen.go()
        dark = page.evaluate(ground)
        page.get_by_role("button", name="Light").click()
        light = page.evaluate(ground)
        assert dark != light
        page.reload()
        page.wait_for_selector("main")
        assert page.evaluate(ground) == light


def test_keys(here: Visit, film: Film) -> None:
    page = open_film(here, film)
    time, paused = "document.querySelector('video').currentTime", "document.querySelector('video').paused"
    page.locator("h1").focus()
    page.keyboard.press("ArrowRight")
    here.until(f"Math.abs({time} - 5) < 0.2")
    page.keyboard.press("j")
    here.until(f"{time} < 0.2")
    page.keyboard.press("Space")
    here.until(f"!{paused}")
    page.keyboard.press("k")
    here.until(paused)
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    here.shot("help")
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    page.keyboard.press("a")
    here.until("document.activeElement.id === 'question'")
    page.keyboard.type("what? / ")
    assert page.input_value("#question") == "what? / ", "keys that type must not steer the page"
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"


def test_the_first_tab_skips_to_the_content(here: Visit, film: Film) -> None:
    page = here.go()
    page.locator(".medium h2").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_marks_of_a_lane_are_one_stop_and_play(here: Visit, film: Film) -> None:
    page = open_film(here, film)
    marks = page.locator("[data-lane=shots] .mark")
    assert page.locator("[data-lane=shots] .mark[tabindex='0']").count() == 1
    marks.first.focus()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    page.locator(".loop").wait_for()
    page.keyboard.press("Escape")
    page.locator(".loop").wait_for(state="detached")


def test_hovering_shows_the_picture_of_that_moment(here: Visit, film: Film) -> None:
    page = open_film(here, film)
    page.locator("[data-lane=text] .track").hover(position={"x": 40, "y": 8})
    picture = page.locator(".peek-picture")
    picture.wait_for()
    shown = picture.evaluate("(one) => getComputedStyle(one).backgroundImage")
    address = re.search(r'url\("(.+thumbnails\.jpg)"\)', shown)
    assert address is not None
    assert page.request.get(address[1]).headers["content-type"] == "image/jpeg"
    here.shot("hover")


def test_search_opens_at_the_moment(here: Visit, film: Film) -> None:
    page = here.go()
    page.fill("#search", film.word)
    page.keyboard.press("Enter")
    hit = page.locator(".hit", has_text=film.word).first
    hit.wait_for()
    assert page.locator(".hit", has_text="Shots").count() == 0, (
        "where a shot lies is not what was searched for"
    )
    here.shot("search")
    hit.click()
    page.locator(".loop").wait_for()
    here.until(f"document.querySelector('video')?.currentTime > {film.start_s - 1}")


def test_questions_are_kept_and_can_be_deleted(here: Visit, film: Film) -> None:
    page = open_film(here, film)
    question = "What word is on the board, please?"
    ask(page, question)
    here.go("#/runs")
    row = page.locator(".run", has_text=question)
    row.first.wait_for()
    here.shot("questions")
    row.first.locator(".run-open").click()
    page.locator(".asked h2", has_text=question).first.wait_for()
    page.locator(".answer-text").first.wait_for()
    here.go("#/runs")
    row.first.wait_for()
    before = row.count()
    row.first.get_by_role("button", name="Delete the question").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete this question").click()
    count = "[...document.querySelectorAll('.run')].filter((one) => one.innerText.includes(text)).length"
    here.until(f"([text, before]) => {count} < before", arg=[question, before])


def test_an_address_that_is_not_public_is_refused_in_words(site: str, film: Film, chromium: Browser) -> None:
    with visit(chromium, site, refused=(400, 403, 422)) as seen:
        page = seen.go()
        page.locator(".medium h2").wait_for()
        page.fill("[name=url]", "http://127.0.0.1:9/film.mp4")
        page.get_by_role("button", name="Fetch").click()
        remark = page.locator(".remarks .error")
        remark.wait_for()
        assert "127.0.0.1" in remark.inner_text()


def test_a_token_lets_in(chromium: Browser, program: Callable[..., Program], tmp_path: Path) -> None:
    tokens, by_name = tokens_file(tmp_path, "anna")
    site = program(tmp_path / "libraries", "--tokens", str(tokens)).address
    with visit(chromium, site, refused=(401,)) as seen:
        page = seen.go()
        field = page.get_by_label("Token")
        field.fill("guessed")
        page.get_by_role("button", name="Sign in").click()
        page.get_by_text("does not know this token").wait_for()
        seen.shot("signin")
        field.fill(by_name["anna"])
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", name="Ask any video a question").wait_for()
        assert by_name["anna"] not in page.content()
        page.get_by_role("button", name="Sign out anna").click()
        field.wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(site: str, film: Film, chromium: Browser, scheme: Any) -> None:
    with visit(chromium, site, color_scheme=scheme) as seen:
        page = seen.go()
        page.locator(".medium h2").wait_for()
        found = violations(page)
        open_film(seen, film)
        ask(page)
        page.get_by_text("Why: the steps").click()
        found += violations(page)
        seen.shot(f"answer-{scheme}", full_page=True)
    assert found == []


def test_rename_and_delete(here: Visit, film: Film) -> None:
    """Comes last: the video is gone after it."""
    page = open_film(here, film)
    more = page.get_by_role("button", name="More to do with this video")
    more.click()
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_label("Name", exact=True).fill("board.mp4")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("heading", name="board.mp4").wait_for()
    more.click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_role("heading", name="Ask any video a question").wait_for()
