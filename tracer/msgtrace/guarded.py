"""Our half of every wrapped call, before and after the program's own: reads, records, and lets no error of ours out."""

from __future__ import annotations

import sys
from time import monotonic_ns
from typing import TYPE_CHECKING, Any

from msgtrace import ignoring
from msgtrace.context import CURRENT, Cause, Handling
from msgtrace.hook import Together
from msgtrace.ignoring import ignored
from msgtrace.native import MAX_FAILURES, native
from msgtrace.probe import Probe, outcome_of
from msgtrace.records import CAUSE_ENDED

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Token

    from msgtrace.records import Facts, Message


def begin(probe: Probe, read: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Record what a call is about to send or handle.

    Returns:
        the operation's sequence, a list of several, or None when there is nothing to record.
    """
    if probe.failures >= MAX_FAILURES or ignored():
        return None
    try:
        if not probe.recorder.mine[0]:
            probe.recorder.adopt()
        message = read(*args, **kwargs)
        if message is None:
            return None
        if type(message) is not list:
            return probe.begin(message, probe.depth)
        return [probe.begin(each, probe.depth) for each in message] or None
    except Exception as error:  # noqa: BLE001 - the contract with the host program
        probe.failed(error)
        return None


def end(
    probe: Probe,
    done: Callable[..., Any] | None,
    sequence: Any,
    result: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> None:
    """Record that a call returned, and what that made known."""
    try:
        facts: Facts | None = None if done is None else done(sequence, result, *args, **kwargs)
        if type(sequence) is int and not probe.propagates and (facts is None or "outcome" not in facts):
            recorder = probe.recorder
            if recorder.mine[0]:  # else begun by the parent, which completes it
                recorder.write(recorder.encode((1, sequence, monotonic_ns(), "ok", None, None, facts)))
            return
        if probe.propagates and type(sequence) is int:
            from msgtrace.propagation import span_id  # noqa: PLC0415 - opt-in, and it loads OpenTelemetry

            facts = {**(facts or {}), "span_id": f"{span_id(probe.recorder.process_id, sequence):016x}"}
        probe.complete(sequence, facts=facts)
    except Exception as error:  # noqa: BLE001 - the contract with the host program
        probe.failed(error)


def raised(
    probe: Probe,
    sequence: Any,
    error: BaseException,
    failed: Callable[..., Any] | None = None,
    args: tuple[Any, ...] = (),
    kwargs: dict[str, Any] | None = None,
) -> None:
    """Record that a call raised, and what that made known."""
    try:
        facts = None if failed is None else failed(error, *args, **(kwargs or {}))
        told = None if facts is None else facts.pop("error", None)
        probe.complete(sequence, outcome_of(error), told or error, facts or None)
    except Exception as ours:  # noqa: BLE001 - the contract with the host program
        probe.failed(ours)


def holds(probe: Probe, when: Callable[..., bool], args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """What a `when` says of a call; False when it fails."""
    if probe.failures >= MAX_FAILURES:
        return False
    try:
        return when(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - the contract with the host program
        probe.failed(error)
        return False


def observe(
    probe: Probe,
    read: Callable[..., Any],
    result: Any,
    error: BaseException | None,
    started: int,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> tuple[int, ...]:
    """Record what a call was, once it is over; the sequences."""
    sequences: tuple[int, ...] = ()
    if probe.failures >= MAX_FAILURES or ignored():
        return sequences
    try:
        if not probe.recorder.mine[0]:
            probe.recorder.adopt()
        message = read(result, *args, **kwargs)
        if message is None:
            return sequences
        outcome = "ok" if error is None else outcome_of(error)
        if type(message) is list:
            sequences = tuple([probe.observe(each, outcome, started, 3) for each in message])
        else:
            sequences = (probe.observe(message, outcome, started, 3),)
        if error is not None and sequences:
            probe.complete(sequences, outcome, error)
    except Exception as ours:  # noqa: BLE001 - the contract with the host program
        probe.failed(ours)
    return sequences


def late(probe: Probe, read: Callable[..., Any], result: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Record what a call told about earlier sends."""
    if probe.failures >= MAX_FAILURES:
        return
    try:
        for told in read(result, *args, **kwargs) or ():
            if type(told) is Together:
                probe.together(told)
            else:
                sequence, outcome, error, facts = told
                probe.complete(sequence, outcome, error, facts)
    except Exception as error:  # noqa: BLE001 - the contract with the host program
        probe.failed(error)


def deliver(
    probe: Probe, handling: Probe, read: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Record the receive and the beginning of its handling; the handling's sequence, or None."""
    if probe.failures >= MAX_FAILURES or ignored():
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
        about["receipt"] = receipt = probe.observe(message, depth=0, causes=())
        return handling.begin(about, 0, receipt)
    except Exception as error:  # noqa: BLE001 - the contract with the host program
        probe.failed(error)
        return None


def leave(cause: Handling, token: Token[Cause | None]) -> None:
    """End a handler's scope; tasks that it started keep the cell and see that it ended."""
    if cause.receiver is not None:
        cause.receiver(sys.exc_info()[1])  # guarded itself
    if cause.future is None:
        cause.state |= CAUSE_ENDED
        cause.home = None
    try:
        CURRENT.reset(token)
    except ValueError:
        # The coroutine is closed from another context than it ran in. The cell is ended all the same.
        return


def follow(probe: Probe, cause: Handling, sequence: Any, task_of: Callable[[Any], Any] | None = None) -> bool:
    """Let a handler go on in its future, and end with it. The future's exception is looked at without marking it as retrieved."""

    def finished(future: Any) -> None:
        cause.ended()
        cancelled = future.cancelled()
        error = None if cancelled else getattr(future, "_exception", None)
        try:
            # Not whether it is true: an error may have a length, of the program's own.
            probe.complete(sequence, "cancelled" if cancelled else "ok" if error is None else "raised", error)
        except Exception as ours:  # noqa: BLE001 - the contract with the host program
            probe.failed(ours)

    try:
        task = cause.future if task_of is None else task_of(cause.future)
        cause.moves_to(task)
        task.add_done_callback(finished)
    except Exception as error:  # noqa: BLE001 - the contract with the host program
        probe.failed(error)
        return False
    cause.future = None
    return True


def settled() -> None:
    """Note that the message being handled was acknowledged."""
    cause = CURRENT.get()
    if cause is not None and cause.sequences is not None:
        cause.settled()


def injected(
    probe: Probe, inject: Callable[..., Any], sequence: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The call's arguments with `traceparent` on the message, where `--propagate` was asked for."""
    try:
        from msgtrace.propagation import fields_for  # noqa: PLC0415 - opt-in, and it loads OpenTelemetry

        fields = fields_for(probe, sequence)
        if not fields:
            return args, kwargs
        injected: tuple[tuple[Any, ...], dict[str, Any]] = inject(fields, args, kwargs)
    except Exception as error:  # noqa: BLE001 - the contract with the host program
        probe.failed(error)
        return args, kwargs
    return injected


if not TYPE_CHECKING and native is not None:
    native.use(CURRENT, end, observe, leave)
    ignoring.tell_native(native)
    begin, end, observe, late, deliver = native.begin, native.end, native.observe, native.late, native.deliver
    leave, settled, follow = native.leave, native.settled, native.follow
