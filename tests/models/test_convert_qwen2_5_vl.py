"""Qwen2.5-VL: axes in stretches, no norms but biases, a tower with windows, temporal positions in seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from convert_cases import LOSSLESS, converted, nats, save_lively, texts, words  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402
from tiny_models import END, START, VIDEO, Grid, special_tokens  # noqa: E402
from tiny_models_qwen2_5_vl import SHAPE, TOWER  # noqa: E402
from torch import Tensor  # noqa: E402
from transformers.models.qwen2_5_vl import (  # noqa: E402
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
)
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLRotaryEmbedding  # noqa: E402

from vidence.errors import UsageError  # noqa: E402
from vidence.models.internvideo3.config import InternVideo3TextConfig, mrope_axes  # noqa: E402
from vidence.models.internvideo3.convert.samples import Sample  # noqa: E402
from vidence.models.internvideo3.convert.seeing import Eyes  # noqa: E402
from vidence.models.internvideo3.convert.source import open_source  # noqa: E402
from vidence.models.internvideo3.latent import LatentCache  # noqa: E402
from vidence.models.internvideo3.m2la import ExactAttention  # noqa: E402
from vidence.models.internvideo3.rope import rotary  # noqa: E402


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("qwen2_5_vl")


@pytest.fixture(scope="module")
def source(folder: Path) -> Any:
    torch.manual_seed(0)
    marks: dict[str, Any] = special_tokens()
    config = Qwen2_5_VLConfig(text_config=dict(SHAPE), vision_config=dict(TOWER), **marks)
    return save_lively(Qwen2_5_VLForConditionalGeneration(config), folder / "source")


@pytest.fixture(scope="module")
def samples(source: Any, folder: Path) -> list[Sample]:
    eyes = Eyes(open_source(folder / "source"))
    videos = [eyes.sample(prompt(5 + seed, (3, 8, 12), 9, 1 + seed / 2, seed)) for seed in range(12)]
    return [*videos, *texts(4)]


@pytest.fixture(scope="module")
def lossless(source: Any, samples: list[Sample], folder: Path) -> Any:
    return converted(folder / "source", folder / "lossless", LOSSLESS, samples)[0]


def prompt(before: int, grid: Grid, after: int, seconds: float, seed: int = 0) -> dict[str, Any]:
    """Write text, a video whose temporal patches last so many seconds, and text, as Qwen2.5-VL's processor does."""
    frames, height, width = grid
    seen = torch.tensor([[START, *[VIDEO] * (frames * height * width // 4), END]])
    ids_BL = torch.cat([words(before, seed), seen, words(after, seed + 100)], 1)
    random = torch.Generator().manual_seed(seed)
    return {
        "input_ids": ids_BL,
        "attention_mask": torch.ones_like(ids_BL),
        "mm_token_type_ids": (ids_BL == VIDEO).int() * 2,
        "pixel_values_videos": torch.randn(frames * height * width, 3 * 2 * 14 * 14, generator=random),
        "video_grid_thw": torch.tensor([grid]),
        "second_per_grid_ts": torch.tensor([seconds]),
    }


def image_prompt() -> dict[str, Any]:
    inputs = prompt(4, (1, 6, 10), 8, 1.0, seed=3)
    marks = special_tokens()
    ids_BL = inputs["input_ids"]
    ids_BL[ids_BL == VIDEO] = marks["image_token_id"]
    return {
        "input_ids": ids_BL,
        "attention_mask": inputs["attention_mask"],
        "mm_token_type_ids": inputs["mm_token_type_ids"].clamp(max=1),
        "pixel_values": inputs["pixel_values_videos"],
        "image_grid_thw": inputs["video_grid_thw"],
    }


def logits(model: Any, inputs: dict[str, Any]) -> Tensor:
    with torch.no_grad():
        return model(**inputs).logits


def test_axes_lie_in_stretches_as_the_reference_turns_them() -> None:
    assert mrope_axes([16, 24, 24], 64, interleaved=False) == (0,) * 16 + (1,) * 24 + (2,) * 24
    config = InternVideo3TextConfig(
        rope_parameters={
            "rope_type": "default",
            "rope_theta": 1e6,
            "mrope_section": [16, 24, 24],
            "mrope_interleaved": False,
        }
    )
    ours = rotary(config)
    assert isinstance(ours, Qwen2_5_VLRotaryEmbedding)
    positions_3BL = torch.tensor([[[5, 90]], [[7, 80]], [[11, 70]]])
    cos_BLd, sin_BLd = ours(torch.zeros(1), positions_3BL)
    axes_F = torch.tensor(config.rope_axes)
    angle_LF = positions_3BL[axes_F, 0].T * ours.inv_freq
    for got_BLd, wanted_LF in ((cos_BLd, angle_LF.cos()), (sin_BLd, angle_LF.sin())):
        torch.testing.assert_close(got_BLd[0], torch.cat([wanted_LF, wanted_LF], -1))


def test_a_section_that_does_not_add_up_is_refused() -> None:
    with pytest.raises(UsageError, match="mrope_section"):
        mrope_axes([16, 24, 20], 64, interleaved=False)


@pytest.mark.parametrize("what", ["text", "video", "image"])
def test_with_every_pair_kept_the_model_is_its_source(source: Any, lossless: Any, what: str) -> None:
    inputs = {
        "text": {"input_ids": words(40, seed=7)},
        "video": prompt(5, (4, 8, 12), 17, 1.5, seed=99),
        "image": image_prompt(),
    }[what]
    torch.testing.assert_close(logits(lossless, inputs), logits(source, inputs), atol=1e-5, rtol=1e-5)


def test_seconds_move_temporal_positions_as_in_the_source(source: Any, lossless: Any) -> None:
    slow, fast = (prompt(5, (4, 8, 12), 17, seconds) for seconds in (0.5, 6.0))
    assert nats(logits(lossless, slow), logits(lossless, fast)) > 1e-4
    untold = {name: value for name, value in slow.items() if name != "second_per_grid_ts"}
    for inputs in (slow, fast, untold):
        torch.testing.assert_close(logits(lossless, inputs), logits(source, inputs), atol=1e-4, rtol=1e-4)
    types, grid = slow["mm_token_type_ids"], slow["video_grid_thw"]
    for seconds in (0.5, 6.0):
        given = {"video_grid_thw": grid, "second_per_grid_ts": torch.tensor([seconds])}
        wanted_3BL, _ = source.model.get_rope_index(slow["input_ids"], types, **given)
        assert torch.equal(lossless.model.get_rope_index(slow["input_ids"], types, **given)[0], wanted_3BL)


def test_generation_is_that_of_the_source_with_and_without_the_cache(source: Any, lossless: Any) -> None:
    inputs = prompt(5, (4, 8, 12), 17, 1.5, seed=99)
    asked = {"max_new_tokens": 8, "do_sample": False}
    wanted_BL = source.generate(**inputs, **asked)
    assert torch.equal(lossless.generate(**inputs, **asked), wanted_BL)
    assert torch.equal(lossless.generate(**inputs, **asked, use_cache=False), wanted_BL)


def test_all_of_the_cache_loses_next_to_nothing_and_half_little(
    source: Any, samples: list[Sample], folder: Path
) -> None:
    video, text = prompt(5, (4, 8, 12), 17, 1.5, seed=99), {"input_ids": words(40, seed=7)}
    for target, most in (("100%", 1e-3), ("50%", 0.05)):
        model, done = converted(folder / "source", folder / target, target, samples)
        for inputs in (video, text):
            assert nats(logits(source, inputs), logits(model, inputs)) < most
        assert done.measured.agreement["vision"].nats < most
    asked = {"max_new_tokens": 8, "do_sample": False}
    assert torch.equal(model.generate(**video, **asked), model.generate(**video, **asked, use_cache=False))


def test_a_second_video_is_placed_after_what_the_cache_holds(source: Any, lossless: Any) -> None:
    first, second = prompt(5, (2, 4, 8), 6, 1.0, seed=1), prompt(3, (3, 4, 4), 6, 2.0, seed=2)
    cache = LatentCache(lossless.config.text_config)
    with torch.no_grad():
        lossless(**first, past_key_values=cache, use_cache=True)
    start = int(cache.ledger.next_position_B()[0])
    follow = {name: value for name, value in second.items() if name != "attention_mask"}
    positions_3BL, _ = source.model.get_rope_index(
        second["input_ids"],
        second["mm_token_type_ids"],
        video_grid_thw=second["video_grid_thw"],
        second_per_grid_ts=second["second_per_grid_ts"],
    )
    with torch.no_grad():
        given = lossless(**follow, past_key_values=cache, use_cache=True).logits
        past = source(**first, use_cache=True).past_key_values
        wanted = source(
            **follow, position_ids=positions_3BL + start, past_key_values=past, use_cache=True
        ).logits
    torch.testing.assert_close(given, wanted, atol=1e-4, rtol=1e-4)


def test_each_axis_turns_its_own_lanes_of_the_rope_key(lossless: Any) -> None:
    decoder = lossless.model.language_model
    attention: ExactAttention = decoder.layers[1].self_attn
    axes_J = torch.tensor([lossless.config.text_config.rope_axes[one] for one in attention.shape.frequencies])
    hidden_BLD = torch.randn(1, 1, 64, generator=torch.Generator().manual_seed(4))

    def key_P(*position: int) -> Tensor:
        embeddings = decoder.rotary_emb(hidden_BLD, torch.tensor(position).view(3, 1, 1))
        with torch.no_grad():
            return attention.project(hidden_BLD, embeddings, None)[3][0, 0]

    for axis in range(3):
        moved = [40, 40, 40]
        moved[axis] += 1
        changed_P = (key_P(*moved) - key_P(40, 40, 40)).abs() > 1e-6
        changed_J = changed_P.view(2, -1).any(0)
        assert bool(changed_J.any())
        assert not bool(changed_J[axes_J != axis].any())


def test_checkpoints_with_new_names_are_opened_too(
    source: Any, lossless: Any, samples: list[Sample], folder: Path
) -> None:
    tensors = load_file(folder / "source" / "model.safetensors")
    assert any(
        name.startswith("visual.") for name in tensors
    )  # the old names are those that transformers writes
    renamed = {
        f"model.{name}"
        if name.startswith("visual.")
        else name.replace("model.", "model.language_model.", 1): one
        for name, one in tensors.items()
    }
    new = folder / "new"
    new.mkdir()
    save_file(renamed, new / "model.safetensors", metadata={"format": "pt"})
    (new / "config.json").write_bytes((folder / "source" / "config.json").read_bytes())
    model, _ = converted(new, folder / "new-lossless", LOSSLESS, samples)
    inputs = prompt(5, (2, 8, 8), 9, 1.0)
    torch.testing.assert_close(logits(model, inputs), logits(lossless, inputs))
