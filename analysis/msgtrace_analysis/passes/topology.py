"""What there is to send through: channels, bindings, subscriptions, as declared, as used, and where the two differ."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, get_args

from msgtrace_analysis.findings import Channel, Check, Place, Setting, Subscription, Topology
from msgtrace_analysis.passes.bindings import bindings
from msgtrace_analysis.passes.dead_letter_routes import dead_letters
from msgtrace_analysis.passes.evidence import EVIDENCE, evidence
from msgtrace_analysis.passes.inspected import inspected, permissions, rests_on
from msgtrace_analysis.passes.routes import unmatched_keys, used
from msgtrace_analysis.passes.topology_gaps import gaps
from msgtrace_analysis.passes.wiring import wired

if TYPE_CHECKING:
    from collections.abc import Iterable

    from msgtrace_analysis.passes.inspected import Inspected, Thing
    from msgtrace_analysis.study import Study

CHANNEL_KINDS: Final = ("exchange", "queue", "topic", "stream", "list", "pubsub")

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
    known = inspected(study)
    channels = _with_inspected([_channel(*row[:10], rest=row[10:]) for row in study.rows(CHANNELS)], known)
    subscriptions = tuple(
        Subscription(
            system or "", channel, kind or "", group, service,
            tuple(Place("handler", service, each["name"], each["site"]) for each in handlers or ()),
            settled(settings or ()), evidence(rest),
        )
        for system, channel, kind, group, service, handlers, settings, *rest in study.rows(SUBSCRIPTIONS)
    )  # fmt: skip
    hosts = wired(study, known)
    routers = {name: host.router() for name, host in hosts.items()}
    uses = used(study, hosts, routers)
    joined = bindings(study, known, hosts, uses)
    letters = dead_letters(channels, subscriptions, hosts, routers, uses, known)
    found = list(gaps(study, channels, joined, subscriptions, letters, known))
    for use in (uses or {}).values():
        found += unmatched_keys(use, inspected="rabbitmq" in known.whole)
    order = get_args(Check)
    return Topology(
        channels=tuple(channels),
        bindings=joined,
        subscriptions=subscriptions,
        dead_letters=letters,
        limits=tuple(
            Setting(system or "", service, action or "", settings_of(settings), evidence(rest))
            for system, service, action, settings, *rest in study.rows(LIMITS)
        ),
        inspections=known.inspections,
        permissions=permissions(known),
        gaps=tuple(sorted(found, key=lambda each: (order.index(each.check), each.system, each.name, each.names))),
    )


def _with_inspected(channels: list[Channel], known: Inspected) -> list[Channel]:
    """Channels, and those that only an inspection knows; exchanges that every broker has count only when used."""
    things: dict[tuple[str, str, str], list[Thing]] = {}
    for each in known.of(*CHANNEL_KINDS):
        things.setdefault((each.system, each.kind, each.pattern), []).append(each)
    joined = [_inspected_too(each, things.pop((each.system, each.kind, each.name), [])) for each in channels]
    for (system, kind, name), those in things.items():
        if kind == "exchange" and (not name or name.startswith("amq.")):
            continue
        hosts = tuple(sorted({each.virtual_host for each in those if each.virtual_host is not None}))
        empty = Channel(
            system, kind, name, len({each.name for each in those}), hosts, (), (), (), 0, 0, rests_on(those)
        )
        joined.append(_inspected_too(empty, those))
    return sorted(joined, key=lambda each: (each.system, each.kind, each.name))


def _inspected_too(channel: Channel, things: list[Thing]) -> Channel:
    if not things:
        return channel
    state: Counter[str] = Counter()
    for each in things:
        state.update(each.state)
    texts = (json.dumps({name: value for name, value in each.settings.items() if name != "state"}) for each in things)
    forms = tuple({k: v for k, v in form.items() if k != "action"} for form in settled(texts))
    latest = max(each.observed_ns for each in things)
    return replace(channel, inspected=forms, state=dict(state), inspected_ns=latest)


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
