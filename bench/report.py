"""What `msgtrace report` costs on a large trace, stage by stage and document by document; and how soon its page can be used.

    python -m bench.report [--operations 1000000] [--types 500]

The trace is made as by bench/analysis.py, with 500 event types. Seconds are of the clock, with those of processor beside
them. The page is opened in Chromium (`python -m integration.chromium`) five times, each in a browser context of its own: the time is from the
beginning of navigation to the page's own mark, when the overview is drawn and answers.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Final

import click
from playwright.sync_api import sync_playwright

from bench.analysis import worked
from bench.analysis_stages import make
from integration.chromium import ARGUMENTS, found
from msgtrace_analysis.passes import examine
from msgtrace_analysis.renderers.documents import DOCUMENTS, render
from msgtrace_analysis.rules import Rules
from msgtrace_analysis.study import Study
from msgtrace_collectors.trace import open_trace

OPENINGS: Final = 5
MARK: Final = "msgtrace: ready"


def whole(trace: Path, out: Path) -> None:
    """Print how long the command takes, and what it says."""
    began, used = time.perf_counter(), worked()
    command = [sys.executable, "-m", "msgtrace", "report", "--db", str(trace), "--out", str(out)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    for line in told.splitlines():
        print(f"    {line.replace(f'{out}/', '')}")
    print(f"  msgtrace report, all documents: {time.perf_counter() - began:.1f} s, "
          f"{worked() - used:.1f} s of processor, load {os.getloadavg()[0]:.1f}", flush=True)  # fmt: skip


def stages(trace: Path) -> None:
    """Print how long each stage takes, and each document by itself."""
    timed = Timed()
    timed("reading the trace")
    with open_trace(trace) as opened, Study(opened) as study:
        findings = examine(study, Rules(), timed)
    for name in DOCUMENTS:
        timed(f"writing {name}")
        render(name, findings)
    timed("")


class Timed:
    """Prints, when a stage begins, what the one before took."""

    def __init__(self) -> None:
        self._name, self._began, self._worked = "", 0.0, 0.0

    def __call__(self, name: str) -> None:
        """A stage begins."""
        now, used = time.perf_counter(), worked()
        if self._name:
            print(
                f"    {self._name:36} {now - self._began:6.2f} s, {used - self._worked:6.2f} s of processor", flush=True
            )
        self._name, self._began, self._worked = name, now, used


def opened(page: Path) -> list[float]:
    """Seconds until the page could be used, each time."""
    program = found()
    if program is None:
        raise click.ClickException("no Chromium: `python -m integration.chromium`")
    seconds = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        for _ in range(OPENINGS):
            shown = browser.new_context().new_page()
            shown.goto(page.as_uri())
            marked = f"performance.getEntriesByName({MARK!r}).map(each => each.startTime)[0]"
            # The page's own policy lets nothing be evaluated in it, which waiting for a function would.
            while (at := shown.evaluate(marked)) is None:
                shown.wait_for_timeout(20)
            seconds.append(at / 1000)
            shown.context.close()
        browser.close()
    return seconds


@click.command()
@click.option("--operations", type=click.IntRange(1_000), default=1_000_000, show_default=True)
@click.option("--types", type=click.IntRange(1), default=500, show_default=True)
def main(operations: int, types: int) -> None:
    """Measure."""
    with tempfile.TemporaryDirectory(prefix="msgtrace-bench-") as folder:
        trace, out = Path(folder) / "trace.duckdb", Path(folder) / "report"
        make(trace, operations, types)
        print(f"{operations:,} operations of {types} event types, {trace.stat().st_size / 1e6:.0f} MB", flush=True)
        whole(trace, out)
        stages(trace)
        page = out / "report.html"
        times = opened(page)
        print(f"  report.html: {page.stat().st_size / 1e6:.1f} MB, opens in {median(times):.2f} s "
              f"({min(times):.2f} to {max(times):.2f})")  # fmt: skip


if __name__ == "__main__":
    main()
