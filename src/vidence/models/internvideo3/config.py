"""What an InternVideo3 model is made of: Qwen3-VL's configuration and the shape of its latent attention.

F = head_dim / 2 rotary frequencies, H query heads, G key-value heads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from huggingface_hub.dataclasses import strict
from transformers import AutoConfig, PreTrainedConfig
from transformers.models.qwen2_5_vl.configuration_qwen2_5_vl import Qwen2_5_VLVisionConfig
from transformers.models.qwen3_vl.configuration_qwen3_vl import Qwen3VLConfig, Qwen3VLTextConfig

from vidence.errors import UsageError

EXACT, RELEASE = "exact", "release"
WINDOWED = Qwen2_5_VLVisionConfig.model_type
FLOAT, INT8 = "float", "int8"
_MROPE = {"rope_type": "default", "rope_theta": 5e6, "mrope_section": [24, 20, 20], "mrope_interleaved": True}


@dataclass(frozen=True, slots=True)
class LatentShape:
    """The shape of one layer's cached row: latent widths by modality, and the pairs of the rope key.

    frequencies: by pair, the one that it turns with. sources: by pair, those whose components it mixes: its own, or,
    where neighbours are folded together, several.
    """

    text_rank: int
    vision_rank: int
    frequencies: tuple[int, ...]
    sources: tuple[tuple[int, ...], ...]

    @property
    def rank(self) -> int:
        """Return the width of the wider latent; the narrower one uses its leading lanes."""
        return max(self.text_rank, self.vision_rank)

    def ranks(self, *, banked: bool) -> tuple[int, ...]:
        """Return the latent width of each bank: text and vision apart, or one for both."""
        return (self.text_rank, self.vision_rank) if banked else (self.rank,)

    @property
    def rope_width(self) -> int:
        """Return the width of the shared rope key: a real and an imaginary lane for each frequency."""
        return 2 * len(self.frequencies)

    @property
    def fold(self) -> int:
        """Return W, how many frequencies each pair mixes."""
        return len(self.sources[0]) if self.sources else 1

    @property
    def mixed(self) -> tuple[int, ...]:
        """Return the sources of all pairs in a row."""
        return tuple(frequency for pair in self.sources for frequency in pair)


@strict
class InternVideo3TextConfig(Qwen3VLTextConfig):
    """Configure the decoder; the defaults are the published 8B model's.

    attention_layout: `exact` keeps the query and key norms and rotates every cached frequency by its own angle;
        `release` is the published checkpoint's: biases, no norms.
    kv_lora_rank: width of the latent, one number or one a layer; kv_lora_rank_vision: the same for vision tokens.
    rope_frequencies: by layer, the frequency of each pair of the shared rope key; one may stand several times.
    rope_sources: by layer and pair, the frequencies that are folded into it, all of one axis; its own if not given.
    qk_rope_head_dim: width of the rope key where rope_frequencies is not given.
    qk_norm: whether queries and keys are normed by head, as Qwen3's are and Qwen2.5's and Llama's are not.
    attention_output_bias: whether the attention's output projection has a bias.
    latent_storage: `float` keeps cached rows in the model's dtype, `int8` in 8 bits with two scales a row.
    """

    model_type = "internvideo3_text"

    vocab_size: int = 151_936
    hidden_size: int = 4096
    intermediate_size: int = 12_288
    num_hidden_layers: int = 36
    num_attention_heads: int = 32
    num_key_value_heads: int | None = 8
    head_dim: int = 128
    max_position_embeddings: int = 262_144
    attention_layout: str = RELEASE
    kv_lora_rank: int | list[int] = 896
    kv_lora_rank_vision: int | list[int] | None = None
    rope_frequencies: list[list[int]] | None = None
    rope_sources: list[list[list[int]]] | None = None
    qk_rope_head_dim: int = 128
    qk_nope_head_dim: int = 128
    v_head_dim: int = 128
    qk_norm: bool = True
    attention_output_bias: bool = False
    latent_storage: str = FLOAT

    def __post_init__(self, **kwargs: Any) -> None:
        if self.rope_parameters is None and "rope_scaling" not in kwargs and "rope_theta" not in kwargs:
            self.rope_parameters = dict(_MROPE)
        super().__post_init__(**kwargs)

    def validate_architecture(self) -> None:
        """Check that the parts fit.

        Raises:
            UsageError: naming the field at fault.
        """
        _check_choice("attention_layout", self.attention_layout, (EXACT, RELEASE))
        _check_choice("latent_storage", self.latent_storage, (FLOAT, INT8))
        if self.num_attention_heads % self.key_value_heads:
            _fault(
                "num_attention_heads", f"{self.num_attention_heads} is no multiple of {self.key_value_heads}"
            )
        if self.attention_layout == EXACT and self.qk_nope_head_dim != self.head_dim:
            _fault("qk_nope_head_dim", f"{self.qk_nope_head_dim} differs from head_dim {self.head_dim}")
        if self.attention_layout == RELEASE and self.kv_lora_rank_vision is not None:
            _fault("kv_lora_rank_vision", "the release layout encodes text and vision alike; leave it out")
        for layer in range(self.num_hidden_layers):
            shape = self.latent_shape(layer)
            if min(shape.text_rank, shape.vision_rank) < 1:
                _fault("kv_lora_rank", f"layer {layer} has a rank below 1")
            if any(not 0 <= one < self.head_dim // 2 for one in (*shape.frequencies, *shape.mixed)):
                _fault("rope_frequencies", f"layer {layer} names one outside 0..{self.head_dim // 2 - 1}")
            self._check_sources(shape, layer)

    def _check_sources(self, shape: LatentShape, layer: int) -> None:
        if self.rope_sources is None:
            return
        widths = {len(sources) for sources in shape.sources}
        if len(shape.sources) != len(shape.frequencies) or len(widths) > 1 or 0 in widths:
            _fault("rope_sources", f"layer {layer} must list equally many frequencies for each pair")
        axes = self.rope_axes
        for frequency, sources in zip(shape.frequencies, shape.sources, strict=True):
            if {axes[one] for one in sources} != {axes[frequency]}:
                _fault("rope_sources", f"layer {layer} folds frequencies of different axes into {frequency}")

    @property
    def rope_axes(self) -> tuple[int, ...]:
        """Return for each frequency the axis that turns it: 0 time, 1 height, 2 width."""
        rope: dict[str, Any] = dict(self.rope_parameters or _MROPE)
        section, interleaved = rope.get("mrope_section", (0, 0, 0)), rope.get("mrope_interleaved", True)
        return mrope_axes(section, self.head_dim // 2, interleaved=interleaved)

    @property
    def key_value_heads(self) -> int:
        """Return G."""
        return self.num_key_value_heads or self.num_attention_heads

    @property
    def latent_heads(self) -> int:
        """Return how many heads have keys and values of their own: G where they are exact, H as published."""
        return self.key_value_heads if self.attention_layout == EXACT else self.num_attention_heads

    @property
    def scale(self) -> float:
        """Return what scores are multiplied by before the softmax."""
        exact = self.attention_layout == EXACT
        return (self.head_dim if exact else self.qk_nope_head_dim + self.qk_rope_head_dim) ** -0.5

    @property
    def banked(self) -> bool:
        """Return whether text and vision rows differ in width in some layer, and so are kept apart."""
        shapes = (self.latent_shape(layer) for layer in range(self.num_hidden_layers))
        return any(shape.text_rank != shape.vision_rank for shape in shapes)

    def latent_shape(self, layer: int) -> LatentShape:
        """Return the shape of one layer's rows."""
        text, vision = self._of_layer("kv_lora_rank", layer), self._of_layer("kv_lora_rank_vision", layer)
        given, sources = self._of_layer("rope_frequencies", layer), self._of_layer("rope_sources", layer)
        if given is None:
            given = even_frequencies(self.qk_rope_head_dim // 2, self.head_dim // 2)
        pairs = [(one,) for one in given] if sources is None else sources
        return LatentShape(
            text, text if vision is None else vision, tuple(given), tuple(tuple(pair) for pair in pairs)
        )

    def _of_layer(self, name: str, layer: int) -> Any:
        value = getattr(self, name)
        if not isinstance(value, (list, tuple)):
            return value
        if len(value) != self.num_hidden_layers:
            _fault(name, f"has {len(value)} entries for {self.num_hidden_layers} layers")
        return value[layer]


@strict
class InternVideo3Config(Qwen3VLConfig):
    """Configure the whole model: the vision tower of Qwen3-VL or Qwen2.5-VL, and the latent decoder."""

    model_type = "internvideo3"
    sub_configs_defaults: ClassVar[dict[str, Any]] = {
        "vision_config": Qwen3VLConfig.sub_configs_defaults["vision_config"],
        "text_config": InternVideo3TextConfig,
    }

    def __post_init__(self, **kwargs: Any) -> None:
        # Files written by other code name the parts in their own ways.
        if isinstance(self.text_config, dict):
            self.text_config = {**self.text_config, "model_type": "internvideo3_text"}
        if not isinstance(self.vision_config, PreTrainedConfig):
            given = self.vision_config or {"out_hidden_size": 4096}
            if given.get("model_type") == WINDOWED:
                self.vision_config = Qwen2_5_VLVisionConfig(**given)
            else:
                self.vision_config = {**given, "model_type": "qwen3_vl_vision"}
        super().__post_init__(**kwargs)

    @property
    def windowed(self) -> bool:
        """Return whether the tower and the rule of positions are Qwen2.5-VL's."""
        return getattr(self.vision_config, "model_type", None) == WINDOWED


def even_frequencies(pairs: int, available: int) -> tuple[int, ...]:
    """Spread `pairs` over the frequencies; beyond all of them they are taken again, once more in order."""
    if pairs > available:
        return tuple(index % available for index in range(pairs))
    return tuple(index * available // pairs for index in range(pairs))


def mrope_axes(section: Sequence[int], frequencies: int, *, interleaved: bool = True) -> tuple[int, ...]:
    """Return for each frequency the axis that turns it: 0 time, 1 height, 2 width.

    Interleaved as in Qwen3-VL, or in three stretches as in Qwen2.5-VL.
    """
    if not interleaved:
        if sum(section) != frequencies:
            _fault("rope_parameters", f"mrope_section {list(section)} does not add up to {frequencies}")
        return tuple(axis for axis, count in enumerate(section) for _ in range(count))
    axes = [0] * frequencies
    for axis in (1, 2):
        for index in range(axis, min(3 * section[axis], frequencies), 3):
            axes[index] = axis
    return tuple(axes)


def _check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        _fault(name, f"{value!r} is none of {', '.join(choices)}")


def _fault(name: str, what: str) -> None:
    raise UsageError(f"text_config.{name}: {what}; correct it in config.json")


AutoConfig.register("internvideo3", InternVideo3Config, exist_ok=True)
AutoConfig.register("internvideo3_text", InternVideo3TextConfig, exist_ok=True)
