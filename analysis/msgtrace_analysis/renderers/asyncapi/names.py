"""Keys and addresses of AsyncAPI documents, from names that anything may stand in. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Hashable

LONGEST: Final = 100
_NO_KEY: Final = re.compile(r"[^A-Za-z0-9.\-_]+")
_PARAMETER: Final = re.compile(r"\{([A-Za-z0-9_\-]+)\}")


class Keys:
    """Gives things keys that AsyncAPI allows, each its own, and the same one whenever it is asked for."""

    def __init__(self) -> None:
        self._keys: dict[Hashable, str] = {}
        self._taken: set[str] = set()

    def key(self, thing: Hashable, name: str) -> str:
        """The key of a thing.

        Args:
            thing: what tells it from others.
            name: what the key is made from, the first time.
        """
        known = self._keys.get(thing)
        if known is None:
            plain = _NO_KEY.sub("_", name).strip("_.")[:LONGEST] or "unnamed"
            known = next(each for n in range(len(self._taken) + 1) if (each := _numbered(plain, n)) not in self._taken)
            self._keys[thing] = known
            self._taken.add(known)
        return known


def _numbered(plain: str, number: int) -> str:
    return f"{plain}_{number + 1}" if number else plain


def parameters_in(address: str) -> list[str]:
    """The names of an address' parameters."""
    return list(dict.fromkeys(_PARAMETER.findall(address)))


def addressed(text: str, parameters: frozenset[str]) -> str:
    """An address in which braces stand around parameters only; others are percent-encoded.

    >>> addressed("user.{id}.{", frozenset({"id"}))
    'user.{id}.%7B'
    """
    parts = _PARAMETER.split(text)
    written = []
    for place, part in enumerate(parts):
        if place % 2 and part in parameters:
            written.append(f"{{{part}}}")
        else:
            plain = f"{{{part}}}" if place % 2 else part
            written.append(plain.replace("{", "%7B").replace("}", "%7D"))
    return "".join(written)


def pointer(*parts: str) -> str:
    """A reference within the document (RFC 6901)."""
    return "#/" + "/".join(part.replace("~", "~0").replace("/", "~1") for part in parts)
