"""From a video file to an answer: what the processor makes is what the model takes."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from processor_cases import SEE_IMAGE, picture, tiny_tokenizer
from tiny_models import tiny_text, tiny_vision

from conftest import MakeVideo
from vidence.models.internvideo3.config import InternVideo3Config
from vidence.models.internvideo3.modeling import InternVideo3ForConditionalGeneration
from vidence.models.internvideo3.processing import InternVideo3Processor


@pytest.fixture(scope="module")
def processor() -> InternVideo3Processor:
    return InternVideo3Processor(tiny_tokenizer(), video_limits={"min_pixels": 1, "max_frame_pixels": 8192})


@pytest.fixture(scope="module")
def model(processor: InternVideo3Processor) -> InternVideo3ForConditionalGeneration:
    torch.manual_seed(0)
    config = InternVideo3Config(
        text_config=tiny_text(),
        vision_config=tiny_vision(),
        image_token_id=processor.image_token_id,
        video_token_id=processor.video_token_id,
        vision_start_token_id=processor.vision_start_token_id,
        vision_end_token_id=processor.vision_end_token_id,
    )
    return InternVideo3ForConditionalGeneration(config).eval()


def continued(model: InternVideo3ForConditionalGeneration, inputs: Any) -> list[list[int]]:
    out = model.generate(**inputs, max_new_tokens=5, do_sample=False, eos_token_id=-1, pad_token_id=0)
    return out[:, inputs["input_ids"].shape[1] :].tolist()


def test_a_batch_of_videos_and_images_continues_as_each_alone(
    processor: InternVideo3Processor, model: InternVideo3ForConditionalGeneration, make_video: MakeVideo
) -> None:
    film = make_video("film.mp4", frames=30, fps=10, size=(96, 64))
    still = picture(3, 40, 70)
    texts = [f"See <|video_pad|> and {SEE_IMAGE}: what?", "Only <|video_pad|>", "Nothing to see"]
    batch = processor([still], texts, [film, film])
    alone = [
        processor([still], texts[0], [film]),
        processor(None, texts[1], [film]),
        processor(None, texts[2]),
    ]
    assert batch["input_ids"].shape[0] == 3
    assert continued(model, batch) == [continued(model, one)[0] for one in alone]


def test_the_picture_matters(
    processor: InternVideo3Processor, model: InternVideo3ForConditionalGeneration
) -> None:
    with torch.no_grad():
        one, other = (
            model(**processor([picture(number, 64, 64)], SEE_IMAGE + "?")).logits[0, -1] for number in (0, 9)
        )
    assert (one - other).abs().max() > 1e-3
