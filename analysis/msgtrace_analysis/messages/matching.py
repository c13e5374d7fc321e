"""Whether a message is what a test expects. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from msgtrace_analysis.messages.observed import Message


@dataclass(frozen=True, slots=True)
class Criteria:
    """What is asked of a message; what is None is not asked.

    Attributes:
        event: what it is called, or a pattern with `*` and `?`; None for whatever it is called.
        channel: where it was sent to, as `event`.
        sent_by: the service or function that sent it.
        received_by: services, handlers or consumer groups, each of which got it.
        caused_by: what a message is called that it follows from.
        bodies: each fits in the body, see `fits`.
        headers: each fits the header of that name.
        key: the message's key.
    """

    event: str | None = None
    channel: str | None = None
    sent_by: str | None = None
    received_by: tuple[str, ...] = ()
    caused_by: str | None = None
    bodies: tuple[Any, ...] = ()
    headers: Mapping[str, Any] = field(default_factory=dict)
    key: Any = None

    def described(self) -> str:
        """In words, for a failure."""
        words = [repr(self.event) if self.event is not None else "a message"]
        if self.channel is not None:
            words.append(f"on {self.channel!r}")
        if self.sent_by is not None:
            words.append(f"sent by {self.sent_by!r}")
        words += [f"received by {each!r}" for each in self.received_by]
        if self.caused_by is not None:
            words.append(f"caused by {self.caused_by!r}")
        words += [f"matching {each!r}" for each in self.bodies]
        if self.headers:
            words.append(f"with headers {dict(self.headers)!r}")
        if self.key is not None:
            words.append(f"with key {self.key!r}")
        return " ".join(words)


def called(pattern: str, names: frozenset[str]) -> bool:
    """Whether one of a message's names is meant."""
    return any(_like(pattern, name) for name in names)


def _like(pattern: str, text: str) -> bool:
    return text == pattern or (("*" in pattern or "?" in pattern) and fnmatchcase(text, pattern))


def judge(criteria: Criteria, message: Message, by_id: Mapping[int, Message]) -> str:
    """'' when a message is what is expected, else what speaks against it first.

    Args:
        criteria: what is expected.
        message: the message.
        by_id: all messages, for causes.
    """
    if criteria.event is not None and not called(criteria.event, message.names):
        return "another event"
    if criteria.channel is not None and not _like(criteria.channel, message.channel):
        return "another channel"
    return _of_parties(criteria, message, by_id) or _of_content(criteria, message)


def _of_parties(criteria: Criteria, message: Message, by_id: Mapping[int, Message]) -> str:
    if criteria.sent_by is not None and not _is_one_of(criteria.sent_by, message.service, message.function):
        return f"sent by {message.service or 'nobody who was recorded'}"
    for wanted in criteria.received_by:
        if not any(_is_one_of(wanted, each.service, each.handler, each.group) for each in message.receipts):
            return f"not received by {wanted}"
    if criteria.caused_by is not None:
        causes = [by_id[each] for each in message.ancestors if each in by_id]
        if not any(called(criteria.caused_by, each.names) for each in causes):
            return f"not caused by {criteria.caused_by}"
    return ""


def _of_content(criteria: Criteria, message: Message) -> str:
    if criteria.key is not None and not fits(criteria.key, message.key):
        return f"key {message.key!r}"
    for name, wanted in criteria.headers.items():
        if name not in message.headers or not fits(wanted, message.headers[name]):
            return f"header {name}: {message.headers.get(name, 'missing')!r}"
    for wanted in criteria.bodies:
        place = misfit(wanted, message.body)
        if place is not None:
            return f"body{place}"
    return ""


def _is_one_of(wanted: str, *names: str) -> bool:
    """By the whole name, or by the last part of a function's."""
    return any(name == wanted or name.endswith(f".{wanted}") for name in names if name)


def fits(wanted: Any, value: Any) -> bool:
    """Whether a value is what was wanted; see `misfit`."""
    return misfit(wanted, value) is None


def misfit(wanted: Any, value: Any, place: str = "") -> str | None:
    """Where a value is not what was wanted, and how; None when it is.

    A dictionary fits in one that has its keys, with values that fit. `...` fits whatever is there; a type fits its
    instances; a compiled pattern a text in which it is found; a function what it returns something true for. Everything else
    is equal.

    >>> misfit({"order": {"id": int}}, {"order": {"id": "7"}, "at": 1})
    ".order.id: '7' is no int"
    """
    if wanted is ...:
        return None
    if isinstance(wanted, dict):
        return _misfit_of_object(wanted, value, place)
    if isinstance(wanted, list | tuple):
        if not isinstance(value, list) or len(value) != len(wanted):
            return f"{place}: {_short(value)} is no list of {len(wanted)}"
        found = (
            misfit(each, there, f"{place}[{n}]") for n, (each, there) in enumerate(zip(wanted, value, strict=True))
        )
        return next((each for each in found if each is not None), None)
    complaint = _complaint(wanted, value)
    return f"{place}: {_short(value)}{complaint}" if complaint else None


def _misfit_of_object(wanted: dict[Any, Any], value: Any, place: str) -> str | None:
    if not isinstance(value, dict):
        return f"{place}: {_short(value)} is no object"
    for name, each in wanted.items():
        inner = f"{place}.{name}"
        found = misfit(each, value[name], inner) if name in value else f"{inner}: missing"
        if found is not None:
            return found
    return None


def _complaint(wanted: Any, value: Any) -> str:
    """Why a value is not the one that was wanted; '' when it is. True and False are no numbers."""
    if isinstance(wanted, re.Pattern):
        return "" if isinstance(value, str) and wanted.search(value) else f" has no {wanted.pattern!r}"
    if isinstance(wanted, type):
        fine = isinstance(value, wanted) and (wanted in {bool, object} or not isinstance(value, bool))
        return "" if fine else f" is no {wanted.__name__}"
    if callable(wanted):
        return "" if wanted(value) else f" is refused by {getattr(wanted, '__name__', 'it')}"
    same = value == wanted and isinstance(value, bool) == isinstance(wanted, bool)
    return "" if same else f", expected {wanted!r}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
