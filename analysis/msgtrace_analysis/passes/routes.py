"""Joins what was sent with the rules of its exchange: bindings that led nothing on, routing keys that match nothing."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import Evidence, Gap
from msgtrace_analysis.passes.evidence import EVIDENCE, evidence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from msgtrace_analysis.findings import Certainty
    from msgtrace_analysis.passes.routing import Router
    from msgtrace_analysis.passes.wiring import Host
    from msgtrace_analysis.study import Study

MOST: Final = 50_000
"""Distinct ways of sending that are looked at; of more, nothing is said."""
KEYS: Final = 20
"""Of a queue that dead letters are followed with, and that a sentence names."""

# One row per distinct way of sending to an exchange: headers only where one that looks at them, or copies, may be met.
# `arrived`: some of these messages were received, or were refused because there was no way.
SENT: Final = f"""
    select
        coalesce(o.virtual_host, '/'), o.channel, coalesce(o.routing_key, ''),
        case when $1 or contains(o.headers, '"CC"') or contains(o.headers, '"BCC"') then o.headers end as said,
        count(distinct l.send_id), count(*) filter (o.outcome = 'returned'), {EVIDENCE.replace("operation_id", "o.operation_id")}
    from operations as o
    left join (select distinct send_id from links) as l on l.send_id = o.operation_id
    where o.system = 'rabbitmq' and o.kind = 'send' and o.channel_kind = 'exchange' and o.channel is not null
        and o.outcome not in ('raised', 'cancelled')
    group by coalesce(o.virtual_host, '/'), o.channel, coalesce(o.routing_key, ''), said
    order by all
    limit {MOST + 1}
"""


@dataclass(slots=True)
class Use:
    """What the traffic made of one virtual host.

    Attributes:
        bindings: messages that each led on, by its place among the host's bindings.
        keys: that messages had in each queue, how many.
        exchanges: messages that were published to each, or led to it.
        unsure: exchanges that messages may have been led on from in ways that are not known.
        unmatched: routing keys that nothing matches, by exchange.
    """

    bindings: Counter[int] = field(default_factory=Counter)
    keys: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    exchanges: Counter[str] = field(default_factory=Counter)
    unsure: set[str] = field(default_factory=set)
    unmatched: dict[str, list[tuple[str, int, Evidence]]] = field(default_factory=lambda: defaultdict(list))


def used(study: Study, hosts: Mapping[str, Host], routers: Mapping[str, Router]) -> dict[str, Use] | None:
    """Route everything that was sent; None where it was sent in too many ways. Needs `operations` and `links`."""
    looks_at_headers = any(
        each.type == "headers" for router in routers.values() for each in router.exchanges.values()
        if router.has_bindings(each.name)
    )  # fmt: skip
    rows = study.rows(SENT, [looks_at_headers])
    if len(rows) > MOST:
        return None
    uses: defaultdict[str, Use] = defaultdict(Use)
    for host, exchange, key, said, arrived, returned, *rest in rows:
        if host not in routers:
            continue
        headers = _headers(said)
        routed, use, messages = routers[host].route(exchange, key, headers), uses[host], rest[0]
        use.exchanges[exchange] += messages
        use.bindings.update(dict.fromkeys(routed.bindings, messages))
        use.unsure |= routed.unknown
        bindings = list(hosts[host].bindings.values())
        use.exchanges.update(
            {bindings[each].destination: messages for each in routed.bindings if bindings[each].to_exchange}
        )
        for queue in routed.queues:
            use.keys[queue][key] += messages
        # What came back as unroutable is sure; what arrived somewhere was matched by what we do not know.
        if not routed.queues and not routed.unknown and not arrived and (exchange or returned):
            use.unmatched[exchange].append((key, returned, evidence(rest)))
    return dict(uses)


def _headers(text: str | None) -> dict[str, Any]:
    known = json.loads(text) if text else {}
    return known if isinstance(known, dict) else {}


def unmatched_keys(use: Use, *, inspected: bool) -> Iterator[Gap]:
    """Routing keys that lead nowhere, an exchange at a time.

    Args:
        use: of a virtual host.
        inspected: all bindings of the broker are known, as they were when it was inspected.
    """
    for exchange, known in sorted(use.unmatched.items()):
        came_back = [each for each in known if each[1] == each[2].operations]
        others = [each for each in known if each not in came_back]
        split: tuple[tuple[list[tuple[str, int, Evidence]], Certainty], ...] = (
            (came_back, "exact"), (others, "likely" if inspected else "guess"),
        )  # fmt: skip
        for some, certainty in split:
            if not some:
                continue
            keys = tuple(key for key, _, _ in some[:KEYS])
            marks = ", ".join(f"{{{place + 1}}}" for place in range(len(keys)))
            more = f" and {len(some) - len(keys)} more" if len(some) > len(keys) else ""
            why = "the broker sent them back" if certainty == "exact" else "no binding that is known matches"
            sentence = (
                f"{{n}} messages sent to exchange {{0}} reached no queue, with the routing keys {marks}{more}: {why}."
            )
            yield Gap(
                "unmatched routing key", "rabbitmq", "exchange", exchange, sentence, (exchange, *keys),
                together([each for _, _, each in some], certainty),
            )  # fmt: skip


def together(known: list[Evidence], certainty: Certainty) -> Evidence:
    """The evidence of several as one."""
    first = [each.first_seen_ns for each in known if each.first_seen_ns is not None]
    last = [each.last_seen_ns for each in known if each.last_seen_ns is not None]
    return Evidence(
        sum(each.operations for each in known),
        tuple(sorted(example for each in known for example in each.examples)[:5]),
        min(first, default=None), max(last, default=None), certainty,
    )  # fmt: skip
