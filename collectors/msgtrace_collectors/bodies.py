"""Keeps each distinct body once: its digest, its redacted bytes, its JSON. Remembers what is stored, within a bound."""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from msgtrace_collectors.columns import BODY_COLUMNS, SCHEMA_COLUMNS, array, table
from msgtrace_collectors.decoders.choice import Chooser
from msgtrace_collectors.decoders.formats import JSON, TEXT
from msgtrace_collectors.decoders.labels import CONTENT_HEADERS, CONTENT_TYPES, Labels
from msgtrace_collectors.decoders.limits import Budget
from msgtrace_collectors.decoders.lines import is_json
from msgtrace_collectors.decoders.schemas import NoSchemas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgtrace.redaction import Redactor
    from msgtrace_collectors.decoders.reading import Reading
    from msgtrace_collectors.decoders.schemas import Schemas, Used

OBJECT: Final = "object"
"""Encoding of an in-process object, snapshotted by the tracer: nothing went over a wire."""

MAX_KNOWN: Final = 100_000
"""Digests of one of the two generations that are remembered: about 10 MB each."""
MAX_KNOWN_SCHEMAS: Final = 10_000

_Fresh: TypeAlias = tuple[
    bytes, bytes, str | None, str | None, list[tuple[str, Any]] | None, str | None, bool
]  # fmt: skip
"""A digest, a body, and the fields of `Labels`."""

_PLAIN_TYPES: Final = frozenset({None, "application/json", "text/plain"})
_JSON_TYPES: Final = ("application/json", b"application/json")
_SELDOM: Final = frozenset({"remarks", "body_schema"})
_PLAIN_CODINGS: Final = frozenset({None, "utf-8"})
_NO_PLAIN_TEXT: Final = frozenset(b'{["<xO \t\r\n')
"""Bodies that begin so may be more than text: JSON, XML, a compressed body, an Avro container."""


class Bodies:
    """The bodies of one trace.

    Args:
        redactor: applied before anything leaves here.
        secret: the key of the digests; whoever has only the trace file can't test a guess against a digest.
        stored: whether the trace file holds bodies that this object has not seen.
        schemas: asked for the schemas of bodies that don't bring theirs along.
    """

    def __init__(self, redactor: Redactor, secret: bytes, *, stored: bool, schemas: Schemas | None = None) -> None:
        self._redactor = redactor
        self._chooser = Chooser(redactor.body, redactor.options.enabled, schemas or NoSchemas())
        self.channels: dict[int, str] | None = None if schemas is None else {}
        """Names of interned channels, by their id; None where no schemas are given by channel."""
        self._remarks: Counter[tuple[str, str]] = Counter()
        self._schemas: dict[str, Used] = {}
        self._known_schemas: set[str] = set()
        self._keyed = blake2b(digest_size=16, key=secret)
        self._keyed_object = blake2b(digest_size=16, key=secret, person=b"object")
        self._known: set[bytes] = set()
        self._older: set[bytes] = set()
        self._digests: dict[bytes, bytes] = {}
        self._fresh: list[_Fresh] = []
        self._fresh_objects: list[tuple[bytes, bytes, int]] = []
        self._read: list[tuple[Any, ...]] = []
        self._read_schemas: dict[str, tuple[Any, ...]] = {}
        self.may_repeat = stored
        """Whether a fresh body may be one that is stored already."""
        self._expression: str | None = redactor.suspect_expression
        try:
            pc.match_substring_regex(pa.array([b""], pa.binary()), self._expression)
        except pa.ArrowInvalid:
            # A pattern of the user's that RE2 can't do: every body goes the long way.
            self._expression = None

    def name_channel(self, channel_id: int, name: str) -> None:
        """Take the name of an interned channel."""
        if self.channels is not None and len(self.channels) < MAX_KNOWN:
            self.channels[channel_id] = name

    def note(
        self,
        body: bytes,
        content_type: str | None,
        coding: str | None,
        headers: list[tuple[str, Any]] | None,
        channel: str | None,
        cut: bool,  # noqa: FBT001 - once for each message: names would cost
    ) -> bytes:
        """Take a body's kept bytes; it is stored with the batch unless it is known.

        Args:
            body: the bytes.
            content_type: this and the rest as in `Labels`. What the first message with these bytes says counts.
            coding: the content encoding.
            headers: of the message.
            channel: by its name, where that is known.
            cut: the body is the beginning of a longer one.

        Returns:
            its digest.
        """
        digest = self._digests.get(body)
        if digest is not None:
            return digest
        state = self._keyed.copy()
        state.update(body)
        digest = self._digests[body] = state.digest()
        if digest not in self._known and self._is_new(digest):
            self._fresh.append((digest, body, content_type, coding, headers, channel, cut))
        return digest

    def note_object(self, text: bytes, redacted: bytes, replacements: int) -> bytes:
        """Take an in-process object.

        Args:
            text: as JSON.
            redacted: the same with its secrets replaced.
            replacements: how many were.
        """
        state = self._keyed_object.copy()
        state.update(text)
        digest = state.digest()
        if self._is_new(digest):
            self._fresh_objects.append((digest, redacted, replacements))
        return digest

    def note_read(self, row: tuple[Any, ...]) -> None:
        """Take a body that a forwarder has read: a row in the order of `columns.BODY_COLUMNS`."""
        if self._is_new(row[0]):
            self._read.append(row)

    def note_read_schema(self, row: tuple[Any, ...]) -> None:
        """Take a schema that a forwarder has read bodies with: a row in the order of `columns.SCHEMA_COLUMNS`."""
        if row[0] not in self._known_schemas:
            self._read_schemas[row[0]] = row

    def _is_new(self, digest: bytes) -> bool:
        if digest in self._known:
            return False
        self._known.add(digest)
        if digest in self._older:
            return False
        if len(self._known) >= MAX_KNOWN:
            # What falls out may come again.
            self.may_repeat = self.may_repeat or bool(self._older)
            self._older, self._known = self._known, {digest}
        return True

    def forget(self) -> None:
        """Bodies were deleted from the trace file: nothing is known to be stored."""
        self._known.clear()
        self._older.clear()
        self._known_schemas.clear()
        self.may_repeat = True

    def take(self) -> pa.Table | None:
        """The bodies that came since the last call, redacted and decoded; None when there are none."""
        self._digests.clear()
        fresh, objects = self._fresh, self._fresh_objects
        self._fresh, self._fresh_objects = [], []
        read, self._read = self._read, []
        if not fresh and not objects and not read:
            return None
        # Plain JSON is most of what there is: its columns are made whole.
        digests: list[bytes] = []
        documents: list[bytes] = []
        counts: list[int] = []
        others: list[tuple[Any, ...]] = [
            (digest, None, text, OBJECT, count, None, None) for digest, text, count in objects
        ]
        others += self._read_again(read)
        suspects = self._suspects([each[1] for each in fresh]) if fresh else []
        self._chooser.budget = Budget()
        for (digest, body, content_type, coding, headers, channel, cut), suspect in zip(fresh, suspects, strict=True):
            if (
                content_type in _PLAIN_TYPES
                and coding in _PLAIN_CODINGS
                and not cut
                and (headers is None or _say_no_more(headers))
            ):
                # Nothing that the message says makes more of a JSON body than JSON, or of a text than text.
                safe, redacted = self._redactor.body(body) if suspect else (body, 0)
                if is_json(safe, said=content_type == "application/json"):
                    if b'"body_encoding"' not in safe:
                        digests.append(digest)
                        documents.append(safe)
                        counts.append(redacted)
                        continue
                elif headers is None and self._is_plain_text(safe, content_type):
                    others.append((digest, safe, None, TEXT, redacted, None, None))
                    continue
            labels = Labels(content_type, coding, headers, channel, cut)
            others.append((digest, *self._row(self._chooser.read(body, labels, clean=not suspect))))
        nothing = [None] * len(digests)
        columns: list[Sequence[Any]] = [
            digests, nothing, documents, [JSON] * len(digests), counts, nothing, nothing
        ]  # fmt: skip
        if others:
            columns = [[*first, *rest] for first, rest in zip(columns, zip(*others, strict=True), strict=True)]
        return pa.table({
            name: array(values, kind)
            for (name, kind), values in zip(BODY_COLUMNS, columns, strict=True)
            if others or name not in _SELDOM
        })  # fmt: skip

    def _read_again(self, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Rows of a forwarder's, redacted by this trace's own rules as well."""
        suspects = self._suspects([row[1] or (row[2] or "").encode() for row in rows]) if rows else []
        return [self._redacted(row) if suspect else row for row, suspect in zip(rows, suspects, strict=True)]

    def _redacted(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        digest, content, document, encoding, before, *rest = row
        count = 0
        if document is not None:
            safe, count = self._redactor.body(document.encode())
            document = safe.decode(errors="replace")
        if content is not None:
            content, more = self._redactor.body(content)
            count += more
        return (digest, content, document, encoding, (before or 0) + count, *rest)

    def _is_plain_text(self, body: bytes, content_type: str | None) -> bool:
        return (
            self.channels is None
            and content_type != "application/json"
            and body.isascii()
            and b"\0" not in body
            and (not body or body[0] not in _NO_PLAIN_TEXT)
        )

    def _row(self, reading: Reading) -> tuple[Any, ...]:
        """What is stored of a body that was read, after its digest."""
        for remark in reading.remarks:
            self._remarks[remark.kind, remark.text] += 1
        key = None
        if reading.schema is not None:
            key = reading.schema.key
            if key not in self._known_schemas and key not in self._schemas:
                self._schemas[key] = reading.schema
        # A JSON text is its own document.
        content = None if reading.encoding == JSON and reading.content == reading.document else reading.content
        remarks = "; ".join(f"{remark.kind}: {remark.text}" for remark in reading.remarks) or None
        return content, reading.document, reading.encoding, reading.redacted, remarks, key

    def take_remarks(self) -> Counter[tuple[str, str]]:
        """What was odd about bodies since the last call: kind and text, how many bodies."""
        taken, self._remarks = self._remarks, Counter()
        return taken

    def take_schemas(self) -> pa.Table | None:
        """The schemas that bodies were read with for the first time since the last call; None when there are none."""
        used, self._schemas = self._schemas, {}
        read, self._read_schemas = self._read_schemas, {}
        if not used and not read:
            return None
        if len(self._known_schemas) > MAX_KNOWN_SCHEMAS:
            self._known_schemas.clear()
        self._known_schemas |= used.keys() | read.keys()
        return table(
            SCHEMA_COLUMNS,
            [
                (key, s.kind, each.name, s.registry_id, s.subject, s.version, s.source, self._redactor.text(s.text)[0])
                for key, each in used.items()
                for s in (each.schema,)
            ]
            + [(*row[:-1], self._redactor.text(row[-1] or "")[0]) for key, row in read.items() if key not in used],
        )

    def _suspects(self, bodies: list[bytes]) -> list[Any]:
        if self._expression is None:
            return [True] * len(bodies)
        if not self._redactor.options.enabled:
            return [False] * len(bodies)
        return pc.match_substring_regex(pa.array(bodies, pa.binary()), self._expression).to_pylist()


def _say_no_more(headers: list[tuple[str, Any]]) -> bool:
    """Whether headers make no more of a JSON body than JSON."""
    for name, value in headers:
        small = name.lower()
        if small in CONTENT_HEADERS and not (value in _JSON_TYPES and small in CONTENT_TYPES):
            return False
    return True
