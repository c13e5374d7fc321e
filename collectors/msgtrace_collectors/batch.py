"""Gathers decoded records of many processes into the columns of one transaction. Knows neither files nor the database."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pyarrow as pa

from msgtrace_collectors.columns import (
    CAUSE_COLUMNS,
    DEFINITION_TABLES,
    FACT_COLUMNS,
    HEAD_COLUMNS,
    LATE_COLUMNS,
    LOSS_COLUMNS,
    MESSAGE_COLUMNS,
    TEXT,
    array,
    table,
)
from msgtrace_collectors.definitions import TABLES, definition_row, plain_json, process_facts, readable
from msgtrace_collectors.process import NUMBERS, SEQUENCES
from msgtrace_collectors.wire import (
    Begin,
    Clock,
    Complete,
    CompletionFields,
    Define,
    Loss,
    MessageFields,
    Observed,
    Process,
    decode,
    salvage,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from msgtrace.redaction import Redactor
    from msgtrace_collectors.bodies import Bodies
    from msgtrace_collectors.process import ProcessState

DAMAGED: Final = "damaged"
"""Reason of a loss: a frame or segment that a crash or a scribble destroyed."""
UNDECODABLE: Final = "undecodable"
"""Reason of a loss: a record that is not of the wire contract."""
FIELD: Final = "field"
"""Reason of a loss: one field of a record, of an unexpected type."""
MAX_CLOCK_NS: Final = 2**62
"""The year 2116 on the wall clock: sums of two such times fit their columns."""
MAX_TIME_MS: Final = 253_402_300_799_999
"""The end of the year 9999: later times are somebody's mistake, and no timestamp."""

_row = msgspec.structs.astuple
_OUTCOME: Final = [name for name, _ in FACT_COLUMNS].index("outcome")
_NAME = pa.struct([("name", pa.string()), ("value", pa.binary())])


@dataclass(slots=True)
class Tables:
    """One batch, ready to be stored; a table without rows is None.

    Attributes:
        definitions: by the name of the store's table.
    """

    operations: pa.Table | None
    late_facts: pa.Table | None
    causes: pa.Table | None
    bodies: pa.Table | None
    losses: pa.Table | None
    definitions: dict[str, pa.Table]


@dataclass(slots=True)
class Batch:
    """The records of one transaction.

    Attributes:
        redactor: for everything but bodies.
        bodies: keeps bodies.
        process_by_id: the state of a process, by its id.
        operations: gathered so far.
        size_bytes: of the payloads gathered so far.
    """

    redactor: Redactor
    bodies: Bodies
    process_by_id: Callable[[str], ProcessState]
    operations: int = 0
    size_bytes: int = 0
    _heads: list[tuple[Any, ...]] = field(default_factory=list)
    _messages: list[tuple[Any, ...]] = field(default_factory=list)
    _outcomes: list[str | None] = field(default_factory=list)
    _durations: list[int | None] = field(default_factory=list)
    _raw_headers: dict[int, list[tuple[str, bytes]]] = field(default_factory=dict)
    _later: dict[str, dict[int, Any]] = field(default_factory=dict)
    _open: dict[int, int] = field(default_factory=dict)
    _late: list[tuple[Any, ...]] = field(default_factory=list)
    _causes: list[tuple[int, int | None, list[int] | None, int]] = field(default_factory=list)
    _definitions: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)
    _losses: Counter[tuple[int | None, str, str]] = field(default_factory=Counter)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to store."""
        return not (self._heads or self._late or self._definitions or self._losses or self.size_bytes)

    def lose(self, process: ProcessState | None, reason: str, detail: str, count: int = 1) -> None:
        """Count something that is lost."""
        self._losses[process.number if process else None, reason, detail] += count

    def add(self, process: ProcessState, payloads: Sequence[bytes]) -> None:
        """Take records of one process, in their order."""
        for payload in payloads:
            self.size_bytes += len(payload)
            process.records += 1
            try:
                record = decode(payload)
            except (ValueError, RecursionError):  # a text that is no UTF-8 raises its own
                saved, left_out = salvage(payload)
                for name in left_out:
                    self.lose(process, FIELD, f"{name}: not of the type that it must have")
                if saved is None:
                    self.lose(process, UNDECODABLE, "a record that is not of this version's contract")
                    continue
                record = saved
            kind = type(record)
            if kind is Begin or kind is Observed:
                self._begin(process, record)
            elif kind is Complete:
                self._complete(process, record)
            else:
                self._about_process(process, record)

    def _begin(self, process: ProcessState, record: Any) -> None:
        sequence = record.sequence
        if not (0 < sequence < SEQUENCES and 0 <= record.monotonic_ns < MAX_CLOCK_NS):
            self.lose(process, UNDECODABLE, "an operation with an impossible sequence or time")
            return
        number = process.number
        operation_id = number * SEQUENCES + sequence
        names = number * NUMBERS
        row = len(self._heads)
        monotonic_ns = record.monotonic_ns
        wall_ns = process.clock_wall_ns
        self._heads.append(
            (
                operation_id,
                names + record.point if 0 < record.point < NUMBERS else None,
                names + record.thread if 0 < record.thread < NUMBERS else None,
                names + record.code_site if 0 < record.code_site < NUMBERS else None,
                monotonic_ns,
                wall_ns + monotonic_ns - process.clock_monotonic_ns if wall_ns is not None else None,
            )
        )
        self._open[operation_id] = row
        if record.causes is not None:
            self._cause(process, operation_id, record.causes, record.cause_state)
        self._message(process, row, record.message)
        if type(record) is Observed:
            self._outcomes.append(record.outcome or "ok")
            self._durations.append(record.duration_ns)
        else:
            self._outcomes.append(None)
            self._durations.append(None)
        self.operations += 1

    def _cause(self, process: ProcessState, effect_id: int, causes: int | list[int], state: int) -> None:
        state &= 0xFFFF
        if isinstance(causes, int):
            cause_id = process.operation_id(causes)
            if cause_id is not None:
                self._causes.append((effect_id, cause_id, None, state))
            return
        candidates = [c for c in map(process.operation_id, causes) if c is not None]
        if len(candidates) == 1:
            self._causes.append((effect_id, candidates[0], None, state))
        elif candidates:
            self._causes.append((effect_id, None, candidates, state))

    def _message(self, process: ProcessState, row: int, message: MessageFields) -> None:
        # Fields take the values of their columns in place, whose types differ from the wire's.
        m: Any = message
        body = m.body
        if body is not None:
            self._body(m, body)
        elif m.data is not None:
            self._object(m, m.data)
        if type(m.channel) is int:
            m.channel_id = process.definition_id(m.channel)
            m.channel = None
        if m.connection is not None:
            m.connection = process.definition_id(m.connection)
        if m.handler is not None:
            m.handler = process.definition_id(m.handler)
        if m.link is not None:
            m.link = process.operation_id(m.link)
        if m.receipt is not None:
            m.receipt = process.operation_id(m.receipt)
        if m.headers is not None:
            self._headers(m, row, m.headers)
        if m.message_key is not None:
            self._key(m, m.message_key)
        if m.settings is not None:
            m.settings = self._settings(m, m.settings)
        if m.producer_time_ms is not None or m.broker_time_ms is not None:
            m.producer_time_ms = _sane_time(m.producer_time_ms)
            m.broker_time_ms = _sane_time(m.broker_time_ms)
        self._messages.append(_row(m))

    def _body(self, m: Any, body: Any) -> None:
        if type(body) is str:
            body = body.encode("utf-8", "surrogatepass")
        elif type(body) is not bytes:
            m.body = None
            self._object(m, body)
            return
        size = m.body_size
        if size is None:
            m.body_size = len(body)
        elif size > len(body):
            m.truncated = True
        m.body = self.bodies.note(body, m.content_type)

    def _object(self, m: Any, data: Any) -> None:
        safe, count = self.redactor.tree(data)
        text = plain_json(data)
        m.body = self.bodies.note_object(text, plain_json(safe) if count else text, count)
        m.data = None

    def _headers(self, m: Any, row: int, headers: list[tuple[str, Any]]) -> None:
        shown: dict[str, Any] = {}
        raw: list[tuple[str, bytes]] = []
        repeated: set[str] = set()
        replacements = 0
        for name, value in headers:
            safe, count = self.redactor.named(name, value)
            replacements += count
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
        m.headers = plain_json(shown)
        self._raw_headers[row] = raw
        if replacements:
            m.redacted = (m.redacted or 0) + replacements

    def _key(self, m: Any, key: Any) -> None:
        if type(key) is bytes:
            try:
                key = key.decode()
            except UnicodeDecodeError:
                # As DuckDB shows a BLOB, but for every byte: no text is mistaken for it.
                key = "".join(f"\\x{b:02X}" for b in key)
        elif type(key) is not str:
            key = plain_json(key).decode()
        m.message_key, count = self.redactor.text(key)
        if count:
            m.redacted = (m.redacted or 0) + count

    def _settings(self, m: Any, settings: dict[str, Any]) -> bytes:
        safe, count = self.redactor.tree(readable(settings))
        if count:
            m.redacted = (m.redacted or 0) + count
        return plain_json(safe)

    def _complete(self, process: ProcessState, record: Complete) -> None:
        operation_id = process.number * SEQUENCES + record.sequence
        if not (0 < record.sequence < SEQUENCES and 0 <= record.monotonic_ns < MAX_CLOCK_NS):
            self.lose(process, UNDECODABLE, "a completion with an impossible sequence or time")
            return
        facts = self._facts(record)
        row = self._open.get(operation_id)
        if row is None:
            message = self.redactor.text(record.error_message)[0] if record.error_message is not None else None
            self._late.append((operation_id, process.records, record.monotonic_ns, record.error_type, message, *facts))
            return
        if self._durations[row] is None:
            self._durations[row] = record.monotonic_ns - self._heads[row][4]
        outcome = facts[_OUTCOME]
        if outcome is not None:
            self._outcomes[row] = outcome
        if record.error_type is not None:
            self._set("error_type", row, record.error_type)
        if record.error_message is not None:
            self._set("error_message", row, self.redactor.text(record.error_message)[0])
        if record.facts is not None:
            for (column, _), value in zip(FACT_COLUMNS, facts, strict=True):
                if value is not None and column != "outcome":
                    self._set(column, row, value)

    def _set(self, column: str, row: int, value: Any) -> None:
        self._later.setdefault(column, {})[row] = value

    def _facts(self, record: Complete) -> tuple[Any, ...]:
        """What a completion says, in the order of `columns.FACT_COLUMNS`."""
        facts: Any = record.facts
        if facts is None:
            facts = CompletionFields(outcome=record.outcome)
        else:
            if facts.outcome is None:
                facts.outcome = record.outcome
            if facts.settings is not None:
                facts.settings = plain_json(self.redactor.tree(readable(facts.settings))[0])
            facts.broker_time_ms = _sane_time(facts.broker_time_ms)
        return _row(facts)

    def _about_process(self, process: ProcessState, record: Any) -> None:
        kind = type(record)
        if kind is Define:
            row = definition_row(record.table, record.value, self.redactor)
            definition_id = process.definition_id(record.number)
            if row is None or definition_id is None:
                self.lose(process, UNDECODABLE, "a definition that makes no sense")
            else:
                self._definitions.setdefault(TABLES[record.table], []).append((definition_id, *row))
        elif kind is Clock:
            if not (0 <= record.wall_ns < MAX_CLOCK_NS and 0 <= record.monotonic_ns < MAX_CLOCK_NS):
                self.lose(process, UNDECODABLE, "an impossible time")
                return
            process.clock_wall_ns, process.clock_monotonic_ns = record.wall_ns, record.monotonic_ns
        elif kind is Process:
            process.facts = process_facts(record.facts, self.redactor)
            first, parent = record.facts.get("first_sequence"), record.facts.get("forked_from")
            process.first_sequence = first if isinstance(first, int) and 0 < first < SEQUENCES else None
            process.parent = self.process_by_id(parent) if isinstance(parent, str) else None
        elif kind is Loss:
            self.lose(process, record.reason, self.redactor.text(record.detail)[0], record.count)

    # ---- columns ----------------------------------------------------------------------------------------------

    def tables(self) -> Tables:
        """What was gathered; the batch is spent."""
        return Tables(
            operations=self._operations() if self._heads else None,
            late_facts=table(LATE_COLUMNS, self._late) if self._late else None,
            causes=table(CAUSE_COLUMNS, self._causes) if self._causes else None,
            bodies=self.bodies.take(),
            losses=table(LOSS_COLUMNS, [(*key, n) for key, n in self._losses.items()]) if self._losses else None,
            definitions={name: table(DEFINITION_TABLES[name], rows) for name, rows in self._definitions.items()},
        )

    def _operations(self) -> pa.Table:
        columns: dict[str, Any] = {}
        for (name, kind), values in zip(HEAD_COLUMNS, zip(*self._heads, strict=True), strict=True):
            columns[name] = array(values, kind)
        for (_, column, kind), values in zip(MESSAGE_COLUMNS, zip(*self._messages, strict=True), strict=True):
            later = self._later.pop(column, None) if column else None
            if column is None or (later is None and values.count(None) == len(values)):
                continue
            if later:
                values = list(values)  # noqa: PLW2901 - the same column, patched
                for row, value in later.items():
                    values[row] = value
            columns[column] = array(values, kind)
        for column, later in self._later.items():
            columns[column] = array([later.get(row) for row in range(len(self._heads))], TEXT)
        columns["outcome"] = array(self._outcomes, TEXT)
        columns["duration_ns"] = array(self._durations, pa.int64())
        if self._raw_headers:
            columns["raw_headers"] = self._header_lists()
        return pa.table(columns)

    def _header_lists(self) -> pa.Array[Any]:
        get = self._raw_headers.get
        offsets: list[int | None] = []
        names: list[str] = []
        values: list[bytes] = []
        for row in range(len(self._heads)):
            headers = get(row)
            offsets.append(None if headers is None else len(names))
            for name, value in headers or ():
                names.append(name)
                values.append(value)
        offsets.append(len(names))
        pairs = pa.StructArray.from_arrays(
            [pa.array(names, pa.string()), pa.array(values, pa.binary())], fields=list(_NAME)
        )
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pairs)


def _sane_time(milliseconds: int | None) -> int | None:
    return milliseconds if milliseconds is not None and 0 <= milliseconds <= MAX_TIME_MS else None
