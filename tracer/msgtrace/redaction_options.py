"""What the user says of redaction, in MSGTRACE_REDACT. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass


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
        r"""Read MSGTRACE_REDACT: `off`, or words `name:customer_email`, `keep:session`, `pattern:INV-\d{6}`.

        Raises:
            ValueError: a word is none of these, or a pattern does not compile; the message is for the user.
        """
        if text.strip().lower() in {"off", "0", "no", "false"}:
            return cls(enabled=False)
        chosen: dict[str, list[str]] = {"name": [], "keep": [], "pattern": []}
        for word in text.split():
            if word.lower() in {"on", "1", "yes", "true"}:
                continue
            rule, colon, value = word.partition(":")
            if rule not in chosen or not colon or not value:
                raise ValueError(f"MSGTRACE_REDACT: {word!r} is not off, name:..., keep:... or pattern:...")
            if rule == "pattern":
                try:
                    re.compile(value)
                except re.error as error:
                    raise ValueError(f"MSGTRACE_REDACT: pattern {value!r}: {error}") from None
            chosen[rule].append(value)
        return cls(names=tuple(chosen["name"]), keep=tuple(chosen["keep"]), patterns=tuple(chosen["pattern"]))
