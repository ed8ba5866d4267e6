"""Speech: says a line through espeak-ng where that program is installed, else hums it in tones."""

from __future__ import annotations

import io
import shutil
import subprocess
import wave
from functools import cache

import numpy as np

from vidence.worlds.event import Line

SOUND_HZ = 24_000
VOICES = {"en": "en", "zh": "cmn", "es": "es"}
PITCHES = {"man": 35, "woman": 65, "boy": 75, "girl": 85}
LOUD = 0.35
SLOWEST_WPM, FASTEST_WPM = 150, 300


@cache
def program() -> str | None:
    """Return the path of espeak-ng, or None where it is not installed."""
    return shutil.which("espeak-ng")


def spoken(line: Line) -> np.ndarray:
    """Return a line as mono float32 at `SOUND_HZ`, no longer than its span."""
    room = int(line.span.duration * SOUND_HZ)
    sound = _hummed(line, room) if program() is None else _said(line, room)
    sound = sound[:room].copy()
    fade = min(len(sound), SOUND_HZ // 100)
    if fade:
        sound[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return sound


def _said(line: Line, room: int) -> np.ndarray:
    """Speak it; faster where the span is short."""
    noun = line.speaker.noun if line.speaker else "man"
    for speed in (SLOWEST_WPM, 200, 250, FASTEST_WPM):
        command = [program() or "espeak-ng", "-v", VOICES[line.language], "-p", str(PITCHES.get(noun, 50))]
        done = subprocess.run(
            [*command, "-s", str(speed), "--stdout", "--", line.text],
            capture_output=True,
            check=False,
            timeout=60,
        )
        if done.returncode or not done.stdout:
            return _hummed(line, room)
        sound = _read(done.stdout)
        if len(sound) <= room or speed == FASTEST_WPM:
            break
    return sound


def _read(data: bytes) -> np.ndarray:
    """Read a WAV file that was streamed, whose length in the header is not to be trusted."""
    with wave.open(io.BytesIO(data)) as file:
        rate, pcm = file.getframerate(), file.readframes(len(data))
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2").astype(np.float32) / 32768
    at = np.arange(int(len(samples) * SOUND_HZ / rate)) * (rate / SOUND_HZ)
    loudest = max(float(np.abs(samples).max(initial=0.0)), 1e-6)
    return (np.interp(at, np.arange(len(samples)), samples) * (LOUD / loudest)).astype(np.float32)


def _hummed(line: Line, room: int) -> np.ndarray:
    """Hum one tone a letter, so that who speaks when can be heard though not what is said."""
    noun = line.speaker.noun if line.speaker else "man"
    base = 110 + 1.6 * PITCHES.get(noun, 50)
    letters = [letter for letter in line.text if letter.isalpha()]
    each = max(room // max(len(letters), 1), 1)
    tones = np.repeat([base * (1 + (ord(letter) % 7) / 12) for letter in letters], each)[:room]
    swell = np.abs(np.sin(np.pi * np.arange(len(tones)) / each))
    return (LOUD * 0.5 * swell * np.sin(2 * np.pi * np.cumsum(tones) / SOUND_HZ)).astype(np.float32)
