"""Puts what was played into a trace file by the way that recordings take: records, segments, collector, linker."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import NAMESPACE_DNS, uuid5

from bench.ingest import SegmentWriter, encode
from msgtrace import records
from msgtrace.redaction import Redactor
from msgtrace_collectors.collector import Collector, Stop
from msgtrace_collectors.linking import link

if TYPE_CHECKING:
    from bench.truth.play import Operation

START_NS: Final = 1_772_600_000_000_000_000
PORTS: Final = {"rabbitmq": 5672, "kafka": 9092, "redis": 6379}
LIBRARIES: Final = {
    "rabbitmq": ["aio_pika", "10.2"],
    "kafka": ["kafka", "3.0"],
    "redis": ["redis", "8.0"],
    "pyee": ["pyee", "13.0"],
    "http": ["uvicorn", "0.40"],
}
THREAD: Final = 1


@dataclass(slots=True)
class Process:
    """The one process of a service, and what it has defined."""

    service: str
    writer: SegmentWriter
    sequence: int = 0
    numbers: dict[tuple[int, str], int] = field(default_factory=dict)
    tags: int = 0

    def define(self, table: int, key: str, value: Any) -> int:
        """The number of an interned value."""
        number = self.numbers.get((table, key))
        if number is None:
            number = self.numbers[table, key] = len(self.numbers) + 2
            self.writer.write(encode((records.DEFINE, table, number, value)))
        return number


def begun(spool: Path, service: str) -> Process:
    """A process that has said who it is."""
    folder = spool / uuid5(NAMESPACE_DNS, service).hex
    folder.mkdir(mode=0o700)
    process = Process(service, SegmentWriter(folder, clock=(START_NS, 0)))
    about = {"service": service, "host": "here", "pid": 7, "first_sequence": 1, "folder": "/app", "python": "3.11.9"}
    process.writer.write(encode((records.PROCESS, about | {"started_wall_ns": START_NS})))
    process.writer.write(encode((records.DEFINE, records.THREADS, THREAD, "MainThread")))
    return process


def write(spool: Path, operations: list[Operation]) -> None:
    """Write every operation into the segments of its process."""
    processes: dict[str, Process] = {}
    offsets: dict[str, int] = {}
    for each in operations:
        process = processes.get(each.service) or processes.setdefault(each.service, begun(spool, each.service))
        process.sequence += 1
        each.sequence = process.sequence
        _complete(each, process, offsets)
        library = LIBRARIES[each.system]
        point = process.define(records.POINTS, f"{each.system} {each.kind}", [*library, each.system, each.kind, "a:b"])
        message = dict(each.fields)
        if each.system in PORTS:
            about = {"server_address": "broker", "server_port": PORTS[each.system], "broker_id": f"{each.system}-1"}
            message["connection"] = process.define(records.CONNECTIONS, each.system, about)
        if each.handler:
            place = {
                "path": f"/app/{each.service}/handlers.py",
                "line": _line(each.handler),
                "end_line": _line(each.handler) + 5,
            }
            message["handler"] = process.define(
                records.HANDLERS, each.handler, place | {"name": each.handler, "module": "handlers", "doc": ""}
            )
        site = 0
        if each.function:
            place_of = [f"/app/{each.service}/app.py", _line(each.function) + (each.kind == "send"), each.function]
            site = process.define(records.SITES, f"{each.kind} {each.function}", place_of)
        for name, other in (("link", each.sent if each.kind == "process" else None), ("receipt", each.receipt)):
            if other is not None:
                message[name] = other.sequence
        cause: int | list[int] | None = each.cause.sequence if each.cause is not None else None
        batch = each.cause.batch if each.cause is not None else []
        if batch:
            cause = [other.sequence for other in batch]
        process.writer.write(
            encode((
                records.OBSERVED, process.sequence, each.at_ns, point, THREAD, site, cause, records.CAUSE_BATCH if batch else 0, message, each.outcome, each.duration_ns,
            ))
        )  # fmt: skip
    for process in processes.values():
        process.writer.turn()


def _line(function: str) -> int:
    """A line of its own for each function of a file, near enough."""
    return 10 + sum(ord(c) * (at + 1) for at, c in enumerate(function)) * 10


def _complete(each: Operation, process: Process, offsets: dict[str, int]) -> None:
    """What only a broker knows: offsets, ids, delivery tags; those of a receive are its send's."""
    fields, sent = each.fields, each.sent
    if sent is not None and not sent.sequence and not sent.service:
        _broker(sent.fields, offsets, each.at_ns)  # sent by what is not traced
    if each.kind == "send":
        _broker(fields, offsets, each.at_ns)
    elif each.kind == "receive" and sent is not None:
        fields |= {
            name: sent.fields[name] for name in ("partition_id", "log_offset", "identity") if name in sent.fields
        }
    if each.system == "rabbitmq" and each.kind in {"receive", "settle"}:
        if each.kind == "receive":
            process.tags += 1
        tag = process.tags if each.receipt is None else each.receipt.fields["delivery_tag"]
        fields |= {"delivery_channel": 1, "delivery_tag": tag}


def _broker(fields: dict[str, Any], offsets: dict[str, int], at_ns: int) -> None:
    if fields["channel_kind"] == "topic" and "log_offset" not in fields:
        offset = offsets[fields["channel"]] = offsets.get(fields["channel"], -1) + 1
        fields |= {"partition_id": 0, "log_offset": offset}
    elif fields["channel_kind"] == "stream" and "identity" not in fields:
        number = offsets[fields["channel"]] = offsets.get(fields["channel"], -1) + 1
        fields["identity"] = f"{(START_NS + at_ns) // 1_000_000}-{number}"


def record(operations: list[Operation], db: Path) -> None:
    """Write the operations, collect and link them."""
    spool = Path(tempfile.mkdtemp(prefix="msgtrace-truth-", dir="/dev/shm"))
    try:
        write(spool, operations)
        said: list[str] = []
        collector = Collector(db, spool, Redactor(), said.append)
        collector.run(Stop(), until_idle_s=lambda: 0.0, every=lambda: None)
        link(collector.store.cursor(), db)
        stored = collector.operations
        collector.close()
        if stored != len(operations):
            raise RuntimeError(f"{len(operations)} operations were written, {stored} stored: {said}")
    finally:
        shutil.rmtree(spool)
