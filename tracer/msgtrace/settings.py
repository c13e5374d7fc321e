"""The settings of a traced process, as one table: environment names, types, defaults. `msgtrace run` sets them."""

from __future__ import annotations

import os
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

PREFIX: Final = "MSGTRACE_"


class BadSetting(ValueError):  # noqa: N818 - reads as what it is
    """An environment variable of ours that can't be understood; its text is meant for the user."""


class Settings(Struct, frozen=True):
    """What a traced process is told. A field `x_y` is read from `MSGTRACE_X_Y`; lists are separated by commas."""

    spool: str = ""
    """folder of the trace's segments; nothing is recorded without it"""
    service: str = ""
    """name of this service; made from the command line if empty"""
    only: tuple[str, ...] = ()
    """record only these libraries, e.g. redis,pyee"""
    ignore: tuple[str, ...] = ()
    """record none of these libraries"""
    propagate: bool = False
    """add traceparent to outgoing messages that have headers"""
    body_limit: int = 64 * 1024
    """bytes kept of a body"""
    segment_bytes: int = 1 << 20
    """bytes of one segment"""
    spool_limit: int = 32 << 20
    """bytes that one process's segments may take"""
    sample: float = 1.0
    """which part of the conversations is recorded"""
    snapshot_nodes: int = 200
    """objects kept of an in-process event's arguments"""

    @classmethod
    def read(cls, environment: Any = None) -> Settings:
        """Read the environment.

        Raises:
            BadSetting: a value is not of its setting's type.
        """
        environment = os.environ if environment is None else environment
        given: dict[str, Any] = {}
        for field, default in zip(cls.__struct_fields__, cls.__struct_defaults__, strict=True):
            name = PREFIX + field.upper()
            text = environment.get(name)
            if text is not None:
                given[field] = _parsed(name, text, default)
        return cls(**given)

    @classmethod
    def chosen(cls, **given: Any) -> Settings:
        """The environment's, with what is given in their place. What is empty or False is not given.

        Raises:
            BadSetting: as `read`.
        """
        told = {n: v for n, v in given.items() if v is not None and v is not False and v not in ("", ())}
        return replace(cls.read(), **told)

    def environment(self) -> dict[str, str]:
        """What `read` would read back: the variables of every setting that is not at its default."""
        variables = {}
        for field, default in zip(self.__struct_fields__, self.__struct_defaults__, strict=True):
            value = getattr(self, field)
            if value != default:
                variables[PREFIX + field.upper()] = _written(value)
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
    if isinstance(default, float):
        return _part(name, text)
    if isinstance(default, tuple):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text


def _part(name: str, text: str) -> float:
    try:
        part = float(text)
    except ValueError:
        part = 0.0
    if not 0 < part <= 1:
        raise BadSetting(f"{name}={text!r}: expected a part such as 0.1, above 0 and at most 1")
    return part


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value)
