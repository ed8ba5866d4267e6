"""Moderation: a policy is data that is read with care; words count in their context; what is found can be reviewed."""

from __future__ import annotations

import json
import shutil
import wave
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from click.testing import CliRunner

from app_cases import check_schema
from vidence.apps.finding import Finding
from vidence.apps.kept import Kept
from vidence.apps.moderate import Policy, difference, moderate, open_policy, shipped
from vidence.apps.moderate.matching import matches, words_span
from vidence.apps.moderate.moderation import unquoted
from vidence.apps.moderate.patterns import PATTERNS, masked
from vidence.apps.moderate.policy import Rule
from vidence.apps.moderate.reading import read_policy
from vidence.apps.moderate.report import page_of
from vidence.apps.moderate.reviews import Review, keep_review, read_changes
from vidence.apps.moderate.taxonomy import LEVELS, lineage, taxonomy
from vidence.apps.redact import Cover, blurred, hushed, redact
from vidence.apps.report import render
from vidence.cli.group import vidence
from vidence.errors import UsageError
from vidence.mcr.budget import Budget
from vidence.mcr.evidence import Verdict
from vidence.senses import default_senses
from vidence.senses.observation import Box, Observation, Producer
from vidence.timeline import Span
from vidence.video import Video
from vidence.video import open as open_video

RULE = "policy: mine\nages: [0, 12, 18]\nrules:\n  - id: gun\n    label: violence/weapons/firearm\n    severity: high\n"


def policy(extra: str = "", head: str = RULE) -> Policy:
    return read_policy(head + "".join(f"    {line}\n" for line in extra.splitlines()), "mine.yaml")


def said(text: str, sense: str = "speech", **data: Any) -> Observation:
    modality: Any = {"speech": "speech", "text": "text"}.get(sense, "visual")
    return Observation(
        Span.of(0, 4), modality, Producer(sense, "1"), text, 0.9, data={"language": "en", **data}
    )


def strengths(text: str, extra: str = "words: [kill]", sense: str = "speech") -> list[float]:
    return [round(m.strength, 2) for m in matches(policy(extra).rules[0], [said(text, sense)])]


# The policy is data


@pytest.mark.parametrize("name", shipped())
def test_the_policies_that_ship_are_read_and_every_rule_can_be_triggered(name: str) -> None:
    read = open_policy(name)
    assert len(read.rules) >= 10
    assert all(rule.able and rule.definition for rule in read.rules)


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        ("words: [gun]\nseverty: high", "severty: there is no such field; did you mean 'severity'?"),
        ("things: [gunn]", "things: 'gunn' is not known"),
        ("words: ['@firearm']", "words: '@firearm' is no word list; there is @firearms"),
        ("words: [no]", "a word such as no or 1 needs quotes"),
        ("least: 2\nwords: [gun]", "least: 2 is no number from 0 to 1"),
        ("patterns: {own: '['}", "patterns: 'own' is no regular expression"),
        ("action: burn\nwords: [gun]", "action: 'burn' is none of these: blur, bleep"),
        ("words: [gun]\nsenses: [sound]", "senses: none of them can trigger it"),
        (
            "context: {negation: ignore}\nwords: [gun]",
            "negation: 'ignore' is none of these: lower, keep, drop",
        ),
        ("age: 21\nwords: [gun]", "21 is above the highest of the ages, 18"),
        ("", "nothing can trigger it"),
    ],
)
def test_what_is_wrong_with_a_policy_is_told_by_file_rule_and_field(extra: str, told: str) -> None:
    with pytest.raises(UsageError) as error:
        policy(extra)
    assert "mine.yaml: rule 'gun'" in str(error.value)
    assert told in str(error.value)


def test_all_that_is_wrong_is_told_at_once() -> None:
    head = "policy: mine\nrules:\n"
    bad = head + "  - {id: a, label: no/where, severity: hgh}\n  - {id: a, label: violence, words: [x]}\n"
    with pytest.raises(UsageError) as error:
        read_policy(bad, "mine.yaml")
    lines = str(error.value).splitlines()
    assert any("rule 'a': label: 'no/where' is no place" in line for line in lines)
    assert any(
        "severity: 'hgh' is none of these: info, low, medium, high (did you mean 'high'?)" in li
        for li in lines
    )
    assert any("severity: is missing" in line for line in lines)
    assert any("two rules have the id 'a'" in line for line in lines)


def test_broken_yaml_names_the_line() -> None:
    with pytest.raises(UsageError, match=r"mine\.yaml: line 2"):
        read_policy("policy: a\nrules: [", "mine.yaml")


def test_the_taxonomy_has_three_levels_and_names_of_the_field_come_down_from_above() -> None:
    labels = taxonomy()
    assert {label.level for label in labels.values()} == set(range(1, LEVELS + 1))
    assert all(above in labels for path in labels for above in lineage(path))
    assert labels["violence/weapons/firearm"].names["openai"] == "violence"
    assert labels["violence/weapons/firearm"].names["rekognition"] == "Weapon Violence"
    assert "openai" not in labels["substances/alcohol/product"].names


# Words in their context


def test_every_form_of_a_word_is_found_and_no_longer_word_that_holds_it() -> None:
    assert strengths("He killed them, and kills, and was killing.") == [0.9, 0.9, 0.9]
    assert strengths("She learned a skill in Kilkenny.") == []


def test_letters_put_for_others_are_read() -> None:
    assert strengths("what a sh1t, s**t and $hit day", "words: [shit]") == [0.9, 0.9, 0.9]
    assert strengths("the year 2017", "words: [zoit]") == []


def test_negated_quoted_and_counter_examples_count_less() -> None:
    assert strengths("Do not kill anybody.") == [0.36]
    assert strengths("Nothing happened. Then they kill him.") == [0.9]
    assert strengths('He spelled the word "kill" for us.') == [0.36]
    assert strengths("Please kill the lights.", "words: [kill]\ncounter_examples: [kill the lights]") == [
        0.14
    ]
    assert strengths("do not kill", "words: [kill]\ncontext: {negation: keep}") == [0.9]
    assert strengths("do not kill", "words: [kill]\ncontext: {negation: drop}") == [0.0]


def test_words_of_one_language_are_not_looked_for_in_another() -> None:
    rule = policy("words: {en: [die], de: [töten]}").rules[0]
    german = said("Die Katze schläft, sie töten niemanden.", language="de")
    assert [m.quote for m in matches(rule, [german])] == [german.text]
    assert "töten" in matches(rule, [german])[0].why


def test_a_word_has_the_time_at_which_it_was_said() -> None:
    words = [
        [0.0, 0.4, "Put"],
        [0.4, 0.6, "the"],
        [0.6, 1.1, "gun"],
        [1.1, 1.6, "down,"],
        [1.7, 2.0, "please."],
    ]
    (match,) = matches(policy("words: [gun]").rules[0], [said("Put the gun down, please.", words=words)])
    assert match.span == Span.of("0.6", "1.1")
    assert words_span(said("Put the gun"), 8, 11) == Span.of(0, 4)


def test_what_was_not_understood_is_no_evidence() -> None:
    assert (
        matches(policy("words: [speech]").rules[0], [said("[speech, not understood]", doubt="noise")]) == []
    )


@pytest.mark.parametrize(
    ("name", "text", "holds"),
    [
        ("email", "write to ada.l@example.org now", True),
        ("card", "4111 1111 1111 1111", True),
        ("card", "4111 1111 1111 1112", False),
        ("iban", "GB82 WEST 1234 5698 7654 32", True),
        ("iban", "GB82 WEST 1234 5698 7654 33", False),
        ("phone", "+49 30 1234567", True),
        ("phone", "2024-05-17 12:00", False),
        ("password", "password: hunter2!", True),
        ("password", "the password field is empty", False),
        ("secret-key", "AKIAIOSFODNN7EXAMPLE", True),
    ],
)
def test_secrets_are_found_by_their_form_and_check_digits(name: str, text: str, holds: bool) -> None:
    rule = Rule("secret", "privacy/secret", "high", patterns={name: PATTERNS[name].expression}, mask=True)
    found = matches(rule, [said(text, "text")])
    assert bool(found) == holds


def test_a_masked_rule_does_not_pass_the_secret_on() -> None:
    rule = Rule(
        "secret", "privacy/secret", "high", patterns={"email": PATTERNS["email"].expression}, mask=True
    )
    (match,) = matches(rule, [said("mail ada.l@example.org", "text")])
    assert "ada.l" not in match.quote + match.why
    assert masked("hunter2!").count("•") == 6
    (first, second) = matches(rule, [said("mail ada.l@example.org or bob.k@example.org", "text")])
    assert "bob.k" not in first.quote + second.quote
    verdict = Verdict("supported", 1.0, "opened 00:01 again and perceived 'ada.l@example.org'")
    told = unquoted(Finding("", "secret", "Secret", Span.of(0, 1), "high", 0.9, verdict=verdict)).verdict
    assert told is not None
    assert told.checked_by == "opened 00:01 again and read it there"


def test_things_classes_and_sounds_trigger_rules() -> None:
    rule = policy("things: [knife]\nclasses: [gun]\nsounds: [{heard: sudden sound, least_db: -15}]").rules[0]
    knife = Observation(Span.of(0, 1), "visual", Producer("objects", "1"), "knife", 0.8)
    looks = Observation(
        Span.of(1, 2),
        "visual",
        Producer("looks", "1"),
        "x",
        0.8,
        data={"classes": [["dog", 0.3]], "kinds": [["gun", 0.7]]},
    )
    loud = Observation(
        Span.of(2, 3), "audio", Producer("sound", "1"), "sudden sound", 1.0, data={"level_db": -10.0}
    )
    soft = Observation(
        Span.of(3, 4), "audio", Producer("sound", "1"), "sudden sound", 1.0, data={"level_db": -30.0}
    )
    found = matches(rule, [knife, looks, loud, soft])
    assert [(m.observation.sense, m.strength) for m in found] == [
        ("objects", 0.8),
        ("looks", 0.7),
        ("sound", 0.9),
    ]
    voice = Observation(Span.of("2.2", 4), "speech", Producer("speech", "1"), "And so", 0.9)
    assert "sound" not in [m.observation.sense for m in matches(rule, [loud, voice])], (
        "who speaks startles nobody"
    )


# A whole video


def picture(number: int) -> np.ndarray:
    """Show a sign GUNS AND AMMO from second 2 to 5 of eight; and a wall."""
    import cv2

    image = np.full((240, 320, 3), (150, 140, 120), np.uint8)
    if 50 <= number < 125:
        cv2.rectangle(image, (20, 80), (300, 160), (20, 60, 30), -1)
        cv2.putText(
            image, "GUN SHOP", (40, 135), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (240, 240, 240), 3, cv2.LINE_AA
        )
    return image


CUES = [
    (0.2, 1.8, "Please kill the lights."),
    (5.5, 6.5, "They murdered the man in his own house."),
    (7.0, 7.8, "We would never kill anyone."),
]


@pytest.fixture(scope="module")
def perceived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Write the film and perceive it once: (film, memory file)."""
    from conftest import write_video

    place = tmp_path_factory.mktemp("moderate")
    path, memory = place / "film.mp4", place / "memory.sqlite"
    write_video(path, frames=200, fps=25, size=(320, 240), paint=picture, cues=CUES, tone_hz=300.0)
    with open_video(path, memory=memory, language="en") as video:
        video.index(default_senses(["speech", "text", "objects", "looks", "sound"], language="en"))
    return path, memory


@pytest.fixture
def clip(perceived: tuple[Path, Path]) -> Path:
    return perceived[0]


@pytest.fixture
def memory(perceived: tuple[Path, Path], tmp_path: Path) -> Path:
    """Give each test a memory of its own, in which the film is perceived already."""
    return Path(shutil.copy(perceived[1], tmp_path / "m.sqlite"))


@pytest.fixture
def video(clip: Path, memory: Path) -> Iterator[Video]:
    with open_video(clip, memory=memory, language="en") as opened:
        yield opened


def test_violations_have_exact_spans_evidence_verdicts_and_a_rating(video: Video) -> None:
    found = moderate(video, open_policy("family"))
    by_rule = {one.kind: one for one in found.findings}
    assert set(by_rule) == {"firearm", "killing"}
    gun, killing = by_rule["firearm"], by_rule["killing"]
    assert gun.span.iou(Span.of(2, 5)) > 0.8
    assert killing.span == Span.of("5.5", "6.5")
    assert gun.verdict is not None
    assert gun.verdict.kind == "supported"
    assert gun.evidence[0].frame_hash
    assert gun.boxes_at(Fraction(3))[0].iou(Box(0.12, 0.4, 0.7, 0.18)) > 0.4
    assert (gun.data["action"], killing.data["action"]) == ("blur", "bleep")
    assert found.age == 16
    assert {one.rule for one in found.let_go} == {"killing"}
    assert len(found.let_go) == 2
    assert any("embedded" in line for line in found.limits)
    check_schema(found.to_json(), "moderate")


def test_a_second_run_opens_nothing_and_finds_the_same(video: Video) -> None:
    first = moderate(video, open_policy("family"))
    second = moderate(video, open_policy("family"))
    assert [one.to_json() for one in second.findings] == [one.to_json() for one in first.findings]
    assert second.receipt.frames == 0
    assert second.receipt.actions == {}


def test_a_changed_policy_is_compared_without_perceiving_again(video: Video) -> None:
    before = moderate(video, open_policy("family"))
    changed = read_policy(
        RULE.replace("severity: high", "severity: low\n    gap_s: 0\n    words: [gun, house]"), "mine.yaml"
    )
    after = moderate(video, changed, perceive=False, budget=Budget(max_frames=0))
    told = difference(before, after)
    assert [one.kind for one in told.removed] == ["killing"]
    assert [one.span for one in told.added] == [Span.of("5.5", "6.5")]
    assert told.changed[0].fields["severity"] == ("medium", "low")
    assert told.ages == (16, 0)


def test_reviewers_decisions_hold_for_the_next_run(video: Video) -> None:
    family = open_policy("family")
    found = moderate(video, family)
    kept, medium = Kept.beside(video.memory.path), video.media.hash
    for one in found.findings:
        decision: Any = "rejected" if one.kind == "killing" else "amended"
        changes = read_changes("severity=low,end=4.5") if decision == "amended" else {}
        keep_review(kept, Review(medium, one.kind, one.span, decision, changes, "a toy", "Ada"))
    again = moderate(video, family)
    gun = next(one for one in again.findings if one.kind == "firearm")
    assert [one.kind for one in again.violations] == ["firearm"]
    assert (gun.severity, gun.span.end, gun.certain) == ("low", Fraction("4.5"), True)
    assert gun.data["review"]["reviewer"] == "Ada"
    assert again.age == 12
    check_schema(again.to_json(), "moderate")


def test_without_the_senses_that_it_needs_the_result_says_what_was_not_seen(video: Video) -> None:
    video.memory.forget(video.media.hash)
    video.index(senses=[])
    found = moderate(video, open_policy("family"), perceive=False)
    assert found.findings == ()
    assert any(line.startswith("speech perceived 0%") for line in found.limits)


def test_sound_alone_is_moderated_and_its_page_lets_it_be_heard(tmp_path: Path) -> None:
    samples = np.zeros(6 * 16_000, np.float32)
    samples[48_000:52_000] = 0.9 * np.sin(np.arange(4000))
    path = tmp_path / "bang.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    rules = policy("sounds: [{heard: sudden sound, least_db: -15, least_rise_db: 20}]")
    with open_video(path, memory=tmp_path / "memory.sqlite") as bang:
        found = moderate(bang, rules)
        page = render(page_of(bang.media, found))
    (one,) = found.violations
    assert abs(float(one.span.start) - 3) < 0.2
    assert "<audio controls" in page
    assert "data:audio/mp4;base64," in page


def test_the_page_veils_violations_and_escapes_what_was_read(video: Video) -> None:
    page = render(page_of(video.media, moderate(video, open_policy("family"))))
    assert page.count(' veiled" id=') == 2
    assert "Weapons › Firearms" in page
    assert "Looked at and let go" in page


# Copies


def test_what_is_said_and_shown_is_covered_in_the_copy_and_the_rest_is_left(
    clip: Path, memory: Path, tmp_path: Path
) -> None:
    place = tmp_path / "covered.mp4"
    args = [
        "moderate",
        str(clip),
        "--memory",
        str(memory),
        "--language",
        "en",
        "--export",
        str(place),
        "--json",
        "-q",
    ]
    done = CliRunner().invoke(vidence, args)
    assert done.exit_code == 0, done.output
    check_schema(json.loads(done.stdout), "moderate")
    with av.open(str(clip)) as before, av.open(str(place)) as after:
        old = {frame.time: frame.to_ndarray(format="rgb24").astype(int) for frame in before.decode(video=0)}
        new = {frame.time: frame.to_ndarray(format="rgb24").astype(int) for frame in after.decode(video=0)}
    assert list(old) == list(new)
    strokes = {time: picture[95:145, 40:280].std() for time, picture in new.items()}
    assert strokes[3.0] < 0.5 * old[3.0][95:145, 40:280].std()
    assert np.abs(old[6.0] - new[6.0]).mean() < 4
    with av.open(str(place)) as after:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in after.decode(audio=0)])

    def loudest_hz(start_s: float, end_s: float) -> float:
        part = sound[int(start_s * 48_000) : int(end_s * 48_000)]
        return float(np.abs(np.fft.rfft(part * np.hanning(len(part)))).argmax() / (len(part) / 48_000))

    assert abs(loudest_hz(5.6, 6.4) - 1000) < 5
    assert abs(loudest_hz(3.0, 4.0) - 300) < 5


def test_a_cover_moves_with_the_thing_and_leaves_no_edge() -> None:
    path = ((Fraction(0), Box(0, 0, 0.2, 0.2)), (Fraction(2), Box(0.5, 0.5, 0.2, 0.2)))
    cover = Cover(Span.of(0, 2), path)
    box = cover.box(Fraction(1))
    assert box is not None
    assert box.x < 0.25 < 0.45 < box.x + box.w
    assert cover.box(Fraction(4)) is None
    image = np.random.default_rng(0).integers(0, 255, (100, 100, 3), np.uint8)
    out = blurred(image, [Box(0.2, 0.2, 0.4, 0.4)])
    assert out[25:55, 25:55].std() < 0.5 * image[25:55, 25:55].std()
    assert (out[:20] == image[:20]).all()


def test_nothing_is_left_of_what_was_said_under_the_tone() -> None:
    block = np.random.default_rng(0).normal(0, 0.3, (2, 48_000)).astype(np.float32)
    out = hushed(block, Fraction(10), 48_000, [Span.of("10.25", "10.5")], "mute")
    assert np.abs(out[:, 12_000:24_000]).max() == 0
    assert (out[:, :11_000] == block[:, :11_000]).all()


def test_the_video_itself_is_never_overwritten(video: Video) -> None:
    with pytest.raises(UsageError, match="is the video itself"):
        redact(video.media, Path(video.media.path))


def test_decisions_are_made_on_the_command_line(clip: Path, memory: Path, tmp_path: Path) -> None:
    shared = ["--memory", str(memory), "--language", "en", "--json", "-q"]
    run = CliRunner().invoke
    first = json.loads(run(vidence, ["moderate", str(clip), *shared]).stdout)
    assert [one["id"] for one in first["findings"]] == ["firearm-1", "killing-1"]
    changed = ["--reject", "firearm-1", "--amend", "killing-1:severity=low", "--note", "a toy"]
    second = json.loads(run(vidence, ["moderate", str(clip), *changed, *shared]).stdout)
    assert [one["data"]["review"]["decision"] for one in second["findings"]] == ["rejected", "amended"]
    third = json.loads(run(vidence, ["moderate", str(clip), "--undo", "firearm-1", *shared]).stdout)
    assert [one["severity"] for one in third["findings"]] == ["medium", "low"]
    wrong = run(vidence, ["moderate", str(clip), "--reject", "nothing-1", *shared])
    assert wrong.exit_code == 2
    assert "there are firearm-1, killing-1" in wrong.output


def test_one_bad_file_does_not_take_the_others_results(clip: Path, memory: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video")
    args = ["moderate", str(bad), str(clip), "--memory", str(memory), "--language", "en", "--json", "-q"]
    done = CliRunner().invoke(vidence, [*args, "--html", str(tmp_path / "pages")])
    assert done.exit_code == 3
    found = json.loads(done.stdout)
    check_schema(found, "moderate")
    assert "error" in found["files"][0]
    assert found["files"][1]["findings"]
    assert (tmp_path / "pages/film.html").is_file()


def test_the_example_of_the_documents_is_read() -> None:
    import re

    text = (Path(__file__).parents[2] / "docs/moderate.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert read_policy(example, "docs/moderate.md").rules[0].words["en"]
