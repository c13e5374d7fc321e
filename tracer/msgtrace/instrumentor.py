"""msgtrace as an OpenTelemetry instrumentor: `opentelemetry-instrument python app.py` loads it with the others.

It records only where `msgtrace run` or `msgtrace collect` has set MSGTRACE_SPOOL; otherwise loading it does nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]  # not re-exported

from msgtrace.start import start, stop

if TYPE_CHECKING:
    from collections.abc import Collection


class MsgtraceInstrumentor(BaseInstrumentor):  # type: ignore[misc]  # untyped upstream
    """See `opentelemetry.instrumentation.instrumentor.BaseInstrumentor`."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """None: it hooks whatever the program imports."""
        return ()

    def _instrument(self, **_options: Any) -> None:
        start()

    def _uninstrument(self, **_options: Any) -> None:
        stop()
