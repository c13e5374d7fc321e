"""What a secret is: telling names and telling patterns. Pure; `redaction` walks bodies and applies them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

# ---- names ----------------------------------------------------------------------------------------------------

STEMS: Final = (
    "password", "passwd", "passphrase", "passwort", "contrasena", "contraseña", "motdepasse", "passcode", "pwd",
    "secret", "apikey", "accesskey", "privatekey", "secretkey", "signingkey", "encryptionkey", "masterkey",
    "sharedkey", "accountkey", "credential", "authorization", "connectionstring", "cardnumber", "cardnum", "cardno",
    "creditcard", "ccnumber", "ccnum", "securitycode", "cvv", "pincode", "pinnumber", "otpcode", "cvccode",
)  # fmt: skip
"""Of a name without case and separators; whatever stands under it is replaced."""

HARD_WORDS: Final = frozenset({"pin", "cvc", "csc", "ssn", "otp", "senha"})
"""Last words of a name; whatever stands under it is replaced."""

SOFT_STEMS: Final = (
    "accesstoken", "refreshtoken", "authtoken", "idtoken", "bearertoken", "csrftoken", "xsrftoken", "sessiontoken",
    "sessionid", "sessid", "usertoken", "apitoken", "setcookie",
)  # fmt: skip
SOFT_WORDS: Final = frozenset({"token", "tokens", "jwt", "cookie", "cookies", "session", "auth", "bearer", "authtoken"})
"""Texts under it are replaced; a number (a count of tokens) or an object (a session's facts) is not the secret."""

WHOLE_NAMES: Final = frozenset({"pass", "pan"})
"""Only as the whole name: `boarding_pass` is no password."""

HARMLESS_LAST_WORDS: Final = frozenset({
    "type", "types", "count", "counts", "limit", "limits", "length", "size", "policy", "enabled", "required", "changed",
    "expired", "expires", "expiry", "expiration", "at", "in", "ttl", "strength", "min", "max", "used", "usage", "valid",
    "attempts", "cost", "price", "budget", "version",
})  # fmt: skip
"""`token_type`, `password_changed_at`: about a secret, not one."""

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[^\W\dA-Z_]+|[A-Z]+|[0-9]+")
_MAX_NAME: Final = 256

CLEAN: Final = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a name says of what stands under it.

    Attributes:
        label: what the replacement names; empty when there is nothing to replace.
        hard: numbers and everything in objects and arrays too, not only texts.
    """

    label: str
    hard: bool


NOTHING: Final = Verdict(CLEAN, hard=False)


def name_verdict(name: str, extra: frozenset[str] = frozenset(), keep: frozenset[str] = frozenset()) -> Verdict:
    """Judge a name.

    Args:
        name: as written, in any case and with any separators.
        extra: names of the user's, squashed.
        keep: names that the user wants kept, squashed.
    """
    name = name[:_MAX_NAME]
    squashed = squash(name)
    if squashed in keep:
        return NOTHING
    if squashed in extra:
        return Verdict(_label(squashed), hard=True)
    words = [w.lower() for w in _WORD.findall(name)]
    if words and words[-1] in HARMLESS_LAST_WORDS:
        return NOTHING
    if squashed in WHOLE_NAMES:
        return Verdict(squashed, hard=True)
    for stem in STEMS:
        if stem in squashed and not (stem == "secret" and "secretar" in squashed):
            return Verdict(stem, hard=True)
    last = next((w for w in reversed(words) if not w.isdigit()), "")
    if last in HARD_WORDS:
        return Verdict(last, hard=True)
    for stem in SOFT_STEMS:
        if stem in squashed:
            return Verdict(stem, hard=False)
    found = SOFT_WORDS.intersection(words)
    return Verdict(min(found), hard=False) if found else NOTHING


def squash(name: str) -> str:
    """A name without case and separators: `API-Key`, `apiKey` and `api_key` are one."""
    return "".join(c for c in name.lower() if c.isalnum())


def _label(squashed: str) -> str:
    return "".join(c for c in squashed if c.isascii())[:40] or "name"


# ---- what must be there before it pays to look ------------------------------------------------------------------

_NEEDLES: Final = (
    "passw", "passp", "passc", "pwd", "secret", "token", "auth", "cook", "sess", "cred", "jwt", "bearer", "cardn",
    "ccnu", "securityc", "cvv", "connectionst", "motde", "contras", "eyj", "apikey", "accesskey", "privatekey",
    "signingkey", "encryptionkey", "masterkey", "sharedkey", "accountkey", "pincode", "pinnumber", "otpcode", "cvccode",
)  # fmt: skip
"""Of text without case, spaces, hyphens and underscores. A name or pattern of this file contains one, or is below."""

_SHORT: Final = "pin|otp|ssn|csc|cvc|senha|pass|pan"
_OTHERS: Final = (
    rf"(?i:{_SHORT})(?:[^A-Za-z]|$)",
    r"\\u|\\/",  # an escape may hide any of them
    r"AKIA|ASIA",
    r"://[^\s/]*@",
    r"\b[2-6][0-9]{12,18}\b",
    r"\b[2-6][0-9]{3}[ -][0-9]{4}[ -][0-9]{4}[ -][0-9]",
    r"\b[3-6][0-9]{3}[ -][0-9]{6}[ -][0-9]{4}",
    r"\b[2-6][0-9]{3}[ -][0-9]{4}[ -][0-9]{5}\b",
    r"\b[2-6][0-9]{5}[ -][0-9]{10}",
    r"%[0-9A-Fa-f]{2}[^ ]*=",  # a form's field name may be escaped
)

# The same for `re`, on squashed text; the rest is asked with `in`.
SQUASHED_SUSPECT: Final = "|".join([*_NEEDLES, *(f"{w}(?:[^a-z]|$)" for w in _SHORT.split("|"))])


def suspect_expression(names: tuple[str, ...], patterns: tuple[str, ...]) -> str:
    """One RE2 expression for bytes that may hold something to replace: a fast engine searches whole columns with it.

    Args:
        names: the user's further names.
        patterns: the user's further patterns.
    """
    needles = [*_NEEDLES, *map(longest_part, names)]
    spaced = "|".join("[-_ ]*".join(re.escape(c) for c in needle) for needle in needles)
    return "|".join([f"(?i:{spaced})", *_OTHERS, *(f"(?:{p})" for p in patterns)])


def longest_part(name: str) -> str:
    """What of a name is searched for: any separators may stand between its parts."""
    return max(re.split(r"[^a-z0-9]+", name.lower()), key=len)


IDENTIFIER_SUSPECT: Final = re.compile(r"eyJ|(?i:bearer)|AKIA|ASIA|://|PRIVATE KEY|(?i:aws)|[2-6](?:[ -]?[0-9]){12}")
"""What stands in a name or an id in which `redact_patterns` may find something. No false negatives."""

# ---- patterns ---------------------------------------------------------------------------------------------------

# Each begins where its run of characters begins, or has a bounded length: linear in the text, whatever it holds.
_PATTERNS: Final[tuple[tuple[str, re.Pattern[str], str], ...]] = (
    (
        "private_key",
        re.compile(
            r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|\Z)", re.DOTALL
        ),
        "",
    ),
    ("jwt", re.compile(r"(?<![\w-])eyJ[\w-]{5,}\.[\w-]{2,}(?:\.[\w-]*)*"), ""),
    (
        "bearer",
        re.compile(r"(\bbearer(?:\s{1,8}|%20|\+))(?=[\w.~+/=-]*[\d._+/=-])[\w.~+/=-]{8,}", re.IGNORECASE),
        r"\1",
    ),
    ("aws_access_key", re.compile(r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])"), ""),
    ("password", re.compile(r"(?<=://)([^\s/:@\"'<>\\]{0,256}:)[^\s/\"'<>\\]{1,512}(?=@)"), r"\1"),
)
_AWS_SECRET = re.compile(r"(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])")
_DIGIT_RUN = re.compile(r"(?<![0-9A-Za-z_])(?<![0-9]\.)[0-9](?:[ -]?[0-9]){12,}(?![0-9A-Za-z_])")
_GROUPS: Final = frozenset({
    (4, 4, 4, 4), (4, 4, 4, 4, 3), (4, 4, 4, 1), (4, 6, 5), (4, 6, 4), (4, 4, 4, 2), (4, 4, 5), (6, 10), (6, 13),
})  # fmt: skip
"""How card numbers are written with separators. Others (two groups of a UUID, dates) are no card numbers."""


def redact_patterns(text: str, found: list[str], *, cards: bool = True) -> str:
    """Replace what looks like a secret, wherever it stands.

    Args:
        text: any text.
        found: gets one label for each replacement.
        cards: card numbers too; not in ids, some of which look like them.
    """
    amazon = False
    for label, pattern, kept in _PATTERNS:
        text, times = pattern.subn(f"{kept}[redacted:{label}]", text)
        found.extend([label] * times)
        amazon = amazon or (times > 0 and label == "aws_access_key")
    if amazon or "aws" in text.lower():
        # Forty characters are too common to be telling by themselves.
        text, times = _AWS_SECRET.subn(_aws_secret_in(found), text)
    return redact_cards(text, found) if cards else text


def _aws_secret_in(found: list[str]) -> Callable[[re.Match[str]], str]:
    def replaced(match: re.Match[str]) -> str:
        candidate = match.group()
        # A SHA-1 in hexadecimal has forty characters too.
        if candidate.isdigit() or candidate.islower() or candidate.isupper() or candidate.isalpha():
            return candidate
        found.append("aws_secret_key")
        return "[redacted:aws_secret_key]"

    return replaced


def redact_cards(text: str, found: list[str]) -> str:
    """Replace card numbers: 13 to 19 digits of a known range whose check digit is right, also in groups."""

    def replaced(match: re.Match[str]) -> str:
        tokens = re.split(r"([ -])", match.group())
        start = 0
        while start < len(tokens):
            # Digits stand at even places, separators between them.
            for end in range(min(len(tokens), start + 9), start, -2):
                if _is_card(tokens[start:end:2]):
                    found.append("card")
                    tokens[start:end] = ["[redacted:card]"]
                    break
            start += 2
        return "".join(tokens)

    return _DIGIT_RUN.sub(replaced, text)


def _is_card(groups: list[str]) -> bool:
    digits = "".join(groups)
    if not 13 <= len(digits) <= 19 or (len(groups) > 1 and tuple(map(len, groups)) not in _GROUPS):
        return False
    return _known_range(digits) and _luhn(digits)


def _known_range(digits: str) -> bool:
    """Whether the first digits are a card network's: a time in milliseconds is not one."""
    first, four = digits[0], int(digits[:4])
    return first in "3456" or 2221 <= four <= 2720 or 2200 <= four <= 2204


def _luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812-1, annex B."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit)
        if place % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0
