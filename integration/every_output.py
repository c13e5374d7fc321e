"""Everything that msgtrace prints and writes of a trace: each command of its table, in each of its forms, and each export.

A command that is new is called as its options say that it can be. One that needs an argument that is not known here, or that
fails, fails the test that asks: nothing can be forgotten.
"""

from __future__ import annotations

import gzip
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import TYPE_CHECKING, Final

import click
from click.testing import CliRunner

from msgtrace.command_line import COMMANDS, cli

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

OF_NO_TRACE: Final = frozenset({
    "run", "attach", "detach", "collect", "forward", "certificates", "inspect", "doctor",
})  # fmt: skip
"""Commands that record or look around, and read no trace."""
ANSWERS_ALL: Final = frozenset({"sql"})
"""Prints what was asked for, whatever that is: docs/redaction.md."""

SENDS: Final = ("export", "otlp")
WITHOUT_ANY: Final = {("export", "avro"), ("export", "protobuf")}
"""Commands for which there is nothing in these traces: they say so, and exit with 1."""
"""Sends what it has to somewhere else, in one form."""


@contextmanager
def receiver(folder: Path) -> Iterator[str]:
    """Where OpenTelemetry's spans and metrics can be sent to, as files of a folder: its address."""
    numbers = count()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            plain = gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body
            (folder / f"sent-{next(numbers)}").write_bytes(plain)
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - its parent's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
    assert next(numbers) > 1, "spans and metrics were to be sent"


def written(trace: Path, other: Path, operation: str, folder: Path) -> int:
    """Write all of it to files of a folder; how many commands that took.

    Args:
        trace: the trace file.
        other: another one, to compare with.
        operation: an id for `follow`.
        folder: is made.
    """
    folder.mkdir()
    with receiver(folder) as endpoint:
        arguments: dict[tuple[str, ...], list[str]] = {
            ("show",): ["*"],
            ("follow",): [operation],
            ("diff",): [str(other), str(trace)],
            SENDS: ["--endpoint", endpoint, "--protocol", "http/protobuf"],
        }
        return _called(arguments, trace, folder)


def _called(arguments: Mapping[tuple[str, ...], Sequence[str]], trace: Path, folder: Path) -> int:
    runner, calls = CliRunner(), 0
    for name in COMMANDS.keys() - OF_NO_TRACE - ANSWERS_ALL:
        for words, command in _leaves((name,), cli):
            given = _needed(words, command, arguments)
            for more in [[]] if words == SENDS else _forms(command, folder / "-".join(words)):
                calls += 1
                done = runner.invoke(cli, [*words, *given, *_of(command, trace), *more])
                assert done.exit_code == int(words in WITHOUT_ANY), (words, more, done.output, done.exception)
                (folder / f"{calls}.out").write_bytes(done.output_bytes)
    return calls


def _leaves(words: tuple[str, ...], group: click.Group) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    command = group.get_command(click.Context(group), words[-1])
    assert command is not None, words
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            yield from _leaves((*words, name), command)
    else:
        yield words, command


def _needed(
    words: tuple[str, ...], command: click.Command, arguments: Mapping[tuple[str, ...], Sequence[str]]
) -> list[str]:
    given = list(arguments.get(words, ()))
    needed = [each for each in command.params if isinstance(each, click.Argument) and each.required]
    assert bool(given) or not needed, f"say in {__name__} with which arguments to call {' '.join(words)}"
    return given


def _of(command: click.Command, trace: Path) -> list[str]:
    return ["--db", str(trace)] if any("--db" in each.opts for each in command.params) else []


def _forms(command: click.Command, folder: Path) -> Iterator[list[str]]:
    """Options: none, each choice of each that has choices (of what rows are of, as JSON), each flag, and a place to write to."""
    options = {each.opts[-1]: each for each in command.params if isinstance(each, click.Option)}
    out = options.get("--out")
    chosen: list[list[str]] = [[]]
    for name, option in options.items():
        if (
            isinstance(option.type, click.Choice) and not option.multiple
        ):  # those choose from what is written without them
            more = ["--format", "json"] if name == "--of" else []
            chosen += [[name, str(choice), *more] for choice in option.type.choices]
        elif option.is_flag and name not in {"--force", "--help"}:
            chosen.append([name])
    for number, each in enumerate(chosen):
        if out is None or out.default is None:
            yield each
        if out is not None:
            yield [*each, "--out", str(folder / str(number))]
