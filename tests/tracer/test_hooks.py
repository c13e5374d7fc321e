"""Every hook, against the installed library: nothing changes in what a program sees, and everything comes back."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from msgtrace.code_site import CodeSites
from msgtrace.engine import Engine, load
from msgtrace.hooks import FILES
from msgtrace.recorder import Recorder
from msgtrace.versions import distribution_version, satisfies

pytestmark = pytest.mark.filterwarnings("ignore")  # the libraries' own, on import of their old interfaces


def targets(name: str) -> dict[str, tuple[Any, str, Any]]:
    """A hook's targets that can be had here: owner, attribute, and what stands in the owner's own namespace."""
    hook = load(name)
    # kombu puts a module without a spec into its own place.
    if hook.library not in sys.modules and importlib.util.find_spec(hook.library) is None:
        pytest.skip(f"{hook.library} is not installed")
    importlib.import_module(hook.library)
    found = {}
    for point in hook.points:
        if point.versions and not satisfies(distribution_version(hook), point.versions):
            continue
        module, _, path = point.target.partition(":")
        try:
            owner: Any = importlib.import_module(module)
        except ImportError:
            continue  # an optional part, whose own dependency is not installed
        *parents, attribute = path.split(".")
        for parent in parents:
            owner = getattr(owner, parent)
        found[point.target] = (owner, attribute, vars(owner).get(attribute))
    return found


@pytest.fixture
def engine() -> Any:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        recorder = Recorder(Path(folder), dict)
        yield Engine(recorder, CodeSites(recorder))


@pytest.mark.parametrize("name", FILES)
def test_restoring_puts_back_the_very_objects(name: str, engine: Engine) -> None:
    before = targets(name)
    engine.add(load(name))
    try:
        replaced = {
            t for t, (owner, attribute, original) in before.items() if vars(owner).get(attribute) is not original
        }
        assert replaced == set(before)
        assert {p.point.target for p in engine.placed if p.status == "wrapped"} >= set(before)
    finally:
        engine.restore()
    for target, (owner, attribute, original) in before.items():
        assert vars(owner).get(attribute) is original, target


@pytest.mark.parametrize("name", FILES)
def test_what_a_program_can_ask_of_a_function_stays(name: str, engine: Engine) -> None:
    before = {
        target: (owner, attribute, described(getattr(owner, attribute)))
        for target, (owner, attribute, _) in targets(name).items()
    }
    engine.add(load(name))
    try:
        for target, (owner, attribute, description) in before.items():
            after = described(getattr(owner, attribute))
            if sys.version_info < (3, 12) and dispatched(name, target):
                # Known and documented: docs/decisions/0004-closures-and-one-proxy.md
                description["coroutine function"] = after["coroutine function"] = None
            assert after == description, target
    finally:
        engine.restore()


def dispatched(name: str, target: str) -> bool:
    return any(point.target == target and point.action is None for point in load(name).points)


def described(function: Any) -> dict[str, Any]:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        signature = None
    return {
        "signature": signature,
        "name": function.__name__,
        "qualified name": function.__qualname__,
        "module": function.__module__,
        "doc": function.__doc__,
        "coroutine function": inspect.iscoroutinefunction(function),
        "generator function": inspect.isgeneratorfunction(function),
        "async generator function": inspect.isasyncgenfunction(function),
    }


def test_hook_is_placed_once(engine: Engine) -> None:
    import pyee.base

    hook = load("pyee")
    engine.add(hook)
    once = vars(pyee.base.EventEmitter)["emit"]
    assert tuple(engine.add(hook)) == ()
    assert vars(pyee.base.EventEmitter)["emit"] is once
    engine.restore()


def test_what_somebody_else_wrapped_since_is_left_in_place(engine: Engine) -> None:
    import pyee.base

    original = vars(pyee.base.EventEmitter)["emit"]
    engine.add(load("pyee"))
    ours = vars(pyee.base.EventEmitter)["emit"]

    def theirs(*args: Any, **kwargs: Any) -> Any:
        return ours(*args, **kwargs)

    pyee.base.EventEmitter.emit = theirs  # type: ignore[method-assign]  # as another tool would
    try:
        engine.restore()
        assert vars(pyee.base.EventEmitter)["emit"] is theirs
        details = [p.detail for p in engine.placed if p.point.target == "pyee.base:EventEmitter.emit"]
        assert details == ["wrapped again by somebody else, left in place"]
    finally:
        pyee.base.EventEmitter.emit = original  # type: ignore[method-assign]  # as it was
