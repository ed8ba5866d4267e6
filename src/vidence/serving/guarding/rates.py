"""How often one may ask: a bucket for each, that fills as time goes by."""

from __future__ import annotations

import time
from collections import OrderedDict

MOST_KNOWN = 10_000  # buckets; beyond, the one that was used longest ago is forgotten


class Rates:
    """`rate_per_s` each, `at_once` after a rest."""

    def __init__(self, rate_per_s: float, at_once: float) -> None:
        self.rate_per_s, self.at_once = rate_per_s, at_once
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, who: str, *, spend: bool = True) -> float:
        """Return 0 and count one, or the seconds until there may be one more; without `spend` nothing is counted."""
        now = time.monotonic()
        left, then = self._left.get(who, (self.at_once, now))
        left = min(self.at_once, left + (now - then) * self.rate_per_s)
        allowed = left >= 1
        self._left[who] = (left - (allowed and spend), now)
        self._left.move_to_end(who)
        if len(self._left) > MOST_KNOWN:
            self._left.popitem(last=False)
        return 0.0 if allowed else (1 - left) / self.rate_per_s
