"""The same suite with msgtrace's fixture: what happened on the way."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import send
from msgtrace_analysis.messages.fixture import Messages, NotAsExpected

HERE = Path(__file__).parent
Order = Callable[..., None]


@pytest.mark.parametrize("number", range(3))
def test_an_order_is_paid(order: Order, shop: str, messages: Messages, number: int) -> None:
    """One message of each kind, whichever tests run beside it: each finds its own."""
    order(id=number, total=20)
    (created,) = messages.expect("order.created", channel=f"{shop}.orders", count=1).received_by("billing").wait()
    assert created.body["id"] == number
    paid = (
        messages.expect("order.paid", channel="*.payments", count=1, within=10)
        .sent_by("billing")
        .caused_by("order.created")
    )
    assert [each.key for each in paid.matching({"order": number, "amount": 20}).wait()] == [str(number)]
    messages.expect("customer.notified", count=1, within=10).caused_by("order.created").matching(
        {"order": number}
    ).wait()
    messages.none("order.refused").wait()
    assert messages.conforms_to(HERE / "asyncapi.yaml")


@pytest.mark.asyncio
async def test_an_order_over_the_limit(shop: str, messages: Messages) -> None:
    await send(shop, {"id": 1, "total": 1001}, {"id": "two", "total": 1})
    (refused,) = await messages.expect("order.refused", count=1, within=10).caused_by("order.created")
    assert refused.body == {"type": "order.refused", "order": 1, "reason": "limit"}
    await messages.expect("order.paid", count=1, within=10).matching({"order": "two"})
    with pytest.raises(NotAsExpected, match="'two' is not of type 'integer'"):
        messages.conforms_to(HERE / "asyncapi.yaml", "order.created")


def test_nothing_of_other_tests(messages: Messages) -> None:
    assert messages.seen() == []
    with pytest.raises(NotAsExpected, match="seen none"):
        messages.expect("order.created", within=0.2).wait()


def test_what_a_consumer_got(order: Order, payments: Callable[[int], dict[str, Any]], messages: Messages) -> None:
    """A consumer in the test's own process."""
    order(id=7, total=7)
    assert payments(7)["amount"] == 7
    messages.expect("order.paid", count=1, within=10).received_by("tests").matching({"order": 7}).wait()
