"""The price list, and the price tags that pages keep of it."""

from pyee.asyncio import AsyncIOEventEmitter

from shop.events import PriceChanged
from shop.runtime import ledger
from shop.web.bus import bus

_prices_cents = {"mug": 1290, "shirt": 2490, "poster": 990, "lamp": 5900, "notebook": 690}
_tags: dict[str, str] = {}


def price_cents(sku: str) -> int:
    """Return the price of an article in cents.

    Raises:
        KeyError: there is no such article.
    """
    return _prices_cents[sku]


def price_tag(sku: str) -> str:
    """Return the price as pages show it, made once and kept until the price changes."""
    if sku not in _tags:
        _tags[sku] = f"EUR {price_cents(sku) / 100:.2f}"
    return _tags[sku]


def change_price(sku: str, cents: int) -> None:
    """Set an article's price and announce it on the bus.

    Raises:
        KeyError: there is no such article.
    """
    event: PriceChanged = {"sku": sku, "price_cents": cents, "previous_cents": _prices_cents[sku]}
    _prices_cents[sku] = cents
    ledger.sent("pyee", "price.changed")
    bus.emit("price.changed", event)


def forget_tag(sku: str) -> None:
    """Have an article's price tag made anew when it is needed next."""
    _tags.pop(sku, None)


def drop_tag(event: PriceChanged) -> None:
    """Forget the price tag of the article whose price changed."""
    ledger.received("pyee", "price.changed")
    forget_tag(event["sku"])


def connect(events: AsyncIOEventEmitter) -> None:
    """Attach the handler of this module."""
    events.add_listener("price.changed", drop_tag)
