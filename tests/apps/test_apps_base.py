"""The base of the applications: findings, their check, and a page that is whole in itself and trusts no video."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from app_cases import check_schema
from vidence.apps.checking import Checker
from vidence.apps.fields import read_yaml
from vidence.apps.finding import Finding, box_at, numbered
from vidence.apps.report import gather, render
from vidence.apps.report.sections import (
    Bars,
    Chart,
    Diagram,
    Figure,
    Item,
    Listing,
    Node,
    Picture,
    Prose,
    Table,
)
from vidence.apps.result import to_json, unseen
from vidence.cli.applying import report_places
from vidence.errors import UsageError
from vidence.mcr.budget import Budget, Meter, Receipt
from vidence.mcr.evidence import Evidence, Verdict
from vidence.memory import Coverage, Memory
from vidence.senses.observation import Box, Observation, Producer
from vidence.senses.text import Text
from vidence.timeline import Span
from vidence.video import Video
from vidence.video import open as open_video

EVIL = """</script><img src=x onerror="alert(1)">'"&{{ 7*7 }}"""


@dataclass(frozen=True, slots=True)
class Told:
    """A result with given findings."""

    findings: tuple[Finding, ...]
    coverage: Coverage
    receipt: Receipt
    limits: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return to_json("told", self)


def sign(number: int) -> np.ndarray:
    """Paint EXIT 25 for two seconds, then a bare wall."""
    import cv2

    if number >= 50:
        return np.full((240, 320, 3), (150, 140, 120), np.uint8)
    picture = np.full((240, 320, 3), (20, 60, 30), np.uint8)
    cv2.putText(picture, "EXIT 25", (60, 130), cv2.FONT_HERSHEY_SIMPLEX, 1.6, (240, 240, 240), 3, cv2.LINE_AA)
    return picture


@pytest.fixture
def video(make_video: Any, tmp_path: Path) -> Iterator[Video]:
    path = make_video("clip <b>.mp4", frames=100, fps=25, size=(320, 240), paint=sign, tone_hz=440.0)
    with Memory.open(tmp_path / "m.sqlite") as memory, open_video(path, memory=memory) as opened:
        memory.add(opened.media)
        yield opened


def finding(kind: str, start: Any, end: Any, **more: Any) -> Finding:
    return Finding("", kind, kind + EVIL, Span.of(start, end), "high", 0.9, why=EVIL, **more)


def receipt() -> Receipt:
    return Receipt(1.0, 0.5, 2.0, 3, 4, 0, 0, {})


def write_text(video: Video, text: str) -> Observation:
    """Remember that a text was read in the first two seconds, whether it stands there or not."""
    producer = Text().producer
    track = ((Fraction(1), Box(0.15, 0.35, 0.6, 0.25)),)
    seen = Observation(Span.of(0, 2), "text", producer, text, 0.9, track, data={"kind": "line"})
    video.memory.write(video.media.hash, producer, Span.of(0, 4), [seen])
    (kept,) = video.memory.observations(video.media.hash, senses=["text"])
    return kept


def checked(video: Video, text: str, budget: Budget | None = None) -> list[Finding]:
    video.memory.add(video.media)
    seen = write_text(video, text)
    checker = Checker(video, Meter(budget or Budget()), "moderate")
    kept, _ = checker.check_all([finding("rule", 0, 2, evidence=(checker.cite(seen),))])
    return kept


def test_what_is_there_when_opened_again_is_supported_and_names_the_frame(video: Video) -> None:
    (kept,) = checked(video, "EXIT 25")
    assert kept.verdict is not None
    assert (kept.id, kept.verdict.kind, kept.severity, kept.certain) == ("rule-1", "supported", "high", True)
    assert kept.evidence[0].frame_hash


def test_what_is_not_there_when_opened_again_is_lowered_and_no_fact(video: Video) -> None:
    (kept,) = checked(video, "BOMBS FOR SALE")
    assert kept.verdict is not None
    assert (kept.verdict.kind, kept.severity, kept.certain) == ("unsupported", "medium", False)
    assert kept.confidence < 0.6


def test_another_checker_takes_the_place_of_the_sense_and_what_it_denies_is_dropped(video: Video) -> None:
    class Judge:
        """Looks at the frame: only a dark one bears a claim out."""

        name, identity, recalls = "judge", "judge 1", True

        def decide(self, situation: Any) -> Any:
            raise NotImplementedError

        def check(
            self, claim: str, evidence: Evidence, situation: Any, actions: Any
        ) -> tuple[Verdict, str | None]:
            shown = actions.opened(evidence.span, 1, 320)
            dark = shown.frames[0].image.mean() < 90
            return Verdict(
                "supported" if dark and EVIL in claim else "contradicted", float(dark), "looked"
            ), None

    seen = write_text(video, "EXIT 25")
    checker = Checker(video, Meter(Budget()), "moderate", Judge())
    sign, wall = checker.cite(seen), checker.cite(replace(seen, span=Span.of(2, 4)))
    kept, dropped = checker.check_all(
        [finding("sign", 0, 2, evidence=(sign,)), finding("wall", 2, 4, evidence=(wall,))]
    )
    assert [one.kind for one in kept] == ["sign"]
    assert kept[0].verdict == Verdict("supported", 1.0, "looked")
    assert dropped == 1


@dataclass
class Strict:
    """Denies all that it is asked, and counts."""

    identity: str
    asked: int = 0
    name: str = "chat"
    recalls: bool = True

    def decide(self, situation: Any) -> Any:
        raise NotImplementedError

    def check(self, *_: Any) -> tuple[Verdict, str | None]:
        self.asked += 1
        return Verdict("unsupported", 0.0, self.identity), None


def test_what_one_model_found_is_kept_for_it_and_for_no_other(video: Video) -> None:
    seen = write_text(video, "EXIT 25")
    judges = [Strict("chat small"), Strict("chat small"), Strict("chat large")]
    told = []
    for judge in judges:
        checker = Checker(video, Meter(Budget()), "moderate", judge)
        verdict, _ = checker.verdict("it says EXIT", (checker.cite(seen),))
        told.append(verdict.checked_by)
    assert told == ["chat small", "chat small", "chat large"]
    assert [judge.asked for judge in judges] == [1, 0, 1]


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
)


@pytest.mark.parametrize("text", [BOMB, "a: &a [*a]", "a: " + "[" * 5000 + "]" * 5000])
def test_a_file_that_would_never_end_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"values|deep"):
        read_yaml(text, "mine.yaml", "a mapping")


def test_aliases_are_read() -> None:
    assert read_yaml("a: &a [x, y]\nb: *a", "mine.yaml", "a mapping") == {"a": ["x", "y"], "b": ["x", "y"]}


def test_without_budget_a_finding_is_not_called_checked(video: Video) -> None:
    (kept,) = checked(video, "EXIT 25", Budget(max_frames=0))
    assert kept.verdict is not None
    assert kept.verdict.kind == "unseen"
    assert "frame limit" in kept.verdict.checked_by
    assert not kept.certain


def test_boxes_move_between_looks_and_end_with_the_path() -> None:
    path = ((Fraction(1), Box(0, 0, 0.2, 0.2)), (Fraction(3), Box(0.4, 0, 0.2, 0.2)))
    assert box_at(path, Fraction(2)) == Box(0.2, 0, 0.2, 0.2)
    assert box_at(path, Fraction(5)) is None


def test_findings_are_named_by_kind_in_order_of_time() -> None:
    found = numbered([finding("b", 5, 6), finding("a", 1, 2), finding("b", 0, 1)])
    assert [one.id for one in found] == ["b-1", "a-1", "b-2"]


@pytest.fixture
def page(video: Video) -> str:
    verdict = Verdict("supported", 0.9, EVIL)
    cited = Evidence("e1", video.media.hash, Span.of(0, 2), "text", EVIL, "text", 0.9, "recall")
    path = ((Fraction(0), Box(0.1, 0.1, 0.5, 0.5)),)
    findings = (
        finding("rule", 0, 2, evidence=(cited,), verdict=verdict, paths=(path,)),
        replace(finding("other", 1, 4), severity="low", confidence=0.3),
    )
    coverage = video.memory.coverage(video.media.hash)
    result = Told(findings, coverage, receipt(), ("Nothing was heard " + EVIL,))
    sections = (
        Table(EVIL, ("a", EVIL), [(EVIL, 1.5), (Span.of(0, 1), None)], note=EVIL),
        Prose("Summary", [EVIL], [("longer", [EVIL])]),
        Listing("Quiz", [Item(EVIL, EVIL, Span.of(0, 1), None, [EVIL], EVIL)], gallery=True),
        Picture("Heat", "data:image/jpeg;base64,AAAA", EVIL),
        Chart("People", [(Span.of(0, 2), 3.0), (Span.of(2, 4), 1.0)], EVIL),
        Bars("Lines", [(EVIL, 2.0, "2")]),
        Diagram("Map", [Node("a", 0.2, 0.2, EVIL), Node("b", 0.6, 0.8, "b")], [("a", "b", EVIL)]),
    )
    figures = (Figure(EVIL, EVIL, "bad"),)
    return render(
        gather(video.media, result, "Moderation", figures=figures, sections=sections, summary=EVIL, veil=True)
    )


def test_the_page_asks_nothing_of_any_other_place_and_runs_its_own_script_alone(page: str) -> None:
    assert not re.search(r"""(src|href|poster)=["']?(?!data:)[a-z]+:""", page)
    assert EVIL not in page
    assert 'onerror="' not in page
    assert "{{" not in page.replace("{{ 7*7 }}", "")
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', page)
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src-elem 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy


def test_the_page_shows_findings_sections_and_what_was_not_seen(page: str) -> None:
    for title in ("Summary", "Quiz", "Heat", "People", "Lines", "Map", "Nothing was heard"):
        assert title in page
    assert page.count('class="card ') == 2
    assert page.count("possible, not sure") == 1
    assert page.count('data-filter="severity"') == 2
    assert 'class="card high veiled"' in page


def test_clips_play_and_have_the_sound(page: str) -> None:
    (clip, *_) = re.findall(r"data:video/mp4;base64,([A-Za-z0-9+/=]+)", page)
    with av.open(io.BytesIO(base64.b64decode(clip))) as container:
        pictures = sum(1 for _ in container.decode(video=0))
    with av.open(io.BytesIO(base64.b64decode(clip))) as container:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    assert pictures == 20
    assert np.abs(sound).max() > 0.1


def test_findings_are_written_as_the_schema_says(video: Video) -> None:
    (kept,) = checked(video, "EXIT 25")
    check_schema(kept.to_json(), "finding")


def test_senses_that_did_not_see_all_are_named_with_the_reason(video: Video) -> None:
    video.memory.fail(video.media.hash, Producer("objects", "1"), Span.of(0, 4), "no weights")
    told = unseen(video.memory.coverage(video.media.hash), ["objects"])
    assert told == ["objects perceived 0% of the video (no weights): what only it can tell may be missing."]


def test_reports_of_several_files_never_share_a_place(tmp_path: Path) -> None:
    places = report_places(["a/x.mp4", "b/x.mp4"], tmp_path / "out")
    assert sorted(place.name for place in places.values()) == ["x-2.html", "x.html"]
    (tmp_path / "one.html").write_text("")
    with pytest.raises(UsageError):
        report_places(["a.mp4", "b.mp4"], tmp_path / "one.html")
