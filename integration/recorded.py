"""Runs a real program so that it records, and reads what it recorded straight from its segments.

For tests of hooks: no collector, no database. Tests of the whole path go through `msgtrace run`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from msgtrace import records
from msgtrace.commands.target import environment
from msgtrace.segment import HEADER_BYTES, Header, frames, stragglers
from msgtrace.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(slots=True)
class Operation:
    """One recorded operation, its interned numbers resolved.

    Attributes:
        process: the process id, hexadecimal.
        causes: sequences of its causes in the same process.
        message: the message's fields, late facts merged over them; `channel`, `connection` and `handler` resolved.
    """

    process: str
    sequence: int
    kind: str
    library: str
    target: str
    site: tuple[str, int, str] | None
    thread: str
    causes: tuple[int, ...]
    cause_state: int
    message: dict[str, Any]
    outcome: str = "unknown"
    error_type: str | None = None
    error_message: str | None = None
    began_ns: int = 0
    ended_ns: int | None = None

    def __getitem__(self, name: str) -> Any:
        return self.message.get(name)


@dataclass(slots=True)
class Recording:
    """What a program did, and what was recorded of it."""

    exit_code: int
    stdout: str
    stderr: str
    operations: list[Operation] = field(default_factory=list)
    losses: list[tuple[str, int, str]] = field(default_factory=list)
    dropped: int = 0
    processes: list[dict[str, Any]] = field(default_factory=list)

    def of(self, kind: str, **wanted: Any) -> list[Operation]:
        """The operations of a kind whose message has the wanted fields, in order."""
        return [
            each
            for each in self.operations
            if each.kind == kind and all(each.message.get(name) == value for name, value in wanted.items())
        ]

    @property
    def said(self) -> Any:
        """What the program printed, as JSON: its own account of what it did."""
        return json.loads(self.stdout)


def record(
    arguments: Sequence[str],
    *,
    env: dict[str, str] | None = None,
    settings: Settings | None = None,
    timeout: float = 60,
    python: str = sys.executable,
    traced: bool = True,
    stdin: str | None = None,
) -> Recording:
    """Run `python ARGUMENTS` under the recorder and wait for its end.

    Args:
        arguments: what follows `python` on the command line.
        env: variables added to this process's own.
        settings: the recorder's; `spool` is set here.
        timeout: seconds until the program is killed and the test fails.
        python: the interpreter.
        traced: False runs the very same without msgtrace.
        stdin: the program's standard input.
    """
    spool = Path(tempfile.mkdtemp(prefix="msgtrace-test-", dir="/dev/shm"))
    variables = environment(settings or Settings(), spool) if traced else dict(os.environ)
    variables["MSGTRACE_RAISE"] = "1"
    variables.update(env or {})
    try:
        done = subprocess.run(
            [python, *arguments],
            env=variables,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            input=stdin,
        )
        recording = read(spool)
    finally:
        shutil.rmtree(spool, ignore_errors=True)
    recording.exit_code, recording.stdout, recording.stderr = done.returncode, done.stdout, done.stderr
    return recording


def payloads(folder: Path) -> Iterator[Any]:
    """The decoded records of one process, oldest first."""
    segments = []
    for path in folder.glob("*.segment"):
        buffer = memoryview(path.read_bytes())
        header = Header.read(buffer)
        segments.append((header.generation, header, buffer))
    for _, header, buffer in sorted(segments, key=lambda each: each[0]):
        committed = frames(buffer, header.generation, HEADER_BYTES, header.end)
        for frame in chain(committed, stragglers(buffer, header.generation, header.end)):
            assert frame.payload is not None, f"damaged frame before {frame.next_offset} in {folder}"
            yield msgspec.msgpack.decode(frame.payload)


def read(spool: Path) -> Recording:
    """Read everything in a spool folder."""
    recording = Recording(exit_code=0, stdout="", stderr="")
    for folder in sorted(p for p in spool.iterdir() if p.is_dir()):
        _read_process(folder, recording)
    recording.operations.sort(key=lambda each: each.began_ns)
    return recording


def _read_process(folder: Path, recording: Recording) -> None:
    definitions: dict[int, Any] = {}
    operations: dict[int, Operation] = {}
    everything = list(payloads(folder))
    headers = [Header.read(memoryview(path.read_bytes())) for path in folder.glob("*.segment")]
    recording.dropped += max((header.dropped for header in headers), default=0)
    for tag, *rest in everything:
        if tag == records.DEFINE:
            definitions[rest[1]] = rest[2]
    for tag, *rest in everything:
        if tag == records.TOGETHER:
            sequences, ended, facts = rest
            for place, sequence in enumerate(sequences):
                own = {"log_offset": facts["log_offset"] + place} if "log_offset" in facts else {}
                _complete(operations, [sequence, ended, "ok", None, None, facts | own], recording)
        elif tag in {records.BEGIN, records.OBSERVED}:
            operation = _operation(folder.name, rest, definitions)
            if tag == records.OBSERVED:
                operation.outcome, operation.ended_ns = rest[8], operation.began_ns
            operations[operation.sequence] = operation
        elif tag == records.COMPLETE:
            _complete(operations, rest, recording)
        elif tag == records.LOSS:
            recording.losses.append((rest[0], rest[1], rest[2]))
        elif tag == records.PROCESS:
            recording.processes.append(rest[0])
    recording.operations.extend(operations.values())


def _complete(operations: dict[int, Operation], rest: list[Any], recording: Recording) -> None:
    sequence, ended, outcome, error_type, error_message, facts = rest
    if sequence not in operations:
        assert recording.dropped, f"the end of an operation that never began: {sequence}"
        return
    operation = operations[sequence]
    operation.outcome, operation.error_type, operation.error_message = outcome, error_type, error_message
    operation.ended_ns = ended
    operation.message.update(facts or {})


def _operation(process: str, rest: list[Any], definitions: dict[int, Any]) -> Operation:
    sequence, began, point, thread, site, causes, state, message = rest[:8]
    library, _version, _system, kind, target = definitions[point]
    for name in ("channel", "connection", "handler"):
        if isinstance(message.get(name), int) and message[name]:
            message[name] = definitions[message[name]]
    return Operation(
        process=process,
        sequence=sequence,
        kind=kind,
        library=library,
        target=target,
        site=tuple(definitions[site]) if site else None,
        thread=definitions.get(thread, ""),
        causes=() if causes is None else (causes,) if isinstance(causes, int) else tuple(causes),
        cause_state=state,
        message=message,
        began_ns=began,
    )
