"""What a value, or the name that it stands under, tells about a person. Kinds only: no value leaves this module. Pure."""

from __future__ import annotations

import functools
import ipaddress
import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from msgtrace_analysis.renderers.persons import EMAIL, IBAN, PHONE, is_iban, without_persons

if TYPE_CHECKING:
    from msgtrace_analysis.findings.security import Personal

_decode = msgspec.json.Decoder().decode
REDACTED: Final = "[redacted:"
MAX_CHARACTERS: Final = 20_000
MAX_DEPTH: Final = 40
SHORTEST_IBAN: Final = 15
KEPT_CHARACTERS: Final = 200
"""Of texts that are remembered, so that few bytes are."""
ADDRESS: Final = re.compile(r"[0-9A-Fa-f:.]+(?:%.*)?", re.DOTALL)
"""What an address could be: to ask costs as much as a hundred times this."""
NAMES: Final[dict[str, Personal]] = {
    "email": "email", "mail": "email", "phone": "phone", "telephone": "phone", "mobile": "phone", "fax": "phone", "iban": "iban",
    "firstname": "name", "lastname": "name", "fullname": "name", "surname": "name", "givenname": "name", "familyname": "name",
    "customername": "name", "personname": "name", "street": "address", "streetaddress": "address", "postaladdress": "address",
    "homeaddress": "address", "shippingaddress": "address", "billingaddress": "address", "zip": "address", "zipcode": "address",
    "postcode": "address", "postalcode": "address", "birthdate": "date of birth", "dateofbirth": "date of birth",
    "birthday": "date of birth", "dob": "date of birth", "ssn": "national id", "passport": "national id",
    "passportnumber": "national id", "nationalid": "national id", "taxid": "national id", "socialsecuritynumber": "national id",
    "ipaddress": "ip address", "clientip": "ip address", "remoteip": "ip address", "cardnumber": "card", "creditcard": "card",
}  # fmt: skip
"""Names without case and separators that tell by themselves."""
_ENDS: Final[dict[str, Personal]] = {
    "email": "email", "phone": "phone", "mobile": "phone", "iban": "iban", "phonenumber": "phone", "emailaddress": "email",
}  # fmt: skip


def by_content(text: str) -> frozenset[Personal]:
    """The kinds of data that a text holds.

    >>> sorted(by_content("ada@example.org, +49 170 1234567")), sorted(by_content("[redacted:password]"))
    (['email', 'phone'], ['secret'])
    """
    text = text[:MAX_CHARACTERS]
    found: set[Personal] = set()
    if REDACTED in text:
        found.add("card" if "[redacted:card]" in text else "secret")
    if "@" in text and EMAIL.search(text):
        found.add("email")
    if "+" in text and PHONE.search(text):
        found.add("phone")
    if len(text) >= SHORTEST_IBAN and any(is_iban(match.group()) for match in IBAN.finditer(text)):
        found.add("iban")
    if len(text) <= 45 and ("." in text or ":" in text) and ADDRESS.fullmatch(text) and _is_address(text):
        found.add("ip address")
    return frozenset(found)


@functools.lru_cache(maxsize=10_000)
def by_name(name: str) -> Personal | None:
    """The kind of data that a name says stands under it.

    >>> by_name("customer_email"), by_name("dateOfBirth"), by_name("email_count")
    ('email', 'date of birth', None)
    """
    squashed = re.sub(r"[^a-z0-9]", "", name.lower())
    return NAMES.get(squashed) or next((kind for end, kind in _ENDS.items() if squashed.endswith(end)), None)


def _is_address(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not address.is_loopback and not address.is_unspecified


def read(text: str) -> Any:
    """A body as a tree; None for one that is no JSON for Python: a number of thousands of digits, and the like."""
    try:
        return _decode(text)
    except (ValueError, RecursionError):
        return None


def leaves(tree: Any, pointer: str = "", name: str = "") -> list[tuple[str, str, Any]]:
    """Every value in a tree of JSON, as (pointer, name of the field, value); places in arrays are one, `*`."""
    found: list[tuple[str, str, Any]] = []
    _gather(tree, pointer, name, 0, found)
    return found


def _gather(tree: Any, pointer: str, name: str, depth: int, found: list[tuple[str, str, Any]]) -> None:
    if depth > MAX_DEPTH:
        return
    if isinstance(tree, dict):
        for key, value in tree.items():
            if isinstance(value, dict | list):
                _gather(value, _under(pointer, key), key, depth + 1, found)
            elif value is not None and depth < MAX_DEPTH:
                found.append((_under(pointer, key), key, value))
    elif isinstance(tree, list):
        for value in tree:
            _gather(value, f"{pointer}/*", name, depth + 1, found)
    elif tree is not None:
        found.append((pointer, name, tree))


@functools.lru_cache(maxsize=10_000)
def _under(pointer: str, key: str) -> str:
    return f"{pointer}/{_step(key)}"


@functools.lru_cache(maxsize=10_000)
def _step(key: str) -> str:
    """A key in a pointer, without what it says of a person."""
    return without_persons(key).replace("~", "~0").replace("/", "~1")


def kinds_of(name: str, value: Any) -> tuple[tuple[Personal, bool], ...]:
    """The kinds that one value is, and whether its content tells; by its name alone only what no content told."""
    if isinstance(value, str):
        # What repeats, as most short values do, is looked at once.
        return _kinds(name, value) if len(value) <= KEPT_CHARACTERS else _kinds.__wrapped__(name, value)
    said = by_name(name)
    return () if said is None or isinstance(value, bool) else ((said, False),)


@functools.lru_cache(maxsize=50_000)
def _kinds(name: str, text: str) -> tuple[tuple[Personal, bool], ...]:
    found = by_content(text)
    said = by_name(name)
    by_name_alone = said is not None and said not in found and text != "" and "secret" not in found
    told: list[tuple[Personal, bool]] = [(kind, True) for kind in sorted(found)]
    if by_name_alone and said is not None:
        told.append((said, False))
    return tuple(told)
