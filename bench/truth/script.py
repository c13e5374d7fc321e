"""A played system as a script that real programs can follow: every message, who takes it, and what they then send. Pure."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from bench.truth.play import queue_of
from bench.truth.system import normal

if TYPE_CHECKING:
    from bench.truth.play import Happened, Played
    from bench.truth.system import Subscriber, System


def script(system: System, played: Played) -> dict[str, Any]:
    """The script, as JSON has it; integration/programs/truth reads it."""
    sends: defaultdict[tuple[int, tuple[str, str]], list[int]] = defaultdict(list)
    for each in played.story:
        if each.parent is not None:
            sends[each.parent].append(each.number)
    messages = [_message(system, played, each, sends) for each in sorted(played.story, key=lambda each: each.number)]
    services = {}
    for service in system.services:
        starts = [each for each in played.story if each.parent is None and each.publisher[0] == service]
        services[service] = {
            "starts": [each.number for each in sorted(starts, key=lambda each: each.at_ns)],
            "expects": sum(taker[0] == service for each in played.story for taker in each.takers),
            "takes": [_taken(system, each) for each in system.subscribers if each.service == service],
        }
        services[service]["takes"] = [each for some in services[service]["takes"] for each in some]  # type: ignore[attr-defined]
    topics = sorted({each.name for each in system.channels if each.broker == "topic"})
    return {"messages": messages, "services": services, "topics": topics}


def _message(
    system: System, played: Played, each: Happened, sends: dict[tuple[int, tuple[str, str]], list[int]]
) -> dict[str, Any]:
    fields, channel = each.fields, each.channel
    body = json.dumps(fields["data"]) if channel.broker == "bus" else fields["body"].decode()
    address = fields["routing_key"] if channel.broker == "queue" else fields["channel"]
    reply = system.events[each.event].reply
    return {
        "system": channel.system,
        "kind": channel.broker,
        "channel": fields["channel"],
        "address": address,
        "key": fields.get("routing_key", ""),
        "headers": [(name, _text(value)) for name, value in fields.get("headers", ())],
        "body": body,
        "data": fields.get("data"),
        "message_key": _text(fields.get("message_key", b"")),
        "replies": system.events[reply].channels[0].name if reply else "",
        **{name: fields[name] for name in ("event_type", "correlation_id", "reply_to") if name in fields},
        "takers": [
            {
                "service": taker[0],
                "handler": taker[1],
                "sends": sends.get((each.number, taker), []),
                "fails": (each.number, taker) in played.failures,
            }
            for taker in each.takers
        ],
    }


def _taken(system: System, taker: Subscriber) -> list[dict[str, str]]:
    event = system.events[taker.event]
    return [
        {
            "system": channel.system,
            "kind": channel.broker,
            "channel": normal(channel.name),
            "handler": taker.handler,
            "queue": queue_of(taker, channel, channel.name) if channel.system == "rabbitmq" else "",
            "key": event.key if channel.broker == "bus" else event.key.replace("{}", "*"),
        }
        for channel in event.channels
    ]


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
