"""Sequences that go on from rows they share, side by side, are told apart from ones that are read alone by nothing."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tiny_models import make_tiny, prompt  # noqa: E402

from vidence.models.internvideo3 import kernels  # noqa: E402
from vidence.models.internvideo3.latent import LatentCache  # noqa: E402
from vidence.models.internvideo3.ledger import TEXT, VISION  # noqa: E402
from vidence.models.internvideo3.onward import Onward  # noqa: E402
from vidence.models.internvideo3.passes import Features, look, run  # noqa: E402
from vidence.models.internvideo3.slots import Slots  # noqa: E402
from vidence.models.internvideo3.stretch import RowShapes, Stretch, joined  # noqa: E402

CHANGES = {
    "one bank": {},
    "two banks": {"kv_lora_rank_vision": 16},
    "8 bits": {"latent_storage": "int8"},
    "release": {"attention_layout": "release"},
}
SEEN = 5  # tokens before the video
ANSWER = 3


class Whole:
    """Prompts that share a video, and the hidden states of each as the model reads it alone with its own cache."""

    def __init__(self, model: Any, *tails: int) -> None:
        self.model, self.decoder = model, model.model.language_model
        self.prompts = [prompt(SEEN, (2, 4, 4), tail) for tail in tails]
        self.visual = [one["mm_token_type_ids"][0] > 0 for one in self.prompts]
        grids = self.prompts[0]["video_grid_thw"].tolist()
        self.features = look(model.model, self.prompts[0]["pixel_values_videos"], grids)
        placed = ("input_ids", "mm_token_type_ids", "video_grid_thw")
        self.positions = [
            model.model.get_rope_index(**{name: one[name] for name in placed})[0] for one in self.prompts
        ]

    def alone(self, at: int) -> Any:
        """Return the states of the last tokens, read one by one as an answer is said."""
        ids, positions, cache = self.prompts[at]["input_ids"], self.positions[at], self.cache()
        first = ids.shape[1] - ANSWER
        self._run(at, slice(0, first), cache)
        steps = [
            run(self.decoder, ids[:, now : now + 1], positions[..., now : now + 1], cache)
            for now in range(first, ids.shape[1])
        ]
        return torch.cat(steps, 1)[0]

    def cache(self) -> LatentCache:
        return LatentCache(self.model.config.text_config)

    def read(self, at: int, span: slice, cache: Any) -> None:
        self._run(at, span, cache)

    def _run(self, at: int, span: slice, cache: Any) -> None:
        visual = self.visual[at][None, span]
        first = int(self.visual[at][: span.start].sum())
        features: Features | None = self.features.span(first, first + int(visual.sum()))
        run(
            self.decoder, self.prompts[at]["input_ids"][:, span], self.positions[at][..., span], cache,
            visual_BL=visual, features=features if visual.any() else None,
        )  # fmt: skip

    def kinds(self, at: int, span: slice) -> Any:
        return torch.where(self.visual[at][span], VISION, TEXT).to(torch.uint8)


@torch.no_grad()
@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("by_kernels", [False, True], ids=["torch", "kernels"])
def test_a_shared_video_is_read_once_and_each_goes_on_as_if_alone(
    changes: dict[str, Any], by_kernels: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_tiny(**changes)
    if by_kernels:
        pytest.importorskip("triton")
        monkeypatch.setenv("TRITON_INTERPRET", "1")
    tails = (9, 40, 17)
    whole = Whole(model, *tails)
    shapes = RowShapes.of(model.config.text_config, model.lm_head.weight)
    length = whole.prompts[0]["input_ids"].shape[1] - tails[0]

    video = Stretch(shapes, whole.kinds(0, slice(0, length)))
    for start in range(0, length, 7):  # a few tokens at once, within a frame too
        whole.read(0, slice(start, min(start + 7, length)), Onward([], video, start))
    header, video = video.part(0, SEEN), video.part(SEEN, length)
    slots, members = Slots(shapes), list[int]()
    for at, tail in enumerate(tails):
        span = slice(length, length + tail - ANSWER)
        own = Stretch(shapes, whole.kinds(at, span))
        whole.read(at, span, Onward([header, video], own, 0))
        members.append(slots.join([header, own]))
    slots.shared = [[(torch.tensor(members), video)]]

    def step(number: int, present: list[int]) -> Any:
        now = [length + tails[at] - ANSWER + number for at in present]
        ids = torch.stack([whole.prompts[at]["input_ids"][0, t] for at, t in zip(present, now, strict=True)])
        positions = torch.stack([whole.positions[at][:, 0, t] for at, t in zip(present, now, strict=True)], 1)
        return run(whole.decoder, ids[:, None], positions[..., None], slots)[:, 0]

    alone = [whole.alone(at) for at in range(3)]
    assert not by_kernels or kernels.available(torch.zeros(1, 4, 1, 24), video.rows[0][0])
    tolerance = {"atol": 2e-2 if "latent_storage" in changes else 2e-5, "rtol": 0}
    together = step(0, [0, 1, 2])
    torch.testing.assert_close(together, torch.stack([each[0] for each in alone]), **tolerance)
    slots.leave(0)  # the last takes its place
    slots.shared = [[(torch.tensor([0, 1]), video)]]
    together = step(1, [2, 1])
    torch.testing.assert_close(together, torch.stack([alone[2][1], alone[1][1]]), **tolerance)
    # What was said so far becomes a run of its own, and is seen as before.
    start = slots.filled[1][0] - 2
    said = slots.said(1, start)
    slots.cut(1, start)
    slots.shared = [[(torch.tensor([0, 1]), video)], [(torch.tensor([1]), said)]]
    together = step(2, [2, 1])
    torch.testing.assert_close(together, torch.stack([alone[2][2], alone[1][2]]), **tolerance)


def test_runs_are_cut_and_joined_without_loss_and_weigh_what_they_hold() -> None:
    model = make_tiny(**CHANGES["two banks"])
    shapes = RowShapes.of(model.config.text_config, model.lm_head.weight)
    kinds = torch.tensor([TEXT, TEXT, VISION, VISION, VISION, TEXT], dtype=torch.uint8)
    run_ = Stretch(shapes, kinds)
    for layer in run_.rows:
        for bank in layer:
            bank.rows_BSW.normal_()
    parts = run_.part(0, 3), run_.part(3, 6)
    assert [part.counts for part in parts] == [[2, 1], [1, 2]]
    assert sum(part.nbytes for part in parts) == run_.nbytes == 4 * 4 * (3 * (24 + 8) + 3 * (16 + 8))
    again = joined(*parts)
    for layer, other in zip(run_.rows, again.rows, strict=True):
        for bank, same in zip(layer, other, strict=True):
            assert torch.equal(bank.rows_BSW, same.rows_BSW)
