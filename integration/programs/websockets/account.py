"""Says as JSON what both ends of some connections sent, received and were told of the end, in order."""

import base64
import json
from collections import defaultdict
from typing import Any


def written(data: Any) -> list[str]:
    """A message as JSON can say it: what its opcode is, and its payload."""
    if isinstance(data, str):
        return ["text", data]
    return ["binary", base64.b64encode(bytes(data)).decode()]


class Account:
    def __init__(self) -> None:
        self.ends: dict[str, dict[str, list[Any]]] = defaultdict(lambda: {"sent": [], "received": []})
        self.notes: dict[str, Any] = {}

    def sent(self, end: str, data: Any) -> None:
        self.ends[end]["sent"].append(written(data))

    def received(self, end: str, data: Any) -> None:
        self.ends[end]["received"].append(written(data))

    def tell(self, **more: Any) -> None:
        print(json.dumps({"ends": self.ends, **self.notes, **more}))
