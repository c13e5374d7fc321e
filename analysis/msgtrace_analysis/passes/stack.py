"""The stack: client libraries, servers with what is known of the connections to them, and services."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import Client, Server, Service, Stack
from msgtrace_analysis.passes.evidence import EVIDENCE, evidence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from msgtrace_analysis.study import Study

CONNECTION_FACTS: Final = (
    "tls",
    "security_protocol",
    "auth",
    "sasl_mechanism",
    "user",
    "broker",
    "broker_version",
    "protocol",
    "database",
    "db",
    "subprotocol",
    "heartbeat",
)
"""What is shown of a connection's settings, in this order."""
REDACTED: Final = "[redacted"

# One row per client library and version.
CLIENTS: Final = f"""
    select system, client, list_sort(list(distinct service)), {EVIDENCE}
    from operations
    where client is not null and client <> ''
    group by system, client
    order by system, client
"""

# One row per server that something was sent to or received from.
SERVERS: Final = f"""
    select
        system, server, virtual_host, count(distinct connection_id), list_sort(list(distinct service)), {EVIDENCE}
    from operations
    where server is not null and server <> '' and not (kind = 'call' and system = 'http')
    group by system, server, virtual_host
    order by system, server, virtual_host
"""

# One row per server and distinct facts of a connection to it: as the library described it, and as connecting told.
CONNECTIONS: Final = """
    select o.system, o.server, o.virtual_host, cast(c.facts as varchar) as facts
    from operations as o
    inner join connections as c using (connection_id)
    where o.server is not null and c.facts is not null
    union
    select system, server, virtual_host, settings
    from operations
    where kind = 'connect' and server is not null and settings is not null
    order by all
"""

# One row per service.
SERVICES: Final = """
    select
        p.service, count(*), count(*) filter (not p.ended), list_sort(list(distinct p.python) filter (p.python is not null)),
        coalesce(sum(o.operations), 0)
    from processes as p
    left join (select process_id, count(*) as operations from operations group by process_id) as o using (process_id)
    group by p.service
    order by p.service
"""


def stack(study: Study) -> Stack:
    """Find the stack."""
    known: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for *server, settings in study.rows(CONNECTIONS):
        known.setdefault(tuple(server), []).append(json.loads(settings))
    return Stack(
        clients=tuple(
            Client(system or "", client, tuple(services), evidence(rest))
            for system, client, services, *rest in study.rows(CLIENTS)
        ),
        servers=tuple(
            Server(
                system or "", server, host, connections, tuple(services),
                facts_of(known.get((system, server, host), ())), evidence(rest),
            )
            for system, server, host, connections, services, *rest in study.rows(SERVERS)
        ),
        services=tuple(
            Service(name, processes, running, tuple(pythons or ()), int(operations))
            for name, processes, running, pythons, operations in study.rows(SERVICES)
        ),
    )  # fmt: skip


def facts_of(connections: Iterable[dict[str, Any]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Every value that was seen of each fact that is shown."""
    seen: dict[str, set[str]] = {}
    for settings in connections:
        for name in CONNECTION_FACTS:
            value = settings.get(name)
            if value is not None and not isinstance(value, dict | list) and not str(value).startswith(REDACTED):
                seen.setdefault(name, set()).add(value if isinstance(value, str) else json.dumps(value))
    return tuple((name, tuple(sorted(seen[name]))) for name in CONNECTION_FACTS if name in seen)
