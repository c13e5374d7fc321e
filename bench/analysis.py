"""What the analysis of a trace costs, stage by stage, as it grows; for schemas, beside what infers them elsewhere.

    python -m bench.analysis [--operations 100000 --operations 1000000 --operations 10000000] [--types 50]

Half of the operations are sends of 50 event types, or as many as are asked for, in 3 versions, each with a body of its own of nearly 300 bytes; half are
their receives. The rows are written with SQL into the tables of a real trace file, because a collector would take longer
than what is measured; links are given. Each size and each stage of the others is a process of its own, so that peaks of
memory are its own; those of worker processes are added to it, as if all had peaked at once. Compared on the same bodies,
all of one type together: genson 1.x where it is installed (it is in the `bench` group), and DuckDB's json_group_structure,
which both tell types alone.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import click

SIZES: Final = (100_000, 1_000_000)
TYPES: Final = 50
PROGRAMS: Final = ("report", "genson", "duckdb")


class Watch(threading.Thread):
    """Notes the most memory that each of our processes has had.

    Not by `ru_maxrss` of children, which counts what their parent had when it started them.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._peaks: dict[int, int] = {}
        self.start()

    def run(self) -> None:
        """Look twenty times a second."""
        while True:
            for child in [os.getpid(), *(child.pid for child in multiprocessing.active_children())]:
                with contextlib.suppress(OSError, StopIteration):
                    lines = Path(f"/proc/{child}/status").read_text().splitlines()
                    line = next(each for each in lines if each.startswith("VmHWM"))
                    self._peaks[child] = int(line.split()[1])
            time.sleep(0.05)

    def peak_mb(self) -> float:
        """Of all processes together, as if all had peaked at once."""
        return sum(self._peaks.values()) / 1000


def run(program: str, path: Path) -> None:
    """Print a line per stage."""
    of_program = import_module("bench.analysis_stages").PROGRAMS[program]
    began, watch = time.perf_counter(), Watch()
    for name, stage in of_program(path):
        started, used = time.perf_counter(), worked()
        stage()
        print(
            f"  {name:30} {time.perf_counter() - started:8.2f} s, {worked() - used:8.2f} s of processor, at most {watch.peak_mb():6.0f} MB",
            flush=True,
        )
    if program == "report":
        print(f"  {'together':30} {time.perf_counter() - began:8.2f} s")


def worked() -> float:
    """Seconds of processor that this process, and those that it started and that have ended, have used."""
    both = (resource.getrusage(each) for each in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in both)


@click.command()
@click.option("--operations", multiple=True, type=click.IntRange(1_000), default=SIZES, show_default=True)
@click.option("--types", type=click.IntRange(1, 10_000), default=TYPES, show_default=True, help="Event types.")
@click.option("--program", type=click.Choice(PROGRAMS), hidden=True)
@click.option("--trace", type=click.Path(path_type=Path), hidden=True)
def main(operations: tuple[int, ...], types: int, program: str | None, trace: Path | None) -> None:
    """Measure."""
    if program is not None and trace is not None:
        run(program, trace)
        return
    for size in operations:
        with tempfile.TemporaryDirectory(prefix="msgtrace-bench-") as folder:
            path = Path(folder) / "trace.duckdb"
            import_module("bench.analysis_stages").make(path, size, types)
            print(f"{size:,} operations, {types} event types, {path.stat().st_size / 1e6:.0f} MB", flush=True)
            for name in PROGRAMS:
                if name == "genson" and find_spec("genson") is None:
                    print("  genson is not installed here", flush=True)
                    continue
                subprocess.run(
                    [sys.executable, "-m", "bench.analysis", "--program", name, "--trace", str(path)], check=True
                )


if __name__ == "__main__":
    main()
