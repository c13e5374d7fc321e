"""Follows causes and links through a graph of operations, from what started something to all that came of it. Pure.

Most operations follow from one other: for them the way up is found by pointer jumping over arrays, in as many rounds as
the longest chain's length has bits. What has several possible causes is a head of its own: only heads are looked at one by one.
"""

from __future__ import annotations

import heapq
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from msgtrace_analysis.passes.components import components

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.signedinteger[Any]]
    Bools = NDArray[np.bool_]

MAX_ORIGINS: Final = 64
"""An operation with more possible origins than this is counted for the first of them only."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where every operation comes from. Operations are positions, 0 to n - 1.

    Attributes:
        head: operation -> the nearest one above it, or itself, that has no cause or several.
        depth: operation -> messages sent on the shortest way from an origin, its own included.
        heads: a head for each pair of a head and an origin of it, sorted.
        origins: the origin of that pair: an operation that nothing is known to have caused.
        rank: operation -> the highest rank on the ways from its origins; what it goes back to is no surer than that.
        cut: heads whose origins are more than are kept.
    """

    head: Ints
    depth: Ints
    heads: Ints
    origins: Ints
    rank: Ints
    cut: int


def trace_lineage(sends: Bools, parents: Ints, children: Ints, ranks: Ints) -> Lineage:
    """Find every operation's origins.

    Guessed causes can make a circle: one that nothing leads into is opened at its lowest operation; at the lowest of
    those in it with several possible causes, if there are any.

    Args:
        sends: operation -> whether it sends a message.
        parents: of each edge.
        children: of each edge.
        ranks: of each edge, 0 for the surest.
    """
    many = len(sends)
    own = np.zeros(many, dtype=np.int8)
    np.maximum.at(own, children, np.where(parents == children, 0, ranks).astype(np.int8))
    parents, children = _distinct(parents, children, many)
    above = np.bincount(children, minlength=many).astype(position_type(many))
    single = above[children] == 1
    up = np.arange(many, dtype=position_type(many))
    up[children[single]] = parents[single]
    up, head, sent, rank = _jumped(up, sends, own)
    depth = np.where(up == np.arange(many, dtype=up.dtype), sends, 0).astype(np.int32)
    several = _Several(sends, depth, head, sent, above > 1, rank, own)
    heads, origins = several.follow(parents[~single], children[~single])
    roots = np.nonzero((head == np.arange(many, dtype=head.dtype)) & (above <= 1))[0]
    if len(heads):
        heads, origins = np.concatenate((roots, heads)), np.concatenate((roots, origins))
        order = np.lexsort((origins, heads))
        heads, origins = heads[order], origins[order]
    else:  # most often
        heads = origins = roots
    rank = np.maximum(rank, several.rank[head])
    return Lineage(head, depth[head] + sent, heads, origins, rank, several.cut)


def position_type(many: int) -> type[np.signedinteger[Any]]:
    """What positions of so many operations are kept in: half of the memory where they fit."""
    return np.int32 if many <= np.iinfo(np.int32).max else np.int64


def _distinct(parents: Ints, children: Ints, many: int) -> tuple[Ints, Ints]:
    """Edges, each once, sorted by child, without those to itself."""
    # Not `np.unique`, which looks up each key in a table of them all: sorting takes a tenth of that.
    keys = children.astype(np.int64) * many + parents
    keys.sort()
    keys = keys[_changes(keys)]
    parents, children = keys % max(many, 1), keys // max(many, 1)
    other = parents != children
    kind = position_type(many)
    return parents[other].astype(kind), children[other].astype(kind)


def _changes(sorted_keys: Ints) -> Bools:
    """Which keys are not that before them."""
    first = np.ones(len(sorted_keys), dtype=np.bool_)
    np.not_equal(sorted_keys[1:], sorted_keys[:-1], out=first[1:])
    return first


def _jumped(up: Ints, sends: Bools, own: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """The way to the top.

    Returns:
        the next one up, with circles opened; the top; and from below the top down to each operation the messages that were
        sent, and the highest rank.
    """
    itself = np.arange(len(up), dtype=up.dtype)
    while True:
        top = up
        sent = np.where(up == itself, 0, sends).astype(np.int32)
        rank = np.where(up == itself, np.int8(0), own)
        for _ in range(len(up).bit_length() + 1):
            further = top[top]
            if np.array_equal(further, top):
                break
            sent += sent[top]
            rank = np.maximum(rank, rank[top])
            top = further
        # A circle of two, jumped over twice, looks as if it stood still.
        astray = up[top] != top
        if not astray.any():
            return up, top, sent, rank
        up = _opened(up, np.unique(top[astray]))


def _opened(up: Ints, members: Ints) -> Ints:
    """Open circles at their lowest operations.

    Args:
        up: the next one up.
        members: the operations that are in circles.
    """
    low, jump = np.arange(len(up), dtype=up.dtype), up
    for _ in range(len(up).bit_length() + 1):
        low, jump = np.minimum(low, low[jump]), jump[jump]
    lowest = np.unique(low[members])
    opened = up.copy()
    opened[lowest] = lowest
    return opened


@dataclass(frozen=True, slots=True)
class _Edges:
    """Edges to operations with several possible causes, sorted by operation and head.

    Attributes:
        begins: where an operation's edges begin; as many as there are operations.
        ways: messages sent on the shortest way from below the head to above the operation.
    """

    begins: Ints
    children: Ints
    heads: Ints
    ways: Ints


class _Several:
    """Operations with several possible causes.

    Args:
        depth: of operations without a cause; those of others are filled in.
        path: the highest rank from below the head.
        own: the highest rank of the edges to each operation.
    """

    def __init__(
        self, sends: Bools, depth: Ints, head: Ints, sent: Ints, several: Bools, path: Ints, own: Ints
    ) -> None:
        self._sends, self._depth, self._head, self._sent, self._several = sends, depth, head, sent, several
        self._origins: dict[int, array[int]] = {}
        self._done: set[int] = set()
        self._path = path
        self.rank = np.where(several, own, np.int8(0))
        self.cut = 0

    def follow(self, parents: Ints, children: Ints) -> tuple[Ints, Ints]:
        """Find their origins and depths by the edges to them.

        Returns:
            operations and their origins, in pairs.
        """
        if not len(children):
            return children, parents
        np.maximum.at(self.rank, children, self._path[parents])
        edges = self._edges(parents, children)
        widths = np.diff(np.append(edges.begins, len(edges.children)))
        nested = np.repeat(np.logical_or.reduceat(self._several[edges.heads], edges.begins), widths)
        heads, origins = self._plain(edges, widths, ~nested)
        if nested.any():
            further = self._nested(edges, nested, heads, origins)
            heads, origins = (np.concatenate(pair) for pair in zip((heads, origins), further, strict=True))
        return heads, origins

    def _edges(self, parents: Ints, children: Ints) -> _Edges:
        heads, ways = self._head[parents], self._sent[parents]
        order = np.lexsort((ways, heads, children))
        heads, ways, children = heads[order], ways[order], children[order]
        first = np.ones(len(children), dtype=np.bool_)
        first[1:] = (children[1:] != children[:-1]) | (heads[1:] != heads[:-1])
        heads, ways, children = heads[first], ways[first], children[first]
        return _Edges(np.unique(children, return_index=True)[1], children, heads, ways)

    def _plain(self, edges: _Edges, widths: Ints, plain: Bools) -> tuple[Ints, Ints]:
        """Of operations all of whose heads are origins: all at once."""
        ways = self._depth[edges.heads] + edges.ways
        chosen = plain[edges.begins]
        own = edges.children[edges.begins]
        self._depth[own[chosen]] = np.minimum.reduceat(ways, edges.begins)[chosen] + self._sends[own[chosen]]
        self.cut += int((widths[chosen] > MAX_ORIGINS).sum())
        kept = plain & (np.arange(len(edges.heads)) - np.repeat(edges.begins, widths) < MAX_ORIGINS)
        return edges.children[kept], edges.heads[kept]

    def _nested(self, edges: _Edges, nested: Bools, plain: Ints, origins: Ints) -> tuple[Ints, Ints]:
        """Of operations that follow from others of several causes: one after the other."""
        sources: dict[int, list[tuple[int, int]]] = {}
        chosen = (edges.children[nested].tolist(), edges.heads[nested].tolist(), edges.ways[nested].tolist())
        for each, head, way in zip(*chosen, strict=True):
            sources.setdefault(each, []).append((head, way))
        for each in {head for known in sources.values() for head, _ in known if head not in sources}:
            begin, end = np.searchsorted(plain, (each, each + 1))
            self._origins[each] = array("q", origins[begin:end].tolist() or [each])
        before = len(self._origins)
        for component in components({each: [head for head, _ in known] for each, known in sources.items()}):
            self._settle(component, sources)
        found = list(self._origins.items())[before:]
        heads = np.fromiter((each for each, _ in found), dtype=np.int64, count=len(found))
        widths = np.fromiter((len(known) for _, known in found), dtype=np.int64, count=len(found))
        every = (each for _, known in found for each in known)
        return np.repeat(heads, widths), np.fromiter(every, dtype=np.int64, count=int(widths.sum()))

    def _settle(self, component: Sequence[int], sources: Mapping[int, Sequence[tuple[int, int]]]) -> None:
        inside = set(component)
        found: set[int] = set()
        ready: list[tuple[int, int]] = []
        for each in component:
            for head, way in sources[each]:
                if head not in inside:
                    found.update(self._origins[head])
                    ready.append((int(self._depth[head]) + way + int(self._sends[each]), each))
        if not found:
            found.add(component[0])
            ready.append((int(self._sends[component[0]]), component[0]))
        self.rank[list(component)] = max(
            max(int(self.rank[each]), *(int(self.rank[head]) for head, _ in sources[each])) for each in component
        )
        kept = array("q", sorted(found)[:MAX_ORIGINS])
        self.cut += len(component) if len(found) > MAX_ORIGINS else 0
        self._origins.update(dict.fromkeys(component, kept))
        heapq.heapify(ready)
        self._spread(inside, ready, sources)

    def _spread(
        self, inside: set[int], ready: list[tuple[int, int]], sources: Mapping[int, Sequence[tuple[int, int]]]
    ) -> None:
        """The shortest ways inside of a component (Dijkstra)."""
        below: dict[int, list[tuple[int, int]]] = {}
        if len(inside) > 1:
            for each in inside:
                for head, way in sources[each]:
                    if head in inside:
                        below.setdefault(head, []).append((each, way + int(self._sends[each])))
        while ready:
            depth, each = heapq.heappop(ready)
            if each in self._done:
                continue
            self._done.add(each)
            self._depth[each] = depth
            for other, way in below.get(each, ()):
                heapq.heappush(ready, (depth + way, other))
