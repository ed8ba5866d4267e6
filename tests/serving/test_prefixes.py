"""The tree of what was read: whatever is inserted, said, dropped and evicted, rows stay with their tokens."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from tiny_models import tiny_text  # noqa: E402

from vidence.models.internvideo3.config import InternVideo3TextConfig  # noqa: E402
from vidence.models.internvideo3.ledger import TEXT, VISION  # noqa: E402
from vidence.models.internvideo3.stretch import RowShapes, Stretch  # noqa: E402
from vidence.serving import prefixes  # noqa: E402
from vidence.serving.prefixes import Node, Prefixes  # noqa: E402

CONFIG = InternVideo3TextConfig(**tiny_text(num_hidden_layers=1, kv_lora_rank=2, kv_lora_rank_vision=1))
SHAPES = RowShapes.of(CONFIG, torch.zeros(1))
PICTURE = 5  # keys from here on are of pictures

dialogue = st.lists(st.integers(0, 7), min_size=1, max_size=9)
event = st.one_of(
    st.tuples(st.just("read"), dialogue, st.integers(0, 9)),
    st.tuples(
        st.just("say"), st.integers(0, 5), st.lists(st.integers(0, PICTURE - 1), min_size=1, max_size=5)
    ),
    st.tuples(st.just("leave"), st.integers(0, 5)),
    st.tuples(st.just("evict"), st.integers(0, 40)),
)


def rows(keys: Any, kinds: Any) -> Stretch:
    """Make rows that hold the keys of their tokens."""
    run = Stretch(SHAPES, kinds)
    _write(run, keys, 0)
    return run


def kinds_of(keys: Any) -> Any:
    return torch.where(torch.tensor(keys) >= PICTURE, VISION, TEXT).to(torch.uint8)


def _write(run: Stretch, keys: Any, first: int) -> None:
    for bank, kind in enumerate((TEXT, VISION)):
        before = int((run.kinds_L[:first] == kind).sum())
        mine = torch.tensor(keys)[run.kinds_L[first : first + len(keys)] == kind]
        run.rows[0][bank].rows_BSW[0, before : before + len(mine)] = mine[:, None].float()


def read(tree: Prefixes, leaf: Node, most: int) -> None:
    """Fill at most so many tokens of a path with rows, in order."""
    for node in tree.path(leaf):
        count = min(most, node.length - node.filled)
        assert node.stretch is not None
        _write(node.stretch, node.keys_L[node.filled : node.filled + count], node.filled)
        node.filled += count
        most -= count
        if not node.full:
            return


def check(tree: Prefixes, held: list[tuple[Node, list[int]]]) -> None:
    nodes = list(tree._nodes())
    assert tree.nbytes == sum(node.nbytes for node in nodes)
    for node in nodes:
        assert node.stretch is not None
        assert list(kinds_of(node.keys_L)) == list(node.stretch.kinds_L) == list(node.kinds_L)
        for bank, kind in enumerate((TEXT, VISION)):
            mine = torch.tensor(node.keys_L[: node.filled])[node.kinds_L[: node.filled] == kind].float()
            stored = node.stretch.rows[0][bank].rows_BSW[0, : len(mine)]
            assert torch.equal(stored, mine[:, None].expand_as(stored))
        assert all(key == child.keys_L[0] and child.parent is node for key, child in node.children.items())
    for leaf, keys in held:
        path = tree.path(leaf)
        assert np.concatenate([node.keys_L for node in path]).tolist() == keys
        assert all(node in nodes for node in path)


@settings(max_examples=80, deadline=None)
@given(st.lists(event, max_size=14))
def test_rows_stay_with_their_tokens(events: list[Any]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prefixes, "MERGED_TOKENS", 6)
        tree, held = Prefixes(SHAPES), list[tuple[Node, list[int]]]()
        for name, *how in events:
            if name == "read":
                keys, most = how
                whole = np.array(keys, dtype=np.int64)
                leaf = tree.insert("", whole, kinds_of(keys), (2, 4))
                tree.pin(leaf)
                tree.make_room(leaf)
                read(tree, leaf, most)
                held.append((leaf, keys))
            elif name == "evict":
                tree.evict(how[0])
            elif held:
                at = how[0] % len(held)
                leaf, keys = held[at]
                if name == "leave":
                    tree.unpin(leaf)
                    del held[at]
                elif all(node.full for node in tree.path(leaf)):
                    said = how[1]
                    longer = tree.grow(leaf, np.array(said, dtype=np.int64), rows(said, kinds_of(said)))
                    tree.pin(longer)
                    tree.unpin(leaf)
                    held[at] = (longer, keys + said)
            check(tree, held)
        for leaf, _ in held:
            tree.unpin(leaf)
        check(tree, [])
        tree.evict(0)
        assert tree.nbytes == 0
        assert not list(tree._nodes())


def test_the_least_recently_used_goes_first_and_what_is_stood_on_stays() -> None:
    tree, leaves = Prefixes(SHAPES), list[Node]()
    for first in range(3):
        keys = np.array([first, 9, 9], dtype=np.int64)
        leaf = tree.insert("", keys, kinds_of(keys), ())
        tree.pin(leaf)
        tree.make_room(leaf)
        read(tree, leaf, 3)
        leaves.append(leaf)
    for leaf in leaves[1:]:
        tree.unpin(leaf)
    tree.pin(leaves[1])
    tree.unpin(leaves[1])  # used again, after the third
    tree.evict(2 * leaves[0].nbytes)
    assert set(tree._nodes()) == {leaves[0], leaves[1]}
    tree.evict(0)
    assert set(tree._nodes()) == {leaves[0]}
