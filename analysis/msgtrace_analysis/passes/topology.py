"""What there is to send through: channels, bindings, subscriptions, as declared, as used, and where the two differ."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import Binding, Channel, DeadLetter, Place, Setting, Subscription, Topology
from msgtrace_analysis.passes.evidence import EVIDENCE, evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from msgtrace_analysis.study import Study

PASSING: Final = frozenset({"action", "message_count", "consumer_count", "nowait"})
"""Settings that say nothing about how a channel is set up."""

# One row per operation that went through, declared or subscribed to something, with the pattern of its channel.
PATTERNED: Final = """
    create view patterned as
    select o.*, coalesce(a.address, '') as pattern, coalesce(o.settings ->> '$.action', '') as action
    from operations as o
    inner join addresses as a
        on a.system is not distinct from o.system
        and a.kind is not distinct from o.channel_kind
        and a.name is not distinct from o.channel
"""

# One row per channel that was declared, inspected or used. A declaration that failed declared nothing.
CHANNELS: Final = f"""
    select
        system, channel_kind, pattern, list_sort(list(distinct virtual_host) filter (virtual_host is not null)),
        list_sort(list(distinct settings) filter (kind = 'declare' and action in ('', 'declare', 'create'))),
        list_sort(list(distinct service) filter (kind = 'declare' and action in ('', 'declare', 'create'))),
        list_sort(list(distinct action) filter (kind = 'declare' and action not in ('', 'declare', 'create', 'bind'))),
        count(distinct channel),
        count(*) filter (kind = 'send'), count(*) filter (kind in ('receive', 'process')), {EVIDENCE}
    from patterned
    where channel_kind not in ('route', 'retry', 'breaker') and kind in ('declare', 'subscribe', 'send', 'receive', 'process')
        and not (kind = 'declare' and outcome in ('raised', 'cancelled'))
    group by system, channel_kind, pattern
    order by system, channel_kind, pattern
"""

# One row per binding.
BINDINGS: Final = f"""
    select
        system, coalesce(settings ->> '$.exchange', settings ->> '$.source', ''), pattern, channel_kind,
        coalesce(routing_key, ''), coalesce(cast(settings -> '$.arguments' as varchar), 'null'),
        list_sort(list(distinct service)), {EVIDENCE}
    from patterned
    where kind = 'declare' and action = 'bind' and outcome not in ('raised', 'cancelled')
    group by all
    order by all
"""

# One row per service, channel and consumer group.
SUBSCRIPTIONS: Final = f"""
    select
        system, pattern, channel_kind, consumer_group, service,
        list_sort(list(distinct {{'name': coalesce(handler_name, ''), 'site': handler_site}})
            filter (handler_site is not null)),
        list_sort(list(distinct settings) filter (settings is not null)), {EVIDENCE}
    from patterned
    where kind = 'subscribe' and channel is not null and action not in ('cancel', 'unsubscribe', 'cancelled by the broker')
        and outcome not in ('raised', 'cancelled')
    group by system, pattern, channel_kind, consumer_group, service
    order by all
"""

# One row per declaration or subscription that is of no channel: prefetch limits, rebalances and the like.
LIMITS: Final = f"""
    select system, service, settings ->> '$.action' as action, settings, {EVIDENCE}
    from operations
    where kind in ('declare', 'subscribe') and channel is null and settings is not null and outcome not in ('raised', 'cancelled')
    group by system, service, action, settings
    order by all
"""


def topology(study: Study) -> Topology:
    """Find the topology. Needs `addresses`."""
    study.run(PATTERNED)
    channels = tuple(_channel(*row[:10], rest=row[10:]) for row in study.rows(CHANNELS))
    return Topology(
        channels=channels,
        bindings=tuple(
            Binding(system or "", source, name, kind, key, json.loads(arguments) or {}, tuple(services), evidence(rest))
            for system, source, name, kind, key, arguments, services, *rest in study.rows(BINDINGS)
        ),
        subscriptions=tuple(
            Subscription(
                system or "", channel, kind or "", group, service,
                tuple(Place("handler", service, each["name"], each["site"]) for each in handlers or ()),
                settled(settings or ()), evidence(rest),
            )
            for system, channel, kind, group, service, handlers, settings, *rest in study.rows(SUBSCRIPTIONS)
        ),
        dead_letters=tuple(each for channel in channels for each in dead_letters(channel)),
        limits=tuple(
            Setting(system or "", service, action or "", settings_of(settings), evidence(rest))
            for system, service, action, settings, *rest in study.rows(LIMITS)
        ),
    )  # fmt: skip


def _channel(
    system: str | None,
    kind: str,
    name: str,
    hosts: list[str] | None,
    settings: list[str | None] | None,
    services: list[str] | None,
    actions: list[str] | None,
    alike: int,
    sends: int,
    receives: int,
    *,
    rest: tuple[Any, ...],
) -> Channel:
    return Channel(
        system=system or "",
        kind=kind,
        name=name,
        alike=alike,
        virtual_hosts=tuple(hosts or ()),
        settings=settled(each for each in settings or () if each is not None),
        declared_by=tuple(services or ()),
        actions=tuple(actions or ()),
        sends=sends,
        receives=receives,
        evidence=evidence(rest),
    )


def settings_of(text: str) -> dict[str, Any]:
    """What settings say about how a channel is set up: what is known, in order of name."""
    known = json.loads(text)
    return {name: value for name, value in sorted(known.items()) if name not in PASSING and value is not None}


def settled(texts: Iterable[str]) -> tuple[dict[str, Any], ...]:
    """Every distinct form of settings."""
    forms = {json.dumps(settings_of(text), sort_keys=True) for text in texts}
    return tuple(json.loads(form) for form in sorted(forms) if form != "{}")


def dead_letters(channel: Channel) -> Iterable[DeadLetter]:
    """Where a queue's dead messages go, by every form of its declaration."""
    for settings in channel.settings:
        arguments: Mapping[str, Any] = settings.get("arguments") or {}
        exchange = arguments.get("x-dead-letter-exchange")
        if channel.kind == "queue" and isinstance(exchange, str):
            yield DeadLetter(
                queue=channel.name,
                exchange=exchange,
                routing_key=_text(arguments.get("x-dead-letter-routing-key")),
                time_to_live=_text(arguments.get("x-message-ttl")),
                length_limit=_text(arguments.get("x-max-length")),
                evidence=channel.evidence,
            )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
