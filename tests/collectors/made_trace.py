"""Puts operations of several programs into a trace by way of real segments, and reads back what the linker found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from msgtrace import records
from tests.collectors.conftest import collected, rows
from tests.collectors.made_segments import MadeProcess, encode

if TYPE_CHECKING:
    from pathlib import Path

KINDS = ("send", "receive", "process", "settle", "trigger")


@dataclass(slots=True)
class Program:
    """One traced program: its operations are named by the sequence that `did` returns."""

    trace: Programs
    process: MadeProcess
    host: str
    sequence: int = 1
    points: dict[tuple[str, str], int] = field(default_factory=dict)
    connections: dict[str, int] = field(default_factory=dict)

    def did(
        self,
        kind: str,
        system: str = "rabbitmq",
        *,
        at_ms: int | None = None,
        lasted_ms: int = 0,
        connection: str = "",
        **message: Any,
    ) -> tuple[str, int]:
        """Record an operation.

        Args:
            kind: of it.
            system: of it.
            at_ms: when; a millisecond after the last one of any program by default.
            lasted_ms: how long.
            connection: `address:port[/virtual host]`, with `#broker id` and `@number` to tell two apart.
            message: its fields; `causes` and `cause_state` too.
        """
        self.sequence += 1
        self.trace.now_ms = self.trace.now_ms + 1 if at_ms is None else at_ms
        now = self.trace.now_ms * 1_000_000
        causes = message.pop("causes", None)
        state = message.pop("cause_state", 0)
        if isinstance(causes, tuple):
            causes = causes[1]
        elif isinstance(causes, list):
            causes = [cause[1] for cause in causes]
        for name in ("link", "receipt"):
            if name in message:
                message[name] = message[name][1]
        if connection:
            message["connection"] = self._connection(connection)
        outcome = message.pop("outcome", "ok")
        self.process.write(
            encode(
                (
                    records.OBSERVED,
                    self.sequence,
                    now,
                    self._point(kind, system),
                    0,
                    0,
                    causes,
                    state,
                    message,
                    outcome,
                    lasted_ms * 1_000_000,
                )
            )
        )
        return self.process.process_id.hex(), self.sequence

    def _point(self, kind: str, system: str) -> int:
        number = self.points.get((kind, system))
        if number is None:
            number = self.points[kind, system] = 1 + len(self.points)
            self.process.record(records.DEFINE, records.POINTS, number, ["lib", "1", system, kind, "a:b"])
        return number

    def _connection(self, text: str) -> int:
        number = self.connections.get(text)
        if number is None:
            number = self.connections[text] = 100 + len(self.connections)
            rest, _, _ = text.partition("@")
            rest, _, broker = rest.partition("#")
            server, _, host = rest.partition("/")
            address, _, port = server.rpartition(":")
            facts = {"server_address": address, "server_port": int(port), "virtual_host": host or "/"}
            if broker:
                facts["broker_id"] = broker
            self.process.record(records.DEFINE, records.CONNECTIONS, number, facts)
        return number


@dataclass(slots=True)
class Programs:
    """Some programs, and the trace of what they did."""

    folder: Path
    spool: Path
    now_ms: int = 0
    made: list[Program] = field(default_factory=list)

    def program(self, host: str = "here") -> Program:
        """A new one."""
        program = Program(self, MadeProcess(self.spool), host)
        program.process.record(records.PROCESS, {"service": f"s{len(self.made)}", "host": host, "first_sequence": 1})
        self.made.append(program)
        return program

    def joined(self, table: str) -> dict[tuple[Any, Any], Any]:
        """A table of pairs, (sequence-named) left and right -> method and certainty, or None."""
        db = self.folder / "trace.duckdb"
        if not db.exists():
            collected(db, self.spool, linked=True)
        left, right = {
            "links": ("send_id", "receive_id"),
            "causes": ("cause_id", "effect_id"),
            "settlements": ("settle_id", "receive_id"),
        }[table]
        found = rows(
            db,
            f"select t.*, l.process_id as lp, l.sequence as ls, r.process_id as rp, r.sequence as rs from {table} as t "
            f"join operations as l on l.operation_id = {left} join operations as r on r.operation_id = {right}",
        )
        pairs = {}
        for row in found:
            pair = (row["lp"], row["ls"]), (row["rp"], row["rs"])
            assert pair not in pairs, "a pair twice"
            pairs[pair] = (row["method"], row["certainty"]) if "method" in row else None
        return pairs
