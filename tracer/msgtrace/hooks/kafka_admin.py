"""kafka: topics created, changed, deleted and looked at through `KafkaAdminClient`.

One operation a topic, recorded when the call is over; `settings["action"]` says what was done. With kafka-python 3.0 a
call may be told not to raise: then `settings["error_code"]` stands with topics that the broker refused; they `raised`.

Not seen: settings of brokers, groups, access rights, which are no topology of messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace import interning
from msgtrace.hook import Observe, Point
from msgtrace.hooks.kafka_clients import connection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgtrace.records import Message

_LISTS: Final = frozenset({list, tuple, set, frozenset})
_TOPIC: Final = 2
"""The protocol's number of the resource type: kafka/admin: ConfigResourceType.TOPIC"""


def declared(admin: Any, topic: Any, action: str, settings: dict[str, Any]) -> Message:
    """Something done to a topic, which may be known by its id only; settings that are None are left out."""
    known = {name: value for name, value in settings.items() if value is not None}
    return {
        "connection": connection(admin._client, admin.config),  # noqa: SLF001 - no public way to it
        "channel": interning.text(str(topic)),
        "channel_kind": "topic",
        "settings": {"action": action, **known},
    }


def created(
    result: Any, self: Any, new_topics: Any, timeout_ms: Any = None, validate_only: Any = False, *_: Any, **__: Any
) -> list[Message]:
    """Topics created, each with its partitions, copies and configuration as asked for."""
    action = "validate" if validate_only else "create"
    refused = _refused(result)
    return [_judged(declared(self, name, action, asked), name, refused) for name, asked in _new_topics(new_topics)]


def _new_topics(given: Any) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Names, options by name (both since kafka-python 3.0), or `NewTopic`s."""
    if type(given) is dict:
        for name, options in given.items():
            yield name, {**options, "partitions": options.get("num_partitions"), "num_partitions": None}
    for each in given if type(given) in _LISTS else ():
        if isinstance(each, str):
            yield each, {}
        else:
            yield (
                each.name,
                {
                    "partitions": each.num_partitions,
                    "replication_factor": each.replication_factor,
                    "assignments": each.replica_assignments or None,
                    "configs": each.topic_configs or None,
                },
            )


def _refused(result: Any) -> dict[str, int]:
    """Error codes by topic, where kafka-python 3.0 returns them."""
    topics = result.get("topics") if type(result) is dict else None
    return {each.get("name"): each["error_code"] for each in topics or () if each.get("error_code")}


def _judged(message: Message, topic: Any, refused: dict[str, int]) -> Message:
    code = refused.get(topic)
    if code is not None:
        message["settings"] = {**message.get("settings", {}), "error_code": code}
        message["outcome"] = "raised"
    return message


def deleted(result: Any, self: Any, topics: Any, *_: Any, **__: Any) -> list[Message]:
    """Topics deleted."""
    refused = _refused(result)
    return [
        _judged(declared(self, each, "delete", {}), each, refused)
        for each in (topics if type(topics) in _LISTS else ())
    ]


def extended(_: Any, self: Any, topic_partitions: Any, *__: Any, **___: Any) -> list[Message]:
    """Topics given more partitions: a count, a count with assignments, or `NewPartitions`."""
    messages = []
    for topic, wanted in topic_partitions.items() if type(topic_partitions) is dict else ():
        partitions = wanted if type(wanted) is int else wanted["count"] if type(wanted) is dict else wanted.total_count
        messages.append(declared(self, topic, "create_partitions", {"partitions": partitions}))
    return messages


def configured(_: Any, self: Any, config_resources: Any, *__: Any, **___: Any) -> list[Message]:
    """Configuration of topics set, added to or taken back: a value, or an operation and a value."""
    messages = []
    for each in config_resources if type(config_resources) in _LISTS else ():
        if each.resource_type == _TOPIC:
            entries = each.configs.items() if type(each.configs) is dict else ()
            configs = {name: _plain(value) for name, value in entries}
            messages.append(declared(self, each.name, "alter", {"configs": configs}))
    return messages


def _plain(value: Any) -> Any:
    if type(value) is tuple:
        return [_plain(each) for each in value]
    return getattr(value, "name", value)  # of an AlterConfigOp


def described(result: Any, self: Any, *_: Any, **__: Any) -> list[Message]:
    """Topics as the broker has them. What fields are called changed with kafka-python 3.0."""
    messages = []
    for topic in result or ():
        partitions = topic.get("partitions") or ()
        copies = {len(each.get("replica_nodes") or each.get("replicas") or ()) for each in partitions}
        found = {"partitions": len(partitions), "replication_factor": copies.pop() if len(copies) == 1 else None}
        messages.append(declared(self, topic.get("name") or topic.get("topic"), "describe", found))
    return messages


_ADMIN: Final = "kafka.admin.client:KafkaAdminClient."
_TOPICS: Final = "kafka.admin._topics:TopicAdminMixin."
_PARTITIONS: Final = "kafka.admin._partitions:PartitionAdminMixin."
_CONFIGS: Final = "kafka.admin._configs:ConfigAdminMixin."


def _point(method: str, read: Any, since_3: str) -> tuple[Point, Point]:
    action = Observe(kind="declare", read=read)
    return Point(_ADMIN + method, action, versions="<3"), Point(since_3 + method, action, versions=">=3")


POINTS: Final = (
    *_point("create_topics", created, _TOPICS),
    *_point("delete_topics", deleted, _TOPICS),
    *_point("describe_topics", described, _TOPICS),
    *_point("create_partitions", extended, _PARTITIONS),
    *_point("alter_configs", configured, _CONFIGS),
)
