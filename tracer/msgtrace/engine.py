"""Installs hooks and takes them out again: finds targets, replaces them, keeps what was there, says what became of each.

Methods are replaced on the classes that define them, so instances and names that the program already has are covered.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from msgtrace import interning
from msgtrace.hook import Action, Hook, Point, Several, Status
from msgtrace.native import MAX_FAILURES
from msgtrace.parts import several
from msgtrace.probe import Probe
from msgtrace.versions import distribution_version, satisfies
from msgtrace.wrappers import dispatcher, is_coroutine_function, replacement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from msgtrace.code_site import CodeSites
    from msgtrace.recorder import Recorder


class Placed(Struct):
    """One point, and what became of it.

    Attributes:
        hook: its hook.
        point: the point.
        status: see `hook.Status`.
        detail: why, when it is not as wished.
        version: the library's version.
        owner: the class or module whose attribute was replaced.
        original: what stood in the owner's own namespace; None if it was inherited.
        replacement: what stands there now.
        probes: what counts its failures.
    """

    hook: Hook
    point: Point
    status: Status = "waiting"
    detail: str = ""
    version: str = ""
    owner: Any = None
    original: Any = None
    replacement: Any = None
    probes: tuple[Probe, ...] = ()

    @property
    def state(self) -> Status:
        """The status, or `off` for a point that failed too often."""
        if self.status == "wrapped" and any(p.failures >= MAX_FAILURES for p in self.probes):
            return "off"
        return self.status


class Engine:
    """The hooks of this process.

    Args:
        recorder: where operations go.
        sites: finds code sites.
    """

    def __init__(self, recorder: Recorder, sites: CodeSites) -> None:
        self._recorder = recorder
        self._sites = sites
        self._lock = threading.RLock()
        self._waiting: dict[str, list[Placed]] = {}
        self.placed: list[Placed] = []

    def add(self, hook: Hook) -> Iterable[str]:
        """Add a hook; points in modules that the program already has are placed now.

        Returns:
            names of the modules that others are waiting for; call `imported` when the program has imported one.
        """
        with self._lock:
            if any(placed.hook is hook for placed in self.placed):
                return ()
            for point in hook.points:
                placed = Placed(hook, point)
                self.placed.append(placed)
                if point.owner is not None:
                    self._place_guarded(placed)
                else:
                    self._waiting.setdefault(point.target.partition(":")[0], []).append(placed)
            modules = {point.target.partition(":")[0] for point in hook.points if point.owner is None}
            for name in modules:
                if is_loaded(name):
                    self.imported(name)
            return modules & self._waiting.keys()

    def find(self) -> None:
        """Record what the program had made before this was put in: for attaching to it."""
        from msgtrace.found_at_attach import find  # noqa: PLC0415 - only what is attached to comes here

        with self._lock:
            find(self.placed, self._recorder, self._sites)

    def imported(self, name: str) -> None:
        """Place the points that waited for a module which has now been executed. Never raises."""
        with self._lock:
            for placed in self._waiting.pop(name, ()):
                self._place_guarded(placed)

    def _place_guarded(self, placed: Placed) -> None:
        try:
            self._place(placed)
        except Exception as error:
            placed.status, placed.detail = "failed", f"{type(error).__name__}: {error}"
            if os.environ.get("MSGTRACE_RAISE") == "1":
                raise
        if placed.status in {"missing", "failed"}:
            self._recorder.lose("hook not placed", 1, f"{placed.point.target}: {placed.detail}")

    def _place(self, placed: Placed) -> None:
        placed.version = distribution_version(placed.hook)
        if placed.point.versions and placed.version and not satisfies(placed.version, placed.point.versions):
            placed.status, placed.detail = "off", f"not part of {placed.hook.library} {placed.version}"
            return
        module, _, path = placed.point.target.partition(":")
        *parents, name = path.split(".")
        owner: Any = placed.point.owner
        if owner is None:
            owner = sys.modules[module]
            for parent in parents:
                owner = getattr(owner, parent, None)
        current = _defined(owner, name)
        if current is None:
            placed.status, placed.detail = "missing", f"{placed.hook.library} {placed.version} has no {path}"
            return
        function = current.__func__ if isinstance(current, (staticmethod, classmethod)) else _unbound(current, owner)
        if not callable(function):
            placed.status, placed.detail = "missing", f"{path} is no function"
            return
        made: Any = self._replacement(placed, function)
        if isinstance(current, (staticmethod, classmethod)):
            made = type(current)(made)
        placed.owner = owner
        placed.original = vars(owner).get(name)
        placed.replacement = made
        setattr(owner, name, made)
        placed.status = "wrapped"

    def _replacement(self, placed: Placed, function: Callable[..., Any]) -> Callable[..., Any]:
        point = placed.point
        actions = {id(each): each for each in point.table.values()} if point.action is None else {0: point.action}
        probes: list[Probe] = []
        made = {}
        for key, whole in actions.items():
            action = whole if interning.settings.sample >= 1 else _of_sample(whole)
            pair = self._probes(placed, action)
            probes += pair
            if point.action is None and pair[0].depth and not is_coroutine_function(function):
                pair[0].depth += 1  # the dispatcher stands between
            if isinstance(action, Several):
                kinds: dict[str, Probe] = {kind: self._probe(placed, kind) for kind in action.kinds}
                probes += kinds.values()
                made[key] = several(function, pair[0], kinds, action)
            else:
                made[key] = replacement(function, action, *pair)
        placed.probes = tuple(probes)
        if point.action is not None:
            return made[0]
        return dispatcher(function, {value: made[id(action)] for value, action in point.table.items()}, point.argument)

    def _probes(self, placed: Placed, action: Action) -> tuple[Probe, Probe]:
        return self._probe(placed, action.kind), self._probe(placed, "process")

    def _probe(self, placed: Placed, kind: str) -> Probe:
        return Probe(self._recorder, self._sites, placed.hook, placed.version, kind, placed.point.target)

    def restore(self, *, wait: bool = True) -> bool:
        """Put back everything that is still ours. What somebody else has wrapped since is left, does nothing, and is said.

        Args:
            wait: False where another thread that is just hooking something must not be waited for.

        Returns:
            whether it was done.
        """
        if not self._lock.acquire(blocking=wait):
            return False
        try:
            self._waiting.clear()
            for placed in reversed(self.placed):
                for probe in placed.probes:
                    probe.failures = MAX_FAILURES
                if placed.status != "wrapped":
                    continue
                name = placed.point.target.rpartition(":")[2].rpartition(".")[2]
                if vars(placed.owner).get(name) is not placed.replacement:
                    placed.detail = "wrapped again by somebody else, left in place"
                    continue
                if placed.original is None:
                    delattr(placed.owner, name)
                else:
                    setattr(placed.owner, name, placed.original)
                placed.status = "restored"
        finally:
            self._lock.release()
        return True


def _defined(owner: Any, name: str) -> Any:
    """What a class or module has under a name, as it stands there: nothing is bound, nothing is called."""
    for each in owner.__mro__ if isinstance(owner, type) else (owner,):
        if name in getattr(each, "__dict__", ()):
            return vars(each)[name]
    return None


def _unbound(current: Any, owner: Any) -> Any:
    """What is called with the instance as its first argument.

    Of a function that is itself. Other tools' wrappers (wrapt's `FunctionWrapper`, which OpenTelemetry uses) take their first
    argument for the instance only when they were asked for through the class.
    """
    bind = getattr(type(current), "__get__", None)
    return current if bind is None or not isinstance(owner, type) else bind(current, None, owner)


def _of_sample(action: Action) -> Action:
    from msgtrace.sampling import sampled  # noqa: PLC0415 - few programs are sampled

    return sampled(action, interning.settings.sample)


def is_loaded(name: str) -> bool:
    """Whether the program has wholly imported a module."""
    module = sys.modules.get(name)
    if module is None:
        return False
    return not getattr(getattr(module, "__spec__", None), "_initializing", False)


def load(name: str) -> Hook:
    """The hook of a library, by the name of its file under `msgtrace.hooks`."""
    hook: Hook = importlib.import_module(f"msgtrace.hooks.{name}").HOOK
    return hook
