"""Turns the messages of a run of records into columns of the store: numbers made ids, secrets replaced, bodies kept aside.

Column by column, because most columns of most runs are empty and are then not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from msgtrace_collectors.columns import MESSAGE_COLUMNS
from msgtrace_collectors.definitions import plain_json, readable
from msgtrace_collectors.paths import without_secrets
from msgtrace_collectors.process import NUMBERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgtrace.redaction import Redactor
    from msgtrace_collectors.bodies import Bodies
    from msgtrace_collectors.process import ProcessState
    from msgtrace_collectors.wire import MessageFields

MAX_TIME_MS: Final = 253_402_300_799_999
"""The end of the year 9999: later times are somebody's mistake, and no timestamp."""

DIGEST_BYTES: Final = 16
MAX_REPLACEMENTS: Final = 10**6
"""In one message, as a forwarder may tell."""

Columns = dict[str, list[Any]]

_row = msgspec.structs.astuple
_FIELDS: Final = [field for field, _, _ in MESSAGE_COLUMNS]
_NUMBERED: Final = (("connection", "connection_id"), ("handler", "handler_id"))
_OPERATIONS: Final = (("link", "link_id"), ("receipt", "receipt_id"))
_TIMES: Final = (("producer_time_ms", "producer_time"), ("broker_time_ms", "broker_time"))
_HANDLED: Final = frozenset({
    "channel", "message_key", "headers", "body", "body_size", "data", "settings", "truncated", "redacted", "channel_id", "digest",
    *(field for field, _ in _NUMBERED + _OPERATIONS + _TIMES),
})  # fmt: skip
IDENTIFIERS: Final = (
    ("channel", True), ("routing_key", True), ("event_type", True), ("message_id", False), ("correlation_id", False),
    ("reply_to", False), ("identity", False), ("consumer_group", False), ("group_member", False), ("consumer_tag", False),
)  # fmt: skip
"""Columns of names and ids, which are searched for what looks like a secret; and whether for card numbers too."""
_PLAIN: Final = [(field, column) for field, column, _ in MESSAGE_COLUMNS if field not in _HANDLED and column]


@dataclass(slots=True)
class MessageReader:
    """Reads messages for one batch.

    Attributes:
        redactor: for everything but bodies.
        bodies: keeps bodies.
    """

    redactor: Redactor
    bodies: Bodies

    def columns(self, process: ProcessState, messages: Sequence[MessageFields]) -> Columns:  # noqa: C901 - a line a kind of column
        """The columns of some messages of one process; those that hold nothing are left out."""
        count = len(messages)
        fields: dict[str, Any] = {
            field: values
            for field, values in zip(_FIELDS, zip(*map(_row, messages), strict=True), strict=True)
            if values.count(None) < count
        }
        found: Columns = {column: list(fields[field]) for field, column in _PLAIN if field in fields}
        if "body" in fields or "data" in fields:
            self._bodies(process, fields, found, count)
        if "digest" in fields:
            _forwarded(fields, found, count)
        self._names(process, fields, found, count)
        first = process.number * NUMBERS
        for field, column in _NUMBERED:
            if field in fields:
                found[column] = [first + n if n and 0 < n < NUMBERS else None for n in fields[field]]
        for field, column in _OPERATIONS:
            if field in fields:
                found[column] = [None if n is None else process.operation_id(n) for n in fields[field]]
        for field, column in _TIMES:
            if field in fields:
                found[column] = [sane_time(n) for n in fields[field]]
        if "headers" in fields:
            self._headers(fields["headers"], found, count)
        if "message_key" in fields:
            self._replaced(
                found, "message_key", [None if key is None else self._key(key) for key in fields["message_key"]]
            )
        if "settings" in fields:
            self._replaced(found, "settings", [None if s is None else self.settings(s) for s in fields["settings"]])
        return found

    def settings(self, settings: dict[str, Any]) -> tuple[bytes, int]:
        """Settings as JSON, and the number of replacements in them."""
        safe, count = self.redactor.tree(readable(settings))
        return plain_json(safe), count

    def _names(self, process: ProcessState, fields: dict[str, Any], found: Columns, count: int) -> None:
        if "channel" in fields:
            _channels(process, fields["channel"], found)
            if "route" in fields.get("channel_kind", ()):
                self._routes(fields["channel_kind"], found, count)
        for column, cards in IDENTIFIERS:
            if column in found:
                self._identifiers(found, column, count, cards=cards)

    def _identifiers(self, found: Columns, column: str, count: int, *, cards: bool) -> None:
        """Secrets in names and ids: rare, and so looked for in all of a column at once."""
        values = found[column]
        if not self.redactor.may_identify("\n".join(value for value in values if value)):
            return
        for place, value in enumerate(values):
            if value:
                values[place], replacements = self.redactor.identifier(value, cards=cards)
                if replacements:
                    _count(found, place, replacements, count)

    def _routes(self, kinds: Sequence[str | None], found: Columns, count: int) -> None:
        """Paths of HTTP requests, which may be secrets themselves."""
        paths: list[Any] = found.get("channel", [])
        for place, (kind, path) in enumerate(zip(kinds, paths, strict=False)):
            if kind == "route" and path is not None:
                paths[place], replacements = without_secrets(path, self.redactor)
                if replacements:
                    _count(found, place, replacements, count)

    @staticmethod
    def _replaced(found: Columns, column: str, pairs: list[tuple[Any, int] | None]) -> None:
        found[column] = [None if pair is None else pair[0] for pair in pairs]
        for place, pair in enumerate(pairs):
            if pair is not None and pair[1]:
                _count(found, place, pair[1], len(pairs))

    def _bodies(self, process: ProcessState, fields: dict[str, Any], found: Columns, count: int) -> None:
        nothing = (None,) * count
        sizes = list(fields.get("body_size", nothing))
        digests: list[bytes | None] = [None] * count
        note = self.bodies.note
        names, first = self.bodies.channels, process.number * NUMBERS
        told = [fields.get(name, nothing) for name in ("body", "content_type", "encoding", "headers")]
        # By its name, where that is of use.
        told.append(
            nothing
            if names is None
            else [names.get(first + c) if type(c) is int else c for c in fields.get("channel", nothing)]
        )
        for place, (body, content_type, coding, headers, channel) in enumerate(zip(*told, strict=True)):
            if body is None:
                continue
            kind = type(body)
            if kind is str:
                body = body.encode("utf-8", "surrogatepass")  # noqa: PLW2901 - the same body as it was on the wire
            elif kind is not bytes:
                digests[place] = self.object_digest(body)
                continue
            size, cut = sizes[place], False
            if size is None:
                sizes[place] = len(body)
            elif size > len(body):
                cut = found.setdefault("truncated", [None] * count)[place] = True
            digests[place] = note(body, content_type, coding, headers, channel, cut)
        for place, data in enumerate(fields.get("data", ())):
            if data is not None and digests[place] is None:
                digests[place] = self.object_digest(data)
        found["body_digest"] = digests
        found["body_size"] = sizes

    def object_digest(self, data: Any) -> bytes:
        """The digest of an in-process object, which is kept."""
        safe, count = self.redactor.tree(data)
        text = plain_json(data)
        return self.bodies.note_object(text, plain_json(safe) if count else text, count)

    def _headers(self, column: Sequence[list[tuple[str, Any]] | None], found: Columns, count: int) -> None:
        shown: list[bytes | None] = [None] * count
        raw: list[list[tuple[str, bytes]] | None] = [None] * count
        for place, headers in enumerate(column):
            if headers is not None:
                shown[place], raw[place], replacements = self._header_list(headers)
                if replacements:
                    _count(found, place, replacements, count)
        found["headers"], found["raw_headers"] = shown, raw

    def _header_list(self, headers: list[tuple[str, Any]]) -> tuple[bytes, list[tuple[str, bytes]], int]:
        """Headers as a JSON object, as a list of pairs in their order, and the number of replacements."""
        shown: dict[str, Any] = {}
        raw: list[tuple[str, bytes]] = []
        repeated: set[str] = set()
        replacements = 0
        for name, value in headers:
            safe, count = self.redactor.named(name, value)
            name, more = self.redactor.text(name)  # noqa: PLW2901 - what it is called from here on
            replacements += count + more
            kind = type(safe)
            if kind is str:
                raw.append((name, safe.encode("utf-8", "surrogatepass")))
            elif kind is bytes:
                raw.append((name, safe))
                safe = readable(safe)
            else:
                safe = readable(safe)
                raw.append((name, plain_json(safe)))
            if name not in shown:
                shown[name] = safe
            elif name in repeated:
                shown[name].append(safe)
            else:
                repeated.add(name)
                shown[name] = [shown[name], safe]
        return plain_json(shown), raw, replacements

    def _key(self, key: Any) -> tuple[str, int]:
        if type(key) is bytes:
            try:
                key = key.decode()
            except UnicodeDecodeError:
                # As DuckDB shows a BLOB, but for every byte: no text is mistaken for it.
                return "".join(f"\\x{b:02X}" for b in key), 0
        elif type(key) is not str:
            key = plain_json(key).decode()
        return self.redactor.text(key)


def sane_time(milliseconds: int | None) -> int | None:
    """Milliseconds since 1970, if they can be a time."""
    return milliseconds if milliseconds is not None and 0 <= milliseconds <= MAX_TIME_MS else None


def _channels(process: ProcessState, channels: Sequence[str | int | None], found: Columns) -> None:
    """An interned channel is a number, any other a text."""
    first = process.number * NUMBERS
    ids = [first + c if type(c) is int and 0 < c < NUMBERS else None for c in channels]
    found["channel_id"] = ids
    if ids.count(None):
        found["channel"] = [c if type(c) is str else None for c in channels]


def _forwarded(fields: dict[str, Any], found: Columns, count: int) -> None:
    """What a forwarder says of messages whose bodies it has read: nothing that it could not have read."""
    digests = found.setdefault("body_digest", [None] * count)
    for place, digest in enumerate(fields["digest"]):
        if digests[place] is None and type(digest) is bytes and len(digest) == DIGEST_BYTES:
            digests[place] = digest
    found.setdefault("body_size", list(fields.get("body_size", (None,) * count)))
    if "truncated" in fields:
        found["truncated"] = list(fields["truncated"])
    for place, replacements in enumerate(fields.get("redacted", ())):
        if replacements is not None and 0 < replacements <= MAX_REPLACEMENTS:
            _count(found, place, replacements, count)


def _count(found: Columns, place: int, replacements: int, count: int) -> None:
    redacted = found.setdefault("redacted", [None] * count)
    redacted[place] = (redacted[place] or 0) + replacements
