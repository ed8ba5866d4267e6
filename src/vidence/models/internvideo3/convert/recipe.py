"""What a conversion does: every choice that is not the target, with what was measured for it."""

from __future__ import annotations

from dataclasses import dataclass, fields

from vidence.errors import UsageError

WEIGHINGS = ("outputs", "energy")
NORMS = ("exact", "linear")
ALLOCATIONS = ("measured", "uniform")


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to convert. The defaults are what `benchmarks/conversion.py` found to pay.

    weigh: errors by what they do to a layer's output, or by energy alone as in TransMLA.
    allocate: ranks by measured worth of each layer, or the same for all; modalities: text and vision by themselves.
    keys: how much more than measured errors of keys count; positional: the same of lost rotations, whose losses add up
    over layers more than those of one layer alone tell. turn: give the content its mean rotation. centre: take the
    mean out of the content. fold: how many neighbouring frequencies of one axis share a rotation. norm: query and key
    norms kept, or replaced by the paper's linear substitute. compensate: fit each output projection to what the source
    has after that layer, on the stream that the layers already converted give; ridge: of that fit, against the
    projection as it was. probes: sequences on which the worth of layers is measured.
    """

    weigh: str = "outputs"
    allocate: str = "measured"
    modalities: bool = True
    keys: float = 1.0
    positional: float = 2.5
    turn: bool = True
    centre: bool = True
    fold: int = 1
    norm: str = "exact"
    compensate: bool = True
    ridge: float = 1e-2
    probes: int = 4

    def __post_init__(self) -> None:
        for name, known in (("weigh", WEIGHINGS), ("norm", NORMS), ("allocate", ALLOCATIONS)):
            if getattr(self, name) not in known:
                raise UsageError(f"{name}: {getattr(self, name)!r} is none of {', '.join(known)}")
        if self.fold < 1 or self.probes < 1 or min(self.keys, self.positional) <= 0 or self.ridge < 0:
            raise UsageError(
                "fold and probes must be at least 1, keys and positional above 0, ridge at least 0"
            )

    def to_json(self) -> dict[str, object]:
        """Write as a dictionary of its fields."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
