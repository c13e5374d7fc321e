"""What a process of the scenario did, a line of JSON each, written before it goes on: it survives the process."""

from __future__ import annotations

import json
import os
import select
import sys
import time
from pathlib import Path
from typing import Any

FOLDER = Path(sys.argv[1])


def environment(role: str) -> dict[str, str]:
    """What a process of a role is started with: a clock of its own, where the test gives it one.

    `CLOCKS` names a library to preload, and for each role either what its clock is off by, or the file in which that stands
    and may change while the process runs. No process's monotonic clock is touched.
    """
    clocks = json.loads(os.environ.get("CLOCKS", "{}"))
    clock = clocks.get(role)
    if clock is None:
        return dict(os.environ)
    stands = {"FAKETIME_TIMESTAMP_FILE": clock, "FAKETIME_NO_CACHE": "1"} if "/" in clock else {"FAKETIME": clock}
    preload = {"LD_PRELOAD": clocks["library"], "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    return {**os.environ, **stands, **preload}


def pause(seconds: float) -> None:
    """What `time.sleep` does, which fails under libfaketime (EINVAL): not where it waits for descriptors."""
    select.select([], [], [], seconds)


if "LD_PRELOAD" in os.environ:
    time.sleep = pause


def note(what: str, number: int, **more: Any) -> None:
    """Put one thing that happened on the ledger."""
    line = json.dumps(
        {
            "what": what,
            "number": number,
            "at_ns": time.monotonic_ns(),
            "clock_ns": time.time_ns(),
            "pid": os.getpid(),
            **more,
        }
    )
    with (FOLDER / f"{os.getpid()}.jsonl").open("a") as ledger:
        ledger.write(line + "\n")


def noted(what: str) -> list[dict[str, Any]]:
    """Everything of a kind that any process has noted, in order of time."""
    lines = [line for path in FOLDER.glob("*.jsonl") for line in path.read_text().splitlines()]
    known = [json.loads(line) for line in lines if line.endswith("}")]
    return sorted((each for each in known if each["what"] == what), key=lambda each: each["at_ns"])
