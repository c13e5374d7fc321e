"""Names that undo each other, and names of failures: `stock.reserved` and `stock.released`, `payment.declined`. Pure."""

from __future__ import annotations

import re
from typing import Final

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_GENERAL: Final = frozenset({
    "event", "command", "cmd", "msg", "message", "request", "requested", "succeeded", "success", "ok", "completed", "done", "v",
    "evt", "domain", "do", "the", "of", "to", "com", "org",
})  # fmt: skip
_PAIRS: Final = (
    "reserve release", "reserve unreserve", "reserve cancel", "reserve free", "charge refund", "charge reverse", "pay refund",
    "pay reverse", "capture refund", "capture void", "authorize void", "authorize release", "authorize cancel", "debit credit",
    "withdraw deposit", "withdraw refund", "transfer refund", "create cancel", "create delete", "create remove", "place cancel",
    "place withdraw", "book cancel", "book release", "book unbook", "schedule cancel", "schedule unschedule", "confirm cancel",
    "order cancel", "submit cancel", "submit withdraw", "start cancel", "start abort", "start stop", "open close", "open cancel",
    "add remove", "allocate deallocate", "allocate release", "allocate free", "lock unlock", "hold release", "block unblock",
    "ship return", "ship recall", "ship cancel", "send recall", "approve revoke", "grant revoke", "issue revoke", "issue void",
    "issue cancel", "activate deactivate", "enable disable", "register deregister", "register unregister",
    "subscribe unsubscribe", "assign unassign", "deduct restore", "deduct return", "decrement increment", "commit rollback",
    "provision deprovision", "claim release", "attach detach", "invoice credit", "pick unpick", "pick restock", "take return",
    "accept cancel", "book free", "take refund", "print void", "prepare cancel", "dispatch cancel", "dispatch recall",
)  # fmt: skip
_UNDOING: Final = frozenset(
    {"undo", "undone", "revert", "reverse", "compensate", "rollback", "rolled", "cancel", "restore", "abort"}
)
_FAILING: Final = frozenset({
    "fail", "failed", "failure", "reject", "decline", "deny", "denied", "error", "timeout", "expire", "abort", "refuse",
    "invalid", "unavailable", "insufficient", "exceed", "lost", "bounce", "dead", "unreachable", "impossible", "short",
    "missing",
})  # fmt: skip
_IRREGULAR: Final = {
    "paid": "pay", "sent": "send", "held": "hold", "taken": "take", "withdrawn": "withdraw", "undone": "undo",
    "cancelled": "cancel", "canceled": "cancel", "cancelling": "cancel", "cancellation": "cancel",
    "reservation": "reserve", "payment": "pay", "booking": "book", "shipment": "ship", "shipping": "ship",
    "shipped": "ship", "authorised": "authorize", "authorise": "authorize", "authorization": "authorize",
    "allocation": "allocate", "submitted": "submit", "committed": "commit", "compensation": "compensate",
    "expired": "expire", "denied": "deny", "begun": "begin", "refusal": "refuse",
}  # fmt: skip


def words(name: str) -> tuple[str, ...]:
    """The words of a name, as they stand.

    >>> words("OrderPlaced"), words("stock.reserve-items")
    (('order', 'placed'), ('stock', 'reserve', 'items'))
    """
    return tuple(each.lower() for each in _WORD.findall(name) if not each.isdigit())


def stem(word: str) -> str:
    """A verb without its ending.

    >>> stem("released"), stem("charging"), stem("booked"), stem("cancelled"), stem("denied")
    ('releas', 'charg', 'book', 'cancel', 'deny')
    """
    word = _IRREGULAR.get(word, word)
    for ending, instead in (("ied", "y"), ("ing", ""), ("ed", ""), ("es", ""), ("s", ""), ("e", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)] + instead
    return word


_OPPOSITES: Final = frozenset((stem(first), stem(second)) for pair in _PAIRS for first, second in [pair.split()])
_STEMS_UNDOING: Final = frozenset(map(stem, _UNDOING))
_STEMS_FAILING: Final = frozenset(map(stem, _FAILING))


def fails(name: str) -> bool:
    """Whether a name says that something went wrong.

    >>> fails("payment.declined"), fails("OrderPlaced"), fails("stock.out_of_stock")
    (True, False, True)
    """
    known = words(name)
    return any(stem(word) in _STEMS_FAILING for word in known) or "out_of_stock" in name.lower()


def undoes(later: str, earlier: str) -> bool:
    """Whether a name says that it undoes what another says: an opposite verb, and nothing else that differs.

    >>> undoes("stock.released", "stock.reserved"), undoes("RefundPayment", "ChargePayment"), undoes("UndoShip", "Ship")
    (True, True, True)
    >>> undoes("order.cancelled", "order.placed"), undoes("stock.released", "room.reserved"), undoes("a.b", "a.b")
    (True, False, False)
    """
    first, second = _telling(earlier), _telling(later)
    shared = first & second
    gone, come = first - shared, second - shared
    if not come:
        return False
    undone = any((one, other) in _OPPOSITES for one in gone for other in come) or any(
        other in {f"un{one}", f"de{one}", f"dis{one}"} for one in first for other in come
    )
    if undone and len(gone) <= 1 and len(come) <= 1:
        return bool(shared) or len(first) == 1
    # "undo ship": all that the other says, and that it is undone.
    return bool(shared) and come <= _STEMS_UNDOING and len(gone) <= 1


def opposed(later: str, earlier: str) -> bool:
    """Whether the verbs of two names undo each other, whatever they are about: both at the beginning, or both at the end.

    >>> opposed("payment.refunded", "card.charged"), opposed("RefundPayment", "ChargeCard"), opposed("refund.closed", "bill.paid")
    (True, True, False)
    """
    first, second = ([stem(word) for word in words(name) if word not in _GENERAL] for name in (earlier, later))
    return bool(first and second) and any((first[end], second[end]) in _OPPOSITES for end in (0, -1))


def _telling(name: str) -> frozenset[str]:
    return frozenset(stem(word) for word in words(name) if word not in _GENERAL)
