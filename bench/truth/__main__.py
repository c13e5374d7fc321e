"""`python -m bench.truth`: how true the analysis is, on generated systems whose answers are known.

Each seed makes a system (services, channels, event types, bodies, flows), plays it, records it by the way that recordings
take (segments, collector, linker), and compares what the analysis finds with what is so by construction. Work on the
development set; the test set is for reporting.

    python -m bench.truth [--set dev|test] [--systems 20] [--samples 50] [--explain 20 --only formats] [--json FILE]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec
from rich.console import Console

from bench.truth import tables
from bench.truth.answers import answers
from bench.truth.claims import claimed
from bench.truth.generate import system
from bench.truth.play import play
from bench.truth.recording import record
from bench.truth.scoring import TARGETS, Scores
from msgtrace_analysis.passes import examine
from msgtrace_analysis.study import Study
from msgtrace_collectors.trace import open_trace

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Findings

SETS: Final = {"dev": range(100), "test": range(1000, 1100)}


def examined(db: Path) -> Findings:
    """What the analysis finds in a trace."""
    with open_trace(db) as trace, Study(trace) as study:
        return examine(study)


def score(seed: int, samples: int, scores: Scores) -> int:
    """Make, record and judge one system; how many operations it had."""
    made = system(seed, samples)
    played = play(made)
    true = answers(made, played, samples)
    with tempfile.TemporaryDirectory(prefix="msgtrace-truth-") as folder:
        db = Path(folder) / "trace.duckdb"
        record(played.operations, db)
        scores.add(seed, true, claimed(examined(db), true))
    return len(played.operations)


@click.command()
@click.option("--set", "chosen", type=click.Choice(list(SETS)), default="dev", show_default=True, help="Which seeds.")
@click.option(
    "--systems", type=click.IntRange(1, 100), default=100, show_default=True, help="The first so many of them."
)
@click.option("--seed", "seeds", type=int, multiple=True, help="This seed instead. May be repeated.")
@click.option(
    "--samples", type=click.IntRange(5, 1000), default=50, show_default=True, help="Of nearly every event type."
)
@click.option("--only", type=click.Choice(list(TARGETS)), multiple=True, help="Explain only this. May be repeated.")
@click.option("--explain", type=click.IntRange(0), default=0, help="Show so many mistakes of each category.")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write every figure and mistake."
)
def main(
    chosen: str,
    systems: int,
    seeds: tuple[int, ...],
    samples: int,
    only: tuple[str, ...],
    explain: int,
    json_file: Path | None,
) -> None:
    """How true the analysis is, on generated systems whose answers are known.

    Exits with 1 when a claim that was said to be exact is wrong. A missed target is only said.
    """
    scores, operations, began = Scores(), 0, time.perf_counter()
    wanted = seeds or tuple(SETS[chosen])[:systems]
    for done, seed in enumerate(wanted, 1):
        operations += score(seed, samples, scores)
        if sys.stderr.isatty():
            click.echo(f"\r\033[K{done} of {len(wanted)} systems", nl=False, err=True)
    console = Console() if sys.stdout.isatty() else Console(width=160)
    what = f"{len(wanted)} systems of the {'given seeds' if seeds else f'{chosen} set'}, {samples} samples a type"
    console.print(f"\n{what}, {operations:,} operations, {time.perf_counter() - began:.0f} s")
    console.print(tables.table(scores))
    for line in tables.verdicts(scores):
        console.print(line, markup=False)
    for line in tables.mistakes(scores, only or tuple(TARGETS), explain):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if json_file:
        content = {
            "set": chosen,
            "seeds": wanted,
            "samples": samples,
            "scores": tables.figures(scores),
            "mistakes": scores.mistakes,
        }
        json_file.write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=1))
    sys.exit(int(any(each.exact_wrong for each in scores.by_category.values())))


if __name__ == "__main__":
    main(prog_name="python -m bench.truth")
