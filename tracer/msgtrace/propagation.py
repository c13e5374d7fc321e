"""`--propagate`: what is added to an outgoing message's headers, by OpenTelemetry's propagators.

The parent span that a receiver sees is the operation itself: its span id is made of the process and the sequence, so that
the collector finds the send that a received `traceparent` names without any table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import propagate, trace

if TYPE_CHECKING:
    from msgtrace.probe import Probe


def span_id(process_id: bytes, sequence: int) -> int:
    """The span id of an operation: 64 bits out of the process's random id, moved on by the sequence; never 0.

    >>> span_id(bytes(16), 1) != span_id(bytes(16), 2)
    True
    """
    # An odd multiplier permutes the 64-bit numbers: two sequences of one process never share an id.
    start = int.from_bytes(process_id[:8], "little")
    return (start + sequence * 0x9E3779B97F4A7C15) % (1 << 64) or 1


def trace_id(process_id: bytes, sequence: int) -> int:
    """The trace id where the program has no trace of its own; never 0."""
    return (int.from_bytes(process_id, "little") ^ sequence) or 1


def fields_for(probe: Probe, sequence: Any) -> dict[str, str]:
    """The headers of one send.

    Args:
        probe: the point's.
        sequence: the send's; of several, one message each can't be told apart, and none is marked.

    Returns:
        `traceparent` and whatever else the configured propagators write (baggage). The trace id is that of the
        program's own current span where there is one. A hook adds none to a message that has one already.
    """
    if type(sequence) is not int:
        return {}
    process_id = probe.recorder.process_id
    own = trace.get_current_span().get_span_context()
    context = trace.SpanContext(
        trace_id=own.trace_id or trace_id(process_id, sequence),
        span_id=span_id(process_id, sequence),
        is_remote=False,
        trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
    )
    carrier: dict[str, str] = {}
    propagate.inject(carrier, context=trace.set_span_in_context(trace.NonRecordingSpan(context)))
    return carrier
