"""The model answers from video through its latent cache, and the cache changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tiny_models import MARKS, make_tiny, pad_left, prompt  # noqa: E402

LAYOUTS = {
    "exact": {},
    "release": {"attention_layout": "release"},
    "vision rank of its own": {"kv_lora_rank_vision": 16},
    "ranks by layer": {"kv_lora_rank": [8, 24, 16, 24], "kv_lora_rank_vision": [8, 8, 16, 24]},
    "frequencies by layer": {"rope_frequencies": [[0], [1, 1, 5], [7, 6, 5, 4, 3, 2], [0, 0]]},
    "output bias": {"attention_output_bias": True},
}


def generate(model: Any, inputs: dict[str, Any], tokens: int = 12, **options: Any) -> Any:
    """Return the tokens that the model adds; it may not write the marks of images and videos."""
    options = {"do_sample": False, "suppress_tokens": list(MARKS), **options}
    return model.generate(**inputs, max_new_tokens=tokens, **options)[:, inputs["input_ids"].shape[1] :]


def assert_cache_changes_nothing(model: Any, inputs: dict[str, Any], tokens: int = 12) -> None:
    """Compare the logits of every generated token with those of one pass over prompt and answer, nothing cached."""
    told = {"output_logits": True, "return_dict_in_generate": True, "suppress_tokens": list(MARKS)}
    cached = model.generate(**inputs, max_new_tokens=tokens, do_sample=False, **told)
    added = torch.ones_like(cached.sequences[:, -tokens:])
    whole = dict(
        inputs,
        input_ids=cached.sequences,
        attention_mask=torch.cat([inputs["attention_mask"], added], 1),
    )
    if "mm_token_type_ids" in inputs:
        whole["mm_token_type_ids"] = torch.cat([inputs["mm_token_type_ids"], added * 0], 1)
    with torch.no_grad():
        logits = model(**whole, use_cache=False).logits[:, -tokens - 1 : -1]
    assert logits.std() > 0.05  # logits that hardly differ would agree with anything
    torch.testing.assert_close(torch.stack(cached.logits, 1), logits, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("changes", LAYOUTS.values(), ids=LAYOUTS)
def test_a_cached_answer_is_the_uncached_one(changes: dict[str, Any]) -> None:
    model = make_tiny(**changes)
    assert_cache_changes_nothing(model, prompt(3, (3, 4, 6), 5))
    assert_cache_changes_nothing(model, pad_left(prompt(3, (3, 4, 6), 5), prompt(9), prompt(2, (1, 4, 4), 4)))


def test_video_changes_the_answer() -> None:
    model, inputs = make_tiny(), prompt(3, (2, 4, 4), 5)
    other = dict(inputs, pixel_values_videos=inputs["pixel_values_videos"].flip(0))
    assert not torch.equal(generate(model, inputs), generate(model, other))


@pytest.mark.parametrize(
    "changes", [LAYOUTS["exact"], LAYOUTS["vision rank of its own"]], ids=["one bank", "two"]
)
def test_a_batch_with_padding_answers_as_each_prompt_alone(changes: dict[str, Any]) -> None:
    model = make_tiny(**changes)
    prompts = [prompt(3, (3, 4, 6), 5), prompt(9), prompt(2, (1, 4, 4), 1, (2, 4, 4), 4)]
    together = generate(model, pad_left(*prompts))
    for row, alone in zip(together, prompts, strict=True):
        assert torch.equal(row, generate(model, alone)[0])


def test_images_and_text_between_them() -> None:
    model, inputs = make_tiny(), prompt(2, (1, 4, 4), 3, (1, 6, 4), 2, image=True)
    assert_cache_changes_nothing(model, inputs)


def test_beams_reorder_the_cache() -> None:
    model, inputs = make_tiny(), prompt(3, (2, 4, 4), 5)
    assert torch.equal(
        generate(model, inputs, num_beams=3), generate(model, inputs, num_beams=3, use_cache=False)
    )


@pytest.mark.parametrize("changes", LAYOUTS.values(), ids=LAYOUTS)
def test_saving_and_loading_changes_no_number(changes: dict[str, Any], tmp_path: Path) -> None:
    from transformers import AutoModelForImageTextToText

    model, inputs = make_tiny(**changes), prompt(3, (2, 4, 4), 5)
    model.save_pretrained(tmp_path, max_shard_size="200KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    again = AutoModelForImageTextToText.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        assert torch.equal(model(**inputs).logits, again(**inputs).logits)


def test_gradient_checkpointing_gives_the_same_gradients() -> None:
    model, inputs = make_tiny().train(), prompt(3, (2, 4, 4), 5)
    gradients = []
    for checkpointed in (False, True):
        if checkpointed:
            model.activation_checkpointing_enable()
        model.zero_grad()
        model(**inputs, labels=inputs["input_ids"]).loss.backward()
        gradients.append(
            {name: one.grad.clone() for name, one in model.named_parameters() if one.grad is not None}
        )
    assert gradients[0].keys() == {name for name, _ in model.named_parameters()}  # every weight learns
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradient, gradients[1][name], msg=name)


@pytest.mark.parametrize("changes", [{}, {"kv_lora_rank_vision": 16}], ids=["one bank", "two"])
def test_a_long_prompt_read_in_stretches_gives_the_same_logits(changes: dict[str, Any]) -> None:
    model = make_tiny(**changes)
    inputs = pad_left(prompt(3, (3, 4, 6), 5), prompt(2, (1, 4, 4), 1, (2, 4, 4), 40), prompt(9))
    with torch.no_grad():
        whole = model(**inputs).logits
        model.model.language_model.prefill_tokens = 7  # cuts through every picture
        stretches = model(**inputs).logits
    real = inputs["attention_mask"].bool()
    torch.testing.assert_close(stretches[real], whole[real], atol=1e-4, rtol=1e-4)


def test_bfloat16_answers_as_float32_but_for_rounding() -> None:
    model, inputs = make_tiny(), prompt(3, (3, 4, 6), 5)
    with torch.no_grad():
        expected = model(**inputs).logits
        found = model.bfloat16()(**inputs).logits
    assert found.dtype == torch.bfloat16
    assert (found.float() - expected).norm() < 0.03 * expected.norm()
    assert generate(model, inputs).shape == (1, 12)


def test_text_alone_with_the_decoder_alone(tmp_path: Path) -> None:
    from tiny_models import tiny_text
    from transformers import AutoModelForCausalLM

    from vidence.models.internvideo3.config import InternVideo3TextConfig
    from vidence.models.internvideo3.modeling import InternVideo3ForCausalLM

    torch.manual_seed(6)
    model = InternVideo3ForCausalLM(InternVideo3TextConfig(**tiny_text(tie_word_embeddings=True))).eval()
    inputs = prompt(9)
    assert_cache_changes_nothing(model, inputs)
    assert model(**inputs, labels=inputs["input_ids"]).loss > 0
    model.save_pretrained(tmp_path)
    again = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    assert type(again) is InternVideo3ForCausalLM
    assert torch.equal(generate(again, inputs), generate(model, inputs))


def test_a_cache_that_is_given_takes_one_slab_for_the_whole_answer() -> None:
    from vidence.models.internvideo3.latent import LatentCache

    model = make_tiny()
    cache = LatentCache(model.config.text_config)
    generate(model, prompt(250), tokens=40, past_key_values=cache)
    assert [len(bank.slabs) for layer in cache.latent_layers for bank in layer.banks] == [1] * 4
    assert cache.latent_layers[0].banks[0].capacity == 512


def test_packed_samples_do_not_see_each_other() -> None:
    model, first, second = make_tiny().model.language_model, prompt(6)["input_ids"], prompt(9)["input_ids"]
    ids = torch.cat([first, second], 1)
    numbers = torch.tensor([[1] * 6 + [2] * 9])
    positions = torch.cat([torch.arange(6), torch.arange(9)])[None]
    with torch.no_grad():
        packed = model(input_ids=ids, attention_mask=numbers, position_ids=positions, use_cache=False)
        alone = model(input_ids=second, use_cache=False)
    torch.testing.assert_close(packed.last_hidden_state[:, 6:], alone.last_hidden_state)


def test_a_foreign_cache_is_refused() -> None:
    from transformers import DynamicCache

    from vidence.errors import UsageError

    with pytest.raises(UsageError, match="LatentCache"):
        make_tiny()(**prompt(4), past_key_values=DynamicCache())
    with pytest.raises(UsageError, match="static"):
        generate(make_tiny(), prompt(4), cache_implementation="static")


def full_rank_copy(baseline: Any) -> Any:
    """Write a Qwen3-VL model as latent attention that leaves nothing out: every pair of every head is kept."""
    text = baseline.config.text_config
    pairs = [frequency for _ in range(text.num_key_value_heads) for frequency in range(text.head_dim // 2)]
    width = text.num_key_value_heads * text.head_dim
    model = make_tiny(kv_lora_rank=width, rope_frequencies=[pairs] * text.num_hidden_layers)
    weights = baseline.state_dict()
    added = set(model.state_dict()) - set(weights)
    assert not set(weights) - set(model.state_dict())  # every tensor of Qwen3-VL keeps its name
    assert {name.split("self_attn.")[1].split(".")[0] for name in added} == {
        "kv_b_proj",
        "query_turn",
        "rope_key_mix",
        "rope_query_mix",
        "text_encoder",
        "vision_encoder",
    }
    model.load_state_dict(weights, strict=False)
    identity = torch.eye(width)
    with torch.no_grad():
        for layer in model.model.language_model.layers:
            attention = layer.self_attn
            attention.reset()
            for encoder in (attention.text_encoder, attention.vision_encoder):
                encoder.weight.copy_(torch.cat([torch.zeros(width, width), identity], 1))
                encoder.bias.zero_()
            values = identity.view(text.num_key_value_heads, text.head_dim, width)
            attention.kv_b_proj.weight.copy_(torch.cat([torch.zeros_like(values), values], 1).flatten(0, 1))
    return model


def test_the_whole_model_at_full_rank_is_qwen3_vl() -> None:
    """Vision tower, DeepStack, positions, padding and decoding agree with transformers' model on one batch."""
    from tiny_models import special_tokens, tiny_text, tiny_vision
    from transformers.models.qwen3_vl import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    known = set(Qwen3VLConfig().text_config.to_dict())
    text = {name: value for name, value in tiny_text().items() if name in known}
    torch.manual_seed(4)
    baseline = Qwen3VLForConditionalGeneration(
        Qwen3VLConfig(text_config=text, vision_config=tiny_vision(), **special_tokens())
    ).eval()
    with torch.no_grad():
        for name, weight in baseline.named_parameters():
            if "language_model" in name and weight.ndim == 2:
                weight.normal_(0, weight.shape[1] ** -0.5)
    model = full_rank_copy(baseline)
    told = {"output_logits": True, "return_dict_in_generate": True, "suppress_tokens": list(MARKS)}
    inputs = pad_left(prompt(3, (3, 4, 6), 5), prompt(9), prompt(2, (1, 4, 4), 1, (2, 4, 4), 4))
    found, expected = (
        one.generate(**inputs, max_new_tokens=10, do_sample=False, **told) for one in (model, baseline)
    )
    assert torch.equal(found.sequences, expected.sequences)
    with torch.no_grad():
        layers = [one(**inputs, output_hidden_states=True).hidden_states for one in (model, baseline)]
    assert len(layers[0]) == len(layers[1]) == 5
    real = inputs["attention_mask"].bool()
    for ours, theirs in zip(*layers, strict=True):
        torch.testing.assert_close(ours[real], theirs[real], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(torch.stack(found.logits), torch.stack(expected.logits), atol=1e-4, rtol=1e-4)
