"""Write processor_golden.npz: what transformers' Qwen3VLProcessor makes of the requests of processor_cases.

Needs transformers 5.23 and torchvision 0.28 beside torch 2.13, in an environment of their own:
`python tests/models/data/write_processor_golden.py`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

# A torchvision whose compiled half does not load (built for another torch) still imports with these two declared.
_library = torch.library.Library("torchvision", "DEF")
for _name in ("nms", "qnms"):
    _library.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from transformers.models.qwen2_vl.image_processing_qwen2_vl import Qwen2VLImageProcessor  # noqa: E402
from transformers.models.qwen3_vl.processing_qwen3_vl import Qwen3VLProcessor  # noqa: E402
from transformers.models.qwen3_vl.video_processing_qwen3_vl import Qwen3VLVideoProcessor  # noqa: E402
from transformers.video_utils import VideoMetadata  # noqa: E402

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from processor_cases import REQUESTS, Request, pictures, tiny_tokenizer  # noqa: E402

EVERY = 5  # patches kept: one in five is enough to meet every row and column, and keeps the file small


def reference(request: Request) -> dict[str, np.ndarray]:
    """Run one request through the reference; pixels come back as the bytes they were."""
    image = {"min_pixels": 4 * 1024, "max_pixels": 16_384 * 1024} | request.image_limits
    video = {"min_pixels": 16 * 1024, "max_pixels": 32_768 * 4 * 1024} | request.video_limits
    common = {"patch_size": 16, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    capped = video["max_frame_pixels"] is not None
    processor = Qwen3VLProcessor(
        Qwen2VLImageProcessor(
            size={"shortest_edge": image["min_pixels"], "longest_edge": image["max_pixels"]}, **common
        ),
        tiny_tokenizer(),
        Qwen3VLVideoProcessor(
            size={"shortest_edge": video["min_pixels"], "longest_edge": video["max_pixels"]},
            cap_pixels_per_frame=capped,
            max_video_tokens=video["max_frame_pixels"] // 1024 if capped else 768,
            **common,
        ),
    )
    images, videos = pictures(request)
    metadata = [
        VideoMetadata(total_num_frames=len(frames), fps=float(rate), frames_indices=list(range(len(frames))))
        for frames, rate in zip(videos, request.rates_hz, strict=True)
    ]
    given = {"images": images} if images else {}
    given |= {"videos": videos, "video_metadata": metadata, "do_sample_frames": False} if videos else {}
    out = processor(text=request.texts, padding=True, padding_side="left", return_tensors="pt", **given)
    kept = {name: value.numpy() for name, value in out.items()}
    for name in ("pixel_values", "pixel_values_videos"):
        if name in kept:
            values = kept.pop(name)
            levels = np.rint(values * 127.5 + 127.5)
            assert np.array_equal((levels.astype(np.float32) - 127.5) / np.float32(127.5), values), name
            kept[name] = levels[::EVERY].astype(np.uint8)
            kept[f"{name}/count"] = np.array(len(values))
    return kept


def main() -> None:
    """Write every request's results beside this script."""
    arrays = {
        f"{title}/{name}": value
        for title, request in REQUESTS.items()
        for name, value in reference(request).items()
    }
    np.savez_compressed(HERE / "processor_golden.npz", **arrays)


if __name__ == "__main__":
    main()
