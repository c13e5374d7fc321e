"""How connections are protected: encryption, authentication, and as whom clients are known."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Literal

from msgtrace_analysis.findings import Transport
from msgtrace_analysis.passes.stack import CONNECTIONS, REDACTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from msgtrace_analysis.findings import Server, Stack
    from msgtrace_analysis.study import Study

LOCAL: Final = ("127.", "localhost", "[::1]", "::1", "/")
_KNOWN_CLEAR: Final = frozenset({"redis"})
"""Systems whose hooks name `tls` where it is on, and say nothing where it is off."""


def transports(study: Study, stack: Stack) -> tuple[Transport, ...]:
    """Find how everybody is connected.

    Args:
        study: the trace.
        stack: its servers.
    """
    known: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for *server, settings in study.rows(CONNECTIONS):
        known.setdefault(tuple(server), []).append(json.loads(settings))
    return tuple(
        _transport(each, known.get((each.system or None, each.address, each.virtual_host), ()))
        for each in stack.servers
    )


def _transport(server: Server, facts: Sequence[Mapping[str, Any]]) -> Transport:
    mechanisms = _texts(facts, "sasl_mechanism") or _texts(facts, "auth")
    principals = _texts(facts, "user")
    encrypted = encryption(server.system, facts)
    identified: bool | None = True if principals or mechanisms else None
    if identified is None and any(each.get("security_protocol") == "PLAINTEXT" for each in facts):
        identified = False
    return Transport(
        system=server.system, server=server.address, virtual_host=server.virtual_host, services=server.services,
        connections=server.connections, encrypted=encrypted, local=server.address.startswith(LOCAL),
        mechanism=", ".join(mechanisms), principals=principals, identified=identified, evidence=server.evidence,
    )  # fmt: skip


def _texts(facts: Iterable[Mapping[str, Any]], name: str) -> tuple[str, ...]:
    values = {str(each[name]) for each in facts if isinstance(each.get(name), str) and each[name]}
    return tuple(sorted(value for value in values if not value.startswith(REDACTED)))


def encryption(system: str, facts: Iterable[Mapping[str, Any]]) -> Literal["yes", "no", "both", "unknown"]:
    """What connections say of their encryption.

    >>> encryption("kafka", [{"security_protocol": "SASL_SSL"}]), encryption("redis", [{"tls": True}, {"db": 0}])
    ('yes', 'both')
    """
    seen = {_encrypted(system, each) for each in facts} - {None}
    if not seen:
        return "unknown"
    return "both" if len(seen) == 2 else "yes" if True in seen else "no"


def _encrypted(system: str, facts: Mapping[str, Any]) -> bool | None:
    tls, protocol = facts.get("tls"), facts.get("security_protocol")
    if isinstance(tls, bool):
        return tls
    if isinstance(protocol, str):
        return protocol.endswith("SSL")
    return False if system in _KNOWN_CLEAR else None
