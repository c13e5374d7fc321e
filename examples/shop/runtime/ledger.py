"""Counts what this process sent, received and settled, and writes it down when it ends.

The ledger is the program's own word on its messages: something to hold a recording against.
"""

import json
import os
from collections import Counter
from pathlib import Path

_counts: Counter[tuple[str, str, str, str]] = Counter()


def sent(system: str, channel: str, message_type: str = "", count: int = 1) -> None:
    """Count messages handed to `channel` (an exchange, topic, stream, event, path)."""
    _counts["send", system, channel, message_type] += count


def received(system: str, channel: str, message_type: str = "") -> None:
    """Count a message that a handler of this process was given (from a queue, topic, stream, event, path)."""
    _counts["receive", system, channel, message_type] += 1


def settled(system: str, channel: str, outcome: str) -> None:
    """Count an acknowledgement, a rejection or a committed message: `outcome` says which."""
    _counts["settle", system, channel, outcome] += 1


def write(service: str) -> None:
    """Write the ledger to the file named by SHOP_LEDGER, if there is one."""
    path = os.environ.get("SHOP_LEDGER")
    if not path:
        return
    entries = [
        {"operation": operation, "system": system, "channel": channel, "type": detail, "count": count}
        for (operation, system, channel, detail), count in sorted(_counts.items())
    ]
    ledger = {"service": service, "pid": os.getpid(), "entries": entries}
    Path(path).write_text(json.dumps(ledger, indent=1) + "\n", encoding="utf-8")
