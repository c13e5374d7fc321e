"""Operations that one call does not tell: a message made inside the call, an end that comes with a future.

A producer's `send` takes objects; what goes over the wire, and where to, is known only inside it, and its end only
when the broker has answered. The replacements here record each of these where it is known, in the order of `calls`.
"""

from __future__ import annotations

import functools
import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar, Final

from msgtrace import interning
from msgtrace.guarded import begin, injected, raised, settled
from msgtrace.hook import Made, Submit, Until
from msgtrace.ignoring import ignored
from msgtrace.native import MAX_FAILURES, native
from msgtrace.probe import outcome_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from msgtrace.probe import Probe
    from msgtrace.records import Message

_frame = sys._getframe  # noqa: SLF001 - the documented way to a frame without a traceback


class SubmissionInPython:
    """What `_native.Submission` is, for where there is none."""

    __slots__ = ("frame", "made", "owner")

    def __init__(self, owner: Any, frame: FrameType | None) -> None:
        self.owner = owner
        self.frame = frame
        self.made = False


if TYPE_CHECKING or native is None:  # noqa: SIM108 - type checkers follow no conditional expression
    Submission = SubmissionInPython
else:
    Submission = native.Submission


class Pending(Submission):
    """A submission that goes on.

    Attributes:
        frame: the code that made the call.
        made: the message has been recorded.
        owner: the first argument of the call, e.g. the producer.
        sequence: the operation's, where something in the message depends on it; 0: it gets one when made.
        span: ids of the span that the message was given for `--propagate`, as its fields.
    """

    __slots__ = ()
    sequence: int = 0
    span: ClassVar[dict[str, str]] = {}


class Marked(Pending):
    """A submission whose message carries its operation's own span."""

    __slots__ = ("sequence", "span")

    def __init__(self, owner: Any, frame: FrameType | None, sequence: int) -> None:
        super().__init__(owner, frame)
        self.sequence = sequence
        self.span: dict[str, str] = {}  # type: ignore[misc]  # its own, not the class's


PENDING: Final[ContextVar[Pending | None]] = ContextVar("msgtrace_pending", default=None)


def deferred(original: Callable[..., Any], probe: Probe, action: Submit | Made | Until) -> Callable[..., Any]:
    """The function that stands in the place of `original`."""
    match action:
        case Submit():
            return submit(original, probe, action)
        case Made():
            return made(original, probe, action)
        case Until():
            return until(original, probe, action)


def submit(original: Callable[..., Any], probe: Probe, action: Submit) -> Callable[..., Any]:
    """A send whose message is made inside."""
    inject = action.inject if interning.settings.propagate else None

    def replacement(*args: Any, **kwargs: Any) -> Any:
        if probe.failures >= MAX_FAILURES or ignored():
            return original(*args, **kwargs)
        try:
            frame = _frame(1)
        except ValueError:  # the call is all that a greenlet, or a thread, runs
            frame = None
        pending = Pending(args[0] if args else None, frame)
        if inject is not None:
            pending, args, kwargs = _marked(probe, inject, pending, args, kwargs)
        token = PENDING.set(pending)
        try:
            result = original(*args, **kwargs)
        except BaseException as error:
            if not pending.made:
                _unmade(probe, action, pending, error, None, args, kwargs)
            raise
        finally:
            PENDING.reset(token)
        if not pending.made:
            _unmade(probe, action, pending, None, result, args, kwargs)
        return result

    return replacement


def _marked(
    probe: Probe, inject: Callable[..., Any], pending: Pending, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Pending, tuple[Any, ...], dict[str, Any]]:
    """Put the operation's own span on the message, with the sequence that it will have."""
    try:
        if not probe.recorder.mine[0]:
            probe.recorder.adopt()
        marked = Marked(pending.owner, pending.frame, probe.recorder.next_sequence())
    except Exception as error:  # noqa: BLE001 - the contract with the host program
        probe.failed(error)
        return pending, args, kwargs

    def noting(fields: dict[str, str], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        changed = inject(fields, args, kwargs)
        if "traceparent" in fields and (changed[0] is not args or changed[1] is not kwargs):
            _, trace_id, span_id, _ = fields["traceparent"].split("-")
            marked.span.update(trace_id=trace_id, span_id=span_id)
        return changed

    return marked, *injected(probe, noting, marked.sequence, args, kwargs)


def _unmade(
    probe: Probe,
    action: Submit,
    pending: Pending,
    error: BaseException | None,
    result: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> None:
    """Record a submission that ended before there was a message, with what the program gave."""
    try:
        if not probe.recorder.mine[0]:
            probe.recorder.adopt()
        if error is None:
            error = action.refusal(result, *args, **kwargs)
        message = action.read(*args, **kwargs)
        if type(message) is dict:
            sequence = probe.begin(message, 0, sequence=pending.sequence, frame=pending.frame)
            if error is not None:
                probe.complete(sequence, outcome_of(error), error)
    except Exception as ours:  # noqa: BLE001 - the contract with the host program
        probe.failed(ours)


def made(original: Callable[..., Any], probe: Probe, action: Made) -> Callable[..., Any]:
    """The making of a message inside a `Submit`."""
    read, done = action.read, action.done

    def replacement(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        record_made(probe, read, done, _recorded, PENDING.get(), result, args, kwargs)
        return result

    return replacement


def record_made(
    probe: Probe,
    read: Callable[..., Any],
    done: Callable[..., Any] | None,
    recorded: Callable[[Probe, Pending | None, Message], int],
    pending: Pending | None,
    result: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> None:
    """Record the message that a call has made, if it has made one."""
    if probe.failures >= MAX_FAILURES or ignored():
        return
    try:
        if not probe.recorder.mine[0]:
            probe.recorder.adopt()
        owner = None if pending is None else pending.owner
        message: Message | None = read(result, owner, *args, **kwargs)
        if message is None:
            return
        sequence = recorded(probe, pending, message)
        if done is not None:
            done(sequence, result, owner, *args, **kwargs)
    except Exception as error:  # noqa: BLE001 - the contract with the host program
        probe.failed(error)


def _recorded(probe: Probe, pending: Pending | None, message: Message) -> int:
    if pending is None:
        return probe.begin(message, 4)
    # A second message of the same call is another operation.
    sequence = 0 if pending.made else pending.sequence
    pending.made = True
    if sequence:
        message.update(pending.span)  # type: ignore[typeddict-item]  # two of its fields
    return probe.begin(message, 0, None, sequence, pending.frame)


def until(original: Callable[..., Any], probe: Probe, action: Until) -> Callable[..., Any]:
    """An operation that goes on in the future that the call returns."""
    read, follow, outcome = action.read, action.follow, action.outcome
    settles = action.kind == "settle"

    def ended(sequence: Any, error: BaseException | None) -> None:
        if error is not None:
            raised(probe, sequence, error)
            return
        try:
            probe.complete(sequence, outcome)
        except Exception as ours:  # noqa: BLE001 - the contract with the host program
            probe.failed(ours)

    def replacement(*args: Any, **kwargs: Any) -> Any:
        sequence = begin(probe, read, args, kwargs)
        try:
            result = original(*args, **kwargs)
        except BaseException as error:
            if sequence is not None:
                raised(probe, sequence, error)
            raise
        if sequence is not None:
            try:
                follow(result, functools.partial(ended, sequence))
            except Exception as error:  # noqa: BLE001 - the contract with the host program
                probe.failed(error)
            if settles:
                settled()
        return result

    return replacement


if not TYPE_CHECKING and native is not None:
    native.use_submission(Pending)
    record_made = native.made
