"""The settings of a traced process, as one table: environment names, types, defaults. `msgtrace run` sets them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from typing import Any, Final

PREFIX: Final = "MSGTRACE_"


class BadSetting(ValueError):  # noqa: N818 - reads as what it is
    """An environment variable of ours that can't be understood; its text is meant for the user."""


def _setting(default: Any, help_text: str) -> Any:
    return field(default=default, metadata={"help": help_text})


@dataclass(frozen=True, slots=True)
class Settings:
    """What a traced process is told. A field `x_y` is read from `MSGTRACE_X_Y`; lists are separated by commas."""

    spool: str = _setting("", "folder of the trace's segments; nothing is recorded without it")
    service: str = _setting("", "name of this service; made from the command line if empty")
    only: tuple[str, ...] = _setting((), "record only these libraries, e.g. redis,pyee")
    ignore: tuple[str, ...] = _setting((), "record none of these libraries")
    propagate: bool = _setting(False, "add traceparent to outgoing messages that have headers")  # noqa: FBT003 - a default
    body_limit: int = _setting(64 * 1024, "bytes kept of a body")
    segment_bytes: int = _setting(1 << 20, "bytes of one segment")
    spool_limit: int = _setting(32 << 20, "bytes that one process's segments may take")
    snapshot_nodes: int = _setting(200, "objects kept of an in-process event's arguments")

    @classmethod
    def read(cls, environment: Any = None) -> Settings:
        """Read the environment.

        Raises:
            BadSetting: a value is not of its setting's type.
        """
        environment = os.environ if environment is None else environment
        given: dict[str, Any] = {}
        for each in fields(cls):
            name = PREFIX + each.name.upper()
            text = environment.get(name)
            if text is not None:
                given[each.name] = _parsed(name, text, each.default)
        return cls(**given)

    def environment(self) -> dict[str, str]:
        """What `read` would read back: the variables of every setting that is not at its default."""
        variables = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if value != each.default:
                variables[PREFIX + each.name.upper()] = _written(value)
        return variables


def _parsed(name: str, text: str, default: Any) -> Any:
    if isinstance(default, bool):
        if text.lower() in {"1", "true", "yes", "on"}:
            return True
        if text.lower() in {"", "0", "false", "no", "off"}:
            return False
        raise BadSetting(f"{name}={text!r}: expected 1 or 0")
    if isinstance(default, int):
        if not text.isdecimal():
            raise BadSetting(f"{name}={text!r}: expected a whole number")
        return int(text)
    if isinstance(default, tuple):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value)
