"""Bindings, declared and inspected, each once, and how many of the recorded messages it led on."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from msgtrace_analysis.findings import Binding
from msgtrace_analysis.passes.evidence import EVIDENCE, evidence
from msgtrace_analysis.passes.routes import Use, together
from msgtrace_analysis.passes.wiring import PREDECLARED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from msgtrace_analysis.passes.inspected import Inspected
    from msgtrace_analysis.passes.wiring import Host
    from msgtrace_analysis.study import Study

# One row per binding.
BINDINGS: Final = f"""
    select
        system, coalesce(settings ->> '$.exchange', settings ->> '$.source', ''), pattern, channel_kind,
        coalesce(routing_key, ''), coalesce(cast(settings -> '$.arguments' as varchar), 'null'),
        list_sort(list(distinct service)), virtual_host, channel, {EVIDENCE}
    from patterned
    where kind = 'declare' and action = 'bind' and outcome not in ('raised', 'cancelled')
    group by all
    order by all
"""


def bindings(
    study: Study, known: Inspected, hosts: Mapping[str, Host], uses: Mapping[str, Use] | None
) -> tuple[Binding, ...]:
    """Every binding. Needs `patterned`.

    Args:
        study: the trace.
        known: what was inspected; a binding that was declared too has the declaration's evidence.
        hosts: virtual hosts, by name.
        uses: what was sent there; None where that is not known.
    """
    led = _led(hosts, uses)
    found: dict[tuple[str, ...], Binding] = {}
    declared: set[tuple[str, ...]] = set()
    for each, name in (*_declared(study), *_inspected(known)):
        whole = json.dumps(each.settings, sort_keys=True)
        host = each.virtual_host or "/"
        own = (host, each.source, name, each.destination_kind, each.routing_key, whole)
        if own in declared:
            continue
        declared.add(own)
        one = replace(each, used=led.get(own) if each.system == "rabbitmq" else None)
        identity = (each.system, host, each.source, each.destination, each.destination_kind, each.routing_key, whole)
        before = found.get(identity)
        # Names that differ in generated parts only are one.
        found[identity] = one if before is None else _with(before, one)
    return tuple(
        sorted(
            found.values(),
            key=lambda each: (each.system, each.source, each.destination_kind, each.destination, each.routing_key),
        )
    )


def _with(before: Binding, one: Binding) -> Binding:
    return replace(
        before,
        used=None if before.used is None or one.used is None else before.used + one.used,
        declared_by=tuple(sorted({*before.declared_by, *one.declared_by})),
        evidence=together([before.evidence, one.evidence], "exact"),
    )


def _declared(study: Study) -> Iterator[tuple[Binding, str]]:
    """With the names of what they lead to."""
    for system, source, pattern, kind, key, text, services, host, name, *rest in study.rows(BINDINGS):
        arguments = json.loads(text) or {}
        yield (
            Binding(system or "", source, pattern, kind, key, arguments, tuple(services), evidence(rest), host),
            name,
        )


def _inspected(known: Inspected) -> Iterator[tuple[Binding, str]]:
    for each in (*known.of("exchange", action="bind"), *known.of("queue", action="bind")):
        source, arguments = str(each.settings.get("exchange") or ""), each.settings.get("arguments") or {}
        key = each.routing_key or ""
        yield (
            Binding(each.system, source, each.pattern, each.kind, key, arguments, (), each.evidence, each.virtual_host),
            each.name,
        )


def _led(hosts: Mapping[str, Host], uses: Mapping[str, Use] | None) -> dict[tuple[str, ...], int | None]:
    """Messages that each binding led on; none where an exchange's rule is not known, or what leads to it.

    Of an exchange that nothing was seen to be sent to, but that a queue's dead messages go to, it is not known either: the
    broker itself sends those.
    """
    led: dict[tuple[str, ...], int | None] = {}
    for name, host in hosts.items():
        use = None if uses is None else uses.get(name, Use())
        known = host.router().exchanges
        dead = {rules.exchange for rules in host.rules().values() if rules.exchange is not None}
        for place, bound in enumerate(host.bindings.values()):
            sure = use is not None and not use.unsure and (bound.source in known or bound.source in PREDECLARED)
            kind = "exchange" if bound.to_exchange else "queue"
            whole = json.dumps(bound.arguments, sort_keys=True)
            own = (name, bound.source, bound.destination, kind, bound.key, whole)
            count = use.bindings[place] if use is not None and sure else None
            led[own] = None if count == 0 and bound.source in dead else count
    return led
