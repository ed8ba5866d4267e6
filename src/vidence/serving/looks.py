"""What the vision tower made of frames, kept for when they are shown again: elsewhere, or after their rows are gone."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from vidence.models.internvideo3.passes import Features, look, together
from vidence.serving.prompt import Frame, Sight


class Looks:
    """Features by frame, the least recently used forgotten beyond `most_bytes`."""

    def __init__(self, core: Any, most_bytes: int) -> None:
        self.core, self.most_bytes = core, most_bytes
        self.nbytes = 0
        self.seen = 0  # frames that went through the tower
        self._kept: OrderedDict[int, Features] = OrderedDict()

    def known(self, digest: int) -> bool:
        """Tell whether a frame need not be looked at."""
        return digest in self._kept

    def at(
        self, sights: Sequence[Sight], frames: Mapping[int, Frame], start: int, stop: int
    ) -> Features | None:
        """Return the features of a prompt's tokens [start, stop), None where it shows nothing; look at what is new."""
        shown = [one for one in sights if one.start < stop and one.start + one.count > start]
        if not shown:
            return None
        new = {one.digest: frames[one.digest] for one in shown if one.digest not in self._kept}
        found = {one.digest: self._kept[one.digest] for one in shown if one.digest not in new}
        found |= self._looked_at(new)
        for digest in found:
            self._kept.move_to_end(digest)
        parts = [
            found[one.digest].span(max(start - one.start, 0), min(stop - one.start, one.count))
            for one in shown
        ]
        self._forget()
        return together(parts)

    def _looked_at(self, new: Mapping[int, Frame]) -> dict[int, Features]:
        """Look at all new frames in one pass."""
        if not new:
            return {}
        patches_ND = torch.cat([frame.patches_ND for frame in new.values()])
        whole = look(self.core, patches_ND, [(1, frame.rows, frame.columns) for frame in new.values()])
        merge, first, found = self.core.visual.spatial_merge_size**2, 0, {}
        for digest, frame in new.items():
            count = frame.rows * frame.columns // merge
            # A copy, so that what is forgotten of a pass frees its memory.
            part = whole.span(first, first + count)
            part = Features(part.tokens_VD.clone(), [each.clone() for each in part.deep])
            found[digest] = self._kept[digest] = part
            self.nbytes += part.nbytes
            first += count
        self.seen += len(new)
        return found

    def _forget(self) -> None:
        while self.nbytes > self.most_bytes and len(self._kept) > 1:  # the last may go on in the next stretch
            _, features = self._kept.popitem(last=False)
            self.nbytes -= features.nbytes
