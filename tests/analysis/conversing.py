"""Writes what conversations are made of into a made trace: messages between services, each handled by a function of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.analysis.made_trace import MadeTrace

MS = 1_000_000


def request(made: MadeTrace, path: str = "/orders", service: str = "web") -> int:
    """An incoming HTTP request."""
    return made.operation("trigger", "http", service=service, channel=path, channel_kind="route", routing_key="POST")


def publish(made: MadeTrace, name: str, cause: int | None = None, certainty: str = "exact", **columns: Any) -> int:
    """A send of an event type, and what it follows from."""
    values: dict[str, Any] = {
        "service": "web",
        "channel": "events",
        "channel_kind": "exchange",
        "event_type": name,
        **columns,
    }
    send = made.send(**values)
    if cause is not None:
        made.cause(cause, send, certainty)
    return send


def handle(made: MadeTrace, send: int | None, service: str, certainty: str = "exact", **columns: Any) -> int:
    """A receive at a service's queue."""
    values: dict[str, Any] = {
        "service": service,
        "channel": f"{service}.events",
        "channel_kind": "queue",
        "handler": f"/app/{service}.py:1 on_event",
        **columns,
    }
    return made.receive(send, certainty, **values)


def travel(made: MadeTrace, *hops: tuple[str, str], cause: int | None = None, **columns: Any) -> int | None:
    """A chain of messages: each of (event type, service that publishes it) is handled by the service that publishes the next.

    Returns:
        the last receive; None if the last message was received by nobody, because no other came after it.
    """
    for place, (name, service) in enumerate(hops):
        send = publish(made, name, cause, service=service, site=f"/app/{service}.py:2 on_event", **columns)
        if place + 1 == len(hops):
            return None
        cause = handle(made, send, hops[place + 1][1], **columns)
    return cause
