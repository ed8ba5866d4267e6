"""How well and at what cost the embedded tier reads: rendered text, the signs of real clips, seconds a minute.

    python benchmarks/reading.py [FOLDER_OF_CLIPS]

The signs of the clips were written down by eye from still frames, with the
seconds between which each is on screen; a sign counts as read when an observation has at most one wrong character in
ten and overlaps it in time. Costs are CPU seconds of this process, decoding left out.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from common import Bar, write_results
from vidence.media import open_media
from vidence.senses.observation import Observation
from vidence.senses.text import Text, read_image
from vidence.timeline import Span, windows

SENTENCES = (
    "The first race was held near the coast of France.",
    "Nobody knew who had won it until the evening.",
    "A letter from Le Mans arrived on 24 May 1906.",
    "Platform 9: trains to Oslo leave every 30 minutes",
    "Grüße aus Köln, à bientôt, mañana será otro día",
    "Please keep this door closed at all times!",
    "第一届比赛在法国海岸附近举行",
)
SIGNS: dict[str, list[tuple[str, float, float]]] = {
    "bbb_480p_30s.mp4": [
        ("The Peach Open Movie Project", 21, 23),
        ("presents", 21, 23),
        ("Big Buck", 26, 29),
        ("Bunny", 26, 29),
    ],
    "meca_balle.mp4": [
        ("LYCÉE JEAN BART -- 2016", 0, 0.5),
        ("A4 paper sheet (length = 0.297 m)", 0, 0.5),
        ("dt = 0.010 s (100 fps)", 0, 10),
    ],
    "gnome_dual.webm": [
        ("Activities", 0, 37),
        ("Wed 18:38", 0, 37),
        ("Tiffany Antopolski", 0, 37),
        ("Windows", 1, 3),
        ("Applications", 1, 3),
        ("Wikipedia", 2.1, 3),
        ("Google", 2.1, 3),
        ("SETTINGS", 2.5, 3.4),
        ("RECENT ITEMS", 2.5, 3.4),
        ("display-2monitors.pag...", 2.5, 3.4),
        ("System Settings", 6, 28),
        ("All Settings", 6, 30),
        ("Mirror displays", 6, 30),
        ("Note: may limit resolution options", 6, 30),
        ('Acer Technologies 17"', 6, 23),
        ("ON", 8.5, 28),
        ("1280 x 1024 (5:4)", 8.5, 23),
        ("Resolution:", 6, 30),
        ("Rotation:", 6, 30),
        ("Normal", 6, 30),
        ("Detect Displays", 6, 30),
        ("Apply", 6, 30),
        ("Select a monitor to change its properties; drag it to rearrange its placement.", 11.6, 12.5),
        ("Does the display look OK?", 31.2, 33),
        ("The display will be reset to its previous configuration in 29 seconds", 31.2, 33),
        ("Restore Previous Configuration", 31.2, 33),
        ("Keep This Configuration", 31.2, 33),
    ],
}


@dataclass(frozen=True, slots=True)
class Watched:
    """What the sense reported of one clip."""

    observations: list[Observation]
    cpu_s: float
    media_s: float


def edits(a: str, b: str) -> int:
    """Count the single-character edits between two texts."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[:], i
        for j, y in enumerate(b, 1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
    return row[-1]


def render(size_px: int, ink: tuple[int, int, int], ground: np.ndarray) -> np.ndarray:
    """Write the sentences on a 1280 x 720 ground; those beyond ASCII in the font of OpenCV 5, which has them."""
    picture = Image.fromarray(ground)
    for n, words in enumerate(SENTENCES):
        if words.isascii():
            ImageDraw.Draw(picture).text((30, 40 + 95 * n), words, ink, font=ImageFont.load_default(size_px))
    pixels, font = np.array(picture), cv2.FontFace("sans")
    for n, words in enumerate(SENTENCES):
        if not words.isascii():
            cv2.putText(pixels, words, (30, 40 + 95 * n + size_px), ink, font, size_px)
    return pixels


def character_errors(size_px: int, ink: tuple[int, int, int], ground: np.ndarray) -> float:
    """Return the character error rate over the sentences, each against the line nearest in words."""
    read = [line.text for line in read_image(render(size_px, ink, ground))]
    wrong = sum(min([edits(words, line) for line in read] or [len(words)]) for words in SENTENCES)
    return wrong / sum(map(len, SENTENCES))


def watch(path: Path) -> Watched:
    """Run the sense over a clip as indexing does, segment by segment."""
    sense, seen, cpu_s = Text(), [], 0.0
    with open_media(path) as media:
        for segment in windows(media.info.span, 60):
            watcher = sense.watch(media, segment)
            for frame in media.frames(
                segment, rate_hz=sense.sampling.rate_hz, max_side=sense.sampling.max_side
            ):
                start = time.process_time()
                watcher.see(frame)
                cpu_s += time.process_time() - start
            seen += watcher.finish()
        return Watched(seen, cpu_s, float(media.info.duration))


def is_read(sign: tuple[str, float, float], seen: list[Observation]) -> bool:
    """Say whether a sign was read: at most one character in ten wrong, at a time when it was there."""
    words, start, end = sign
    plain, span = words.casefold().replace("×", "x"), Span.of(start, end)
    return any(
        edits(plain, each.text.casefold().replace("×", "x")) <= len(words) / 10
        for each in seen
        if each.span.overlaps(span)
    )


def rendered() -> list[dict[str, object]]:
    """Measure character errors by the height of the letters and by the ground."""
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 200, (72, 128, 3), np.uint8)).resize((1280, 720))
    grounds = {"plain": np.full((720, 1280, 3), 40, np.uint8), "textured": np.asarray(noise)}
    return [
        {"text_height_px": size_px}
        | {name: character_errors(size_px, (245, 245, 245), ground) for name, ground in grounds.items()}
        for size_px in (10, 12, 14, 18, 24, 40, 50)
    ]


def main(folder: Path) -> None:
    """Measure, and write the tables."""
    errors, rows = rendered(), []
    total, found, cpu_s, media_s = 0, 0, 0.0, 0.0
    for path in sorted(path for path in folder.iterdir() if path.suffix in {".mp4", ".webm", ".avi", ".ogv"}):
        seen, signs = watch(path), SIGNS.get(path.name, [])
        missed = [sign[0] for sign in signs if not is_read(sign, seen.observations)]
        total, found = total + len(signs), found + len(signs) - len(missed)
        cpu_s, media_s = cpu_s + seen.cpu_s, media_s + seen.media_s
        rows.append(
            {
                "clip": path.name,
                "signs": len(signs),
                "read": len(signs) - len(missed),
                "missed": "; ".join(missed),
                "observations": len(seen.observations),
                "cpu_s_a_minute": 60 * seen.cpu_s / max(seen.media_s, 1),
            }
        )
    worst = max(float(row[name]) for row in errors for name in ("plain", "textured"))  # type: ignore[arg-type]
    bars = [
        Bar("signs of the clips read", found / max(total, 1), "share", ">= 0.7"),
        Bar("character errors of rendered text, worst size and ground", worst, "share", "reported"),
        Bar("CPU seconds a minute of film", 60 * cpu_s / max(media_s, 1), "s", "reported"),
    ]
    write_results("reading", [*errors, *rows], bars)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/videos"))
