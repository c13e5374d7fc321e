"""Who publishes to a channel and who consumes from it, as whom, and who else may, where an inspection read that."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import Access
from msgtrace_analysis.passes.evidence import EVIDENCE, evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from msgtrace_analysis.findings import Permission
    from msgtrace_analysis.study import Study

# One row per channel: services and principals on either side.
USED: Final = f"""
    select
        t.system, t.place, coalesce(t.channel_kind, ''),
        list_sort(list(distinct t.virtual_host) filter (t.virtual_host is not null)),
        list_sort(list(distinct {{'service': t.service, 'user': coalesce(c.facts ->> '$.user', '')}}) filter (t.kind = 'send')),
        list_sort(list(distinct {{'service': t.service, 'user': coalesce(c.facts ->> '$.user',
        '')}}) filter (t.kind = 'receive')),
        {EVIDENCE}
    from timed as t
    left join connections as c using (connection_id)
    where t.kind in ('send', 'receive') and t.system is not null and coalesce(t.channel_kind, '') not in ('bus', 'route')
    group by t.system, t.place, t.channel_kind
    order by t.system, t.place, t.channel_kind
"""
WRITING: Final = frozenset({"write", "all", "WRITE", "ALL"})
READING: Final = frozenset({"read", "all", "READ", "ALL"})


def access(study: Study, permissions: Sequence[Permission]) -> tuple[Access, ...]:
    """Find who uses what, and who may. Needs `timed`."""
    return tuple(_access(row, permissions) for row in study.rows(USED))


def _access(row: Sequence[Any], permissions: Sequence[Permission]) -> Access:
    system, place, kind, hosts, publishers, consumers, *rest = row
    about = [each for each in permissions if each.system == system]
    publish, consume = _may(about, kind, place, hosts or (), WRITING), _may(about, kind, place, hosts or (), READING)
    seen = {each["user"] for each in (*(publishers or ()), *(consumers or ()))}
    # A queue is not published to, and an exchange not consumed from.
    may_publish = None if kind == "queue" else publish
    may_consume = None if kind == "exchange" else consume
    return Access(
        system=system, channel=place, channel_kind=kind, publishers=_pairs(publishers), consumers=_pairs(consumers),
        may_publish=may_publish, may_consume=may_consume,
        unused=tuple(sorted({*(may_publish or ()), *(may_consume or ())} - seen)), evidence=evidence(rest),
    )  # fmt: skip


def _pairs(values: Iterable[dict[str, str]] | None) -> tuple[tuple[str, str], ...]:
    return tuple((each["service"], each["user"]) for each in values or ())


def _may(
    permissions: Sequence[Permission], kind: str, name: str, hosts: Sequence[str], operations: frozenset[str]
) -> tuple[str, ...] | None:
    """Principals that may; None where nothing was read that tells."""
    if not permissions:
        return None
    fitting = [each for each in permissions if each.operation in operations and _is_of(each, kind, name, hosts)]
    denied = {each.principal for each in fitting if not each.allowed}
    return tuple(sorted({each.principal for each in fitting if each.allowed} - denied))


def _is_of(permission: Permission, kind: str, name: str, hosts: Sequence[str]) -> bool:
    if permission.system == "rabbitmq":
        if permission.resource_kind != "virtual host" or permission.resource not in hosts:
            return False
        try:
            return re.search(permission.pattern, name or "amq.default") is not None
        except re.error:
            return False  # Erlang's expressions are not quite Python's
    return permission.resource_kind in {kind, kind.upper()} and fnmatchcase(name, permission.pattern or "*")
