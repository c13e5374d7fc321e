"""The suite as it would be without msgtrace: what comes out at the end."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from conftest import send

Order = Callable[..., None]
Payments = Callable[[int], dict[str, Any]]


@pytest.mark.parametrize("total", [1, 20, 999, 1000])
def test_an_order_is_paid(order: Order, payments: Payments, total: int) -> None:
    order(id=total, total=total)
    assert payments(total) == {"type": "order.paid", "order": total, "amount": total}


def test_the_customer_is_notified(order: Order, notified: Callable[[], dict[str, Any]]) -> None:
    order(id=5, total=5)
    assert notified() == {"type": "customer.notified", "order": 5}


@pytest.mark.asyncio
async def test_many_at_once(shop: str, payments: Payments) -> None:
    numbers = range(100, 120)
    await asyncio.gather(*(send(shop, {"id": number, "total": number}) for number in numbers))
    paid = [await asyncio.to_thread(payments, number) for number in numbers]
    assert [each["amount"] for each in paid] == list(numbers)


@pytest.mark.xfail(strict=True, reason="nobody pays this")
def test_an_order_over_the_limit(order: Order, notified: Callable[[], dict[str, Any]]) -> None:
    order(id=1001, total=1001)
    order(id=1, total=1)
    assert notified()["order"] == 1001


@pytest.mark.skip(reason="not yet")
def test_refunds() -> None: ...
