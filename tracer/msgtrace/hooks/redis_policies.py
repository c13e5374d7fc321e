"""redis: what its clients are told of trying again and of waiting: facts of a connection, for every client has them.

A `Retry` with its back-off, or none. Only objects of the library's own classes are looked into.
"""

from __future__ import annotations

from typing import Any, Final

from msgtrace.policy_parts import parts, plain

_RETRY: Final = ("_backoff", "_retries", "_supported_errors")
_BETWEEN: Final = ("_cap", "_base")
KNOWN: Final = {
    "redis.retry.Retry": _RETRY,
    "redis.asyncio.retry.Retry": _RETRY,
    "redis.backoff.NoBackoff": ("_backoff",),
    "redis.backoff.ConstantBackoff": ("_backoff",),
    "redis.backoff.ExponentialBackoff": _BETWEEN,
    "redis.backoff.FullJitterBackoff": _BETWEEN,
    "redis.backoff.EqualJitterBackoff": _BETWEEN,
    "redis.backoff.DecorrelatedJitterBackoff": _BETWEEN,
    "redis.backoff.ExponentialWithJitterBackoff": _BETWEEN,
}
"""A class -> its attributes that are settings."""
_WAITING: Final = ("socket_timeout", "socket_connect_timeout", "health_check_interval")


def promised(known: dict[str, Any]) -> dict[str, Any]:
    """What a connection does when it fails, and how long it waits.

    Args:
        known: the arguments that its pool makes it with. What they leave out is the library's to say, and not told.
    """
    found: dict[str, Any] = {name: plain(known[name]) for name in _WAITING if known.get(name)}
    retry, errors = known.get("retry"), known.get("retry_on_error")
    named = bool(errors) if type(errors) in {list, tuple, set} else False
    if named:
        found["retry_on_error"] = plain(errors)
    if retry is not None:
        found["retry"] = parts(retry, KNOWN)
    else:  # as `AbstractConnection.__init__` has it: once more, at once, where errors are named
        again = int(named or known.get("retry_on_timeout") is True)
        found["retry"] = {"is": "Retry", "_retries": again, "_backoff": {"is": "NoBackoff", "_backoff": 0}}
    return found
