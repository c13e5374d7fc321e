"""What a test has seen: its messages, read from the trace while it is recorded."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.passes.discriminators import ALONE, TELLING, squashed
from msgtrace_analysis.passes.naming import HEADERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from msgtrace_collectors.trace import Trace

MAX_OPERATIONS: Final = 20_000
"""Of one test: the first ones."""

# One row per operation that is about a message, of one test or of all.
OPERATIONS: Final = """
    select
        o.operation_id, o.kind, o.system, o.channel, o.routing_key, o.message_key, o.event_type,
        cast(o.headers as varchar) as headers, cast(o.body_json as varchar) as body, o.body_size, o.service, o.process_id,
        o.consumer_group, h.name as handler, o.code_function, o.outcome, o.error_type, o.monotonic_ns
    from operations as o
    left join handlers as h using (handler_id)
    where
        o.kind in ('send', 'receive', 'process')
        and o.monotonic_ns >= $2
        and (
            $1 is null
            or o.operation_id in (
                select operation_id
                from test_operations
                where test_id = (select test_id from tests where process_id = $1 order by started_ns desc limit 1)
            )
        )
    order by o.monotonic_ns, o.operation_id
    limit $3
"""
# One row per pair of operations of which the second is the same message, or follows from it.
EDGES: Final = """
    select send_id, receive_id, 'link' as sort from links where receive_id in (select unnest($1)) and certainty <> 'guess'
    union all
    select cause_id, effect_id, 'cause' from causes where effect_id in (select unnest($1)) and certainty <> 'guess'
"""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Somebody who got a message.

    Attributes:
        service: that recorded it.
        handler: the function that handled it, if one is known.
        group: the consumer group.
        outcome: of the handling, as docs/trace-file.md has it.
        error: the type of what the handler raised.
    """

    service: str = ""
    handler: str = ""
    group: str = ""
    outcome: str = "ok"
    error: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message that a test has seen: a send with its receives, or a receive whose send nobody recorded.

    Attributes:
        operation_id: of the send, or else of the receive: a row of the trace's `operations`.
        name: what it is called, as far as one message tells: its type in the protocol, a header or the body; else its
            routing key, or its channel.
        names: everything that it may be called.
        channel: exchange, queue, topic, stream or bus.
        routing_key: AMQP's; the event's name on a bus.
        key: Kafka's key.
        headers: by name.
        body: decoded and redacted, as it is stored; None where it could not be decoded.
        body_size: bytes of the whole body.
        service: that sent it; '' where the send was not recorded.
        function: that sent it.
        receipts: who got it.
        ancestors: ids of the messages that it follows from, near and far.
        at_ns: on the machine's monotonic clock.
        outcome: of the send.
    """

    operation_id: int
    name: str = ""
    names: frozenset[str] = frozenset()
    system: str = ""
    channel: str = ""
    routing_key: str = ""
    key: str = ""
    headers: dict[str, Any] = field(default_factory=dict)
    body: Any = None
    body_size: int = 0
    service: str = ""
    function: str = ""
    receipts: tuple[Receipt, ...] = ()
    ancestors: frozenset[int] = frozenset()
    at_ns: int = 0
    outcome: str = "ok"


def read(trace: Trace, tester: str | None, since_ns: int) -> list[Message]:
    """The messages of a test, in the order in which they were sent.

    Args:
        trace: open, with links that are up to date.
        tester: id of the process that runs the test, of which the last one is meant; None for all tests, and none.
        since_ns: monotonic time of its beginning.

    Raises:
        TraceError: the trace can't be asked.
    """
    rows = trace.query(OPERATIONS, [tester, since_ns, MAX_OPERATIONS]).to_pylist()
    edges = trace.query(EDGES, [[row["operation_id"] for row in rows]])
    return messages_of(rows, list(zip(*(column.to_pylist() for column in edges.columns), strict=True)))


def messages_of(rows: Sequence[dict[str, Any]], edges: Iterable[tuple[int, int, str]]) -> list[Message]:
    """Messages out of operations, and of what joins them: (operation, what follows from it, 'link' or 'cause'). Pure."""
    by_id = {row["operation_id"]: row for row in rows}
    before: dict[int, list[int]] = {}
    sent_as: dict[int, int] = {}
    for source, target, sort in edges:
        before.setdefault(target, []).append(source)
        if sort == "link" and source in by_id:
            sent_as[target] = source
    heads = {row["operation_id"]: _head(row, by_id, before, sent_as) for row in rows}
    receipts: dict[int, list[Receipt]] = {}
    for row in rows:
        if row["kind"] != "send":
            receipts.setdefault(heads[row["operation_id"]], []).append(_receipt(row))
    found = []
    for row in rows:
        identity = row["operation_id"]
        if heads[identity] == identity:
            above = _above(identity, before)
            ancestors = frozenset(heads[each] for each in above if each in heads) - {identity}
            found.append(_message(row, _merged(receipts.get(identity, [])), ancestors))
    return found


def _head(row: dict[str, Any], by_id: dict[int, Any], before: dict[int, list[int]], sent_as: dict[int, int]) -> int:
    """The operation that stands for the message which an operation is about."""
    identity: int = row["operation_id"]
    if row["kind"] == "send":
        return identity
    if identity in sent_as:
        return sent_as[identity]
    if row["kind"] == "process":  # of a receive, which is its cause
        for cause in before.get(identity, ()):
            known = by_id.get(cause)
            if known is not None and known["kind"] == "receive":
                return sent_as.get(cause, cause)
    return identity


def _above(identity: int, before: dict[int, list[int]]) -> set[int]:
    found: set[int] = set()
    waiting = list(before.get(identity, ()))
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += before.get(each, ())
    return found


def _receipt(row: dict[str, Any]) -> Receipt:
    return Receipt(
        service=row["service"] or "",
        handler=row["handler"] or "",
        group=row["consumer_group"] or "",
        outcome=row["outcome"] or "",
        error=row["error_type"] or "",
    )


def _merged(receipts: list[Receipt]) -> tuple[Receipt, ...]:
    """A receive and its handling by the same service are one receipt: the handling says more."""
    handled = {receipt.service for receipt in receipts if receipt.handler}
    return tuple(receipt for receipt in receipts if receipt.handler or receipt.service not in handled)


def _message(row: dict[str, Any], receipts: tuple[Receipt, ...], ancestors: frozenset[int]) -> Message:
    headers = json.loads(row["headers"]) if row["headers"] else {}
    body = json.loads(row["body"]) if row["body"] else None
    said = names_of(row["event_type"], headers, body)
    channel, routing_key = row["channel"] or "", row["routing_key"] or ""
    sent = row["kind"] == "send"
    return Message(
        operation_id=row["operation_id"],
        name=next(filter(None, [*said, routing_key, channel]), ""),
        names=frozenset(filter(None, [*said, routing_key, channel])),
        system=row["system"] or "",
        channel=channel,
        routing_key=routing_key,
        key=row["message_key"] or "",
        headers=headers if isinstance(headers, dict) else {},
        body=body,
        body_size=row["body_size"] or 0,
        service=(row["service"] or "") if sent else "",
        function=(row["code_function"] or "") if sent else "",
        receipts=receipts,
        ancestors=ancestors,
        at_ns=row["monotonic_ns"],
        outcome=row["outcome"] or "",
    )


def names_of(event_type: str | None, headers: Any, body: Any) -> list[str]:
    """What a message says that it is called, the surest first: by its type, a header, a field of its body.

    >>> names_of(None, {"x-event-type": "order.created"}, {"type": "domain-event", "data": {"event": "created"}})
    ['order.created', 'created', 'domain-event']
    """
    said = [event_type] if event_type else []
    if isinstance(headers, dict):
        said += [value for name, value in headers.items() if squashed(name) in HEADERS and isinstance(value, str)]
    if isinstance(body, dict):
        inner = [each for each in body.values() if isinstance(each, dict)]
        for telling in (frozenset(TELLING), ALONE):
            for fields in [body, *inner]:
                said += [
                    value
                    for name, value in fields.items()
                    if squashed(name) in telling and isinstance(value, str) and value
                ]
    return list(dict.fromkeys(said))
