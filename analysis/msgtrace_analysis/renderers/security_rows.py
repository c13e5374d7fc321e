"""Rows about security, for quick looks. Never a value of anybody's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from msgtrace_analysis.renderers.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from msgtrace_analysis.findings import Permission, Security

Of = Literal["transport", "access", "permission", "data", "hazard", "protection"]
OF: Final[tuple[Of, ...]] = ("transport", "access", "permission", "data", "hazard", "protection")


def security_rows(found: Security, permissions: Iterable[Permission], of: Of) -> Rows:
    """One row per what is asked for."""
    return _permissions(permissions) if of == "permission" else _MADE[of](found)


def _transports(found: Security) -> Rows:
    columns = (
        "system", "server", "virtual_host", "encrypted", "local", "mechanism", "principals", "identified", "connections",
        "services",
    )  # fmt: skip
    rows = [
        (
            each.system, each.server, each.virtual_host, each.encrypted, each.local, each.mechanism or None,
            list(each.principals) or None, each.identified, each.connections, list(each.services),
        )
        for each in found.transports
    ]  # fmt: skip
    return Rows(
        columns, rows, "No connection to a server is in this trace.", spare=("connections", "virtual_host", "local")
    )


def _access(found: Security) -> Rows:
    columns = ("system", "channel", "publishers", "consumers", "may_publish", "may_consume", "unused")
    rows = [
        (
            each.system, f"{each.channel_kind} {each.channel}".strip(), _users(each.publishers), _users(each.consumers),
            None if each.may_publish is None else list(each.may_publish),
            None if each.may_consume is None else list(each.may_consume), list(each.unused) or None,
        )
        for each in found.access
    ]  # fmt: skip
    return Rows(columns, rows, "Nothing went through a broker in this trace.", spare=("unused", "system"))


def _users(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{service} as {user}" if user else service for service, user in pairs]


def _permissions(permissions: Iterable[Permission]) -> Rows:
    columns = ("system", "server", "principal", "resource_kind", "resource", "operation", "pattern", "allowed")
    rows = [
        (
            each.system, each.server, each.principal, each.resource_kind, each.resource, each.operation, each.pattern,
            each.allowed,
        )
        for each in permissions
    ]  # fmt: skip
    return Rows(
        columns, rows, "No permissions were read: msgtrace inspect URL reads them, where it may.", spare=("server",)
    )


def _data(found: Security) -> Rows:
    columns = ("event", "system", "channel", "where", "field", "kind", "messages", "of", "told_by", "examples")
    rows = [
        (
            each.name or None, each.system, each.channel, each.where, each.field or None, each.kind, each.messages, each.of,
            each.by,
            list(each.evidence.examples),
        )
        for each in found.exposures
    ]  # fmt: skip
    return Rows(columns, rows, "No personal data and no secret was seen in what could be searched.",
                spare=("examples", "told_by", "system"))  # fmt: skip


def _hazards(found: Security) -> Rows:
    columns = ("system", "channel", "encoding", "publishers", "consumers", "messages")
    rows = [
        (
            each.system, f"{each.channel_kind} {each.channel}".strip(), each.encoding, list(each.publishers),
            list(each.consumers),
            each.messages,
        )
        for each in found.hazards
    ]  # fmt: skip
    return Rows(columns, rows, "No pickle was seen.")


def _protections(found: Security) -> Rows:
    columns = ("kind", "system", "channel", "told_by", "messages", "of", "certainty")
    rows = [
        (
            each.kind, each.system, f"{each.channel_kind} {each.channel}".strip(), each.told_by, each.messages, each.of,
            each.certainty,
        )
        for each in found.protections
    ]  # fmt: skip
    return Rows(columns, rows, "No signature and no encrypted body was seen.")


_MADE: Final[dict[Of, Callable[[Security], Rows]]] = {
    "transport": _transports,
    "access": _access,
    "data": _data,
    "hazard": _hazards,
    "protection": _protections,
}
