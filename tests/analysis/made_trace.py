"""Makes trace files to measure analysis by: rows of one's own in a file that the collector package has made.

Links and causes are given, not found: what the linker finds is tested elsewhere. An unnamed value is what the recorder
would leave out.
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from msgtrace_collectors.trace_file import open_for_writing

if TYPE_CHECKING:
    from pathlib import Path

START_NS = 1_700_000_000_000_000_000
SEQUENCES = 1_000_000_000_000
NUMBERS = 1_000_000


@dataclass(slots=True)
class MadeTrace:
    """A trace file that is being filled. Every operation is `step_ns` after the one before it."""

    path: Path
    step_ns: int = 1_000_000
    _rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _processes: dict[str, int] = field(default_factory=dict)
    _sequences: dict[int, int] = field(default_factory=dict)
    _numbers: dict[tuple[str, str], int] = field(default_factory=dict)
    _count: int = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.write()

    def row(self, table: str, **columns: Any) -> None:
        """A row of a table of the store, or of `links`, `causes`, `settlements`."""
        self._rows.setdefault(table, []).append(columns)

    def process(self, service: str, **facts: Any) -> int:
        """The number of the one process of a service, made when it is first named."""
        number = self._processes.get(service)
        if number is None:
            number = self._processes[service] = len(self._processes) + 1
            about = {"service": service, "host": "host", "pid": number, "python": "3.11.7", "folder": "/app"}
            self.row(
                "msgtrace_store.positions",
                process_number=number,
                process_id=f"process-{number}",
                generation=1,
                frame_offset=0,
                records=0,
                dropped=0,
                ended=True,
                pid=number,
                facts=json.dumps(about | {"started_wall_ns": START_NS} | facts),
            )
        return number

    def operation(
        self,
        kind: str,
        system: str = "rabbitmq",
        *,
        service: str = "app",
        library: str = "aio_pika 9.5",
        site: str | None = "/app/app.py:10 main",
        handler: str | None = None,
        body: Any = None,
        headers: dict[str, Any] | None = None,
        server: str | None = None,
        settings: dict[str, Any] | None = None,
        after_ns: int | None = None,
        **columns: Any,
    ) -> int:
        """An operation; its id.

        Args:
            kind: of the operation.
            system: of the operation.
            service: whose process made it.
            library: client library and version.
            site: `path:line function`.
            handler: `path:line function`.
            body: as a JSON document; an event on a bus has the encoding `object`.
            headers: readable headers.
            server: address and port.
            settings: arguments.
            after_ns: time since the operation before.
            columns: of `msgtrace_store.operations`.
        """
        process = self.process(service)
        sequence = self._sequences[process] = self._sequences.get(process, 0) + 1
        self._count += self.step_ns if after_ns is None else after_ns
        name, _, version = library.partition(" ")
        operation = process * SEQUENCES + sequence
        values: dict[str, Any] = {
            "operation_id": operation,
            "point_id": self._define(
                process,
                "points",
                f"{kind} {system} {library}",
                library=name,
                library_version=version,
                system=system,
                kind=kind,
                target=kind,
            ),
            "monotonic_ns": self._count,
            "observed_at": START_NS + self._count,
            "outcome": "ok",
            "headers": None if headers is None else json.dumps(headers),
            "settings": None if settings is None else json.dumps(settings),
        }
        if site is not None:
            path, line, function = _place(site)
            values["site_id"] = self._define(process, "sites", site, path=path, line=line, function=function)
        if handler is not None:
            path, line, name = _place(handler)
            values["handler_id"] = self._define(
                process, "handlers", handler, path=path, line=line, name=name, module="app", doc=""
            )
        if server is not None:
            values["connection_id"] = self._define(process, "connections", server, server=server)
        if body is not None:
            values |= self._body(body, "object" if columns.get("channel_kind") == "bus" else "json")
        self.row("msgtrace_store.operations", **values | columns)
        return operation

    @property
    def now_ns(self) -> int:
        """When the last operation was observed."""
        return START_NS + self._count

    def send(self, **columns: Any) -> int:
        """A send."""
        return self.operation("send", **columns)

    def receive(self, send: int | None = None, certainty: str = "exact", **columns: Any) -> int:
        """A receive, and its link to a send."""
        operation = self.operation("receive", **columns)
        if send is not None:
            self.row("links", send_id=send, receive_id=operation, method="test", certainty=certainty)
        return operation

    def cause(self, cause: int, effect: int, certainty: str = "exact") -> int:
        """That one operation caused another; the other one."""
        self.row("causes", cause_id=cause, effect_id=effect, method="test", certainty=certainty)
        return effect

    def settle(self, outcome: str, *receives: int, **columns: Any) -> int:
        """A settlement of receives."""
        operation = self.operation("settle", intent=outcome, **columns)
        for receive in receives:
            self.row("settlements", settle_id=operation, receive_id=receive)
        return operation

    def inspected(
        self, kind: str, channel: str, system: str = "rabbitmq", *, action: str = "inspect", **settings: Any
    ) -> int:
        """A thing that was found on the one broker of a system, all at one time; what the view has columns for is one."""
        columns = {
            name: settings.pop(name)
            for name in ("virtual_host", "routing_key", "consumer_group", "consumer_tag", "server")
            if name in settings
        }
        number = len(self._rows.get("msgtrace_store.inspected", ())) + 1
        self.row(
            "msgtrace_store.inspected",
            **{"server": "broker", "virtual_host": "/"} | columns,
            operation_id=number, inspection_id=uuid.UUID(int=1), part=0, inspected_at=datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None), system=system,
            channel_kind=kind, channel=channel, settings=json.dumps({"action": action, **settings}),
        )  # fmt: skip
        return number

    def _body(self, body: Any, encoding: str) -> dict[str, Any]:
        text = json.dumps(body)
        known = ("bodies", encoding + text)
        if known not in self._numbers:
            self._numbers[known] = len(self._numbers) + 1
            digest = uuid.UUID(int=self._numbers[known])
            self.row("msgtrace_store.bodies", body_digest=digest, document=text, encoding=encoding, redacted=0)
        return {"body_digest": uuid.UUID(int=self._numbers[known]), "body_size": len(text)}

    def _define(self, process: int, table: str, key: str, **columns: Any) -> int:
        known = (f"{process} {table}", key)
        if known not in self._numbers:
            self._numbers[known] = process * NUMBERS + len(self._numbers) + 1
            self.row(f"msgtrace_store.{table}", **{f"{table[:-1]}_id": self._numbers[known]}, **columns)
        return self._numbers[known]

    def write(self) -> None:
        """Store every row."""
        connection = open_for_writing(self.path)
        try:
            connection.execute("begin")
            for table, rows in self._rows.items():
                for row in rows:
                    marks = ", ".join(
                        f"make_timestamp_ns(${place})" if name == "observed_at" else f"${place}"
                        for place, name in enumerate(row, 1)
                    )
                    connection.execute(f"insert into {table} ({', '.join(row)}) values ({marks})", list(row.values()))
            connection.execute("commit")
        finally:
            connection.close()


def _place(written: str) -> tuple[str, int, str]:
    found = re.fullmatch(r"(.*?):([0-9]+) (.*)", written, re.DOTALL)
    assert found is not None, written
    return found[1], int(found[2]), found[3]
