"""The eye that needs only packages: an ImageNet classifier, its classes put among words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vidence.senses.looks.calibration import kind_chance, phrase_chance
from vidence.senses.looks.classes import classes, kinds
from vidence.senses.looks.eye import Look

if TYPE_CHECKING:
    from vidence.media import Image

LISTED_CLASSES = 5
LISTED_KINDS = 12
LEAST_KIND = 0.03  # a kind less likely than this is not listed
SURE_KIND, SURE_CLASS = 0.7, 0.4  # written into the text, where search finds them


class EmbeddedEye:
    """Looks with EfficientNet-lite0; `data`: "classes" [[name, mass], ...] and "kinds" [[name, chance], ...]."""

    name = "efficientnet-lite0"
    version = "1"
    space = "usem3"
    side = 400  # the shorter side of 16:9 is then 225, the classifier's own size
    seconds = 0.030

    @property
    def weights(self) -> str:
        """Identity of the weights, without fetching them."""
        from vidence.catalogue import digest
        from vidence.senses.looks.classifier import WEIGHTS

        return digest(WEIGHTS)[:12]

    def look(self, image: Image) -> Look:
        """Classify one picture and put it among words."""
        from vidence.senses.looks.classifier import classify
        from vidence.senses.looks.conse import picture_vector

        probabilities = classify(image)
        mass = probabilities.max(axis=0)
        chance = kind_chance((probabilities @ kinds().members_CK).max(axis=0), kinds().share_K)
        listed_classes = [[classes()[k].name, round(float(mass[k]), 3)] for k in _first(mass, LISTED_CLASSES)]
        order = [k for k in _first(chance, LISTED_KINDS) if chance[k] >= LEAST_KIND]
        listed_kinds = [[kinds().names[k], round(float(chance[k]), 3)] for k in order]
        return Look(
            vector=picture_vector(probabilities),
            text=_words(listed_classes, listed_kinds),
            confidence=round(float(chance.max()), 3),
            data={"classes": listed_classes, "kinds": listed_kinds, "space": self.space},
        )

    def phrase(self, text: str) -> np.ndarray:
        """Put a phrase, in any language of the text vectors, among the pictures."""
        from vidence.senses.language import embed

        return embed([text])[0]

    def chance(self, phrase: np.ndarray, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Hold a phrase against pictures by its standing among the classes."""
        from vidence.senses.looks.conse import standing

        scores = standing(phrase[None], vectors)[0]
        return scores, phrase_chance(scores)


def _first(values: np.ndarray, count: int) -> list[int]:
    return np.argsort(-values, kind="stable")[:count].tolist()


def _words(listed_classes: list[list], listed_kinds: list[list]) -> str:
    """Name what is sure, most special first: a class, then kinds from small to large; "" when nothing is."""
    share = dict(zip(kinds().names, kinds().share_K.tolist(), strict=True))
    sure = sorted((name for name, chance in listed_kinds if chance >= SURE_KIND), key=share.__getitem__)
    fine = [name for name, mass in listed_classes if mass >= SURE_CLASS]
    return ", ".join(dict.fromkeys(fine + sure))
