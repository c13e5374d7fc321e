"""What client libraries of brokers are told: how they connect and send again, and what may hold up, lose or repeat messages.

Settings are those of the client, whether the program gave them or the library has them by default; of redis-py those that a
client gives its connections.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import DeclaredPolicy, Place
from msgtrace_analysis.passes.evidence import EVIDENCE, evidence
from msgtrace_analysis.passes.policy_values import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgtrace_analysis.study import Study

RECONNECTING: Final = {
    "redis-py": (
        "retry", "retry_on_error", "socket_timeout", "socket_connect_timeout", "health_check_interval",
    ),
    "aio-pika": ("reconnect_interval", "fail_fast"),
    "kafka-python": ("reconnect_backoff_ms", "reconnect_backoff_max_ms"),
}  # fmt: skip
"""Library -> what says how it goes back to a server that it lost. The first is what any such connection has."""
SENDING: Final = {
    "kafka-python producer": (
        "acks", "retries", "retry_backoff_ms", "enable_idempotence", "transactional_id", "delivery_timeout_ms",
        "request_timeout_ms", "max_block_ms", "linger_ms", "max_in_flight_requests_per_connection",
    ),
    "kafka-python consumer": (
        "auto_offset_reset", "group_id", "enable_auto_commit", "auto_commit_interval_ms", "session_timeout_ms",
        "max_poll_interval_ms", "max_poll_records", "isolation_level", "retry_backoff_ms", "request_timeout_ms",
    ),
}  # fmt: skip
"""The same for what repeats its requests."""
SYSTEMS: Final = {"redis-py": "redis", "aio-pika": "rabbitmq"}

# One row per system, service, server and distinct settings. What is made of a connection stands for its being used so.
TOLD: Final = f"""
    with told as (
        select connection_id, cast(json_extract(facts, $1) as varchar[]) as settings
        from connections
        where json_extract(facts, $2) is not null
    )
    select o.service, o.server, t.settings, {EVIDENCE}
    from operations as o
    inner join told as t using (connection_id)
    where o.system = $3
    group by o.service, o.server, t.settings
    order by all
"""

# The same of what is told when a connection is made, in an operation of its own.
MADE: Final = f"""
    select service, server, cast(json_extract(settings, $1) as varchar[]) as said, {EVIDENCE}
    from operations
    where kind = 'declare' and channel_kind = 'retry' and settings ->> '$.library' = $2 and system = $3
    group by service, server, said
    order by all
"""


def client_policies(study: Study) -> tuple[DeclaredPolicy, ...]:
    """Every client's policies, as they were set."""
    return tuple(
        policy
        for library, names in (RECONNECTING | SENDING).items()
        for row in _rows(study, library, names)
        for policy in _policies(library, names, row)
    )


def _rows(study: Study, library: str, names: Sequence[str]) -> list[Any]:
    paths = [f"$.{name}" for name in names]
    system = SYSTEMS.get(library, "kafka")
    if library == "aio-pika":
        return study.rows(MADE, (paths, library, system))
    return study.rows(TOLD, (paths, paths[0], system))


def _policies(library: str, names: Sequence[str], row: Sequence[Any]) -> list[DeclaredPolicy]:
    service, server, values, *rest = row
    settings = {name: json.loads(value) for name, value in zip(names, values, strict=True) if value is not None}
    policy = read(library, settings)
    if policy is None:
        return []
    system, about, place = SYSTEMS.get(library, "kafka"), server or "", Place("code", service, "", "")
    if library in SENDING:
        place, about = Place("code", service, library.rpartition(" ")[2], about), ""
    said = {name: _said(value) for name, value in settings.items()}
    return [DeclaredPolicy(library, place, service, system, about, policy, evidence(rest), said)]


def _said(value: Any) -> Any:
    """A setting for people: of an object its class and numbers, on one line."""
    if isinstance(value, dict):
        given = ", ".join(f"{name.strip('_')}={_said(each)}" for name, each in value.items() if name != "is")
        return f"{value.get('is')}({given})"
    if isinstance(value, list):
        return ", ".join(sorted(str(_said(each)) for each in value))
    return value
