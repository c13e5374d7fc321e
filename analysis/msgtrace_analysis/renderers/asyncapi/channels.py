"""Servers, channels and their bindings of an AsyncAPI document. Pure.

Bindings: https://github.com/asyncapi/bindings, the versions that AsyncAPI 3.1's schemas hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from msgtrace_analysis.renderers.asyncapi.names import addressed, parameters_in
from msgtrace_analysis.renderers.markdown import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from msgtrace_analysis.findings import Channel, Findings, Server, Use

PROTOCOLS: Final = {
    "rabbitmq": ("amqp", "amqps"), "kafka": ("kafka", "kafka-secure"), "redis": ("redis", "rediss"),
    "websocket": ("ws", "wss"),
}  # fmt: skip
"""AsyncAPI's names of protocols, in the open and encrypted."""
AMQP: Final = "0.3.0"
KAFKA: Final = "0.5.0"
WEBSOCKET: Final = "0.1.0"
AMQP_NAME: Final = 255
"""Octets of a name in AMQP 0-9-1, and the binding's limit."""


@dataclass(frozen=True, slots=True)
class Address:
    """What one AsyncAPI channel stands for.

    Attributes:
        key: AMQP routing key, as a template where parts of it vary; '' for none and elsewhere.
    """

    system: str
    kind: str
    name: str
    key: str

    @property
    def text(self) -> str:
        """What the document calls it by."""
        return self.key or self.name

    @property
    def label(self) -> str:
        """What its key in the document is made from."""
        return f"{self.name}.{self.key}" if self.key else self.name


def addresses(use: Use) -> list[Address]:
    """The channels that a use is of: one for each routing key where the channel is an exchange."""
    keys = use.keys if use.channel_kind == "exchange" and use.keys else ("",)
    return [Address(use.system, use.channel_kind, use.channel, key) for key in keys]


def server(value: Server) -> dict[str, Any]:
    """A server as it was connected to."""
    facts = dict(value.facts)
    plain, encrypted = PROTOCOLS.get(value.system, (value.system or "unknown",) * 2)
    tls = facts.get("tls") == ("true",)
    written: dict[str, Any] = {"host": visible(value.address), "protocol": visible(encrypted if tls else plain)}
    if value.virtual_host and value.system == "rabbitmq":
        written["pathname"] = f"/{quote(value.virtual_host, safe='')}"
    if len(versions := facts.get("broker_version", ())) == 1:
        written["x-broker-version"] = visible(versions[0])
    written["x-connections"] = value.connections
    return written


def channel(address: Address, uses: Sequence[Use], findings: Findings) -> dict[str, Any]:
    """A channel without its messages and servers.

    Args:
        address: what it stands for.
        uses: of it.
        findings: everything else that is known.
    """
    known = {each.name: each for use in uses for each in use.parameters}
    names = frozenset(name for name in parameters_in(address.text) if name in known)
    written: dict[str, Any] = {"address": addressed(address.text, names) or None}
    declared = _declared(findings, address.kind, address.name, address.system)
    if names:
        written["parameters"] = {
            name: {"description": f"{known[name].type}; {known[name].values} different values were seen"}
            for name in sorted(names)
        }
    bindings = _bindings(address, declared)
    if bindings:
        written["bindings"] = bindings
    written["x-kind"] = address.kind
    if address.key:
        written["x-exchange"] = address.name
    written |= _dead_letters(address, findings)
    return written


def _declared(findings: Findings, kind: str, name: str, system: str) -> Channel | None:
    return next(
        (each for each in findings.topology.channels if (each.system, each.kind, each.name) == (system, kind, name)),
        None,
    )


def _bindings(address: Address, declared: Channel | None) -> dict[str, Any]:
    settings = _agreed(declared)
    if address.system == "rabbitmq" and address.kind == "exchange":
        return {
            "amqp": {"is": "routingKey", "exchange": _exchange(address, declared, settings), "bindingVersion": AMQP}
        }
    if address.system == "rabbitmq" and address.kind == "queue":
        return {"amqp": {"is": "queue", "queue": _queue(address, declared, settings), "bindingVersion": AMQP}}
    if address.system == "kafka" and address.kind == "topic":
        return {"kafka": {"topic": address.name, **_kafka(settings), "bindingVersion": KAFKA}}
    if address.system == "websocket":
        return {"ws": {"method": "GET", "bindingVersion": WEBSOCKET}}
    return {}


def _agreed(declared: Channel | None) -> dict[str, Any]:
    """The settings that all forms in which a channel was declared agree on."""
    if declared is None or not declared.settings:
        return {}
    first, *others = [form for form in declared.settings if not form.get("passive")] or declared.settings
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in others)}


def _exchange(address: Address, declared: Channel | None, settings: Mapping[str, Any]) -> dict[str, Any]:
    written: dict[str, Any] = {"name": address.name[:AMQP_NAME]}
    if settings.get("exchange_type") in {"topic", "direct", "fanout", "default", "headers"}:
        written["type"] = settings["exchange_type"]
    elif address.name == "":
        written["type"] = "default"
    return written | _flags(settings, {"durable": "durable", "auto_delete": "autoDelete"}) | _virtual_host(declared)


def _queue(address: Address, declared: Channel | None, settings: Mapping[str, Any]) -> dict[str, Any]:
    flags = _flags(settings, {"durable": "durable", "exclusive": "exclusive", "auto_delete": "autoDelete"})
    return {"name": address.name[:AMQP_NAME], **flags} | _virtual_host(declared)


def _flags(settings: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {theirs: settings[ours] for ours, theirs in names.items() if isinstance(settings.get(ours), bool)}


def _virtual_host(declared: Channel | None) -> dict[str, Any]:
    hosts = () if declared is None else declared.virtual_hosts
    return {"vhost": hosts[0]} if len(hosts) == 1 else {}


def _kafka(settings: Mapping[str, Any]) -> dict[str, Any]:
    numbers = {"partitions": settings.get("partitions"), "replicas": settings.get("replication_factor")}
    return {name: value for name, value in numbers.items() if isinstance(value, int) and value > 0}


def _dead_letters(address: Address, findings: Findings) -> dict[str, Any]:
    if address.kind != "queue":
        return {}
    found = list(_routes(address.name, findings))
    return {"x-dead-letter": found} if found else {}


def _routes(queue: str, findings: Findings) -> Iterator[dict[str, Any]]:
    for each in findings.topology.dead_letters:
        if each.queue == queue:
            route = {
                "exchange": each.exchange, "routing_key": each.routing_key, "message_ttl_ms": each.time_to_live,
                "max_length": each.length_limit,
            }  # fmt: skip
            yield {name: value for name, value in route.items() if value is not None}
