"""Samples with pictures: what the source's own vision tower makes of videos and images, and where their tokens stand.

L tokens, N vision tokens, D hidden width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vidence.models.internvideo3.convert.samples import Sample
from vidence.models.internvideo3.convert.source import Source, latent_config
from vidence.models.internvideo3.modeling import InternVideo3Model
from vidence.models.internvideo3.positions import GRIDS
from vidence.models.internvideo3.tower import tower

PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
PROMPT = "Describe what is seen and what happens, and say when it does."
TEXT_TOKENS = 128  # kept free for the prompt and the times between pictures


def seen_samples(source: Source, paths: Sequence[Path], length: int) -> list[Sample]:
    """Show the source each video or image, with a request beside it, in about `length` tokens.

    Raises:
        MediaError: a file cannot be decoded.
        WeightsError: the folder holds no tokenizer that knows the marks of pictures.
    """
    from vidence.models.internvideo3.processing import InternVideo3Processor

    processor: Any = InternVideo3Processor.from_pretrained(source.directory)
    eyes = Eyes(source)
    samples = []
    for path in paths:
        image = path.suffix.lower() in PICTURES
        kind = "image" if image else "video"
        content = [{"type": kind}, {"type": "text", "text": PROMPT}]
        turn = processor.apply_chat_template(
            [{"role": "user", "content": content}], tokenize=False, add_generation_prompt=True
        )
        limits = _limits(image, source.config.vision_config, length)  # type: ignore[attr-defined]
        samples.append(
            eyes.sample(processor(text=[turn], return_tensors="pt", **{f"{kind}s": [str(path)]}, **limits))
        )
    return samples


def _limits(image: bool, vision: Any, length: int) -> dict[str, Any]:
    """Return the processor's limits under which a picture takes about so many tokens."""
    unit_px = vision.patch_size * vision.spatial_merge_size
    pixels = max(length - TEXT_TOKENS, 16) * unit_px**2
    if image:
        return {"image_limits": {"min_pixels": unit_px**2, "max_pixels": pixels}}
    most = pixels * vision.temporal_patch_size  # one token covers as many pictures
    return {
        "video_limits": {"min_pixels": unit_px**2, "max_pixels": most, "max_frames": max(4, length // 32)}
    }


class Eyes:
    """The source's vision tower, in float32."""

    def __init__(self, source: Source) -> None:
        config: Any = latent_config(source)
        self.tower = tower(config)
        with torch.device("meta"):  # asked for positions alone
            self.whole = InternVideo3Model(config)
        names = [name for name in source.files if "visual." in name]
        weights = {name.split("visual.", 1)[1]: source.tensor(name).float() for name in names}
        self.tower.load_state_dict(weights)
        self.tower.eval().requires_grad_(False)

    def sample(self, inputs: Mapping[str, Tensor]) -> Sample:
        """Make a sample of one sequence of a processor's output."""
        ids_1L, types_1L = inputs["input_ids"], inputs["mm_token_type_ids"]
        grids = {name: inputs[name] for name in GRIDS if name in inputs}
        positions, _ = self.whole.get_rope_index(ids_1L, types_1L, **grids)
        parts, deep = list[Tensor](), list[list[Tensor]]()
        for pixels, grid, kind in (
            ("pixel_values", "image_grid_thw", 1),
            ("pixel_values_videos", "video_grid_thw", 2),
        ):
            if pixels not in inputs or not bool((types_1L == kind).any()):
                continue
            with torch.no_grad():
                out: Any = self.tower(inputs[pixels].float(), grid_thw=inputs[grid], return_dict=True)
            parts.append(out.pooler_output)
            deep.append(list(out.deepstack_features))
        vision_L = types_1L[0] != 0
        if len(parts) > 1:
            raise ValueError("a sample shows images or videos, not both")
        return Sample(
            ids_1L[0],
            positions[-3:, 0],
            vision_L,
            parts[0] if parts else None,
            tuple(deep[0]) if deep else (),
        )
