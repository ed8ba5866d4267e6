"""Pictures that stand in a request as data URLs: JPEG and PNG alone, whose size is read before they are decoded."""

from __future__ import annotations

import cv2
import numpy as np

from vidence.errors import UsageError
from vidence.serving.bringing import read_data
from vidence.serving.picture_size import picture_size

MOST_PIXELS = 64_000_000  # of one picture


def picture(url: str) -> np.ndarray:
    """Decode a picture as uint8 RGB (H, W, 3).

    Raises:
        UsageError: it is no data URL, no JPEG or PNG, or too large.
    """
    data = read_data(url)
    size = picture_size(data)
    if size is None:
        raise UsageError("a picture cannot be decoded; send JPEG or PNG")
    if size[0] * size[1] > MOST_PIXELS:
        raise UsageError(f"a picture has {size[0]} x {size[1]} pixels; {MOST_PIXELS:,} are allowed")
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise UsageError("a picture cannot be decoded; send JPEG or PNG")
    return image[:, :, ::-1].copy()
