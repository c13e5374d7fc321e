"""`make bench`, `python -m bench`: what recording costs, beside what users would pick instead, on real brokers."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

import click
import msgspec
from rich.console import Console

from bench import machine, tables
from bench.catalogue import MODES, WORKLOADS, Mode, Workload
from bench.results import figures
from bench.rounds import measure
from bench.sink import sink
from bench.starting import ROOT
from integration.brokers.gather import gathered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.results import Figures
    from bench.rounds import Rounds

PARTS: Final = {
    "sustained": "20,000 operations a second for a minute, default settings: is anything lost?",
    "ingest": "how many operations a second the collector stores on one core, redaction on",
    "startup": "what msgtrace adds to the start of a program",
    "redis_commands": "what the redis hook adds to each command, without a server",
    "amqp_and_kafka": "what the aio_pika and kafka hooks add to a message, without a network",
    "websockets_messages": "what the websockets hook adds to a message, without a network",
    "analysis": "what the analysis of 100,000 and a million operations costs, stage by stage",
    "report": "what a report of a million operations and 500 event types costs, and how soon its page can be used",
    "http_calls": "what the HTTP clients' hooks add to a request, without a network",
    "pytest_sessions": "what the pytest plugin adds to a session, recording and off; the same suite with and without it",
    "snapshot": "what copying an in-process event's arguments costs",
}
"""Other measurements, each a program: `python -m bench.NAME`."""
BUSY: Final = 0.5
"""Load average from which a warning says that figures will be too high."""


def parts() -> list[str]:
    """Those of the other measurements that are there."""
    return [name for name in PARTS if (Path(__file__).parent / f"{name}.py").exists()]


@click.command()
@click.option("--only", multiple=True, metavar="NAME", help="Only this workload or part; see --list. May be repeated.")
@click.option(
    "--mode", "modes", multiple=True, type=click.Choice(get_args(Mode)), help="Only this mode. The base is always run."
)
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1, 50), help="Rounds of all workloads.")
@click.option(
    "--scale", default=1.0, show_default=True, type=click.FloatRange(0.001, 10), help="Of the numbers of messages."
)
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write every sample and figure."
)
@click.option("--markdown", "markdown_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the table.")
@click.option("--list", "listing", is_flag=True, help="List workloads and parts.")
def main(
    only: tuple[str, ...],
    modes: tuple[Mode, ...],
    rounds: int,
    scale: float,
    json_file: Path | None,
    markdown_file: Path | None,
    listing: bool,
) -> None:
    """Measure what recording costs, beside what users would pick instead, on real brokers.

    Exits with 1 when something could not be measured, or a part failed. A missed target is only said.
    """
    if listing:
        _list()
        return
    known = [*(workload.name for workload in WORKLOADS), *parts()]
    if unknown := [name for name in only if name not in known]:
        raise click.BadParameter(f"{unknown[0]!r} is none of: {', '.join(known)}", param_hint="--only")
    wanted = [workload for workload in WORKLOADS if not only or workload.name in only]
    failed = False
    if wanted:
        failed = not _workloads(wanted, {"base", *(modes or MODES)}, rounds, scale, json_file, markdown_file)
    for name in parts():
        if not only or name in only:
            click.echo(f"\n{name}: {PARTS[name]}", err=True)
            failed |= subprocess.run([sys.executable, "-m", f"bench.{name}"], cwd=ROOT, check=False).returncode != 0
    sys.exit(int(failed))


def _list() -> None:
    for workload in WORKLOADS:
        click.echo(f"{workload.name:20} {', '.join(workload.modes)}")
    for name in parts():
        click.echo(f"{name:20} {PARTS[name]}")


def _workloads(
    wanted: Sequence[Workload],
    modes: set[Mode],
    rounds: int,
    scale: float,
    json_file: Path | None,
    markdown_file: Path | None,
) -> bool:
    """Measure the workloads and print their table; whether all went well."""
    about = machine.facts(workload.distribution for workload in wanted)
    if os.getloadavg()[0] > BUSY:
        click.echo(
            f"warning: load average {os.getloadavg()[0]:.1f}: other work on this machine raises every figure", err=True
        )
    with contextlib.ExitStack() as stack:
        names = sorted({workload.broker for workload in wanted if workload.broker})
        brokers = stack.enter_context(gathered(names)) if names else {}
        done = measure(
            wanted, brokers, stack.enter_context(sink()),
            rounds=rounds, scale=scale, only_modes=[mode for mode in MODES if mode in modes], tell=_tell,
        )  # fmt: skip
    _tell("")
    found = [each for w in wanted if (each := figures(w, [s for s in done.samples if s.workload == w.name]))]
    _print(about, found, done)
    if json_file:
        content = {
            "machine": about,
            "rounds": rounds,
            "figures": found,
            "samples": done.samples,
            "failures": done.failures,
        }
        json_file.write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=1))
    if markdown_file:
        markdown_file.write_text(tables.markdown(found))
    return not done.failures and not any(each.losses for each in found)


def _tell(text: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r\033[K{text}", nl=False, err=True)


def _print(about: dict[str, str], found: Sequence[Figures], done: Rounds) -> None:
    # Wide enough for the whole table where there is no terminal to ask.
    console = Console() if sys.stdout.isatty() else Console(width=240)
    console.print(", ".join(f"{name} {value}" for name, value in about.items()))
    console.print(tables.table(found))
    for name, reason in done.failures.items():
        console.print(f"not measured: {name}: {reason}", markup=False)


if __name__ == "__main__":
    main(prog_name="python -m bench")
