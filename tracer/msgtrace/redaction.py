"""Finds secrets in what was recorded and replaces them. Pure, standard library only; knows no broker and no file.

Two rules decide. By name: what stands under a telling name (`password`, `apiKey`, `Authorization`) is replaced. By
pattern: what looks like a bearer token, a JWT, a card number, an AWS key, a PEM private key or a password in a URL is
replaced wherever it stands. A replacement is a string such as `[redacted:password]`; everything around it stays byte
for byte, JSON with its formatting, its order and its duplicate keys too.

A clean body must cost next to nothing: a few substring tests decide that there is nothing to look for. They may send a
body the long way in vain; they must never let one pass that the long way would change.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from msgtrace.redaction_options import Options
from msgtrace.redaction_rules import IDENTIFIER_SUSPECT, NOTHING, Verdict, redact_cards
from msgtrace.redaction_text import TextRedactor

__all__ = ["Options", "Redactor"]

MAX_DEPTH: Final = 6
"""JSON inside JSON strings is followed this far; what is deeper is replaced whole where it looks suspicious."""
MAX_TREE_DEPTH: Final = 100

# A string with the colon that makes it a key, a bracket, or a bare word. Commas say nothing that is needed.
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?(\s*:)?|[{}\[\]]|[^\s"{}\[\]:,]+', re.DOTALL)
_NUMBER = re.compile(r"-?[0-9][0-9.eE+-]*\Z")


@dataclass(slots=True)
class Redactor(TextRedactor):
    """Replaces secrets, by one set of options."""

    # ---- what is offered --------------------------------------------------------------------------------------

    def body(self, data: bytes) -> tuple[bytes, int]:
        """Redact a message's bytes, of any format.

        Returns:
            The bytes, `data` itself when nothing was found, and the number of replacements.
        """
        if not self.options.enabled or not self._suspicious(data):
            return data, 0
        text = data.decode("utf-8", "surrogateescape")
        found: list[str] = []
        text = self._any(text, found, 0)
        return (text.encode("utf-8", "surrogateescape"), len(found)) if found else (data, 0)

    def text(self, text: str) -> tuple[str, int]:
        """Redact a text, for instance an error's message."""
        if not self.options.enabled or len(text) < 5 or text in self._clean:
            return text, 0
        if not self._suspicious(text.encode("utf-8", "surrogatepass")):
            self._remember_clean(text)
            return text, 0
        found: list[str] = []
        redacted = self._any(text, found, 0)
        return (redacted, len(found)) if found else (text, 0)

    def identifier(self, text: str, *, cards: bool = True) -> tuple[str, int]:
        """Redact a name or an id by pattern alone: `session:7` is a channel's name, and no session's secret.

        Args:
            text: the name.
            cards: whether a card number in it is replaced; two ids that became one would be told to be the same message.
        """
        if not self.may_identify(text):
            return text, 0
        found: list[str] = []
        redacted = self._by_pattern(text, found, cards=cards)
        return (redacted, len(found)) if found else (text, 0)

    def may_identify(self, text: str) -> bool:
        """Whether `identifier` may find something in a text, or in one of several lines. No false negatives."""
        return self.options.enabled and (bool(self._patterns) or IDENTIFIER_SUSPECT.search(text) is not None)

    def named(self, name: str, value: Any) -> tuple[Any, int]:
        """Redact what stands under a name: a header, a setting, a field."""
        if not self.options.enabled:
            return value, 0
        found: list[str] = []
        verdict = self._verdict(name)
        redacted = self._tree(value, verdict, found, 0)
        return (redacted, len(found)) if found else (value, 0)

    def tree(self, value: Any) -> tuple[Any, int]:
        """Redact an object of built-in types; what is clean is returned as it is."""
        return self.named("", value)

    def arguments(self, arguments: list[str]) -> tuple[list[str], int]:
        """Redact a command line: `--password x`, `--password=x`, and secrets in any argument."""
        if not self.options.enabled:
            return arguments, 0
        count = 0
        redacted: list[str] = []
        before = NOTHING
        for argument in arguments:
            if before.label and not argument.startswith("-"):
                redacted.append(f"[redacted:{before.label}]")
                count += 1
                before = NOTHING
                continue
            safe, times = self.text(argument)
            redacted.append(safe)
            count += times
            option = argument.startswith("-") and "=" not in argument
            before = self._verdict(argument.lstrip("-")) if option else NOTHING
        return redacted, count

    # ---- how ----------------------------------------------------------------------------------------------------

    def _any(self, text: str, found: list[str], depth: int) -> str:
        if text.lstrip()[:1] in {"{", "[", '"'}:
            return self._json(text, found, depth)
        return self._plain(text, found)

    def _json(self, text: str, found: list[str], depth: int) -> str:
        """JSON, also cut off or malformed: replaces tokens and leaves everything between them as it stands."""
        out: list[str] = []
        # For each open container, the verdict that its values inherit.
        stack = [NOTHING]
        verdict = NOTHING
        well_formed = True
        last = 0
        for match in _TOKEN.finditer(text):
            token = match.group()
            first = token[0]
            if first == '"':
                colon = match.group(1)
                if colon is not None:
                    token = token[: -len(colon)]
                    name = _unescaped(token)
                    own = self._verdict(name)
                    verdict = own if own.label else stack[-1]
                    replaced = _requoted(token, name, self._by_pattern(name, found)) if len(name) > 12 else token
                else:
                    value = _unescaped(token)
                    replaced = _requoted(token, value, self._string(value, verdict, found, depth))
                    verdict = stack[-1]
            elif first in "{[":
                stack.append(verdict if verdict.hard or first == "[" else NOTHING)
                verdict = stack[-1]
                continue
            elif first in "}]":
                if len(stack) > 1:
                    stack.pop()
                verdict = stack[-1]
                continue
            else:
                well_formed = well_formed and self._is_scalar(token)
                replaced = self._number(token, verdict, found)
                verdict = stack[-1]
            if replaced is not token:
                out.append(text[last : match.start()])
                out.append(replaced)
                last = match.start() + len(token)
        text = "".join(out) + text[last:] if out else text
        return text if well_formed else self._plain(text, found)

    @staticmethod
    def _is_scalar(token: str) -> bool:
        return token in {"true", "false", "null", "NaN", "Infinity", "-Infinity"} or _NUMBER.match(token) is not None

    def _number(self, token: str, verdict: Verdict, found: list[str]) -> str:
        if _NUMBER.match(token) is None:
            return token
        if verdict.hard:
            found.append(verdict.label)
            return f'"[redacted:{verdict.label}]"'
        if len(token) >= 13 and token.isdigit():
            safe = redact_cards(token, found)
            return token if safe == token else f'"{safe}"'
        return token

    def _string(self, value: str, verdict: Verdict, found: list[str], depth: int) -> str:
        if not value or value.startswith("[redacted:"):
            return value
        if verdict.label:
            found.append(verdict.label)
            return f"[redacted:{verdict.label}]"
        if len(value) < 5 or value in self._clean:
            return value
        if not self._suspicious(value.encode("utf-8", "surrogatepass")):
            self._remember_clean(value)
            return value
        if value.lstrip()[:1] not in {"{", "[", '"'}:
            return self._plain(value, found)
        if depth < MAX_DEPTH:
            return self._json(value, found, depth + 1)
        found.append("nested")
        return "[redacted:nested]"

    def _tree(self, value: Any, verdict: Verdict, found: list[str], depth: int) -> Any:
        kind = type(value)
        if kind is str:
            return self._leaf(value, verdict, found)
        if kind is bytes:
            text = value.decode("utf-8", "surrogateescape")
            safe = self._leaf(text, verdict, found)
            return value if safe == text else safe.encode("utf-8", "surrogateescape")
        if kind is int or kind is float:
            if verdict.hard:
                found.append(verdict.label)
                return f"[redacted:{verdict.label}]"
            if kind is int and value >= 10**12:
                safe = redact_cards(str(value), found)
                return value if "[" not in safe else safe
            return value
        if kind is dict or kind is list or kind is tuple:
            if depth >= MAX_TREE_DEPTH:
                found.append("nested")
                return "[redacted:nested]"
            return self._container(value, verdict, found, depth + 1)
        return value

    def _container(self, value: Any, verdict: Verdict, found: list[str], depth: int) -> Any:
        before = len(found)
        if type(value) is dict:
            inherited = verdict if verdict.hard else NOTHING
            redacted: Any = {}
            for name, item in value.items():
                own = self._verdict(name) if type(name) is str else NOTHING
                safe_name = self._by_pattern(name, found) if type(name) is str and len(name) > 12 else name
                redacted[safe_name] = self._tree(item, own if own.label else inherited, found, depth)
        else:
            redacted = [self._tree(item, verdict, found, depth) for item in value]
        return redacted if len(found) > before else value

    def _leaf(self, text: str, verdict: Verdict, found: list[str]) -> str:
        if not text or text.startswith("[redacted:"):
            return text
        if verdict.label:
            found.append(verdict.label)
            return f"[redacted:{verdict.label}]"
        if len(text) < 5 or text in self._clean:
            return text
        if not self._suspicious(text.encode("utf-8", "surrogatepass" if text.isascii() else "surrogateescape")):
            self._remember_clean(text)
            return text
        return self._any(text, found, 0)


def _unescaped(token: str) -> str:
    """What a JSON string token says; itself without quotes where it is malformed or cut off."""
    closed = len(token) > 1 and token.endswith('"')
    inner = token[1:-1] if closed else token[1:]
    if "\\" not in inner:
        return inner
    try:
        decoded = json.loads(f'"{inner}"', strict=False)
    except ValueError:
        return inner
    return decoded if isinstance(decoded, str) else inner


def _requoted(token: str, value: str, safe: str) -> str:
    """The token again when nothing was replaced in its value; the safe value as a JSON string otherwise."""
    return token if safe == value else json.dumps(safe, ensure_ascii=token.isascii())
