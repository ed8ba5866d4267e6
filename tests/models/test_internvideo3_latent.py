"""The latent cache: what it weighs, how it grows, and that cropping, repeating and storing lose nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tiny_models import MARKS, make_tiny, pad_left, prompt, tiny_text  # noqa: E402

from vidence.errors import StoreError, UsageError  # noqa: E402
from vidence.models.internvideo3.bank import BLOCK_ROWS, GROWTH  # noqa: E402
from vidence.models.internvideo3.config import InternVideo3TextConfig  # noqa: E402
from vidence.models.internvideo3.latent import LatentCache, bytes_per_token  # noqa: E402
from vidence.models.internvideo3.ledger import PADDING, TEXT, VISION, Ledger  # noqa: E402
from vidence.models.internvideo3.stored import load_cache, save_cache  # noqa: E402

BANKED = {"kv_lora_rank_vision": 16}


def fill(cache: LatentCache, tokens: int, dtype: Any = None, batch: int = 1) -> None:
    """Append tokens with random rows to every layer, as a forward pass would."""
    like = torch.zeros(batch, tokens, 1, dtype=dtype or torch.float32)
    before = cache.get_seq_length()
    kinds = torch.full((batch, tokens), TEXT)
    plan = cache.begin(kinds, torch.arange(before, before + tokens).expand(batch, -1), like)
    for layer, shape in enumerate(cache.shapes):
        latent = torch.randn(batch, tokens, shape.rank, dtype=like.dtype)
        cache.write(latent, torch.randn(batch, tokens, shape.rope_width, dtype=like.dtype), layer, plan)


@pytest.mark.parametrize(
    ("rank", "rope", "storage", "expected"),
    [
        (896, 128, "float", 73_728),  # half of grouped-query attention's 147,456
        (512, 64, "float", 41_472),  # 28 %
        (896, 128, "int8", 37_008),  # 1,024 lanes and two scales of 2 bytes in each of 36 layers: 25.1 %
        (512, 64, "int8", 20_880),  # 14.2 %
    ],
)
def test_the_8b_model_pays_these_bytes_a_token(rank: int, rope: int, storage: str, expected: int) -> None:
    config = InternVideo3TextConfig(
        attention_layout="exact", kv_lora_rank=rank, qk_rope_head_dim=rope, latent_storage=storage
    )
    assert 36 * 2 * 8 * 128 * 2 == 147_456
    assert bytes_per_token(config) == expected


@pytest.mark.parametrize("storage", ["float", "int8"])
def test_what_is_allocated_weighs_what_is_told(storage: str) -> None:
    config = InternVideo3TextConfig(
        **tiny_text(kv_lora_rank=[8, 16, 24, 32], rope_frequencies=[[0], [1, 2], [], [3]])
    )
    cache = LatentCache(config, storage=storage)
    fill(cache, BLOCK_ROWS, torch.bfloat16)
    rows = sum(
        tensor.untyped_storage().nbytes()
        for layer in cache.latent_layers
        for bank in layer.banks
        for slab in bank.slabs
        for tensor in (slab.rows_BSW, slab.scales_BS2)
        if tensor is not None
    )
    assert rows == BLOCK_ROWS * bytes_per_token(config, storage=storage)
    assert cache.nbytes == rows + BLOCK_ROWS * 5  # the ledger: a kind and a position a token


def test_text_and_vision_rows_take_their_own_widths() -> None:
    config = InternVideo3TextConfig(**tiny_text(**BANKED))
    cache = LatentCache(config)
    kinds = torch.tensor([TEXT] * BLOCK_ROWS + [VISION] * (3 * BLOCK_ROWS))[None]
    plan = cache.begin(kinds, torch.arange(kinds.shape[1])[None], torch.zeros(1, 1, 1))
    for layer in range(4):
        cache.write(torch.randn(1, kinds.shape[1], 24), torch.randn(1, kinds.shape[1], 8), layer, plan)
    expected = 4 * 4 * (BLOCK_ROWS * (24 + 8) + 3 * BLOCK_ROWS * (16 + 8))
    assert cache.nbytes - cache.ledger.nbytes == expected


def test_growth_copies_nothing_and_wastes_little() -> None:
    config = InternVideo3TextConfig(**tiny_text())
    cache = LatentCache(config)
    fill(cache, 5000)
    bank = cache.latent_layers[0].banks[0]
    first, value = bank.slabs[0].rows_BSW.data_ptr(), bank.slabs[0].rows_BSW[0, 17].clone()
    for _ in range(40):
        fill(cache, 500)
    assert bank.slabs[0].rows_BSW.data_ptr() == first
    assert torch.equal(bank.slabs[0].rows_BSW[0, 17], value)
    assert sum(view.length for view in bank.views(25_000)) == 25_000
    assert 25_000 <= bank.capacity <= 25_000 * (1 + 1 / GROWTH) + BLOCK_ROWS
    assert len(bank.slabs) < 20


def test_a_reserve_is_one_slab() -> None:
    cache = LatentCache(InternVideo3TextConfig(**tiny_text()), capacity=3000)
    for _ in range(30):
        fill(cache, 100)
    assert all(len(bank.slabs) == 1 for layer in cache.latent_layers for bank in layer.banks)


def test_a_context_beyond_the_memory_is_refused_with_numbers_and_harms_nothing() -> None:
    cache = LatentCache(InternVideo3TextConfig(**tiny_text()), capacity=10**12)
    with pytest.raises(UsageError, match=r"needs 512000\.0 GB more .* are free on cpu"):
        fill(cache, 10)
    assert cache.get_seq_length() == cache.ledger.tokens == 0
    with pytest.raises(UsageError, match="GB are free"):
        make_tiny().generate(**prompt(4), max_new_tokens=10**11)


@pytest.mark.parametrize(
    "changes", [{}, BANKED, {"latent_storage": "int8"}], ids=["one bank", "two", "8 bits"]
)
def test_a_cropped_cache_goes_on_as_if_nothing_had_followed(changes: dict[str, Any]) -> None:
    model, inputs = make_tiny(**changes), prompt(3, (2, 4, 4), 300)
    cache, fresh = (LatentCache(model.config.text_config) for _ in range(2))
    shorter = {
        name: value[:, :-20] if value.shape[:2] == inputs["input_ids"].shape else value
        for name, value in inputs.items()
    }
    more = {"input_ids": torch.tensor([[5, 6, 7]])}
    with torch.no_grad():
        model(**inputs, past_key_values=cache)
        cache.crop(-20)
        model(**shorter, past_key_values=fresh)
        assert cache.get_seq_length() == fresh.get_seq_length()
        found = model(**more, past_key_values=cache).logits
        expected = model(**more, past_key_values=fresh).logits
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_cropping_into_a_video_moves_positions_back() -> None:
    """After a video of 4 x 4 merged tokens positions are 12 behind the count; without it they are level."""
    ledger = Ledger(banked=False)
    kinds = torch.tensor([[TEXT] * 3 + [VISION] * 16])
    positions = torch.cat([torch.arange(3), 3 + torch.arange(4).repeat(4).sort().values])[None]
    ledger.append(kinds, positions, torch.device("cpu"))
    assert ledger.next_position_B().tolist() == [7]
    ledger.crop(16)
    assert ledger.next_position_B().tolist() == [3]


def test_padding_takes_no_rows() -> None:
    ledger = Ledger(banked=True)
    kinds = torch.tensor([[PADDING, PADDING, TEXT, VISION], [TEXT, VISION, VISION, TEXT]])
    plan = ledger.append(kinds, torch.arange(4).expand(2, -1), torch.device("cpu"))
    assert ledger.filled() == [[1, 2], [1, 2]]
    text, vision = plan.banks
    assert text.limits_BL is not None
    assert vision.limits_BL is not None
    assert text.limits_BL.tolist() == [[0, 0, 1, 1], [1, 1, 1, 2]]
    assert vision.limits_BL.tolist() == [[0, 0, 0, 1], [0, 1, 2, 2]]


@pytest.mark.parametrize("changes", [{}, BANKED], ids=["one bank", "two"])
def test_sequences_can_be_repeated_and_chosen(changes: dict[str, Any]) -> None:
    model = make_tiny(**changes)
    both = pad_left(prompt(3, (2, 4, 4), 4), prompt(6))
    cache = LatentCache(model.config.text_config)
    nexts = torch.tensor([[5], [6]])
    with torch.no_grad():
        model(**both, past_key_values=cache)
        cache.batch_repeat_interleave(2)
        repeated = model(input_ids=nexts.repeat_interleave(2, 0), past_key_values=cache).logits
        cache.crop(-1)
        cache.batch_select_indices(torch.tensor([3, 0]))
        chosen = model(input_ids=nexts.flip(0), past_key_values=cache).logits
    torch.testing.assert_close(repeated[0], repeated[1])
    torch.testing.assert_close(chosen, repeated[[3, 0]])


def answer(model: Any, ids: Any, **options: Any) -> Any:
    mask = torch.ones_like(ids)
    return model.generate(
        input_ids=ids,
        attention_mask=mask,
        max_new_tokens=8,
        do_sample=False,
        suppress_tokens=list(MARKS),
        **options,
    )


@pytest.mark.parametrize(
    "changes", [{}, BANKED, {"latent_storage": "int8"}], ids=["one bank", "two", "8 bits"]
)
def test_a_video_is_encoded_once_and_asked_twice_from_disk(changes: dict[str, Any], tmp_path: Path) -> None:
    model, video = make_tiny(**changes), prompt(3, (3, 4, 6))
    config, path = model.config.text_config, tmp_path / "video.safetensors"
    cache = LatentCache(config, capacity=4000)
    with torch.no_grad():
        model(**video, past_key_values=cache)
    save_cache(cache, path, video["input_ids"], made_by="tiny")
    assert path.stat().st_size < 40_000  # what is used is stored, not what is reserved
    for question in (prompt(5), prompt(9)):
        ids = torch.cat([video["input_ids"], question["input_ids"]], 1)
        whole = dict(video, input_ids=ids, attention_mask=torch.ones_like(ids))
        asked = torch.zeros_like(question["input_ids"])
        whole["mm_token_type_ids"] = torch.cat([video["mm_token_type_ids"], asked], 1)
        expected = model.generate(**whole, max_new_tokens=8, do_sample=False, suppress_tokens=list(MARKS))
        loaded, prefix = load_cache(path, config, made_by="tiny")
        assert torch.equal(prefix, video["input_ids"])
        model.model.rope_deltas = None  # another process would know nothing of earlier videos
        assert torch.equal(answer(model, ids, past_key_values=loaded), expected)


def test_frames_looked_at_later_follow_in_position(tmp_path: Path) -> None:
    """A conversation that sees a second video after an answer equals the same tokens seen in one pass."""
    model = make_tiny()
    cache = LatentCache(model.config.text_config)
    first, second = prompt(3, (2, 4, 6), 4), prompt(2, (1, 6, 4), 5)
    joined = {
        name: torch.cat(
            [first[name], second[name]], 1 if first[name].shape[0] == 1 and name != "video_grid_thw" else 0
        )
        for name in first
    }
    with torch.no_grad():
        expected = model(**joined, use_cache=False).logits[:, -1]
        model(**first, past_key_values=cache)
        found = model(**second, past_key_values=cache).logits[:, -1]
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_a_damaged_or_foreign_file_is_refused(tmp_path: Path) -> None:
    model, path = make_tiny(), tmp_path / "video.safetensors"
    config, inputs = model.config.text_config, prompt(300)
    cache = LatentCache(config)
    with torch.no_grad():
        model(**inputs, past_key_values=cache)
    with pytest.raises(StoreError, match="exactly the cached tokens"):
        save_cache(cache, path, inputs["input_ids"][:, 1:])
    assert not list(tmp_path.iterdir())
    save_cache(cache, path, inputs["input_ids"], made_by="one")
    with pytest.raises(StoreError, match="written by 'one'"):
        load_cache(path, config, made_by="another")
    with pytest.raises(StoreError, match="another shape"):
        load_cache(path, InternVideo3TextConfig(**tiny_text(kv_lora_rank=8)), made_by="one")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(StoreError, match="damaged"):
        load_cache(path, config, made_by="one")
    with pytest.raises(StoreError, match="no such file"):
        load_cache(tmp_path / "none", config)


def test_offloaded_rows_come_back() -> None:
    cache = LatentCache(InternVideo3TextConfig(**tiny_text()))
    fill(cache, 20)
    layer = cache.latent_layers[2]
    before = layer.banks[0].views(20)[0].rows_BSW.clone()
    layer.offload()
    layer.prefetch()
    assert torch.equal(layer.banks[0].views(20)[0].rows_BSW, before)
