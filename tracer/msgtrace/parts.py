"""Replacements of calls that carry several operations: a pipeline, a move from one queue to another.

Each operation is recorded by an action of its own. The order is that of `calls`: what is sent is begun before the
program's call, everything else is recorded after it.
"""

from __future__ import annotations

import functools
from contextvars import ContextVar
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, Final

from msgtrace.context import CURRENT, Cause
from msgtrace.guarded import begin, end, observe, raised, settled
from msgtrace.hook import Fetch, Observe, Send
from msgtrace.ignoring import ignored
from msgtrace.native import MAX_FAILURES
from msgtrace.wrappers import called_at_once, is_coroutine_function

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from msgtrace.hook import Part, Several
    from msgtrace.probe import Probe

WITHIN: Final[ContextVar[bool]] = ContextVar("msgtrace_within", default=False)
"""True while a call of several parts runs: what the library then calls itself is a part already, for hooks to skip."""


class _Plan:
    """One such call, from its beginning in the caller's own context.

    Args:
        parts: the operations in it.
        probes: by kind.
    """

    __slots__ = ("cell", "enclosing", "parts", "probes", "sequences", "started")

    def __init__(self, parts: list[Part], probes: Mapping[str, Probe]) -> None:
        self.parts = parts
        self.probes = probes
        self.sequences: list[Any] = []
        self.started = 0
        self.enclosing = CURRENT.get()
        self.cell: Cause | None = None
        if any(type(action) is Fetch for action, _, _ in parts):
            self.cell = Cause.fetching(self.enclosing)
            CURRENT.set(self.cell)

    def begin(self) -> None:
        """Begin what is sent. Its cause is what was fetched before, not what this very call fetches."""
        if self.cell is not None:
            CURRENT.set(self.enclosing)
        for action, args, _ in self.parts:
            if type(action) is Send:
                self.sequences.append(begin(self.probes[action.kind], action.read, args, {}))
            else:
                self.sequences.append(None)
        if self.cell is not None:
            CURRENT.set(self.cell)
        WITHIN.set(True)
        self.started = monotonic_ns()

    def end(self, shares: list[tuple[Any, BaseException | None]]) -> None:
        """Record the rest, in the order of the parts.

        Args:
            shares: each part's result, or its error.
        """
        fetched: tuple[int, ...] = ()
        for (action, args, _), sequence, (result, error) in zip(self.parts, self.sequences, shares, strict=True):
            probe = self.probes[action.kind]
            if type(action) is Send:
                if sequence is None:
                    continue
                if error is None:
                    end(probe, action.done, sequence, result, args, {})
                else:
                    raised(probe, sequence, error, action.failed, args, {})
            elif type(action) is Fetch and self.cell is not None:
                if error is None:
                    fetched += observe(probe, action.read, result, None, self.started, args, {})
                    self.cell.fetched(fetched)
            elif type(action) is Observe:
                self._observe(probe, action, result, error, args, own=bool(fetched))

    def _observe(
        self,
        probe: Probe,
        action: Observe,
        result: Any,
        error: BaseException | None,
        args: tuple[Any, ...],
        *,
        own: bool,
    ) -> None:
        """Record what the call also did. What it fetched itself is the cause only of what stands after that."""
        if self.cell is not None and not own:
            CURRENT.set(self.enclosing)
        observe(probe, action.read, result, error, self.started, args, {})
        if action.kind == "settle" and error is None:
            settled()
        if self.cell is not None:
            CURRENT.set(self.cell)


class _Splitter:
    """Plans the calls of one target, and closes them, with no error of ours getting out."""

    __slots__ = ("_probe", "_probes", "_share", "_split")

    def __init__(self, probe: Probe, probes: Mapping[str, Probe], action: Several) -> None:
        self._probe = probe
        self._probes = probes
        self._split = action.split
        self._share = action.share

    def plan(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Plan | None:
        if self._probe.failures >= MAX_FAILURES or ignored():
            return None
        try:
            parts = self._split(*args, **kwargs)
            return _Plan(parts, self._probes) if parts else None
        except Exception as error:  # noqa: BLE001 - the contract with the host program
            self._probe.failed(error)
            return None

    def close(
        self, ours: _Plan, result: Any, error: BaseException | None, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        WITHIN.set(False)
        try:
            if self._share is None:
                ours.end([(result, error)] * len(ours.parts))
            else:
                ours.end(self._share(ours.parts, result, error, *args, **kwargs))
        except Exception as failure:  # noqa: BLE001 - the contract with the host program
            self._probe.failed(failure)


def several(
    original: Callable[..., Any], probe: Probe, probes: Mapping[str, Probe], action: Several
) -> Callable[..., Any]:
    """The replacement of a call of several parts.

    Args:
        original: the target, which may be a coroutine function.
        probe: counts failures of the splitting itself.
        probes: record the parts, by kind.
        action: see there.
    """
    splitter = _Splitter(probe, probes, action)
    if is_coroutine_function(original):
        return called_at_once(original, _coroutine(original, splitter))

    def replacement(*args: Any, **kwargs: Any) -> Any:
        ours = splitter.plan(args, kwargs)
        if ours is None:
            return original(*args, **kwargs)
        ours.begin()
        try:
            result = original(*args, **kwargs)
        except BaseException as error:
            splitter.close(ours, None, error, args, kwargs)
            raise
        splitter.close(ours, result, None, args, kwargs)
        return result

    return functools.update_wrapper(replacement, original)


def _coroutine(original: Callable[..., Any], splitter: _Splitter) -> Callable[..., Any]:
    async def run(ours: _Plan, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        ours.begin()
        try:
            result = await original(*args, **kwargs)
        except BaseException as error:
            splitter.close(ours, None, error, args, kwargs)
            raise
        splitter.close(ours, result, None, args, kwargs)
        return result

    def replacement(*args: Any, **kwargs: Any) -> Any:
        # Planned in the caller's own context, as every fetch: the coroutine may be run in a copy of it.
        ours = splitter.plan(args, kwargs)
        return original(*args, **kwargs) if ours is None else run(ours, args, kwargs)

    return replacement
