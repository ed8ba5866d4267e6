"""Word error rate and cost of the speech sense on recordings with transcripts.

    python benchmarks/speech.py [FOLDER]

FOLDER holds a manifest.json: {"items": [{"file", "transcript"}, ...]}. Both sides are normalised alike: lower case,
punctuation dropped, numbers and titles spelt out, hyphens read as spaces. Cost is process CPU time on one thread,
weights loaded beforehand.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from common import Bar, write_results
from vidence.media import open_media
from vidence.senses.speech import Speech

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


def measure(sense: Speech, path: Path, transcript: str) -> Result:
    """Hear one recording."""
    with open_media(path) as media:
        begun = time.process_time()
        found = sense.hear(media, media.info.span)
        cpu_s = time.process_time() - begun
        seconds = float(media.info.duration)
    heard = " ".join(one.text for one in found if "doubt" not in one.data)
    wanted = normalise(transcript)
    return Result(path.name, seconds, cpu_s, len(wanted), edits(normalise(heard), wanted), heard, transcript)


def main() -> None:
    """Hear every recording, print the table and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("../shared/speech"))
    options = parser.parse_args()
    items = json.loads((options.folder / "manifest.json").read_text())["items"]
    sense = Speech()
    measure(sense, options.folder / items[0]["file"], items[0]["transcript"])  # loads the weights
    results = [measure(sense, options.folder / item["file"], item["transcript"]) for item in items]
    for one in results:
        print(f"{one.file:18} {one.seconds:6.2f} s  {one.errors:2}/{one.words:2} words wrong  {one.heard}")
    words, errors = sum(one.words for one in results), sum(one.errors for one in results)
    rtf = sum(one.cpu_s for one in results) / sum(one.seconds for one in results)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    bars = [
        Bar("word error rate", errors / words, "share", "<= 0.15"),
        Bar("CPU seconds a second of sound", rtf, "s/s", "reported"),
        Bar("peak memory", peak_mb, "MB", "<= 1500"),
    ]
    write_results("speech", [asdict(one) for one in results], bars)


if __name__ == "__main__":
    main()
