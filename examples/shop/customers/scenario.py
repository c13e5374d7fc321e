"""What the customers are going to do: planned from a seed, so that every run plans the same."""

import random
from dataclasses import dataclass
from typing import Literal

SEED = 1977
CUSTOMERS = 10
ORDERS_EACH = 3
NEW_PRICES = {"mug": 1190, "lamp": 6100, "notebook": 720}
"""What the back office changes before the customers come."""

Outcome = Literal["confirmed", "cancelled"]


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """An order that a customer is going to place, and how it must end."""

    items: tuple[tuple[str, int], ...]
    """Article and quantity."""
    card_token: str
    sales_channel: str
    coupon: str | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who registers and orders."""

    email: str
    name: str
    newsletter: bool | None
    """None: leaves the field out."""
    referrer: str | None
    orders: tuple[PlannedOrder, ...]


def plan(seed: int = SEED) -> list[Customer]:
    """Plan every customer and every order."""
    chance = random.Random(seed)
    customers = []
    for number in range(CUSTOMERS):
        orders = tuple(_order(number * ORDERS_EACH + turn, chance) for turn in range(ORDERS_EACH))
        domain = "bounces.example" if number % 5 == 3 else "customers.example"
        customers.append(
            Customer(
                email=f"customer{number:02}@{domain}",
                name=f"Customer {number:02}",
                newsletter=chance.choice([True, False, None]),
                referrer=chance.choice([None, None, "search.example", "friends.example"]),
                orders=orders,
            )
        )
    return customers


def _order(number: int, chance: random.Random) -> PlannedOrder:
    wanted = chance.sample(["mug", "shirt", "lamp", "notebook"], k=chance.randint(1, 3))
    items = [(sku, chance.randint(1, 4)) for sku in wanted]
    card, outcome = _card(number)
    if number % 10 == 4:
        items.append(("poster", 1))  # sold out
        outcome = "cancelled"
    return PlannedOrder(
        items=tuple(items),
        card_token=f"{card}_{chance.randrange(16**8):08x}",
        sales_channel=chance.choice(["web", "web", "mobile", "partner"]),
        coupon=chance.choice(["WELCOME10", "SPRING5"]) if chance.random() < 0.3 else None,
        outcome=outcome,
    )


def _card(number: int) -> tuple[str, Outcome]:
    """Return an order's card and what comes of it: good, but for a few declined, slow and hopeless ones."""
    if number % 10 == 6:
        return "tok_declined", "cancelled"
    if number % 10 == 8:
        return "tok_slow", "confirmed"
    if number in {11, 22}:
        return "tok_down", "cancelled"
    return "tok_good", "confirmed"
