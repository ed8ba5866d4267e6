"""Word error rate and cost of the speech sense on recordings with transcripts, by recogniser.

    python benchmarks/speech.py [FOLDER] [--foreign FOLDER]

FOLDER holds a manifest.json: {"items": [{"file", "transcript"}, ...]}, in English: heard by Moonshine, by Whisper,
and with the language left open. Both sides are normalised alike: lower case, punctuation dropped, numbers and titles
spelt out, hyphens read as spaces. Cost is process CPU time on one thread, weights loaded beforehand; the peak of
memory is that of a process of its own for each recogniser.

The second folder holds recordings in other languages: {"items": [{"file", "language", "transcript"?}, ...]}. It tells
how often the language was found, how sure Moonshine was of taking it for English, and errors where there is a
transcript. (The voice prompts of Debian's asterisk-core-sounds-es-wav, -fr-, -it- and -ru- serve: real speakers, and
their days and months are known words.)
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from common import Bar, write_results
from vidence.media import open_media
from vidence.senses.speech import Speech
from vidence.senses.speech.moonshine import Moonshine
from vidence.senses.speech.tongues import PLAINLY_ENGLISH, first_speech

WHISPER = "whisper-base"
SPELT = {"mr": "mister", "mrs": "missus", "dr": "doctor", "st": "saint", "&": "and"}
NUMBERS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]
DIGITS = dict(zip(map(str, range(13)), NUMBERS, strict=True))


@dataclass(frozen=True, slots=True)
class Result:
    """One recording."""

    file: str
    seconds: float
    cpu_s: float
    words: int
    errors: int
    heard: str
    wanted: str


def normalise(text: str) -> list[str]:
    """Split into comparable words."""
    words = re.findall(r"[a-z']+|\d+|&", text.lower().replace("’", "'").replace("-", " "))
    spelt = [SPELT.get(word, word) for word in words]
    return [DIGITS.get(word, word) for word in spelt]


def edits(heard: list[str], wanted: list[str]) -> int:
    """Count the substitutions, insertions and deletions between two word lists (Levenshtein)."""
    row = list(range(len(wanted) + 1))
    for i, word in enumerate(heard, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(wanted, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1]


def hear(sense: Speech, path: Path) -> tuple[str, float, float]:
    """Hear one recording: the words understood, CPU seconds, and seconds of sound."""
    with open_media(path) as media:
        begun = time.process_time()
        found = sense.hear(media, media.info.span)
        cpu_s = time.process_time() - begun
        seconds = float(media.info.duration)
    return " ".join(one.text for one in found if "doubt" not in one.data), cpu_s, seconds


def measure(folder: Path, language: str) -> None:
    """Hear every English recording with one setting of the language; print the results as JSON."""
    items = json.loads((folder / "manifest.json").read_text())["items"]
    sense = Speech(language, WHISPER) if language != "whisper" else whisper_in_english()
    hear(sense, folder / items[0]["file"])  # loads the weights
    results = []
    for item in items:
        heard, cpu_s, seconds = hear(sense, folder / item["file"])
        wanted = normalise(item["transcript"])
        wrong = edits(normalise(heard), wanted)
        results.append(Result(item["file"], seconds, cpu_s, len(wanted), wrong, heard, item["transcript"]))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(json.dumps({"peak_mb": peak_mb, "results": [asdict(one) for one in results]}))


def whisper_in_english() -> Speech:
    """Build a sense in which Whisper hears English, which the sense itself never chooses."""
    sense = Speech("es", WHISPER)
    assert sense.tongues.other is not None
    sense.tongues.other.language = "en"
    return sense


def measure_foreign(folder: Path) -> None:
    """Hear every recording in another language with the language left open; print the results as JSON."""
    items = json.loads((folder / "manifest.json").read_text())["items"]
    sense, english = Speech("auto", WHISPER), Moonshine()
    rows = []
    for item in items:
        with open_media(folder / item["file"]) as media:
            told = sense.tongues.main_language(media)
            sure = max(english.transcribe(piece).confidence for piece in first_speech(media))
        heard, cpu_s, seconds = hear(sense, folder / item["file"])
        row = {
            "file": item["file"], "language": item["language"], "told": told, "seconds": seconds, "cpu_s": cpu_s,
            "moonshine_sure": sure, "heard": heard,
        }  # fmt: skip
        if wanted := item.get("transcript"):
            row |= {"words": len(wanted.split()), "errors": edits(plain(heard), plain(wanted))}
        rows.append(row)
    print(json.dumps({"results": rows}))


def plain(text: str) -> list[str]:
    """Split text of any script into comparable words."""
    return re.findall(r"\w+", text.lower())


def in_own_process(*arguments: str) -> dict[str, Any]:
    """Run this script on one part of the work, so that its peak of memory is its own."""
    told = subprocess.run(
        [sys.executable, __file__, *arguments], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    return json.loads(told.splitlines()[-1])


def english_rows(folder: Path, bars: list[Bar]) -> list[dict[str, Any]]:
    """Measure each recogniser on the English recordings."""
    rows = []
    for name, language in (
        ("Moonshine", "en"),
        ("Whisper base", "whisper"),
        ("either, language open", "auto"),
    ):
        part = in_own_process("--only", language, str(folder))
        results = part["results"]
        words, errors = sum(one["words"] for one in results), sum(one["errors"] for one in results)
        seconds, cpu_s = sum(one["seconds"] for one in results), sum(one["cpu_s"] for one in results)
        target = "reported" if language == "whisper" else "<= 0.15"
        bars += [
            Bar(f"{name}: word error rate", errors / words, "share", target),
            Bar(f"{name}: CPU seconds a second of sound", cpu_s / seconds, "s/s", "reported"),
            Bar(f"{name}: peak memory", part["peak_mb"], "MB", "<= 1500"),
        ]
        rows += [{"recogniser": name, **one} for one in results]
    return rows


def foreign_rows(folder: Path, bars: list[Bar]) -> list[dict[str, Any]]:
    """Measure the telling of languages, and what is heard in them."""
    rows = in_own_process("--only", "foreign", str(folder))["results"]
    surest = max(row["moonshine_sure"] for row in rows)
    rtf = sum(row["cpu_s"] for row in rows) / sum(row["seconds"] for row in rows)
    right = sum(row["told"] == row["language"] for row in rows)
    bars += [
        Bar("other languages: told right", right / len(rows), "share", ">= 0.9"),
        Bar("other languages: surest of Moonshine", surest, "share", f"< {PLAINLY_ENGLISH}"),
        Bar("other languages: CPU seconds a second", rtf, "s/s", "reported"),
    ]
    for language in sorted({row["language"] for row in rows if "words" in row}):
        known = [row for row in rows if row["language"] == language and "words" in row]
        share = sum(row["errors"] for row in known) / sum(row["words"] for row in known)
        bars.append(Bar(f"{language}: errors in days and months", share, "share", "reported"))
    return rows


def main() -> None:
    """Hear every recording, print the table and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("../shared/speech"))
    parser.add_argument("--foreign", type=Path, help="recordings in other languages")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only == "foreign":
        return measure_foreign(options.folder)
    if options.only:
        return measure(options.folder, options.only)
    bars: list[Bar] = []
    rows = english_rows(options.folder, bars)
    if options.foreign:
        rows += foreign_rows(options.foreign, bars)
    write_results("speech", rows, bars)
    return None


if __name__ == "__main__":
    main()
