"""The model as training runs it: a packed row in, log-probabilities of the learned tokens out.

L tokens, N learned tokens, D hidden width, V visual tokens, W vocabulary. Grouped-query and latent models run through
the same code: what differs is how a row tells its samples apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from transformers.models.qwen3_vl.modeling_qwen3_vl import Qwen3VLForConditionalGeneration

from vidence.models.internvideo3.modeling import InternVideo3ForConditionalGeneration
from vidence.models.internvideo3.prefill import Visible
from vidence.training.packing import Pack
from vidence.training.trajectory import Trajectory, grids_of

if TYPE_CHECKING:
    from vidence.training.sequence import Sharing

HEAD_TOKENS = 1024  # whose logits are in memory at once: 0.6 GB for a vocabulary of 152k in float32


class Scores(NamedTuple):
    """Of each learned token: its log-probability, the entropy there, and the divergence from a teacher's prediction."""

    logprobs_N: Tensor
    entropy_N: Tensor
    divergence_N: Tensor | None


@dataclass(frozen=True, slots=True)
class Teacher:
    """Another model's last hidden states in place of the learned tokens, and its head; logits only exist in parts."""

    hidden_ND: Tensor
    head: nn.Module


class Learner(nn.Module):
    """A model and the packed way through it."""

    def __init__(self, model: Qwen3VLForConditionalGeneration | InternVideo3ForConditionalGeneration) -> None:
        super().__init__()
        self.model: Any = model
        self.latent = isinstance(model, InternVideo3ForConditionalGeneration)
        vision: Any = model.config.vision_config
        self.merge: int = vision.spatial_merge_size
        self._patch = vision.in_channels * vision.temporal_patch_size * vision.patch_size**2
        self.always_sees = False  # where weights are sharded, all processes must run the tower or none
        self.sharing: Sharing | None = None  # where several processes hold parts of one row

    def forward(self, pack: Pack, *, teacher: Teacher | None = None, temperature: float = 1.0) -> Scores:
        """Score the learned tokens of a row, and what a teacher would have predicted in their place."""
        if self.sharing is None:
            return self._scores(pack, self.hidden(pack)[pack.places_N], teacher, temperature)
        own = self.sharing.portion(pack)
        taught = None if teacher is None else Teacher(teacher.hidden_ND[own.mine_N], teacher.head)
        part = self._scores(own.pack, self.hidden(own.pack, own.seen)[own.pack.places_N], taught, temperature)
        whole = [None if each is None else self.sharing.summed(each, own.mine_N) for each in part]
        return Scores(*whole)  # type: ignore[arg-type]

    def teach(self, pack: Pack) -> Teacher:
        """Return what this model, unchanged, would predict in place of the learned tokens of a row."""
        with torch.no_grad():
            return Teacher(self.hidden(pack)[pack.places_N], self.model.lm_head)

    def hidden(self, pack: Pack, visible: Visible | None = None) -> Tensor:
        """Run tower and decoder: (L, D). `visible` tells what tokens see, where they are not the whole row."""
        core = self.model.model
        embeds_LD = core.language_model.embed_tokens(pack.ids_L)
        deep: list[Tensor] = []
        if pack.patches_PD is not None:
            seen: Any = core.visual(pack.patches_PD.to(embeds_LD.dtype), grid_thw=pack.grids_I3)
            deep = [feature[pack.features_V] for feature in seen.deepstack_features]
            features_VD = seen.pooler_output[pack.features_V].to(embeds_LD.dtype)
            embeds_LD = embeds_LD.masked_scatter(pack.visual_L[:, None], features_VD)
        elif self.always_sees:
            blank_PD = embeds_LD.new_zeros(self.merge**2, self._patch)
            grid_13 = torch.tensor([[1, self.merge, self.merge]], device=embeds_LD.device)
            seen = core.visual(blank_PD, grid_thw=grid_13)
            nothing = sum(each.sum() for each in (seen.pooler_output, *seen.deepstack_features))
            embeds_LD = embeds_LD + 0.0 * nothing
        out: Any = core.language_model(
            inputs_embeds=embeds_LD[None],
            visual_pos_masks=None if pack.patches_PD is None else pack.visual_L[None],
            deepstack_visual_embeds=deep or None,
            use_cache=False,
            **(
                self._told_apart(pack)
                if visible is None
                else {"seen": visible, "position_ids": pack.positions_3L[:, None]}
            ),
        )
        return out.last_hidden_state[0]

    def place(self, one: Trajectory) -> Tensor:
        """Return a trajectory's positions (3, L)."""
        if not one.pictures:
            return torch.arange(one.length).expand(3, -1)
        positions_31L, _ = self.model.model.get_rope_index(
            one.ids_L[None], one.kinds_L[None], **grids_of(one.pictures)
        )
        return positions_31L[:, 0]

    def _told_apart(self, pack: Pack) -> dict[str, Any]:
        """Say which tokens belong together, without a mask where each sample stands for itself."""
        placed = {"position_ids": pack.positions_3L[:, None]}
        if not self.latent:
            return placed | {"ends": pack.ends}
        if pack.parents_S is None:
            return placed | {"seen": Visible((len(pack.ids_L),), ends=pack.ends)}
        segments_BL = pack.segments_L[None]
        return placed | {
            "seen": Visible((len(pack.ids_L),), segments_BL=segments_BL, parents_S=pack.parents_S)
        }

    def _scores(self, pack: Pack, hidden_ND: Tensor, teacher: Teacher | None, temperature: float) -> Scores:
        """Score learned tokens from the hidden states before them, a few at a time."""
        taught = None if teacher is None else teacher.hidden_ND.split(HEAD_TOKENS)
        parts = []
        for at, each_ND in enumerate(hidden_ND.split(HEAD_TOKENS)):
            targets_N = pack.targets_N[at * HEAD_TOKENS : at * HEAD_TOKENS + len(each_ND)]
            given = each_ND, targets_N, teacher, taught and taught[at], temperature
            parts.append(checkpoint(self._score, *given, use_reentrant=False))
        logprobs, entropies, divergences = zip(*parts, strict=True)
        return Scores(torch.cat(logprobs), torch.cat(entropies), torch.cat(divergences) if teacher else None)

    def _score(
        self,
        hidden_ND: Tensor,
        targets_N: Tensor,
        teacher: Teacher | None,
        taught_ND: Tensor | None,
        temperature: float,
    ) -> tuple[Tensor, Tensor, Tensor]:
        logprobs_NW = (_logits(self.model.lm_head, hidden_ND) / temperature).log_softmax(-1)
        entropy_N = -(logprobs_NW.exp() * logprobs_NW).sum(-1).detach()
        divergence_N = entropy_N
        if teacher is not None and taught_ND is not None:
            with torch.no_grad():
                wanted_NW = _logits(teacher.head, taught_ND).log_softmax(-1)
            # From the teacher: where it sees several ways to go on, all are kept.
            divergence_N = (wanted_NW.exp() * (wanted_NW - logprobs_NW)).sum(-1)
        return logprobs_NW.gather(-1, targets_N[:, None])[:, 0], entropy_N, divergence_N


def _logits(head: nn.Module, hidden_ND: Tensor) -> Tensor:
    """Return logits in float32 whatever the rest is computed in: shares of tokens are told by small differences."""
    with torch.autocast(hidden_ND.device.type, enabled=False):
        return head(hidden_ND.to(next(head.parameters()).dtype)).float()
