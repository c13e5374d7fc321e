"""Names that undo each other."""

from __future__ import annotations

import pytest

from msgtrace_analysis.passes.opposites import fails, opposed, undoes


@pytest.mark.parametrize(
    ("later", "earlier"),
    [
        ("stock.released", "stock.reserved"), ("ReleaseStock", "ReserveStock"), ("PaymentRefunded", "PaymentCharged"),
        ("refund_payment", "charge_payment"), ("order.cancelled", "order.created"), ("OrderCanceled", "OrderPlaced"),
        ("hotel.booking.cancelled", "hotel.booking.confirmed"), ("flight.cancelled", "flight.booked"),
        ("compensate_shipment", "shipment"), ("undo.ship.order", "ship.order"), ("seat.unlocked", "seat.locked"),
        ("licence.revoked", "licence.granted"), ("credit.deallocated", "credit.allocated"), ("release", "reserve"),
    ],
)  # fmt: skip
def test_these_undo(later: str, earlier: str) -> None:
    assert undoes(later, earlier)
    assert not undoes(earlier, later)


@pytest.mark.parametrize(
    ("later", "earlier"),
    [
        ("order.shipped", "order.placed"), ("stock.released", "room.reserved"), ("a", "a"), ("", ""), ("payment.charged", "payment.requested"),
        ("order.confirmed", "order.cancelled"), ("invoice.created", "order.created"), ("2", "1"), ("order.placed.v2", "order.placed.v1"),
    ],
)  # fmt: skip
def test_these_do_not(later: str, earlier: str) -> None:
    assert not undoes(later, earlier)


def test_verbs_alone() -> None:
    assert opposed("payment.refund", "card.charge")
    assert not opposed("payment.refund", "payment.refund")


def test_failures() -> None:
    assert all(
        fails(name) for name in ("payment.failed", "OrderRejected", "stock_insufficient", "CARD_DECLINED", "timeout")
    )
    assert not any(fails(name) for name in ("order.placed", "terror.report", "prefix", ""))
