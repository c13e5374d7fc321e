"""Messaging Stack: which of the systems that were seen are brokers, buses in a process, real-time connections, or HTTP. Pure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Findings

Role = Literal["broker", "bus", "real-time", "http"]


def values(findings: Findings) -> dict[str, Any]:
    """Clients, servers and channels, by the part of the stack that they belong to."""
    roles = roles_of(findings)
    return {
        "clients": _by_role(roles, findings.stack.clients),
        "servers": _by_role(roles, findings.stack.servers),
        "channels": _by_role(roles, findings.topology.channels),
    }


def roles_of(findings: Findings) -> dict[str, Role]:
    """System -> what it is, by the kinds of its channels."""
    kinds: defaultdict[str, set[str]] = defaultdict(set)
    for channel in findings.topology.channels:
        kinds[channel.system].add(channel.kind)
    for event in findings.events:
        kinds[event.system].add(event.channel_kind)
    systems = {each.system for each in findings.stack.clients} | {each.system for each in findings.stack.servers}
    return {system: _role(system, kinds[system]) for system in sorted(systems | set(kinds))}


def _role(system: str, kinds: set[str]) -> Role:
    if system == "http":
        return "http"
    if system == "websocket" or kinds & {"connection", "room"}:
        return "real-time"
    return "bus" if kinds == {"bus"} else "broker"


def _by_role(roles: dict[str, Role], known: Any) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {"broker": [], "bus": [], "real-time": [], "http": []}
    for each in known:
        found[roles[each.system]].append(each)
    return found
