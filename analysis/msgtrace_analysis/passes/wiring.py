"""Exchanges, bindings and queues of each virtual host, declared and inspected together, in the form that rules work on."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.passes.dead_lettering import QueueRules, rules_of
from msgtrace_analysis.passes.routing import Bound, Exchange, Router, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from msgtrace_analysis.passes.inspected import Inspected
    from msgtrace_analysis.study import Study

PREDECLARED: Final = {
    "amq.direct": "direct", "amq.fanout": "fanout", "amq.topic": "topic", "amq.headers": "headers",
    "amq.match": "headers", "amq.rabbitmq.trace": "topic",
}  # fmt: skip

# One row per distinct declaration on a RabbitMQ: what is asked for passively says nothing of how the thing is.
DECLARED: Final = """
    select coalesce(virtual_host, '/'), channel_kind, channel, min(operation_id), settings
    from patterned
    where system = 'rabbitmq' and kind = 'declare' and action = 'declare' and outcome not in ('raised', 'cancelled')
        and channel_kind in ('exchange', 'queue') and coalesce(settings ->> '$.passive', 'false') <> 'true'
    group by all
    order by all
"""

# One row per distinct binding.
BOUND: Final = """
    select
        coalesce(virtual_host, '/'), coalesce(settings ->> '$.exchange', settings ->> '$.source', ''), channel,
        channel_kind = 'exchange', coalesce(routing_key, ''), coalesce(cast(settings -> '$.arguments' as varchar), 'null')
    from patterned
    where system = 'rabbitmq' and kind = 'declare' and action = 'bind' and outcome not in ('raised', 'cancelled')
    group by all
    order by all
"""


@dataclass(slots=True)
class Host:
    """One virtual host.

    Attributes:
        exchanges: with every type and alternate exchange that was said of them.
        bindings: each once.
        arguments: of queues, and `policies` what policies add to them.
    """

    exchanges: dict[str, set[tuple[str, str | None]]] = field(default_factory=lambda: defaultdict(set))
    bindings: dict[tuple[str, str, bool, str, str], Bound] = field(default_factory=dict)
    arguments: dict[str, dict[str, Any]] = field(default_factory=dict)
    policies: dict[str, dict[str, Any]] = field(default_factory=dict)

    def bind(self, source: str, destination: str, key: str, arguments: Mapping[str, Any], *, to_exchange: bool) -> None:
        """Know a binding, once."""
        known = (source, destination, to_exchange, key, json.dumps(arguments, sort_keys=True))
        self.bindings[known] = Bound(source, destination, to_exchange, key, arguments)

    def router(self) -> Router:
        """Exchanges that were said to be of two types are not known."""
        sure = {name: next(iter(forms)) for name, forms in self.exchanges.items() if len(forms) == 1}
        known = {name: Exchange(name, kind) for name, kind in PREDECLARED.items()}
        known |= {name: Exchange(name, kind, alternate) for name, (kind, alternate) in sure.items()}
        return Router(known.values(), list(self.bindings.values()), self.arguments)

    def rules(self) -> dict[str, QueueRules]:
        """What each queue does with messages that it can't keep."""
        return {name: rules_of(name, known, self.policies.get(name)) for name, known in self.arguments.items()}


def wired(study: Study, known: Inspected) -> dict[str, Host]:
    """Every virtual host of RabbitMQ, by name. Needs `patterned`."""
    hosts: defaultdict[str, Host] = defaultdict(Host)
    _inspected(hosts, known)
    for host, kind, name, _, settings in study.rows(DECLARED):
        said = json.loads(settings or "{}")
        arguments = said.get("arguments") or {}
        if kind == "queue":
            hosts[host].arguments.setdefault(name, arguments)
        elif name not in hosts[host].exchanges or not _is_inspected(known, host, name):
            _exchange(hosts[host], name, said, None)
    for host, source, destination, to_exchange, key, arguments in study.rows(BOUND):
        hosts[host].bind(source, destination, key, json.loads(arguments) or {}, to_exchange=to_exchange)
    return dict(hosts)


def _is_inspected(known: Inspected, host: str, name: str) -> bool:
    return any(each.name == name and (each.virtual_host or "/") == host for each in known.of("exchange"))


def _exchange(host: Host, name: str, said: Mapping[str, Any], alternate: str | None) -> None:
    arguments = said.get("arguments") or {}
    host.exchanges[name].add((
        kind_of(str(said.get("exchange_type") or ""), arguments), arguments.get("alternate-exchange") or alternate,
    ))  # fmt: skip


def _inspected(hosts: dict[str, Host], known: Inspected) -> None:
    policies = {
        (each.virtual_host or "/", each.name): each.settings.get("definition") or {}
        for each in known.of("policy")
        if not each.settings.get("operator")
    }
    for each in known.things:
        if each.system != "rabbitmq":
            continue
        name = each.virtual_host or "/"
        if each.action == "bind":
            arguments = each.settings.get("arguments") or {}
            source = str(each.settings.get("exchange") or "")
            hosts[name].bind(source, each.name, each.routing_key or "", arguments, to_exchange=each.kind == "exchange")
        elif each.action == "inspect" and each.kind == "exchange" and each.name:
            policy = policies.get((name, str(each.settings.get("policy"))), {})
            _exchange(hosts[name], each.name, each.settings, policy.get("alternate-exchange"))
        elif each.action == "inspect" and each.kind == "queue":
            # A type that the user's virtual host gives by default is no argument of the queue.
            arguments = each.settings.get("arguments") or {}
            kind = each.settings.get("queue_type")
            hosts[name].arguments[each.name] = ({"x-queue-type": kind} if kind else {}) | arguments
            hosts[name].policies[each.name] = each.settings.get("effective_policy") or {}
