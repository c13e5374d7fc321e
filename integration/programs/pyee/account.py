"""Says as JSON what a program emitted and which of its listeners ran, in order."""

import json
from typing import Any


class Account:
    def __init__(self) -> None:
        self.emits: list[list[Any]] = []
        self.runs: list[list[Any]] = []
        self.notes: dict[str, Any] = {}

    def emit(self, emitter: Any, event: Any, *args: Any, **kwargs: Any) -> bool:
        """Emit, and write it down with how it ended; the outcome before what is emitted meanwhile."""
        entry = [str(getattr(event, "value", event)), "ok"]
        self.emits.append(entry)
        try:
            handled: bool = emitter.emit(event, *args, **kwargs)
        except Exception as error:
            entry[1] = type(error).__name__
            raise
        return handled

    def ran(self, listener: str, what: Any) -> None:
        self.runs.append([listener, what])

    def tell(self) -> None:
        print(json.dumps({"emits": self.emits, "runs": self.runs, **self.notes}))
