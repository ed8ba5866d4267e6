"""The Triton kernels against float64, run by Triton's interpreter on the CPU; and what they compile to for a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest

if find_spec("triton") is None:
    pytest.skip("Triton is not installed: it comes with torch for GPUs", allow_module_level=True)

import torch
from torch import Tensor

from vidence.models.internvideo3 import kernels
from vidence.models.internvideo3.decode import absorbed_attention, merge, reference_attention
from vidence.models.internvideo3.kernels.blocks import Limits, choose
from vidence.models.internvideo3.rows import Rows, quantise

SCALE = 0.07
BF16 = torch.bfloat16
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


@pytest.fixture(autouse=True, scope="module")
def interpreter() -> Iterator[None]:
    """Without a GPU, let Triton's interpreter run the kernels for these tests, and for these alone."""
    with pytest.MonkeyPatch.context() as patch:
        if DEVICE == "cpu":
            patch.setenv("TRITON_INTERPRET", "1")
        yield


def made(
    latent: int,
    rope: int,
    rows: int,
    dtype: torch.dtype,
    *,
    batch: int = 1,
    heads: int = 4,
    queries: int = 1,
    seed: int = 0,
) -> tuple[Tensor, Tensor, Tensor]:
    """Draw queries and rows of the size a trained layer's have: scores spread over a few units."""
    torch.manual_seed(0)
    q_BHLR = torch.randn(batch, heads, queries, latent).to(DEVICE, dtype)
    q_rope_BHLP = torch.randn(batch, heads, queries, rope).to(DEVICE, dtype)
    return q_BHLR, q_rope_BHLP, torch.randn(batch, rows, latent + rope).to(DEVICE, dtype)


def close(found: tuple[Tensor, Tensor], wanted: tuple[Tensor, Tensor], tolerance: float) -> None:
    assert found[0].shape == wanted[0].shape
    assert found[1].shape == wanted[1].shape
    assert torch.equal(found[1].isinf(), wanted[1].isinf())
    seen = ~wanted[1].isinf()
    torch.testing.assert_close(
        found[1][seen].double(), wanted[1][seen].double(), atol=tolerance, rtol=tolerance
    )
    torch.testing.assert_close(found[0].double(), wanted[0].double(), atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize(
    ("latent", "rope", "rows"),
    [(512, 64, 200), (512, 64, 1), (896, 128, 63), (1024, 64, 33), (40, 6, 1), (17, 3, 200), (8, 32, 65)],
)
def test_float32_equals_float64(latent: int, rope: int, rows: int) -> None:
    q, q_rope, values = made(latent, rope, rows, torch.float32)
    held = Rows(values, latent)
    found = kernels.absorbed_attention(q, q_rope, held, scale=SCALE)
    close(found, reference_attention(q, q_rope, held, scale=SCALE), 2e-5)


@pytest.mark.parametrize(("latent", "rope"), [(512, 64), (896, 128), (48, 16)])
def test_16_bit_rows(latent: int, rope: int) -> None:
    # What bfloat16 costs is one rounding of the shares (2**-9 of each) and one of the result.
    q, q_rope, values = made(latent, rope, 150, BF16)
    held = Rows(values, latent)
    found = kernels.absorbed_attention(q, q_rope, held, scale=SCALE)
    assert found[0].dtype == BF16
    close(found, reference_attention(q, q_rope, held, scale=SCALE), 4e-3)


@pytest.mark.parametrize("queries", [torch.float32, BF16])
@pytest.mark.parametrize(("latent", "rope"), [(512, 64), (896, 128), (24, 10)])
def test_8_bit_rows_are_read_without_further_loss(latent: int, rope: int, queries: torch.dtype) -> None:
    q, q_rope, values = made(latent, rope, 130, queries)
    values[:, ::3] *= 5  # scales that differ from row to row, and between latent and rope key
    values[..., latent:] *= 0.3
    eight_bits, scales_BS2 = quantise(values, latent)
    held = Rows(eight_bits, latent, scales_BS2)
    found = kernels.absorbed_attention(q, q_rope, held, scale=SCALE)
    # Sums of 896 products in another order differ by 8e-5 where scores reach 30 and outputs 15.
    tolerance = 1e-4 if queries == torch.float32 else 2e-2
    close(found, reference_attention(q, q_rope, held, scale=SCALE), tolerance)


def test_uneven_batch_with_several_queries() -> None:
    # Left padding is already gone from the rows, so each sequence sees a prefix of its own length; one sees nothing.
    q, q_rope, values = made(64, 16, 333, torch.float32, batch=3, heads=8, queries=5)
    limits_BL = torch.tensor(
        [[1, 50, 64, 65, 333], [0, 0, 1, 2, 3], [328, 330, 331, 332, 999]], device=DEVICE
    )
    held = Rows(values, 64)
    found = kernels.absorbed_attention(q, q_rope, held, limits_BL, scale=SCALE)
    close(found, reference_attention(q, q_rope, held, limits_BL, scale=SCALE), 2e-5)
    assert found[0][1, :, 0].abs().max() == 0
    assert found[1][1, :, 0].max() == -torch.inf
    torch_path = absorbed_attention(q, q_rope, held, limits_BL, scale=SCALE)
    close(found, (torch_path[0], torch_path[1]), 2e-5)


def test_rows_behind_the_limits_are_not_read() -> None:
    q, q_rope, values = made(32, 16, 300, torch.float32, batch=2)
    limits_BL = torch.tensor([[100], [70]], dtype=torch.int32, device=DEVICE)
    wanted = kernels.absorbed_attention(q, q_rope, Rows(values, 32), limits_BL, scale=SCALE)
    values[:, 100:] = torch.nan
    close(kernels.absorbed_attention(q, q_rope, Rows(values, 32), limits_BL, scale=SCALE), wanted, 0)


def test_slabs_of_a_cache_merge() -> None:
    # Views into a larger allocation, with strides of their own, as the cache hands them over.
    q, q_rope, values = made(40, 8, 400, torch.float32, batch=2)
    room = torch.full((2, 600, 48), torch.nan, device=DEVICE)
    room[:, :400] = values
    limits_BL = torch.tensor([[390], [120]], device=DEVICE)
    held = Rows(room[:, :400], 40)
    parts = [
        kernels.absorbed_attention(q, q_rope, held.span(start, stop), limits_BL - start, scale=SCALE)
        for start, stop in ((0, 256), (256, 400))
    ]
    close(merge(parts), reference_attention(q, q_rope, held, limits_BL, scale=SCALE), 2e-5)


def test_large_scores_do_not_overflow() -> None:
    q, q_rope, values = made(32, 16, 100, torch.float32)
    held = Rows(values * 1000, 32)
    found = kernels.absorbed_attention(q * 100, q_rope * 100, held, scale=1.0)
    assert found[0].isfinite().all()
    close(found, reference_attention(q * 100, q_rope * 100, held, scale=1.0), 1e-4)


def test_which_work_the_kernels_take(monkeypatch: pytest.MonkeyPatch) -> None:
    q, _, values = made(32, 16, 4, torch.float32)
    assert kernels.available(q, Rows(values, 32))
    assert not kernels.available(q.double(), Rows(values, 32))
    assert not kernels.available(q, Rows(values.mT.contiguous().mT, 32))
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    assert not kernels.available(q.cpu(), Rows(values.cpu(), 32))


def test_a_model_decodes_through_the_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("transformers")
    from tiny_models import make_tiny, pad_left, prompt

    from vidence.models.internvideo3 import decode

    model = make_tiny().to(DEVICE)
    batch = {name: value.to(DEVICE) for name, value in pad_left(prompt(40), prompt(5, (2, 4, 4), 9)).items()}
    calls = list[tuple[int, ...]]()

    def counted(q_BHLR: Tensor, *rest: Any, **named: Any) -> tuple[Tensor, Tensor]:
        calls.append(tuple(q_BHLR.shape))
        return kernel(q_BHLR, *rest, **named)

    kernel = kernels.absorbed_attention
    monkeypatch.setattr(decode.kernels, "absorbed_attention", counted)
    settings = {
        "max_new_tokens": 4,
        "do_sample": False,
        "output_logits": True,
        "return_dict_in_generate": True,
    }
    through_kernels = model.generate(**batch, **settings)
    assert len(calls) >= 3 * model.config.text_config.num_hidden_layers
    monkeypatch.setattr(decode.kernels, "available", lambda *_: False)
    through_torch = model.generate(**batch, **settings)
    for one, other in zip(through_kernels.logits, through_torch.logits, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("shared_kb", "heads_at_once"), [(227, 32), (164, 32), (99, 16), (48, None)])
def test_blocks_fit_the_memory_of_the_device(shared_kb: int, heads_at_once: int | None) -> None:
    # 227 KB: H100; 164: A100; 99: consumer cards, on which 896+128 takes two programs for the 32 heads.
    rows = Rows(torch.empty(1, 100_000, 1024, dtype=BF16, device="meta"), 896)
    found = choose(1, 32, rows, BF16, Limits(100, shared_kb * 1024))
    assert (found and found.query_rows) == heads_at_once
    if found:
        assert found.splits * found.rows_a_split >= 100_000 > (found.splits - 1) * found.rows_a_split


def test_many_parts_merge(monkeypatch: pytest.MonkeyPatch) -> None:
    # As on a GPU of 132 multiprocessors: 21 parts of one tile each, no power of 2; the last one is short.
    monkeypatch.setattr(Limits, "of", lambda _: Limits(132, 227 * 1024))
    q, q_rope, values = made(24, 8, 20 * 16 + 5, torch.float32, heads=3)
    held = Rows(values, 24)
    found = kernels.absorbed_attention(q, q_rope, held, scale=SCALE)
    close(found, reference_attention(q, q_rope, held, scale=SCALE), 2e-5)
