"""One wrapped point at run time: what its wrapper calls to record, and the guard that keeps our errors from the program."""

from __future__ import annotations

import os
import sys
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, Final

from msgtrace.context import CURRENT
from msgtrace.native import MAX_FAILURES, native
from msgtrace.records import POINTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from msgtrace.code_site import CodeSites
    from msgtrace.hook import Hook, Together
    from msgtrace.recorder import Recorder
    from msgtrace.records import Facts, Message

_RAISE: Final = os.environ.get("MSGTRACE_RAISE") == "1"
"""Our own tests want our errors; nobody else does."""

_current = CURRENT.get
_frame = sys._getframe  # noqa: SLF001 - the documented way to a frame without a traceback
_otel: Any = None
"""The program's OpenTelemetry, once it has one: never imported by us."""


def _no_context() -> Any:
    return None


_otel_context: Callable[[], Any] = _no_context
"""What the program's OpenTelemetry has at hand; empty while it makes no spans, as where only redis-py imported it."""


def opentelemetry_imported() -> None:
    """Read span ids from the program's OpenTelemetry from now on."""
    global _otel, _otel_context  # noqa: PLW0603 - the module is one a process
    _otel = sys.modules.get("opentelemetry.trace")
    current = getattr(sys.modules.get("opentelemetry.context"), "get_current", None)
    if current is not None:
        _otel_context = current
    if native is not None:
        native.use_span(add_current_span, _otel_context)


def add_current_span(message: Message) -> None:
    """Put the ids of the program's own current OpenTelemetry span on a message, if it makes spans."""
    if _otel_context():
        add_span(_otel, message)


class InPython:
    """What `_native.Probe` does, for where there is none: the two must write the same records.

    Attributes:
        point: this point's interned number; 0 while it has none.
        depth, failures, propagates, recorder: see `Probe`.
    """

    __slots__ = ("depth", "failures", "point", "propagates")
    recorder: Recorder
    sites: CodeSites

    def __init__(self, _pen: Any) -> None:
        self.point = 0
        self.depth = 0
        self.failures = 0
        self.propagates = False

    def begin(
        self,
        message: Message,
        depth: int = 1,
        causes: Any = None,
        sequence: int = 0,
        frame: FrameType | None = None,
    ) -> int:
        """Record that an operation begins.

        Args:
            message: what is known of it.
            depth: frames between the caller's and the program's call, for speed only; ours are never taken for it. 0
                for an operation that a library begins: where that was called from says nothing of it.
            causes: the sequence of the cause; that of the context by default.
            sequence: the operation's, when it was taken before.
            frame: the program's call, when that is known better than by `depth`.

        Returns:
            its sequence, for `complete` and as a cause.
        """
        state = 0
        if causes is None:
            cause = _current()
            if cause is not None:
                causes, state = cause.sequences, cause.state_here()
        if _otel is not None:
            add_current_span(message)
        recorder = self.recorder
        body = message.get("body")
        if body is not None and len(body) > recorder.body_limit:
            recorder.cap(message, body)
        site = 0
        if frame is None and depth:
            try:
                frame = _frame(depth)
            except ValueError:  # the call is all that a greenlet, or a thread, runs
                frame = None
        if frame is not None:
            site = self.sites.places.get((id(frame.f_code), frame.f_lasti)) or self.sites.find(frame)
        point = self.point or self.number()
        try:
            thread = recorder.thread.number
        except AttributeError:
            thread = recorder.thread_number()
        sequence = sequence or recorder.next_sequence()
        record = (0, sequence, monotonic_ns(), point, thread, site, causes, state, message)
        try:
            payload = recorder.encode(record)
        except UnicodeEncodeError:
            payload = recorder.encode_odd(record)
        recorder.write(payload)
        return sequence

    def observe(  # noqa: C901 - what a function of its own would cost is measured
        self, message: Message, outcome: str = "ok", started_ns: int = 0, depth: int = 1, causes: Any = None
    ) -> int:
        """Record an operation that is over.

        Args:
            message: what was seen; its `outcome`, if it has one, stands for `outcome` unless that is an error.
            outcome: how the call ended.
            started_ns: monotonic time of its start, 0 if that says nothing.
            depth: as in `begin`.
            causes: as in `begin`.

        Returns:
            its sequence, as a cause.
        """
        state = 0
        if causes is None:
            cause = _current()
            if cause is not None:
                causes, state = cause.sequences, cause.state_here()
        if _otel is not None:
            add_current_span(message)
        if outcome == "ok":
            outcome = message.pop("outcome", "ok")
        recorder = self.recorder
        body = message.get("body")
        if body is not None and len(body) > recorder.body_limit:
            recorder.cap(message, body)
        site = 0
        if depth:
            try:
                frame = _frame(depth)
            except ValueError:  # as in `begin`
                site = 0
            else:
                site = self.sites.places.get((id(frame.f_code), frame.f_lasti)) or self.sites.find(frame)
        point = self.point or self.number()
        try:
            thread = recorder.thread.number
        except AttributeError:
            thread = recorder.thread_number()
        sequence = recorder.next_sequence()
        now = monotonic_ns()
        duration = now - started_ns if started_ns else 0
        record = (2, sequence, now, point, thread, site, causes, state, message, outcome, duration)
        try:
            payload = recorder.encode(record)
        except UnicodeEncodeError:
            payload = recorder.encode_odd(record)
        recorder.write(payload)
        return sequence

    def number(self) -> int:
        """See `Probe`."""
        raise NotImplementedError


if TYPE_CHECKING or native is None:  # noqa: SIM108 - type checkers follow no conditional expression
    Base = InPython
else:
    Base = native.Probe


class Probe(Base):
    """What one point's wrapper records through.

    Attributes:
        depth: `begin`'s, for what `guarded` records: no more frames than there are, or the program's would be missed.
        failures: how often our code failed here.
        recorder: where operations go.
        sites: finds code sites.
        propagates: what is sent here carries a `traceparent` with the operation's own span id.
    """

    __slots__ = ("_definition", "kind", "recorder", "sites", "target")

    def __init__(self, recorder: Recorder, sites: CodeSites, hook: Hook, version: str, kind: str, target: str) -> None:
        super().__init__(recorder.pen)
        self.recorder = recorder
        self.sites = sites
        self._definition = (hook.library, version, hook.system, kind, target)
        self.kind = kind
        self.target = target
        self.depth = 0 if kind == "process" else 3
        recorder.on_adopt.append(self._forget)

    def _forget(self) -> None:
        self.point = 0

    def number(self) -> int:
        """This point's interned number."""
        self.point = self.recorder.number(POINTS, self._definition)
        return self.point

    def complete(
        self,
        sequence: Any,
        outcome: str = "ok",
        error: BaseException | tuple[str, str] | None = None,
        facts: Facts | None = None,
    ) -> None:
        """Record how an operation, or each of several, ended; see `Recorder.complete`."""
        if facts and "outcome" in facts:
            outcome = facts.pop("outcome")
        if type(sequence) is int:
            self.recorder.complete(sequence, outcome, error, facts)
        else:
            for each in sequence:
                self.recorder.complete(each, outcome, error, facts)

    def together(self, told: Together) -> None:
        """Record that several operations ended well at once."""
        self.recorder.together(told.sequences, told.facts)

    def failed(self, error: Exception) -> None:
        """Count a failure of ours; the program never sees it."""
        self.failures += 1
        if _RAISE:
            raise error
        if self.failures == MAX_FAILURES:
            import logging  # noqa: PLC0415 - the rare way, and it costs three milliseconds

            logging.getLogger("msgtrace").warning(
                "msgtrace: %s failed %d times (%r) and records no more", self.target, MAX_FAILURES, error
            )
        try:
            self.recorder.lose("hook failed", 1, f"{self.target}: {type(error).__name__}: {error}"[:500])
        except Exception:  # noqa: BLE001 - nothing is left to tell it to
            return


def outcome_of(error: BaseException) -> str:
    """How a call that raised ended: by its caller's will, or not."""
    return "cancelled" if type(error).__name__ in {"CancelledError", "GeneratorExit"} else "raised"


def add_span(otel: Any, message: Message) -> None:
    """Put the ids of the program's own current OpenTelemetry span on a message, if there is one."""
    current = getattr(otel, "get_current_span", None)
    if current is None:
        return  # still being imported
    span = current().get_span_context()
    if span.trace_id and "trace_id" not in message:
        message["trace_id"] = f"{span.trace_id:032x}"
        message["span_id"] = f"{span.span_id:016x}"


if "opentelemetry.trace" in sys.modules:
    opentelemetry_imported()
