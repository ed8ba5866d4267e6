"""Studying: what is told of lectures of which all is known, as flawless senses perceive them, and end to end."""

from __future__ import annotations

import io
import json
import re
import sqlite3
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from rdflib import Graph, Namespace
from rdflib.namespace import DCTERMS, RDF, SKOS

from app_cases import check_schema
from lecture_cases import perceived
from vidence.apps.study import Study, study
from vidence.apps.study import definitions as defining
from vidence.apps.study.anki import to_apkg
from vidence.apps.study.chapters import find_chapters
from vidence.apps.study.concepts import find_needs
from vidence.apps.study.heard import plain, read
from vidence.apps.study.knowledge import find_points
from vidence.apps.study.notes import to_chapters_vtt, to_markdown, to_youtube
from vidence.apps.study.onscreen import find_on_screen, kind_of
from vidence.apps.study.page import to_html
from vidence.apps.study.passages import passages_of
from vidence.apps.study.quiz import BLANK, make_quiz
from vidence.apps.study.skos import to_skos
from vidence.apps.study.slides import find_slides
from vidence.apps.study.summary import summarise
from vidence.cli.group import vidence
from vidence.mcr.budget import Receipt
from vidence.memory import Coverage
from vidence.senses import default_senses
from vidence.senses.picture import Sample, samples
from vidence.timeline import Span
from vidence.video import open as open_video
from vidence.worlds.event import Line
from vidence.worlds.lecture import Lecture, Slide, keys

EVIL = "<b>[x](http://e) `*1. -->\n# &"


@cache
def studied(key: str) -> Study:
    """Study a lecture that is perceived without a flaw."""
    lecture = Lecture.of(key)
    seen = perceived(lecture)
    slides = find_slides(seen, samples([o for o in seen if o.sense == "picture"]), lecture.span)
    passages, language = passages_of(seen, slides)
    points = find_points(passages, slides, language)
    needs = find_needs(points, passages)
    chapters = find_chapters(slides, passages, points, lecture.span)
    shown = find_on_screen(slides)
    return Study(
        f"{key}.mp4", language, tuple(chapters), tuple(slides), tuple(points), tuple(needs), tuple(shown),
        summarise(passages, points, chapters), tuple(make_quiz(points, needs, shown, slides, key)), tuple(passages), (),
        Coverage(f"sha256-sampled:{key}", lecture.span), Receipt(1.0, 0.5, 2.0, 3, 4, 0, 0, {}), (),
    )  # fmt: skip


@pytest.mark.parametrize("key", keys())
def test_each_slide_is_found_once_complete_and_with_all_its_times(key: str) -> None:
    lecture, found = Lecture.of(key), studied(key).slides
    assert [slide.title for slide in found] == [slide.title for slide in lecture.slides]
    for mine, true in zip(found, lecture.slides, strict=True):
        assert [line.text for line in mine.body] == [line.strip() for line in true.lines], (
            "built up line by line"
        )
        assert len(mine.appearances) == len(true.appearances)
        for span, shown in zip(mine.appearances, true.appearances, strict=True):
            assert abs(span.start - shown.start) <= Fraction(1, 2)
        assert sum(step <= mine.shown for step in true.steps) == len(true.lines)


def test_what_moves_all_over_is_no_slide() -> None:
    lecture = Lecture.of("cells")
    seen = perceived(lecture)
    rng = np.random.default_rng(1)
    noisy = [
        Sample(s.time, 0.3, 0.5, 0.2, 0, 0, rng.uniform(0, 255, s.layout.shape))
        for s in samples([o for o in seen if o.sense == "picture"])
    ]
    assert find_slides(seen, noisy, lecture.span) == []


@pytest.mark.parametrize("key", keys())
def test_terms_are_found_with_the_words_that_define_them(key: str) -> None:
    lecture, points = Lecture.of(key), {point.name: point for point in studied(key).points}
    for term in lecture.needs:
        line = lecture.definition(term)
        assert line is not None
        assert points[term].definition == line.text
        assert points[term].source is not None
        assert points[term].first == line.span.start


SPOKEN = "Without voltage there is no current. The nucleus protects the DNA. Firms offer a supply."


@pytest.mark.parametrize(
    ("heard", "names", "meant"),
    [
        ("Voltages the energy of a charge.", [], "Voltage is the energy of a charge."),
        ("Supplies the amount of a good.", [], "Supply is the amount of a good."),
        ("Thome's law is the statement of it.", ["Ohm's law"], "Ohm's law is the statement of it."),
        ("Brent's first search in a way to go.", ["Breadth-first search"], "Breadth-first search is a way to go."),
        ("A path in a sequence of edges.", ["Paths"], "A path is a sequence of edges."),
    ],
)  # fmt: skip
def test_what_was_misheard_is_read_as_it_was_meant(heard: str, names: list[str], meant: str) -> None:
    assert read(heard, names, (), plain(SPOKEN)) == meant


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("The nucleus protects the DNA.", ["Nucleus"]),
        ("A node in the graph stores a value.", ["Nodes"]),
        ("Nodes in a graph bear values.", ["Nodes"]),
        ("Meiosis is the other way to divide.", ["Mitosis"]),  # it is written, too, on another slide
        ("A directed graph is the simpler one.", ["Undirected graph"]),
        ("Current is the flow of charge.", ["Current I in ampere"]),
        ("It heats the water.", ["Heat"]),
    ],
)
def test_a_sentence_that_is_one_stays_as_it_is(said: str, names: list[str]) -> None:
    assert read(said, names, {"meiosi"}, plain(SPOKEN + " current I in ampere. the heat.")) == said


def test_the_concept_map_of_the_graphs_is_the_true_one() -> None:
    lecture, told = Lecture.of("graphs"), studied("graphs")
    arrows = {(told.point(n.point).name, told.point(n.needs).name) for n in told.needs}
    for term, needs in lecture.needs.items():
        for need in needs:
            assert (term, need) in arrows
    for term, needs in lecture.needs.items():
        for need in needs:
            assert (need, term) not in arrows


@pytest.mark.parametrize("key", keys())
def test_the_concept_map_has_no_circle_and_nothing_that_follows(key: str) -> None:
    arrows = {(n.point, n.needs) for n in studied(key).needs}

    def below(id: str) -> set[str]:
        return {b for a, b in arrows if a == id} | {c for a, b in arrows if a == id for c in below(b)}

    for a, b in arrows:
        assert a not in below(a)
        assert all(b not in below(other) for first, other in arrows if first == a and other != b)


@pytest.mark.parametrize(
    ("language", "text", "term"),
    [
        ("en", "So, a graph is a set of vertices.", "graph"),
        ("en", "Ohm's law is the statement that U equals R times I.", "Ohm's law"),
        ("en", "Recursion means that a function calls itself.", "Recursion"),
        ("en", "A function that calls itself is called recursive function.", "recursive function"),
        ("en", "By latency we mean the time until the first answer.", "latency"),
        ("de", "Ein Graph ist eine Menge von Knoten.", "Graph"),
        ("de", "Unter einer Relation versteht man eine Menge von Paaren.", "Relation"),
        ("fr", "Une cellule est la plus petite unité du vivant.", "cellule"),
        ("es", "La célula es la unidad más pequeña de la vida.", "célula"),
        ("it", "La cellula è la più piccola unità della vita.", "cellula"),
        ("zh", "细胞是指生命的最小单位。", "细胞"),
    ],
)
def test_definitions_are_known_in_six_languages(language: str, text: str, term: str) -> None:
    found = defining.in_sentence(text, language)
    assert found is not None
    assert found.term == term


@pytest.mark.parametrize(
    "text",
    [
        "This is the next slide.", "It is a good idea.", "What is a graph?", "There is a problem.",
        "The reason is that it rains.",
         "If x is the root we stop.", "We are the champions.",
    ],
)  # fmt: skip
def test_not_every_sentence_with_is_defines(text: str) -> None:
    assert defining.in_sentence(text, "en") is None


def test_lines_of_slides_define_with_a_colon_or_a_dash() -> None:
    assert defining.in_line("Queue: first in, first out", "en") == defining.Definition(
        "Queue", "first in, first out"
    )
    assert defining.in_line("Latency – time until the answer", "en") is not None
    assert defining.in_line("def search(start):", "en") is None


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("U = R * I", "formula"), ("d(v) = min(d(u) + w(u, v))", "formula"), ("∑ x² ≤ n", "formula"),
        ("C6H12O6 + 6 O2 -> 6 CO2 + 6 H2O", "formula"), ("def search(start):", "code"),
        ("for (int i = 0; i < n; i++) {", "code"),
        ("import numpy as np;", "code"), ("$ git commit", "code"), ("queue.append(start)", "code"),
        ("Uses a queue", None),
        ("18:38", None), ("1024 × 768 (4:3)", None), ("https://example.org/?a=b", None), ("Results 2024", None),
        ("Length = number of edges", None),
    ],
)  # fmt: skip
def test_formulas_and_code_are_told_from_words(line: str, kind: str | None) -> None:
    assert kind_of(line) == kind


def test_code_keeps_its_lines_and_its_indents() -> None:
    (code,) = (one for one in studied("graphs").on_screen if one.kind == "code")
    assert (
        code.text == "def search(start):\n    queue = [start]\n    while queue:\n        visit(queue.pop(0))"
    )


@pytest.mark.parametrize("key", keys())
def test_chapters_cover_the_lecture_and_begin_where_slides_do(key: str) -> None:
    lecture, told = Lecture.of(key), studied(key)
    assert told.chapters[0].span.start == lecture.span.start
    assert told.chapters[-1].span.end == lecture.span.end
    starts = {slide.first for slide in told.slides}
    for before, after in zip(told.chapters, told.chapters[1:], strict=False):
        assert before.span.end == after.span.start
        assert after.span.start in starts


def test_chapters_of_the_graphs_are_the_true_ones() -> None:
    told = [(chapter.title, chapter.span.start) for chapter in studied("graphs").chapters]
    true = Lecture.of("graphs").chapters
    assert [title for title, _ in told] == [title for _, title in true]
    assert all(abs(start - time) <= 1 for (_, start), (time, _) in zip(told, true, strict=True))


@pytest.mark.parametrize("key", keys())
def test_summaries_are_sentences_that_were_said_and_grow(key: str) -> None:
    said, summary = {line.text for line in Lecture.of(key).spoken}, studied(key).summary
    lengths = [len(summary[name]) for name in ("short", "medium", "long")]
    assert lengths == sorted(lengths)
    assert lengths[0] >= 1
    for sentences in summary.values():
        assert all(sentence.text in said for sentence in sentences)
        assert [s.span for s in sentences] == sorted(s.span for s in sentences)


@pytest.mark.parametrize("key", keys())
def test_a_quiz_holds_its_answers_once_and_does_not_give_them_away(key: str) -> None:
    told = studied(key)
    assert told.quiz
    for item in told.quiz:
        assert item.quote in {p.text for p in told.passages}
        assert not item.options or item.options.count(item.answer) == 1
        if BLANK in item.question:
            assert not re.search(rf"\b{re.escape(item.answer)}\b", item.question, re.IGNORECASE)
    again = make_quiz(told.points, told.needs, told.on_screen, told.slides, key)
    assert tuple(again) == told.quiz


def test_notes_hold_everything_and_show_what_was_written_letter_for_letter() -> None:
    told = studied("graphs")
    notes = to_markdown(told)
    for word in ("## 1. Graphs (0:00)", "## Glossary", "## Quiz", "```\ndef search(start):", "needs"):
        assert word in notes
    evil = replace(told, file=EVIL, chapters=(replace(told.chapters[0], title=EVIL),))
    first = to_markdown(evil).splitlines()[0]
    assert first == r"# \<b\>\[x\](http://e) \`\*1. --\> # &"


def test_chapters_are_written_for_players_and_for_youtube() -> None:
    told = studied("graphs")
    vtt = to_chapters_vtt(replace(told, chapters=(replace(told.chapters[0], title=EVIL), *told.chapters[1:])))
    cues = re.findall(r"^(\d\d:\d\d:\d\d\.\d{3}) --> (\d\d:\d\d:\d\d\.\d{3})$", vtt, re.MULTILINE)
    assert vtt.startswith("WEBVTT\n")
    assert len(cues) == vtt.count("-->") == len(told.chapters)
    lines = to_youtube(told).splitlines()
    assert lines[0] == "0:00 Graphs"
    assert [line.split(" ", 1)[1] for line in lines] == [chapter.title for chapter in told.chapters]


def test_the_concept_map_is_skos_that_others_read() -> None:
    told = studied("graphs")
    graph = Graph().parse(data=to_skos(told), format="json-ld")
    schema = Namespace("https://schema.org/")
    concepts = {str(graph.value(c, SKOS.prefLabel)): c for c in graph.subjects(RDF.type, SKOS.Concept)}
    assert set(concepts) == {point.name for point in told.points}
    assert (concepts["breadth-first search"], DCTERMS.requires, concepts["queue"]) in graph
    assert str(graph.value(concepts["queue"], SKOS.definition)).startswith("A queue is a list")
    clip = next(graph.objects(concepts["queue"], schema.subjectOf))
    assert float(str(graph.value(clip, schema.startOffset))) < float(str(graph.value(clip, schema.endOffset)))
    (video,) = graph.subjects(RDF.type, schema.VideoObject)
    assert len(list(graph.objects(video, schema.hasPart))) == len(told.chapters)


def test_cards_are_a_deck_that_anki_opens() -> None:
    told = studied("cells")
    with zipfile.ZipFile(io.BytesIO(to_apkg(told))) as archive:
        (name,) = (n for n in archive.namelist() if n.startswith("collection.anki2"))
        database = sqlite3.connect(":memory:")
        database.deserialize(archive.read(name))
    rows = [row[0].split("\x1f") for row in database.execute("SELECT flds FROM notes")]
    assert len(rows) == len(told.glossary) + len(told.quiz)
    assert database.execute("SELECT count(*) FROM cards").fetchone()[0] == len(rows)
    fronts = {front for front, _, _ in rows}
    assert "What is meant by <b>ribosome</b>?" in fronts
    first = {row[0] for row in database.execute("SELECT guid FROM notes")}
    with zipfile.ZipFile(io.BytesIO(to_apkg(told))) as archive:
        database.deserialize(archive.read(name))
    assert {row[0] for row in database.execute("SELECT guid FROM notes")} == first, "a second import updates"


def short_lecture() -> Lecture:
    """Two slides of five seconds."""
    slides = (
        Slide(
            "Queues",
            ("First in, first out", "q = [a, b, c]"),
            True,
            (Span.of(0, 5),),
            (Fraction(0), Fraction(1)),
        ),
        Slide("Stacks", ("Last in, first out",), True, (Span.of(5, 10),), (Fraction(5),)),
    )
    said = (
        Line(
            Span.of(Fraction(1, 2), Fraction(9, 2)),
            None,
            "en",
            "A queue is a list from which the oldest is taken first.",
        ),
        Line(
            Span.of(Fraction(11, 2), Fraction(19, 2)),
            None,
            "en",
            "A stack is a list from which the newest is taken first.",
        ),
    )
    return Lecture("short", "Lists", slides, said, {"queue": (), "stack": ()})


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return short_lecture().write(
        tmp_path_factory.mktemp("lecture") / "lists.mp4", sound=False, subtitles=True
    )


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("memory") / "m.sqlite"


@pytest.fixture(scope="module")
def real(written: Path, memory: Path) -> Iterator[tuple[Study, str]]:
    with open_video(written, memory=memory) as video:
        video.senses = default_senses(["shots", "speech", "text"])
        told = study(video)
        yield told, to_html(video, told)


def test_a_written_lecture_is_studied_end_to_end(real: tuple[Study, str]) -> None:
    told, _ = real
    assert [slide.title for slide in told.slides] == ["Queues", "Stacks"]
    assert abs(told.slides[1].first - 5) <= Fraction(1, 10), "begins with the cut, to the frame"
    assert {point.name for point in told.glossary} >= {"queue", "stack"}
    kinds = {finding.kind for finding in told.findings}
    assert kinds == {"chapter", "slide", "knowledge"}
    slides = [finding for finding in told.findings if finding.kind == "slide"]
    assert all(f.verdict is not None and f.verdict.kind == "supported" for f in slides), "read again"
    check_schema({"file": "lists.mp4", **told.to_json()}, "study")


def test_its_page_shows_all_parts(real: tuple[Study, str]) -> None:
    _, page = real
    for title in ("Summary", "Chapters", "Slides", "Glossary", "Quiz", "Transcript"):
        assert f">{title}</h2>" in page
    assert "A queue is a list from which" in page


def test_the_command_writes_what_is_asked_for(
    written: Path, memory: Path, tmp_path: Path, real: object
) -> None:
    places = [tmp_path / f"lists.{ending}" for ending in ("md", "vtt", "txt", "jsonld", "apkg")]
    exports = [part for place in places for part in ("--export", str(place))]
    done = CliRunner().invoke(
        vidence, ["study", str(written), "--memory", str(memory), "--json", "-q", *exports]
    )
    assert done.exit_code == 0, done.output
    check_schema(json.loads(done.stdout), "study")
    assert all(place.stat().st_size > 8 for place in places)
    wrong = CliRunner().invoke(vidence, ["study", str(written), "--export", "notes.pdf"])
    assert wrong.exit_code == 2
