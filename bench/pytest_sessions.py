"""What the pytest plugin adds: to a session that records, and to one in which it is off. `python -m bench.pytest_sessions`.

The suite under integration/programs/suites/shop with real brokers, in turns without and with `--msgtrace`; a session without tests, in
turns without the plugin at all and with it off.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

from integration.brokers.gather import gathered
from integration.traced import clean_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

ROUNDS: Final = 5
ROOT: Final = Path(__file__).parents[1]
SUITE: Final = ROOT / "integration" / "programs" / "suites" / "shop"


def processor_s() -> float:
    """What processes that were started here, and by those, have used of processors."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def seconds(folder: Path, variables: Mapping[str, str], *options: str) -> tuple[float, float, str]:
    """How long a session takes, what of processors it and its collector use, and the last line that it says."""
    began, used = time.perf_counter(), processor_s()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore", *options],
        cwd=folder, env={**clean_environment(), **variables}, check=False, capture_output=True, text=True,
    )  # fmt: skip
    took = time.perf_counter() - began
    return took, processor_s() - used, done.stdout.strip().splitlines()[-1].partition(" in ")[0]


def more(of: Mapping[str, list[float]]) -> str:
    """What there was without, and what is added."""
    added = median(b - a for a, b in zip(of["base"], of["other"], strict=True))
    return f"{median(of['base']):.2f} s and {added * 1000:+.0f} ms"


def compared(what: str, folder: Path, variables: Mapping[str, str], base: list[str], other: list[str]) -> None:
    """Run both in turns, and print what the second takes more."""
    times: dict[str, list[float]] = {"base": [], "other": []}
    processor: dict[str, list[float]] = {"base": [], "other": []}
    said = set()
    for number in range(ROUNDS):
        for name, options in [("base", base), ("other", other)][:: 1 if number % 2 else -1]:
            took, used, line = seconds(folder, variables, *options)
            times[name].append(took)
            processor[name].append(used)
            said.add(line)
    print(f"{what}: {more(times)} by the clock; {more(processor)} of processor (medians of {ROUNDS} rounds)")
    print(f"  results: {'the same' if len(said) == 1 else 'DIFFERENT'}: {'; '.join(sorted(said))}")


def main() -> None:
    """Print the figures."""
    print(f"load average {os.getloadavg()[0]:.1f} of {os.cpu_count()} processors")
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder)
        (empty / "test_nothing.py").write_text("def test_nothing(): pass\n")
        compared("one empty test; plugin off, beside none", empty, {}, ["-p", "no:msgtrace"], [])
        compared("one empty test; --msgtrace", empty, {}, [], ["--msgtrace", f"--msgtrace-db={folder}/trace.duckdb"])
        with gathered(["rabbitmq", "redis", "kafka"]) as found:
            missing = [each for each in found.values() if isinstance(each, str)]
            if missing:
                sys.exit(f"no brokers: {missing[0]}")
            kafka = found["kafka"]
            variables = {
                "SHOP_RABBITMQ": getattr(found["rabbitmq"], "url", ""), "SHOP_REDIS": getattr(found["redis"], "url", ""),
                "SHOP_KAFKA": getattr(kafka, "bootstrap", ""),
            }  # fmt: skip
            compared(
                "integration/programs/suites/shop; --msgtrace", SUITE, variables, ["orders.py"],
                ["orders.py", "--msgtrace", f"--msgtrace-db={folder}/suite.duckdb"],
            )  # fmt: skip


if __name__ == "__main__":
    main()
