"""The stack: libraries, servers and services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgtrace_analysis.findings import Service
from msgtrace_analysis.passes.stack import facts_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace


def test_clients_servers_and_services(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.process("idle")
    made.operation(
        "connect", service="web", server="rabbit:5671", settings={"action": "connect", "tls": True, "user": "shop"}
    )
    made.send(service="web", server="rabbit:5671", channel="x", channel_kind="topic")
    made.send(service="billing", server="rabbit:5671", library="aio_pika 10.2", channel="x", channel_kind="topic")
    stack = findings().stack
    assert [(each.system, each.client, each.services, each.evidence.operations) for each in stack.clients] == [
        ("rabbitmq", "aio_pika 10.2", ("billing",), 1),
        ("rabbitmq", "aio_pika 9.5", ("web",), 2),
    ]
    (server,) = stack.servers
    assert (server.address, server.connections, server.services) == ("rabbit:5671", 2, ("billing", "web"))
    assert server.facts == (("tls", ("true",)), ("user", ("shop",)))
    assert stack.services == (
        Service("billing", 1, 0, ("3.11.7",), 1),
        Service("idle", 1, 0, ("3.11.7",), 0),
        Service("web", 1, 0, ("3.11.7",), 2),
    )


def test_only_known_facts_are_shown_every_value_of_them_and_nothing_redacted() -> None:
    seen = [
        {"tls": True, "password": "x", "user": "b"},
        {"tls": False, "user": "a"},
        {"auth": "[redacted:auth]", "heartbeat": 60},
    ]
    assert facts_of(seen) == (("tls", ("false", "true")), ("user", ("a", "b")), ("heartbeat", ("60",)))


def test_an_unencrypted_connection_to_another_machine_is_worth_a_look(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    for server in ("rabbit:5672", "127.0.0.1:5672", "localhost:1"):
        made.operation("connect", server=server, settings={"tls": False})
    observations = [each.names for each in findings().observations]
    assert observations == [("rabbit:5672",)]
