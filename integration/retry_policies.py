"""Draws retry policies, has real programs follow them on real brokers, and lays the analysis beside what they did."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from integration.traced import PROGRAMS, run
from msgtrace_analysis.passes import prepare
from msgtrace_analysis.passes.attempts import tried
from msgtrace_analysis.passes.retrying import retrying
from msgtrace_analysis.passes.topology import topology
from msgtrace_analysis.study import Study
from msgtrace_collectors.trace import open_trace

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence
    from pathlib import Path

    from msgtrace_analysis.findings import ObservedPolicy

EVEN: Final = frozenset({"dead-letter exchange", "stream claim", "retry topic"})
"""Where a queue, an idle time, or a consumer that takes one after the other makes delays even."""
KINDS: Final = ("fixed", "linear", "exponential")


@dataclass(frozen=True, slots=True)
class Way:
    """A way of retrying that a program knows.

    Attributes:
        program: of `programs/retries`.
        kinds: that it can follow.
        ends: what becomes of messages that are given up.
    """

    program: str
    mechanism: str
    kinds: tuple[str, ...] = KINDS
    ends: tuple[str, ...] = ("dead letter",)
    suffix: str = ""


WAYS: Final = (
    Way("rabbitmq", "requeue", ends=("dead letter", "dropped", "acknowledged")),
    Way("rabbitmq", "dead-letter exchange", ("fixed",)),
    Way("rabbitmq", "retry queue"),
    Way("rabbitmq", "republish", ends=("dead letter", "dropped", "acknowledged")),
    Way("rabbitmq", "in-process loop"),
    Way("redis_queues", "republish", suffix=".list"),
    Way("redis_queues", "retry queue", suffix=".list"),
    Way("redis_queues", "republish", suffix=".stream"),
    Way("redis_queues", "stream claim", ("fixed",), suffix=".stream"),
    Way("kafka_topics", "retry topic", ("fixed",)),
    Way("kafka_topics", "republish", ("fixed",)),
    Way("kafka_topics", "seek back", ("fixed", "exponential")),
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A policy that a program follows; the fields of `programs/retries/policy.py`."""

    name: str
    mechanism: str
    initial_s: float
    multiplier: float
    step_s: float
    max_s: float
    jitter: float
    max_attempts: int
    then: str
    messages: int

    def delays(self) -> list[float]:
        """Without jitter."""
        return [
            min(self.initial_s * self.multiplier**place + self.step_s * place, self.max_s)
            for place in range(self.max_attempts - 1)
        ]

    @property
    def kind(self) -> str:
        return "exponential" if self.multiplier > 1 else "linear" if self.step_s else "fixed"


def draw(way: Way, name: str, dice: random.Random, longer: float = 1.0) -> Drawn:
    """A policy with numbers of its own.

    Args:
        way: that it can follow.
        name: of its queue.
        dice: decide the numbers.
        longer: how many times longer its delays are: what a busy machine adds to each, a tenth of a second, is no part of it.
    """
    kind = dice.choice(way.kinds)
    initial = round(longer * dice.uniform(0.12, 0.24), 3)
    attempts = dice.randint(3, 5) if kind == "fixed" else 5
    multiplier = dice.choice((1.5, 1.8, 2.0)) if kind == "exponential" else 1.0
    step = round(dice.uniform(0.7, 1.3) * initial, 3) if kind == "linear" else 0.0
    # A cap that cuts off the last delay or two, and leaves three that grow.
    cap = 1e9
    if kind != "fixed" and dice.random() < 0.5:
        fourth = initial * multiplier**3 + step * 3
        third = initial * multiplier**2 + step * 2
        cap = round(dice.uniform(third * 1.05, (third + fourth) / 2), 3)
    jitter = dice.choice((0.0, 0.0, 0.2)) if way.mechanism not in EVEN else 0.0
    return Drawn(
        name + way.suffix, way.mechanism, initial, multiplier, step, cap, jitter, attempts, dice.choice(way.ends),
        9 if jitter else 6,
    )  # fmt: skip


def played(drawn: Sequence[Drawn], program: str, address: str, folder: Path) -> list[ObservedPolicy]:
    """Have a program follow policies, and what the analysis makes of it."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps([asdict(each) for each in drawn])
    ended = run([sys.executable, str(PROGRAMS / "retries" / f"{program}.py"), address, text], folder)
    assert ended.code == 0, ended.stderr
    with open_trace(ended.trace) as trace, Study(trace) as study:
        prepare(study)
        found = topology(study)
        return list(retrying(study, found, tried(study)).observed)


def misses(true: Drawn, observed: Sequence[ObservedPolicy]) -> list[str]:
    """Where the analysis differs from the truth."""
    channel = f"{true.name}.nobody" if true.mechanism == "in-process loop" else true.name
    candidates = [each for each in observed if each.channel == channel]
    if len(candidates) != 1:
        return [f"{true.name}: {len(candidates)} policies"]
    found = candidates[0]
    policy, delays = found.policy, true.delays()
    if not found.waits:
        return [f"{true.name}: {found.mechanism} without delays"]
    slack = max(0.1, true.jitter)
    said: list[tuple[str, Any, Any, bool]] = [
        ("mechanism", true.mechanism, found.mechanism, true.mechanism == found.mechanism),
        ("max_attempts", true.max_attempts, policy.max_attempts, true.max_attempts == policy.max_attempts),
        ("initial", delays[0], policy.initial_delay_s, near(delays[0], policy.initial_delay_s, slack)),
        ("last", delays[-1], found.waits[-1].fitted_s, near(delays[-1], found.waits[-1].fitted_s, slack)),
    ]
    if len(delays) > 1:
        said.append(("kind", true.kind, policy.kind, true.kind == policy.kind))
    if true.multiplier > 1:
        said.append(("multiplier", true.multiplier, policy.multiplier, near(true.multiplier, policy.multiplier, slack)))
    if true.max_s < 1e9:
        said.append(("max", true.max_s, policy.max_delay_s, near(true.max_s, policy.max_delay_s, slack)))
    if true.mechanism != "in-process loop":
        said.append(("then", true.then, policy.then, true.then == policy.then))
        to = f"{true.name}.dead" if true.then == "dead letter" else ""
        said.append(("then_to", to, policy.then_to, to == policy.then_to))
    return [f"{true.name} {true.kind}: {what} {wanted} found {seen}" for what, wanted, seen, right in said if not right]


def near(wanted: float, seen: float | None, slack: float) -> bool:
    """Within a share of what is true."""
    return seen is not None and abs(seen - wanted) <= slack * wanted
