"""What the user says of redaction, in MSGTRACE_REDACT. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

PERSONAL_NAMES: Final = (
    "email", "emailaddress", "mail", "phone", "phonenumber", "telephone", "mobile", "mobilenumber", "fax", "iban", "firstname",
    "lastname", "fullname", "surname", "givenname", "familyname", "middlename", "maidenname", "birthdate", "dateofbirth",
    "birthday", "dob", "street", "streetaddress", "postaladdress", "homeaddress", "passport", "passportnumber", "nationalid",
    "taxid", "socialsecurity", "ipaddress",
)  # fmt: skip
"""Names under which personal data stands, for the word `personal`; case and separators don't matter."""
PERSONAL_PATTERNS: Final = (
    r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}",
    r"\+[1-9][0-9 ()./-]{6,18}[0-9]",
    r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b",
)
"""E-mail addresses, telephone numbers that begin with a plus, IBANs: of what RE2 knows, too."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for.

    Attributes:
        enabled: False turns redaction off.
        names: further names whose values are replaced.
        keep: names whose values are not, whatever the built-in list says.
        patterns: further regular expressions; what they match is replaced.
    """

    enabled: bool = True
    names: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Options:
        r"""Read MSGTRACE_REDACT: `off`, or words `personal`, `name:customer_email`, `keep:session`, `pattern:INV-\d{6}`.

        Raises:
            ValueError: a word is none of these, or a pattern does not compile; the message is for the user.
        """
        if text.strip().lower() in {"off", "0", "no", "false"}:
            return cls(enabled=False)
        chosen: dict[str, list[str]] = {"name": [], "keep": [], "pattern": []}
        for word in text.split():
            if word.lower() in {"on", "1", "yes", "true"}:
                continue
            if word.lower() == "personal":
                chosen["name"] += PERSONAL_NAMES
                chosen["pattern"] += PERSONAL_PATTERNS
                continue
            rule, colon, value = word.partition(":")
            if rule not in chosen or not colon or not value:
                raise ValueError(f"MSGTRACE_REDACT: {word!r} is not off, personal, name:..., keep:... or pattern:...")
            if rule == "pattern":
                try:
                    re.compile(value)
                except re.error as error:
                    raise ValueError(f"MSGTRACE_REDACT: pattern {value!r}: {error}") from None
            chosen[rule].append(value)
        return cls(names=tuple(chosen["name"]), keep=tuple(chosen["keep"]), patterns=tuple(chosen["pattern"]))
