"""The 80 kinds of things that COCO detectors know, and which of them are easily taken for one another."""

from __future__ import annotations

LABELS: tuple[str, ...] = tuple(
    """person|bicycle|car|motorcycle|airplane|bus|train|truck|boat|traffic light|fire hydrant|stop sign|parking meter
|bench|bird|cat|dog|horse|sheep|cow|elephant|bear|zebra|giraffe|backpack|umbrella|handbag|tie|suitcase|frisbee|skis
|snowboard|sports ball|kite|baseball bat|baseball glove|skateboard|surfboard|tennis racket|bottle|wine glass|cup|fork
|knife|spoon|bowl|banana|apple|sandwich|orange|broccoli|carrot|hot dog|pizza|donut|cake|chair|couch|potted plant|bed
|dining table|toilet|tv|laptop|mouse|remote|keyboard|cell phone|microwave|oven|toaster|sink|refrigerator|book|clock
|vase|scissors|teddy bear|hair drier|toothbrush""".replace("\n", "").split("|")
)
"""In the order of the 80 outputs of most detectors."""

RETIRED = frozenset({12, 26, 29, 30, 45, 66, 68, 69, 71, 83})
PAPER_IDS: tuple[int, ...] = tuple(number for number in range(1, 91) if number not in RETIRED)
"""The ids 1 to 90 of the data set, in the order of `LABELS`: ten of its kinds were never annotated."""

_KIN = (
    {"car", "truck", "bus", "train"},
    {"bicycle", "motorcycle"},
    {"cat", "dog", "bear", "teddy bear"},
    {"horse", "cow", "sheep"},
    {"tv", "laptop"},
    {"cup", "bowl", "vase", "wine glass", "bottle"},
    {"chair", "couch", "bench"},
    {"backpack", "handbag", "suitcase"},
    {"frisbee", "sports ball"},
)


def kin(one: str, other: str) -> bool:
    """Say whether two labels are the same or are often given to one and the same thing."""
    return one == other or any(one in group and other in group for group in _KIN)
