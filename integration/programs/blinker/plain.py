"""Named and anonymous signals: senders, weak receivers, muting, nested sends, receivers that raise, identity."""

import gc
from typing import Any

from account import Account
from blinker import Namespace, Signal, signal

account = Account()


class Ordered(dict[Any, None]):
    """A set in the order of its making, so that the account is the same each time."""

    add = dict.setdefault

    def discard(self, item: Any) -> None:
        self.pop(item, None)

    def copy(self) -> "Ordered":
        return Ordered(dict.copy(self))

    def __or__(self, other: Any) -> "Ordered":  # type: ignore[override]  # as a set's
        return Ordered({**self, **other})


Signal.set_class = Ordered  # type: ignore[assignment]  # all that blinker asks of it
placed, paid = signal("order.placed"), signal("order.paid")
private = Namespace().signal("order.placed")
anonymous = Signal()


class Shop:
    def on_paid(self, sender: Any, **kwargs: Any) -> None:
        account.ran("Shop.on_paid", kwargs)

    def __call__(self, sender: Any, **kwargs: Any) -> None:
        account.ran("Shop.__call__", kwargs)


@placed.connect
def charge(sender: Any, order: dict[str, Any]) -> str:
    """Takes the money."""
    account.ran("charge", order)
    account.send(paid, "till", number=order["id"])
    return "charged"


@placed.connect_via("web")
def only_web(sender: Any, order: dict[str, Any]) -> None:
    account.ran("only_web", sender)


shop = Shop()
paid.connect(shop.on_paid)
paid.connect(shop)
for sender in ("web", "desk"):
    results = account.send(placed, sender, order={"id": len(account.runs)})
    account.notes.setdefault("results", []).append([[receiver.__name__, value] for receiver, value in results])
    account.notes.setdefault("identity", []).append(results[0][0] is charge)

account.send(private, "web", order={"id": 99})
account.send(paid, Shop, number=1)
account.send(paid, shop, number=2)
account.send(paid, None, number=3)

# Asking who would be called is not calling them; neither outside of a receiver nor in one.
account.notes["asked"] = [[each.__name__ for each in placed.receivers_for(sender)] for sender in ("web", "desk")]


def asks(sender: Any, **kwargs: Any) -> None:
    account.ran("asks", [each.__name__ for each in placed.receivers_for("web")])
    account.send(paid, "asker", number=4)


with anonymous.connected_to(asks):
    account.send(anonymous, "somebody", what="questions")
account.send(anonymous, "somebody", what="nobody")

with placed.muted():
    placed.send("web", order={"id": 0})  # reaches nobody


def passing() -> None:
    @paid.connect
    def forgotten(sender: Any, **kwargs: Any) -> None:
        account.ran("forgotten", kwargs)

    account.send(paid, "before", number=5)


passing()
gc.collect()
account.send(paid, "after", number=6)


def failing(sender: Any, **kwargs: Any) -> None:
    account.ran("failing", kwargs)
    raise LookupError("no such number")


def never(sender: Any, **kwargs: Any) -> None:
    account.ran("never", kwargs)


anonymous.connect(failing)
anonymous.connect(never)
try:
    account.send(anonymous, "somebody", number=7)
except LookupError:
    account.notes["raised"] = True
anonymous.disconnect(failing)
account.send(anonymous, "somebody", number=8)
paid.disconnect(shop)
paid.disconnect(shop.on_paid)
account.notes["left"] = [paid.has_receivers_for("anybody"), len(paid.receivers), bool(anonymous.receivers)]


@placed.receiver_connected.connect
def on_connected(of: Any, receiver: Any, **kwargs: Any) -> None:
    account.ran("on_connected", [of is placed, receiver.__name__])


placed.connect(never)
account.tell()
