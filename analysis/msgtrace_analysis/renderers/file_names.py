"""Names of files in a folder of documents, made of names that anything may stand in, and the index that lists them. Pure.

A name stays as it is where it is harmless; what is not, or would be the same as another on a file system that knows no case,
gets a digest of what it is of. An address or number of a person is not harmless.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.renderers.persons import without_persons

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

INDEX: Final = "index.json"
"""Of a folder. Its `files` are the others, so that what there is no more can be taken away."""
LONGEST_NAME: Final = 80
_HARMLESS: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_RESERVED: Final = re.compile(r"(?i)(?:con|prn|aux|nul|com[0-9]|lpt[0-9]|index)(?:\..*)?")
"""Names that Windows has for devices, and our index."""
OURS: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:~[A-Za-z0-9][A-Za-z0-9._-]*)?\.(?:json|yaml|py|avsc|proto)")
"""Every name that a file of ours in a folder can have."""


def stems(named: Mapping[str, str]) -> dict[str, str]:
    """Identity -> the name of its file without its ending.

    Args:
        named: identity -> name.
    """
    often = Counter(name.lower() for name in named.values())
    return {identity: safe(name, identity, alone=often[name.lower()] == 1) for identity, name in named.items()}


def distinct(names: Sequence[str]) -> list[str]:
    """The same of names that are different from each other."""
    often = Counter(name.lower() for name in names)
    return [safe(name, name, alone=often[name.lower()] == 1) for name in names]


def safe(name: str, identity: str, *, alone: bool) -> str:
    """A name for a file: the name itself where it is harmless and the only such, else what is harmless of it and a digest."""
    shown = without_persons(name)
    if (
        alone
        and shown == name
        and _HARMLESS.fullmatch(name)
        and len(name) <= LONGEST_NAME
        and not _RESERVED.fullmatch(name)
    ):
        return name
    digest = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    harmless = re.sub(r"[^A-Za-z0-9._-]+", "-", shown)[: LONGEST_NAME - 20].strip("-._")
    return f"{harmless or 'unnamed'}-{digest}"


def files_of(index: str) -> set[str]:
    """The files that an index of ours names; none where it is no such.

    >>> files_of('{"files": ["a.json", "../b.json", "index.json"]}')
    {'a.json'}
    """
    try:
        document: Any = json.loads(index)
        names = document["files"]
        return {name for name in names if isinstance(name, str) and OURS.fullmatch(name) and name != INDEX}
    except (ValueError, KeyError, TypeError, RecursionError):
        return set()
