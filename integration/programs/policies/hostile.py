"""Policies made of objects that mind being looked at. Prints how often they were, which is never."""

import json
from typing import Any, NoReturn

import backoff
import tenacity

touched: list[str] = []


class Nasty:
    """Callable, and nothing else."""

    def __init__(self, value: float) -> None:
        object.__setattr__(self, "value", value)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return object.__getattribute__(self, "value")

    def _mind(self, *args: Any) -> NoReturn:
        touched.append("looked at")
        raise RuntimeError("looked at")

    __getattribute__ = __repr__ = __str__ = __hash__ = __bool__ = __len__ = __iter__ = __float__ = _mind  # type: ignore[assignment]


class NastyError(Exception):
    def __str__(self) -> str:
        touched.append("error")
        return "?"

    __repr__ = __str__


class Stop(tenacity.stop_after_attempt):
    """A subclass is no class of tenacity's."""

    def __getattribute__(self, name: str) -> Any:
        if name != "max_attempt_number":
            touched.append(name)
        return super().__getattribute__(name)


calls: list[int] = []


@tenacity.retry(wait=tenacity.wait_fixed(0.001), stop=Stop(2), after=Nasty(0), reraise=True)
def with_tenacity() -> None:
    calls.append(1)
    raise NastyError


@backoff.on_exception(backoff.constant, NastyError, max_tries=2, jitter=Nasty(0.0), interval=0.001, logger=None)
def with_backoff() -> None:
    calls.append(2)
    raise NastyError


for function in (with_tenacity, with_backoff):
    try:
        function()
    except NastyError:
        calls.append(0)
print(json.dumps({"calls": calls, "touched": touched}))
