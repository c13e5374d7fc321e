"""What connections say of their protection, and what they don't."""

from __future__ import annotations

from typing import Any

import pytest

from msgtrace_analysis.findings import Evidence, Server
from msgtrace_analysis.passes.transports import _transport, encryption

NOTHING = Evidence(1, (1,), 1, 1, "exact")


@pytest.mark.parametrize(
    ("system", "facts", "expected"),
    [
        ("rabbitmq", [{"tls": True}], "yes"),
        ("rabbitmq", [{"tls": False}], "no"),
        ("rabbitmq", [{"tls": True}, {"tls": False}], "both"),
        ("kafka", [{"security_protocol": "SASL_PLAINTEXT"}], "no"),
        ("kafka", [{"security_protocol": "SSL"}], "yes"),
        ("redis", [{"virtual_host": "0"}], "no"),
        ("websocket", [{"subprotocol": "x"}], "unknown"),
        ("kafka", [], "unknown"),
    ],
)
def test_encryption(system: str, facts: list[dict[str, Any]], expected: str) -> None:
    assert encryption(system, facts) == expected


def test_a_principal_and_never_a_secret() -> None:
    server = Server("rabbitmq", "mq.example:5671", "/", 1, ("app",), (), NOTHING)
    found = _transport(server, [{"user": "app", "sasl_mechanism": "PLAIN", "tls": True, "auth": "[redacted:auth]"}])
    assert (found.principals, found.mechanism, found.encrypted, found.local, found.identified) == (
        ("app",), "PLAIN", "yes", False, True,
    )  # fmt: skip


def test_a_client_that_says_who_it_is_to_nobody() -> None:
    found = _transport(
        Server("kafka", "127.0.0.1:9092", None, 1, (), (), NOTHING), [{"security_protocol": "PLAINTEXT"}]
    )
    assert (found.identified, found.mechanism, found.local) == (False, "", True)
