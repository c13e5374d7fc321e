"""A retry policy as the programs of this folder follow it, and what they say that they did."""

import json
import random
from dataclasses import dataclass
from typing import Any


@dataclass
class Policy:
    """Numbers of a policy, as its test drew them.

    `messages` all fail until they are given up, but for every third one, which succeeds at attempt 2.
    """

    name: str
    mechanism: str
    initial_s: float
    multiplier: float = 1.0
    step_s: float = 0.0
    max_s: float = 1e9
    jitter: float = 0.0
    max_attempts: int = 4
    then: str = "dead letter"
    messages: int = 6

    def delay(self, attempt: int) -> float:
        """Seconds after a failed attempt, from 1."""
        plain = min(self.initial_s * self.multiplier ** (attempt - 1) + self.step_s * (attempt - 1), self.max_s)
        return plain * (1 + random.uniform(-self.jitter, self.jitter))

    def fails(self, number: int, attempt: int) -> bool:
        return not (number % 3 == 2 and attempt == 2)

    @property
    def dead(self) -> str:
        return f"{self.name}.dead"

    def body(self, number: int) -> bytes:
        return json.dumps({"type": "job", "policy": self.name, "number": number, "padding": "0123456789"}).encode()


def policies(text: str) -> list[Policy]:
    return [Policy(**each) for each in json.loads(text)]


def number_of(body: bytes | dict[Any, Any]) -> int:
    return int((body if isinstance(body, dict) else json.loads(body))["number"])
