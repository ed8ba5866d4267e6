"""What stands out from a static scene, and what moves there: masks that shadows, flicker and leaves do not enter.

The background is the median of samples over the whole stretch; each pixel's own restlessness around it sets its
threshold, so that swaying leaves and compression noise must exceed themselves. A foreground pixel moves when it also
differs from the sample before or after.

Legend: T samples, Y X picture rows and columns, C colour (RGB); masks are bool.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

MEDIAN_OF = 45  # samples: half of them may show passers-by, and 45 cost 0.3 s at 320 x 180
LEAST_LEVELS = 16.0  # of 255: below this no difference counts, whatever the noise
RESTLESS = 5.0  # times a pixel's usual deviation (1.48 x median absolute deviation)
FLIPS = 0.2  # of the samples: passers-by cover and free a pixel far less often
SHADE = (0.5, 0.97)  # a shadow scales all three channels alike by a factor in this range ...
SHADE_SPREAD = 0.07  # ... to within this


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """The empty scene: background, per-pixel threshold, and how much its fine structure trembles with noise."""

    background_YXC: np.ndarray  # uint8
    threshold_YX: np.ndarray  # float32
    tremble: float


class Repaint(Protocol):
    """A lasting change: what the mask holds looks as in sample `old` before, as in sample `new` from then on."""

    @property
    def old(self) -> int: ...
    @property
    def new(self) -> int: ...
    @property
    def mask_YX(self) -> np.ndarray: ...


@dataclass(frozen=True, slots=True, eq=False)
class Masks:
    """One sample: what differs from the empty scene, what of it moves, and what may be mere shade upon the scene."""

    foreground_YX: np.ndarray
    moving_YX: np.ndarray
    dimmed_YX: np.ndarray


def learn_scene(pictures: Sequence[np.ndarray]) -> Scene:
    """Learn the empty scene from samples of a fixed camera."""
    chosen = np.unique(np.linspace(0, len(pictures) - 1, min(MEDIAN_OF, len(pictures))).astype(int))
    some_TYXC = np.stack([_soft(pictures[k]) for k in chosen])
    background = np.median(some_TYXC, axis=0).astype(np.uint8)
    usual = 1.48 * np.median([_apart(picture, background) for picture in some_TYXC], axis=0)
    threshold = np.maximum(LEAST_LEVELS, RESTLESS * usual).astype(np.float32)
    threshold[_restless(pictures, background, threshold)] = np.inf
    tremble = np.median([_fine_change(picture, background, 1.0) for picture in some_TYXC[::5]])
    return Scene(background, threshold, float(tremble))


def _restless(pictures: Sequence[np.ndarray], background: np.ndarray, threshold_YX: np.ndarray) -> np.ndarray:
    """Say which pixels come and go all the time, as the rims of swaying leaves do: they witness nothing."""
    flips = np.zeros(threshold_YX.shape, np.int32)
    before: np.ndarray | None = None
    for picture in pictures:
        here = _apart(_soft(picture), background) > threshold_YX
        if before is not None:
            flips += here != before
        before = here
    return flips > max(FLIPS * len(pictures), 6)


def masks(pictures: Sequence[np.ndarray], scene: Scene, repaints: Sequence[Repaint] = ()) -> Iterator[Masks]:
    """Yield the masks of each picture against the scene as it is by then, lasting changes painted in."""
    scene = _as_it_began(pictures, scene, repaints)
    behind, here = None, _soft(pictures[0]) if len(pictures) else None
    for k in range(len(pictures)):
        ahead = _soft(pictures[k + 1]) if k + 1 < len(pictures) else None
        assert here is not None
        for repaint in repaints:
            if repaint.new == k:
                scene = _painted(scene, here, repaint.mask_YX)
        changes = [_apart(other, here) for other in (behind, ahead) if other is not None]
        foreground, dimmed = _foreground(here, scene)
        moved = np.max(changes, axis=0) > 0.8 * scene.threshold_YX if changes else np.zeros_like(foreground)
        yield Masks(foreground, foreground & moved, dimmed)
        behind, here = here, ahead


def _as_it_began(pictures: Sequence[np.ndarray], scene: Scene, repaints: Sequence[Repaint]) -> Scene:
    """Put back what the scene held before its changes, the earliest last so that it prevails."""
    for repaint in sorted(repaints, key=lambda repaint: -repaint.new):
        scene = _painted(scene, _soft(pictures[repaint.old]), repaint.mask_YX)
    return scene


def _painted(scene: Scene, soft_YXC: np.ndarray, mask_YX: np.ndarray) -> Scene:
    import cv2

    height, width = soft_YXC.shape[:2]
    grown = cv2.dilate(mask_YX.astype(np.uint8), np.ones((3, 3), np.uint8))
    mask = cv2.resize(grown, (width, height), interpolation=cv2.INTER_NEAREST).astype(bool)
    background = scene.background_YXC.copy()
    background[mask] = _level(soft_YXC, scene.background_YXC)[mask]
    return replace(scene, background_YXC=background)


def _soft(picture_YXC: np.ndarray) -> np.ndarray:
    import cv2

    return cv2.GaussianBlur(picture_YXC, (3, 3), 0.8)


def _level(picture_YXC: np.ndarray, like_YXC: np.ndarray) -> np.ndarray:
    """Scale a picture's brightness as a whole to that of another: exposure and flicker are no movement."""
    import cv2

    rough = (slice(None, None, 6), slice(None, None, 6))
    gain = np.median((like_YXC[rough] + 2.0) / (picture_YXC[rough] + 2.0), axis=(0, 1))
    if np.abs(gain - 1).max() < 0.01:
        return picture_YXC
    scalar: Any = (*gain.tolist(), 0.0)
    return cv2.multiply(picture_YXC, scalar)


def _apart(picture_YXC: np.ndarray, like_YXC: np.ndarray) -> np.ndarray:
    """Largest difference over the channels, uint8, after levelling."""
    import cv2

    red, green, blue = cv2.split(cv2.absdiff(_level(picture_YXC, like_YXC), like_YXC))
    return cv2.max(cv2.max(red, green), blue)


def _foreground(soft_YXC: np.ndarray, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Return what differs from the scene, shadows left out, and where the scene is merely darker."""
    import cv2

    differs = _apart(soft_YXC, scene.background_YXC) > scene.threshold_YX
    if not differs.any():
        return differs, differs
    shadow, dimmed = _shade(soft_YXC, scene)
    mask = (differs & ~shadow).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    return cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((7, 5), np.uint8)).astype(bool), dimmed


def _shade(picture_YXC: np.ndarray, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Say where a picture is surely a shadow on the scene (same colour, same fine structure), and where maybe."""
    import cv2

    ratio = [
        (cv2.blur(a, (5, 5)).astype(np.float32) + 2) / (cv2.blur(b, (5, 5)).astype(np.float32) + 2)
        for a, b in zip(cv2.split(picture_YXC), cv2.split(scene.background_YXC), strict=True)
    ]
    most, least = cv2.max(cv2.max(*ratio[:2]), ratio[2]), cv2.min(cv2.min(*ratio[:2]), ratio[2])
    dimmed = (most - least < 2 * SHADE_SPREAD) & (most < SHADE[1])
    alike = (most - least < SHADE_SPREAD) & (least > SHADE[0]) & (most < SHADE[1])
    fine = _fine_change(picture_YXC, scene.background_YXC, least)
    sure = (alike & (fine < 1.5 + 1.5 * scene.tremble)).astype(np.uint8)
    # The rim of a shadow breaks the fine structure; it is dim and lies beside what surely is one.
    return (cv2.dilate(sure, np.ones((7, 7), np.uint8)) > 0) & dimmed | (sure > 0), dimmed


def _fine_change(picture_YXC: np.ndarray, like_YXC: np.ndarray, shade: np.ndarray | float) -> np.ndarray:
    """Mean change of fine structure around each pixel, once the other picture is put in the same shade."""
    import cv2

    fine = [
        cv2.Laplacian(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.CV_32F, ksize=1)
        for picture in (picture_YXC, like_YXC)
    ]
    return cv2.blur(cv2.absdiff(fine[0], (shade * fine[1]).astype(np.float32)), (5, 5))
