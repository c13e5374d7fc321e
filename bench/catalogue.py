"""What is measured: one entry for each program in bench/workloads, and which other tracers there are for its library."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

PROGRAMS: Final = Path(__file__).parent / "workloads"

Mode = Literal["base", "msgtrace", "otel", "ddtrace"]
MODES: Final[tuple[Mode, ...]] = ("base", "msgtrace", "otel", "ddtrace")
"""In the order of a round."""


@dataclass(frozen=True, slots=True)
class Workload:
    """One program and how long it runs.

    Attributes:
        name: as in tables and for `--only`.
        library: import name of what is hooked.
        distribution: its name on the package index.
        messages: in the measured loop; sized for about a second in the slowest mode.
        target_us: what msgtrace may add to an operation, both phases; the issue's.
        broker: `redis`, `rabbitmq`, `kafka`, or '' for none.
        warm_up: messages before.
        burst: messages between two pauses of `pause_s` seconds, so that a loop with next to no base cost stays below what
            one collector takes in; 0 for no pause.
        pairs: how often a round has it run in each mode, in alternating order: more and shorter where runs of the same program
            differ by more than what is looked for.
        others: the modes besides base and msgtrace that exist for this library.
        prepared: when an untraced process lays down what is consumed: never (''), `once`, or before `each` run.
    """

    name: str
    library: str
    distribution: str
    messages: int
    target_us: float
    broker: str = ""
    warm_up: int = 500
    burst: int = 0
    pause_s: float = 0.0
    others: tuple[Mode, ...] = ()
    pairs: int = 1
    prepared: Literal["", "once", "each"] = ""

    @property
    def program(self) -> Path:
        """The program's file."""
        return PROGRAMS / f"{self.name.replace(' ', '_').replace('-', '_').replace('/', '')}.py"

    @property
    def modes(self) -> tuple[Mode, ...]:
        """Every mode that there is for it, in the order of a round."""
        return tuple(mode for mode in MODES if mode in {"base", "msgtrace", *self.others})


OTEL: Final[tuple[Mode, ...]] = ("otel",)
BOTH: Final[tuple[Mode, ...]] = ("otel", "ddtrace")

WORKLOADS: Final = (
    Workload("redis publish", "redis", "redis", 8_000, 3, "redis", others=BOTH),
    Workload("redis pub/sub", "redis", "redis", 4_000, 6, "redis", others=BOTH),
    Workload("redis pipeline", "redis", "redis", 40_000, 3, "redis", 2_000, 10_000, 0.25, BOTH),
    Workload("aio-pika publish", "aio_pika", "aio-pika", 2_000, 6, "rabbitmq", others=OTEL, pairs=6),
    Workload("aio-pika consume", "aio_pika", "aio-pika", 5_000, 6, "rabbitmq", others=OTEL, prepared="each"),
    Workload("kafka send", "kafka", "kafka-python", 10_000, 6, "kafka", others=OTEL, pairs=3),
    Workload("kafka consume", "kafka", "kafka-python", 10_000, 6, "kafka", others=OTEL, prepared="once"),
    Workload("websockets echo", "websockets", "websockets", 5_000, 6),
    Workload("pyee emit", "pyee", "pyee", 40_000, 3, "", 2_000, 10_000, 0.25),
    Workload("blinker send", "blinker", "blinker", 40_000, 3, "", 2_000, 10_000, 0.25),
)
