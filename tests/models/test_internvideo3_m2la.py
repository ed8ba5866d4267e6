"""Latent attention equals the attention that it replaces wherever nothing has been left out."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from tiny_models import make_tiny, prompt, tiny_text  # noqa: E402
from transformers.models.qwen3_vl.modeling_qwen3_vl import (  # noqa: E402
    Qwen3VLTextAttention,
    Qwen3VLTextRotaryEmbedding,
)

from vidence.models.internvideo3.config import InternVideo3TextConfig  # noqa: E402
from vidence.models.internvideo3.latent import LatentCache  # noqa: E402
from vidence.models.internvideo3.m2la import ExactAttention, ReleaseAttention  # noqa: E402
from vidence.models.internvideo3.prefill import Visible  # noqa: E402

WIDTH, HEADS, GROUPS, HEAD = 64, 4, 2, 16


def gqa(seed: int) -> tuple[Qwen3VLTextAttention, Qwen3VLTextRotaryEmbedding]:
    """Make a grouped-query layer with random weights and norms."""
    config = InternVideo3TextConfig(**tiny_text())
    config._attn_implementation = "eager"
    torch.manual_seed(seed)
    layer = Qwen3VLTextAttention(config, 0)
    with torch.no_grad():
        for weight in layer.parameters():
            weight.normal_(0, weight.shape[-1] ** -0.5) if weight.ndim == 2 else weight.uniform_(0.5, 1.5)
    return layer, Qwen3VLTextRotaryEmbedding(config)


def unitary(size: int) -> Any:
    """Draw a random complex unitary matrix."""
    return torch.linalg.qr(torch.randn(size, size, dtype=torch.complex128))[0]


def full_rank(layer: Qwen3VLTextAttention, order: Any) -> ExactAttention:
    """Write the layer as latent attention that keeps every rotated pair, mixed across heads, in any order."""
    frequencies = [frequency for frequency in range(HEAD // 2) for _ in range(GROUPS)]
    config = InternVideo3TextConfig(
        **tiny_text(
            kv_lora_rank=GROUPS * HEAD,
            rope_frequencies=[[frequencies[at] for at in order]] * 4,
        )
    )
    exact = ExactAttention(config, 0)
    mixes = [unitary(GROUPS).conj().T[head] for _ in range(HEAD // 2) for head in range(GROUPS)]
    # A basis of each frequency: consecutive pairs must be rows of one unitary matrix.
    for frequency in range(HEAD // 2):
        basis = unitary(GROUPS).conj().T
        mixes[frequency * GROUPS : (frequency + 1) * GROUPS] = list(basis)
    with torch.no_grad():
        for name, weight in layer.named_parameters():
            exact.get_parameter(name).copy_(weight)
        mix_JG2 = torch.view_as_real(torch.stack([mixes[at] for at in order])).float()
        exact.rope_key_mix.copy_(mix_JG2[:, None])
        exact.rope_query_mix.copy_(mix_JG2[:, None].repeat_interleave(HEADS // GROUPS, 2))
        for encoder in (exact.text_encoder, exact.vision_encoder):
            encoder.bias.zero_()
            encoder.weight.copy_(
                torch.cat([torch.zeros(GROUPS * HEAD, GROUPS * HEAD), torch.eye(GROUPS * HEAD)], 1)
            )
        identity = torch.eye(GROUPS * HEAD).view(GROUPS, HEAD, GROUPS * HEAD)
        exact.kv_b_proj.weight.copy_(torch.cat([torch.zeros_like(identity), identity], 1).flatten(0, 1))
    return exact


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    reach=st.integers(1, 250_000),
    order=st.permutations(range(GROUPS * HEAD // 2)),
)
def test_full_rank_is_the_grouped_query_layer_at_any_position(
    seed: int, reach: int, order: list[int]
) -> None:
    layer, rotary = gqa(seed)
    exact = full_rank(layer, order)
    hidden_BLD = torch.randn(2, 7, WIDTH)
    positions_3BL = torch.randint(0, reach + 1, (3, 2, 7))  # time, height and width each on its own
    causal = torch.full((7, 7), -torch.inf).triu(1)
    with torch.no_grad():
        embeddings = rotary(hidden_BLD, positions_3BL)
        expected = layer(hidden_BLD, embeddings, causal)[0]
        found = exact(hidden_BLD, embeddings)
    assert (found - expected).abs().max() <= 1e-5 * expected.abs().max().clamp_min(1.0)


def test_the_mix_matters_to_the_row_and_not_to_the_answer() -> None:
    layer, rotary = gqa(0)
    hidden_BLD, positions = torch.randn(1, 5, WIDTH), torch.arange(5).expand(3, 1, 5)
    order = list(range(GROUPS * HEAD // 2))
    with torch.no_grad():
        embeddings = rotary(hidden_BLD, positions)
        one, other = full_rank(layer, order), full_rank(layer, order)
        keys = [each.project(hidden_BLD, embeddings, None)[3] for each in (one, other)]
        outs = [each(hidden_BLD, embeddings) for each in (one, other)]
    assert (keys[0] - keys[1]).abs().max() > 0.1
    torch.testing.assert_close(outs[0], outs[1], atol=1e-5, rtol=1e-5)


def test_a_dropped_pair_is_attended_unrotated_through_the_latent() -> None:
    """At one position for all tokens rotation cancels: any split of pairs between rope key and latent is exact."""
    layer, rotary = gqa(1)
    config = InternVideo3TextConfig(
        **tiny_text(kv_lora_rank=2 * GROUPS * HEAD, rope_frequencies=[[0, 3, 5]] * 4)
    )
    exact = ExactAttention(config, 0)
    kept = torch.tensor([0, 3, 5])
    keys = torch.eye(GROUPS * HEAD).view(GROUPS, HEAD, GROUPS * HEAD).clone()
    keys[0, kept], keys[0, kept + HEAD // 2] = 0, 0  # head 0's kept pairs stand in the rope key alone
    values = torch.eye(GROUPS * HEAD).view(GROUPS, HEAD, GROUPS * HEAD)
    zero = torch.zeros_like(values)
    decoder = torch.cat([torch.cat([keys, zero], 2), torch.cat([zero, values], 2)], 1).flatten(0, 1)
    with torch.no_grad():
        for name, weight in layer.named_parameters():
            exact.get_parameter(name).copy_(weight)
        exact.text_encoder.weight.copy_(torch.eye(2 * GROUPS * HEAD))
        exact.text_encoder.bias.zero_()
        exact.kv_b_proj.weight.copy_(decoder)
        hidden_BLD = torch.randn(1, 6, WIDTH)
        for position, equal in ((torch.full((3, 1, 6), 40), True), (torch.arange(6).expand(3, 1, 6), False)):
            embeddings = rotary(hidden_BLD, position)
            expected = layer(hidden_BLD, embeddings, torch.full((6, 6), -torch.inf).triu(1))[0]
            difference = (exact(hidden_BLD, embeddings) - expected).abs().max()
            assert (difference < 1e-5) == equal


def test_turning_queries_stands_in_for_rotation_at_one_distance() -> None:
    """All keys 9 behind the query and none in the rope key: turned by 9 steps the layer is the rotated one."""
    layer, rotary = gqa(2)
    config = InternVideo3TextConfig(**tiny_text(kv_lora_rank=2 * GROUPS * HEAD, rope_frequencies=[[]] * 4))
    exact, identity = ExactAttention(config, 0), torch.eye(2 * GROUPS * HEAD)
    hidden_BLD, positions = torch.randn(1, 5, WIDTH), torch.tensor([0, 0, 0, 0, 9]).expand(3, 1, 5)
    unseen = torch.full((5, 5), -torch.inf).triu(1)
    unseen[4, 4] = -torch.inf  # the query's own key is no distance behind it
    limits_BL = torch.tensor([[1, 2, 3, 4, 4]])
    with torch.no_grad():
        for name, weight in layer.named_parameters():
            exact.get_parameter(name).copy_(weight)
        exact.text_encoder.weight.copy_(identity)
        exact.text_encoder.bias.zero_()
        by_head = identity.view(2, GROUPS, HEAD, -1).transpose(0, 1)
        exact.kv_b_proj.weight.copy_(by_head.flatten(0, 2))
        embeddings = rotary(hidden_BLD, positions)
        expected = layer(hidden_BLD, embeddings, unseen)[0][:, 4]
        seen = Visible((5,), (limits_BL,))
        assert (exact(hidden_BLD, embeddings, seen=seen)[:, 4] - expected).abs().max() > 1e-2
        exact.query_turn.copy_(torch.stack([one[0, 4, : HEAD // 2] for one in embeddings], -1))
        torch.testing.assert_close(exact(hidden_BLD, embeddings, seen=seen)[:, 4], expected)


def test_release_layout_scores_as_its_formula_says() -> None:
    """Written out per head with expanded keys and interleaved rotation, as the published layout is described."""
    config = InternVideo3TextConfig(**tiny_text(attention_layout="release", qk_rope_head_dim=16))
    torch.manual_seed(3)
    layer = ReleaseAttention(config, 0).eval()
    rotary = Qwen3VLTextRotaryEmbedding(config)
    hidden_BLD, positions = torch.randn(1, 6, WIDTH), torch.randint(0, 999, (3, 1, 6))
    with torch.no_grad():
        cos, sin = (one[0, :, :8] for one in rotary(hidden_BLD, positions))
        q = layer.q_proj(hidden_BLD)[0].view(6, HEADS, 32)
        latent, k_rope = layer.kv_a_proj_with_mqa(hidden_BLD)[0].split([24, 16], -1)
        kv = layer.kv_b_proj(latent).view(6, HEADS, 32)

        def turned(x: Any) -> Any:
            pairs = torch.complex(x[..., 0::2], x[..., 1::2])
            return pairs * torch.complex(cos, sin)

        outs = []
        for head in range(HEADS):
            content = q[:, head, :16] @ kv[:, head, :16].T
            rope = (turned(q[:, head, 16:]).conj() @ turned(k_rope).T).real
            scores = (content + rope) * 32**-0.5 + torch.full((6, 6), -torch.inf).triu(1)
            outs.append(scores.softmax(-1) @ kv[:, head, 16:])
        expected = layer.o_proj(torch.cat(outs, -1))
        found = layer(hidden_BLD, rotary(hidden_BLD, positions))[0]
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("layout", ["exact", "release"])
def test_absorbed_and_expanded_attention_agree(layout: str) -> None:
    model = make_tiny(attention_layout=layout).model.language_model
    config, layer = model.config, model.layers[1].self_attn
    rotary, hidden_BLD = model.rotary_emb, torch.randn(2, 9, WIDTH)
    embeddings = rotary(hidden_BLD, torch.arange(9).expand(3, 2, 9))
    outs = []
    with torch.no_grad():
        expanded = layer(hidden_BLD, embeddings, seen=Visible((9,)))
        for absorbs in (True, False):
            layer.absorbs = lambda queries, absorbs=absorbs: absorbs
            cache = LatentCache(config)
            for start, stop in ((0, 4), (4, 8), (8, 9)):
                kinds = torch.ones(2, stop - start)
                plan = cache.begin(kinds, torch.arange(start, stop).expand(2, -1), hidden_BLD)
                part = layer(
                    hidden_BLD[:, start:stop],
                    tuple(one[:, start:stop] for one in embeddings),
                    plan=plan,
                    past_key_values=cache,
                )
                outs.append((start, stop, part))
    for start, stop, part in outs:
        torch.testing.assert_close(part, expanded[:, start:stop], atol=1e-5, rtol=1e-5)


def test_the_cheaper_path_is_chosen() -> None:
    config = InternVideo3TextConfig(
        num_hidden_layers=1, attention_layout="exact", kv_lora_rank=512, qk_rope_head_dim=64
    )
    with torch.device("meta"):
        layer = ExactAttention(config, 0)
    assert [layer.absorbs(queries) for queries in (1, 8, 42, 43, 512)] == [True, True, True, False, False]


def test_modalities_go_through_their_own_encoders() -> None:
    inputs = prompt(4, (1, 4, 4), 4)
    model = make_tiny()
    with torch.no_grad():
        before = model(**inputs).logits
        for layer in model.model.language_model.layers:
            layer.self_attn.vision_encoder.bias.add_(1.0)
        after = model(**inputs).logits
    first = int((inputs["mm_token_type_ids"][0] > 0).nonzero()[0, 0])
    torch.testing.assert_close(after[:, :first], before[:, :first])
    assert (after[:, first:] - before[:, first:]).abs().max() > 1e-3
