"""Who uses a channel, and who else may."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace

from msgtrace_analysis.findings import Evidence, Permission
from msgtrace_analysis.passes.access import READING, WRITING, _may

NOTHING = Evidence(1, (1,), 1, 1, "exact")


def permission(principal: str, operation: str, pattern: str, *, allowed: bool = True, **about: Any) -> Permission:
    said = {"system": "rabbitmq", "resource_kind": "virtual host", "resource": "/"} | about
    return Permission(
        server="mq:5672", principal=principal, operation=operation, pattern=pattern, allowed=allowed, evidence=NOTHING, **said
    )  # fmt: skip


def test_by_rabbitmqs_expressions() -> None:
    known = [
        permission("app", "write", "^orders"),
        permission("boss", "write", ".*"),
        permission("nobody", "write", "", allowed=False),
    ]
    assert _may(known, "exchange", "orders.x", ["/"], WRITING) == ("app", "boss")
    assert _may(known, "exchange", "other", ["/"], WRITING) == ("boss",)
    assert _may(known, "exchange", "other", ["else"], WRITING) == ()
    assert _may(known, "queue", "q", ["/"], READING) == ()


def test_a_denial_counts_for_more() -> None:
    topic: dict[str, Any] = {"system": "kafka", "resource_kind": "topic", "resource": "t"}
    known = [permission("User:a", "READ", "t*", **topic), permission("User:a", "READ", "t1", allowed=False, **topic)]
    assert _may(known, "topic", "t1", [], READING) == ()
    assert _may(known, "topic", "t2", [], READING) == ("User:a",)


def test_without_an_inspection_nothing_is_claimed(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    sent: dict[str, Any] = {"channel": "orders", "channel_kind": "exchange", "service": "web"}
    made.receive(made.send(**sent), channel="work", channel_kind="queue", service="worker")
    exchange, queue = findings().security.access
    assert (exchange.publishers, exchange.may_publish, exchange.may_consume) == ((("web", ""),), None, None)
    assert (queue.consumers, queue.unused) == ((("worker", ""),), ())
