"""Takes personal data that can be told by its form out of what is written for people and programs. Pure.

Everything that a command writes passes through here last, whatever it was made of: names of channels, routing keys, ids,
texts of errors, examples. What stands in its place says its kind. `msgtrace sql` alone answers with what was asked for.
"""

from __future__ import annotations

import re
import string
from typing import Final

# Every part is bounded, so that a text without spaces costs no more than one with them. What was cut off in the middle of an
# address has an ellipsis where the rest was.
EMAIL: Final = re.compile(r"[\w.+%\\-]{1,64}@(?:[\w\\-]{1,63}(?:\.[\w\\-]{1,63}){1,8}|[\w.\\-]{0,64}…)")
PHONE: Final = re.compile(r"(?<![\w+])\+[1-9](?:[ ()./\\-]{0,3}[0-9]){7,14}(?![0-9])")
IBAN: Final = re.compile(r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_DIGITS: Final = {letter: str(value) for value, letter in enumerate(string.digits + string.ascii_uppercase)}


def without_persons(text: str) -> str:
    """A text in which e-mail addresses, telephone numbers that begin with a plus, and IBANs stand by their kind only.

    >>> without_persons("mail ada@example.org, call +49 170 1234567, pay DE89 3704 0044 0532 0130 00")
    'mail [email], call [phone], pay [iban]'
    """
    if "@" in text:
        text = EMAIL.sub("[email]", text)
    if "+" in text:
        text = PHONE.sub("[phone]", text)
    return IBAN.sub(lambda match: "[iban]" if is_iban(match.group()) else match.group(), text)


def is_iban(text: str) -> bool:
    """Whether the check digits of ISO 13616 are right.

    >>> is_iban("DE89 3704 0044 0532 0130 00"), is_iban("DE88 3704 0044 0532 0130 00")
    (True, False)
    """
    packed = text.replace(" ", "")
    if not 15 <= len(packed) <= 34:
        return False
    return int("".join(_DIGITS[each] for each in packed[4:] + packed[:4])) % 97 == 1
