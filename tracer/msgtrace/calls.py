"""Replacements of functions that return at once: one factory for each action.

The order is always the same. Ours, guarded; the program's call, unguarded and with exactly its arguments; ours, guarded.
"""

from __future__ import annotations

from time import monotonic_ns
from typing import TYPE_CHECKING, Any

from msgtrace import interning
from msgtrace.context import CURRENT, Handling, Sending
from msgtrace.context import fetch as fetch_begins
from msgtrace.guarded import begin, deliver, end, follow, holds, injected, late, leave, observe, raised, settled
from msgtrace.records import CAUSE_ELSEWHERE, CAUSE_ENDED

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace.hook import Deliver, Fetch, Late, Observe, Process, Send
    from msgtrace.probe import Probe


def send(original: Callable[..., Any], probe: Probe, action: Send) -> Callable[..., Any]:
    """A send, during which its receivers run if it is a scope."""
    read, done, failed, scope = action.read, action.done, action.failed, action.scope
    inject = action.inject if interning.settings.propagate else None
    probe.propagates = inject is not None

    def replacement(*args: Any, **kwargs: Any) -> Any:
        sequence = begin(probe, read, args, kwargs)
        if sequence is None:
            return original(*args, **kwargs)
        if inject is not None:
            args, kwargs = injected(probe, inject, sequence, args, kwargs)
        cause = Sending(sequence) if scope else None
        token = CURRENT.set(cause) if cause is not None else None
        try:
            result = original(*args, **kwargs)
        except BaseException as error:
            raised(probe, sequence, error, failed, args, kwargs)
            raise
        finally:
            if cause is not None and token is not None:
                leave(cause, token)
        end(probe, done, sequence, result, args, kwargs)
        return result

    return replacement


def process(original: Callable[..., Any], probe: Probe, action: Process) -> Callable[..., Any]:
    """The running of a handler, which may go on in a future that a `Spawned` point sees made."""
    read, done, spawns = action.read, action.done, action.spawns

    def replacement(*args: Any, **kwargs: Any) -> Any:
        sequence = begin(probe, read, args, kwargs)
        if sequence is None:
            return original(*args, **kwargs)
        cause = Handling(sequence, awaits_future=spawns)
        token = CURRENT.set(cause)
        try:
            result = original(*args, **kwargs)
        except BaseException as error:
            raised(probe, sequence, error)
            raise
        finally:
            leave(cause, token)
        if cause.future is not None and follow(probe, cause, sequence):
            return result
        if cause.swallowed is not None:
            raised(probe, sequence, cause.swallowed)
            cause.swallowed = None  # a task of the handler's may keep the cell, and would keep the frames of the error
            return result
        end(probe, done, sequence, result, args, kwargs)
        return result

    return replacement


def delivery(original: Callable[..., Any], probe: Probe, handling: Probe, action: Deliver) -> Callable[..., Any]:
    """The delivery of a message to a handler, which may go on in the future that the call returns."""
    read, spawns = action.read, action.spawns

    def replacement(*args: Any, **kwargs: Any) -> Any:
        sequence = deliver(probe, handling, read, args, kwargs)
        if sequence is None:
            return original(*args, **kwargs)
        cause = Handling(sequence)
        token = CURRENT.set(cause)
        try:
            result = original(*args, **kwargs)
            if spawns:
                cause.future = result
        except BaseException as error:
            raised(handling, sequence, error)
            raise
        finally:
            leave(cause, token)
        if cause.future is not None and follow(handling, cause, sequence, action.task):
            return result
        end(handling, None, sequence, result, args, kwargs)
        return result

    return replacement


def fetch(original: Callable[..., Any], probe: Probe, action: Fetch) -> Callable[..., Any]:
    """A fetch; whatever it returns, it ends what was fetched before."""
    read, when = action.read, action.when

    def replacement(*args: Any, **kwargs: Any) -> Any:
        if when is not None and not holds(probe, when, args, kwargs):
            return original(*args, **kwargs)
        cause = fetch_begins()
        started = monotonic_ns()
        result = original(*args, **kwargs)
        sequences = observe(probe, read, result, None, started, args, kwargs)
        if sequences:
            cause.fetched(sequences)
            if CURRENT.get() is not cause:  # a fetch inside this one has put its own cell there
                CURRENT.set(cause)
        return result

    return replacement


def observation(original: Callable[..., Any], probe: Probe, action: Observe) -> Callable[..., Any]:
    """What is recorded once it is over."""
    read, settles = action.read, action.kind == "settle"

    def replacement(*args: Any, **kwargs: Any) -> Any:
        started = monotonic_ns()
        try:
            result = original(*args, **kwargs)
        except BaseException as error:
            observe(probe, read, None, error, started, args, kwargs)
            raise
        observe(probe, read, result, None, started, args, kwargs)
        if settles:
            settled()
        return result

    return replacement


def late_facts(original: Callable[..., Any], probe: Probe, action: Late) -> Callable[..., Any]:
    """A call that tells the fate of earlier sends."""
    read, before = action.read, action.before

    def replacement(*args: Any, **kwargs: Any) -> Any:
        if before:
            late(probe, read, None, args, kwargs)
            return original(*args, **kwargs)
        result = original(*args, **kwargs)
        late(probe, read, result, args, kwargs)
        return result

    return replacement


def spawned(original: Callable[..., Any]) -> Callable[..., Any]:
    """A call whose result is the future in which the enclosing handler goes on."""

    def replacement(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        cause = CURRENT.get()
        if type(cause) is Handling and cause.awaits_future:
            cause.awaits_future, cause.future = False, result
        return result

    return replacement


def spawned_further(original: Callable[..., Any]) -> Callable[..., Any]:
    """A call whose result is the task that the enclosing handler's own task goes on in."""

    def replacement(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        cause = CURRENT.get()
        if type(cause) is Handling and not cause.state_here() & (CAUSE_ELSEWHERE | CAUSE_ENDED):
            cause.moves_to(result)
        return result

    return replacement
