"""`msgtrace collect`: a collector by itself, for programs that are started elsewhere with MSGTRACE_SPOOL set."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from msgtrace.redaction import Options
from msgtrace_collectors.caps import Caps
from msgtrace_collectors.collect import Job, given_schemas, parsed_age, parsed_size
from msgtrace_collectors.collect import collect as run_collector
from msgtrace_collectors.decoders.schemas import FOLDER, MESSAGE_TYPES, REGISTRY
from msgtrace_collectors.forwarding.commands import (
    credential_options,
    given_credentials,
    given_token,
    listening,
    parsed_address,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_collectors.collector import Collector, Source


def taking_spans(
    address: str, token_file: Path | None = None, certificate: Path | None = None, key: Path | None = None
) -> Callable[[Collector], Source]:
    """What makes a collector take OpenTelemetry's spans.

    Raises:
        click.ClickException: the address can't be understood, or what it takes is not installed.
    """
    both, _, http = address.partition("/")
    host, port = parsed_address(both)
    if http and not http.isdecimal():
        raise click.BadParameter(f"{address!r} is not HOST:PORT/PORT", param_hint="--otlp")
    try:
        from msgtrace_collectors.otlp.admission import Admission, is_own_machine  # noqa: PLC0415 - an extra
        from msgtrace_collectors.otlp.servers import serving  # noqa: PLC0415 - as above
    except ModuleNotFoundError as error:
        raise click.ClickException(f"--otlp needs {error.name}: pip install 'msgtrace[tools,otlp]'") from None
    token = None if token_file is None else given_token(token_file)
    if token is None and not is_own_machine(host):
        raise click.ClickException(
            f"--otlp {address}: whoever can reach that could fill the trace. Give --token-file, and senders "
            "OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer TOKEN'; or listen on 127.0.0.1"
        )
    for name, path in (("--certificate", certificate), ("--key", key)):
        if path is not None and not path.is_file():
            raise click.ClickException(f"{name} {path}: there is no such file")
    return serving(host, port, int(http) if http else None, Admission(token, certificate, key))


class _Parsed(click.ParamType[Any]):
    """An option whose text a function reads."""

    def __init__(self, name: str, function: Any) -> None:
        self.name = name
        self._function = function

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read it, or say what is expected."""
        try:
            return self._function(value) if isinstance(value, str) else value
        except (ValueError, IndexError):
            self.fail(f"{value!r} is no {self.name}", param, ctx)


@click.command()
@click.option(
    "--db", default=".msgtrace/trace.duckdb", show_default=True, type=click.Path(path_type=Path), help="Trace file."
)
@click.option(
    "--spool", envvar="MSGTRACE_SPOOL", required=True, type=click.Path(path_type=Path),
    help="Folder where traced processes record, on a memory file system; made if missing.",
)  # fmt: skip
@click.option(
    "--until-idle", type=float, metavar="SECONDS", help="End when no traced process has been there for so long."
)
@click.option(
    "--max-size", type=_Parsed("size such as 500MB", parsed_size), metavar="SIZE", help="Delete the oldest beyond."
)
@click.option("--max-age", type=_Parsed("time such as 12h", parsed_age), metavar="TIME", help="Delete what is older.")
@click.option(
    "--schema-registry", envvar=REGISTRY, default="", metavar="URL", help="Ask it for Avro and Protobuf schemas."
)
@click.option(
    "--schemas", envvar=FOLDER, default="", metavar="FOLDER", help="Of .avsc files and Protobuf descriptor sets."
)
@click.option(
    "--message-type", multiple=True, metavar="CHANNEL=TYPE", help="The Protobuf message on a channel. Repeatable."
)
@click.option(
    "--listen", metavar="HOST:PORT", help="Take what `msgtrace forward` sends; needs the options that follow."
)
@click.option(
    "--quota", type=_Parsed("size such as 500MB", parsed_size), metavar="SIZE",
    help="What each sender may have stored in a day; the rest is counted.",
)  # fmt: skip
@credential_options
@click.option(
    "--otlp",
    metavar="HOST:PORT[/PORT]",
    help="Take OpenTelemetry's spans: over gRPC, and HTTP on the second; with --token-file from elsewhere.",
)
def collect(
    db: Path,
    spool: Path,
    until_idle: float | None,
    max_size: int | None,
    max_age: float | None,
    schema_registry: str,
    schemas: str,
    message_type: tuple[str, ...],
    listen: str | None,
    quota: int | None,
    ca: Path | None,
    certificate: Path | None,
    key: Path | None,
    token_file: Path | None,
    otlp: str | None,
) -> None:
    """Store what traced processes record into a trace file, until Ctrl-C or SIGTERM.

    Start programs with MSGTRACE_SPOOL set to the same folder. Every other command works while this one records.
    """
    try:
        redaction = Options.parse(os.environ.get("MSGTRACE_REDACT", ""))
        types = " ".join([os.environ.get(MESSAGE_TYPES, ""), *message_type])
        given = given_schemas({REGISTRY: schema_registry, FOLDER: schemas, MESSAGE_TYPES: types.strip()})
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    sources: list[Callable[[Collector], Source]] = []
    if listen is not None:
        credentials, token = given_credentials(ca, certificate, key), given_token(token_file)
        sources.append(listening(parsed_address(listen), credentials, token, quota, spool.absolute()))
    if otlp is not None:
        sources.append(taking_spans(otlp, token_file, certificate, key))
    sys.exit(
        run_collector(
            Job(
                db=db.absolute(),
                spool=spool.absolute(),
                until_idle_s=until_idle,
                interruptible=True,
                caps=Caps(max_size, max_age),
                redaction=redaction,
                schemas=given,
                sources=tuple(sources),
            )
        )
    )
