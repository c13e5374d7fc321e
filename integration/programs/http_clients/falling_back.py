"""A handler that charges over HTTP, and sends a message when that fails. Argument: the payment service's address."""

import sys

import requests
from account import seen, tell
from pyee.base import EventEmitter

base = sys.argv[1]
orders, charges = EventEmitter(), EventEmitter()
session = requests.Session()


@orders.on("order.placed")
def charge(number: int) -> None:
    # Every other order is to be charged at the place where nothing works.
    path = "/charges" if number % 2 else f"/accounts/{number}/charges"
    try:
        session.post(f"{base}{path}?token=hidden", json={"order": number}, timeout=5).raise_for_status()
    except requests.HTTPError:
        charges.emit("charge.queued", number)


@charges.on("charge.queued")
def note(number: int) -> None:
    seen.append(number)


for number in range(12):
    orders.emit("order.placed", number)
tell()
