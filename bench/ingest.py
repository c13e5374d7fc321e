"""How fast the collector stores what was recorded: segments on tmpfs -> DuckDB, redaction on, one core.

An operation is a BEGIN and a COMPLETE record with a JSON body of about 200 bytes. Every body is another one (`distinct`), or
a send and a receive have the same (`pairs`). `--format` sends the same values in another format. Segments are written beforehand; the time is the collector's own.

    python -m bench.ingest [--operations 300000] [--format msgpack] [--profile]
"""

from __future__ import annotations

import argparse
import cProfile
import gzip
import os
import pickle
import pstats
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from msgtrace import records
from msgtrace.redaction import Redactor
from msgtrace.segment import END_WORD, FINAL_WORD, HEADER_BYTES, SEALED, STATE_WORD, WRITING, Header, framed
from msgtrace_collectors.collect import collect_garbage_seldom
from msgtrace_collectors.collector import Collector, Stop
from msgtrace_collectors.linking import link

if TYPE_CHECKING:
    from collections.abc import Callable

SEGMENT_BYTES = 1 << 20
MAX_OPERATIONS = 3_000_000
encode = msgspec.msgpack.Encoder().encode


@dataclass(slots=True)
class SegmentWriter:
    """Segments of one process that has ended, as many as it takes.

    Attributes:
        clock: wall and monotonic time at one moment; now by default.
    """

    folder: Path
    generation: int = 0
    clock: tuple[int, int] | None = None
    _content: bytearray | None = None

    def write(self, payload: bytes) -> None:
        """Append a frame."""
        frame = framed(payload, self.generation)
        if self._content is None or len(self._content) + len(frame) > SEGMENT_BYTES:
            self.turn()
            frame = framed(payload, self.generation)
        self._content += frame  # type: ignore[operator]  # there is one after turn()

    def turn(self) -> None:
        """Write the segment to its file and begin the next."""
        if self._content is not None:
            content, end = self._content, len(self._content)
            content += bytes(SEGMENT_BYTES - end)
            words = memoryview(content).cast("Q")
            words[END_WORD] = words[FINAL_WORD] = end
            words[STATE_WORD] = SEALED
            words.release()
            (self.folder / f"{self.generation}.segment").write_bytes(content)
        self.generation += 1
        self._content = bytearray(HEADER_BYTES)
        header = Header(
            pid=2**22 + 1, process_id=bytes.fromhex(self.folder.name), generation=self.generation, published=0, state=WRITING,
            dropped=0, start_ticks=1, pid_namespace=Path("/proc/self/ns/pid").stat().st_ino,
        )  # fmt: skip
        view = memoryview(self._content)
        header.write(view)
        view.release()
        clock = self.clock or (time.time_ns(), time.monotonic_ns())
        self._content += framed(encode((records.CLOCK, *clock)), self.generation)


def body_of(number: int) -> bytes:
    """A clean JSON body of about 200 bytes, another for each number."""
    return (
        b'{"order_id":"%08x-9c1e-4d7a-b3f2-%012x","customer":{"name":"Ada","city":"London"},"items":[{"sku":"A-%d","qty":2,'
        b'"price":9.99}],"total":19.98,"created":"2026-10-18T12:00:00Z","status":"paid"}'
    ) % (number, number * 7919, number % 1000)


FORMATS: dict[str, tuple[Callable[[bytes], bytes], dict[str, Any]]] = {
    "json": (bytes, {"content_type": "application/json"}),
    "msgpack": (lambda body: encode(msgspec.json.decode(body)), {"content_type": "application/msgpack"}),
    "gzip": (gzip.compress, {"content_type": "application/json", "encoding": "gzip"}),
    "pickle": (lambda body: pickle.dumps(msgspec.json.decode(body)), {}),
    "text": (lambda body: b"order " + body, {}),
    "headers": (bytes, {"headers": [["content-type", b"application/json"], ["source", b"shop"]]}),
}


def write(spool: Path, operations: int, form: str, *, pairs: bool) -> None:
    """Write the segments."""
    made, labels = FORMATS[form]
    folder = spool / os.urandom(16).hex()
    folder.mkdir(mode=0o700)
    writer = SegmentWriter(folder)
    writer.write(encode((records.PROCESS, {"service": "bench", "host": "here", "first_sequence": 1})))
    for number, kind in ((1, "send"), (2, "receive")):
        writer.write(encode((records.DEFINE, records.POINTS, number, ["aio_pika", "10.2", "rabbitmq", kind, "a:b"])))
    writer.write(encode((records.DEFINE, records.THREADS, 3, "MainThread")))
    writer.write(encode((records.DEFINE, records.SITES, 4, ["/app/app.py", 10, "main"])))
    writer.write(encode((records.DEFINE, records.TEXTS, 5, "orders")))
    writer.write(encode((records.DEFINE, records.CONNECTIONS, 6, {"server_address": "localhost", "server_port": 5672})))
    now = 1_000_000_000
    for sequence in range(2, operations + 2):
        receive = pairs and sequence % 2
        number = sequence // 2 if pairs else sequence
        message = {
            "channel": 5, "channel_kind": "queue" if receive else "exchange", "routing_key": "order.created", "connection": 6,
            "body": made(body_of(number)), "delivery_mode": 2, "message_id": f"{number:032x}", **labels,
        }  # fmt: skip
        writer.write(encode((records.BEGIN, sequence, now, 2 if receive else 1, 3, 4, None, 0, message)))
        writer.write(encode((records.COMPLETE, sequence, now + 20_000, "ok", None, None, None)))
        now += 30_000
    writer.turn()


def measured(
    operations: int, folder: Path, form: str = "json", *, pairs: bool, profile: bool
) -> tuple[float, float, float, int]:
    """Seconds of wall and CPU time to store the operations, seconds to link them, and the file's size in bytes."""
    spool = Path(tempfile.mkdtemp(prefix="msgtrace-bench-", dir="/dev/shm"))
    try:
        write(spool, operations, form, pairs=pairs)
        db = folder / f"{time.monotonic_ns()}.duckdb"
        collector = Collector(db, spool, Redactor(), print)
        profiler = cProfile.Profile() if profile else None
        wall, cpu = time.perf_counter(), time.process_time()
        if profiler is not None:
            profiler.enable()
        collector.run(Stop(), until_idle_s=lambda: 0.0, every=lambda: None)
        collector.store.checkpoint()
        if profiler is not None:
            profiler.disable()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        assert collector.operations == operations, collector.operations
        linking = time.perf_counter()
        link(collector.store.cursor(), db)
        linking = time.perf_counter() - linking
        collector.close()
        if profiler is not None:
            pstats.Stats(profiler).sort_stats("tottime").print_stats(25)
        return wall, cpu, linking, db.stat().st_size
    finally:
        shutil.rmtree(spool)


def main() -> int:
    """Measure, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--operations", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the trace files go; a temporary folder by default")
    parser.add_argument("--format", choices=FORMATS, default="json")
    parser.add_argument("--profile", action="store_true")
    chosen = parser.parse_args()
    operations = min(chosen.operations, MAX_OPERATIONS)
    collect_garbage_seldom()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        for pairs in (False, True):
            rounds = [
                measured(operations, Path(folder), chosen.format, pairs=pairs, profile=chosen.profile)
                for _ in range(1 if chosen.profile else chosen.rounds)
            ]
            wall, cpu, linking, size = (statistics.median(column) for column in zip(*rounds, strict=True))
            print(
                f"{'pairs' if pairs else 'distinct':8}  {operations / wall:9,.0f} operations/s  "
                f"{operations / cpu:9,.0f} per CPU second  {size / operations:5.0f} bytes each  linked in {linking:.2f} s"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
