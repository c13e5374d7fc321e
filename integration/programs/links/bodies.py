"""Bodies whose first 64 bytes are all that the recorder may see, and whose last bytes say which message it really is."""

from __future__ import annotations

import json
import random
from pathlib import Path

VISIBLE = 64


def bodies(producer: int, count: int, identical: float = 0.2) -> list[bytes]:
    """A producer's bodies: a share of them the same in their visible part, also between producers."""
    rng = random.Random(producer)
    made = []
    for number in range(count):
        same = rng.random() < identical
        text = (
            f'{{"kind":"same","value":{rng.randrange(4)}}}'
            if same
            else f'{{"kind":"own","by":{producer},"n":{number}}}'
        )
        made.append(text.encode().ljust(VISIBLE) + f"{producer}-{number}".encode())
    return made


def identity(body: bytes) -> str:
    """Which message a body really is."""
    return body[VISIBLE:].decode()


class Ledger:
    """What a program sent and received, in its order."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self.sent: list[str] = []
        self.received: list[str] = []

    def write(self) -> None:
        self._path.write_text(json.dumps({"sent": self.sent, "received": self.received}))
