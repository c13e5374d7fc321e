"""tenacity: retry policies as they are declared, and the attempts that did not end at once.

Wrapped: `BaseRetrying.wraps`, which decorating ends in; `begin`, with which every run begins, for policies that are used
without a decorator; and the two methods in which a run decides what follows from an attempt, after tenacity has asked the
program's own conditions. Those of `AsyncRetrying` end in the same. A first attempt that succeeds is not recorded.

Not seen: what the program's own functions decide by; the success after failures of a block that is left by `return` or
`break`, of which stamina's decorated functions are one; the attempts of a policy with an `iter` of its own.
"""

from __future__ import annotations

import sys
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Final

from msgtrace import interning
from msgtrace.hook import Hook, Observe, Point
from msgtrace.policy_parts import Places, caller, error_name, frame_name, name_of, parts, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from msgtrace.records import Message

_STOPS: Final = {
    "stop_any": ("stops",),
    "stop_all": ("stops",),
    "_stop_never": (),
    "stop_when_event_set": (),
    "stop_after_attempt": ("max_attempt_number",),
    "stop_after_delay": ("max_delay",),
    "stop_before_delay": ("max_delay",),
}
_WAITS: Final = {
    "wait_fixed": ("wait_fixed",),
    "wait_none": ("wait_fixed",),
    "wait_random": ("wait_random_min", "wait_random_max"),
    "wait_combine": ("wait_funcs",),
    "wait_chain": ("strategies",),
    "wait_exception": ("predicate",),
    "wait_incrementing": ("start", "increment", "max"),
    "wait_exponential": ("multiplier", "min", "max", "exp_base"),
    "wait_random_exponential": ("multiplier", "min", "max", "exp_base"),
    "wait_exponential_jitter": ("multiplier", "initial", "max", "exp_base", "jitter", "min"),
}
_RETRIES: Final = {
    "_retry_never": (),
    "_retry_always": (),
    "retry_if_exception": ("predicate",),
    "retry_if_exception_type": ("exception_types",),
    "retry_if_not_exception_type": ("exception_types",),
    "retry_unless_exception_type": ("exception_types",),
    "retry_if_exception_cause_type": ("exception_cause_types",),
    "retry_if_result": ("predicate",),
    "retry_if_not_result": ("predicate",),
    "retry_if_exception_message": (),
    "retry_if_not_exception_message": (),
    "retry_any": ("retries",),
    "retry_all": ("retries",),
}
_KNOWN: Final[Mapping[str, tuple[str, ...]]] = {
    f"tenacity.{module}.{name}": attributes
    for module, classes in (("stop", _STOPS), ("wait", _WAITS), ("retry", _RETRIES))
    for name, attributes in classes.items()
}
_DECORATED: Final = frozenset({"wrapped_f", "async_wrapped"})
_places: Final = Places()


def policy(retrying: Any) -> dict[str, Any]:
    """The settings of a `BaseRetrying`."""
    held = object.__getattribute__(retrying, "__dict__")
    return {
        "action": "retry policy",
        **{name: parts(held.get(name), _KNOWN) for name in ("stop", "wait", "retry")},
        "reraise": plain(held.get("reraise")),
        "otherwise": None if held.get("retry_error_callback") is None else name_of(held["retry_error_callback"]),
    }


def decorated(result: Any, self: Any, f: Any) -> Message | None:
    """A function that is given a policy."""
    if result is None:
        return None
    message: Message = {"channel": interning.text(name_of(f)), "channel_kind": "retry", "settings": policy(self)}
    handler = interning.handler(f)
    if handler:
        message["handler"] = handler
    return message


def begun(result: Any, self: Any) -> Message | None:
    """A run of a policy that no decorator has declared: told of once a place in the program's code."""
    frame = sys._getframe(1)  # noqa: SLF001 - the documented way to a frame without a traceback
    calling = None
    while frame.f_back is not None and frame.f_code.co_name not in _DECORATED:
        top = frame.f_globals.get("__name__", "").partition(".")[0]
        if top not in {"msgtrace", "tenacity"}:
            break
        if top == "tenacity" and frame.f_code.co_name == "__call__":
            calling = frame
        frame = frame.f_back
    else:
        return None
    if _stamina(self) is not None or not _places.is_new((id(frame.f_code), frame.f_lasti), frame.f_code):
        return None
    own = object.__getattribute__(self, "__dict__").get("_name")
    fn = None if calling is None else calling.f_locals.get("fn")
    name = name_of(fn) if fn is not None else own if type(own) is str else frame_name(frame)
    return {"channel": interning.text(name), "channel_kind": "retry", "settings": policy(self)}


def _stamina(retrying: Any) -> Any:
    """Stamina's own policy, where it is stamina that retries; its hook tells of that."""
    before = object.__getattribute__(retrying, "__dict__").get("before")
    own = before.__self__ if type(before) is MethodType else None
    return own if type(own).__module__ == "stamina._core" else None


def _attempt(self: Any, state: Any, then: str) -> Message:
    fn, error = state.fn, _error(state)
    if fn is not None:
        name = name_of(fn)
    else:
        own = _stamina(self)
        given = object.__getattribute__(self, "__dict__").get("_name") if own is None else own._name  # noqa: SLF001 - no public way to it
        name = given if type(given) is str else ""
        if not name or name.startswith("<"):  # as stamina calls blocks
            name = frame_name(caller("tenacity", "stamina"))
    sleep = plain(state.upcoming_sleep) if then == "again" else None
    message: Message = {
        "channel": interning.text(name),
        "channel_kind": "retry",
        "attempt": state.attempt_number,
        "outcome": "ok" if error is None else "raised",
        "settings": {"action": "attempt", "error": error_name(error), "sleep_s": sleep, "then": then},
    }
    if type(fn) is FunctionType:
        message["handler"] = interning.handler(fn)
    return message


def _error(state: Any) -> Any:
    return None if state.outcome is None else object.__getattribute__(state.outcome, "__dict__").get("_exception")


def judged(result: Any, self: Any, retry_state: Any) -> Message | None:
    """An attempt that is the last because nothing asks for another one."""
    asked = self.iter_state
    if asked.is_explicit_retry or asked.retry_run_result:
        return None  # `stopped` has it
    error = _error(retry_state)
    if error is None and retry_state.attempt_number == 1:
        return None
    return _attempt(self, retry_state, "done" if error is None else "raise")


def stopped(result: Any, self: Any, retry_state: Any) -> Message:
    """An attempt after which another one was asked for, and allowed or not."""
    return _attempt(self, retry_state, "give up" if self.iter_state.stop_run_result else "again")


HOOK = Hook(
    library="tenacity",
    system="tenacity",
    distribution="tenacity",
    versions=">=9,<10",
    points=(
        Point("tenacity:BaseRetrying.wraps", Observe(kind="declare", read=decorated)),
        Point("tenacity:BaseRetrying.begin", Observe(kind="declare", read=begun)),
        Point("tenacity:BaseRetrying._post_retry_check_actions", Observe(kind="call", read=judged)),
        Point("tenacity:BaseRetrying._post_stop_check_actions", Observe(kind="call", read=stopped)),
    ),
)
