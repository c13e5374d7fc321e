"""backoff: retry policies as they are declared, and the attempts that did not end at once.

Wrapped: the four functions that decorating ends in (`retry_exception` and `retry_predicate`, of `backoff._sync` and
`backoff._async`), and those that call the program's handlers after each attempt.

Not seen: whether the last attempt of `on_predicate` found what it wanted or gave up; both end alike.
"""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, Any

from msgtrace import interning
from msgtrace.hook import Hook, Observe, Point
from msgtrace.policy_parts import error_name, name_of, plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace.records import Message


def declared(what: str) -> Callable[..., Message | None]:
    """A reader of one decorating function.

    Args:
        what: its third parameter: what another attempt is made for.
    """

    def read(result: Any, target: Any, wait_gen: Any, condition: Any, **settings: Any) -> Message | None:
        if result is None:
            return None
        arguments = settings.get("wait_gen_kwargs")
        message: Message = {
            "channel": interning.text(name_of(target)),
            "channel_kind": "retry",
            "settings": {
                "action": "retry policy",
                "wait": name_of(wait_gen).removeprefix("backoff._wait_gen."),
                what: plain(condition),
                "max_tries": plain(settings.get("max_tries")),
                "max_time": plain(settings.get("max_time")),
                "jitter": None if settings.get("jitter") is None
                else name_of(settings["jitter"]).removeprefix("backoff._jitter."),
                "raise_on_giveup": plain(settings.get("raise_on_giveup", False)),
                "arguments": {name: plain(arguments[name]) for name in arguments}
                if type(arguments) is dict else None,
            },
        }  # fmt: skip
        handler = interning.handler(target)
        if handler:
            message["handler"] = handler
        return message

    return read


def ended(
    result: Any, hdlrs: Any, target: Any, args: Any, kwargs: Any, tries: int, elapsed: Any, **extra: Any
) -> Message | None:
    """An attempt, and what follows from it."""
    error = extra.get("exception")
    again = "wait" in extra
    if tries == 1 and error is None and not again:
        return None
    message: Message = {
        "channel": interning.text(name_of(target)),
        "channel_kind": "retry",
        "attempt": tries,
        "outcome": "ok" if error is None else "raised",
        "settings": {
            "action": "attempt",
            "error": error_name(error),
            "sleep_s": plain(extra["wait"]) if again else None,
            "then": "again" if again else "done" if error is None else "give up",
        },
    }
    if type(target) is FunctionType:
        message["handler"] = interning.handler(target)
    return message


HOOK = Hook(
    library="backoff",
    system="backoff",
    distribution="backoff",
    versions=">=2.2,<3",
    points=tuple(
        point
        for module in ("backoff._sync", "backoff._async")
        for point in (
            Point(f"{module}:retry_exception", Observe(kind="declare", read=declared("exceptions"))),
            Point(f"{module}:retry_predicate", Observe(kind="declare", read=declared("predicate"))),
            Point(f"{module}:_call_handlers", Observe(kind="call", read=ended)),
        )
    ),
)
