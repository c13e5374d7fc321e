"""kafka: what is known of a client: its connection and its place in a consumer group.

Producer, consumer, coordinator and admin client hold a network client each (`KafkaClient` up to kafka-python 2.3,
`KafkaNetClient` since 3.0), which knows the addresses and, once it has seen the brokers' metadata, the cluster.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from msgtrace import interning

if TYPE_CHECKING:
    from collections.abc import Iterable

    from msgtrace.records import Message

DEFAULT_PORT: Final = 9092

_FACTS: Final = {
    "client_id": "client_id",
    "security_protocol": "security_protocol",
    "sasl_mechanism": "sasl_mechanism",
    "sasl_plain_username": "user",
}
"""Settings of the network client, and what they are called in a connection's facts."""

_PROMISES: Final = (
    "acks",
    "retries",
    "enable_idempotence",
    "transactional_id",
    "compression_type",
    "linger_ms",
    "delivery_timeout_ms",
    "group_id",
    "group_instance_id",
    "enable_auto_commit",
    "auto_commit_interval_ms",
    "auto_offset_reset",
    "isolation_level",
    "max_poll_records",
    "max_poll_interval_ms",
    "session_timeout_ms",
    "retry_backoff_ms",
    "retry_backoff_max_ms",
    "reconnect_backoff_ms",
    "reconnect_backoff_max_ms",
    "request_timeout_ms",
    "max_in_flight_requests_per_connection",
    "max_block_ms",
)
"""Settings of a producer or consumer that say how messages may be lost, repeated, delayed or held back."""


_consumers: WeakKeyDictionary[Any, dict[str, Any]] = WeakKeyDictionary()
"""coordinator -> what its consumer was set to, which is more than the coordinator keeps"""


def connection(client: Any, config: dict[str, Any]) -> int:
    """The number of a network client's connection.

    Args:
        client: the network client.
        config: the settings of whoever uses it.
    """
    cluster = client.cluster
    # A second description when the cluster is known, for a client that was used before it had seen any metadata.
    owner = client if cluster.cluster_id is None else cluster
    return interning.connection(owner, lambda _: described(client, config))


def described(client: Any, config: dict[str, Any]) -> dict[str, Any]:
    """A connection's facts: the addresses that it began with, who it says it is, and what it was set to promise."""
    own = client.config if hasattr(client, "config") else client._manager.config  # noqa: SLF001 - the same dictionary, 3.0
    servers = addresses(own.get("bootstrap_servers"))
    facts: dict[str, Any] = {name: own.get(setting) for setting, name in _FACTS.items()}
    facts |= {name: config.get(name) for name in _PROMISES}
    facts["bootstrap_servers"] = servers
    facts["server_address"], facts["server_port"] = split(servers[0]) if servers else (None, None)
    facts["tls"] = facts["security_protocol"] in {"SSL", "SASL_SSL"}
    facts["cluster_id"] = client.cluster.cluster_id
    return {name: value for name, value in facts.items() if _is_plain(value)}


def _is_plain(value: Any) -> bool:
    return type(value) in {str, int, bool, list} or (type(value) is float and isfinite(value))


def addresses(servers: Any) -> list[str]:
    """The setting `bootstrap_servers`, which is an address, several with commas between them, or a list."""
    given = servers.split(",") if type(servers) is str else servers
    return [each.strip() for each in given if type(each) is str] if type(given) in {list, tuple, set} else []


def split(address: str) -> tuple[str, int]:
    """An address's host and port.

    >>> split("broker:9093"), split("broker"), split("[::1]:9094"), split("::1")
    (('broker', 9093), ('broker', 9092), ('::1', 9094), ('::1', 9092))
    """
    host, colon, port = address.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if colon and port.isdecimal() and (bracketed or ":" not in host):
        return host.strip("[]"), int(port)
    return address.strip("[]"), DEFAULT_PORT


def remember(coordinator: Any, config: dict[str, Any]) -> None:
    """Keep of a consumer's settings, which its coordinator is given when it is made, those that are facts."""
    _consumers[coordinator] = {name: config[name] for name in _PROMISES if name in config}


def in_group(coordinator: Any, config: dict[str, Any] | None = None) -> Message:
    """A consumer's connection, its group, and what it is there; only the former for a consumer without a group.

    Args:
        coordinator: its `ConsumerCoordinator`.
        config: the consumer's settings, where they are at hand.
    """
    known = config or _consumers.get(coordinator) or coordinator.config
    found: Message = {"connection": connection(coordinator._client, known)}  # noqa: SLF001 - no public way to it
    group = coordinator.config["group_id"]
    if group is None:
        return found
    found["consumer_group"] = group
    generation = coordinator._generation  # noqa: SLF001 - its public form takes the coordinator's lock
    if generation.member_id:
        found["group_member"] = generation.member_id
    if generation.generation_id >= 0:
        found["group_generation"] = generation.generation_id
    return found


def by_topic(partitions: Iterable[Any]) -> dict[str, list[int]]:
    """Partitions as numbers by topic, both in order."""
    found: dict[str, list[int]] = {}
    for topic, partition in sorted(partitions):
        found.setdefault(topic, []).append(partition)
    return found
