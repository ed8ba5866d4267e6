"""What was read before, as a tree: dialogues that begin alike share the rows of their beginning.

L tokens of a node. A node is a run of tokens and their rows; its children go on from it. The path from the root to a
node is a beginning of some dialogue. What no running dialogue stands on may be forgotten, least recently used first.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from vidence.models.internvideo3.ledger import VISION
from vidence.models.internvideo3.stretch import RowShapes, Stretch, joined

MERGED_TOKENS = 1024  # runs of text up to this length become one, so that a long chat is a few runs


class Node:
    """A run of tokens after those of its parent, of which the rows of the first `filled` are there."""

    __slots__ = ("children", "filled", "keys_L", "kinds_L", "parent", "pins", "stretch", "used")

    def __init__(self, keys_L: np.ndarray, kinds_L: Tensor, parent: Node | None) -> None:
        self.keys_L, self.kinds_L, self.parent = keys_L, kinds_L, parent
        self.children: dict[int, Node] = {}
        self.stretch: Stretch | None = None
        self.filled = self.pins = self.used = 0

    @property
    def length(self) -> int:
        """Return L."""
        return len(self.keys_L)

    @property
    def full(self) -> bool:
        """Tell whether all its rows are there."""
        return self.filled == self.length

    @property
    def nbytes(self) -> int:
        """Return the bytes that its rows take."""
        return 0 if self.stretch is None else self.stretch.nbytes

    def adopt(self, child: Node) -> None:
        """Take a node as a child."""
        self.children[int(child.keys_L[0])] = child
        child.parent = self


class Prefixes:
    """The tree. Dialogues of different scopes never share."""

    def __init__(self, shapes: RowShapes) -> None:
        self.shapes = shapes
        self.nbytes = 0
        self.version = 0  # of the tree's form
        self._roots: dict[str, Node] = {}
        self._clock = 0

    def insert(self, scope: str, keys_T: np.ndarray, kinds_T: Tensor, cuts: Sequence[int]) -> Node:
        """Return the node that ends a beginning; what is new of it becomes nodes, cut at `cuts`, without rows yet."""
        root = self._roots.setdefault(scope, Node(keys_T[:0], kinds_T[:0], None))
        node, at = self._walk(root, keys_T)
        for stop in [cut for cut in sorted(cuts) if at < cut < len(keys_T)] + [len(keys_T)]:
            if stop > at:
                child = Node(keys_T[at:stop].copy(), kinds_T[at:stop].clone(), node)
                node.adopt(child)
                node, at = child, stop
                self.version += 1
        return node

    def path(self, leaf: Node) -> list[Node]:
        """Return the nodes from the root's child to this one."""
        nodes = list[Node]()
        node: Node | None = leaf
        while node is not None and node.parent is not None:
            nodes.append(node)
            node = node.parent
        return nodes[::-1]

    def pin(self, leaf: Node) -> None:
        """Hold a beginning."""
        leaf.pins += 1
        self._clock += 1
        for node in self.path(leaf):
            node.used = self._clock

    def unpin(self, leaf: Node) -> None:
        """Let a beginning go: what was never read of it is dropped, what was is kept until it is evicted."""
        leaf.pins -= 1
        node = leaf
        while node.parent is not None and not node.pins and not node.children and not node.full:
            if node.filled:
                self._split(node, node.filled)
            parent = node.parent
            self._remove(node)
            node = parent
        self._merge(node)

    def missing(self, leaf: Node) -> int:
        """Return the bytes that rows will take for which no room has been made."""
        return sum(
            self.shapes.nbytes(self.shapes.counts(node.kinds_L))
            for node in self.path(leaf)
            if node.stretch is None
        )

    def make_room(self, leaf: Node) -> None:
        """Make room for all rows of a beginning."""
        for node in self.path(leaf):
            if node.stretch is None:
                self._give(node, Stretch(self.shapes, node.kinds_L))

    def grow(self, leaf: Node, keys_L: np.ndarray, run: Stretch) -> Node:
        """Go on from a node by tokens whose rows are known; return the node that ends them. It is not pinned."""
        node, at = self._walk(leaf, keys_L, run)
        if at < len(keys_L):
            rest = run.part(at, len(keys_L)) if at else run
            child = Node(keys_L[at:].copy(), rest.kinds_L, node)
            node.adopt(child)
            self._give(child, rest)
            child.filled = child.length
            self.version += 1
            node = child
        self._clock += 1
        node.used = self._clock
        return node

    def evict(self, most_bytes: int) -> None:
        """Forget what nobody stands on, least recently used first, until rows take at most so many bytes."""
        if self.nbytes <= most_bytes:
            return
        free = [(node.used, id(node), node) for node in self._nodes() if _free(node)]
        heapq.heapify(free)
        while free and self.nbytes > most_bytes:
            _, _, node = heapq.heappop(free)
            parent = node.parent
            self._remove(node)
            if parent is not None and _free(parent):
                heapq.heappush(free, (parent.used, id(parent), parent))

    def _walk(self, node: Node, keys_L: np.ndarray, run: Stretch | None = None) -> tuple[Node, int]:
        """Follow keys as far as they are known, and cut the last node where they part; `run` fills what is not full."""
        at = 0
        while at < len(keys_L) and (child := node.children.get(int(keys_L[at]))) is not None:
            same = _alike(child.keys_L, keys_L[at:])
            if same < child.length:
                child = self._split(child, same)
            if run is not None and not child.full:
                self._give(child, run.part(at, at + same))
                child.filled = child.length
            node, at = child, at + same
        return node, at

    def _split(self, node: Node, at: int) -> Node:
        """Cut a node before its token `at`; it stays the lower part, and the upper is returned."""
        upper = Node(node.keys_L[:at], node.kinds_L[:at], node.parent)
        upper.used, upper.filled = node.used, min(node.filled, at)
        if node.parent is not None:
            node.parent.adopt(upper)
        if (whole := node.stretch) is not None:
            self._give(upper, whole.part(0, at))
            self._give(node, whole.part(at, node.length))
        node.keys_L, node.kinds_L, node.filled = node.keys_L[at:], node.kinds_L[at:], max(node.filled - at, 0)
        upper.adopt(node)
        self.version += 1
        return upper

    def _merge(self, node: Node) -> None:
        """Join a node that nobody stands on with those above it, where they are text and short."""
        while (upper := node.parent) is not None and upper.parent is not None:
            alone = not (node.pins or upper.pins or node.children) and len(upper.children) == 1
            short = node.length + upper.length <= MERGED_TOKENS
            words = not bool((torch.cat([upper.kinds_L, node.kinds_L]) == VISION).any())
            if not (
                alone and short and words and upper.stretch and node.stretch and upper.full and node.full
            ):
                return
            whole = joined(upper.stretch, node.stretch)
            self._give(upper, None)
            self._give(node, whole)
            node.keys_L, node.kinds_L = np.concatenate([upper.keys_L, node.keys_L]), whole.kinds_L
            node.filled = node.length
            upper.parent.adopt(node)
            self.version += 1

    def _give(self, node: Node, stretch: Stretch | None) -> None:
        self.nbytes -= node.nbytes
        node.stretch = stretch
        self.nbytes += node.nbytes

    def _remove(self, node: Node) -> None:
        self._give(node, None)
        if node.parent is not None:
            del node.parent.children[int(node.keys_L[0])]
        self.version += 1

    def _nodes(self) -> Iterator[Node]:
        found = [child for root in self._roots.values() for child in root.children.values()]
        while found:
            node = found.pop()
            found.extend(node.children.values())
            yield node


def _free(node: Node) -> bool:
    return not (node.pins or node.children) and node.parent is not None


def _alike(first: np.ndarray, second: np.ndarray) -> int:
    """Return how many keys two runs begin with that are the same."""
    length = min(len(first), len(second))
    differing = (first[:length] != second[:length]).nonzero()[0]
    return int(differing[0]) if len(differing) else length
