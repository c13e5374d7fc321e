"""What every circuit breaker's hook records: what it is set to, its changes of state, the calls that it refuses.

States are told by the same three words, whatever the library calls them: `closed`, `open`, `half-open`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from weakref import ref

from msgtrace import interning

if TYPE_CHECKING:
    from msgtrace.records import Message

_unnamed: Final[dict[int, tuple[ref[Any], int]]] = {}
"""Identity of a breaker -> the breaker and its number. Never its hash, which may be the program's."""
_made: Final = [0]


def name_of(breaker: Any, name: Any) -> str:
    """A breaker's name; `unnamed N` in the order in which this process met those that have none."""
    if type(name) is str and name:
        return name
    known = _unnamed.get(id(breaker))
    if known is not None and known[0]() is breaker:
        return f"unnamed {known[1]}"
    _made[0] += 1
    identity = id(breaker)
    try:
        _unnamed[identity] = (ref(breaker, lambda _: _unnamed.pop(identity, None)), _made[0])
    except TypeError:  # not weakly referable
        return "unnamed"
    return f"unnamed {_made[0]}"


def _of(breaker: Any, name: Any, settings: dict[str, Any]) -> Message:
    return {"channel": interning.text(name_of(breaker, name)), "channel_kind": "breaker", "settings": settings}


def declared(breaker: Any, name: Any, handler: Any = None, **settings: Any) -> Message:
    """A breaker's settings.

    Args:
        breaker: the library's object.
        name: what it is called, if it is.
        handler: the function that it guards, if it is known.
        settings: `error_threshold`, `reset_timeout_s`, `success_threshold`, ...
    """
    message = _of(breaker, name, {"action": "breaker", **settings})
    number = interning.handler(handler) if handler is not None else 0
    if number:
        message["handler"] = number
    return message


def changed(breaker: Any, name: Any, state: Any, before: Any, failures: Any = None) -> Message:
    """A change of state, and the failures in a row that led to it, where they are known."""
    return _of(breaker, name, {"action": "state", "state": state, "before": before, "failures": failures})


def refused(breaker: Any, name: Any) -> Message:
    """A call that was not made, because the breaker was open."""
    return _of(breaker, name, {"action": "refused"})
