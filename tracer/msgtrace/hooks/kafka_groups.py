"""kafka: what a consumer commits, subscribes to, is assigned, and where it is told to go on.

Settlements: `commit_offsets_sync` and `_do_commit_offsets_async` of the coordinator, in which every kind of commit
ends; the commit before a rebalance has a way of its own since kafka-python 3.0. One settlement a partition; its offset
is the next one to be read. What nobody waits for ends with the future that carries the broker's answer.

Subscriptions are read where the constructor's arrive too: a wrapper of the constructor would move the place that its
deprecation warnings name. A rebalance is one operation of a group, with the partitions owned before and assigned after.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary, ref

from msgtrace import interning
from msgtrace.hook import Late, Observe, Point, Send, Until
from msgtrace.hooks.kafka_clients import by_topic, in_group, remember

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace.records import Facts, Message

_coordinators: WeakKeyDictionary[Any, ref[Any]] = WeakKeyDictionary()
"""subscription -> its coordinator"""
_owned: WeakKeyDictionary[Any, dict[str, list[int]]] = WeakKeyDictionary()
"""coordinator -> what it was assigned before the rebalance that goes on"""
_waited: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
"""coordinator -> the offsets that a thread waits for to be committed, until the thread that sends them has them"""


# ---- settlements ----------------------------------------------------------------------------------------------------


def settlements(about: Message, offsets: Any) -> list[Message]:
    """A settlement of each partition, up to an offset.

    Args:
        about: what they have in common.
        offsets: `{TopicPartition: OffsetAndMetadata}`; of anything else, which the library refuses, nothing.
    """
    found: list[Message] = []
    for place, committed in offsets.items() if isinstance(offsets, dict) else ():
        if isinstance(place, tuple) and isinstance(committed, tuple):
            settlement: Message = {
                **about,
                "channel": interning.text(place[0]),
                "channel_kind": "topic",
                "partition_id": place[1],
                "log_offset": committed[0],
                "multiple": True,
                "outcome": "commit",
            }
            if committed[1]:
                settlement["settings"] = {**about.get("settings", {}), "metadata": committed[1]}
            found.append(settlement)
    return found


def waited(self: Any, offsets: Any, timeout_ms: Any = None) -> list[Message]:
    """A commit whose thread waits for it, and records it; not the thread that sends it."""
    _waited[self] = offsets
    return settlements(in_group(self), offsets)


def committed_for_rebalance(_: Any, self: Any, offsets: Any, timeout_ms: Any = None) -> list[Message] | None:
    """A commit that the coordinator makes on its own before it joins the group again, in the sending thread."""
    return None if _waited.pop(self, None) is offsets else settlements(in_group(self), offsets)


def committing(self: Any, offsets: Any, *_: Any, **__: Any) -> list[Message]:
    """A commit, the program's or an automatic one."""
    return settlements(in_group(self), offsets)


def at_once(_: Any, ended: Callable[[BaseException | None], None]) -> None:
    """The end of what was waited for."""
    ended(None)


def follow(future: Any, ended: Callable[[BaseException | None], None]) -> None:
    """Hear of a kafka-python `Future`."""
    future.add_callback(lambda _: ended(None))
    future.add_errback(ended)


# ---- subscriptions, assignments, positions --------------------------------------------------------------------------


def coordinated(_: Any, self: Any, client: Any, subscription: Any, **configs: Any) -> None:
    """Remember whose a subscription is, and how its consumer was set; a consumer subscribes while it is being made."""
    _coordinators[subscription] = ref(self)
    remember(self, configs)


def subscribed(_: Any, self: Any, topics: Any = (), pattern: Any = None, listener: Any = None) -> list[Message]:
    """Topics, or a pattern of them, that a consumer wants: by its constructor or by `subscribe`."""
    known = _coordinators.get(self)
    coordinator = None if known is None else known()
    about: Message = {"channel_kind": "topic"}
    if coordinator is not None:
        about.update(in_group(coordinator))
    if pattern:
        text = pattern if isinstance(pattern, str) else pattern.pattern
        return [{**about, "channel": interning.text(text), "settings": {"action": "subscribe", "pattern": True}}]
    wanted = topics if isinstance(topics, (list, tuple, set)) else ()
    return [
        {**about, "channel": interning.text(each), "settings": {"action": "subscribe"}}
        for each in wanted
        if isinstance(each, str)
    ]


def found(consumer: Any) -> list[Message]:
    """What a consumer wants that is there already: topics, a pattern of them, or partitions of the program's choice."""
    state, coordinator = consumer._subscription, consumer._coordinator  # noqa: SLF001 - its public methods take locks
    _coordinators[state] = ref(coordinator)
    remember(coordinator, consumer.config)
    if state.subscribed_pattern:
        return subscribed(None, state, pattern=state.subscribed_pattern)
    if state.subscription:
        return subscribed(None, state, sorted(state.subscription))
    return assigned(None, consumer, tuple(state._user_assignment))  # noqa: SLF001 - as above


def assigned(_: Any, self: Any, partitions: Any) -> list[Message]:
    """Partitions that the program chose itself; choosing none is to unsubscribe, and seen as that."""
    about = in_group(self._coordinator, self.config)
    about["channel_kind"] = "topic"
    chosen = by_topic(each for each in partitions or () if isinstance(each, tuple))
    return [
        {**about, "channel": interning.text(topic), "settings": {"action": "assign", "partitions": numbers}}
        for topic, numbers in chosen.items()
    ]


def unsubscribed(_: Any, self: Any) -> Message:
    """A consumer that wants nothing any more."""
    return {**in_group(self._coordinator, self.config), "settings": {"action": "unsubscribe"}}


def sought(_: Any, self: Any, partition: Any, offset: Any) -> Message | None:
    """A position set by the program."""
    if not isinstance(partition, tuple) or not isinstance(offset, int):
        return None
    return {
        **in_group(self._coordinator, self.config),
        "channel": interning.text(partition[0]),
        "channel_kind": "topic",
        "partition_id": partition[1],
        "log_offset": offset,
        "settings": {"action": "seek"},
    }


def moved(action: str) -> Callable[..., list[Message]]:
    """A reader of a method that takes partitions; without any, the assigned ones are meant."""

    def read(_: Any, self: Any, *partitions: Any) -> list[Message]:
        about = in_group(self._coordinator, self.config)
        about["channel_kind"] = "topic"
        return [
            {
                **about,
                "channel": interning.text(each[0]),
                "partition_id": each[1],
                "settings": {"action": action},
            }
            for each in partitions or tuple(self._subscription.assignment)
            if isinstance(each, tuple)
        ]

    return read


def revoking(self: Any, generation: Any, member_id: Any, timeout_ms: Any = None) -> Message | None:
    """The beginning of a rebalance that takes all partitions away; a cooperative one keeps them until it ends."""
    owned = by_topic(tuple(self._subscription.assignment))
    protocol = getattr(self, "_rebalance_protocol", None)
    lost = generation < 0
    if not owned or (not lost and getattr(protocol, "name", "EAGER") != "EAGER"):
        return None
    return {**in_group(self), "settings": {"action": "lose" if lost else "revoke", "revoked": owned}}


def leaving(self: Any) -> Message | None:
    """The end of a membership, of which the program's listener hears since kafka-python 3.0; and it only then."""
    owned = by_topic(tuple(self._subscription.assignment))
    if not owned or self._subscription.subscription is None:  # which the program chose itself
        return None
    about = in_group(self)
    action = "revoke" if "group_generation" in about else "lose"
    return {**about, "settings": {"action": action, "revoked": owned}}


def assigning(self: Any, generation: Any, member_id: Any, protocol: Any, member_assignment_bytes: Any) -> Message:
    """The end of a rebalance, before the program's listener hears of it."""
    _owned[self] = by_topic(tuple(self._subscription.assignment))
    return {**in_group(self), "settings": {"action": "rebalance", "protocol": protocol}}


def rebalanced(_: Any, __: Any, self: Any, generation: Any, member_id: Any, protocol: Any, ___: Any) -> Facts:
    """What the rebalance gave and took."""
    settings = {
        "action": "rebalance",
        "protocol": protocol,
        "assigned": by_topic(tuple(self._subscription.assignment)),
        "owned": _owned.pop(self, {}),
    }
    return {"settings": settings}


_CONSUMER: Final = "kafka.consumer.group:KafkaConsumer."
_COORDINATOR: Final = "kafka.coordinator.consumer:ConsumerCoordinator."
_SUBSCRIPTION: Final = "kafka.consumer.subscription_state:SubscriptionState."
_REVOKING: Final = Send(kind="subscribe", read=revoking)
_ASSIGNING: Final = Send(kind="subscribe", read=assigning, done=rebalanced)

POINTS: Final = (
    Point(
        _COORDINATOR + "commit_offsets_sync",
        Until(kind="settle", read=committing, follow=at_once, outcome="commit"),
        versions="<3",
    ),
    Point(
        _COORDINATOR + "commit_offsets_sync",
        Until(kind="settle", read=waited, follow=at_once, outcome="commit"),
        versions=">=3",
    ),
    Point(
        _COORDINATOR + "_commit_offsets_sync_async",
        Observe(kind="settle", read=committed_for_rebalance),
        versions=">=3",
    ),
    Point(
        _COORDINATOR + "_do_commit_offsets_async",
        Until(kind="settle", read=committing, follow=follow, outcome="commit"),
    ),
    Point(_COORDINATOR + "__init__", Late(kind="subscribe", read=coordinated)),
    Point(_SUBSCRIPTION + "subscribe", Observe(kind="subscribe", read=subscribed)),
    Point(_CONSUMER + "assign", Observe(kind="subscribe", read=assigned)),
    Point(_CONSUMER + "unsubscribe", Observe(kind="subscribe", read=unsubscribed)),
    Point(_CONSUMER + "seek", Observe(kind="call", read=sought)),
    Point(_CONSUMER + "seek_to_beginning", Observe(kind="call", read=moved("seek_to_beginning"))),
    Point(_CONSUMER + "seek_to_end", Observe(kind="call", read=moved("seek_to_end"))),
    Point(_CONSUMER + "pause", Observe(kind="call", read=moved("pause"))),
    Point(_CONSUMER + "resume", Observe(kind="call", read=moved("resume"))),
    Point(_COORDINATOR + "_on_close_prepare_async", Send(kind="subscribe", read=leaving), versions=">=3"),
    Point(_COORDINATOR + "_on_join_prepare", _REVOKING, versions="<3"),
    Point(_COORDINATOR + "_on_join_complete", _ASSIGNING, versions="<3"),
    Point(_COORDINATOR + "_on_join_prepare_async", _REVOKING, versions=">=3"),
    Point(_COORDINATOR + "_on_join_complete_async", _ASSIGNING, versions=">=3"),
)
