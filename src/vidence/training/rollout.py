"""Rollouts: several dialogues sampled side by side in process, each token with its log-probability.

B dialogues, L new tokens, T tokens so far, D hidden width, W vocabulary. Keys and values stay cached over turns, a
prompt is run once for its whole group, and a picture's features are computed once however many dialogues see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from transformers import DynamicCache

from vidence.models.internvideo3.latent import LatentCache
from vidence.models.internvideo3.passes import Features, look, run, together
from vidence.training.learner import Learner
from vidence.training.trajectory import TEXT, Picture, Piece, joined


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are drawn. `temperature` 0 takes the likeliest; `stop` ids end a turn; `banned` are never drawn."""

    temperature: float = 1.0
    max_new_tokens: int = 64
    stop: tuple[int, ...] = ()
    banned: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """One turn: its tokens, the stopping one included, and their log-probabilities at the temperature used."""

    ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    ended: bool


class Dialogues(Protocol):
    """Dialogues that are under way."""

    def tell(self, pieces: Sequence[Sequence[Piece] | None]) -> None:
        """Let each dialogue read on; None where one has ended."""
        ...

    def hear(self, sampling: Sampling) -> list[Said | None]:
        """Sample a turn of each dialogue that was last told something."""
        ...


class Engine(Protocol):
    """Who samples: in process, our server, or an endpoint."""

    def begin(self, prompts: Sequence[Sequence[Piece]], group: int, seed: int) -> Dialogues:
        """Open `group` dialogues of each prompt, side by side."""
        ...


class InProcess:
    """Sample with a model of this process."""

    def __init__(self, learner: Learner) -> None:
        self.learner = learner

    def begin(self, prompts: Sequence[Sequence[Piece]], group: int, seed: int) -> Cached:
        """Open `group` dialogues of each prompt, side by side."""
        return Cached(self.learner, prompts, group, seed)


class Cached:
    """Dialogues of a model of this process, over one cache."""

    @torch.no_grad()
    def __init__(self, learner: Learner, prompts: Sequence[Sequence[Piece]], group: int, seed: int) -> None:
        self.learner, self.core = learner, learner.model.model
        config = learner.model.config.get_text_config(decoder=True)
        self.cache: Any = LatentCache(config) if learner.latent else DynamicCache(config=config)
        self.device = learner.model.device
        self._draw = torch.Generator(self.device).manual_seed(seed)
        self._seen: dict[str, Features] = {}
        self._next_B = torch.zeros(len(prompts), dtype=torch.int64)
        self._mask_BT = torch.zeros((len(prompts), 0), dtype=torch.int64)
        self._active_B = torch.ones(len(prompts), dtype=torch.bool)
        self._last_BD = torch.zeros(0)
        self._unread: list[list[int]] = [[] for _ in prompts]
        self.tell(prompts)
        self.cache.batch_repeat_interleave(group)
        self._next_B, self._mask_BT, self._active_B, self._last_BD = (
            each.repeat_interleave(group, 0)
            for each in (self._next_B, self._mask_BT, self._active_B, self._last_BD)
        )
        self._unread = [[] for _ in range(len(self._next_B))]

    @torch.no_grad()
    def tell(self, pieces: Sequence[Sequence[Piece] | None]) -> None:
        """Let each dialogue read on, after what it said itself; None where one has ended."""
        told = [
            None if each is None else joined("", [Piece(unread), *each])
            for each, unread in zip(pieces, self._unread, strict=True)
        ]
        self._active_B = torch.tensor([each is not None for each in told])
        longest = max(each.length for each in told if each is not None)
        ids_BL, kinds_BL = torch.zeros(2, len(told), longest, dtype=torch.int64)
        mask_BL = torch.zeros_like(ids_BL)
        positions_3BL = torch.zeros((3, *ids_BL.shape), dtype=torch.int64)
        pictures = list[Picture]()
        for at, one in enumerate(told):
            if one is None:
                continue
            span = slice(longest - one.length, None)  # on the right, so that all end together
            ids_BL[at, span], kinds_BL[at, span], mask_BL[at, span] = one.ids_L, one.kinds_L, 1
            positions_3BL[:, at, span] = self.learner.place(one) + self._next_B[at]
            self._next_B[at] = positions_3BL[:, at].max() + 1
            pictures.extend(one.pictures)
        self._unread = [[] for _ in told]
        self._last_BD = self._run(ids_BL, mask_BL, positions_3BL, kinds_BL != TEXT, pictures)

    @torch.no_grad()
    def hear(self, sampling: Sampling) -> list[Said | None]:
        """Sample a turn of each dialogue that was last told something."""
        speaking_B = self._active_B.clone()
        ids, logprobs = ([list[Any]() for _ in speaking_B] for _ in range(2))
        stop = torch.tensor(sampling.stop, dtype=torch.int64)
        ended_B = torch.zeros_like(speaking_B)
        for number in range(sampling.max_new_tokens):
            drawn_B, logprob_B = (each.cpu() for each in self._drawn(sampling))
            for at in speaking_B.nonzero()[:, 0].tolist():
                ids[at].append(int(drawn_B[at]))
                logprobs[at].append(float(logprob_B[at]))
            ended_B |= speaking_B & torch.isin(drawn_B, stop)
            speaking_B &= ~ended_B
            if not speaking_B.any() or number + 1 == sampling.max_new_tokens:
                break
            positions_B = torch.where(speaking_B, self._next_B, 0)
            self._next_B += speaking_B
            hidden_BD = self._run(
                torch.where(speaking_B, drawn_B, 0)[:, None],
                speaking_B.long()[:, None],
                positions_B[None, :, None].expand(3, -1, -1),
            )
            self._last_BD = torch.where(speaking_B.to(self.device)[:, None], hidden_BD, self._last_BD)
        # The last token of a turn has been said, but not yet read: it leads what the dialogue is told next.
        self._unread = [said[-1:] for said in ids]
        return [
            Said(tuple(said), tuple(values), bool(ended)) if active else None
            for said, values, ended, active in zip(ids, logprobs, ended_B, self._active_B, strict=True)
        ]

    def _drawn(self, sampling: Sampling) -> tuple[Tensor, Tensor]:
        logits_BW = self.learner.model.lm_head(self._last_BD).float()
        logprobs_BW = (logits_BW / (sampling.temperature or 1.0)).log_softmax(-1)
        choice_BW = logprobs_BW
        if sampling.banned:
            choice_BW = logprobs_BW.index_fill(
                1, torch.tensor(sampling.banned, device=self.device), -torch.inf
            )
        if sampling.temperature:
            drawn_B = torch.multinomial(choice_BW.softmax(-1), 1, generator=self._draw)[:, 0]
        else:
            drawn_B = choice_BW.argmax(-1)
        return drawn_B, logprobs_BW.gather(-1, drawn_B[:, None])[:, 0]

    def _run(
        self,
        ids_BL: Tensor,
        mask_BL: Tensor,
        positions_3BL: Tensor,
        visual_BL: Tensor | None = None,
        pictures: Sequence[Picture] = (),
    ) -> Tensor:
        """Run new tokens through the decoder; return the last hidden state of each dialogue."""
        self._mask_BT = torch.cat([self._mask_BT, mask_BL], 1)
        features = together([self._features(picture) for picture in pictures]) if pictures else None
        hidden_BLD = run(
            self.core.language_model,
            ids_BL,
            positions_3BL,
            self.cache,
            visual_BL=visual_BL,
            features=features,
            mask_BT=self._mask_BT,
        )
        return hidden_BLD[:, -1]

    def _features(self, picture: Picture) -> Features:
        if picture.key not in self._seen:
            self._seen[picture.key] = look(self.core, picture.patches_ND, [picture.grid.to_list()])
        return self._seen[picture.key]
