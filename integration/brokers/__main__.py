"""`python -m integration.brokers up|down|status|install`: the brokers by hand."""

import sys
from collections.abc import Sequence

import click

from integration.brokers import find, install, kept, shared_set, tools
from integration.brokers.address import NAMES, Address
from integration.brokers.answering import answers

names_argument = click.argument("names", nargs=-1, type=click.Choice(NAMES))


def _print_exports(addresses: dict[str, Address]) -> None:
    for name in NAMES:
        if name in addresses:
            for variable, value in addresses[name].exports().items():
                click.echo(f"export {variable}={value}")


def _running(names: Sequence[str]) -> dict[str, Address]:
    try:
        return find.running(names)
    except ValueError as error:
        raise click.ClickException(str(error)) from None


@click.group()
def main() -> None:
    """Real brokers for the tests, private and on free loopback ports."""


@main.command()
@names_argument
def up(names: tuple[str, ...]) -> None:
    """Starts brokers (all, or NAMES), leaves them running, and prints shell exports."""
    with shared_set.locked():
        found = _running(names or NAMES)
        wanted = [name for name in names or NAMES if name not in found]
        failures = [f"{name}: {find.why_not(name)}" for name in wanted if find.means(name) is None]
        for means in ("docker", "native"):
            ours = [name for name in wanted if find.means(name) == means]
            if not ours:
                continue
            with kept.brokers(ours, means, stay=True) as one:
                shared_set.add(one)
            for report in one.reports:
                if report.failure:
                    failures.append(f"{report.name}: {report.failure}")
                    continue
                found[report.name] = kept.address_of(report)
                click.echo(f"{report.name}: {means}, answered after {report.took_s:.1f} s", err=True)
    _print_exports(found)
    for failure in failures:
        click.echo(failure, err=True)
    sys.exit(1 if failures else 0)


@main.command()
def down() -> None:
    """Ends every broker that `up` has started, and removes their folders."""
    with shared_set.locked():
        count = shared_set.end()
    click.echo(f"ended {count} broker{'' if count == 1 else 's'}", err=True)


@main.command()
def status() -> None:
    """Says of each broker where it is and whether it answers; exits with 1 when one doesn't."""
    found = _running(NAMES)
    silent = 0
    for name in NAMES:
        address = found.get(name)
        if address is None:
            how = find.means(name)
            click.echo(f"{name}: not running; " + (f"would be started by {how}" if how else find.why_not(name)))
        else:
            click.echo(f"{name}: {address.url} " + ("answers" if answers(address) else "DOES NOT ANSWER"))
        silent += address is None or not answers(address)
    sys.exit(1 if silent else 0)


@main.command(name="install")
@click.argument("names", nargs=-1, type=click.Choice((*NAMES, *tools.TOOLS)))
def install_command(names: tuple[str, ...]) -> None:
    """Installs what brokers need to start natively, and tools (all, or NAMES), or says what to install."""
    sys.exit(install.install(names or (*NAMES, *tools.TOOLS)))


if __name__ == "__main__":
    main(prog_name="python -m integration.brokers")
