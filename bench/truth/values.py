"""Values of fields: what has a format by its specification, what only looks like it, and what has none. Pure.

Formats are those of JSON Schema 2020-12 (section 7.3) and those that messages use besides. A maker is given a random
source and makes one value; which values it can make is the specification, not how anybody would recognise them.
"""

from __future__ import annotations

import base64
import json
import uuid
from datetime import UTC, datetime, timedelta, timezone
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    Maker = Callable[[Random], Any]


def words(text: str) -> list[str]:
    """The words of a list that is written as a text."""
    return text.split()


NOON: Final = datetime(2026, 3, 4, 12, tzinfo=UTC)
COUNTRIES: Final = words(
    "DE US FR GB IT ES NL PL SE NO DK FI CH AT BE PT IE CZ GR HU RO BG JP CN IN BR AR MX CA AU NZ ZA"
)
CURRENCIES: Final = words("EUR USD GBP CHF JPY SEK NOK DKK PLN CZK HUF AUD CAD NZD BRL INR CNY ZAR")
STATES: Final = words("NY TX WA FL OH WI OR CA NJ KS OK UT NV WY")
AIRPORTS: Final = words("LHR JFK FRA CDG AMS MUC ZRH DXB SFO ORD NRT SYD")
LANGUAGES: Final = words("en de fr it es nl pl sv nb da fi pt cs el hu ro")
SYLLABLES: Final = words("ka lo mi ren sa tor vel bri dan fe gru hal is jo nar ple qui ros sten tal ur wen")
WORDS: Final = words(
    "please ring twice before noon leave at the door call neighbour fragile goods second floor back yard customer asked "
    "for a later slot gift wrapped invoice enclosed return label missing urgent repeat order damaged box replaced"
)


def word(rng: Random, low: int = 2, high: int = 4) -> str:
    """A word that means nothing."""
    return "".join(rng.choice(SYLLABLES) for _ in range(rng.randint(low, high)))


def moment(rng: Random) -> datetime:
    """A time within a few months of the system's, to the microsecond."""
    return NOON + timedelta(microseconds=rng.randrange(-8_000_000_000_000, 8_000_000_000_000))


def any_uuid(rng: Random, version: int = 4) -> uuid.UUID:
    """A UUID of a version, from the random source."""
    return uuid.UUID(int=rng.getrandbits(128), version=version)


def _email(rng: Random) -> str:
    return f"{word(rng)}{rng.choice(['.', '_', '+', ''])}{word(rng)}@{word(rng)}.{rng.choice(['org', 'example', 'co.uk', 'de'])}"


def _uri(rng: Random) -> str:
    start = rng.choice(["https://", "http://", "s3://"])
    return f"{start}{word(rng)}.example/{word(rng)}/{rng.randrange(10_000)}{rng.choice(['', '?page=2', '#top'])}"


def _datetime(rng: Random, style: int) -> str:
    when = moment(rng)
    if style == 0:
        return when.replace(microsecond=0).isoformat().replace("+00:00", "Z")
    if style == 1:
        return when.astimezone(timezone(timedelta(hours=2))).isoformat()
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03}Z"


def _jwt(rng: Random) -> str:
    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    head = json.dumps({"alg": "HS256", "typ": "JWT"}).encode()
    claims = json.dumps({"sub": word(rng), "iat": int(moment(rng).timestamp()), "n": rng.randrange(10**6)}).encode()
    return f"{part(head)}.{part(claims)}.{part(rng.randbytes(32))}"


def _semver(rng: Random) -> str:
    tail = rng.choice(["", "", "", "-rc.1", "-beta.2", "+build.7"])
    return f"{rng.randrange(12)}.{rng.randrange(30)}.{rng.randrange(30)}{tail}"


def skewed(pool: list[Any]) -> Maker:
    """Draws from a pool, the first most often."""
    weights = [1 / (place + 1) for place in range(len(pool))]
    return lambda rng: rng.choices(pool, weights)[0]


FORMATS: Final[dict[str, tuple[Maker, ...]]] = {
    "uuid": (lambda r: str(any_uuid(r)), lambda r: str(any_uuid(r)).upper(), lambda r: str(any_uuid(r, 1))),
    "date-time": (lambda r: _datetime(r, 0), lambda r: _datetime(r, 1), lambda r: _datetime(r, 2)),
    "date": (lambda r: moment(r).date().isoformat(),),
    "email": (_email,),
    "uri": (_uri,),
    "ipv4": (lambda r: str(IPv4Address(r.getrandbits(32))),),
    "ipv6": (lambda r: str(IPv6Address(r.getrandbits(128))),),
    "decimal": (lambda r: f"{r.randrange(100_000) / 100:.2f}", lambda r: f"{r.uniform(-5, 5):.4f}"),
    "epoch-seconds": (lambda r: int(moment(r).timestamp()),),
    "epoch-millis": (lambda r: int(moment(r).timestamp() * 1000),),
    "base64": (lambda r: base64.b64encode(r.randbytes(r.randrange(16, 90))).decode(),),
    "jwt": (_jwt,),
    "semver": (_semver,),
    "country": (skewed(COUNTRIES),),
    "currency": (skewed(CURRENCIES),),
    "e164": (lambda r: f"+{r.choice(['49', '1', '44', '33'])}{r.randrange(10**8, 10**9)}",),
}
"""Name of a format -> makers of it, one of which a field uses."""

LOOKALIKES: Final[dict[str, Maker]] = {
    "short version": lambda r: f"v{r.randrange(1, 4)}.{r.randrange(10)}",
    "four numbers": lambda r: f"{r.randrange(1, 4)}.{r.randrange(10)}.{r.randrange(10)}.{r.randrange(256, 999)}",
    "prefixed uuid": lambda r: f"ord_{any_uuid(r)}",
    "uuid but for its end": lambda r: str(any_uuid(r))[:-1],
    "uuid out of letters": lambda r: "".join(c if c == "-" else r.choice("ghjkmnpq0123") for c in str(any_uuid(r))),
    "sometimes uuid": lambda r: str(any_uuid(r)) if r.random() < 0.7 else f"guest-{r.randrange(10**6)}",
    "hexadecimal digest": lambda r: r.randbytes(32).hex(),
    "object id": lambda r: r.randbytes(12).hex(),
    "mac address": lambda r: ":".join(f"{b:02x}" for b in r.randbytes(6)),
    "slashed date": lambda r: f"{moment(r):%Y/%m/%d}",
    "day first": lambda r: f"{moment(r):%d-%m-%Y}",
    "impossible date": lambda r: f"2026-{r.randrange(13, 99)}-{r.randrange(32, 99)}",
    "clock time": lambda r: f"{r.randrange(24):02}:{r.randrange(60):02}",
    "handle": lambda r: f"@{word(r)}",
    "local mailbox": lambda r: f"{word(r)}@{word(r)}",
    "path": lambda r: f"/{word(r)}/{word(r)}/{r.randrange(100)}",
    "zero-led number": lambda r: f"{r.randrange(10**5):07}",
    "phone at home": lambda r: f"0{r.randrange(20, 99)} {r.randrange(10**6, 10**7)}",
    "state": skewed(STATES),
    "airport": skewed(AIRPORTS),
    "language": skewed(LANGUAGES),
    "sku": lambda r: f"{r.choice('ABCDEFGH')}{r.choice('KLMNP')}-{r.randrange(1000, 9999)}",
    "url-safe id": lambda r: "".join(r.choice("ABCDEFGHIJKLMNabcdefghijklmnopq0123456789_-") for _ in range(21)),
}
"""Text that has no format, however it looks."""

OPEN: Final[dict[str, Maker]] = {
    "sentence": lambda r: " ".join(r.choice(WORDS) for _ in range(r.randint(3, 9))),
    "name": lambda r: f"{word(r).title()} {word(r).title()}",
    "word": lambda r: word(r, 3, 5),
    "numbered id": lambda r: f"{r.choice(['cus', 'usr'])}_{r.randrange(10**7):07}",
}
"""Text without an end to its values."""

POOL_SIZES: Final = (40, 60, 120)
"""Of ids and names that a system has some tens of: in few samples they repeat as the values of an enumeration do."""

CLOSED: Final = (
    ("pending", "paid", "shipped", "delivered", "cancelled", "refunded"),
    ("low", "normal", "high", "urgent"),
    ("CREATED", "ACTIVE", "SUSPENDED", "CLOSED"),
    ("card", "transfer", "invoice", "voucher", "cash", "wallet"),
    ("web", "ios", "android", "kiosk"),
    ("S", "M", "L", "XL", "XXL"),
    ("bronze", "silver", "gold"),
    ("north", "south", "east", "west", "centre"),
    ("yes", "no"),
    ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    (
        "received", "checked", "approved", "picked", "packed", "labelled", "loaded", "in_transit", "at_hub", "out", "done",
        "lost",
    ),
)  # fmt: skip
"""Sets of values that a program chooses from."""
