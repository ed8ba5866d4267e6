"""The small vocabulary that ties words of a question to what the senses can perceive.

English words are matched by stem; words of other languages by the nearest multilingual text vector, so that "rojo",
"rouge" and "红色" all find `red`. Only what the senses can see is in here: a word that finds nothing is not in their
vocabulary, and the answer must say so rather than guess.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from vidence.senses.language import embed, stems

Table = Mapping[str, Sequence[str]]
"""Concept name → words that mean it, the first being the plainest."""

COLOURS: Table = {
    "black": ("black", "dark"),
    "white": ("white", "pale"),
    "grey": ("grey", "gray", "silver", "silvery"),
    "red": ("red", "scarlet", "crimson", "maroon"),
    "orange": ("orange",),
    "yellow": ("yellow", "golden", "gold"),
    "green": ("green", "olive", "lime"),
    "cyan": ("cyan", "turquoise", "teal", "aqua", "light blue", "light-blue"),
    "blue": ("blue", "navy", "azure"),
    "purple": ("purple", "violet", "magenta", "lilac"),
    "pink": ("pink", "rose"),
    "brown": ("brown", "tan", "beige", "wooden"),
}

DIRECTIONS: Table = {
    "left": ("left", "leftwards", "left side"),
    "right": ("right", "rightwards", "right side"),
    "up": ("up", "upwards", "to the top"),
    "down": ("down", "downwards", "to the bottom"),
    "nearer": ("nearer", "closer", "towards", "toward the camera", "approaches"),
    "farther": ("farther", "further away", "away", "into the distance", "recedes"),
    "still": ("parked", "still", "stays", "stationary", "motionless", "not move", "does not move", "same"),
}

PLACES: Table = {
    "left": ("left", "left-hand", "leftmost"),
    "right": ("right", "right-hand", "rightmost"),
    "top": ("top", "above", "upper", "up"),
    "bottom": ("bottom", "below", "lower", "under"),
    "middle": ("middle", "centre", "center", "central"),
}

SETTINGS: Table = {
    "day": ("daytime", "daylight", "day", "noon", "midday", "afternoon", "morning"),
    "night": ("night", "nighttime", "at night", "midnight", "darkness"),
    "indoors": ("indoors", "inside", "indoor", "in a room", "in a house", "in a building"),
    "outdoors": ("outdoors", "outside", "outdoor", "open air", "in a field", "street", "in nature"),
    "clear": ("clear sky", "sunny", "sunshine", "clear", "blue sky", "fair", "cloudless"),
    "cloudy": ("cloudy", "overcast", "clouds", "grey sky"),
    "rain": ("rain", "rainy", "raining", "downpour"),
    "fog": ("fog", "foggy", "mist", "misty", "haze", "hazy"),
    "snow": ("snow", "snowy", "snowing", "blizzard"),
}
"""Where and under what sky: what light and colour tell of a scene."""

THINGS: Table = {
    "person": (
        "person", "people", "man", "woman", "men", "women", "boy", "girl", "child", "children", "kid", "worker",
        "pedestrian", "walker", "player", "speaker", "actor", "lady", "guy", "human", "someone", "somebody", "he",
        "she", "runner", "dancer", "singer", "presenter", "host", "driver", "soldier", "crowd",
    ),
    "bicycle": ("bicycle", "bike", "cyclist"),
    "car": ("car", "automobile", "van", "vehicle", "taxi", "racing car", "cars"),
    "motorcycle": ("motorcycle", "motorbike", "scooter"),
    "airplane": ("airplane", "aeroplane", "plane", "aircraft", "jet"),
    "bus": ("bus", "minibus", "coach"),
    "train": ("train", "locomotive", "tram"),
    "truck": ("truck", "lorry", "van"),
    "boat": ("boat", "ship", "sailboat", "canoe"),
    "traffic light": ("traffic light", "traffic signal", "stoplight"),
    "stop sign": ("stop sign",),
    "bench": ("bench",),
    "bird": ("bird", "parrot", "cockatoo", "duck", "hen", "owl", "chicken", "pigeon", "eagle", "gull"),
    "cat": ("cat", "kitten"),
    "dog": ("dog", "puppy"),
    "horse": ("horse", "pony"),
    "sheep": ("sheep", "lamb"),
    "cow": ("cow", "cattle", "bull", "ox"),
    "elephant": ("elephant",),
    "bear": ("bear",),
    "zebra": ("zebra",),
    "giraffe": ("giraffe",),
    "backpack": ("backpack", "rucksack"),
    "umbrella": ("umbrella", "parasol"),
    "handbag": ("handbag", "purse"),
    "tie": ("tie", "necktie"),
    "suitcase": ("suitcase", "luggage"),
    "frisbee": ("frisbee",),
    "skis": ("skis", "skier"),
    "snowboard": ("snowboard",),
    "sports ball": ("ball", "football", "basketball", "soccer ball", "tennis ball", "volleyball"),
    "kite": ("kite",),
    "baseball bat": ("baseball bat", "bat"),
    "skateboard": ("skateboard", "skater"),
    "surfboard": ("surfboard", "surfer"),
    "tennis racket": ("tennis racket", "racket"),
    "bottle": ("bottle",),
    "wine glass": ("wine glass",),
    "cup": ("cup", "mug"),
    "fork": ("fork",),
    "knife": ("knife",),
    "spoon": ("spoon",),
    "bowl": ("bowl",),
    "banana": ("banana",),
    "apple": ("apple",),
    "sandwich": ("sandwich",),
    "orange": ("orange fruit",),
    "broccoli": ("broccoli",),
    "carrot": ("carrot",),
    "hot dog": ("hot dog",),
    "pizza": ("pizza",),
    "donut": ("donut", "doughnut"),
    "cake": ("cake",),
    "chair": ("chair", "stool"),
    "couch": ("couch", "sofa"),
    "potted plant": ("potted plant", "houseplant", "plant"),
    "bed": ("bed",),
    "dining table": ("dining table", "table", "desk"),
    "toilet": ("toilet",),
    "tv": ("tv", "television", "monitor", "screen"),
    "laptop": ("laptop", "notebook computer"),
    "mouse": ("computer mouse",),
    "remote": ("remote control",),
    "keyboard": ("keyboard",),
    "cell phone": ("cell phone", "mobile phone", "smartphone", "phone"),
    "microwave": ("microwave",),
    "oven": ("oven",),
    "toaster": ("toaster",),
    "sink": ("sink",),
    "refrigerator": ("refrigerator", "fridge"),
    "book": ("book",),
    "clock": ("clock",),
    "vase": ("vase",),
    "scissors": ("scissors",),
    "teddy bear": ("teddy bear",),
    "hair drier": ("hair drier", "hairdryer"),
    "toothbrush": ("toothbrush",),
}  # fmt: skip
"""The 80 COCO classes with words that mean or imply them."""

NUMBERS = {
    word: value
    for value, words in enumerate(
        ("no none zero", "one once a an single", "two twice both pair couple", "three", "four", "five", "six", "seven",
         "eight", "nine", "ten", "eleven", "twelve")
    )
    for word in words.split()
}  # fmt: skip

ORDINALS = {"first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "last": -1, "final": -1}

_WORD = re.compile(r"[\w'’-]+", re.UNICODE)
_SAME_WORD = 0.78  # cosine at which two single words of different languages mean one thing in the text space


@dataclass(frozen=True, slots=True)
class Mention:
    """A concept named in a text: where the word begins (character offset), and how sure the match is."""

    concept: str
    word: str
    offset: int
    score: float


@cache
def _phrases(table_id: str) -> list[tuple[str, tuple[str, ...]]]:
    """List (concept, stems of one phrase), longest phrase first so that "light blue" wins over "blue"."""
    rows = [
        (name, tuple(stems(phrase, "en", keep_stop_words=True)))
        for name, phrases in TABLES[table_id].items()
        for phrase in phrases
    ]
    return sorted(rows, key=lambda row: -len(row[1]))


@cache
def _vectors(table_id: str) -> tuple[list[str], np.ndarray]:
    table = TABLES[table_id]
    names = [name for name, phrases in table.items() for _ in phrases[:3]]
    return names, embed([phrase for phrases in table.values() for phrase in phrases[:3]])


TABLES: dict[str, Table] = {
    "colours": COLOURS, "directions": DIRECTIONS, "places": PLACES, "settings": SETTINGS, "things": THINGS,
}  # fmt: skip


def mentions(text: str, table: str, language: str = "en") -> list[Mention]:
    """Find the concepts of a table named in a text, in order of appearance; a longer phrase hides the shorter in it."""
    tokens = [(m.group().lower(), m.start()) for m in _WORD.finditer(text)]
    tokens = [
        (part, at) for token, at in tokens for part in ([token] if "-" not in token else token.split("-"))
    ]
    roots = [(stems(token, "en", keep_stop_words=True) or [token])[0] for token, _ in tokens]
    found, used = [], set()
    for concept, phrase in _phrases(table):
        for start in range(len(roots) - len(phrase) + 1):
            here = range(start, start + len(phrase))
            if tuple(roots[start : start + len(phrase)]) == phrase and not used.intersection(here):
                used.update(here)
                found.append(Mention(concept, " ".join(tokens[i][0] for i in here), tokens[start][1], 1.0))
    if not found and language != "en":
        found = _foreign(text, table)
    return sorted(found, key=lambda mention: mention.offset)


def _foreign(text: str, table: str) -> list[Mention]:
    """Match words of another language by their vectors; scripts without spaces by runs of two to four characters."""
    pieces = [(m.group(), m.start()) for m in _WORD.finditer(text)]
    if any(ord(ch) > 0x2E80 for ch in text):
        pieces = [(text[i : i + n], i) for n in (2, 3, 4) for i in range(len(text) - n + 1)]
    pieces = [(word, at) for word, at in pieces if len(word) > 2 or ord(word[0]) > 0x2E80]
    if not pieces:
        return []
    names, vectors = _vectors(table)
    cosine = embed([word for word, _ in pieces]) @ vectors.T
    best: dict[str, Mention] = {}
    for row, (word, at) in zip(cosine, pieces, strict=True):
        top = int(row.argmax())
        if row[top] >= _SAME_WORD and row[top] > best.get(names[top], Mention("", "", 0, 0.0)).score:
            best[names[top]] = Mention(names[top], word, at, float(row[top]))
    return list(best.values())


def number_in(text: str) -> int | None:
    """Return the first whole number written in digits or English words ("three", "twice"), or None."""
    for match in _WORD.finditer(text.lower()):
        if match.group().isdigit():
            return int(match.group())
        if match.group() in NUMBERS and match.group() not in ("a", "an"):
            return NUMBERS[match.group()]
    return None
