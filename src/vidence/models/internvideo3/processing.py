"""Text, images and videos as one batch of model inputs: a processor without torchvision or torchcodec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoProcessor, BatchFeature, ProcessorMixin

from vidence.errors import UsageError
from vidence.media import open_media
from vidence.models.internvideo3.config import InternVideo3Config
from vidence.models.internvideo3.limits import SECONDS, ImageLimits, VideoLimits, changed, translated
from vidence.models.internvideo3.patches import Grid, PatchShape, cut, resized
from vidence.models.internvideo3.video import Clip, load, patch_s, timestamps

CHAT_TEMPLATE = Path(__file__).with_name("chat.jinja")
VISION_START, VISION_END = "<|vision_start|>", "<|vision_end|>"
IMAGE, VIDEO = "<|image_pad|>", "<|video_pad|>"


class InternVideo3Processor(ProcessorMixin):
    """Turn text, images and videos into model inputs; saved and loaded as any `transformers` processor.

    The limits of a checkpoint saved for another processor (preprocessor_config.json, video_preprocessor_config.json)
    are taken over. Where `timed` is "seconds", as for Qwen2.5-VL, a video's text names no times, but
    `second_per_grid_ts` tells how long its temporal patches last; else it is "text". Where `options` is "weighed", the
    model was not taught to read options: it is asked without them, and how likely each is as its answer decides.
    """

    return_mm_token_type_ids = True

    def __init__(
        self,
        tokenizer: Any = None,
        chat_template: str | dict[str, str] | None = None,
        patches: Mapping[str, Any] | None = None,
        image_limits: Mapping[str, Any] | None = None,
        video_limits: Mapping[str, Any] | None = None,
        timed: str = "text",
        options: str = "read",
    ) -> None:
        super().__init__(
            tokenizer,
            chat_template=chat_template or tokenizer.chat_template or CHAT_TEMPLATE.read_text("utf-8"),
        )
        shape = changed(PatchShape(), patches)
        self.patches = shape.to_json()
        self.image_limits = asdict(changed(ImageLimits(), image_limits))
        self.video_limits = asdict(changed(VideoLimits(), video_limits))
        self.timed, self.options = timed, options
        self._shape = replace(shape, mean=tuple(shape.mean), std=tuple(shape.std))
        self.image_token, self.video_token = IMAGE, VIDEO
        ids = tokenizer.convert_tokens_to_ids([IMAGE, VIDEO, VISION_START, VISION_END])
        for token, number in zip((IMAGE, VIDEO, VISION_START, VISION_END), ids, strict=True):
            if number is None or number == tokenizer.unk_token_id:
                raise UsageError(f"the tokenizer does not know {token}; load that of a Qwen-VL checkpoint")
        self.image_token_id, self.video_token_id, self.vision_start_token_id, self.vision_end_token_id = ids

    @property
    def shape(self) -> PatchShape:
        """Return how pictures are cut."""
        return self._shape

    @property
    def model_input_names(self) -> list[str]:
        """Return the names of what a call gives."""
        vision = ["pixel_values", "image_grid_thw", "pixel_values_videos", "video_grid_thw"]
        times = ["second_per_grid_ts"] if self.timed == SECONDS else []
        return [*self.tokenizer.model_input_names, "mm_token_type_ids", *vision, *times]

    def __call__(  # pyright: ignore[reportIncompatibleMethodOverride]  # no sound, and limits by name
        self,
        images: Any = None,
        text: str | Sequence[str] | None = None,
        videos: Any = None,
        *,
        image_limits: Mapping[str, Any] | None = None,
        video_limits: Mapping[str, Any] | None = None,
        return_tensors: str | None = "pt",
        return_text_replacement_offsets: bool = False,
        **text_kwargs: Any,
    ) -> BatchFeature:
        """Return input_ids, attention_mask, mm_token_type_ids and what the vision tower sees.

        Each `<|image_pad|>` and `<|video_pad|>` in the texts stands for the next image or video. An image is uint8
        (H, W, 3), a PIL image or a path; a video is a path, an open medium or a `Clip`; both may be nested by text.
        Limits given here change the processor's own for this call, by name: `video_limits={"fps": 4}`. Several
        texts are padded on the left, as generation needs. pixel_values* are (N, D) in float32; *_grid_thw are (., 3).

        Raises:
            UsageError: texts and pictures do not match, or a picture cannot be seen.
            MediaError: a file cannot be decoded.
        """
        texts = [text] if isinstance(text, str) else list(text or ())
        data: dict[str, Any] = {}
        grids: dict[str, list[Grid]] = {"image": [], "video": []}
        named: dict[str, list[str]] = {"image": [], "video": []}
        if images := _flat(images):
            limits = changed(ImageLimits(**self.image_limits), image_limits)
            pixels, grids["image"] = self._see([_image(one, limits, self._shape) for one in images])
            data |= {"pixel_values": pixels, "image_grid_thw": [grid.to_list() for grid in grids["image"]]}
            named["image"] = [IMAGE * grid.tokens(self._shape) for grid in grids["image"]]
        if videos := _flat(videos):
            limits = changed(VideoLimits(**self.video_limits), video_limits)
            clips = [load(one, limits, self._shape) for one in videos]
            pixels, grids["video"] = self._see([clip.frames_THWC for clip in clips])
            data |= {
                "pixel_values_videos": pixels,
                "video_grid_thw": [grid.to_list() for grid in grids["video"]],
            }
            if self.timed == SECONDS:
                data["second_per_grid_ts"] = [patch_s(clip.times, self._shape.frames) for clip in clips]
            named["video"] = [self._video_text(*pair) for pair in zip(clips, grids["video"], strict=True)]
        if texts:
            data |= self._tokenised(texts, named, text_kwargs, return_text_replacement_offsets)
        return BatchFeature(
            data, tensor_type=return_tensors, skip_tensor_conversion=["text_replacement_offsets"]
        )

    def get_text_with_replacements(
        self,
        text: list[str],
        images_replacements: Sequence[str] = (),
        videos_replacements: Sequence[str] = (),
        audio_replacements: Sequence[str] = (),
    ) -> tuple[list[str], list[Any]]:
        """Put each picture's own tokens where the text names it; return the texts and where that happened.

        A chat template wraps a video in vision marks, but each of its temporal patches brings its own: the outer
        ones go, as in the text the model was trained on. (transformers keeps them since 5.12.)
        """
        wrapped = VISION_START + VIDEO + VISION_END
        plain = [one.replace(wrapped, VIDEO) for one in text]
        texts: list[str]
        places: list[Any]
        try:
            texts, places = super().get_text_with_replacements(
                plain, list(images_replacements), list(videos_replacements), list(audio_replacements)
            )
        except (StopIteration, RuntimeError) as fault:
            raise UsageError(
                f"the text names more pictures than the {len(images_replacements)} images and "
                f"{len(videos_replacements)} videos given; give one for each {IMAGE} and {VIDEO}"
            ) from fault
        for original, found in zip(text, places, strict=False):
            removed = 0
            for place in found:
                start, end = (at + removed for at in place["span"])
                if original.startswith(wrapped, start):
                    end += len(wrapped) - len(VIDEO)
                    removed += len(wrapped) - len(VIDEO)
                place["span"] = (start, end)
        return texts, places

    @classmethod
    def get_processor_dict(
        cls, pretrained_model_name_or_path: Any, **kwargs: Any
    ) -> tuple[dict[str, Any], Any]:
        """Read the processor's file; where it is another processor's, translate its limits."""
        settings, rest = super().get_processor_dict(pretrained_model_name_or_path, **kwargs)
        if "patches" not in settings:
            settings |= translated(Path(pretrained_model_name_or_path), settings)
        return settings, rest

    def _see(self, pictures: Sequence[np.ndarray]) -> tuple[torch.Tensor, list[Grid]]:
        parts = [cut(frames_THWC, self._shape) for frames_THWC in pictures]
        pixels = [patches_ND for patches_ND, _ in parts]
        return (pixels[0] if len(pixels) == 1 else torch.cat(pixels)), [grid for _, grid in parts]

    def _video_text(self, clip: Clip, grid: Grid) -> str:
        if self.timed == SECONDS:
            return VISION_START + VIDEO * (grid.frames * grid.tokens(self._shape)) + VISION_END
        seen = VISION_START + VIDEO * grid.tokens(self._shape) + VISION_END
        return "".join(time + seen for time in timestamps(clip.times, self._shape.frames))

    def _tokenised(
        self, texts: list[str], named: dict[str, list[str]], text_kwargs: dict[str, Any], with_places: bool
    ) -> dict[str, Any]:
        texts, places = self.get_text_with_replacements(texts, named["image"], named["video"])
        text_kwargs = {"padding": len(texts) > 1, "padding_side": "left"} | text_kwargs
        inputs = dict(self.tokenizer(texts, **text_kwargs))
        for kind, token, number in (
            ("image", IMAGE, self.image_token_id),
            ("video", VIDEO, self.video_token_id),
        ):
            wanted = sum(one.count(token) for one in named[kind])
            found = sum(ids.count(number) for ids in inputs["input_ids"])
            used = sum(place["type"] == kind for one in places for place in one)
            if wanted != found or used != len(named[kind]):
                raise UsageError(
                    f"{len(named[kind])} {kind}s of {wanted} tokens were given, but the texts name {used} of them and "
                    f"hold {found} of their tokens; write one {token} for each, and do not truncate"
                )
        inputs["mm_token_type_ids"] = self.create_mm_token_type_ids(inputs["input_ids"])
        return inputs | ({"text_replacement_offsets": places} if with_places else {})


def _flat(given: Any) -> list[Any]:
    """Return one list of pictures from one, several, or several by text."""
    if given is None:
        return []
    if not isinstance(given, (list, tuple)):
        return [given]
    return [one for each in given for one in _flat(each)]


def _image(given: Any, limits: ImageLimits, shape: PatchShape) -> np.ndarray:
    """Return one uint8 picture of fitted size, (1, H, W, 3)."""
    if isinstance(given, (str, Path)):
        with open_media(given) as medium:
            pixels_HWC = medium.frames_at([medium.info.span.start])[0].image
    else:
        pixels_HWC = np.asarray(given.convert("RGB") if hasattr(given, "convert") else given)
    if pixels_HWC.ndim != 3 or pixels_HWC.shape[-1] != 3 or pixels_HWC.dtype != np.uint8:
        raise UsageError(
            f"an image of shape {tuple(pixels_HWC.shape)} and type {pixels_HWC.dtype} cannot be seen; "
            "give a path, a PIL image, or uint8 RGB of shape (height, width, 3)"
        )
    height, width, _ = pixels_HWC.shape
    size = limits.size(height, width, shape)
    return resized(np.ascontiguousarray(pixels_HWC[None]), size)


AutoProcessor.register(InternVideo3Config, InternVideo3Processor, exist_ok=True)
