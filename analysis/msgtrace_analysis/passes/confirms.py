"""What producers learn of what they send: confirms, acks, refusals."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Literal

from msgtrace_analysis.findings import Producer
from msgtrace_analysis.passes.evidence import EVIDENCE, evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from msgtrace_analysis.study import Study

SETTINGS: Final = (
    "acks", "retries", "enable_idempotence", "transactional_id", "delivery_timeout_ms", "linger_ms", "mandatory", "confirms",
)  # fmt: skip
"""Of a connection or a send, that say what is promised."""

# One row per channel and service that sends to it. RabbitMQ's answer to a publish is its outcome `ack`; Kafka's and Redis'
# are that it went well at all, but for Kafka's with acks=0, which no broker answers and whose end is never seen.
PRODUCERS: Final = f"""
    with sent as (
        select
            s.*, row_number() over (partition by s.service, s.place, s.message_id order by s.operation_id) > 1
                and s.message_id is not null as again,
            case
                when s.system = 'kafka' then f.facts ->> '$.acks' <> '0'
                when s.system = 'rabbitmq' then coalesce(s.settings ->> '$.confirms', 'true') <> 'false'
                when s.channel_kind in ('list', 'stream') then true
                when s.channel_kind in ('pubsub', 'connection', 'room') then false
            end as answered
        from timed as s
        left join connections as f using (connection_id)
        where s.kind = 'send' and coalesce(s.channel_kind, '') not in ('bus', 'route') and s.system is not null
    )
    select
        system, place, coalesce(channel_kind, ''), service, count(*),
        count(*) filter (answered and outcome in ('ok', 'ack')), count(*) filter (outcome in ('nack', 'reject')),
        count(*) filter (outcome = 'returned'), count(*) filter (outcome in ('raised', 'cancelled')),
        count(*) filter (outcome = 'unknown' and coalesce(answered, true)), count(*) filter (again),
        bool_and(answered), bool_or(answered),
        list(distinct cast(settings as varchar)) filter (settings is not null), list(distinct connection_id), {EVIDENCE}
    from sent
    group by system, place, channel_kind, service
    order by system, place, channel_kind, service
"""

FACTS: Final = "select connection_id, cast(facts as varchar) from connections where facts is not null"


def producers(study: Study) -> tuple[Producer, ...]:
    """Find what everybody who sends is told. Needs the tables of `handling`."""
    facts = dict(study.rows(FACTS))
    return tuple(_producer(row, facts) for row in study.rows(PRODUCERS))


def _producer(row: Sequence[Any], facts: dict[int, str]) -> Producer:
    system, place, kind, service, *counts = row[:11]
    always, ever, settings, connections, *columns = row[11:]
    texts = [*(settings or ()), *(facts[each] for each in connections or () if each in facts)]
    sends, confirmed, refused, returned, failed, unanswered, repeated = counts
    return Producer(
        system=system, channel=place, channel_kind=kind, service=service, confirms=_confirms(always, ever),
        settings=_settings(texts), sends=sends, confirmed=confirmed, refused=refused, returned=returned, failed=failed,
        unanswered=unanswered, repeated=repeated, evidence=evidence(columns),
    )  # fmt: skip


def _confirms(
    always: bool | None,  # noqa: FBT001 - an answer of the trace
    ever: bool | None,  # noqa: FBT001 - as above
) -> Literal["always", "never", "sometimes", "unknown"]:
    if ever is None:
        return "unknown"
    return "always" if always else "sometimes" if ever else "never"


def _settings(texts: Iterable[str]) -> dict[str, Any]:
    """What is the same, or the different values in a list."""
    seen: dict[str, list[Any]] = {}
    for known in map(json.loads, sorted(texts)):
        for name in SETTINGS:
            value = known.get(name)
            if value is not None and value not in seen.setdefault(name, []):
                seen[name].append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in sorted(seen.items()) if values}
