"""Passes: SQL for sets and pure functions for judgement, each turning a study of a trace into findings.

A module of this package is imported without the others: a command needs few of them, and a process that helps to read
bodies almost none.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from msgtrace_analysis.passes.examining import alerts_of, examine, resilience_of
    from msgtrace_analysis.passes.preparing import prepare, span_ns

__all__ = ["alerts_of", "examine", "prepare", "resilience_of", "span_ns"]

_MODULES: Final = {
    "alerts_of": "examining",
    "examine": "examining",
    "resilience_of": "examining",
    "prepare": "preparing",
    "span_ns": "preparing",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
