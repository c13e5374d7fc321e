"""celery: how tasks are retried, acknowledged and limited, as their options say, and each retry that a task asks for.

Wrapped: `Celery._task_from_fun` and `register_task`, which every task comes from, and `Task.retry`, which `autoretry_for`
calls too. Options are read from the task's class, past its properties.

Not seen: the messages, for kombu has no hook: a retry's message is not linked with the task that asked for it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from msgtrace import interning
from msgtrace.bare_class import mro, namespace
from msgtrace.hook import Hook, Observe, Point
from msgtrace.policy_parts import Places, error_name, plain

if TYPE_CHECKING:
    from msgtrace.records import Message

_OPTIONS: Final = (
    "autoretry_for",
    "dont_autoretry_for",
    "retry_kwargs",
    "retry_backoff",
    "retry_backoff_max",
    "retry_jitter",
    "max_retries",
    "default_retry_delay",
    "acks_late",
    "acks_on_failure_or_timeout",
    "reject_on_worker_lost",
    "rate_limit",
    "time_limit",
    "soft_time_limit",
    "ignore_result",
)


_places: Final = Places()


def _options(task: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"action": "retry policy"}
    for name in _OPTIONS:
        value = next((namespace(each)[name] for each in mro(type(task)) if name in namespace(each)), None)
        if type(value) is dict:
            value = {key: plain(each) for key, each in tuple(value.items()) if type(key) is str}
        else:
            value = plain(value)
        if value is not None:
            found[name] = value
    return found


def _declared(task: Any, function: Any) -> Message | None:
    """A task's options, once a task: celery makes some twice. Its own tasks are none of the program's."""
    name = task.name
    if type(name) is not str or name.startswith("celery.") or not _places.is_new(name):
        return None
    message: Message = {
        "channel": interning.text(name),
        "channel_kind": "retry",
        "settings": _options(task),
    }
    number = interning.handler(function) if function is not None else 0
    if number:
        message["handler"] = number
    return message


def made(result: Any, self: Any, fun: Any, *args: Any, **options: Any) -> Message | None:
    """A function that became a task."""
    return None if result is None else _declared(result, fun)


def registered(result: Any, self: Any, task: Any, **options: Any) -> Message | None:
    """A class that became a task."""
    if result is None or "run" not in namespace(type(result)):
        return None
    return _declared(result, namespace(type(result))["run"])


def asked(
    result: Any,
    self: Any,
    args: Any = None,
    kwargs: Any = None,
    exc: Any = None,
    throw: Any = True,
    eta: Any = None,
    countdown: Any = None,
    max_retries: Any = None,
    **options: Any,
) -> Message:
    """A retry that a task asks for. `Retry` is raised where there will be one, what went wrong where there won't."""
    raised = sys.exc_info()[1]
    again = raised is None or type(raised).__name__ == "Retry"
    error = exc if isinstance(exc, BaseException) else getattr(raised, "exc", None) if again else raised
    delay = plain(countdown)
    if delay is None and eta is None:
        delay = plain(self.default_retry_delay)
    number = self.request.retries
    return {
        "channel": interning.text(self.name),
        "channel_kind": "retry",
        "attempt": number + 1 if type(number) is int else 1,
        "outcome": "raised",
        "settings": {
            "action": "attempt",
            "error": error_name(error),
            "sleep_s": delay if again else None,
            "then": "again" if again else "give up",
        },
    }


HOOK = Hook(
    library="celery",
    system="celery",
    distribution="celery",
    versions=">=5.4,<6",
    points=(
        Point("celery.app.base:Celery._task_from_fun", Observe(kind="declare", read=made)),
        Point("celery.app.base:Celery.register_task", Observe(kind="declare", read=registered)),
        Point("celery.app.task:Task.retry", Observe(kind="call", read=asked)),
    ),
)
