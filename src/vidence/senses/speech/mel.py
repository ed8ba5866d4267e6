"""Log-mel features as Whisper defines them (Radford et al. 2022, arXiv 2212.04356, section 2.2).

Windows of 25 ms every 10 ms, 80 bands up to 8 kHz on the mel scale of Slaney's Auditory Toolbox, each band of equal
area, in decades, cut 8 decades below the loudest and brought near the range -1 to 1.

Legend: M bands, T frames, F frequencies.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from vidence.senses.speech.recogniser import RATE_HZ

WINDOW, HOP = 400, 160  # samples: 25 and 10 ms
BANDS = 80
WHOLE_S = 30  # the encoder always hears this much; silence fills what is lacking
FLOOR, RANGE_DECADES = 1e-10, 8.0
_BLOCK = 512  # frames transformed at once: 2.5 MB instead of 15


def log_mel(audio: np.ndarray, bands: int = BANDS) -> np.ndarray:
    """Return the features of up to 30 s of sound, silence added to 30 s: float32, shape (bands, 3000)."""
    whole = WHOLE_S * RATE_HZ
    padded = np.zeros(whole, np.float32)
    padded[: min(len(audio), whole)] = audio[:whole]
    around = np.pad(padded, WINDOW // 2, mode="reflect")
    frames_TW = np.lib.stride_tricks.sliding_window_view(around, WINDOW)[::HOP][: whole // HOP]
    window = np.hanning(WINDOW + 1)[:-1].astype(np.float32)  # periodic
    heard = [
        (np.abs(np.fft.rfft(frames_TW[at : at + _BLOCK] * window)) ** 2) @ filters(bands)
        for at in range(0, len(frames_TW), _BLOCK)
    ]
    decades_TM = np.log10(np.maximum(np.concatenate(heard), FLOOR))
    kept_TM = np.maximum(decades_TM, decades_TM.max() - RANGE_DECADES)
    return ((kept_TM + 4) / 4).T.astype(np.float32)


@cache
def filters(bands: int = BANDS) -> np.ndarray:
    """Return how much of each frequency falls into each band: triangles on the mel scale, shape (201, bands)."""
    frequencies_F = np.fft.rfftfreq(WINDOW, 1 / RATE_HZ)
    edges = _hz(np.linspace(0.0, _mel(RATE_HZ / 2), bands + 2))
    rising = (frequencies_F[:, None] - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - frequencies_F[:, None]) / np.diff(edges)[1:]
    return np.maximum(0.0, np.minimum(rising, falling)) * (2 / (edges[2:] - edges[:-2]))


def _mel(hz: float) -> float:
    """Linear below 1 kHz, 200/3 Hz a mel; above it 27 mels for each factor of 6.4."""
    return hz * 3 / 200 if hz < 1000 else 15 + 27 * float(np.log(hz / 1000) / np.log(6.4))


def _hz(mels: np.ndarray) -> np.ndarray:
    return np.where(mels < 15, mels * 200 / 3, 1000 * 6.4 ** ((mels - 15) / 27))
