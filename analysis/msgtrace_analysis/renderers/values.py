"""Turns findings into values of JSON, all of them by the same rules. Pure.

* A finding is an object, with its fields by their names, in their order.
* `first_seen_ns` is `first_seen`, any other `x_ns` is `x_at`: a time, RFC 3339 in UTC.
* Counts by name are an object; other tuples are arrays.
* '' is null where it stands for what is not there or not known (`UNSAID`).
* A sentence with `{0}`, `{1}`, ... for `names` and `{n}` for the operations is written out.

What differs from these has a line in `SHAPES`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis import findings as found
from msgtrace_analysis.renderers.json_values import time_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

UNSAID: Final = frozenset({"site", "group", "note", "error_type", "then_to", "library", "mechanism", "versioned_by"})
"""Fields in which '' says that there is none, or that it is not known."""
SENTENCES: Final = frozenset({"sentence", "reason"})
_COUNTS: Final = re.compile(r"tuple\[tuple\[\w+, (?:int|tuple\[str, \.\.\.\])\], \.\.\.\]")
_PAIRS_OF_NUMBERS: Final = re.compile(r"tuple\[tuple\[int, int\], \.\.\.\]")


@dataclass(frozen=True, slots=True)
class Shape:
    """How the object of a finding differs from its fields.

    Attributes:
        names: field -> name in the object.
        without: fields that are left out.
        unsaid: fields in which '' is null, besides `UNSAID`.
        more: what is in the object besides, or instead.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    without: frozenset[str] = frozenset()
    unsaid: frozenset[str] = frozenset()
    more: Callable[[Any], dict[str, Any]] | None = None


def _without(*names: str, **renamed: str) -> Shape:
    return Shape(renamed, frozenset(names))


def _response_times(call: found.Call) -> dict[str, Any]:
    took = value(call.duration)
    return {"to_response": None if took is None else {"responses": took.pop("messages"), **took}}


def _difference(each: found.PolicyDifference) -> dict[str, Any]:
    return {
        "source": each.declared.source,
        "service": each.observed.service,
        "channel": each.observed.channel,
        "field": each.field,
        "declared": each.declared_value,
        "observed": each.observed_value,
    }


def _clock(each: found.HostClock) -> dict[str, Any]:
    def milliseconds(ns: int | None) -> float | None:
        return None if ns is None else round(ns / 1e6, 3)

    return {
        "host": each.host,
        "reference": each.reference,
        "ahead_ms": milliseconds(each.shift_ns),
        "ahead_at_least_ms": milliseconds(each.least_ns),
        "ahead_at_most_ms": milliseconds(each.most_ns),
        "messages": each.messages,
        "contradicted": each.contradicted,
    }


def _parties(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str | None]]:
    return [{"service": service, "principal": principal or None} for service, principal in pairs]


_SAME: Final = Shape()
SHAPES: Final[dict[type, Shape]] = {
    found.HostClock: Shape(
        without=frozenset({"host", "reference", "shift_ns", "least_ns", "most_ns", "messages", "contradicted"}), more=_clock
    ),
    found.Recording: Shape({"recording": "still_recording", "note": "links_incomplete"}, unsaid=frozenset({"chosen"})),
    # conversations
    found.Conversations: _without(cut="too_many_origins"),
    found.Request: _without("request_name", "reply_name", lost="answer_lost"),
    found.Saga: _without(key="held_together_by"),
    found.Compensation: _without("undone_name", "by_name", undone="step", by="undone_by", after="after_failure_of"),
    found.Stuck: _without("name"),
    found.Call: Shape({"because": "while_handling"}, frozenset({"duration"}), more=_response_times),
    found.Fallback: _without("name", failed="failed_calls", succeeded="calls", otherwise="followed_all_the_same"),
    found.Cycle: Shape(
        {"rounds": "most_rounds"}, more=lambda each: {"events": [reference for reference, _ in each.events]}
    ),
    found.LooseEnd: _without("name", reason="likely_reason"),
    found.Deviation: _without("name", sentence="difference", others="compared_with"),
    found.Style: _SAME,
    # topology
    found.Topology: _without("permissions"),  # they stand with the rest of security
    found.Channel: _without(sends="sent", receives="received"),
    found.Binding: _without(settings="arguments"),
    found.DeadLetter: _without(time_to_live="time_to_live_ms"),
    found.Inspection: Shape(more=lambda each: {"unreadable": dict(each.unreadable)}),
    # reliability
    found.Reliability: _without(outcomes="settlements"),
    found.Retries: _without("name"),
    found.Failure: _without(message="example"),
    found.Completeness: _without(
        uncaused="sends_without_cause", unfinished="without_end", unread="bodies_not_decoded", redacted="secrets_replaced"
    ),
    found.Unlinked: _without(reason="likely_reason"),
    found.ObservedPolicy: Shape(
        {"groups": "messages", "exhausted": "given_up"},
        more=lambda each: {"fit_error": None if each.fit_error is None else round(each.fit_error, 4)},
    ),
    found.DeclaredPolicy: Shape(unsaid=frozenset({"channel"})),
    found.PolicyDifference: Shape(
        without=frozenset({"declared", "observed", "declared_value", "observed_value"}), more=_difference
    ),
    found.Poison: _without("name"),
    found.Dropped: _without("name"),
    found.Rate: _without(fano="fano_factor"),
    found.Backlog: Shape(
        {"behind": "falls_behind"}, frozenset({"name", "system"}),
        more=lambda each: {"points": [[time_of(at_ns), waiting] for at_ns, waiting in each.points]},
    ),
    # delivery, security, resilience
    found.Missing: _without(kind="what", reason="likely_reason"),
    found.Access: Shape(
        more=lambda each: {"publishers": _parties(each.publishers), "consumers": _parties(each.consumers)}
    ),
    found.Transport: Shape(more=lambda each: {"principals": [name or None for name in each.principals]}),
    found.Exposure: Shape({"by": "told_by"}, unsaid=frozenset({"event", "field"})),
    found.Security: _without(redacted="secrets_replaced"),
    found.Score: Shape(unsaid=frozenset({"system", "channel", "service"})),
    found.Alert: Shape(
        {"subject": "event"}, frozenset({"metrics"}), frozenset({"subject"}),
        more=lambda each: {"metrics": [{"name": name, "from": exporter} for name, exporter in each.metrics]},
    ),
    found.Unwatched: Shape({"subject": "event"}, unsaid=frozenset({"subject"})),
    found.Criterion: Shape({"name": "check"}, unsaid=frozenset({"remedy"})),
}  # fmt: skip
"""By the finding's type."""


def value(thing: Any) -> Any:
    """A finding, or a part of one, as JSON has it."""
    if isinstance(thing, str | int | float | bool) or thing is None:
        return thing
    if is_dataclass(thing):
        return _object(thing)
    if isinstance(thing, Mapping):
        return dict(thing)
    return [value(each) for each in thing]


def _object(thing: Any) -> dict[str, Any]:
    kind: Any = type(thing)
    written = {key: convert(thing, getattr(thing, name)) for name, key, convert in _plan(kind)}
    more = SHAPES.get(kind, _SAME).more
    return written | more(thing) if more is not None else written


@functools.cache
def _plan(kind: Any) -> tuple[tuple[str, str, Callable[[Any, Any], Any]], ...]:
    """Of each field: its name, the name in the object, and what makes the value of the finding and the field."""
    shape = SHAPES.get(kind, _SAME)
    known = fields(kind)
    worded = any(each.name == "names" for each in known)
    plan = []
    for each in known:
        if each.name in shape.without or (worded and each.name == "names"):
            continue
        key = shape.names.get(each.name, _key(each.name))
        plan.append((each.name, key, _conversion(each.name, str(each.type), shape, worded=worded)))
    return tuple(plan)


def _key(name: str) -> str:
    if not name.endswith("_ns"):
        return name
    return name.removesuffix("_ns") if name.endswith("_seen_ns") else f"{name.removesuffix('_ns')}_at"


def _conversion(name: str, written: str, shape: Shape, *, worded: bool) -> Callable[[Any, Any], Any]:
    if name.endswith("_ns"):
        return lambda _, at_ns: time_of(at_ns)
    if name in UNSAID or name in shape.unsaid:
        return lambda _, text: text or None
    if worded and name in SENTENCES:
        return _worded
    if _PAIRS_OF_NUMBERS.fullmatch(written):
        return lambda _, counts: {str(number): count for number, count in counts}
    if _COUNTS.fullmatch(written):
        return lambda _, counts: {each: value(count) for each, count in counts}
    return lambda _, inner: value(inner)


def _worded(thing: Any, sentence: str) -> str:
    """A sentence with its names in it."""
    evidence = getattr(thing, "evidence", None)
    return sentence.format(*thing.names, n=f"{0 if evidence is None else evidence.operations:,}")
