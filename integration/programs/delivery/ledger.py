"""What a process of the scenario did, a line of JSON each, written before it goes on: it survives the process."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

FOLDER = Path(sys.argv[1])


def note(what: str, number: int, **more: Any) -> None:
    """Put one thing that happened on the ledger."""
    line = json.dumps({"what": what, "number": number, "at_ns": time.monotonic_ns(), "pid": os.getpid(), **more})
    with (FOLDER / f"{os.getpid()}.jsonl").open("a") as ledger:
        ledger.write(line + "\n")


def noted(what: str) -> list[dict[str, Any]]:
    """Everything of a kind that any process has noted, in order of time."""
    lines = [line for path in FOLDER.glob("*.jsonl") for line in path.read_text().splitlines()]
    known = [json.loads(line) for line in lines if line.endswith("}")]
    return sorted((each for each in known if each["what"] == what), key=lambda each: each["at_ns"])
