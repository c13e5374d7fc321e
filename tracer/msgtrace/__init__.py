"""msgtrace records every message that a Python program really publishes and consumes.

Run a program under it: `msgtrace run -- python app.py`. Or record from inside of one: `install`, `tracing`. To import this
package costs nothing: what it names is loaded on use. (PYTEST_DONT_REWRITE: where it is loaded before pytest, it would warn.)
"""

from __future__ import annotations

__version__ = "0.1.0"
__all__ = [
    "CannotRecordError",
    "Trace",
    "__version__",
    "bus",
    "ignore",
    "install",
    "tracing",
    "uninstall",
]

TYPE_CHECKING = False  # as typing has it, which is not imported here
if TYPE_CHECKING:
    from typing import Any

    from msgtrace.ignoring import ignore as ignore
    from msgtrace.installing import CannotRecordError as CannotRecordError
    from msgtrace.installing import Trace as Trace
    from msgtrace.installing import install as install
    from msgtrace.installing import tracing as tracing
    from msgtrace.installing import uninstall as uninstall
    from msgtrace.own_bus import bus as bus

_PLACES = {
    "CannotRecordError": "msgtrace.installing",
    "Trace": "msgtrace.installing",
    "bus": "msgtrace.own_bus",
    "ignore": "msgtrace.ignoring",
    "install": "msgtrace.installing",
    "tracing": "msgtrace.installing",
    "uninstall": "msgtrace.installing",
}


def __getattr__(name: str) -> Any:
    """Load what was asked for."""
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib  # noqa: PLC0415 - loaded in every interpreter, bound on use

    found = globals()[name] = getattr(importlib.import_module(place), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
