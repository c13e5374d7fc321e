"""Accounts: registration, the welcome mail, loyalty points."""

import asyncio
import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from pyee.asyncio import AsyncIOEventEmitter

from shop.events import OrderConfirmed, UserRegistered
from shop.runtime import ledger
from shop.web.bus import bus


class EmailTakenError(Exception):
    """There is an account with this address already."""


class MailRejectedError(Exception):
    """The mail server of the address does not take our mail."""


@dataclass(slots=True)
class Member:
    """An account."""

    user_id: str
    email: str
    password_hash: bytes
    points: int = 0


_by_email: dict[str, Member] = {}
_by_id: dict[str, Member] = {}


def register_member(email: str, name: str, password: str, *, newsletter: bool, referrer: str | None) -> Member:
    """Open an account and announce it on the bus.

    Raises:
        EmailTakenError: the address has an account already.
    """
    if email in _by_email:
        raise EmailTakenError(email)
    salt = secrets.token_bytes(16)
    hashed = salt + hashlib.scrypt(password.encode(), salt=salt, n=2**10, r=8, p=1)
    member = Member(user_id=str(uuid4()), email=email, password_hash=hashed)
    _by_email[email] = _by_id[member.user_id] = member
    event: UserRegistered = {
        "user_id": member.user_id,
        "email": email,
        "name": name,
        "newsletter": newsletter,
        "activation_token": secrets.token_urlsafe(24),
        "referrer": referrer,
        "registered_at": datetime.now(UTC).isoformat(),
    }
    ledger.sent("pyee", "user.registered")
    bus.emit("user.registered", event)
    return member


def is_member(user_id: str) -> bool:
    """Say whether an account has this id."""
    return user_id in _by_id


async def send_welcome_mail(event: UserRegistered) -> None:
    """Send the welcome mail with the activation link.

    Raises:
        MailRejectedError: the address is one that bounces.
    """
    ledger.received("pyee", "user.registered")
    await asyncio.sleep(0.002)  # the mail server's answer
    if event["email"].endswith("@bounces.example"):
        raise MailRejectedError(event["email"])


def award_points(event: OrderConfirmed) -> None:
    """Credit one loyalty point for every full euro of a confirmed order."""
    ledger.received("pyee", "order.confirmed")
    _by_id[event["user_id"]].points += event["total_cents"] // 100


def connect(events: AsyncIOEventEmitter) -> None:
    """Attach the handlers of this module."""
    events.add_listener("user.registered", send_welcome_mail)
    events.add_listener("order.confirmed", award_points)
