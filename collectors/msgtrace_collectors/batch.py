"""Gathers decoded records of many processes into the tables of one transaction. Knows neither files nor the database."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec

from msgtrace.records import HANDLERS, TEXTS
from msgtrace_collectors.columns import (
    CAUSE_COLUMNS,
    DEFINITION_TABLES,
    FACT_COLUMNS,
    LATE_COLUMNS,
    LOSS_COLUMNS,
    TEST_COLUMNS,
    table,
)
from msgtrace_collectors.definitions import TABLES, definition_row, process_facts
from msgtrace_collectors.handler_code import HandlerCode
from msgtrace_collectors.left_out import LeftOut
from msgtrace_collectors.message_columns import IDENTIFIERS, MessageReader, sane_time
from msgtrace_collectors.operation_rows import OperationRows
from msgtrace_collectors.process import NUMBERS, SEQUENCES
from msgtrace_collectors.wire import (
    Begin,
    Clock,
    Complete,
    CompletionFields,
    Define,
    Loss,
    Observed,
    Process,
    Record,
    Span,
    Test,
    Together,
    apart,
    decode,
    salvage,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa

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

_IDS: Final = ("process_id", "forked_from", "tested_by")

_row = msgspec.structs.astuple
_OUTCOME: Final = [name for name, _ in FACT_COLUMNS].index("outcome")


def read_record(payload: bytes, lose: Callable[[str, str], None]) -> Record | None:
    """A record, as far as it can be saved; what can't be is told to `lose`, as a reason and a detail."""
    try:
        record: Record = decode(payload)
    except (ValueError, RecursionError):
        saved, left_out = salvage(payload)
    else:
        return record
    for name in left_out:
        lose(FIELD, f"{name}: not of the type that it must have")
    if saved is None:
        lose(UNDECODABLE, "a record that is not of this version's contract")
    return saved


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
    schemas: pa.Table | None
    losses: pa.Table | None
    tests: pa.Table | None
    definitions: dict[str, pa.Table]


@dataclass(slots=True)
class Batch:
    """The records of one transaction.

    Attributes:
        redactor: for everything but bodies.
        bodies: keeps bodies.
        process_by_id: the state of a process, by its id.
        left_out: what is no part of a sample.
        code: reads source of the programs that are recorded here.
        size_bytes: of the payloads gathered so far.
    """

    redactor: Redactor
    bodies: Bodies
    process_by_id: Callable[[str], ProcessState]
    left_out: LeftOut = field(default_factory=LeftOut)
    code: HandlerCode = field(default_factory=HandlerCode)
    size_bytes: int = 0
    _reader: MessageReader = field(init=False)
    _rows: OperationRows = field(default_factory=OperationRows)
    _late: list[tuple[Any, ...]] = field(default_factory=list)
    _causes: list[tuple[int | None, int | None, list[int] | None, int]] = field(default_factory=list)
    _definitions: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)
    _losses: Counter[tuple[int | None, str, str]] = field(default_factory=Counter)
    _tests: list[tuple[Any, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._reader = MessageReader(self.redactor, self.bodies)

    @property
    def operations(self) -> int:
        """Operations gathered so far."""
        return len(self._rows.outcomes)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to store."""
        return not (self.size_bytes or self._losses)

    def lose(self, process: ProcessState | None, reason: str, detail: str, count: int = 1) -> None:
        """Count something that is lost."""
        self._losses[process.number if process else None, reason, detail] += count

    def add(self, process: ProcessState, payloads: Sequence[bytes]) -> None:
        """Take records of one process, in their order."""
        self.size_bytes += sum(map(len, payloads))
        try:
            records: list[Record | None] = [decode(payload) for payload in payloads]
        except (ValueError, RecursionError):  # a text that is no UTF-8 raises its own
            records = [self._decoded(process, payload) for payload in payloads]
        records = self._of_sample(process, records)
        opened = self._rows.opened(process.number)
        outcomes, durations, began = self._rows.outcomes, self._rows.durations_ns, self._rows.monotonic_ns
        run: list[Any] = []
        for place, record in enumerate(records):
            kind = type(record)
            if kind is Begin or kind is Observed:
                sequence, now = record.sequence, record.monotonic_ns  # type: ignore[union-attr]  # by the exact type
                if not (0 < sequence < SEQUENCES and 0 <= now < MAX_CLOCK_NS):
                    self.lose(process, UNDECODABLE, "an operation with an impossible sequence or time")
                    continue
                opened[sequence] = len(outcomes)
                began.append(now)
                if kind is Begin:
                    outcomes.append(None)
                    durations.append(None)
                else:
                    outcomes.append(record.outcome or "ok")  # type: ignore[union-attr]  # as above
                    durations.append(record.duration_ns)  # type: ignore[union-attr]  # as above
                run.append(record)
            elif kind is Complete:
                self._complete(process, record, opened, process.records + place)  # type: ignore[arg-type]  # as above
            elif kind is Together:
                for each in apart(record):  # type: ignore[arg-type]  # as above
                    self._complete(process, each, opened, process.records + place)
            elif record is not None:
                # It may change what the following records mean, not those before it.
                self._end_run(process, run)
                run = []
                self._about_process(process, record)
        self._end_run(process, run)
        process.records += len(payloads)

    def _of_sample(self, process: ProcessState, records: list[Record | None]) -> list[Record | None]:
        """The records without those of what was left out, which is counted."""
        left_out = self.left_out
        if not left_out and not any(
            (kind is Begin or kind is Observed) and record.message.left_out  # type: ignore[union-attr]  # by the exact type
            for record in records
            for kind in (type(record),)
        ):
            return records
        kept: list[Record | None] = []
        for record in records:
            match record:
                case Begin() | Observed():
                    why = left_out.reason(process, record)
                    if why is not None:
                        self.lose(process, why[0], self.redactor.text(why[1])[0])
                        continue
                case Complete() if left_out.has(process, record.sequence):
                    continue
                case Together() if any(left_out.has(process, each) for each in record.sequences):
                    kept += [each for each in apart(record) if not left_out.has(process, each.sequence)]
                    continue
                case Define(number_table, number, value) if number_table == TEXTS and isinstance(value, str):
                    text_id = process.definition_id(number)
                    if text_id is not None:
                        left_out.name_channel(text_id, value)
            kept.append(record)
        return kept

    def _decoded(self, process: ProcessState, payload: bytes) -> Record | None:
        """A record, as far as it can be saved."""
        return read_record(payload, partial(self.lose, process))

    def _end_run(self, process: ProcessState, run: list[Any]) -> None:
        """Put operations into columns: those since the process's clock, or anything else that they depend on, changed."""
        if not run:
            return
        first_id, first_number = process.number * SEQUENCES, process.number * NUMBERS
        ids = [first_id + r.sequence for r in run]
        columns: dict[str, list[Any]] = {
            "operation_id": ids,
            "point_id": [first_number + r.point if 0 < r.point < NUMBERS else None for r in run],
            "thread_id": [first_number + r.thread if 0 < r.thread < NUMBERS else None for r in run],
            "site_id": [first_number + r.code_site if 0 < r.code_site < NUMBERS else None for r in run],
        }
        if process.clock_wall_ns is not None and process.clock_monotonic_ns is not None:
            ahead = process.clock_wall_ns - process.clock_monotonic_ns
            columns["observed_at"] = [ahead + r.monotonic_ns for r in run]
        for operation_id, record in zip(ids, run, strict=True):
            if record.causes is not None:
                self._cause(process, operation_id, record.causes, record.cause_state & 0xFFFF)
        if process.test is not None:
            columns["test_id"] = [process.test] * len(run)
        columns |= self._reader.columns(process, [r.message for r in run])
        self._rows.put(len(self._rows.outcomes) - len(run), columns)

    def _cause(self, process: ProcessState, effect_id: int, causes: int | list[int], state: int) -> None:
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

    def _complete(self, process: ProcessState, record: Complete, opened: dict[int, int], order: int) -> None:  # noqa: C901 - each way a completion can be wrong
        sequence, now = record.sequence, record.monotonic_ns
        if not (0 < sequence < SEQUENCES and 0 <= now < MAX_CLOCK_NS):
            self.lose(process, UNDECODABLE, "a completion with an impossible sequence or time")
            return
        row = opened.get(sequence)
        if row is None:
            message = self.redactor.text(record.error_message)[0] if record.error_message is not None else None
            facts = self._facts(record)
            self._late.append((process.number * SEQUENCES + sequence, order, now, record.error_type, message, *facts))
            return
        rows = self._rows
        if rows.durations_ns[row] is None:
            rows.durations_ns[row] = now - rows.monotonic_ns[row]
        if record.outcome is not None:
            rows.outcomes[row] = record.outcome
        if record.error_type is not None:
            rows.set("error_type", row, record.error_type)
        if record.error_message is not None:
            rows.set("error_message", row, self.redactor.text(record.error_message)[0])
        if record.facts is not None:
            facts = self._facts(record)
            if facts[_OUTCOME] is not None:
                rows.outcomes[row] = facts[_OUTCOME]
            for (column, _), value in zip(FACT_COLUMNS, facts, strict=True):
                if value is not None and column != "outcome":
                    rows.set(column, row, value)

    def _facts(self, record: Complete) -> tuple[Any, ...]:
        """What a completion says, in the order of `columns.FACT_COLUMNS`."""
        facts: Any = record.facts
        if facts is None:
            facts = CompletionFields(outcome=record.outcome)
        else:
            if facts.outcome is None:
                facts.outcome = record.outcome
            if facts.settings is not None:
                facts.settings, _ = self._reader.settings(facts.settings)
            facts.broker_time_ms = sane_time(facts.broker_time_ms)
            for name, cards in IDENTIFIERS:
                value = getattr(facts, name, None)
                if value is not None:
                    setattr(facts, name, self.redactor.identifier(value, cards=cards)[0])
        return _row(facts)

    def _about_process(self, process: ProcessState, record: Record) -> None:
        match record:
            case Define(number_table, number, value):
                self._define(process, number_table, number, value)
            case Clock(wall_ns, monotonic_ns):
                if not (0 <= wall_ns < MAX_CLOCK_NS and 0 <= monotonic_ns < MAX_CLOCK_NS):
                    self.lose(process, UNDECODABLE, "an impossible time")
                    return
                process.clock_wall_ns, process.clock_monotonic_ns = wall_ns, monotonic_ns
                if not process.records and process.begun_ns is None:
                    process.begun_ns = wall_ns
            case Process(facts):
                if process.sender is not None:
                    facts = {**facts, **{n: process.own(v) for n in _IDS if isinstance(v := facts.get(n), str)}}
                process.facts = process_facts(facts, self.redactor)
                first, parent = facts.get("first_sequence"), facts.get("forked_from")
                process.first_sequence = first if isinstance(first, int) and 0 < first < SEQUENCES else None
                process.parent = self.process_by_id(parent) if isinstance(parent, str) else None
            case Span(sequence, span_id, parent_span_id):
                row = (process.number, span_id, parent_span_id, process.operation_id(sequence))
                self._definitions.setdefault("spans", []).append(row)
            case Test(test_id, monotonic_ns, outcome):
                self._test(process, self.redactor.text(test_id)[0], monotonic_ns, outcome)
            case Loss(reason, count, detail):
                self.lose(process, reason, self.redactor.text(detail)[0], count)

    def _define(self, process: ProcessState, number_table: int, number: int, value: Any) -> None:
        row = definition_row(number_table, value, self.redactor)
        definition_id = process.definition_id(number)
        if row is None or definition_id is None:
            self.lose(process, UNDECODABLE, "a definition that makes no sense")
            return
        if number_table == HANDLERS:
            row = (*row, *self.code.columns(process, row, self.redactor))
        self._definitions.setdefault(TABLES[number_table], []).append((definition_id, *row))
        if number_table == TEXTS and row[0] is not None:
            self.bodies.name_channel(definition_id, row[0])
            self.left_out.name_channel(definition_id, row[0])

    def _test(self, process: ProcessState, test_id: str, monotonic_ns: int, outcome: str | None) -> None:
        if not 0 <= monotonic_ns < MAX_CLOCK_NS:
            self.lose(process, UNDECODABLE, "an impossible time")
            return
        process.test = test_id if outcome is None else None
        noted_at = None
        if process.clock_wall_ns is not None and process.clock_monotonic_ns is not None:
            noted_at = process.clock_wall_ns - process.clock_monotonic_ns + monotonic_ns
        self._tests.append((process.number, test_id, monotonic_ns, noted_at, outcome))

    def tables(self) -> Tables:
        """What was gathered; the batch is spent."""
        bodies = self.bodies.take()
        for (kind, text), count in self.bodies.take_remarks().items():
            self.lose(None, kind, text, count)
        return Tables(
            operations=self._rows.table(),
            late_facts=table(LATE_COLUMNS, self._late) if self._late else None,
            causes=table(CAUSE_COLUMNS, self._causes) if self._causes else None,
            bodies=bodies,
            schemas=self.bodies.take_schemas(),
            losses=table(LOSS_COLUMNS, [(*key, n) for key, n in self._losses.items()]) if self._losses else None,
            tests=table(TEST_COLUMNS, self._tests) if self._tests else None,
            definitions={name: table(DEFINITION_TABLES[name], rows) for name, rows in self._definitions.items()},
        )
