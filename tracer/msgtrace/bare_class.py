"""Classes read past their metaclass: what `type` itself knows of one, whatever properties stand in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

mro: Final[Callable[[type], tuple[type, ...]]] = type.__dict__["__mro__"].__get__
"""A class and its bases, in the order in which attributes are looked for."""
namespace: Final[Callable[[type], Any]] = type.__dict__["__dict__"].__get__
"""A class's own attributes: a mapping."""
_module: Final[Callable[[type], Any]] = type.__dict__["__module__"].__get__
_name: Final[Callable[[type], Any]] = type.__dict__["__qualname__"].__get__


def full_name(kind: type) -> str:
    """A class's module and name."""
    try:
        module, name = _module(kind), _name(kind)
    except AttributeError:  # it has deleted its `__module__`
        return "?"
    return f"{module if type(module) is str else '?'}.{name if type(name) is str else '?'}"
