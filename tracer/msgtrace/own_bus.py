"""`msgtrace.bus(...)`: has the messages of a program's own in-process bus recorded, like those of pyee or blinker.

What is declared is kept; nothing is hooked, and nothing more is imported, until something records.
"""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace.hook import Hook
    from msgtrace.records import Message

    Bus = TypeVar("Bus", bound=type)

SYSTEM: Final = "in_process"


class Declared:
    """A class that is a bus.

    Args:
        owner: the class.
        send: its method that publishes.
        event: that method's parameter that names what happened.
        run: its method that calls one handler, inside of `send`; '' if there is none.
        handler: that method's parameter that is the handler.
        name: of the bus; the class's own if empty.

    Raises:
        TypeError: the class has no such methods, or these no such parameters.
    """

    def __init__(self, owner: type, send: str, event: str, run: str, handler: str, name: str) -> None:
        self.owner = owner
        self.send = send
        self.run = run
        self.name = name or f"{owner.__module__}.{owner.__qualname__}"
        self.event = _place(owner, send, event)
        self.handler = _place(owner, run, handler) if run else (0, "")

    def hook(self) -> Hook:
        """The declaration as hooks have it."""
        from msgtrace.hook import Hook, Point, Process, Send  # noqa: PLC0415 - when something records

        target = f"{self.owner.__module__}:{self.owner.__qualname__}"
        points = [Point(f"{target}.{self.send}", Send(read=self._sent, scope=True), owner=self.owner)]
        if self.run:
            points.append(Point(f"{target}.{self.run}", Process(read=self._ran), owner=self.owner))
        library = self.owner.__module__.partition(".")[0]
        return Hook(library=library, system=SYSTEM, distribution=library, versions="", points=tuple(points))

    def _sent(self, *args: Any, **kwargs: Any) -> Message:
        from msgtrace import interning  # noqa: PLC0415 - loaded with the engine
        from msgtrace.snapshot import snapshot  # noqa: PLC0415 - as above

        event, data, named = _apart(self.event, args, kwargs)
        if type(event) is not str:  # an object that is the message: its class says what happened
            data = (event, *data)
        return {
            "channel": interning.text(self.name),
            "channel_kind": "bus",
            "routing_key": _name_of(event),
            "data": snapshot(data, named, interning.settings.snapshot_nodes, interning.settings.body_limit),
        }

    def _ran(self, *args: Any, **kwargs: Any) -> Message | None:
        from msgtrace import interning  # noqa: PLC0415 - as above
        from msgtrace.context import CURRENT, Sending  # noqa: PLC0415 - as above

        sending = CURRENT.get()
        if type(sending) is not Sending:
            return None  # not inside of a send: of which message, nobody can say
        handler, _, _ = _apart(self.handler, args, kwargs)
        return {
            "channel": interning.text(self.name),
            "channel_kind": "bus",
            "link": sending.sequences,
            "handler": interning.handler(handler),
        }


def _place(owner: type, method: str, parameter: str) -> tuple[int, str]:
    """Where a method's parameter stands among its arguments, `self` not counted, and its name."""
    function = inspect.getattr_static(owner, method, None)
    if not inspect.isfunction(function):
        raise TypeError(f"{owner.__qualname__} has no method {method!r}")
    parameters = list(inspect.signature(function).parameters.values())[1:]
    for place, each in enumerate(parameters):
        if each.name == parameter and each.kind not in {each.VAR_POSITIONAL, each.VAR_KEYWORD}:
            return (-1 if each.kind == each.KEYWORD_ONLY else place), parameter
    raise TypeError(f"{owner.__qualname__}.{method} has no parameter {parameter!r}")


def _apart(
    place: tuple[int, str], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    """An argument of a call, and the others without `self`."""
    index, name = place
    others = args[1:]
    if 0 <= index < len(others):
        return others[index], others[:index] + others[index + 1 :], kwargs
    return kwargs.get(name), others, {key: value for key, value in kwargs.items() if key != name}


def _name_of(event: Any) -> str:
    from msgtrace.bare_class import full_name  # noqa: PLC0415 - as above

    if type(event) is str:
        return event
    return full_name(type(event)).rpartition(".")[2]


_declared: list[Declared] = []


def hooks() -> list[Hook]:
    """Of the buses that have been declared."""
    return [each.hook() for each in _declared]


@overload
def bus(owner: Bus, *, send: str, event: str = ..., run: str = ..., handler: str = ..., name: str = ...) -> Bus: ...
@overload
def bus(
    *, send: str, event: str = ..., run: str = ..., handler: str = ..., name: str = ...
) -> Callable[[Bus], Bus]: ...
def bus(
    owner: type | None = None,
    *,
    send: str,
    event: str = "event",
    run: str = "",
    handler: str = "handler",
    name: str = "",
) -> Any:
    """Declare a class of your own to be a bus: its messages are recorded like any other's.

    >>> @bus(send="publish", run="_call")
    ... class Events:
    ...     def publish(self, event, **data):
    ...         for handler in self.handlers[event]:
    ...             self._call(handler, data)
    ...
    ...     def _call(self, handler, data):
    ...         handler(**data)

    Args:
        owner: the class; without it this is a decorator of one.
        send: its method that publishes, a function or a coroutine function.
        event: the parameter of `send` that names what happened: a text, or else an object whose class does. Its other
            arguments are the message's data.
        run: its method that calls one handler, while `send` goes on or in tasks that it starts. Without one, handlers
            are not told apart.
        handler: the parameter of `run` that is the handler.
        name: of the bus; the class's by default.

    Returns:
        the class, unchanged.

    Raises:
        TypeError: the class has no such method, or the method no such parameter.
    """

    def declare(of: type) -> type:
        declared = Declared(of, send, event, run, handler, name)
        if any(each.owner is of and each.send == send for each in _declared):
            raise TypeError(f"{of.__qualname__}.{send} has been declared already")
        _declared.append(declared)
        start = sys.modules.get("msgtrace.start")
        tracer = None if start is None else start.active()
        if tracer is not None:
            tracer.add_own([declared.hook()])
        return of

    return declare if owner is None else declare(owner)
