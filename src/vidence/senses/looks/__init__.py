"""What moments look like: names for them, and vectors that a phrase in any language can be held against."""

from vidence.senses.looks.embedded_eye import EmbeddedEye
from vidence.senses.looks.eye import Eye, Look
from vidence.senses.looks.match import Match, matches, standard_eye
from vidence.senses.looks.pair_eye import PairEye
from vidence.senses.looks.sense import Looks
from vidence.senses.looks.vocabulary import Known, names_in, unknown_in

__all__ = [
    "EmbeddedEye",
    "Eye",
    "Known",
    "Look",
    "Looks",
    "Match",
    "PairEye",
    "matches",
    "names_in",
    "standard_eye",
    "unknown_in",
]
