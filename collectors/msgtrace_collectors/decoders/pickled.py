"""Reads a pickle's shape from its opcodes. Nothing is unpickled: no class is looked up and nothing is called. Pure.

A virtual machine of the plain part only: containers and scalars become themselves; what unpickling would look up or call
is shown by name, `{"class": "decimal.Decimal", "arguments": [...], "state": ...}`, never done.
https://docs.python.org/3/library/pickletools.html
"""

from __future__ import annotations

import pickletools
import warnings
from dataclasses import dataclass, field
from typing import Any, Final

from msgtrace_collectors.decoders.limits import MAX_NODES, Malformed, TooMuch
from msgtrace_collectors.decoders.tree import json_text

MAX_PICKLE_BYTES: Final = 256 << 10
"""Opcodes are read one by one, in Python."""
HAZARD: Final = "a pickled body: whoever can send one runs code in its receiver"

_MARK: Final = object()
_CONSTANTS: Final[dict[str, Any]] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_NOTHING: Final = frozenset({"PROTO", "FRAME", "READONLY_BUFFER"})


def pickle_shape(body: bytes) -> bytes:
    """A pickled body as JSON text.

    Raises:
        Unreadable: see its kinds.
    """
    if len(body) > MAX_PICKLE_BYTES:
        raise TooMuch("larger than a pickle that is read may be")
    with warnings.catch_warnings():
        # Of escapes in the texts of protocol 0, which are the body's business.
        warnings.simplefilter("ignore", DeprecationWarning)
        return json_text(_built(body))


def _built(body: bytes) -> Any:
    machine = _Machine()
    try:
        for opcode, argument, place in pickletools.genops(body):
            if opcode.name == "STOP":
                if place != len(body) - 1:
                    raise Malformed("bytes behind a pickle's end")
                return machine.pop()
            machine.step(opcode.name, argument)
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        pass  # no pickle, or one that no pickler writes
    raise Malformed("not a pickle, or cut off")


def begins(body: bytes) -> bool:
    """Whether a body with no label is a pickle of protocol 2 or later: its first two bytes and its last say so."""
    return len(body) > 3 and body[0] == 0x80 and 2 <= body[1] <= 5 and body[-1] == 0x2E


class _Object(dict[str, Any]):
    """What unpickling would look up, call or build, by name; its own items and members stand apart."""


@dataclass(slots=True)
class _Machine:
    stack: list[Any] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)
    steps: int = MAX_NODES

    def pop(self) -> Any:
        value = self.stack.pop()
        if value is _MARK:
            raise ValueError
        return value

    def marked(self) -> list[Any]:
        """What was pushed since the last mark."""
        for place in range(len(self.stack) - 1, -1, -1):
            if self.stack[place] is _MARK:
                items = self.stack[place + 1 :]
                del self.stack[place:]
                return items
        raise ValueError

    def step(self, name: str, argument: Any) -> None:  # noqa: C901, PLR0912, PLR0915 - a case an opcode
        """Do what one opcode does to the stack."""
        self.steps -= 1
        if self.steps < 0:
            raise TooMuch("more values than a body may have")
        stack = self.stack
        match name:
            case "MARK":
                stack.append(_MARK)
            case "NONE" | "NEWTRUE" | "NEWFALSE":
                stack.append(_CONSTANTS[name])
            case "EMPTY_LIST":
                stack.append([])
            case "EMPTY_DICT":
                stack.append({})
            case "EMPTY_TUPLE":
                stack.append(())
            case "EMPTY_SET":
                stack.append([])  # members need not be hashable for us
            case "LIST" | "FROZENSET":
                stack.append(self.marked())
            case "TUPLE":
                stack.append(tuple(self.marked()))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                count = int(name[-1])
                items = [self.pop() for _ in range(count)]
                stack.append(tuple(reversed(items)))
            case "APPEND":
                item = self.pop()
                _add(stack[-1], [item])
            case "APPENDS" | "ADDITEMS":
                items = self.marked()
                _add(stack[-1], items)
            case "SETITEM":
                item, key = self.pop(), self.pop()
                _set(stack[-1], [key, item])
            case "SETITEMS":
                items = self.marked()
                _set(stack[-1], items)
            case "DICT":
                items = self.marked()
                stack.append({})
                _set(stack[-1], items)
            case "MEMOIZE":
                self.memo[len(self.memo)] = stack[-1]
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                self.memo[int(argument)] = stack[-1]
            case "GET" | "BINGET" | "LONG_BINGET":
                stack.append(self.memo[int(argument)])
            case "POP":
                stack.pop()
            case "POP_MARK":
                self.marked()
            case "DUP":
                stack.append(stack[-1])
            case _ if name in _NOTHING:
                pass
            case _:
                self.shown(name, argument)

    def shown(self, name: str, argument: Any) -> None:  # noqa: C901, PLR0912 - a case an opcode
        """What unpickling would look up, call or build, by name; and scalars."""
        stack = self.stack
        match name:
            case "GLOBAL":
                stack.append(_Object({"class": str(argument).replace(" ", ".")}))
            case "STACK_GLOBAL":
                attribute, module = self.pop(), self.pop()
                stack.append(_Object({"class": f"{module}.{attribute}"}))
            case "REDUCE" | "NEWOBJ":
                arguments, called = self.pop(), self.pop()
                stack.append(_Object({**_as_class(called), "arguments": arguments}))
            case "NEWOBJ_EX":
                named, arguments, called = self.pop(), self.pop(), self.pop()
                stack.append(_Object({**_as_class(called), "arguments": arguments, "named_arguments": named}))
            case "INST":
                arguments = self.marked()
                stack.append(_Object({"class": str(argument).replace(" ", "."), "arguments": arguments}))
            case "OBJ":
                called, *arguments = self.marked()
                stack.append(_Object({**_as_class(called), "arguments": arguments}))
            case "BUILD":
                state = self.pop()
                built = stack[-1]
                if isinstance(built, _Object):
                    built["state"] = state
                else:
                    stack[-1] = _Object({"object": built, "state": state})
            case "PERSID":
                stack.append({"persistent_id": argument})
            case "BINPERSID":
                stack.append({"persistent_id": self.pop()})
            case "EXT1" | "EXT2" | "EXT4":
                stack.append({"extension": argument})
            case "NEXT_BUFFER":
                stack.append({"buffer": "out of band"})
            case _:
                # INT, LONG, FLOAT, UNICODE, BINBYTES and their kin: the argument is the value.
                if argument is None:
                    raise ValueError
                stack.append(argument)


def _as_class(called: Any) -> dict[str, Any]:
    return dict(called) if isinstance(called, _Object) else {"class": called}


def _add(target: Any, items: list[Any]) -> None:
    if isinstance(target, list):
        target.extend(items)
    elif isinstance(target, _Object):  # a list's subclass
        target.setdefault("items", []).extend(items)
    else:
        raise TypeError


def _set(target: Any, items: list[Any]) -> None:
    if not isinstance(target, dict) or len(items) % 2:
        raise TypeError
    for key, item in zip(items[::2], items[1::2], strict=True):
        name = key if type(key) in {str, int, bool, float, bytes, type(None)} else json_text(key).decode()
        if isinstance(target, _Object):  # a dictionary's subclass
            target.setdefault("members", {})[name] = item
        else:
            target[name] = item
