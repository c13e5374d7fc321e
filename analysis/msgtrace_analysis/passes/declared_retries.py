"""What declarations say of retries: dead-letter exchanges, times to live on the way back, delivery limits, acknowledging."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from msgtrace_analysis.findings import DeclaredPolicy, Place, RetryPolicy
from msgtrace_analysis.passes.mechanisms import Known

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgtrace_analysis.findings import Channel, DeadLetter, Topology


def known_of(topology: Topology) -> Known:
    """What the topology tells about ways of messages."""
    bound: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    fanouts = {
        each.name for each in topology.channels for form in each.settings
        if each.kind == "exchange" and form.get("exchange_type", form.get("type")) == "fanout"
    }  # fmt: skip
    everything: defaultdict[str, list[str]] = defaultdict(list)
    for each in topology.bindings:
        if each.destination_kind == "queue":
            bound[each.source, each.routing_key].append(each.destination)
            everything[each.source].append(each.destination)
    dead: dict[str, tuple[str, ...]] = {}
    for letter in topology.dead_letters:
        dead[letter.queue] = letter.targets or _targets(letter, bound, everything, fanouts)
    return Known(
        delayed=frozenset(
            each.name for each in topology.channels for form in each.settings
            if each.kind == "exchange" and "x-delayed-message" in (form.get("exchange_type"), form.get("type"))
        ),
        bound={place: tuple(sorted(set(queues))) for place, queues in bound.items()},
        dead=dead,
        declared=frozenset(each.name for each in topology.channels if each.kind == "queue" and each.declared_by),
        unacknowledged=frozenset(
            (each.service, each.channel) for each in topology.subscriptions
            if each.settings and all(form.get("no_ack") for form in each.settings)
        ),
    )  # fmt: skip


def _targets(
    letter: DeadLetter, bound: dict[tuple[str, str], list[str]], everything: dict[str, list[str]], fanouts: set[str]
) -> tuple[str, ...]:
    if letter.exchange == "":
        return (letter.routing_key or letter.queue,)
    if letter.exchange in fanouts or letter.routing_key is None:
        known = sorted(set(everything.get(letter.exchange, ())))
        return tuple(known) if letter.exchange in fanouts or len(known) == 1 else ()
    return tuple(sorted(set(bound.get((letter.exchange, letter.routing_key), ()))))


def declared(topology: Topology) -> tuple[DeclaredPolicy, ...]:
    """Policies that queues state: how often, and how long on the way back."""
    return tuple(each for channel in topology.channels if channel.kind == "queue" for each in _of_queue(channel))


def _of_queue(channel: Channel) -> Iterator[DeclaredPolicy]:
    for form in channel.settings:
        arguments: dict[str, Any] = form.get("arguments") or {}
        limit, wait = arguments.get("x-delivery-limit"), arguments.get("x-message-ttl")
        leads_on = "x-dead-letter-exchange" in arguments
        if isinstance(limit, int):
            # A message is dead when it has been given back more often than the limit says.
            policy = RetryPolicy(
                "immediate", 0.0, None, None, None, limit + 1, "dead letter" if leads_on else "dropped"
            )
            yield _declared("x-delivery-limit", channel, policy)
        if isinstance(wait, int) and leads_on:
            policy = RetryPolicy("fixed", wait / 1000, None, wait / 1000, 0.0, None, "unknown")
            yield _declared("x-message-ttl", channel, policy)


def _declared(source: str, channel: Channel, policy: RetryPolicy) -> DeclaredPolicy:
    service = channel.declared_by[0] if channel.declared_by else ""
    place = Place("code", service, "", "")
    return DeclaredPolicy(source, place, service, channel.system, channel.name, policy, channel.evidence)
