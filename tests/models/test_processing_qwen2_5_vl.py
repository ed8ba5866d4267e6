"""The processor of a Qwen2.5-VL folder: patches of 14, times in seconds instead of in words, and a whole conversion."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

import numpy as np  # noqa: E402
from convert_cases import converted, save_lively  # noqa: E402
from processor_cases import picture, tiny_tokenizer  # noqa: E402
from tiny_models_qwen2_5_vl import SHAPE, TOWER  # noqa: E402
from transformers.models.qwen2_5_vl import (  # noqa: E402
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
)
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil  # noqa: E402

from conftest import MakeVideo  # noqa: E402
from vidence.models.internvideo3.conversation import Conversation  # noqa: E402
from vidence.models.internvideo3.convert.samples import read_corpus  # noqa: E402
from vidence.models.internvideo3.convert.source import open_source  # noqa: E402
from vidence.models.internvideo3.processing import InternVideo3Processor  # noqa: E402
from vidence.models.internvideo3.video import Clip  # noqa: E402

PUBLISHED = """{
  "min_pixels": 3136, "max_pixels": 12845056, "patch_size": 14, "temporal_patch_size": 2, "merge_size": 2,
  "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711],
  "image_processor_type": "Qwen2VLImageProcessor", "processor_class": "Qwen2_5_VLProcessor"
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder as Qwen2.5-VL is published: model, tokenizer, preprocessor_config.json."""
    folder = tmp_path_factory.mktemp("published")
    tokenizer = tiny_tokenizer()
    marks: dict[str, Any] = {
        f"{name}_token_id": tokenizer.convert_tokens_to_ids(f"<|{text}|>")
        for name, text in (
            ("image", "image_pad"),
            ("video", "video_pad"),
            ("vision_start", "vision_start"),
            ("vision_end", "vision_end"),
        )
    }
    torch.manual_seed(0)
    config = Qwen2_5_VLConfig(text_config=dict(SHAPE), vision_config=dict(TOWER), **marks)
    save_lively(Qwen2_5_VLForConditionalGeneration(config), folder)
    tokenizer.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(PUBLISHED)
    return folder


def test_times_are_told_in_seconds(folder: Path) -> None:
    processor = InternVideo3Processor.from_pretrained(folder)
    frames = np.stack([picture(number, 56, 84) for number in range(6)])
    clip = Clip.at_rate(frames, Fraction(4))
    out = processor(
        text="a <|vision_start|><|video_pad|><|vision_end|> b", videos=clip, video_limits={"min_pixels": 1}
    )
    assert out["video_grid_thw"].tolist() == [[3, 4, 6]]
    assert out["second_per_grid_ts"].tolist() == [0.5]  # two pictures, four a second
    seen = "<|vision_start|>" + "<|video_pad|>" * (3 * 4 * 6 // 4) + "<|vision_end|>"
    assert processor.tokenizer.decode(out["input_ids"][0]) == f"a {seen} b"
    assert int(out["mm_token_type_ids"].sum()) == 2 * 18
    assert "second_per_grid_ts" in processor.model_input_names


def test_patches_equal_the_reference(folder: Path) -> None:
    pixels_HWC = picture(3, 56, 84)
    wanted = Qwen2VLImageProcessorPil.from_pretrained(folder)(images=[pixels_HWC], return_tensors="pt")
    out = InternVideo3Processor.from_pretrained(folder)(
        text="<|vision_start|><|image_pad|><|vision_end|>", images=[pixels_HWC]
    )
    assert torch.equal(out["image_grid_thw"], wanted["image_grid_thw"])
    torch.testing.assert_close(out["pixel_values"], wanted["pixel_values"], atol=1e-5, rtol=1e-5)
    assert "second_per_grid_ts" not in out


def test_limits_are_those_of_each_picture_and_are_kept(folder: Path, tmp_path: Path) -> None:
    processor = InternVideo3Processor.from_pretrained(folder)
    assert processor.image_limits == {"min_pixels": 3136, "max_pixels": 12845056}
    assert processor.video_limits["max_frame_pixels"] == 768 * 28**2
    processor.save_pretrained(tmp_path)
    again = InternVideo3Processor.from_pretrained(tmp_path)
    assert (again.timed, again.patches["patch_px"]) == ("seconds", 14)


def test_a_model_is_calibrated_on_videos_and_talks_about_one(
    folder: Path, tmp_path: Path, make_video: MakeVideo
) -> None:
    videos = [make_video(f"{number}.mp4", frames=20 + number, fps=5, size=(112, 84)) for number in range(3)]
    corpus = read_corpus(open_source(folder), videos, length=200, limit=4)
    assert all(0 < int(sample.vision_L.sum()) < 200 for sample in corpus.samples)
    sample = corpus.samples[0]
    steps = sample.positions_3L[0, sample.vision_L].unique().diff()
    # Two pictures a second and two a patch: a patch lasts about a second, which is two positions of time.
    assert bool(((steps >= 1) & (steps <= 3)).all())
    model, done = converted(folder, tmp_path / "converted", "100%", list(corpus.samples))
    assert done.measured.agreement["vision"].nats < 1e-2
    talk = Conversation(model, InternVideo3Processor.from_pretrained(tmp_path / "converted"))
    talk.say("What happens?", videos=[videos[0]], max_new_tokens=4, do_sample=False)
    before = int(talk.cache.ledger.next_position_B()[0])
    talk.say("And here?", videos=[videos[1]], max_new_tokens=4, do_sample=False)
    assert int(talk.cache.ledger.next_position_B()[0]) > before
