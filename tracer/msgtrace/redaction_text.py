"""Finds secrets in text that is no JSON: forms, logs, header lines, XML, YAML. Pure; `redaction` has the rest.

And decides, before anything is looked at closely, whether there can be anything to find.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from msgtrace.redaction_options import Options
from msgtrace.redaction_rules import (
    SQUASHED_SUSPECT,
    Verdict,
    longest_part,
    name_verdict,
    redact_patterns,
    squash,
    suspect_expression,
)

_MAX_KNOWN: Final = 10_000

# Lower case, all digits alike, no spaces, hyphens or underscores: names and card numbers however they are written.
_SQUASHED: Final = bytes(
    ord("0") if chr(i) in "123456789" else ord(chr(i).lower()) if i < 128 else i for i in range(256)
)
_SEPARATORS: Final = b" -_"
_CARD_DIGITS: Final = b"0" * 13

_NAME = re.compile(r"(?<![\w.%])[A-Za-z_%][\w.%-]{0,80}(?=[\"']?\s{0,8}[:=])")
_VALUE = re.compile(
    r"([\"']?\s{0,8}(?:=>|=++|:)\s{0,8})"
    r"(\"[^\"\\]*(?:\\.[^\"\\]*)*\"?|'[^'\\]*(?:\\.[^'\\]*)*'?|[^\s,;&\"'<>{}()\[\]]+)"
)
_LINE = re.compile(
    r"(?<![\w.%-])((?:proxy-)?authorization|(?:set-)?cookie)(\"?'?\s{0,8}[:=]\s{0,8})([^\r\n]+)", re.IGNORECASE
)
_ELEMENT = re.compile(r"<([A-Za-z_][\w.:-]{0,80})((?:\s[^<>]{0,500})?>)([^<]+)(?=<)")
_FORM_PART = re.compile(r"name=\"([^\"\r\n]{1,80})\"([^\r\n]{0,200}\r?\n(?:[^\r\n]+\r?\n){0,4}\r?\n)([^\r\n]+)")


@dataclass(slots=True)
class TextRedactor:
    """Replaces secrets in text. Keeps a bounded memory of names it has judged and short texts that are clean."""

    options: Options = field(default_factory=Options)
    _names: frozenset[str] = field(init=False)
    _keep: frozenset[str] = field(init=False)
    _suspect: re.Pattern[bytes] = field(init=False)
    _patterns: tuple[re.Pattern[str], ...] = field(init=False)
    _verdicts: dict[str, Verdict] = field(init=False, default_factory=dict)
    _clean: dict[str, None] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._names = frozenset(map(squash, self.options.names))
        self._keep = frozenset(map(squash, self.options.keep))
        needles = [re.escape(longest_part(n)).encode().translate(_SQUASHED) for n in self.options.names]
        self._suspect = re.compile(b"|".join([SQUASHED_SUSPECT.encode(), *needles]))
        self._patterns = tuple(map(re.compile, self.options.patterns))

    @property
    def suspect_expression(self) -> str:
        """What `body` looks for first, for an engine that searches many bodies at once (RE2); no false negatives."""
        return suspect_expression(self.options.names, self.options.patterns)

    def _suspicious(self, data: bytes) -> bool:
        """Whether the long way may find something. No false negatives."""
        squashed = data.translate(_SQUASHED, _SEPARATORS)
        return (
            _CARD_DIGITS in squashed
            or self._suspect.search(squashed) is not None
            or (b"\\" in data and (b"\\u" in data or b"\\/" in data))
            or (b"@" in data and b"://" in data)
            or b"%" in data
            or b"AKIA" in data
            or b"ASIA" in data
            or bool(self._patterns)
        )

    def _verdict(self, name: str) -> Verdict:
        verdict = self._verdicts.get(name)
        if verdict is None:
            if len(self._verdicts) >= _MAX_KNOWN:
                self._verdicts.clear()
            verdict = self._verdicts[name] = name_verdict(_unquoted(name), self._names, self._keep)
        return verdict

    def _remember_clean(self, text: str) -> None:
        if len(text) <= 64:
            if len(self._clean) >= _MAX_KNOWN:
                self._clean.clear()
            self._clean[text] = None

    def _plain(self, text: str, found: list[str]) -> str:
        """Text that is no JSON: forms, logs, XML, YAML, anything."""

        def line_replaced(match: re.Match[str]) -> str:
            name, between, value = match.groups()
            return f"{name}{between}{self._replaced(name, value, found)}"

        def part_replaced(match: re.Match[str]) -> str:
            name, between, _ = match.groups()
            label = self._verdict(name).label
            if not label:
                return match.group()
            found.append(label)
            return f'name="{name}"{between}[redacted:{label}]'

        def element_replaced(match: re.Match[str]) -> str:
            name, between, value = match.groups()
            label = self._verdict(name.rpartition(":")[2]).label
            if not label or not value.strip():
                return match.group()
            found.append(label)
            return f"<{name}{between}[redacted:{label}]"

        text = _LINE.sub(line_replaced, text)
        text = _FORM_PART.sub(part_replaced, text)
        text = _ELEMENT.sub(element_replaced, text)
        return self._by_pattern(self._named_values(text, found), found)

    def _named_values(self, text: str, found: list[str]) -> str:
        """`name=value` and `name: value`, quoted or not; in `note: token=x` the second counts."""
        out: list[str] = []
        last = place = 0
        while (match := _NAME.search(text, place)) is not None:
            place = match.end()
            if not self._verdict(match.group()).label:
                continue
            value = _VALUE.match(text, place)
            if value is None:
                continue
            out += [text[last : value.start(2)], self._replaced(match.group(), value.group(2), found)]
            last = place = value.end()
        return "".join(out) + text[last:] if out else text

    def _replaced(self, name: str, value: str, found: list[str]) -> str:
        """What stands instead of a value under a name, in its quotes."""
        label = self._verdict(name).label
        if not label or value.startswith("[redacted:") or value in {"null", "None", "true", "false"}:
            return value
        found.append(label)
        quote = value[0] if value[0] in "\"'" else ""
        return f"{quote}[redacted:{label}]{quote}"

    def _by_pattern(self, text: str, found: list[str], *, cards: bool = True) -> str:
        text = redact_patterns(text, found, cards=cards)
        for pattern in self._patterns:
            text, times = pattern.subn("[redacted:pattern]", text)
            found.extend(["pattern"] * times)
        return text


def _unquoted(name: str) -> str:
    """A form's field name without its percent signs."""
    if "%" not in name:
        return name
    raw = re.sub(rb"%([0-9A-Fa-f]{2})", lambda m: bytes([int(m.group(1), 16)]), name.encode("utf-8", "surrogateescape"))
    return raw.decode("utf-8", "replace")
