"""Reports of applications on the web page: asked for, made, opened, called off, deleted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2 as httpx
import pytest

from conftest import write_video
from serving.browsing import PHONE, Visit, violations, visit
from serving.conftest import Served, ended, put, running, tokens_file
from serving.test_apps_api import POLICY, sign_then_wall

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with running(tmp_path_factory.mktemp("library"), senses=("shots", "text", "objects", "motion")) as one:
        yield one


@pytest.fixture(scope="module")
def sign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds: a sign that says EXIT, and then a wall."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return write_video(path, frames=100, fps=25, size=(320, 240), paint=sign_then_wall)


@pytest.fixture(scope="module")
def clip(served: Served, sign: Path) -> str:
    """The sign on the page, looked at; its id there."""
    with served.client() as client:
        return ended(client, put(client, sign)["id"])["media_id"]


@pytest.fixture
def here(served: Served, chromium: Browser) -> Iterator[Visit]:
    with visit(chromium, served.address) as seen:
        yield seen


def row(page: Page, name: str) -> Locator:
    """Return the row of an application."""
    return page.get_by_role("group", name=name, exact=True)


def begin(page: Page, name: str, button: str = "Make the report") -> None:
    """Ask for a report as it is offered."""
    row(page, name).get_by_role("button").click()
    page.get_by_role("dialog").get_by_role("button", name=button, exact=True).click()


def test_a_report_is_made_opened_made_again_and_deleted(served: Served, clip: str, chromium: Browser) -> None:
    with visit(chromium, served.address, refused=(400,)) as seen:
        page = seen.go(f"#/video/{clip}")
        moderation = row(page, "Moderation")
        moderation.get_by_role("button").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("combobox", name="Policy").select_option("own")
        text = dialog.get_by_label("Your policy, as YAML")
        text.fill("policy: mine\nrules: []")
        dialog.get_by_role("button", name="Make the report").click()
        assert "there are none" in dialog.get_by_role("alert").inner_text()
        seen.shot("report-refused")
        text.fill(POLICY)
        dialog.get_by_role("button", name="Make the report").click()
        moderation.get_by_text("1 finding").wait_for()
        assert "way out" in moderation.inner_text()
        alert = page.locator("[data-lane=alerts] .mark")
        alert.wait_for()
        assert "A way out" in alert.inner_text()
        seen.shot("report", full_page=True)

        with page.expect_popup() as opening:
            moderation.get_by_role("link", name="Open the report").click()
        report = opening.value
        report.locator(".card").wait_for()
        assert "EXIT 25" in report.locator(".card").inner_text()
        assert report.evaluate("self.origin") == "null"
        report.close()

        menu = moderation.get_by_role("button", name="More to do with the report")
        menu.click()
        with page.expect_download() as coming:
            page.get_by_role("menuitem", name="Download as JSON").click()
        assert len(json.loads(Path(coming.value.path()).read_text())["findings"]) == 1

        menu.click()
        page.get_by_role("menuitem", name="Make again").click()
        dialog.get_by_role("combobox", name="Policy").select_option("workplace")
        dialog.get_by_role("button", name="Make the report").click()
        moderation.get_by_text("0 findings").wait_for()
        alert.wait_for(state="detached")

        menu.click()
        page.get_by_role("menuitem", name="Delete the report").click()
        dialog.get_by_role("button", name="Delete the report").click()
        moderation.get_by_role("button", name="Make the report").wait_for()


def test_one_that_waits_is_called_off(here: Visit, client: httpx.Client, clip: str, long_video: Path) -> None:
    """One video is looked at at a time, so the report waits for another's indexing."""
    before = put(client, long_video)["media_id"]
    heavy = client.post(
        f"/api/media/{before}/index", json={"senses": ["objects", "text", "faces", "looks"]}
    ).json()
    page = here.go(f"#/video/{clip}")
    begin(page, "Shot catalogue")
    catalogue = row(page, "Shot catalogue")
    catalogue.get_by_text("Waiting").wait_for()
    here.shot("report-waiting", full_page=True)
    catalogue.get_by_role("button", name="Stop").click()
    catalogue.get_by_role("button", name="Make the report").wait_for()
    (job,) = [one for one in client.get("/api/jobs").json()["jobs"] if one["kind"] == "catalogue"]
    assert job["state"] == "cancelled"
    client.delete(f"/api/jobs/{heavy['id']}")


def test_all_four_in_chinese_on_a_phone(
    served: Served, clip: str, client: httpx.Client, chromium: Browser
) -> None:
    with visit(chromium, served.address, locale="zh-CN", **PHONE) as seen:
        page = seen.go(f"#/video/{clip}")
        names = ["内容审核", "学习笔记", "场所观察", "镜头编目"]
        for name in names:
            begin(page, name, "生成报告")
        for name in names:
            row(page, name).get_by_role("link", name="在新标签页中打开报告").wait_for()
        assert seen.width() <= 375
        assert violations(page) == []
        seen.shot("reports-phone-chinese", full_page=True)
    assert len(client.get(f"/api/media/{clip}/reports").json()["reports"]) == 4


def test_who_signed_in_opens_reports_in_a_tab_of_their_own(
    chromium: Browser, sign: Path, tmp_path: Path
) -> None:
    file, tokens = tokens_file(tmp_path, "anna")
    with (
        running(tmp_path / "libraries", tokens=file, senses=("text",)) as one,
        visit(chromium, one.address, refused=(401,)) as seen,
    ):
        with one.client(tokens["anna"]) as client:
            id = ended(client, put(client, sign)["id"])["media_id"]
            client.post(f"/api/media/{id}/apps/moderate", json={"options": {"policy": POLICY}})
        page = seen.go(f"#/video/{id}")
        page.get_by_label("Token").fill(tokens["anna"])
        page.get_by_role("button", name="Sign in").click()
        with page.expect_popup() as opening:
            row(page, "Moderation").get_by_role("link", name="Open the report").click()
        opening.value.locator(".card").wait_for()
        assert page.request.get(f"{one.address}/api/media/{id}/reports/moderate?format=html").ok
        assert not chromium.new_context().request.get(f"{one.address}/api/media/{id}/reports/moderate").ok
