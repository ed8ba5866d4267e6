"""The processor: equal to the reference on the same pictures, exact about time, plain about what it cannot see."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from processor_cases import REQUESTS, SEE_IMAGE, SPECIAL, picture, pictures, tiny_tokenizer
from transformers import AutoProcessor

from conftest import MakeVideo, read_number
from vidence.errors import MediaError, UsageError
from vidence.media import open_media
from vidence.models.internvideo3.limits import VideoLimits
from vidence.models.internvideo3.patches import PatchShape
from vidence.models.internvideo3.processing import InternVideo3Processor
from vidence.models.internvideo3.video import Clip, sample
from vidence.timeline import Span

GOLDEN = Path(__file__).parent / "data" / "processor_golden.npz"
EVERY = 5  # the golden file keeps one patch in five


@pytest.fixture(scope="module")
def processor() -> InternVideo3Processor:
    return InternVideo3Processor(tiny_tokenizer())


def levels(pixels: torch.Tensor) -> np.ndarray:
    """Undo the normalisation: the bytes the patches were cut from."""
    return np.rint(pixels.numpy() * 127.5 + 127.5).astype(np.uint8)


@pytest.mark.parametrize("title", REQUESTS)
def test_equals_the_reference(title: str, processor: InternVideo3Processor) -> None:
    request = REQUESTS[title]
    images, videos = pictures(request)
    clips = [Clip.at_rate(frames, rate) for frames, rate in zip(videos, request.rates_hz, strict=True)]
    out = processor(
        images or None,
        request.texts,
        clips or None,
        image_limits=request.image_limits,
        video_limits=request.video_limits,
    )
    with np.load(GOLDEN) as golden:
        wanted = {
            name.partition("/")[2]: golden[name] for name in golden.files if name.startswith(title + "/")
        }
    assert set(out) == {name for name in wanted if "/" not in name}
    for name, value in out.items():
        if name.startswith("pixel_values"):
            assert len(value) == wanted[f"{name}/count"]
            assert np.array_equal(levels(value)[::EVERY], wanted[name])
            assert value.dtype == torch.float32
            assert -1 <= value.min() < -0.9
            assert 0.9 < value.max() <= 1
        else:
            assert np.array_equal(value.numpy(), wanted[name]), name


def test_patches_can_be_put_together_again(processor: InternVideo3Processor) -> None:
    frames = np.stack([picture(number, 64, 96) for number in range(4)])
    out = processor(text="<|video_pad|>", videos=Clip.at_rate(frames, 1), video_limits={"min_pixels": 1})
    times, rows, columns = out["video_grid_thw"][0].tolist()
    patches = levels(out["pixel_values_videos"]).reshape(times, rows // 2, columns // 2, 2, 2, 3, 2, 16, 16)
    again = patches.transpose(0, 6, 1, 3, 7, 2, 4, 8, 5).reshape(2 * times, 16 * rows, 16 * columns, 3)
    assert np.array_equal(again, frames)


def test_a_template_s_marks_around_a_video_go(processor: InternVideo3Processor) -> None:
    clip = Clip.at_rate(np.zeros((4, 32, 32, 3), np.uint8), 2)
    limits = {"min_pixels": 1}
    bare = processor(text="a <|video_pad|> b", videos=clip, video_limits=limits)
    wrapped = processor(
        text="a <|vision_start|><|video_pad|><|vision_end|> b", videos=clip, video_limits=limits
    )
    assert torch.equal(bare["input_ids"], wrapped["input_ids"])
    text = processor.tokenizer.decode(bare["input_ids"][0])
    seen = "<|vision_start|><|video_pad|><|vision_end|>"
    assert text == f"a <0.2 seconds>{seen}<1.2 seconds>{seen} b"


def conversation(*videos: Any) -> list[dict[str, Any]]:
    return [
        {
            "role": "user",
            "content": [
                *({"type": "video", "video": video} for video in videos),
                {"type": "text", "text": "What?"},
            ],
        },
        {"role": "assistant", "content": "A cat."},
    ]


def test_chat_with_masks_for_training(processor: InternVideo3Processor, make_video: MakeVideo) -> None:
    path = make_video("a.mp4", frames=20, fps=10, size=(64, 64))
    out = processor.apply_chat_template(
        conversation(str(path), str(path)),
        tokenize=True,
        return_dict=True,
        return_assistant_tokens_mask=True,
        add_vision_id=True,
    )
    ids, mask = out["input_ids"][0].tolist(), out["assistant_masks"][0]
    trained = [number for number, on in zip(ids, mask, strict=True) if on]
    assert processor.tokenizer.decode(trained) == "A cat.<|im_end|>"
    text = processor.tokenizer.decode(ids)
    assert text.startswith("<|im_start|>user\nVideo 1: <0.3 seconds><|vision_start|><|video_pad|>")
    assert "Video 2: <0.3 seconds>" in text
    assert text.endswith("What?<|im_end|>\n<|im_start|>assistant\nA cat.<|im_end|>\n")
    assert out["video_grid_thw"].tolist() == [[2, 4, 4], [2, 4, 4]]
    kinds = out["mm_token_type_ids"][0]
    assert kinds.sum() == 2 * ids.count(processor.video_token_id) == 2 * 16


def test_texts_are_padded_on_the_left(processor: InternVideo3Processor) -> None:
    out = processor(text=["ab", "abcd"])
    assert out["attention_mask"].tolist() == [[0, 0, 1, 1], [1, 1, 1, 1]]


def test_sampled_times_are_those_of_the_pictures(make_video: MakeVideo) -> None:
    times = [Fraction(number, 10) for number in range(10)] + [Fraction(5), Fraction(6), Fraction(9)]
    path = make_video("variable.mp4", times=times, size=(160, 120), start=Fraction(7, 2), frames=13)
    limits = VideoLimits(fps=2.5, min_frames=4, max_frames=8)
    with open_media(path) as medium:
        clip = sample(medium, limits, PatchShape())
        # 13 pictures of 0.75 s on average are 9.75 s: 24, but at most 8; evenly in time, not in number.
        numbers = [read_number(image) for image in clip.frames_THWC]
        assert len(numbers) == 8
        assert [times[number] for number in numbers] == list(clip.times)
        assert clip.times[0] == 0
        assert clip.times[-1] == 9
        later = sample(medium, limits, PatchShape(), Span(Fraction(8), Fraction(13)))
        # The container's clock starts at 3.5 s: from 8 s on is from 4.5 s on, when picture 9 has stood since 0.9 s.
        assert [float(time) for time in later.times] == [4.5, 5, 6, 9]
        assert [read_number(image) for image in later.frames_THWC] == [9, 10, 11, 12]


def test_a_constant_rate_is_sampled_as_the_reference_does(make_video: MakeVideo) -> None:
    path = make_video("constant.mp4", frames=101, fps=25, size=(96, 96))
    with open_media(path) as medium:
        clip = sample(medium, VideoLimits(fps=2), PatchShape())
    wanted = np.linspace(0, 100, int(101 / 25 * 2)).round().astype(int)
    assert [read_number(image) for image in clip.frames_THWC] == wanted.tolist()
    assert clip.times == tuple(Fraction(int(index), 25) for index in wanted)


def test_pictures_are_made_small_as_they_are_decoded(make_video: MakeVideo) -> None:
    path = make_video("wide.mp4", frames=40, fps=10, size=(640, 360))
    with open_media(path) as medium:
        clip = sample(medium, VideoLimits(fps=10, max_frame_pixels=32 * 1024), PatchShape())
        whole = [frame.image for frame in medium.frames()]
    assert clip.frames_THWC.shape == (40, 128, 224, 3)
    given = InternVideo3Processor(tiny_tokenizer())(
        text="<|video_pad|>",
        videos=Clip.at_rate(np.stack(whole), 10),
        video_limits={"max_frame_pixels": 32 * 1024},
    )
    sampled = InternVideo3Processor(tiny_tokenizer())(
        text="<|video_pad|>", videos=path, video_limits={"fps": 10, "max_frame_pixels": 32 * 1024}
    )
    assert torch.equal(given["pixel_values_videos"], sampled["pixel_values_videos"])
    assert torch.equal(given["input_ids"], sampled["input_ids"])


def test_saved_and_loaded(processor: InternVideo3Processor, tmp_path: Path) -> None:
    mine = InternVideo3Processor(
        tiny_tokenizer(), video_limits={"fps": 4.0, "max_frames": 9}, image_limits={"max_pixels": 8192}
    )
    mine.save_pretrained(tmp_path)
    again = AutoProcessor.from_pretrained(tmp_path)
    assert isinstance(again, InternVideo3Processor)
    assert again.to_dict() == mine.to_dict()
    assert again.video_limits["max_frames"] == 9
    frames = np.stack([picture(number, 40, 40) for number in range(12)])
    for name, value in again(text="<|video_pad|>", videos=Clip.at_rate(frames, 1)).items():
        assert torch.equal(value, mine(text="<|video_pad|>", videos=Clip.at_rate(frames, 1))[name])


def test_limits_of_a_qwen3_vl_folder_are_taken_over(tmp_path: Path) -> None:
    tiny_tokenizer().save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "internvideo3"}')
    (tmp_path / "preprocessor_config.json").write_text(
        '{"size": {"longest_edge": 16777216, "shortest_edge": 65536}, "patch_size": 16, "temporal_patch_size": 2,'
        ' "merge_size": 2, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}'
    )
    (tmp_path / "video_preprocessor_config.json").write_text(
        '{"size": {"longest_edge": 25165824, "shortest_edge": 4096}, "fps": 2, "max_frames": 768}'
    )
    found = AutoProcessor.from_pretrained(tmp_path)
    assert isinstance(found, InternVideo3Processor)
    assert found.image_limits == {"min_pixels": 65536, "max_pixels": 16777216}
    assert (found.video_limits["min_pixels"], found.video_limits["max_pixels"]) == (4096, 25165824)


def test_one_picture_fills_its_temporal_patch(
    processor: InternVideo3Processor, make_video: MakeVideo
) -> None:
    path = make_video("still.mp4", frames=1, size=(96, 64))
    out = processor(text="<|video_pad|>", videos=path)
    assert out["video_grid_thw"][0, 0] == 1
    patches = levels(out["pixel_values_videos"]).reshape(-1, 3, 2, 16, 16)
    assert np.array_equal(patches[:, :, 0], patches[:, :, 1])


def test_more_pictures_than_the_cap_are_thinned_evenly(processor: InternVideo3Processor) -> None:
    frames = np.stack([np.full((64, 64, 3), number, np.uint8) for number in range(21)])
    out = processor(
        text="<|video_pad|>", videos=Clip.at_rate(frames, 2), video_limits={"max_frames": 6, "min_pixels": 1}
    )
    seen = levels(out["pixel_values_videos"]).reshape(3, -1, 3, 2, 256)[:, 0, 0, :, 0]
    assert seen.ravel().tolist() == [0, 4, 8, 12, 16, 20]
    assert "<9.0 seconds>" in processor.tokenizer.decode(out["input_ids"][0])


def test_total_pixels_stay_below_the_limit() -> None:
    shape = PatchShape()
    for frames, height, width in [(1, 1080, 1920), (7, 2160, 3840), (768, 1080, 1920)]:
        limits = VideoLimits(max_pixels=4_000_000)
        high, wide = limits.size(frames, height, width, shape)
        assert high % 32 == wide % 32 == 0
        assert frames * high * wide <= 4_000_000


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        (np.zeros((0, 32, 32, 3), np.uint8), "zero pictures"),
        (np.zeros((2, 0, 32, 3), np.uint8), "32x0"),
        (np.zeros((2, 8, 1700, 3), np.uint8), "212:1; at most 200:1"),
        (np.zeros((2, 32, 32), np.uint8), "uint8 RGB"),
        (np.zeros((2, 32, 32, 3), np.float32), "float32"),
    ],
)
def test_what_cannot_be_seen_is_said(
    processor: InternVideo3Processor, frames: np.ndarray, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        processor(text="<|video_pad|>", videos=Clip.of(frames, [0] * len(frames)))


@pytest.mark.parametrize(
    ("text", "images", "words"),
    [
        ("no picture named", [picture(0, 32, 32)], "1 images .* name 0"),
        (SEE_IMAGE + SEE_IMAGE, [picture(0, 32, 32)], "more pictures than the 1 images"),
        (SEE_IMAGE, None, "0 images .* hold 1"),
        ("<|video_pad|>", [np.zeros((4, 32, 32, 3), np.uint8)], "1 images|cannot be seen"),
    ],
)
def test_texts_and_pictures_must_match(
    processor: InternVideo3Processor, text: str, images: list[np.ndarray] | None, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        processor(images, text)


def test_a_truncated_picture_is_refused(processor: InternVideo3Processor) -> None:
    with pytest.raises(UsageError, match="do not truncate"):
        processor([picture(0, 64, 64)], "see " + SEE_IMAGE, truncation=True, max_length=7)


def test_bare_pictures_have_no_times(processor: InternVideo3Processor) -> None:
    with pytest.raises(UsageError, match=r"Clip\.at_rate"):
        processor(text="<|video_pad|>", videos=np.zeros((4, 32, 32, 3), np.uint8))
    with pytest.raises(UsageError, match="4 pictures but 3 times"):
        Clip.of(np.zeros((4, 32, 32, 3), np.uint8), [0, 1, 2])
    with pytest.raises(UsageError, match="go back"):
        Clip.of(np.zeros((2, 32, 32, 3), np.uint8), [1, 0])


def test_a_span_without_pictures_is_said(make_video: MakeVideo) -> None:
    with (
        open_media(make_video("short.mp4", frames=10)) as medium,
        pytest.raises(MediaError, match="no picture"),
    ):
        sample(medium, VideoLimits(), PatchShape(), Span(Fraction(50), Fraction(60)))


def test_a_wrong_limit_is_named(processor: InternVideo3Processor) -> None:
    with pytest.raises(UsageError, match="no limit is named rate; there are fps"):
        processor(
            text="x", videos=Clip.at_rate(np.zeros((2, 32, 32, 3), np.uint8), 1), video_limits={"rate": 3}
        )
    with pytest.raises(UsageError, match="-1"):
        VideoLimits(fps=-1)


def test_a_tokenizer_without_vision_tokens_is_refused() -> None:
    from transformers import PreTrainedTokenizerFast

    plain = tiny_tokenizer().backend_tokenizer
    text = plain.to_str().replace("<|video_pad|>", "<|other|>")
    other = PreTrainedTokenizerFast(tokenizer_object=type(plain).from_str(text), eos_token=SPECIAL[2])
    with pytest.raises(UsageError, match=r"does not know <\|video_pad\|>"):
        InternVideo3Processor(other)


def test_an_image_is_the_same_from_a_file_a_pil_image_and_pixels(
    processor: InternVideo3Processor, tmp_path: Path
) -> None:
    image = pytest.importorskip("PIL.Image")
    pixels = picture(1, 50, 75)
    image.fromarray(pixels).save(tmp_path / "a.png")
    transparent = image.fromarray(np.dstack([pixels, np.full((50, 75), 40, np.uint8)]), "RGBA")
    seen = [
        processor([given], SEE_IMAGE)["pixel_values"]
        for given in (
            pixels,
            image.fromarray(pixels),
            transparent,
            tmp_path / "a.png",
            str(tmp_path / "a.png"),
        )
    ]
    for one in seen[1:]:
        assert torch.equal(one, seen[0])
    with pytest.raises(UsageError, match=r"shape \(50, 75\)"):
        processor([pixels[..., 0]], SEE_IMAGE)
