"""Queue Management: what is declared how, what leads where, and what becomes of dead messages. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgtrace_analysis.renderers.guide import code_blocks
from msgtrace_analysis.renderers.guide.stack import roles_of

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Channel, DeadLetter, Findings


@dataclass(frozen=True, slots=True)
class DeadSetting:
    """What a queue does with messages that it can't deliver, by the names that people ask for.

    Attributes:
        declared: the queue, its time to live, and where its dead messages go.
        maximum_retries: attempts beyond the first, with where that is from; '' where not known.
        alert_threshold: messages from which on somebody should look; '' where none is proposed.
    """

    declared: DeadLetter
    maximum_retries: str
    alert_threshold: str


def values(findings: Findings) -> dict[str, Any]:
    """Settings of dead letters, and code blocks."""
    clients = {each.system: each.client.partition(" ")[0] for each in findings.stack.clients}
    several = {each.system for each in findings.stack.clients if each.client.partition(" ")[0] != clients[each.system]}

    def declaration(channel: Channel) -> Any:
        client = "" if channel.system in several else clients.get(channel.system, "")
        bound = [
            each
            for each in findings.topology.bindings
            if (each.system, each.destination, each.destination_kind) == (channel.system, channel.name, channel.kind)
        ]
        return code_blocks.declared(channel, bound, client)

    return {
        "declaration": declaration,
        "subscribed": code_blocks.subscribed,
        "roles": roles_of(findings),
        "dead_settings": [_dead_setting(findings, each) for each in findings.topology.dead_letters],
    }


def _dead_setting(findings: Findings, declared: DeadLetter) -> DeadSetting:
    return DeadSetting(declared, _maximum_retries(findings, declared), _alert_threshold(findings, declared))


def _alert_threshold(findings: Findings, declared: DeadLetter) -> str:
    watched = {declared.queue, *declared.targets}
    for each in findings.alerts.rules:
        if each.watches == "dead letters" and each.system == "rabbitmq" and watched & {each.channel, *each.names}:
            return f"{each.threshold:g} {each.unit} (proposed)"
    return ""


def _maximum_retries(findings: Findings, declared: DeadLetter) -> str:
    if declared.delivery_limit is not None:
        return f"{declared.delivery_limit:,} (delivery limit of the queue)"
    for policy in findings.retrying.observed:
        through = {policy.channel, *policy.route}
        if policy.system == "rabbitmq" and declared.queue in through and policy.policy.max_attempts is not None:
            return f"{policy.policy.max_attempts - 1:,} (observed)"
    return ""
