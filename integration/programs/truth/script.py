"""What one service has to do: the messages that start by themselves, and what follows from each that it takes."""

import json
from collections import defaultdict, deque
from pathlib import Path
from typing import Any


class Script:
    """A service's part.

    Attributes:
        messages: all messages of the system, by their numbers.
        starts: numbers of those that nothing causes, in order.
        takes: where this service takes messages from.
        sent: numbers of what it has sent.
        taken: numbers of what it has taken.
    """

    def __init__(self, path: str, service: str) -> None:
        whole = json.loads(Path(path).read_text())
        mine = whole["services"][service]
        self.service = service
        self.messages: list[dict[str, Any]] = whole["messages"]
        self.starts: list[int] = mine["starts"]
        self.takes: list[dict[str, Any]] = mine["takes"]
        self.topics: list[str] = whole["topics"]
        self.expected: int = mine["expects"]
        self.sent: list[int] = []
        self.taken: list[int] = []
        self._awaited: defaultdict[tuple[str, str, str], deque[int]] = defaultdict(deque)
        for number, message in enumerate(self.messages):
            for taker in message["takers"]:
                if taker["service"] == service:
                    self._awaited[taker["handler"], message["address"], message["body"]].append(number)

    def reaction(self, handler: str, address: str, body: str) -> dict[str, Any]:
        """What this service does with a message that has arrived."""
        number = self._awaited[handler, address, body].popleft()
        self.taken.append(number)
        taker = (each for each in self.messages[number]["takers"])
        return next(each for each in taker if (each["service"], each["handler"]) == (self.service, handler))

    @property
    def complete(self) -> bool:
        """All that was to arrive has."""
        return len(self.taken) >= self.expected

    def account(self) -> str:
        """What it did."""
        return json.dumps({"sent": self.sent, "taken": self.taken})
