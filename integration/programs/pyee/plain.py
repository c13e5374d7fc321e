"""Plain emitters: several listeners, `once`, nested emits, errors, listeners that raise, names that are no strings."""

import enum
import functools
from typing import Any

from account import Account
from pyee import EventEmitter
from pyee.cls import evented, on

account = Account()
emitter = EventEmitter()


class Topic(enum.Enum):
    PAID = "order.paid"


@emitter.on("order.placed")
def charge(order: dict[str, Any]) -> None:
    """Takes the money."""
    account.ran("charge", order["id"])
    account.emit(emitter, "payment.taken", order["id"], amount=order["amount"])


@emitter.on("order.placed")
def reserve(order: dict[str, Any]) -> None:
    account.ran("reserve", order["id"])


@emitter.once("order.placed")
def greet(order: dict[str, Any]) -> None:
    account.ran("greet", order["id"])


class Ledger:
    def book(self, number: int, *, amount: int) -> None:
        account.ran("Ledger.book", [number, amount])

    def __call__(self, number: int, *, amount: int) -> None:
        account.ran("Ledger.__call__", [number, amount])


def tagged(tag: str, number: int, amount: int) -> None:
    account.ran("tagged", [tag, number, amount])


ledger = Ledger()
partial = functools.partial(tagged, "tag")
emitter.on("payment.taken", ledger.book)
emitter.on("payment.taken", ledger)
emitter.on("payment.taken", partial)
before = [
    emitter.listeners("order.placed") == [charge, reserve, greet],
    emitter.listeners("payment.taken")[1] is ledger,
]

account.emit(emitter, "order.placed", {"id": 1, "amount": 10})
account.emit(emitter, "order.placed", {"id": 2, "amount": 20})
account.emit(emitter, "nobody.listens", "to", "this")
account.emit(emitter, Topic.PAID, 3)
account.emit(emitter, 404)

emitter.remove_listener("order.placed", reserve)
emitter.remove_listener("payment.taken", ledger)
emitter.remove_listener("payment.taken", partial)
account.emit(emitter, "order.placed", {"id": 3, "amount": 30})
after = [emitter.listeners("order.placed") == [charge], emitter.listeners("payment.taken") == [ledger.book]]


@emitter.on("fails")
def failing(number: int) -> None:
    account.ran("failing", number)
    raise LookupError("no such number")


@emitter.on("fails")
def never(number: int) -> None:
    account.ran("never", number)


for event, argument in (("fails", 7), ("error", ValueError("unhandled")), ("error", "no exception")):
    try:
        account.emit(emitter, event, argument)
    except Exception as error:  # noqa: BLE001 - what the program is about
        account.notes.setdefault("raised", []).append(type(error).__name__)


@emitter.on("error")
def on_error(error: Exception) -> None:
    account.ran("on_error", str(error))


account.emit(emitter, "error", ValueError("handled"))


@emitter.on("new_listener")
def on_new_listener(event: str, listener: Any) -> None:
    account.ran("on_new_listener", [event, listener.__name__])


emitter.on("later", charge)


@evented
class Shop:
    @on("opened")
    def on_opened(self, hour: int) -> None:
        account.ran("Shop.on_opened", hour)


shop: Any = Shop()
account.emit(shop.event_emitter, "opened", 9)
account.notes["identity"] = [before, after]
account.tell()
