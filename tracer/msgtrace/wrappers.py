"""Chooses and dresses the function that replaces a point's target."""

from __future__ import annotations

import functools
import inspect
import sys
from typing import TYPE_CHECKING, Any

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
    if isinstance(action, (Fetch, Trigger)) and inspect.iscoroutinefunction(original):
        return called_at_once(original, made)
    return functools.update_wrapper(made, original)


def _made(original: Callable[..., Any], action: Action, probe: Probe, handling: Probe) -> Any:  # noqa: C901 - one line an action
    of: Any = async_calls if inspect.iscoroutinefunction(original) else calls
    match action:
        case Receivers():
            return generators.receivers(original, probe, action)
        case Fetch() if inspect.isgeneratorfunction(original):
            return generators.fetch(original, probe, action)
        case Fetch() if inspect.isasyncgenfunction(original):
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
            return calls.spawned(original)
        case Submit() | Made() | Until() if of is calls:
            from msgtrace import deferral  # noqa: PLC0415 - as above

            return deferral.deferred(original, probe, action)
    raise TypeError(f"no {type(action).__name__} of {original.__qualname__}")


def called_at_once(original: Callable[..., Any], made: Callable[..., Any]) -> Callable[..., Any]:
    """A function that returns a coroutine, to be seen as the coroutine function that it stands for."""
    if sys.version_info >= (3, 12):
        return inspect.markcoroutinefunction(functools.update_wrapper(made, original))
    # Before 3.12 only a function-like proxy can run at the call and still be seen as a coroutine function.
    from wrapt import FunctionWrapper  # noqa: PLC0415 - it loads asyncio, which such a program has

    def enter(wrapped: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        # `wrapped` is bound; our readers want the call as it was written on the class.
        owner = getattr(wrapped, "__self__", None)
        return made(*args, **kwargs) if owner is None else made(owner, *args, **kwargs)

    return FunctionWrapper(original, enter)


def dispatcher(
    original: Callable[..., Any], table: Mapping[Any, Callable[..., Any]], argument: int
) -> Callable[..., Any]:
    """The replacement of a target that does many things, of which `table` has the ones that are messaging."""
    get = table.get

    def dispatched(*args: Any, **kwargs: Any) -> Any:
        try:
            chosen = get(args[argument], original)
        except (IndexError, TypeError):
            chosen = original
        return chosen(*args, **kwargs)

    functools.update_wrapper(dispatched, original)
    if sys.version_info >= (3, 12) and inspect.iscoroutinefunction(original):
        return inspect.markcoroutinefunction(dispatched)
    return dispatched
