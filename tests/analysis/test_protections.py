"""Signatures, encrypted bodies and pickles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace

SENT: dict[str, Any] = {"channel": "x", "channel_kind": "exchange"}


def test_signatures_and_sealed_bodies(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.send(**SENT, headers={"X-Hub-Signature-256": "0", "x-assigned": "1"})
    made.send(**SENT)
    made.send(channel="sealed", channel_kind="exchange", body={"ciphertext": "0", "iv": "1"})
    made.send(channel="typed", channel_kind="exchange", content_type="application/jose")
    found = findings().security.protections
    assert [(each.kind, each.channel, each.told_by, each.messages, each.of) for each in found] == [
        ("signature", "x", "header X-Hub-Signature-256", 1, 2),
        ("encrypted body", "typed", "application/jose", 1, 1),
        ("encrypted body", "sealed", "field ciphertext", 1, 1),
    ]


def test_pickles(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.row(
        "msgtrace_store.bodies", body_digest="00000000-0000-0000-0000-00000000ffff", encoding="gzip+pickle", redacted=0
    )
    send = made.send(**SENT, body_digest="00000000-0000-0000-0000-00000000ffff", service="a")
    made.receive(
        send, channel="x", channel_kind="exchange", body_digest="00000000-0000-0000-0000-00000000ffff", service="b"
    )
    (hazard,) = findings().security.hazards
    assert (hazard.encoding, hazard.publishers, hazard.consumers, hazard.messages) == ("gzip+pickle", ("a",), ("b",), 2)
