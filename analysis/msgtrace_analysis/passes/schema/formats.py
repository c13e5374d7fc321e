"""Formats of texts and numbers: what every one of some values satisfies. Pure.

Names are JSON Schema's where it has one (2020-12 Validation, section 7.3), those of OpenAPI's format registry or plain words
where it has none.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from ipaddress import AddressValueError, IPv6Address
from typing import TYPE_CHECKING, Final

from msgtrace_analysis.passes.schema.codes import COUNTRIES, CURRENCIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_DATE = r"\d{4}-\d\d-\d\d"
_TIME = r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?"
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_B64URL = r"[A-Za-z0-9_-]+"


def _matcher(pattern: str) -> Callable[[str], object]:
    return re.compile(pattern, re.ASCII).fullmatch


def _is_date(value: str) -> bool:
    if _date(value) is None:
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_date_time(value: str) -> bool:
    if _date_time(value) is None:
        return False
    try:
        datetime.fromisoformat(f"{value[:10]}T{value[11:19]}")
    except ValueError:
        return False
    return True


def _is_ipv6(value: str) -> bool:
    if value.count(":") < 2:
        return False
    try:
        IPv6Address(value)
    except AddressValueError:
        return False
    return "%" not in value


_date = _matcher(_DATE)
_date_time = _matcher(rf"{_DATE}[Tt]{_TIME}(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)")  # RFC 3339, section 5.6
_jwt = _matcher(rf"eyJ{_B64URL}\.eyJ{_B64URL}\.(?:{_B64URL})?|\[redacted:jwt\]|\[redacted:bearer token\]")

TEXTS: Final[dict[str, Callable[[str], object]]] = {
    "uuid": _matcher(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"),
    "date-time": _is_date_time,
    "date": _is_date,
    "email": _matcher(
        r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
    ),
    "uri": _matcher(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s<>\"{}|\\^`]+"),
    "ipv4": _matcher(rf"{_OCTET}(?:\.{_OCTET}){{3}}"),
    "ipv6": _is_ipv6,
    "decimal": _matcher(r"-?(?:0|[1-9]\d*)\.\d+"),
    "jwt": _jwt,
    "semver": _matcher(
        r"(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)"
        r"(?:-(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?"
        r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"  # https://semver.org, the suggested expression
    ),
    "e164": _matcher(r"\+[1-9]\d{7,14}"),
    "country": COUNTRIES.__contains__,
    "currency": CURRENCIES.__contains__,
    "base64": _matcher(r"(?:[A-Za-z0-9+/]{4}){4,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"),
}
"""Name of a format -> whether a text has it."""

LONGEST: Final = 4_096
"""Characters of a text that is looked at; a longer one has no format."""
WEAK: Final = frozenset({"decimal", "semver", "country", "currency", "base64", "e164"})
"""Of which few values say little: each of them may be chance."""
ENOUGH_WEAK: Final = 3
"""Different values from which on they are no chance."""
STANDARD: Final = frozenset({"uuid", "date-time", "date", "email", "uri", "ipv4", "ipv6"})
"""What JSON Schema itself calls a format."""

EPOCHS: Final = {
    "epoch-seconds": (1_104_537_600, 2_208_988_800),
    "epoch-millis": (1_104_537_600_000, 2_208_988_800_000),
}
"""Whole numbers that are times from 2005 to 2039."""
ENOUGH_NUMBERS: Final = 5


def formats_of(values: Iterable[str]) -> frozenset[str]:
    """The formats that every one of some texts has; none of an empty text."""
    candidates = frozenset(TEXTS)
    for value in values:
        if len(value) > LONGEST:
            return frozenset()
        candidates = frozenset(name for name in candidates if TEXTS[name](value))
        if len(candidates) < 2:
            break
    if len(candidates) == 1:  # by far the most: one expression over what is left
        (name,) = candidates
        has = TEXTS[name]
        if any(len(value) > LONGEST for value in values) or not all(map(has, values)):
            return frozenset()
    return candidates


def text_format(common: frozenset[str], distinct: int, alphabet: frozenset[str]) -> str:
    """The one format to claim, '' for none.

    Args:
        common: what every value has.
        distinct: different values, as far as they were told apart.
        alphabet: characters in all of them, while `base64` is common.
    """
    for name in TEXTS:
        if name in common and not (name in WEAK and distinct < ENOUGH_WEAK) and (name != "base64" or _mixed(alphabet)):
            return name
    return ""


def _mixed(alphabet: frozenset[str]) -> bool:
    """Whether characters are those of encoded bytes: words, numbers and hexadecimal digits use fewer."""
    kinds = (str.isupper, str.islower, str.isdigit)
    return all(any(is_kind(each) for each in alphabet) for is_kind in kinds) and bool(alphabet & set("+/="))


def number_format(smallest: int, largest: int, samples: int) -> str:
    """The format of whole numbers within a range, '' for none."""
    if samples < ENOUGH_NUMBERS:
        return ""
    return next((name for name, (low, high) in EPOCHS.items() if low <= smallest and largest < high), "")
