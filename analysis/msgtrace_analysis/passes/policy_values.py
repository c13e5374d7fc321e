"""Reads the settings of retrying libraries, as their hooks record them, into policies of one form. Pure.

Where a wait is drawn at random, the policy's delay is the middle of what it is drawn from, and its jitter half the width.
What the program's own functions decide is `unknown`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from msgtrace_analysis.findings.retrying import PolicyKind, Then

NO_LIMIT_S: Final = 1e9
"""Longer than any wait that is meant: libraries write "no maximum" as a very large number."""
CELERY_DEFAULTS: Final = (3, 180.0)
"""`max_retries` and `default_retry_delay` of a task that says nothing of retries."""


@dataclass(frozen=True, slots=True)
class Wait:
    """How long is waited before each attempt.

    Attributes:
        low: the shortest first delay, and `high` the longest, in seconds; None where not known.
        multiplier, longest, step: as `RetryPolicy` has them.
    """

    kind: PolicyKind
    low: float | None = None
    high: float | None = None
    multiplier: float | None = None
    longest: float | None = None
    step: float | None = None


UNKNOWN: Final = Wait("unknown")


def policy(wait: Wait, attempts: int | None, then: Then) -> RetryPolicy:
    """A wait and a limit as a policy."""
    kind = wait.kind
    if kind == "fixed" and wait.high == 0:
        kind = "immediate"
    if wait.low is None or wait.high is None:
        return RetryPolicy(kind, None, None, wait.longest, None, attempts, then)
    middle = (wait.low + wait.high) / 2
    jitter = (wait.high - wait.low) / 2 / middle if middle > 0 else 0.0
    longest = None if wait.longest is None or wait.longest > NO_LIMIT_S else wait.longest
    if kind == "immediate":
        longest = None
    if longest is not None:
        middle = min(middle, longest)
    return RetryPolicy(kind, middle, wait.multiplier, longest, jitter, attempts, then, step_s=wait.step)


def read(library: str, settings: Mapping[str, Any]) -> RetryPolicy | None:
    """The policy that a library was told; None where it was told nothing of retrying."""
    reader = READERS.get(library)
    return None if reader is None else reader(settings)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


# ---- tenacity -------------------------------------------------------------------------------------------------------


def _tenacity(settings: Mapping[str, Any]) -> RetryPolicy:
    then: Then = "unknown" if settings.get("otherwise") is not None else "raised"
    return policy(_waiting(settings.get("wait")), _stopping(settings.get("stop")), then)


def _stopping(stop: Any) -> int | None:
    """After how many attempts it stops at the latest; None where that is not a number of attempts."""
    if not isinstance(stop, dict):
        return None
    if stop.get("is") == "stop_after_attempt":
        return _count(stop.get("max_attempt_number"))
    limits = [_stopping(each) for each in stop.get("stops") or ()]
    known = [each for each in limits if each is not None]
    if stop.get("is") == "stop_any":
        return min(known, default=None)
    return max(known) if known and len(known) == len(limits) else None


def _waiting(wait: Any) -> Wait:
    if not isinstance(wait, dict):
        return UNKNOWN
    name = str(wait.get("is"))
    reader = _WAITS.get(name)
    if reader is not None:
        names, made = reader
        numbers = [_number(wait.get(each)) for each in names]
        known = [each for each in numbers if each is not None]
        return made(*known) if len(known) == len(numbers) else UNKNOWN
    if name == "wait_combine":
        return _combined([_waiting(each) for each in wait.get("wait_funcs") or ()])
    if name == "wait_chain":
        return _chained([_waiting(each) for each in wait.get("strategies") or ()])
    return UNKNOWN


def _fixed(low: float, high: float) -> Wait:
    return Wait("fixed", low, high, longest=high)


def _incrementing(start: float, step: float, longest: float) -> Wait:
    return Wait("linear", start, start, longest=longest, step=step)


def _exponential(multiplier: float, shortest: float, longest: float, base: float) -> Wait:
    first = max(0.0, shortest, min(multiplier, longest))
    return Wait("exponential", first, first, base, longest)


def _random_exponential(multiplier: float, shortest: float, longest: float, base: float) -> Wait:
    return Wait("exponential", shortest, max(0.0, shortest, min(multiplier, longest)), base, longest)


def _exponential_jitter(multiplier: float, longest: float, base: float, jitter: float) -> Wait:
    return Wait("exponential", min(multiplier, longest), min(multiplier + jitter, longest), base, longest)


_WAITS: Final[dict[str, tuple[tuple[str, ...], Callable[..., Wait]]]] = {
    "wait_none": ((), lambda: _fixed(0.0, 0.0)),
    "wait_fixed": (("wait_fixed",), lambda wait: _fixed(wait, wait)),
    "wait_random": (("wait_random_min", "wait_random_max"), _fixed),
    "wait_incrementing": (("start", "increment", "max"), _incrementing),
    "wait_exponential": (("multiplier", "min", "max", "exp_base"), _exponential),
    "wait_random_exponential": (("multiplier", "min", "max", "exp_base"), _random_exponential),
    "wait_exponential_jitter": (("multiplier", "max", "exp_base", "jitter"), _exponential_jitter),
}


def _combined(waits: Sequence[Wait]) -> Wait:
    """A sum of waits. Of one that grows and others that don't, the growth is no more by a constant factor."""
    growing = [each for each in waits if each.kind != "fixed"]
    steady = [each for each in waits if each.kind == "fixed"]
    if len(growing) > 1 or any(each.low is None or each.high is None for each in waits) or not waits:
        return UNKNOWN
    low = sum(each.low or 0.0 for each in waits)
    high = sum(each.high or 0.0 for each in waits)
    if not growing:
        return _fixed(low, high)
    more = sum(each.high or 0.0 for each in steady)
    (one,) = growing
    longest = None if one.longest is None else one.longest + more
    return replace(one, low=low, high=high, multiplier=None if more else one.multiplier, longest=longest)


def _chained(waits: Sequence[Wait]) -> Wait:
    """One wait after the other, the last of them for good."""
    if not waits or any(each.kind != "fixed" for each in waits):
        return UNKNOWN
    if len(set(waits)) == 1:
        return waits[0]
    return Wait("irregular", waits[0].low, waits[0].high, longest=max(each.high or 0.0 for each in waits))


# ---- the others -----------------------------------------------------------------------------------------------------


def _stamina(settings: Mapping[str, Any]) -> RetryPolicy:
    names = ("wait_initial", "wait_max", "wait_exp_base", "wait_jitter")
    known = [each for each in (_number(settings.get(name)) for name in names) if each is not None]
    wait = _exponential_jitter(*known) if len(known) == len(names) else UNKNOWN
    return policy(wait, _count(settings.get("attempts")), "raised")


def _backoff(settings: Mapping[str, Any]) -> RetryPolicy:
    given = settings.get("arguments") or {}
    longest = _number(given.get("max_value"))
    match settings.get("wait"):
        case "expo":
            first, base = _number(given.get("factor", 1)), _number(given.get("base", 2))
            if first is not None and longest is not None:
                first = min(first, longest)
            wait = Wait("exponential", first, first, base, longest)
        case "constant":
            first = _number(given.get("interval", 1))
            wait = UNKNOWN if first is None else _fixed(first, first)
        case "fibo":
            wait = Wait("irregular", 1.0, 1.0, longest=longest)
        case _:
            wait = UNKNOWN
    wait = _jittered(wait, settings.get("jitter"))
    raised = settings.get("raise_on_giveup") is True
    return policy(wait, _count(settings.get("max_tries")), "raised" if raised else "unknown")


def _jittered(wait: Wait, jitter: Any) -> Wait:
    if wait.low is None or wait.high is None or jitter is None:
        return wait
    if jitter == "full_jitter":
        return replace(wait, low=0.0)
    if jitter == "random_jitter":
        longest = None if wait.longest is None else wait.longest + 1
        return replace(wait, high=wait.high + 1, longest=longest, multiplier=None)
    return Wait("unknown")


def _celery(settings: Mapping[str, Any]) -> RetryPolicy | None:
    given = settings.get("retry_kwargs") or {}
    limit = _count(given.get("max_retries", settings.get("max_retries")))
    delay = _number(given.get("countdown", settings.get("default_retry_delay")))
    automatic = bool(settings.get("autoretry_for"))
    if not automatic and (limit, delay) == CELERY_DEFAULTS:
        return None
    attempts = None if limit is None else limit + 1
    backoff = settings.get("retry_backoff")
    if automatic and backoff:
        factor = float(int(max(1.0, float(backoff))))
        longest = _number(settings.get("retry_backoff_max", 600))
        first = factor if longest is None else min(factor, longest)
        low = first if settings.get("retry_jitter") is False else 0.0
        return policy(Wait("exponential", low, first, 2.0, longest), attempts, "raised")
    return policy(UNKNOWN if delay is None else _fixed(delay, delay), attempts, "raised")


def _kombu(settings: Mapping[str, Any]) -> RetryPolicy:
    names = ("interval_start", "interval_step", "interval_max")
    start, step, longest = (_number(settings.get(name)) for name in names)
    retries = _count(settings.get("max_retries"))
    attempts = None if retries is None else retries + 1
    if start is None or step is None or longest is None:
        return policy(UNKNOWN, attempts, "raised")
    first = min(start, longest)
    wait = _fixed(first, first) if step == 0 or first == longest else _incrementing(first, step, longest)
    return policy(wait, attempts, "raised")


def _redis(settings: Mapping[str, Any]) -> RetryPolicy | None:
    """`Retry` asks its back-off for the delay after failure 1, 2, ...: 2 ** 1 times the base is the first."""
    retry = settings.get("retry")
    if not isinstance(retry, dict):
        return None
    retries = _count(retry.get("_retries"))
    attempts = None if retries is None or retries < 0 else retries + 1
    return policy(_redis_wait(retry.get("_backoff")), attempts, "raised")


def _redis_wait(backoff: Any) -> Wait:
    if not isinstance(backoff, dict):
        return UNKNOWN
    name, steady = str(backoff.get("is")), _number(backoff.get("_backoff"))
    if name in {"NoBackoff", "ConstantBackoff"} and steady is not None:
        return _fixed(steady, steady)
    base, cap = _number(backoff.get("_base")), _number(backoff.get("_cap"))
    if base is None or cap is None:
        return UNKNOWN
    if name == "DecorrelatedJitterBackoff":
        return Wait("irregular", min(base, cap), min(base, cap), longest=cap)
    lowest = {"ExponentialBackoff": 1.0, "EqualJitterBackoff": 0.5}.get(name, 0.0)
    first = min(cap, 2 * base)
    return Wait("exponential", lowest * first, first, 2.0, cap)


def _aio_pika(settings: Mapping[str, Any]) -> RetryPolicy:
    interval = _number(settings.get("reconnect_interval"))
    return policy(UNKNOWN if interval is None else _fixed(interval, interval), None, "unknown")


KAFKA_JITTER: Final = 0.2
"""`KafkaConnectionManager.jitter_pct`."""


def _kafka_reconnect(settings: Mapping[str, Any]) -> RetryPolicy | None:
    first, longest = (_seconds(settings.get(f"reconnect_backoff_{name}")) for name in ("ms", "max_ms"))
    if first is None:
        return None
    if longest is not None:
        first = min(first, longest)
    low, high = (1 - KAFKA_JITTER) * first, (1 + KAFKA_JITTER) * first
    return policy(Wait("exponential", low, high, 2.0, longest), None, "unknown")


def _kafka_producer(settings: Mapping[str, Any]) -> RetryPolicy:
    """A batch is sent again at even distances; without a number, until its time is up."""
    retries, wait = _count(settings.get("retries")), _seconds(settings.get("retry_backoff_ms"))
    attempts = 1 if settings.get("acks") == 0 else None if retries is None else retries + 1
    return policy(UNKNOWN if wait is None else _fixed(wait, wait), attempts, "raised")


def _kafka_consumer(settings: Mapping[str, Any]) -> RetryPolicy:
    wait = _seconds(settings.get("retry_backoff_ms"))
    return policy(UNKNOWN if wait is None else _fixed(wait, wait), None, "unknown")


def _seconds(value: Any) -> float | None:
    number = _number(value)
    return None if number is None else number / 1000


READERS: Final[dict[str, Callable[[Mapping[str, Any]], RetryPolicy | None]]] = {
    "tenacity": _tenacity,
    "stamina": _stamina,
    "backoff": _backoff,
    "celery": _celery,
    "kombu": _kombu,
    "redis-py": _redis,
    "aio-pika": _aio_pika,
    "kafka-python": _kafka_reconnect,
    "kafka-python producer": _kafka_producer,
    "kafka-python consumer": _kafka_consumer,
}
