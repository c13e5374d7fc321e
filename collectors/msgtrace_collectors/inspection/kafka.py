"""Kafka by its admin protocol, through kafka-python: what is listed and described, and nothing that changes.

Not read: records. Settings that the broker calls sensitive come without their value from the broker itself.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from kafka.admin import (
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ConfigResource,
    ConfigResourceType,
    KafkaAdminClient,
    ResourcePatternFilter,
    ResourceType,
)
from kafka.errors import KafkaError
from kafka.structs import TopicPartition

from msgtrace_collectors.inspection.found import Found, InspectionError, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from msgtrace_collectors.inspection.found import Budget
    from msgtrace_collectors.inspection.target import Target

SETTINGS: Final = frozenset({
    "cleanup.policy", "retention.ms", "retention.bytes", "min.insync.replicas", "max.message.bytes",
    "message.timestamp.type", "delete.retention.ms", "segment.ms", "segment.bytes", "unclean.leader.election.enable",
    "compression.type",
})  # fmt: skip
"""Of a topic, also where they are the broker's defaults."""
OPTIONS: Final = frozenset({"security_protocol", "sasl_mechanism", "ssl_cafile", "ssl_certfile", "ssl_keyfile"})
TOPICS_AT_ONCE: Final = 200
FIRST_OFFSET: Final = -2
NEXT_OFFSET: Final = -1
"""What ListOffsets is asked for, in the protocol's numbers."""


def inspect(target: Target, budget: Budget) -> Found:
    """Read a Kafka cluster.

    Raises:
        InspectionError: it can't be reached.
    """
    # It would say on standard error what we say in one line.
    logging.getLogger("kafka").setLevel(logging.CRITICAL + 1)
    found = Found("kafka", target.server)
    try:
        admin = KafkaAdminClient(**_options(target, budget))
    except Exception as error:  # noqa: BLE001 - not only KafkaError: whatever TLS and names can do
        raise InspectionError(_plain(error)) from None
    try:
        _read(admin, found, budget)
    finally:
        admin.close()
    return found


def _options(target: Target, budget: Budget) -> dict[str, Any]:
    if unknown := target.options.keys() - OPTIONS:
        raise InspectionError(f"kafka:// knows no option {min(unknown)!r}; there are {', '.join(sorted(OPTIONS))}")
    timeout_ms = max(1_000, int(budget.left_s() * 1_000))
    options: dict[str, Any] = {
        "bootstrap_servers": target.authority.split(","),
        "client_id": "msgtrace-inspect",
        "request_timeout_ms": timeout_ms,
        "bootstrap_timeout_ms": timeout_ms,
        **target.options,
    }
    if target.user is not None:
        options.setdefault("sasl_mechanism", "PLAIN")
        options.setdefault("security_protocol", "SASL_PLAINTEXT")
        options |= {"sasl_plain_username": target.user, "sasl_plain_password": target.password or ""}
    return options


def _plain(error: Exception) -> str:
    said = str(error).splitlines()[0] if str(error) else ""
    return f"{type(error).__name__}: {said}"[:200] if said else type(error).__name__


def _read(admin: Any, found: Found, budget: Budget) -> None:
    try:
        cluster = admin.describe_cluster()
        topics = [each for each in admin.describe_topics() if not each.get("is_internal")]
    except KafkaError as error:
        raise InspectionError(_plain(error)) from None
    found.broker_id = str(cluster.get("cluster_id") or "")
    found.facts = {"brokers": len(cluster.get("brokers") or ())}
    found.left_out["topics"] += max(0, len(topics) - budget.limit)
    topics = sorted(topics, key=lambda each: str(each.get("name")))[: budget.limit]

    def guarded(name: str, read: Callable[[], Any], otherwise: Any) -> Any:
        budget.left_s()
        try:
            return read()
        except (KafkaError, KeyError, TypeError, ValueError) as error:
            found.unreadable[name] = _plain(error)
            return otherwise

    configs = guarded("topic settings", lambda: _configs(admin, topics, budget), {})
    spots = [
        TopicPartition(each["name"], partition["partition_index"])
        for each in topics for partition in each["partitions"]
        if not partition.get("error_code") and partition.get("leader_id", -1) >= 0
    ]  # fmt: skip
    found.left_out["partitions' offsets"] += max(0, len(spots) - budget.limit)
    spots = spots[: budget.limit]
    first = guarded("first offsets", lambda: _offsets(admin, spots, FIRST_OFFSET), {})
    last = guarded("last offsets", lambda: _offsets(admin, spots, NEXT_OFFSET), {})
    found.rows += [_topic(each, configs.get(each["name"], {}), first, last) for each in topics]
    groups = guarded("groups", lambda: list(_groups(admin, found, budget, last)), [])
    found.rows += groups
    found.add(guarded("access rights", lambda: list(_rights(admin)), []), "access rights", budget.limit)
    found.left_out = +found.left_out


def _configs(admin: Any, topics: list[dict[str, Any]], budget: Budget) -> dict[str, dict[str, str]]:
    known: dict[str, dict[str, str]] = {}
    for begin in range(0, len(topics), TOPICS_AT_ONCE):
        budget.left_s()
        asked = [
            ConfigResource(ConfigResourceType.TOPIC, each["name"]) for each in topics[begin : begin + TOPICS_AT_ONCE]
        ]
        for resources in admin.describe_configs(asked, config_filter="all").values():
            for topic, values in resources.items():
                known[topic] = dict(_chosen(values))
    return known


def _chosen(values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, about in sorted(values.items()):
        value = about.get("value") if isinstance(about, dict) else about
        modified = isinstance(about, dict) and "TOPIC" in str(about.get("config_source", "")).upper()
        if value is not None and (name in SETTINGS or modified):
            yield name, str(value)


def _offsets(admin: Any, spots: list[Any], spec: Any) -> dict[Any, int]:
    answer = admin.list_partition_offsets(dict.fromkeys(spots, spec)) if spots else {}
    return {spot: each.offset for spot, each in answer.items()}


def _topic(each: dict[str, Any], configs: dict[str, str], first: dict[Any, int], last: dict[Any, int]) -> Row:
    partitions = each["partitions"]
    copies = [len(one["replica_nodes"]) for one in partitions]
    spots = [TopicPartition(each["name"], one["partition_index"]) for one in partitions]
    known = [(first[spot], last[spot]) for spot in spots if spot in first and spot in last]
    state = {
        "under_replicated": sum(len(one["isr_nodes"]) < len(one["replica_nodes"]) for one in partitions),
        "without_leader": sum(one.get("leader_id", -1) < 0 for one in partitions),
    }
    if len(known) == len(spots):
        # Of a compacted topic, or one with transactions, some offsets hold no record.
        state |= {"offsets": sum(end - begin for begin, end in known), "written": sum(end for _, end in known)}
    settings = {
        "action": "inspect", "partitions": len(partitions), "replication_factor": min(copies, default=0),
        "configs": configs, "state": state,
    }  # fmt: skip
    return Row("topic", each["name"], settings)


def _groups(admin: Any, found: Found, budget: Budget, last: dict[Any, int]) -> Iterator[Row]:
    listed = sorted({each["group_id"] for each in admin.list_groups()})
    found.left_out["groups"] += max(0, len(listed) - budget.limit)
    listed = listed[: budget.limit]
    for group, about in (admin.describe_groups(listed) if listed else {}).items():
        members = about.get("members") or ()
        state = {"members": len(members)}
        names = ("group_state", "protocol_type", "protocol_data")
        settings = {
            "action": "inspect",
            **{name: str(about[name]) for name in names if about.get(name)},
            "state": state,
        }
        yield Row("group", group, settings, consumer_group=group)
        for member in members:
            yield from _member(group, member)
    for group in listed:
        budget.left_s()
        for offsets in admin.list_group_offsets({group: None}).values():
            yield from _lags(group, offsets, last)


def _member(group: str, member: dict[str, Any]) -> Iterator[Row]:
    assigned = {
        each["topic"]: each["partitions"] for each in _parts(member, "member_assignment", "assigned_partitions")
    }
    for topic in sorted({*assigned, *_parts(member, "member_metadata", "topics")}):
        settings = {
            "action": "consume", "client_id": member.get("client_id"), "client_host": member.get("client_host"),
            "partitions": sorted(assigned.get(topic, ())),
        }  # fmt: skip
        yield Row("topic", topic, settings, consumer_group=group, consumer_tag=member.get("member_id"))


def _parts(member: dict[str, Any], name: str, part: str) -> Any:
    about = member.get(name)
    return (about.get(part) or ()) if isinstance(about, dict) else ()


def _lags(group: str, offsets: dict[Any, Any], last: dict[Any, int]) -> Iterator[Row]:
    topics: dict[str, list[tuple[int, int | None]]] = {}
    for spot, about in offsets.items():
        if about.offset >= 0:
            topics.setdefault(spot.topic, []).append((about.offset, last.get(spot)))
    for topic, known in sorted(topics.items()):
        state = {"committed_partitions": len(known)}
        if all(end is not None for _, end in known):
            state["lag"] = sum(max(0, (end or 0) - at) for at, end in known)
        yield Row("topic", topic, {"action": "lag", "state": state}, consumer_group=group)


def _rights(admin: Any) -> Iterator[Row]:
    anything = ACLFilter(
        principal=None, host=None, operation=ACLOperation.ANY, permission_type=ACLPermissionType.ANY,
        resource_pattern=ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY),
    )  # fmt: skip
    rights, error = admin.describe_acls(anything)
    if getattr(error, "errno", 0):
        raise error() if isinstance(error, type) else error
    for each in rights:
        pattern = each.resource_pattern
        settings = {
            "action": "inspect", "resource_kind": pattern.resource_type.name.lower(), "resource": pattern.resource_name,
            "pattern_type": pattern.pattern_type.name.lower(), "operation": each.operation.name.lower(),
            "allowed": each.permission_type is ACLPermissionType.ALLOW, "host": each.host,
        }  # fmt: skip
        yield Row("permission", each.principal, settings)
