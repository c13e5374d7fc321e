"""Looks once for what a program had made before it was attached to: subscriptions, consumers, connections, registrations.

Hooks name the classes whose instances tell (`Hook.found`). All objects that the garbage collector knows are looked at, their
classes alone; nothing of the program's is called, and the look has a limit.
"""

from __future__ import annotations

import gc
import sys
from time import thread_time
from typing import TYPE_CHECKING, Any, Final

from msgtrace.engine import is_loaded
from msgtrace.probe import Probe

if TYPE_CHECKING:
    from collections.abc import Iterable

    from msgtrace.code_site import CodeSites
    from msgtrace.engine import Placed
    from msgtrace.hook import Found
    from msgtrace.recorder import Recorder
    from msgtrace.records import Message

ORIGIN: Final = "found at attach"
"""What `settings.origin` says of such a fact."""
AT_MOST_S: Final = 0.25
"""Of processor, not by the clock: on a busy machine that is somebody else's time."""
_AT_ONCE: Final = 50_000
MOST: Final = 10_000
"""Objects that are read."""

_line = type.__dict__["__mro__"].__get__


def find(placed: Iterable[Placed], recorder: Recorder, sites: CodeSites) -> None:
    """Record what is there already.

    Args:
        placed: the points; libraries of which something is hooked are looked for.
        recorder: where the facts go.
        sites: as a probe wants them.
    """
    wanted: dict[type, list[tuple[Found, Placed]]] = {}
    for one in {each.hook.library: each for each in placed if each.status == "wrapped"}.values():
        for found in one.hook.found:
            kind = _class(found.target)
            if kind is not None:
                wanted.setdefault(kind, []).append((found, one))
    if not wanted:
        return
    matches, whole = _matching(wanted)
    if not whole:
        recorder.lose(
            "not looked at",
            1,
            "objects of a large program: what it had subscribed to before may be missing",
        )
    probes: dict[tuple[str, str], Probe] = {}
    for (found, one), thing in matches:
        name = one.hook.library, found.kind
        probe = probes.get(name)
        if probe is None:
            probe = probes[name] = Probe(recorder, sites, one.hook, one.version, found.kind, found.target)
        _record(probe, found, thing)
    for probe in probes.values():
        recorder.on_adopt.remove(probe._forget)  # noqa: SLF001 - it records nothing any more


def _class(target: str) -> type | None:
    module, _, name = target.partition(":")
    if not is_loaded(module):
        return None
    kind = getattr(sys.modules[module], name, None)
    return kind if isinstance(kind, type) else None


def _matching(
    wanted: dict[type, list[tuple[Found, Placed]]],
) -> tuple[list[tuple[tuple[Found, Placed], Any]], bool]:
    """Objects of wanted classes, in the order in which hooks name these; and whether everything was looked at."""
    ends = thread_time() + AT_MOST_S
    known: dict[type, list[tuple[Found, Placed]]] = {}
    matches: list[tuple[tuple[Found, Placed], Any]] = []
    whole = True
    objects = gc.get_objects()
    for start in range(0, len(objects), _AT_ONCE):
        if thread_time() > ends or len(matches) > MOST:
            whole = False
            break
        some = objects[start : start + _AT_ONCE]
        for kind in set(map(type, some)).difference(known):
            known[kind] = [each for base in _line(kind) for each in wanted.get(base, ())]
        chosen = {kind for kind, found in known.items() if found}
        if chosen:
            matches += [(each, thing) for thing in some if type(thing) in chosen for each in known[type(thing)]]
        del some
    del objects
    order = {
        id(found): place for place, (found, _) in enumerate(each for several in wanted.values() for each in several)
    }
    matches.sort(key=lambda match: (match[0][1].hook.library, match[0][0].rank, order[id(match[0][0])]))
    return matches, whole


def _record(probe: Probe, found: Found, thing: Any) -> None:
    try:
        told = found.read(thing)
        messages: list[Message] = [] if told is None else told if isinstance(told, list) else [told]
        for message in messages:
            message["settings"] = {**message.get("settings", {}), "origin": ORIGIN}
            probe.observe(message, "ok", 0, 0, ())
    except Exception as error:  # noqa: BLE001 - the contract with the host program
        probe.failed(error)
