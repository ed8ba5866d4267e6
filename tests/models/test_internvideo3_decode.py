"""Attention on latent rows agrees with float64, whatever the batch, the limits and the storage."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from vidence.models.internvideo3.decode import (  # noqa: E402
    CHUNK_ROWS,
    absorbed_attention,
    merge,
    reference_attention,
)
from vidence.models.internvideo3.rows import Rows, quantise  # noqa: E402

SCALE = 0.2


def drawn(batch: int, heads: int, queries: int, length: int, latent: int, rope: int) -> tuple:
    """Draw queries and rows; scores spread widely enough that the softmax is far from flat."""
    generator = torch.Generator().manual_seed(batch * length + latent)
    return (
        torch.randn(batch, heads, queries, latent, generator=generator),
        torch.randn(batch, heads, queries, rope, generator=generator),
        Rows(torch.randn(batch, length, latent + rope, generator=generator), latent),
    )


@pytest.mark.parametrize(
    "shape",
    [(1, 4, 1, 1, 8, 4), (2, 4, 3, 2 * CHUNK_ROWS + 5, 24, 8), (3, 2, 1, 300, 7, 2), (1, 2, 2, 50, 16, 0)],
)
def test_chunks_agree_with_float64(shape: tuple[int, ...]) -> None:
    q_BHLR, q_rope_BHLP, rows = drawn(*shape)
    out, lse = absorbed_attention(q_BHLR, q_rope_BHLP, rows, scale=SCALE)
    expected, expected_lse = reference_attention(q_BHLR, q_rope_BHLP, rows, scale=SCALE)
    torch.testing.assert_close(out.double(), expected, atol=2e-6, rtol=1e-5)
    torch.testing.assert_close(lse.double(), expected_lse, atol=1e-5, rtol=1e-5)


def test_each_query_sees_its_own_prefix() -> None:
    q_BHLR, q_rope_BHLP, rows = drawn(2, 4, 3, 2500, 16, 8)
    limits_BL = torch.tensor([[1, CHUNK_ROWS, 2500], [0, CHUNK_ROWS + 1, 2499]])
    out, _ = absorbed_attention(q_BHLR, q_rope_BHLP, rows, limits_BL, scale=SCALE)
    for sequence in range(2):
        for query in range(3):
            seen = int(limits_BL[sequence, query])
            alone = [one[sequence : sequence + 1, :, query : query + 1] for one in (q_BHLR, q_rope_BHLP)]
            prefix = Rows(rows.rows_BSW[sequence : sequence + 1, :seen], 16)
            expected = (
                reference_attention(*alone, prefix, scale=SCALE)[0] if seen else torch.zeros(1, 4, 1, 16)
            )
            torch.testing.assert_close(
                out[sequence, :, query], expected[0, :, 0].float(), atol=2e-6, rtol=1e-5
            )


def test_parts_merge_to_the_whole_even_where_a_query_sees_none_of_one() -> None:
    q_BHLR, q_rope_BHLP, rows = drawn(2, 4, 2, 500, 16, 8)
    limits_BL = torch.tensor([[100, 500], [20, 499]])
    parts = [
        absorbed_attention(
            q_BHLR, q_rope_BHLP, rows.span(start, stop), (limits_BL - start).clamp_min(0), scale=SCALE
        )
        for start, stop in ((0, 30), (30, 110), (110, 500))
    ]
    found, found_lse = merge(parts)
    out, lse = reference_attention(q_BHLR, q_rope_BHLP, rows, limits_BL, scale=SCALE)
    torch.testing.assert_close(found.double(), out, atol=2e-6, rtol=1e-5)
    torch.testing.assert_close(found_lse.double(), lse, atol=1e-5, rtol=1e-5)


def test_scores_of_bfloat16_rows_are_summed_in_float32() -> None:
    """Products in bfloat16 would be off by 2^-8 of scores near 60, and shares by a fifth."""
    q_BHLR, q_rope_BHLP, rows = drawn(1, 4, 1, 3000, 512, 64)
    q_BHLR, q_rope_BHLP = q_BHLR.bfloat16(), q_rope_BHLP.bfloat16()
    rows = Rows(rows.rows_BSW.bfloat16(), 512)
    out, lse = absorbed_attention(q_BHLR, q_rope_BHLP, rows, scale=SCALE)
    expected, expected_lse = reference_attention(q_BHLR, q_rope_BHLP, rows, scale=SCALE)
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(lse.double(), expected_lse, atol=1e-4, rtol=1e-5)
    assert (
        out.double() - expected
    ).norm() < 0.004 * expected.norm()  # what rounding the result to bfloat16 costs


def test_eight_bits_are_within_half_a_step_of_what_was_stored() -> None:
    rows_BSW = torch.randn(2, 300, 24) * torch.logspace(-6, 6, 300)[None, :, None]
    rows_BSW[:, 7] = 0.0
    stored, scales = quantise(rows_BSW, 16)
    dense = Rows(stored, 16, scales).dense(torch.float32)
    for lanes, scale in ((slice(0, 16), scales[..., :1]), (slice(16, 24), scales[..., 1:])):
        # rounding the scale down by up to 2^-9 clips the widest lane by at most 127 * 2^-9 = a quarter step more
        assert ((dense - rows_BSW)[..., lanes].abs() <= 0.76 * scale.float()).all()
    assert (dense[:, 7] == 0).all()


def test_eight_bit_rows_answer_as_their_dense_copy() -> None:
    q_BHLR, q_rope_BHLP, rows = drawn(2, 4, 1, 1500, 16, 8)
    stored, scales = quantise(rows.rows_BSW, 16)
    eight = Rows(stored, 16, scales)
    found, _ = absorbed_attention(q_BHLR, q_rope_BHLP, eight, scale=SCALE)
    same, _ = absorbed_attention(q_BHLR, q_rope_BHLP, Rows(eight.dense(torch.float32), 16), scale=SCALE)
    torch.testing.assert_close(found, same, atol=1e-6, rtol=1e-6)
    true, _ = reference_attention(q_BHLR, q_rope_BHLP, rows, scale=SCALE)
    assert (found.double() - true).norm() < 0.03 * true.norm()
