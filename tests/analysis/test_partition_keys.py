"""The partition key is the field that equals the message's key in nearly all messages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from msgtrace_analysis.passes.partition_keys import Keyed, judged

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace


def pairs(make: Callable[[int], tuple[str, Any]], many: int = 30) -> list[tuple[str, Any]]:
    return [make(number) for number in range(many)]


@pytest.mark.parametrize(
    ("make", "many", "found"),
    [
        (lambda n: (str(n), {"order_id": n, "total": 1}), 30, Keyed("order_id", "likely")),
        (lambda n: (f"c{n % 4}", {"customer": {"id": f"c{n % 4}"}}), 30, Keyed("customer.id", "likely")),
        (lambda n: (json.dumps(f"c{n}"), {"id": f"c{n}"}), 30, Keyed("id", "likely")),
        (lambda n: (json.dumps({"id": n}), {"number": n}), 30, Keyed("number", "likely")),
        (lambda n: (str(n), {"id": n}), 6, Keyed("id", "guess")),
        (lambda n: (str(n), {"id": n, "data": {"id": str(n)}}), 30, Keyed("id", "guess")),
        # One message in thirty of another key is still nearly all; three are not.
        (lambda n: ("x" if n == 7 else str(n), {"id": n}), 30, Keyed("id", "likely")),
        (lambda n: ("x" if n % 10 == 7 else str(n), {"id": n}), 30, None),
        (lambda n: ("eu", {"region": "eu", "n": n}), 30, None),
        (lambda n: (str(n), {"id": n}), 4, None),
        (lambda n: (str(n % 2 == 0), {"flag": n % 2 == 0, "n": -n}), 30, None),
        (lambda n: (str(n), [n]), 30, None),
    ],
)  # fmt: skip
def test_which_field_is_the_key(make: Callable[[int], tuple[str, Any]], many: int, found: Keyed | None) -> None:
    assert judged(pairs(make, many)) == found


def test_the_role_is_in_the_contract(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    for number in range(25):
        made.send(
            system="kafka", channel="orders", channel_kind="topic", event_type="order.placed", message_key=f"o-{number}",
            body={"aggregate_id": f"o-{number}", "total": number},
        )  # fmt: skip
    (contract,) = findings().contracts
    roles = {field.path: (field.role, field.role_certainty) for field in contract.fields}
    assert roles["aggregate_id"] == ("aggregate id, partition key", "likely")
    assert roles["total"] == ("", None)
