"""The shop's domain events: what stands in the message, whichever way it travels."""

from typing import Literal, NotRequired, TypedDict

SalesChannel = Literal["web", "mobile", "partner"]


class UserRegistered(TypedDict):
    """Somebody opened an account."""

    user_id: str
    email: str
    name: str
    newsletter: bool
    activation_token: str
    referrer: str | None
    registered_at: str


class OrderLine(TypedDict):
    """One article of an order."""

    sku: str
    quantity: int
    unit_price_cents: int


class OrderPlaced(TypedDict):
    """An order came in; nothing is reserved or paid yet."""

    order_id: str
    user_id: str
    items: list[OrderLine]
    total_cents: int
    currency: str
    sales_channel: SalesChannel
    card_token: str
    coupon: NotRequired[str]
    placed_at: str


class InventoryReserved(TypedDict):
    """Every article of the order is set aside."""

    order_id: str
    user_id: str
    reserved: dict[str, int]
    amount_cents: int
    currency: str
    card_token: str


class InventoryRejected(TypedDict):
    """At least one article is not there."""

    order_id: str
    missing: list[str]
    reason: str


class StockLow(TypedDict):
    """An article went below its reorder level."""

    sku: str
    left: int


class PaymentRequested(TypedDict):
    """The payments service is asked to charge a card."""

    order_id: str
    amount_cents: int
    currency: str
    card_token: str
    requested_at: str


class PaymentResult(TypedDict):
    """How a payment ended: payment.charged, payment.declined or payment.failed."""

    order_id: str
    attempts: int
    transaction_id: NotRequired[str]
    amount_cents: NotRequired[int]
    reason: NotRequired[str]


class OrderConfirmed(TypedDict):
    """The order is paid, and will be shipped."""

    order_id: str
    user_id: str
    total_cents: int
    currency: str
    transaction_id: str
    items: list[OrderLine]
    coupon: NotRequired[str]


class OrderCancelled(TypedDict):
    """The order will not be carried out."""

    order_id: str
    user_id: str
    reason: str


class PriceChanged(TypedDict):
    """An article costs something else from now on."""

    sku: str
    price_cents: int
    previous_cents: int
