"""What is taught as text that people keep: notes in Markdown, chapters for players and for YouTube."""

from __future__ import annotations

import html
import re
from fractions import Fraction

from vidence.apps.study.chapters import Chapter
from vidence.apps.study.study import Study
from vidence.exports.subtitles import stamp
from vidence.printable import printable
from vidence.timeline import Instant

YOUTUBE_LEAST_S = 10  # a chapter there lasts that long at least
_SPECIAL = re.compile(r"([\\`*_{}\[\]|<>~$])")
_BLOCK_START = re.compile(r"^(\s*)([-+#]|#{2,6}|\d+[.)])(?=\s|$)")


def to_markdown(study: Study) -> str:
    """Write notes: the summary, each chapter with its slides, points and code, then glossary, needs and quiz."""
    lines = [f"# {_plain(study.file)}", ""]
    if study.summary["medium"]:
        lines += [" ".join(_plain(one.text) for one in study.summary["medium"]), ""]
    for chapter in study.chapters:
        lines += [
            f"## {chapter.number}. {_plain(chapter.title)} ({_at(chapter.span.start)})",
            "",
            *_chapter(study, chapter),
        ]
    if study.glossary:
        lines += ["## Glossary", ""]
        for point in study.glossary:
            lines += [f"- **{_plain(point.name)}** ({_at(point.first)}): {_plain(point.definition)}"]
        lines.append("")
    if study.needs:
        lines += ["## What needs what", ""]
        lines += [
            f"- {_plain(study.point(need.point).name)} needs {_plain(study.point(need.needs).name)} "
            f"({_at(need.source.span.start)})"
            for need in study.needs
        ]
        lines.append("")
    if study.quiz:
        lines += ["## Quiz", ""]
        for number, item in enumerate(study.quiz, 1):
            lines.append(f"{number}. {_plain(item.question)}")
            lines += [f"   - {_plain(option)}" for option in item.options]
            lines += ["", f"   Answer: {_plain(item.answer)} ({_at(item.span.start)})", ""]
    for limit in study.limits:
        lines.append(f"> {_plain(limit)}")
    return "\n".join(lines).rstrip() + "\n"


def _chapter(study: Study, chapter: Chapter) -> list[str]:
    lines: list[str] = []
    for number in chapter.slides:
        slide = study.slides[number - 1]
        if slide.first not in chapter.span:
            continue
        lines.append(f"**{_plain(slide.title)}** ({_at(slide.first)})")
        code = [one for one in study.on_screen if one.slide == number and one.kind == "code"]
        inside = {line.text for one in code for line in one.lines}
        lines += ["", *(f"- {_plain(line.text)}" for line in slide.body if line.text not in inside), ""]
        for one in code:
            fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", one.text)), default=0))
            lines += [fence, printable(one.text), fence, ""]
    for id in chapter.points:
        point = study.point(id)
        if point.definition and point.certain:
            lines.append(f"- **{_plain(point.name)}** ({_at(point.first)}): {_plain(point.definition)}")
    if lines and lines[-1]:
        lines.append("")
    return lines


def to_chapters_vtt(study: Study) -> str:
    """Write WebVTT whose cues are chapters, for `<track kind="chapters">`."""
    cues = []
    for chapter in study.chapters:
        span = f"{stamp(_ms(chapter.span.start), '.')} --> {stamp(_ms(chapter.span.end), '.')}"
        title = " ".join(printable(chapter.title).split()).replace("-->", "→") or str(chapter.number)
        cues.append(f"{chapter.number}\n{span}\n{html.escape(title, quote=False)}\n")
    return "\n".join(["WEBVTT\n", *cues])


def to_youtube(study: Study) -> str:
    """Write the lines that a description needs; chapters shorter than ten seconds join the one before.

    The first stands at 0:00. Fewer than three make no chapters there; they are written all the same.
    """
    begin = study.coverage.whole.start
    kept: list[Chapter] = []
    for chapter in study.chapters:
        if not kept or chapter.span.start - kept[-1].span.start >= YOUTUBE_LEAST_S:
            kept.append(chapter)
    lines = []
    for number, chapter in enumerate(kept):
        time = Fraction(0) if number == 0 else chapter.span.start - begin
        lines.append(f"{_at(time)} {' '.join(printable(chapter.title).split())}")
    return "\n".join(lines) + ("\n" if lines else "")


def _plain(text: str) -> str:
    """Write a text so that Markdown shows it letter for letter."""
    line = " ".join(printable(text, directions=False).split())
    return _BLOCK_START.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", line))


def _at(time: Instant) -> str:
    """Write M:SS or H:MM:SS, as YouTube reads it, rounded down."""
    whole = max(int(time), 0)
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def _ms(time: Instant) -> int:
    return max(int(time * 1000 + Fraction(1, 2)), 0)
