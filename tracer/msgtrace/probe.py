"""One wrapped point at run time: what its wrapper calls to record, and the guard that keeps our errors from the program."""

from __future__ import annotations

import logging
import os
import sys
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, Final

from msgtrace.context import CURRENT
from msgtrace.records import POINTS

if TYPE_CHECKING:
    from msgtrace.code_site import CodeSites
    from msgtrace.hook import Hook
    from msgtrace.recorder import Recorder
    from msgtrace.records import Facts, Message

MAX_FAILURES: Final = 10
"""Failures after which a point records nothing any more."""

_RAISE: Final = os.environ.get("MSGTRACE_RAISE") == "1"
"""Our own tests want our errors; nobody else does."""

_log = logging.getLogger("msgtrace")


class Probe:
    """What one point's wrapper records through.

    Attributes:
        failures: how often our code failed here.
    """

    __slots__ = ("_definition", "_recorder", "_sites", "failures", "kind", "target")

    def __init__(self, recorder: Recorder, sites: CodeSites, hook: Hook, version: str, kind: str, target: str) -> None:
        self._recorder = recorder
        self._sites = sites
        self._definition = (hook.library, version, hook.system, kind, target)
        self.kind = kind
        self.target = target
        self.failures = 0

    def begin(self, message: Message, depth: int = 1, causes: Any = None) -> int:
        """Record that the operation begins; see `Recorder.begin` and `observe`."""
        recorder = self._recorder
        state = 0
        if causes is None:
            cause = CURRENT.get()
            if cause is not None:
                causes, state = cause.sequences, cause.state
        otel = sys.modules.get("opentelemetry.trace")
        if otel is not None:
            add_span(otel, message)
        return recorder.begin(
            recorder.number(POINTS, self._definition),
            self._sites.here(depth + 1),
            causes,
            state,
            message,
        )

    def observe(self, message: Message, outcome: str = "ok", started_ns: int = 0, depth: int = 1, causes: Any = None) -> int:
        """Record an operation that is over; see `Recorder.observe`.

        Args:
            message: what was seen; its `outcome`, if it has one, stands for `outcome` unless that is an error.
            outcome: how the call ended.
            started_ns: monotonic time of its start.
            depth: frames between the wrapper and here.
            causes: the sequence of the cause; that of the context by default.
        """
        recorder = self._recorder
        state = 0
        if causes is None:
            cause = CURRENT.get()
            if cause is not None:
                causes, state = cause.sequences, cause.state
        otel = sys.modules.get("opentelemetry.trace")
        if otel is not None:
            add_span(otel, message)
        if outcome == "ok":
            outcome = message.pop("outcome", "ok")
        return recorder.observe(
            recorder.number(POINTS, self._definition),
            self._sites.here(depth + 1),
            causes,
            state,
            message,
            outcome,
            monotonic_ns() - started_ns if started_ns else 0,
        )

    def complete(
        self, sequence: Any, outcome: str = "ok", error: BaseException | None = None, facts: Facts | None = None
    ) -> None:
        """Record how an operation, or each of several, ended."""
        if facts and "outcome" in facts:
            outcome = facts.pop("outcome")
        if type(sequence) is int:
            self._recorder.complete(sequence, outcome, error, facts)
        else:
            for each in sequence:
                self._recorder.complete(each, outcome, error, facts)

    def failed(self, error: Exception) -> None:
        """Count a failure of ours; the program never sees it."""
        self.failures += 1
        if _RAISE:
            raise error
        if self.failures == MAX_FAILURES:
            _log.warning("msgtrace: %s failed %d times (%r) and records no more", self.target, MAX_FAILURES, error)
        if self.failures in {1, MAX_FAILURES}:
            try:
                self._recorder.lose("hook failed", 1, f"{self.target}: {type(error).__name__}: {error}"[:500])
            except Exception:  # noqa: BLE001 - nothing is left to tell it to
                return


def outcome_of(error: BaseException) -> str:
    """How a call that raised ended: by its caller's will, or not."""
    return "cancelled" if type(error).__name__ in {"CancelledError", "GeneratorExit"} else "raised"


def add_span(otel: Any, message: Message) -> None:
    """Put the ids of the program's own current OpenTelemetry span on a message, if there is one."""
    span = otel.get_current_span().get_span_context()
    if span.trace_id and "trace_id" not in message:
        message["trace_id"] = f"{span.trace_id:032x}"
        message["span_id"] = f"{span.span_id:016x}"
