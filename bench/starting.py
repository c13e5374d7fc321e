"""Starts one workload in one mode: the same program each time, started differently, in a fresh process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench import recording, watching

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.catalogue import Mode, Workload
    from bench.sink import Sink

ROOT: Final = Path(__file__).parents[1]
RUN_SECONDS: Final = 120
"""After which a run is killed and counts as failed."""
FOREIGN: Final = ("OTEL_", "DD_", "MSGTRACE_", "PYTHONPATH")
"""Variables of ours, or of the shell's, that would make the base something else."""


class RunFailed(Exception):  # noqa: N818 - reads as what it is
    """A workload did not end as it should; the text is its last words."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One run.

    Attributes:
        cpu_us: CPU time of the program per message, microseconds, all threads, the loop only.
        wall_us: wall time per message.
        waits: how often the program gave up its processor to wait, per message: an event loop's wake-ups, mostly.
        operations: operations recorded per message by kind, warm-up included on both sides; msgtrace only.
        linked: shares of receives and handlings that are linked to their send; None where there are none.
        losses: what the recording says is missing from it.
        spans: spans that arrived at the sink per message; other tracers only.
        beside_us: CPU time of the collector per operation, from its being ready to its end; msgtrace only.
    """

    workload: str
    mode: str
    round: int
    cpu_us: float
    wall_us: float
    operations: dict[str, float] = field(default_factory=dict)
    linked: float | None = None
    losses: dict[str, int] = field(default_factory=dict)
    spans: float | None = None
    beside_us: float | None = None
    waits: float = 0.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a workload's traffic goes.

    Attributes:
        url: the broker's, '' without one.
        channel: a name of this benchmark run's own.
        sink: takes in what other tracers export.
    """

    url: str
    channel: str
    sink: Sink


def arguments(workload: Workload, place: Place, scale: float, step: str = "run") -> list[str]:
    """The workload and its options.

    Args:
        workload: which.
        place: where its traffic goes.
        scale: of the number of messages, 1 for the catalogue's.
        step: as in `workloads.measuring`.
    """
    return [
        str(workload.program),
        f"--messages={max(10, round(workload.messages * scale))}",
        f"--warm-up={max(10, round(workload.warm_up * scale))}",
        f"--burst={round(workload.burst * scale)}",
        f"--pause-s={workload.pause_s}",
        f"--url={place.url}",
        f"--channel={place.channel}",
        f"--step={step}",
    ]


def untouched() -> dict[str, str]:
    """This process's environment without anything that tells a tracer what to do."""
    return {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}


def step(workload: Workload, place: Place, scale: float, name: str) -> None:
    """Prepare or clean up for a workload, untraced.

    Raises:
        RunFailed: it did not work.
    """
    _finish(_start([sys.executable, *arguments(workload, place, scale, name)], {}))


def run(workload: Workload, mode: Mode, place: Place, scale: float = 1, number: int = 0) -> Sample:
    """Run a workload once.

    Args:
        workload: which.
        mode: how it is started.
        place: where its traffic goes.
        scale: of the number of messages.
        number: the round's, for the sample.

    Raises:
        RunFailed: the program failed, or printed no measurement.
    """
    program = arguments(workload, place, scale)
    if mode == "msgtrace":
        return _traced(workload, program, number)
    said = _finish(_start(_command(mode, workload, program), _variables(mode, place.sink)))
    return _sample(workload, mode, number, said, spans=None if mode == "base" else place.sink.spans() / _all(said))


def _traced(workload: Workload, program: list[str], number: int) -> Sample:
    with tempfile.TemporaryDirectory(prefix="msgtrace-bench-") as folder:
        trace = Path(folder) / "trace.duckdb"
        command = [
            sys.executable,
            "-m",
            "msgtrace",
            "run",
            "--quiet",
            "--db",
            str(trace),
            "--",
            sys.executable,
            *program,
        ]
        process = _start(command, {})
        collector = watching.collector_of(process)
        said = _finish(process)
        recorded = recording.read(trace, workload.library)
    per_message = {kind: count / _all(said) for kind, count in recorded.operations.items()}
    return _sample(
        workload, "msgtrace", number, said,
        operations=per_message, linked=recorded.linked, losses=recorded.losses,
        beside_us=collector.cpu_us / max(1, sum(recorded.operations.values())),
    )  # fmt: skip


def _command(mode: Mode, workload: Workload, program: list[str]) -> list[str]:
    match mode:
        case "otel":
            return [sys.executable, str(ROOT / "bench" / "under_opentelemetry.py"), workload.library, *program]
        case "ddtrace":
            return [str(Path(sys.executable).parent / "ddtrace-run"), sys.executable, *program]
        case _:
            return [sys.executable, *program]


def _variables(mode: Mode, sink: Sink) -> dict[str, str]:
    match mode:
        case "otel":
            return {"OTEL_EXPORTER_OTLP_ENDPOINT": sink.url, "OTEL_SERVICE_NAME": "bench"}
        case "ddtrace":
            # Off: what is not tracing, so that only tracing is compared.
            return {
                "DD_TRACE_AGENT_URL": sink.url,
                "DD_SERVICE": "bench",
                "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
                "DD_REMOTE_CONFIGURATION_ENABLED": "false",
                "DD_CRASHTRACKING_ENABLED": "false",
                "DD_RUNTIME_METRICS_ENABLED": "false",
            }
        case _:
            return {}


def _start(command: list[str], variables: Mapping[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command, env={**untouched(), **variables}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )


def _finish(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Wait for a workload's end; what it said, or nothing if it said nothing."""
    try:
        output, errors = process.communicate(timeout=RUN_SECONDS)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.communicate()
        raise RunFailed(f"not finished after {RUN_SECONDS} s") from None
    if process.returncode:
        last_words = errors.strip().splitlines()[-1:]
        raise RunFailed(f"exit code {process.returncode}: {''.join(last_words)[:600]}")
    lines = [line for line in output.splitlines() if line.startswith("{")]
    said: dict[str, Any] = json.loads(lines[-1]) if lines else {}
    return said


def _all(said: dict[str, Any]) -> int:
    return int(said["messages"]) + int(said["warm_up"])


def _sample(workload: Workload, mode: str, number: int, said: dict[str, Any], **more: Any) -> Sample:
    if not said:
        raise RunFailed("it printed no measurement")
    messages = said["messages"]
    cpu, wall, waits = (said[name] / messages for name in ("cpu_us", "wall_us", "waits"))
    return Sample(workload.name, mode, number, cpu, wall, waits=waits, **more)
