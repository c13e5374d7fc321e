"""Makes the function that replaces a point's target: one factory for each action and shape of target.

The order is always the same. Ours, guarded; the program's call, unguarded and with exactly its arguments; ours, guarded.
"""

from __future__ import annotations

import functools
import inspect
import sys
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, TypeAlias

from msgtrace import interning
from msgtrace.context import CURRENT, Cause, Handling
from msgtrace.hook import Action, Deliver, Fetch, Late, Observe, Process, Receivers, Send, Spawned
from msgtrace.probe import MAX_FAILURES, Probe, outcome_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Mapping
    from contextvars import Token

    from msgtrace.records import Message

Call: TypeAlias = "Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]"
"""Calls the target and records: `(original, args, kwargs) -> result`, or an awaitable of it."""


# ---- what happens before and after, shared by the sync and async forms ----------------------------------------------


def _begin(probe: Probe, read: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Sequence of the operation that begins, a list of several, or None."""
    if probe.failures >= MAX_FAILURES:
        return None
    try:
        if not probe.recorder.mine[0]:
            probe.recorder.adopt()
        message = read(*args, **kwargs)
        if message is None:
            return None
        if type(message) is list:
            return [probe.begin(each, 4) for each in message] or None
        return probe.begin(message, 4)
    except Exception as error:  # noqa: BLE001 - the contract with the host program
        probe.failed(error)
        return None


def _end(
    probe: Probe, done: Callable[..., Any] | None, sequence: Any, result: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    try:
        facts = None if done is None else done(sequence, result, *args, **kwargs)
        if probe.propagates and type(sequence) is int:
            from msgtrace.propagation import span_id  # noqa: PLC0415 - opt-in, and it loads OpenTelemetry

            facts = {**(facts or {}), "span_id": f"{span_id(probe.recorder.process_id, sequence):016x}"}
        probe.complete(sequence, facts=facts)
    except Exception as error:  # noqa: BLE001 - the contract with the host program
        probe.failed(error)


def _raised(
    probe: Probe,
    sequence: Any,
    error: BaseException,
    failed: Callable[..., Any] | None = None,
    args: tuple[Any, ...] = (),
    kwargs: dict[str, Any] | None = None,
) -> None:
    try:
        facts = None if failed is None else failed(error, *args, **(kwargs or {}))
        probe.complete(sequence, outcome_of(error), error, facts)
    except Exception as ours:  # noqa: BLE001 - the contract with the host program
        probe.failed(ours)


def _listed(message: Message | list[Message] | None) -> list[Message]:
    if message is None:
        return []
    return message if type(message) is list else [message]  # type: ignore[list-item]  # narrowed by exact type


def _observe(
    probe: Probe,
    read: Callable[..., Any],
    result: Any,
    error: BaseException | None,
    started: int,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> tuple[int, ...]:
    if probe.failures >= MAX_FAILURES:
        return ()
    try:
        if not probe.recorder.mine[0]:
            probe.recorder.adopt()
        messages = _listed(read(result, *args, **kwargs))
        outcome = "ok" if error is None else outcome_of(error)
        return tuple([probe.observe(each, outcome, started, 3) for each in messages])
    except Exception as ours:  # noqa: BLE001 - the contract with the host program
        probe.failed(ours)
        return ()


def _late(probe: Probe, read: Callable[..., Any], result: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    if probe.failures >= MAX_FAILURES:
        return
    try:
        for sequence, outcome, error, facts in read(result, *args, **kwargs) or ():
            probe.complete(sequence, outcome, error, facts)
    except Exception as error:  # noqa: BLE001 - the contract with the host program
        probe.failed(error)


def _deliver(probe: Probe, handling: Probe, read: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Record the receive and the beginning of its handling; the handling's sequence, or None."""
    if probe.failures >= MAX_FAILURES:
        return None
    try:
        if not probe.recorder.mine[0]:
            probe.recorder.adopt()
        message = read(*args, **kwargs)
        if message is None:
            return None
        handler = message.pop("handler", 0)
        about: Message = {"channel": message.get("channel", "")}
        if handler:
            about["handler"] = handler
        # Its cause is the send, somewhere else; what the library's own task once inherited has no part in it.
        about["receipt"] = receipt = probe.observe(message, depth=3, causes=())
        return handling.begin(about, 3, receipt)
    except Exception as error:  # noqa: BLE001 - the contract with the host program
        probe.failed(error)
        return None


# ---- calls that return at once ---------------------------------------------------------------------------------------


def _sync_send(probe: Probe, action: Send) -> Call:
    read, done, failed, scope = action.read, action.done, action.failed, action.scope
    inject = action.inject if interning.settings.propagate else None
    probe.propagates = inject is not None

    def call(original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        sequence = _begin(probe, read, args, kwargs)
        if sequence is None:
            return original(*args, **kwargs)
        if inject is not None:
            args, kwargs = _injected(probe, inject, sequence, args, kwargs)
        cause = Handling(sequence) if scope else None
        token = CURRENT.set(cause) if cause is not None else None
        try:
            result = original(*args, **kwargs)
        except BaseException as error:
            _raised(probe, sequence, error, failed, args, kwargs)
            raise
        finally:
            if cause is not None and token is not None:
                _leave(cause, token)
        _end(probe, done, sequence, result, args, kwargs)
        return result

    return call


def _sync_process(
    probe: Probe,
    start: Callable[[tuple[Any, ...], dict[str, Any]], Any],
    done: Any,
    *,
    spawns: bool = False,
    returned: bool = False,
) -> Call:
    def call(original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        sequence = start(args, kwargs)
        if sequence is None:
            return original(*args, **kwargs)
        cause = Handling(sequence, awaits_future=spawns)
        token = CURRENT.set(cause)
        try:
            result = original(*args, **kwargs)
            if returned:
                cause.future = result
        except BaseException as error:
            _raised(probe, sequence, error)
            raise
        finally:
            _leave(cause, token)
        if cause.future is not None and _follow(probe, cause, sequence):
            return result
        _end(probe, done, sequence, result, args, kwargs)
        return result

    return call


def _sync_fetch(probe: Probe, action: Fetch) -> Call:
    read = action.read

    def call(original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        enclosing = CURRENT.get()
        cause = Cause.fetching(enclosing)
        CURRENT.set(cause)
        started = monotonic_ns()
        result = original(*args, **kwargs)
        cause.fetched(_observe(probe, read, result, None, started, args, kwargs))
        return result

    return call


def _sync_observe(probe: Probe, action: Observe) -> Call:
    read = action.read

    def call(original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        started = monotonic_ns()
        try:
            result = original(*args, **kwargs)
        except BaseException as error:
            _observe(probe, read, None, error, started, args, kwargs)
            raise
        _observe(probe, read, result, None, started, args, kwargs)
        if probe.kind == "settle":
            _settled()
        return result

    return call


def _sync_late(probe: Probe, action: Late) -> Call:
    read, before = action.read, action.before

    def call(original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if before:
            _late(probe, read, None, args, kwargs)
            return original(*args, **kwargs)
        result = original(*args, **kwargs)
        _late(probe, read, result, args, kwargs)
        return result

    return call


# ---- calls that return an awaitable -----------------------------------------------------------------------------------
# The outer function runs when the program makes the call, in the program's own context; the coroutine runs wherever it
# is awaited. Only a fetch needs the former.


def _async_send(probe: Probe, action: Send) -> Call:
    read, done, failed, scope = action.read, action.done, action.failed, action.scope
    inject = action.inject if interning.settings.propagate else None
    probe.propagates = inject is not None

    async def call(original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        sequence = _begin(probe, read, args, kwargs)
        if sequence is None:
            return await original(*args, **kwargs)
        if inject is not None:
            args, kwargs = _injected(probe, inject, sequence, args, kwargs)
        cause = Handling(sequence) if scope else None
        token = CURRENT.set(cause) if cause is not None else None
        try:
            result = await original(*args, **kwargs)
        except BaseException as error:
            _raised(probe, sequence, error, failed, args, kwargs)
            raise
        finally:
            if cause is not None and token is not None:
                _leave(cause, token)
        _end(probe, done, sequence, result, args, kwargs)
        return result

    return call


def _async_process(
    probe: Probe, start: Callable[[tuple[Any, ...], dict[str, Any]], Any], done: Any, *, spawns: bool = False
) -> Call:
    if spawns:
        raise TypeError("a coroutine function awaits its handler")

    async def call(original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        sequence = start(args, kwargs)
        if sequence is None:
            return await original(*args, **kwargs)
        cause = Handling(sequence)
        token = CURRENT.set(cause)
        try:
            result = await original(*args, **kwargs)
        except BaseException as error:
            _raised(probe, sequence, error)
            raise
        finally:
            _leave(cause, token)
        _end(probe, done, sequence, result, args, kwargs)
        return result

    return call


def _async_fetch(probe: Probe, action: Fetch) -> Call:
    read = action.read

    async def fetch(original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], cause: Cause) -> Any:
        started = monotonic_ns()
        result = await original(*args, **kwargs)
        cause.fetched(_observe(probe, read, result, None, started, args, kwargs))
        return result

    def call(original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        cause = Cause.fetching(CURRENT.get())
        CURRENT.set(cause)
        return fetch(original, args, kwargs, cause)

    return call


def _async_observe(probe: Probe, action: Observe) -> Call:
    read = action.read

    async def call(original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        started = monotonic_ns()
        try:
            result = await original(*args, **kwargs)
        except BaseException as error:
            _observe(probe, read, None, error, started, args, kwargs)
            raise
        _observe(probe, read, result, None, started, args, kwargs)
        if probe.kind == "settle":
            _settled()
        return result

    return call


def _async_late(probe: Probe, action: Late) -> Call:
    read, before = action.read, action.before

    async def call(original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if before:
            _late(probe, read, None, args, kwargs)
            return await original(*args, **kwargs)
        result = await original(*args, **kwargs)
        _late(probe, read, result, args, kwargs)
        return result

    return call


# ---- callbacks that a library starts, or iterates over ------------------------------------------------------------------


def _spawned(original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    result = original(*args, **kwargs)
    cause = CURRENT.get()
    if type(cause) is Handling and cause.awaits_future:
        cause.awaits_future, cause.future = False, result
    return result


def receivers(original: Callable[..., Any], probe: Probe, action: Receivers) -> Callable[..., Any]:
    """The replacement of a generator function whose items are called between one `next` and the following."""
    read = action.read

    def run(sending: Handling, receiver: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        sequence = _begin(probe, read, (receiver, *args), kwargs)
        if sequence is None:
            return
        handling = Handling(sequence)

        def ended(error: BaseException | None) -> None:
            sending.receiver = None
            handling.ended()
            if error is None:
                _end(probe, None, sequence, None, (), {})
            else:
                _raised(probe, sequence, error)

        sending.receiver = ended
        CURRENT.set(handling)

    def items(*args: Any, **kwargs: Any) -> Generator[Any, None, None]:
        sending = CURRENT.get()
        for item in original(*args, **kwargs):
            if type(sending) is Handling:
                run(sending, item, args, kwargs)
            yield item
            if type(sending) is Handling and sending.receiver is not None:
                sending.receiver(None)
                CURRENT.set(sending)

    return functools.wraps(original)(items)


# ---- generators: every item is a fetch of its own ---------------------------------------------------------------------


def generator_fetch(original: Callable[..., Any], probe: Probe, action: Fetch) -> Callable[..., Any]:
    """The replacement of a generator function whose items are messages."""
    read = action.read

    def items(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        source = original(*args, **kwargs)
        sent: Any = None
        try:
            while True:
                cause = Cause.fetching(CURRENT.get())
                CURRENT.set(cause)
                started = monotonic_ns()
                try:
                    item = source.send(sent)
                except StopIteration as stop:
                    return stop.value
                cause.fetched(_observe(probe, read, item, None, started, args, kwargs))
                try:
                    sent = yield item
                except GeneratorExit:
                    raise
                except BaseException as error:  # noqa: BLE001 - thrown in by the program, and the source's to judge
                    try:
                        sent = yield source.throw(error)
                    except StopIteration as stop:
                        return stop.value
        finally:
            source.close()

    return functools.wraps(original)(items)


def async_generator_fetch(original: Callable[..., Any], probe: Probe, action: Fetch) -> Callable[..., Any]:
    """The replacement of an async generator function whose items are messages."""
    read = action.read

    async def items(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        source = original(*args, **kwargs)
        sent: Any = None
        try:
            while True:
                cause = Cause.fetching(CURRENT.get())
                CURRENT.set(cause)
                started = monotonic_ns()
                try:
                    item = await source.asend(sent)
                except StopAsyncIteration:
                    return
                cause.fetched(_observe(probe, read, item, None, started, args, kwargs))
                try:
                    sent = yield item
                except GeneratorExit:
                    raise
                except BaseException as error:  # noqa: BLE001 - thrown in by the program, and the source's to judge
                    try:
                        sent = yield await source.athrow(error)
                    except StopAsyncIteration:
                        return
        finally:
            await source.aclose()

    return functools.wraps(original)(items)


# ---- small pieces ------------------------------------------------------------------------------------------------------


def _leave(cause: Handling, token: Token[Cause | None]) -> None:
    """End a handler's scope; tasks that it started keep the cell and see that it ended."""
    if cause.receiver is not None:
        cause.receiver(sys.exc_info()[1])  # guarded itself
    if cause.future is None:
        cause.ended()
    try:
        CURRENT.reset(token)
    except ValueError:
        # The coroutine is closed from another context than it ran in. The cell is ended all the same.
        return


def _follow(probe: Probe, cause: Handling, sequence: Any) -> bool:
    """Let a handler end with its future. The future's exception is looked at without marking it as retrieved."""

    def finished(future: Any) -> None:
        cause.ended()
        error = None if future.cancelled() else getattr(future, "_exception", None)
        try:
            probe.complete(sequence, "cancelled" if future.cancelled() else "raised" if error else "ok", error)
        except Exception as ours:  # noqa: BLE001 - the contract with the host program
            probe.failed(ours)

    try:
        cause.future.add_done_callback(finished)
    except Exception as error:  # noqa: BLE001 - the contract with the host program
        probe.failed(error)
        return False
    cause.future = None
    return True


def _settled() -> None:
    cause = CURRENT.get()
    if cause is not None:
        cause.settled()


def _injected(
    probe: Probe, inject: Callable[..., Any], sequence: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    from msgtrace.propagation import fields_for  # noqa: PLC0415 - opt-in, and it loads OpenTelemetry

    try:
        fields = fields_for(probe, sequence)
        if not fields:
            return args, kwargs
        injected: tuple[tuple[Any, ...], dict[str, Any]] = inject(fields, args, kwargs)
    except Exception as error:  # noqa: BLE001 - the contract with the host program
        probe.failed(error)
        return args, kwargs
    return injected


def caller(action: Action, probe: Probe, handling: Probe, *, awaitable: bool) -> Call:
    """The `Call` of one action.

    Args:
        action: what is recorded.
        probe: records it.
        handling: records the handling, for a `Deliver`.
        awaitable: whether the target returns an awaitable.
    """
    match action:
        case Send():
            return _async_send(probe, action) if awaitable else _sync_send(probe, action)
        case Fetch():
            return _async_fetch(probe, action) if awaitable else _sync_fetch(probe, action)
        case Observe():
            return _async_observe(probe, action) if awaitable else _sync_observe(probe, action)
        case Late():
            return _async_late(probe, action) if awaitable else _sync_late(probe, action)
        case Process():
            read, done = action.read, action.done
            process = _async_process if awaitable else _sync_process
            return process(probe, lambda args, kwargs: _begin(probe, read, args, kwargs), done, spawns=action.spawns)
        case Spawned():
            return _spawned
        case Deliver():
            deliver = action.read

            def start(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
                return _deliver(probe, handling, deliver, args, kwargs)

            if awaitable:
                return _async_process(handling, start, None, spawns=action.spawns)
            return _sync_process(handling, start, None, returned=action.spawns)
    raise TypeError(f"no wrapper for {action!r}")


def wrapper(original: Callable[..., Any], call: Call, *, fetch: bool = False) -> Callable[..., Any]:
    """The function that stands in the place of `original`, with its metadata and its kind."""
    if not inspect.iscoroutinefunction(original):

        def replacement(*args: Any, **kwargs: Any) -> Any:
            return call(original, args, kwargs)

        return functools.wraps(original)(replacement)
    if not fetch:

        async def coroutine(*args: Any, **kwargs: Any) -> Any:
            return await call(original, args, kwargs)

        return functools.wraps(original)(coroutine)
    if sys.version_info >= (3, 12):

        def marked(*args: Any, **kwargs: Any) -> Any:
            return call(original, args, kwargs)

        return inspect.markcoroutinefunction(functools.wraps(original)(marked))
    # Before 3.12 only a function-like proxy can run at the call and still be seen as a coroutine function.
    from wrapt import FunctionWrapper  # noqa: PLC0415 - it loads asyncio, which such a program has

    def enter(wrapped: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        # `wrapped` is bound; our readers want the call as it was written on the class.
        return call(original, (wrapped.__self__, *args) if hasattr(wrapped, "__self__") else args, kwargs)

    return FunctionWrapper(original, enter)


def dispatcher(original: Callable[..., Any], calls: Mapping[Any, Call], argument: int) -> Callable[..., Any]:
    """The replacement of a target that does many things, of which `calls` names the ones that are messaging."""
    get = calls.get

    def replacement(*args: Any, **kwargs: Any) -> Any:
        try:
            call = get(args[argument])
        except (IndexError, TypeError):
            call = None
        if call is None:
            return original(*args, **kwargs)
        return call(original, args, kwargs)

    functools.update_wrapper(replacement, original)
    if sys.version_info >= (3, 12) and inspect.iscoroutinefunction(original):
        return inspect.markcoroutinefunction(replacement)
    return replacement
