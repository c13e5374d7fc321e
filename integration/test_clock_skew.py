"""Machines whose clocks are really wrong, by libfaketime: what is said of them is the truth, within what a message takes."""

from __future__ import annotations

import json
import signal
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from integration.hosts import DELAY_S
from integration.test_staging import PORT, Site, drained, ended, site
from msgtrace.commands.target import environment
from msgtrace.settings import Settings
from msgtrace_collectors.trace import open_trace

if TYPE_CHECKING:
    import subprocess

__all__ = ["site"]  # the fixture
LIBRARIES = ("/usr/lib/*/faketime/libfaketime.so.1", "/usr/lib64/faketime/libfaketime.so.1")
CLOCKS = "select host, reference, shift_ns, least_ns, most_ns, contradicted from msgtrace_store.clocks"
WAY_S = 2 * DELAY_S
"""What a message takes at least from one to the other, both links."""
PROGRAMS = Path(__file__).parent / "programs" / "staging"


def library() -> str:
    found = [str(path) for each in LIBRARIES for path in Path("/").glob(each.lstrip("/"))]
    if not found:
        pytest.skip("no libfaketime: apt-get install libfaketime")
    return found[0]


def traffic(site: Site, seconds: float, east: str, west: str) -> int:
    """Messages between two machines whose clocks stand as libfaketime is told; how many were asked."""
    central, *machines = site.machines
    faketime = library()
    with ExitStack() as stack:

        def kept(process: subprocess.Popen[str]) -> subprocess.Popen[str]:
            stack.callback(process.communicate)
            stack.callback(process.kill)
            return process

        def program(place: int, name: str, clock: str, *arguments: str) -> subprocess.Popen[str]:
            host = machines[place]
            variables = environment(Settings(service=name), site.memory / host.name)
            fake = {"LD_PRELOAD": faketime, "FAKETIME": clock, "FAKETIME_NO_CACHE": "1"}
            command = [
                "-c",
                f"import os, sys; os.environ.update({fake!r}); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])",
            ]
            return kept(host.start(*command, str(PROGRAMS / f"{name}.py"), *arguments, env=variables))

        collector = kept(site.part(central, "collect", "--db", str(site.db), "--listen", f"10.77.0.1:{PORT}"))
        forwarders = [kept(site.forwarder(host)) for host in machines]
        serving = program(1, "serving", west, machines[1].address, "8765")
        time.sleep(3)
        asking = program(0, "asking", east, machines[1].address, "8765", str(seconds))
        asked = json.loads(ended(asking, timeout_s=seconds + 120))["sent"]
        ended(serving)
        drained(site.memory / "east", site.memory / "west")
        for forwarder in forwarders:
            ended(forwarder, signal.SIGTERM)
        ended(collector, signal.SIGTERM)
    return int(asked)


def apart(site: Site) -> tuple[float, float, float, bool]:
    """How far east's clock is ahead of west's in the trace: what is corrected, at least, at most; and whether it was given up."""
    with open_trace(site.db) as trace:
        rows = {row["host"]: row for row in trace.query(CLOCKS).to_pylist()}
    (row,) = [each for each in rows.values() if each["host"] != each["reference"]]
    sign = 1 if row["host"] == "east" else -1
    ends = sorted(sign * row[name] / 1e9 for name in ("least_ns", "most_ns"))
    return sign * row["shift_ns"] / 1e9, *ends, row["contradicted"]


@pytest.mark.parametrize(
    ("east", "west", "truth_s"),
    [
        pytest.param("+4.2s", "-1.3s", 5.5, id="seconds apart"),
        pytest.param("-0.5s", "+0s", -0.5, id="half a second", marks=pytest.mark.soak),
        pytest.param("+3600s", "-3600s", 7200.0, id="hours", marks=pytest.mark.soak),
    ],
)
def test_what_is_corrected_is_the_truth(site: Site, east: str, west: str, truth_s: float) -> None:
    asked = traffic(site, 3, east, west)
    corrected, least, most, given_up = apart(site)
    print(
        f"\n{truth_s:+.3f} s apart: corrected by {corrected:+.3f}, between {least:+.3f} and {most:+.3f}, by {asked} conversations"
    )
    assert not given_up
    assert least <= truth_s <= most
    assert least <= corrected <= most
    assert abs(corrected - truth_s) <= (most - least) / 2 + 1e-6
    assert most - least < 1


@pytest.mark.soak
def test_a_clock_that_drifts_a_little(site: Site) -> None:
    """A thousandth too fast: in ten seconds that is less than the messages take, and the correction is within it."""
    traffic(site, 10, "+2s x1.001", "+0s")
    corrected, least, most, given_up = apart(site)
    print(f"\n2 s and 0.1%: corrected by {corrected:+.4f}, between {least:+.4f} and {most:+.4f}")
    assert not given_up
    assert abs(corrected - 2) < WAY_S + 0.02


@pytest.mark.soak
def test_a_clock_that_drifts_much_is_said_to(site: Site) -> None:
    """A tenth too fast: no one number puts every receive behind its send."""
    traffic(site, 10, "+2s x1.1", "+0s")
    assert apart(site)[3]
