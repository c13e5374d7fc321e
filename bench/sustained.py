"""20,000 operations a second for a minute, with default settings, through a real Redis: is anything lost?

    python -m bench.sustained [--operations-per-s 20000] [--seconds 60]

A program publishes and receives at that pace under `msgtrace run`, and says what it did; then `msgtrace sql` is asked what was
recorded. Exits with 1 when the two differ, or anything is among the losses.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

import click

from bench.catalogue import PROGRAMS
from bench.starting import ROOT, untouched
from integration.brokers.gather import gathered

# One row: what was recorded.
RECORDED = """
select
    count(*) filter (where kind = 'send') as sent,
    count(*) filter (where kind = 'receive') as received,
    count(*) filter (where outcome = 'unknown') as unfinished,
    (select count(*) from links) as linked,
    (select coalesce(sum(lost), 0) from losses) as lost
from operations
"""


@click.command()
@click.option("--operations-per-s", default=20_000, show_default=True, type=click.IntRange(200))
@click.option("--seconds", default=60, show_default=True, type=click.IntRange(1, 3600))
def main(operations_per_s: int, seconds: int) -> None:
    """Keep a steady pace under msgtrace, and compare what was recorded with what was done."""
    with gathered(["redis"]) as brokers, tempfile.TemporaryDirectory(prefix="msgtrace-bench-") as folder:
        redis = brokers["redis"]
        if isinstance(redis, str):
            raise click.ClickException(f"no redis: {redis}")
        trace = Path(folder) / "trace.duckdb"
        program = [
            sys.executable, str(PROGRAMS / "paced_redis.py"), f"--url={redis.url}", f"--channel=bench-{uuid.uuid4().hex[:12]}",
            f"--operations-per-s={operations_per_s}", f"--seconds={seconds}",
        ]  # fmt: skip
        said = json.loads(_msgtrace("run", "--quiet", "--db", str(trace), "--", *program))
        recorded = json.loads(_msgtrace("sql", "--db", str(trace), "--format", "json", RECORDED))[0]
        losses = json.loads(_msgtrace("sql", "--db", str(trace), "--format", "json", "select reason, lost from losses"))
        megabytes = trace.stat().st_size / 1e6
    sys.exit(_judged(said, recorded, losses, operations_per_s, seconds, megabytes))


def _msgtrace(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "msgtrace", *arguments],
        cwd=ROOT,
        env=untouched(),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise click.ClickException(f"msgtrace {arguments[0]} ended with exit code {done.returncode}")
    return done.stdout


def _judged(
    said: dict[str, Any],
    recorded: dict[str, Any],
    losses: list[dict[str, Any]],
    wanted: int,
    seconds: int,
    megabytes: float,
) -> int:
    operations = said["sent"] + said["received"]
    click.echo(
        f"the program sent {said['sent']:,} and received {said['received']:,} messages in {said['seconds']:.1f} s: "
        f"{operations / said['seconds']:,.0f} operations a second, {said['cpu_seconds'] / operations * 1e6:.1f} us of CPU each"
    )
    click.echo(
        f"recorded: {recorded['sent']:,} sends, {recorded['received']:,} receives, {recorded['linked']:,} links; "
        f"{recorded['unfinished']:,} without an end; lost: {losses or 'nothing'}; trace file of {megabytes:.0f} MB"
    )
    whole = (recorded["sent"], recorded["received"], int(recorded["lost"])) == (said["sent"], said["received"], 0)
    held = said["seconds"] < seconds * 1.05 + 1
    if not held:
        click.echo(f"the program did not keep the pace of {wanted:,} a second: the machine is too busy to tell")
    click.echo("nothing was lost" if whole else "SOMETHING WAS LOST")
    return 0 if whole and held else 1


if __name__ == "__main__":
    main(prog_name="python -m bench.sustained")
