"""Chooses and dresses the function that replaces a point's target."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any, Final

from msgtrace import async_calls, calls, generators
from msgtrace.hook import (
    Action,
    Deliver,
    Fetch,
    Late,
    Made,
    Observe,
    Process,
    Receivers,
    Send,
    Spawned,
    Submit,
    Trigger,
    Until,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from msgtrace.probe import Probe

# As in `inspect`, which takes five milliseconds of a traced program's start.
_GENERATOR: Final = 0x20
_COROUTINE: Final = 0x80
_ASYNC_GENERATOR: Final = 0x200


def is_coroutine_function(function: Callable[..., Any]) -> bool:
    """See `inspect.iscoroutinefunction`."""
    if _flags(function) & _COROUTINE:
        return True
    # Marked as one: then `inspect` has been loaded, by whoever marked it.
    inspect = sys.modules.get("inspect")
    return inspect is not None and inspect.iscoroutinefunction(function)


def _flags(function: Callable[..., Any]) -> int:
    flags: int = getattr(getattr(function, "__code__", None), "co_flags", 0)
    return flags


def replacement(original: Callable[..., Any], action: Action, probe: Probe, handling: Probe) -> Callable[..., Any]:
    """The function that stands in the place of `original`, with its metadata and its kind.

    Args:
        original: the target.
        action: what is recorded.
        probe: records it.
        handling: records the handling, for a `Deliver`.

    Raises:
        TypeError: the action can't be had of such a function.
    """
    made = _made(original, action, probe, handling)
    if isinstance(action, (Fetch, Trigger)) and is_coroutine_function(original):
        return called_at_once(original, made)
    return functools.update_wrapper(made, original)


def _made(original: Callable[..., Any], action: Action, probe: Probe, handling: Probe) -> Any:  # noqa: C901, PLR0912 - one line an action
    flags = _flags(original)
    of: Any = async_calls if is_coroutine_function(original) else calls
    match action:
        case Receivers():
            return generators.receivers(original, probe, action)
        case Fetch() if action.when is not None and flags & (_GENERATOR | _ASYNC_GENERATOR):
            raise TypeError(f"{original!r} does not return at once")
        case Fetch() if flags & _GENERATOR:
            return generators.fetch(original, probe, action)
        case Fetch() if flags & _ASYNC_GENERATOR:
            return generators.async_fetch(original, probe, action)
        case Send():
            return of.send(original, probe, action)
        case Fetch():
            return of.fetch(original, probe, action)
        case Deliver() if of is calls or not action.spawns:
            return of.delivery(original, probe, handling, action)
        case Process() if of is calls or not action.spawns:
            return of.process(original, probe, action)
        case Trigger():
            from msgtrace import http_request  # noqa: PLC0415 - only what answers requests needs it

            answering = http_request.async_trigger if of is async_calls else http_request.trigger
            return answering(original, probe, action)
        case Observe():
            return of.observation(original, probe, action)
        case Late():
            return of.late_facts(original, probe, action)
        case Spawned() if of is calls:
            return calls.spawned_further(original) if action.further else calls.spawned(original)
        case Submit() | Made() | Until() if of is calls:
            from msgtrace import deferral  # noqa: PLC0415 - as above

            return deferral.deferred(original, probe, action)
    raise TypeError(f"no {type(action).__name__} of {original.__qualname__}")


def called_at_once(original: Callable[..., Any], made: Callable[..., Any]) -> Callable[..., Any]:
    """A function that returns a coroutine, to be seen as the coroutine function that it stands for."""
    if sys.version_info >= (3, 12):
        import inspect  # noqa: PLC0415 - what has coroutine functions has most likely loaded it

        return inspect.markcoroutinefunction(functools.update_wrapper(made, original))
    if sys.implementation.name == "cpython":
        return functools.update_wrapper(_flagged(made), original)
    # Elsewhere only a function-like proxy can run at the call and still be seen as a coroutine function.
    from wrapt import FunctionWrapper  # noqa: PLC0415 - it loads asyncio, which such a program has

    def enter(wrapped: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        # `wrapped` is bound; our readers want the call as it was written on the class.
        owner = getattr(wrapped, "__self__", None)
        return made(*args, **kwargs) if owner is None else made(owner, *args, **kwargs)

    return FunctionWrapper(original, enter)


def _flagged(made: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, with the flag by which CPython 3.11's `inspect` knows a coroutine function.

    What makes the interpreter return a coroutine in place of running a function is the instruction RETURN_GENERATOR at its
    beginning, since 3.11 (Python/compile.c), and no longer the flag. A proxy costs a message 2.5 us more.
    """
    function: Any = made
    code = function.__code__.replace(co_flags=function.__code__.co_flags | _COROUTINE)
    return type(function)(code, function.__globals__, code.co_name, None, function.__closure__)  # type: ignore[no-any-return]


def dispatcher(
    original: Callable[..., Any], table: Mapping[Any, Callable[..., Any]], argument: int
) -> Callable[..., Any]:
    """The replacement of a target that does many things, of which `table` has the ones that are messaging."""
    get = table.get

    def dispatched(*args: Any, **kwargs: Any) -> Any:
        try:
            chosen = get(args[argument], original)
        except (IndexError, TypeError, BytesWarning):  # the last with `python -bb`, from the dictionary itself
            chosen = original
        return chosen(*args, **kwargs)

    functools.update_wrapper(dispatched, original)
    if is_coroutine_function(original):
        if sys.version_info >= (3, 12):
            import inspect  # noqa: PLC0415 - as above

            return inspect.markcoroutinefunction(dispatched)
        if sys.implementation.name == "cpython":
            return functools.update_wrapper(_flagged(dispatched), original)
    return dispatched
