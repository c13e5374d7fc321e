"""Runs inside a traced process: what a library's hooked methods look like, and whether they come back when taken out.

restored.py MODULE...     the modules to import; prints a list, an entry for each point
"""

import asyncio
import importlib
import inspect
import json
import sys
from typing import Any

from msgtrace.start import active


def looks(function: Any) -> dict[str, Any]:
    """What a program can see of a function, a class method's included."""
    function = getattr(function, "__func__", function)
    return {
        "signature": str(inspect.signature(function)),
        "kinds": [
            inspect.iscoroutinefunction(function),
            asyncio.iscoroutinefunction(function),
            inspect.isgeneratorfunction(function),
            inspect.isasyncgenfunction(function),
        ],
        "names": [function.__name__, function.__qualname__, function.__module__, function.__doc__],
        "annotations": repr(function.__annotations__),
    }


def main() -> None:
    for module in sys.argv[1:]:
        importlib.import_module(module)
    tracer = active()
    assert tracer is not None
    assert tracer.engine is not None
    points = []
    for placed in tracer.engine.placed:
        point: dict[str, Any] = {"target": placed.point.target, "status": placed.status, "detail": placed.detail}
        points.append(point)
        if placed.status == "wrapped" and placed.original is not None:
            point["alike"] = looks(placed.original) == looks(placed.replacement)
    tracer.stop()
    for placed, point in zip(tracer.engine.placed, points, strict=True):
        if point["status"] == "wrapped":
            name = placed.point.target.rpartition(":")[2].rpartition(".")[2]
            there = vars(placed.owner).get(name)
            point["restored"] = there is placed.original and "msgtrace" not in getattr(
                getattr(there, "__code__", None), "co_filename", ""
            )
    print(json.dumps(points))


main()
