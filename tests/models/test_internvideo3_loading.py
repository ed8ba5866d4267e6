"""Weights are loaded whole or not at all: every fault is named, nothing starts at random."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from safetensors.torch import load_file, save_file  # noqa: E402
from tiny_models import make_tiny, prompt, special_tokens, tiny_text, tiny_vision  # noqa: E402
from transformers import AutoModelForCausalLM, Qwen3Config, Qwen3ForCausalLM  # noqa: E402
from transformers.models.qwen3_vl import Qwen3VLConfig, Qwen3VLForConditionalGeneration  # noqa: E402

from vidence.errors import WeightsError  # noqa: E402
from vidence.models.internvideo3.loading import load_baseline, load_model  # noqa: E402

LATENT, ROPE, HEADS, HEAD, WIDTH, LAYERS = 24, 16, 4, 16, 64, 4


def published(directory: Path) -> dict[str, Any]:
    """Write a tiny checkpoint in the published layout by hand, tensor by tensor, without our model's help."""
    backbone = {
        name: value
        for name, value in Qwen3VLForConditionalGeneration(
            Qwen3VLConfig(text_config=_plain_text(), vision_config=tiny_vision(), **special_tokens())
        )
        .state_dict()
        .items()
        if "self_attn" not in name
    }
    for layer in range(LAYERS):
        attention = f"model.language_model.layers.{layer}.self_attn"
        for name, rows, columns, bias in (
            ("q_proj", HEADS * (HEAD + ROPE), WIDTH, True),
            ("kv_a_proj_with_mqa", LATENT + ROPE, WIDTH, True),
            ("kv_b_proj", HEADS * (HEAD + HEAD), LATENT, False),
            ("o_proj", WIDTH, HEADS * HEAD, False),
        ):
            backbone[f"{attention}.{name}.weight"] = torch.randn(rows, columns) * columns**-0.5
            if bias:
                backbone[f"{attention}.{name}.bias"] = torch.randn(rows)
    config = {
        "architectures": ["InternVideo3ForConditionalGeneration"],
        "model_type": "internvideo3",
        **special_tokens(),
        "text_config": {
            **_plain_text(),
            "model_type": "internvideo3_text",
            "kv_lora_rank": LATENT,
            "qk_rope_head_dim": ROPE,
            "qk_nope_head_dim": HEAD,
            "v_head_dim": HEAD,
            "q_lora_rank": None,
        },
        "vision_config": {**tiny_vision(), "model_type": "internvideo3_vision"},
        "auto_map": {"AutoModelForCausalLM": "modeling_internvideo3.InternVideo3ForConditionalGeneration"},
    }
    directory.mkdir(exist_ok=True)
    (directory / "config.json").write_text(json.dumps(config))
    names = sorted(backbone)
    shards = {"model-00001-of-00002.safetensors": names[::2], "model-00002-of-00002.safetensors": names[1::2]}
    for shard, held in shards.items():
        save_file({name: backbone[name].contiguous() for name in held}, directory / shard, {"format": "pt"})
    weight_map = {name: shard for shard, held in shards.items() for name in held}
    (directory / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {}, "weight_map": weight_map})
    )
    return backbone


def _plain_text() -> dict[str, Any]:
    ours = {"attention_layout", "kv_lora_rank", "qk_rope_head_dim", "qk_nope_head_dim", "v_head_dim"}
    return {name: value for name, value in tiny_text().items() if name not in ours}


def test_the_published_layout_loads_to_the_last_bit(tmp_path: Path) -> None:
    written = published(tmp_path)
    model = load_model(tmp_path)
    assert model.config.text_config.attention_layout == "release"
    assert model.config.text_config.scale == (HEAD + ROPE) ** -0.5
    loaded = model.state_dict()
    assert loaded.keys() == written.keys()
    assert all(torch.equal(loaded[name], value) for name, value in written.items())
    out = model.generate(**prompt(3, (2, 4, 4), 4), max_new_tokens=3, do_sample=False)
    assert out.shape[1] == prompt(3, (2, 4, 4), 4)["input_ids"].shape[1] + 3


def test_the_auto_class_of_the_model_card_loads_it_too(tmp_path: Path) -> None:
    written = published(tmp_path)
    model = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert torch.equal(model.state_dict()["lm_head.weight"], written["lm_head.weight"])


def _edit(shard: Path, change: Callable[[dict[str, Any]], None]) -> None:
    tensors = load_file(shard)
    change(tensors)
    save_file(tensors, shard, {"format": "pt"})


def single(directory: Path) -> Path:
    """Save a tiny model as one file and return it."""
    make_tiny().save_pretrained(directory)
    return directory / "model.safetensors"


NAME = "model.language_model.layers.2.self_attn.kv_b_proj.weight"
FAULTS: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "missing": (lambda tensors: tensors.pop(NAME), f"missing: {NAME}"),
    "extra": (lambda tensors: tensors.update(stray=torch.zeros(2)), "not of this model: stray"),
    "misshapen": (lambda tensors: tensors.update({NAME: torch.zeros(3, 5)}), f"{NAME} is 3x5, not 64x24"),
    "renamed": (
        lambda tensors: tensors.update({"model.x": tensors.pop(NAME)}),
        f"missing: {NAME}; not of this model: model.x",
    ),
}


@pytest.mark.parametrize(("change", "told"), FAULTS.values(), ids=FAULTS)
def test_a_tensor_at_fault_is_named(change: Any, told: str, tmp_path: Path) -> None:
    _edit(single(tmp_path), change)
    with pytest.raises(WeightsError, match=told):
        load_model(tmp_path)
    with pytest.raises(WeightsError, match=told):  # nor does the way that bypasses our loader begin at random
        AutoModelForCausalLM.from_pretrained(tmp_path)


def test_a_damaged_or_missing_shard_is_named(tmp_path: Path) -> None:
    published(tmp_path)
    shard = tmp_path / "model-00002-of-00002.safetensors"
    whole = shard.read_bytes()
    shard.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WeightsError, match=r"model-00002-of-00002.safetensors: damaged or incomplete"):
        load_model(tmp_path)
    shard.unlink()
    with pytest.raises(WeightsError, match=r"model-00002-of-00002.safetensors: missing"):
        load_model(tmp_path)
    shard.write_bytes((tmp_path / "model-00001-of-00002.safetensors").read_bytes())
    with pytest.raises(WeightsError, match=r"model-00002-of-00002.safetensors: .* says it holds"):
        load_model(tmp_path)
    (tmp_path / "model.safetensors.index.json").write_text("{}")
    with pytest.raises(WeightsError, match="not an index"):
        load_model(tmp_path)


def test_a_folder_without_a_model_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"holds no config\.json"):
        load_model(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "internvideo3"}')
    with pytest.raises(WeightsError, match="holds neither"):
        load_model(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "nonsense"}')
    with pytest.raises(WeightsError, match="nonsense"):
        load_model(tmp_path)


def qwen3_vl(**changes: Any) -> Any:
    torch.manual_seed(1)
    return Qwen3VLForConditionalGeneration(
        Qwen3VLConfig(text_config=_plain_text(), vision_config=tiny_vision(), **special_tokens(), **changes)
    ).eval()


def qwen3(**changes: Any) -> Any:
    torch.manual_seed(1)
    text = {name: value for name, value in _plain_text().items() if name != "rope_parameters"}
    return Qwen3ForCausalLM(Qwen3Config(**text, **changes)).eval()


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("make", [qwen3_vl, qwen3])
def test_a_baseline_loads_as_itself_and_is_checked(make: Any, tied: bool, tmp_path: Path) -> None:
    model, inputs = make(tie_word_embeddings=tied), prompt(7)
    model.save_pretrained(tmp_path)
    again = load_baseline(tmp_path)
    with torch.no_grad():
        assert torch.equal(model(**inputs).logits, again(**inputs).logits)
    assert ("lm_head.weight" in load_file(tmp_path / "model.safetensors")) is not tied
    with pytest.raises(WeightsError, match="model_type is 'qwen3"):
        load_model(tmp_path)
    _edit(
        tmp_path / "model.safetensors",
        lambda tensors: tensors.pop(next(name for name in tensors if "k_norm" in name)),
    )
    with pytest.raises(WeightsError, match=r"missing: .*k_norm"):
        load_baseline(tmp_path)
