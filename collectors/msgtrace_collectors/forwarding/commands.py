"""`msgtrace forward`, and the options of `msgtrace collect --listen`."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from msgtrace.redaction import Options, Redactor
from msgtrace_collectors.collect import collect_garbage_seldom, given_schemas, parsed_size, say
from msgtrace_collectors.collector import Stop
from msgtrace_collectors.forwarding.forward import Forwarding
from msgtrace_collectors.forwarding.forward import forward as run_forwarder
from msgtrace_collectors.forwarding.listener import Listener
from msgtrace_collectors.forwarding.quota import Quota
from msgtrace_collectors.forwarding.remote import Remote
from msgtrace_collectors.forwarding.tls import Credentials
from msgtrace_collectors.secret import spool_secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_collectors.collector import Collector, Source

_FILE = click.Path(path_type=Path, dir_okay=False)
MIN_TOKEN = 16


def credential_options(function: Any) -> Any:
    """The options that say who one is."""
    for option in reversed((
        click.option("--ca", envvar="MSGTRACE_CA", type=_FILE, help="The authority of both ends' certificates, in PEM."),
        click.option("--certificate", envvar="MSGTRACE_CERTIFICATE", type=_FILE, help="One's own certificate, in PEM."),
        click.option("--key", envvar="MSGTRACE_KEY", type=_FILE, help="Its private key, in PEM."),
        click.option("--token-file", envvar="MSGTRACE_TOKEN_FILE", type=_FILE, help="Holds what both ends must know."),
    )):  # fmt: skip
        function = option(function)
    return function


def given_credentials(ca: Path | None, certificate: Path | None, key: Path | None) -> Credentials:
    """The files that were named.

    Raises:
        click.ClickException: one is missing.
    """
    given = {"--ca": ca, "--certificate": certificate, "--key": key}
    missing = [name for name, path in given.items() if path is None]
    if ca is None or certificate is None or key is None:
        raise click.ClickException(
            f"{', '.join(missing)}: needed, both ends show certificates (`msgtrace certificates` makes some)"
        )
    for name, path in given.items():
        if path is not None and not path.is_file():
            raise click.ClickException(f"{name} {path}: there is no such file")
    return Credentials(ca, certificate, key)


def given_token(path: Path | None) -> str:
    """The token in a file.

    Raises:
        click.ClickException: there is none that can be used.
    """
    if path is None:
        raise click.ClickException("--token-file: needed, both ends must know the same token")
    try:
        token = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{path}: {getattr(error, 'strerror', None) or 'no text'}") from None
    if not MIN_TOKEN <= len(token) <= 500:
        raise click.ClickException(f"{path}: a token has {MIN_TOKEN} to 500 characters")
    return token


def parsed_address(text: str) -> tuple[str, int]:
    """`HOST:PORT`, the host in brackets where it is an IPv6 address.

    Raises:
        click.BadParameter: not such an address.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise click.BadParameter(f"{text!r} is not HOST:PORT")
    return host.removeprefix("[").removesuffix("]") or "0.0.0.0", int(port)  # noqa: S104 - said by `:PORT`


def listening(
    address: tuple[str, int], credentials: Credentials, token: str, quota_bytes: int | None, spool: Path
) -> Callable[[Collector], Source]:
    """What makes a collector listen for forwarders."""

    def begin(collector: Collector) -> Source:
        remote = Remote(collector.registry, Quota(quota_bytes))
        try:
            context = credentials.server()
        except OSError as error:
            raise OSError(
                error.errno, f"not a certificate and its key: {error}", str(credentials.certificate)
            ) from None
        try:
            remote.listener = Listener(address, context, token, spool_secret(spool), remote.said)
        except OSError as error:
            raise OSError(error.errno, error.strerror, f"{address[0]}:{address[1]}") from None
        say(f"listening for forwarders on {address[0]}:{remote.listener.port}")
        return remote

    return begin


def _size(_context: click.Context, option: click.Parameter, value: str) -> int:
    try:
        return parsed_size(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is no size such as 500MB", param=option) from None


@click.command()
@click.option("--to", "to", envvar="MSGTRACE_FORWARD_TO", required=True, metavar="HOST:PORT",
              help="Where `msgtrace collect --listen` listens.")  # fmt: skip
@click.option(
    "--spool", envvar="MSGTRACE_SPOOL", required=True, type=click.Path(path_type=Path),
    help="Folder where traced processes record, on a memory file system; made if missing.",
)  # fmt: skip
@click.option("--server-name", envvar="MSGTRACE_SERVER_NAME", help="In the central's certificate; HOST by default.")
@click.option("--spool-limit", default="256MB", show_default=True, callback=_size, metavar="SIZE",
              help="Of what ended processes left while the central can't be reached; the oldest is given up.")  # fmt: skip
@click.option(
    "--until-idle", type=float, metavar="SECONDS", help="End when no traced process has been there for so long."
)
@credential_options
def forward(
    to: str,
    spool: Path,
    server_name: str | None,
    spool_limit: int,
    until_idle: float | None,
    ca: Path | None,
    certificate: Path | None,
    key: Path | None,
    token_file: Path | None,
) -> None:
    """Send what this machine's traced processes record to a central collector, until Ctrl-C or SIGTERM.

    Secrets are taken out before anything is sent. Start programs with MSGTRACE_SPOOL set to the same folder.
    """
    credentials, token, address = given_credentials(ca, certificate, key), given_token(token_file), parsed_address(to)
    try:
        redactor = Redactor(Options.parse(os.environ.get("MSGTRACE_REDACT", "")))
        schemas = given_schemas(os.environ)
        credentials.client()
        os.umask(0o077)
        spool.mkdir(mode=0o700, parents=True, exist_ok=True)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename or certificate}: {error.strerror or error}") from None
    stop = Stop()

    def requested(*_: object) -> None:
        stop.requested = True

    signal.signal(signal.SIGTERM, requested)
    signal.signal(signal.SIGINT, requested)
    collect_garbage_seldom()
    job = Forwarding(
        address, server_name or address[0], credentials, token, spool.absolute(), spool_limit, redactor, schemas,
        until_idle,
    )  # fmt: skip
    sys.exit(run_forwarder(job, stop, say))
