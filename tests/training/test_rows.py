"""Rows made beside the loop: dealt to workers, made again from a checkpoint, and every sample of a stream once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch
from toy import configured, write_start

from vidence.models.internvideo3.prefill import attend_apart, attend_beside
from vidence.training.config import Config
from vidence.training.preparing import Preparer
from vidence.training.rows import RowStream


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("start")
    write_start(folder / "fresh")
    return folder / "fresh"


def config(start: Path, out: Path, workers: int) -> Config:
    path = out / f"{workers}.jsonl"
    path.write_text(
        "".join(
            f'{{"messages": [{{"role": "user", "content": "q {at}"}}, {{"role": "assistant", "content": "w{at}"}}]}}\n'
            for at in range(400)
        )
    )
    part = {"kind": "chat", "path": str(path)}
    return configured(out / "run", start, 4, 1e-3, sources=[part], workers=workers)


@pytest.mark.parametrize("workers", [0, 2])
def test_rows_go_on_from_where_they_were(start: Path, tmp_path: Path, workers: int) -> None:
    preparer = Preparer(config(start, tmp_path, workers))
    rows = RowStream(preparer, "first", 0, 0, 1)
    for _ in range(3):
        rows.take()
    state = rows.state()
    wanted = [rows.take()[0].ids_L for _ in range(3)]
    again = RowStream(preparer, "again", 0, 0, 1)
    again.restore(state)
    for each in wanted:
        assert torch.equal(again.take()[0].ids_L, each)


@pytest.mark.parametrize("workers", [0, 2])
def test_workers_and_streams_share_the_samples_out(start: Path, tmp_path: Path, workers: int) -> None:
    preparer = Preparer(config(start, tmp_path, workers))
    tokenizer, seen = preparer.processor.tokenizer, Counter[str]()
    streams = [RowStream(preparer, "once", 0, number, 2) for number in range(2)]
    for _ in range(4):
        for rows in streams:
            pack, _ = rows.take()
            seen.update(tokenizer.decode(pack.targets_N).split("<|im_end|>")[:-1])
    assert len(seen) > 100
    assert set(seen.values()) == {1}


def test_samples_side_by_side_attend_as_they_do_one_after_another() -> None:
    generator = torch.Generator().manual_seed(0)
    query, key, value = (
        torch.randn(1, 4, 37, 16, dtype=torch.float64, generator=generator).requires_grad_() for _ in range(3)
    )
    apart = attend_apart(query, key, value, (5, 20, 37), 0.3)
    beside = attend_beside(query, key, value, (5, 15, 17), 0.3)
    torch.testing.assert_close(beside, apart, rtol=0, atol=1e-12)
    wanted, found = (
        torch.autograd.grad(out.sin().sum(), (query, key, value), retain_graph=True)
        for out in (apart, beside)
    )
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-12)
