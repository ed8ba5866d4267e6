"""What is written can be read by other tools, letter for letter and to the millisecond."""

from __future__ import annotations

import csv
import io
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import jsonschema
import pysubs2
import pytest

from vidence.errors import UsageError
from vidence.exports import FORMATS, parse_formats, write
from vidence.senses.observation import Box, Observation, Producer
from vidence.timeline import Span

SCHEMAS = Path(__file__).parents[1] / "src/vidence/schemas"
NASTY = "a {b} <i>&amp;</i> --> c"


def seen(start: Any, end: Any, text: str, **more: Any) -> Observation:
    return Observation(Span.of(start, end), "text", Producer("text", "1"), text, **more)


@pytest.mark.parametrize("name", ["srt", "vtt"])
def test_subtitles_come_back_with_their_times_and_words(name: str) -> None:
    lines = [seen(Fraction(1001, 1000), "2.5", "one\ntwo"), seen(3661, "3662.0005", "größer 東京")]
    back = pysubs2.SSAFile.from_string(write(lines, name), format_=name)
    assert [(e.start, e.end) for e in back] == [(1001, 2500), (3_661_000, 3_662_001)]
    assert [e.plaintext for e in back] == ["one\ntwo", "größer 東京"]


def test_webvtt_escapes_what_it_reserves_and_keeps_braces() -> None:
    text = write([seen(0, 1, NASTY)], "vtt")
    assert text.startswith("WEBVTT\n\n")
    assert "a {b} &lt;i&gt;&amp;amp;&lt;/i&gt; --&gt; c\n" in text
    assert text.count("-->") == 1  # the arrow of the cue's own times


def test_an_arrow_in_srt_text_cannot_look_like_times() -> None:
    assert write([seen(0, 1, "00:00 --> 00:01")], "srt").count("-->") == 1


def test_blank_lines_inside_a_text_do_not_end_the_cue() -> None:
    (cue,) = pysubs2.SSAFile.from_string(write([seen(0, 1, "a\n\n\nb")], "srt"), format_="srt")
    assert cue.plaintext == "a\nb"


def test_instants_last_a_millisecond_and_negative_times_begin_at_zero() -> None:
    text = write([seen(-1, "0.5", "early"), seen(2, 2, "instant")], "srt")
    assert "00:00:00,000 --> 00:00:00,500\nearly" in text
    assert "00:00:02,000 --> 00:00:02,001\ninstant" in text


@pytest.mark.parametrize("name", list(FORMATS))
def test_nothing_perceived_gives_a_well_formed_empty_file(name: str) -> None:
    empty = {"srt": "", "vtt": "WEBVTT\n", "txt": "", "csv": "start_s,end_s,sense,text,confidence,x,y,w,h\n"}
    assert write([], name) == empty.get(name, '{\n  "observations": []\n}\n')


def test_csv_keeps_quotes_and_newlines_and_disarms_formulas() -> None:
    box = ((Fraction(0), Box(0.25, 0.5, 0.1, 0.2)),)
    lines = [seen(0, 1, 'say "hi",\nyou', track=box), seen(1, 2, "=1+1")]
    rows = list(csv.DictReader(io.StringIO(write(lines, "csv"))))
    assert rows[0]["text"] == 'say "hi",\nyou'
    assert [float(rows[0][side]) for side in "xywh"] == [0.25, 0.5, 0.1, 0.2]
    assert rows[1]["text"] == "'=1+1"
    assert rows[1]["x"] == ""


def test_txt_gives_each_observation_one_line() -> None:
    assert write([seen("61.5", 62, "two\nlines")], "txt") == "01:01.500–01:02.000\ttwo lines\n"


def test_json_keeps_every_detail_and_fits_its_schema() -> None:
    box = ((Fraction(1, 3), Box(0, 0, 0.5, 0.5)),)
    found = json.loads(write([seen(Fraction(1, 3), 1, NASTY, track=box, data={"height": 0.1})], "json"))
    jsonschema.validate(found, json.loads((SCHEMAS / "observations.json").read_text()))
    (one,) = found["observations"]
    assert one["start_s"] == 0.333333
    assert one["text"] == NASTY
    assert one["data"] == {"height": 0.1}
    assert one["track"] == [{"time_s": 0.333333, "x": 0, "y": 0, "w": 0.5, "h": 0.5}]


def test_format_names_may_be_repeated_or_listed() -> None:
    assert parse_formats(["srt, vtt", "SRT"]) == ["srt", "vtt"]
    assert parse_formats(["all"]) == list(FORMATS)


def test_an_unknown_format_is_told_with_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"unknown format 'doc'.*srt"):
        parse_formats(["doc"])


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.json")), ids=lambda path: path.stem)
def test_every_schema_is_a_valid_schema(path: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(path.read_text()))


@pytest.mark.parametrize("name", list(FORMATS))
def test_no_format_passes_a_terminals_control_codes_on(name: str) -> None:
    text = write([seen(0, 1, "red \x1b[31m, bell \x07, C1 \x9b31m, two\r\nlines")], name)
    assert not set(text) & {"\x1b", "\x07", "\x9b", "\r"}
    assert "lines" in text
