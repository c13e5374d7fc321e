"""Examples of values that may be shown: short, and personal data and ids only by their kind. Pure."""

from __future__ import annotations

import functools
import json
import re
from typing import Any, Final

EXAMPLE_CHARACTERS: Final = 40

_EMAIL = re.compile(r"[^@\s<>\"']+@[^@\s<>\"']+\.[^@\s<>\"']*[^@\s<>\"'.,;:)]")
_UUID = re.compile(r"(?<![0-9a-fA-F])[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![0-9a-fA-F])")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_PHONE = re.compile(r"\+?[0-9][0-9 ()/-]{8,}[0-9]")


def shown(value: Any) -> str:
    """An example of a value as JSON text: short, and personal data and ids only by their kind.

    >>> shown("ada@example.org"), shown("web"), shown(12)
    ('"<email>"', '"web"', '12')
    >>> shown("2026-04-01"), shown("030 1234567")
    ('"<date>"', '"<digits>"')
    """
    return _shown_text(value) if isinstance(value, str) else json.dumps(value)


@functools.lru_cache(maxsize=4_096)
def _shown_text(value: str) -> str:
    if _MOMENT.fullmatch(value):
        return '"<date-time>"'
    if _DATE.fullmatch(value):
        return '"<date>"'
    if _PHONE.fullmatch(value):
        return '"<digits>"'
    # What is looked through is longer than what is shown, and bounded: a pattern must not end where the text is cut.
    masked = without_persons(value[: 4 * EXAMPLE_CHARACTERS])
    if len(masked) > EXAMPLE_CHARACTERS:
        masked = f"{masked[: EXAMPLE_CHARACTERS - 1]}…"
    return json.dumps(masked, ensure_ascii=False)


def without_persons(text: str) -> str:
    """A text in which e-mail addresses and UUIDs stand only by kind.

    >>> without_persons("user:2b99b25c-31d3-4937-ba9f-7d4e0d688012, mail to ada@example.org.")
    'user:<uuid>, mail to <email>.'
    """
    if "@" in text:
        text = _EMAIL.sub("<email>", text)
    return _UUID.sub("<uuid>", text) if text.count("-") >= 4 else text
