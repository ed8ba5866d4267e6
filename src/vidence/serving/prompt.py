"""What is asked of a model, as tokens: by what it shares a beginning with others, and the pictures it shows.

T tokens, N patches. A picture is known by what it looks like, so that two questions about a video begin alike; each of
a video's temporal patches stands for itself, so that two videos that begin alike do too.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import torch
from torch import Tensor

from vidence.models.internvideo3.decoder import InternVideo3ForCausalLM
from vidence.models.internvideo3.ledger import TEXT, VISION
from vidence.models.internvideo3.turns import end_of_answer, inputs_of, written

Messages = Sequence[Mapping[str, Any]]
GRIDS = ("image_grid_thw", "video_grid_thw", "second_per_grid_ts")
MOST_KEPT = 256  # dialogues whose tokens are remembered for when they go on: 16 bytes a token
_KINDS = ((1, "pixel_values", "image_grid_thw"), (2, "pixel_values_videos", "video_grid_thw"))


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Frame:
    """One temporal patch of a picture: `rows` x `columns` patches, known by its digest."""

    digest: int
    patches_ND: Tensor
    rows: int
    columns: int


@dataclass(frozen=True, slots=True)
class Sight:
    """Where in a prompt a frame is shown: `count` tokens from `start` on."""

    start: int
    count: int
    digest: int


@dataclass(frozen=True, slots=True)
class Written:
    """Tokens of a dialogue; what each is: 0 text, 1 image, 2 video; the grids of pictures, and where they are shown."""

    ids_T: Tensor
    types_T: Tensor
    grids: dict[str, Tensor] = field(default_factory=dict)
    sights: tuple[Sight, ...] = ()

    @staticmethod
    def nothing() -> Written:
        """Return a dialogue before its first word."""
        empty = torch.zeros(0, dtype=torch.int64)
        return Written(empty, empty)

    def then(self, more: Written) -> Written:
        """Return these tokens with others after them."""
        length = len(self.ids_T)
        grids = {
            name: torch.cat([part.grids[name] for part in (self, more) if name in part.grids])
            for name in GRIDS
            if name in self.grids or name in more.grids
        }
        later = [Sight(length + one.start, one.count, one.digest) for one in more.sights]
        ids_T, types_T = torch.cat([self.ids_T, more.ids_T]), torch.cat([self.types_T, more.types_T])
        return Written(ids_T, types_T, grids, (*self.sights, *later))


@dataclass(slots=True)
class Prompt:
    """A dialogue up to where the model is to speak.

    keys_T: by token what it is known by, the same for the same words and pictures. frames: by digest those that may
    have to be looked at; without those of earlier turns, which `again` fetches.
    """

    written: Written
    keys_T: np.ndarray
    positions_3T: Tensor
    frames: dict[int, Frame]
    again: Callable[[], dict[int, Frame]]

    @property
    def length(self) -> int:
        """Return T."""
        return len(self.keys_T)

    @property
    def kinds_T(self) -> Tensor:
        """Return what the cache takes each token for."""
        return torch.where(self.written.types_T > 0, VISION, TEXT).to(torch.uint8)

    def lacks(self, start: int, stop: int, known: Callable[[int], bool]) -> bool:
        """Tell whether tokens [start, stop) show a frame that is neither here nor known."""
        return any(
            one.start < stop and one.start + one.count > start and one.digest not in self.frames
            for one in self.written.sights
            if not known(one.digest)
        )

    def read(self) -> None:
        """Let go of the pictures: they were seen."""
        self.frames, self.again = {}, dict

    @property
    def cuts(self) -> tuple[int, ...]:
        """Return where pictures begin and end: prompts mostly part there."""
        sights = self.written.sights
        return (sights[0].start, sights[-1].start + sights[-1].count) if sights else ()


class Scribe:
    """Write prompts for one model; safe to be asked from several threads, one at a time."""

    def __init__(self, model: Any, processor: Any) -> None:
        self.model, self.processor = model, processor
        self.tokenizer = getattr(processor, "tokenizer", processor)
        self.sees = not isinstance(model, InternVideo3ForCausalLM)
        self._lock = threading.Lock()  # tokenizers may not be used by two threads at once
        self._kept_lock = threading.Lock()
        self._kept: OrderedDict[str, Written] = OrderedDict()
        self._frames: WeakValueDictionary[int, Frame] = WeakValueDictionary()
        self._secret = secrets.token_bytes(32)  # so that nobody can make pictures that are taken for others

    def prompt(self, messages: Messages, scope: str) -> Prompt:
        """Write messages; those of a dialogue that was answered before keep the tokens that were said.

        Raises:
            UsageError: the model sees no pictures, or one cannot be seen.
            MediaError: a video cannot be read.
        """
        with self._lock:
            before, known = self._going_on(messages, scope)
            turn = written(self.processor, _plain(messages[known:]))
            if known:
                turn = end_of_answer(self.tokenizer, int(before.ids_T[-1])) + turn
            new, frames = self._written(turn, messages[known:])
            whole = before.then(new)
            return Prompt(whole, _keys(whole), self._positions(whole), frames, lambda: self._again(messages))

    def keep(self, messages: Messages, scope: str, prompt: Prompt, ids: Sequence[int], text: str) -> None:
        """Remember the tokens of an answer, for when the dialogue goes on."""
        said_T = torch.tensor(ids, dtype=torch.int64)
        whole = prompt.written.then(Written(said_T, torch.zeros_like(said_T)))
        answer = {"key": json.dumps(["assistant", text])}
        with self._kept_lock:
            self._kept[_key([*messages, answer], scope)] = whole
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)

    def _going_on(self, messages: Messages, scope: str) -> tuple[Written, int]:
        """Return the dialogue that these messages go on with, and how many of them it holds."""
        with self._kept_lock:
            for count in range(len(messages) - 1, 0, -1):
                key = _key(messages[:count], scope)
                if found := self._kept.get(key):
                    self._kept.move_to_end(key)
                    return found, count
        return Written.nothing(), 0

    def _again(self, messages: Messages) -> dict[int, Frame]:
        """Return all frames of messages, those of earlier turns included."""
        with self._lock:
            plain = _plain(messages)
            return self._written(written(self.processor, plain), messages)[1]

    def _written(self, turn: str, messages: Messages) -> tuple[Written, dict[int, Frame]]:
        inputs = inputs_of(self.processor, turn, _plain(messages), sees=self.sees)
        ids_T = inputs["input_ids"][0]
        types_T = inputs["mm_token_type_ids"][0].long() if "mm_token_type_ids" in inputs else 0 * ids_T
        frames, sights = dict[int, Frame](), list[Sight]()
        for kind, patches, grids in _KINDS:
            places, at = (types_T == kind).nonzero()[:, 0].tolist(), 0
            for frame in self._cut(inputs, patches, grids):
                count = frame.rows * frame.columns // self.model.config.vision_config.spatial_merge_size**2
                sights.append(Sight(places[at], count, frame.digest))
                frames[frame.digest] = frame
                at += count
        sights.sort(key=lambda sight: sight.start)
        grids = {name: torch.as_tensor(inputs[name]) for name in GRIDS if name in inputs}
        return Written(ids_T, types_T, grids, tuple(sights)), frames

    def _cut(self, inputs: Mapping[str, Tensor], patches: str, grids: str) -> list[Frame]:
        """Cut the pictures of one kind into frames; one that is held already by another prompt is not held twice."""
        if patches not in inputs:
            return []
        seconds = inputs.get("second_per_grid_ts")
        found, first = [], 0
        for number, (count, rows, columns) in enumerate(inputs[grids].tolist()):
            lasting = "" if seconds is None or "videos" not in patches else float(seconds[number])
            shape = f"{patches} {rows} {columns} {lasting}".encode()
            for _ in range(count):
                patches_ND = inputs[patches][first : first + rows * columns]
                first += rows * columns
                found.append(self._frame(patches_ND, shape, rows, columns))
        return found

    def _frame(self, patches_ND: Tensor, shape: bytes, rows: int, columns: int) -> Frame:
        digest = hashlib.blake2b(shape, key=self._secret, digest_size=8)
        digest.update(np.ascontiguousarray(patches_ND.numpy()).data.cast("B"))
        known_by = int.from_bytes(digest.digest(), "big") >> 2
        if (held := self._frames.get(known_by)) is not None:
            return held
        frame = self._frames[known_by] = Frame(known_by, patches_ND.clone(), rows, columns)
        return frame

    def _positions(self, whole: Written) -> Tensor:
        """Return positions (3, T) by the model's rule."""
        if not whole.sights:
            return torch.arange(len(whole.ids_T)).expand(3, -1)
        positions_3BT, _ = self.model.model.get_rope_index(
            whole.ids_T[None], mm_token_type_ids=whole.types_T[None], **whole.grids
        )
        return positions_3BT[:, 0]


def _keys(whole: Written) -> np.ndarray:
    """Return what each token is known by: a word by its number, a frame's by its digest, below zero."""
    keys_T = whole.ids_T.numpy().copy()
    for sight in whole.sights:
        keys_T[sight.start : sight.start + sight.count] = -1 - (
            (sight.digest + np.arange(sight.count, dtype=np.int64)) & (2**62 - 1)
        )
    return keys_T


def _plain(messages: Messages) -> list[dict[str, Any]]:
    return [{name: one[name] for name in one if name != "key"} for one in messages]


def _key(messages: Messages, scope: str) -> str:
    return "\n".join([json.dumps(scope), *(str(one["key"]) for one in messages)])
