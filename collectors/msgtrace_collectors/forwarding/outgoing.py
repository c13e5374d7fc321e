"""What a forwarder makes of records: the same records without secrets and bodies, and the bodies as it has read them.

Everything that the collector redacts before it stores is redacted here before it leaves the machine, by the same rules.
A message's digest is made of its body as it was, so that links across machines are as certain as on one.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec

from msgtrace import records
from msgtrace_collectors.batch import read_record
from msgtrace_collectors.definitions import readable
from msgtrace_collectors.forwarding.protocol import (
    MAX_RAW_BYTES,
    MAX_RECORDS,
    Bodies,
    Body,
    Position,
    Records,
    Schema,
    squeezed,
)
from msgtrace_collectors.message_columns import IDENTIFIERS, MessageReader
from msgtrace_collectors.paths import without_secrets
from msgtrace_collectors.process import NUMBERS
from msgtrace_collectors.wire import (
    Begin,
    Complete,
    CompletionFields,
    Define,
    Loss,
    MessageFields,
    Observed,
    Process,
    Record,
    Test,
    Together,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from msgtrace.redaction import Redactor
    from msgtrace_collectors.bodies import Bodies as BodyKeeper
    from msgtrace_collectors.process import ProcessState

TOO_LARGE: Final = "too large to forward"
"""Reason of a loss, and remark of a body."""
ROWS_BYTES: Final = MAX_RAW_BYTES // 2
_ROW_BYTES: Final = 500
"""About, of what a row has beside its texts."""

_encode = msgspec.msgpack.Encoder().encode


class Outgoing:
    """Gathers what is read between two frames: a `spool.Sink`.

    Args:
        redactor: for everything.
        bodies: keyed with the central's secret.
    """

    def __init__(self, redactor: Redactor, bodies: BodyKeeper) -> None:
        self._redactor = redactor
        self._bodies = bodies
        self._reader = MessageReader(redactor, bodies)
        self._gathered: dict[int, list[bytes]] = {}
        self._lost: list[bytes] = []
        self._sent: dict[int, Position] = {}
        self.size_bytes = 0
        """Of what was made since the connection began."""

    def add(self, process: ProcessState, payloads: Sequence[bytes]) -> None:
        """Take records of one process, in their order."""
        kept = self._gathered.setdefault(process.number, [])
        for payload in payloads:
            record = self._decoded(process, payload)
            if record is not None:
                kept.append(_encode(self._safe(process, record)))

    def lose(self, process: ProcessState | None, reason: str, detail: str, count: int = 1) -> None:
        """Count something that is lost: it is told to the central like any other record."""
        loss = _encode(Loss(reason, count, detail))
        if process is None:
            self._lost.append(loss)
        else:
            self._gathered.setdefault(process.number, []).append(loss)

    def begin(self, process: ProcessState) -> None:
        """Take where the central stands with a process."""
        self._sent[process.number] = Position(process.generation, process.frame_offset)

    def frames(self, moved: Iterable[ProcessState]) -> Iterator[Bodies | Records]:
        """What was gathered, bodies first: a record that is stored has its body there.

        Args:
            moved: processes that were read on, or have ended.
        """
        for (kind, text), count in self._bodies.take_remarks().items():
            self.lose(None, kind, text, count)
        rows: list[Body | Schema] = [*self._schema_rows(), *self._body_rows()]
        for part in _parts(rows):
            yield Bodies(*squeezed(part))
        for process in moved:
            payloads = self._fitting(self._gathered.pop(process.number, []))
            begin, end = self._sent[process.number], Position(process.generation, process.frame_offset)
            self._sent[process.number] = end
            if self._lost:
                payloads += self._lost
                self._lost = []
            size, data = squeezed(payloads)
            self.size_bytes += size
            yield Records(
                process.process_id.lower(), begin, end, process.dropped, process.pid or 0, process.ended, size, data
            )

    @staticmethod
    def _fitting(payloads: list[bytes]) -> list[bytes]:
        """Without what no frame has room for, which is counted."""
        kept: list[bytes] = []
        size, over = 0, 0
        for payload in payloads:
            if size + len(payload) + 5 > MAX_RAW_BYTES - (64 << 10) or len(kept) > MAX_RECORDS - 1000:
                over += 1
            else:
                kept.append(payload)
                size += len(payload) + 5
        return [*kept, _encode(Loss(TOO_LARGE, over, "records that no frame has room for"))] if over else kept

    def _decoded(self, process: ProcessState, payload: bytes) -> Record | None:
        return read_record(payload, partial(self.lose, process))

    def _safe(self, process: ProcessState, record: Record) -> Record:
        redactor = self._redactor
        match record:
            case Begin() | Observed():
                self._message(process, record.message)
            case Complete():
                if record.error_message is not None:
                    record.error_message = redactor.text(record.error_message)[0]
                self._facts(record.facts)
            case Together():
                self._facts(record.facts)
            case Define():
                self._define(process, record)
            case Process():
                record.facts = self._about(record.facts)
            case Loss():
                record.detail = redactor.text(record.detail)[0]
            case Test():
                record.test_id = redactor.text(record.test_id)[0]
        return record

    def _message(self, process: ProcessState, message: MessageFields) -> None:
        redactor, count = self._redactor, 0
        self._body(process, message)
        count += self._identifiers(message)
        if message.channel_kind == "route" and isinstance(message.channel, str):
            message.channel, more = without_secrets(message.channel, redactor)
            count += more
        if message.headers is not None:
            safe = []
            for name, value in message.headers:
                shown, more = redactor.named(name, value)
                known, again = redactor.text(name)
                safe.append((known, shown))
                count += more + again
            message.headers = safe
        if isinstance(message.message_key, bytes | str):
            message.message_key, more = self._key(message.message_key)
            count += more
        elif message.message_key is not None:
            message.message_key, more = redactor.tree(readable(message.message_key))
            count += more
        if message.settings is not None:
            message.settings, more = redactor.tree(readable(message.settings))
            count += more
        message.redacted = count or None

    def _body(self, process: ProcessState, message: MessageFields) -> None:
        """Keep the body aside, as `message_columns` does with a column of them."""
        body, message.body = message.body, None
        data, message.data = message.data, None
        if isinstance(body, str):
            body = body.encode("utf-8", "surrogatepass")
        if isinstance(body, bytes):
            if message.body_size is None:
                message.body_size = len(body)
            cut = message.body_size > len(body)
            message.truncated = cut or None
            channel, names = message.channel, self._bodies.channels
            if isinstance(channel, int):
                channel = None if names is None else names.get(process.number * NUMBERS + channel)
            message.digest = self._bodies.note(
                body, message.content_type, message.encoding, message.headers, channel, cut
            )
        elif body is not None or data is not None:
            message.digest = self._reader.object_digest(data if body is None else body)

    def _identifiers(self, fields: MessageFields | CompletionFields) -> int:
        count = 0
        for name, cards in IDENTIFIERS:
            value = getattr(fields, name, None)
            if isinstance(value, str) and value:
                safe, more = self._redactor.identifier(value, cards=cards)
                if more:
                    setattr(fields, name, safe)
                    count += more
        return count

    def _key(self, key: bytes | str) -> tuple[bytes | str, int]:
        if isinstance(key, bytes):
            try:
                text = key.decode()
            except UnicodeDecodeError:
                return key, 0
            safe, count = self._redactor.text(text)
            return (safe.encode(), count) if count else (key, 0)
        return self._redactor.text(key)

    def _facts(self, facts: CompletionFields | None) -> None:
        if facts is None:
            return
        self._identifiers(facts)
        if facts.settings is not None:
            facts.settings = self._redactor.tree(readable(facts.settings))[0]

    def _define(self, process: ProcessState, record: Define) -> None:
        value = record.value
        if isinstance(value, str):
            record.value = self._redactor.identifier(value)[0]
            if record.table == records.TEXTS:
                self._bodies.name_channel(process.number * NUMBERS + record.number, record.value)
        elif isinstance(value, dict):
            record.value = self._redactor.tree(readable(value))[0]

    def _about(self, facts: dict[str, Any]) -> dict[str, Any]:
        argv = facts.get("argv")
        safe: dict[str, Any] = self._redactor.tree(readable({k: v for k, v in facts.items() if k != "argv"}))[0]
        if isinstance(argv, list):
            safe["argv"] = self._redactor.arguments([str(readable(a)) for a in argv])[0]
        return safe

    def _body_rows(self) -> Iterator[Body]:
        table = self._bodies.take()
        if table is None:
            return
        columns: dict[str, list[Any]] = {}
        for name in table.column_names:
            column: Any = table.column(name).combine_chunks()
            columns[name] = (column.storage if name == "body_digest" else column).to_pylist()
        nothing = [None] * table.num_rows
        names = ("body_digest", "content", "document", "encoding", "redacted", "remarks", "body_schema")
        for values in zip(*(columns.get(name, nothing) for name in names), strict=True):
            digest, content, document, encoding, redacted, remarks, schema = values
            if len(content or b"") + len(document or "") * 3 > ROWS_BYTES:
                content, document, remarks = None, None, TOO_LARGE
            yield Body(digest, content, document, encoding, redacted, remarks and remarks[:2000], schema)

    def _schema_rows(self) -> Iterator[Schema]:
        table = self._bodies.take_schemas()
        if table is None:
            return
        for row in table.to_pylist():
            text = row["text"]
            yield Schema(**{**row, "text": text if len(text or "") * 3 < ROWS_BYTES else None})


def _parts(rows: Sequence[Body | Schema]) -> Iterator[list[Any]]:
    """Rows in parts that fit into a frame."""
    part: list[Any] = []
    size = 0
    for row in rows:
        texts: tuple[bytes | str | None, ...] = (
            (row.content, row.document, row.remarks) if isinstance(row, Body) else (row.text,)
        )
        own = sum(len(t) * (3 if isinstance(t, str) else 1) for t in texts if t) + _ROW_BYTES
        if part and (size + own > ROWS_BYTES or len(part) >= MAX_RECORDS // 2):
            yield part
            part, size = [], 0
        part.append(row)
        size += own
    if part:
        yield part
