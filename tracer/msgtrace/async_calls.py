"""Replacements of coroutine functions: `calls` once more, with every call of the program's awaited.

Only a fetch does something when it is called, in the program's own context; everything else happens where it is awaited.
"""

from __future__ import annotations

from time import monotonic_ns
from typing import TYPE_CHECKING, Any

from msgtrace import interning
from msgtrace.context import CURRENT, Cause, Handling, Sending
from msgtrace.context import fetch as fetch_begins
from msgtrace.guarded import begin, deliver, end, holds, injected, late, leave, observe, raised, settled

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace.hook import Deliver, Fetch, Late, Observe, Process, Send
    from msgtrace.probe import Probe


def send(original: Callable[..., Any], probe: Probe, action: Send) -> Callable[..., Any]:
    """A send, during which its receivers run if it is a scope."""
    read, done, failed, scope = action.read, action.done, action.failed, action.scope
    inject = action.inject if interning.settings.propagate else None
    probe.propagates = inject is not None

    async def replacement(*args: Any, **kwargs: Any) -> Any:
        sequence = begin(probe, read, args, kwargs)
        if sequence is None:
            return await original(*args, **kwargs)
        if inject is not None:
            args, kwargs = injected(probe, inject, sequence, args, kwargs)
        cause = Sending(sequence) if scope else None
        token = CURRENT.set(cause) if cause is not None else None
        try:
            result = await original(*args, **kwargs)
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
    """The running of a handler."""
    read, done = action.read, action.done

    async def replacement(*args: Any, **kwargs: Any) -> Any:
        sequence = begin(probe, read, args, kwargs)
        if sequence is None:
            return await original(*args, **kwargs)
        cause = Handling(sequence)
        token = CURRENT.set(cause)
        try:
            result = await original(*args, **kwargs)
        except BaseException as error:
            raised(probe, sequence, error)
            raise
        finally:
            leave(cause, token)
        end(probe, done, sequence, result, args, kwargs)
        return result

    return replacement


def delivery(original: Callable[..., Any], probe: Probe, handling: Probe, action: Deliver) -> Callable[..., Any]:
    """The delivery of a message to a handler."""
    read = action.read

    async def replacement(*args: Any, **kwargs: Any) -> Any:
        sequence = deliver(probe, handling, read, args, kwargs)
        if sequence is None:
            return await original(*args, **kwargs)
        cause = Handling(sequence)
        token = CURRENT.set(cause)
        try:
            result = await original(*args, **kwargs)
        except BaseException as error:
            raised(handling, sequence, error)
            raise
        finally:
            leave(cause, token)
        end(handling, None, sequence, result, args, kwargs)
        return result

    return replacement


def fetch(original: Callable[..., Any], probe: Probe, action: Fetch) -> Callable[..., Any]:
    """A fetch: no coroutine function, but a function that returns a coroutine. `wrappers` hides the difference."""
    read, when = action.read, action.when

    async def fetching(cause: Cause, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        started = monotonic_ns()
        result = await original(*args, **kwargs)
        cause.fetched(observe(probe, read, result, None, started, args, kwargs))
        return result

    def replacement(*args: Any, **kwargs: Any) -> Any:
        if when is not None and not holds(probe, when, args, kwargs):
            return original(*args, **kwargs)
        return fetching(fetch_begins(), args, kwargs)

    return replacement


def observation(original: Callable[..., Any], probe: Probe, action: Observe) -> Callable[..., Any]:
    """What is recorded once it is over."""
    read, settles = action.read, action.kind == "settle"

    async def replacement(*args: Any, **kwargs: Any) -> Any:
        started = monotonic_ns()
        try:
            result = await original(*args, **kwargs)
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

    async def replacement(*args: Any, **kwargs: Any) -> Any:
        if before:
            late(probe, read, None, args, kwargs)
            return await original(*args, **kwargs)
        result = await original(*args, **kwargs)
        late(probe, read, result, args, kwargs)
        return result

    return replacement
