"""Personal data and secrets by field: kinds and counts, and no value."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from msgtrace_analysis.passes.exposures import Searching

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from msgtrace_analysis.findings import Findings
    from msgtrace_analysis.study import Study
    from tests.analysis.made_trace import MadeTrace

SENT: dict[str, Any] = {"channel": "users", "channel_kind": "exchange", "event_type": "user"}


def test_by_field_and_kind(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    made.send(
        **SENT,
        body={"contact": "ada@example.org", "notes": ["call +49 170 1234567", "no"], "password": "[redacted:password]"},
    )
    made.send(**SENT, body={"contact": "none", "first_name": "Ada"}, headers={"x-user": "ada@example.org"})
    made.send(**SENT | {"routing_key": "user.ada@example.org"}, body={"ada@example.org": 1})
    made.operation("call", error_message="no DE89370400440532013000", outcome="raised", error_type="E")
    found = findings().security
    assert {(each.where, each.field, each.kind): (each.messages, each.of, each.by) for each in found.exposures} == {
        ("body", "/contact", "email"): (1, 2, "content"),
        ("body", "/notes/*", "phone"): (1, 1, "content"),
        ("body", "/password", "secret"): (1, 1, "content"),
        ("body", "/first_name", "name"): (1, 1, "name"),
        ("header", "x-user", "email"): (1, 1, "content"),
        ("routing key", "", "email"): (1, 1, "content"),
        ("error", "", "iban"): (1, 1, "content"),
    }
    assert "ada" not in str(found.exposures).lower()
    assert (found.searched, found.unsearched) == (3, 0)


def test_leaving_for_an_error_ends_the_search(
    made: MadeTrace, study: Callable[[], AbstractContextManager[Study]]
) -> None:
    made.send(**SENT, body={"contact": "ada@example.org"})
    with study() as copy, pytest.raises(KeyboardInterrupt), Searching(copy):
        raise KeyboardInterrupt
    assert not [each for each in threading.enumerate() if each.name.startswith("personal data")]
