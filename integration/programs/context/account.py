"""Emits on a bus, and says as JSON of which order each emit is the work, and whether the order's handler was over."""

import json
import threading
from contextvars import ContextVar
from typing import Any

order_of: ContextVar[int | None] = ContextVar("order_of", default=None)
"""The program's own context: what it sees of a context must not depend on who else looks."""


class Account:
    def __init__(self, emitter: Any) -> None:
        self.emitter = emitter
        self.effects: list[list[Any]] = []
        self.notes: dict[str, Any] = {}
        self._lock = threading.Lock()

    def emit(self, way: str, order: int | None, *, over: bool = False) -> None:
        """Emit; the arguments say what the truth is."""
        with self._lock:
            self.effects.append([way, order, over])
        self.emitter.emit(way, order)

    def tell(self) -> None:
        print(json.dumps({"effects": self.effects, **self.notes}))
