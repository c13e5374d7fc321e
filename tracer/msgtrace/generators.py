"""Replacements of generator functions: of messages, where every item is a fetch, and of the receivers of one send."""

from __future__ import annotations

from time import monotonic_ns
from typing import TYPE_CHECKING, Any

from msgtrace.context import CURRENT, Cause, Handling, Sending
from msgtrace.guarded import begin, end, observe, raised

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from msgtrace.hook import Fetch, Receivers
    from msgtrace.probe import Probe


def fetch(original: Callable[..., Any], probe: Probe, action: Fetch) -> Callable[..., Any]:
    """The replacement of a generator function whose items are messages."""
    read, parts = action.read, action.parts

    def items(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        source = original(*args, **kwargs)
        sent: Any = None
        cause: Cause | None = None
        try:
            while True:
                if cause is None or not parts:
                    cause = Cause.fetching(CURRENT.get())
                CURRENT.set(cause)
                started = monotonic_ns()
                try:
                    item = source.send(sent)
                except StopIteration as stop:
                    return stop.value
                cause.fetched(observe(probe, read, item, None, started, args, kwargs))
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

    return items


def async_fetch(original: Callable[..., Any], probe: Probe, action: Fetch) -> Callable[..., Any]:
    """The replacement of an async generator function whose items are messages."""
    read, parts = action.read, action.parts

    async def items(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        source = original(*args, **kwargs)
        sent: Any = None
        cause: Cause | None = None
        try:
            while True:
                if cause is None or not parts:
                    cause = Cause.fetching(CURRENT.get())
                CURRENT.set(cause)
                started = monotonic_ns()
                try:
                    item = await source.asend(sent)
                except StopAsyncIteration:
                    return
                cause.fetched(observe(probe, read, item, None, started, args, kwargs))
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

    return items


def receivers(original: Callable[..., Any], probe: Probe, action: Receivers) -> Callable[..., Any]:
    """The replacement of a generator function whose items are called between one `next` and the following."""
    read = action.read

    def run(sending: Sending, receiver: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        sequence = begin(probe, read, (receiver, *args), kwargs)
        if sequence is None:
            return
        handling = Handling(sequence)

        def ended(error: BaseException | None) -> None:
            sending.receiver = None
            handling.ended()
            if error is None:
                end(probe, None, sequence, None, (), {})
            else:
                raised(probe, sequence, error)

        sending.receiver = ended
        CURRENT.set(handling)

    def items(*args: Any, **kwargs: Any) -> Generator[Any, None, None]:
        sending = CURRENT.get()
        for item in original(*args, **kwargs):
            if type(sending) is Sending:
                run(sending, item, args, kwargs)
            yield item
            if type(sending) is Sending and sending.receiver is not None:
                sending.receiver(None)
                CURRENT.set(sending)

    return items
