"""Says as JSON what signals a program sent and which receivers ran, in order."""

import json
from typing import Any


class Account:
    def __init__(self) -> None:
        self.sends: list[list[Any]] = []
        self.runs: list[list[Any]] = []
        self.notes: dict[str, Any] = {}

    def send(self, signal: Any, sender: Any = None, **kwargs: Any) -> Any:
        """Send, and write it down with how it ended; the outcome before what is sent meanwhile."""
        entry = [getattr(signal, "name", "anonymous signal"), "ok"]
        self.sends.append(entry)
        try:
            return signal.send(sender, **kwargs)
        except Exception as error:
            entry[1] = type(error).__name__
            raise

    async def send_async(self, signal: Any, sender: Any = None, **kwargs: Any) -> Any:
        entry = [getattr(signal, "name", "anonymous signal"), "ok"]
        self.sends.append(entry)
        try:
            return await signal.send_async(sender, **kwargs)
        except BaseException as error:
            entry[1] = type(error).__name__
            raise

    def ran(self, receiver: str, what: Any) -> None:
        self.runs.append([receiver, what])

    def tell(self) -> None:
        print(json.dumps({"sends": self.sends, "runs": self.runs, **self.notes}))
