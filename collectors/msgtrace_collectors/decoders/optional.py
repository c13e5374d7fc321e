"""Imports the libraries that read some formats. Whoever has none of them still records; the loss is named."""

from __future__ import annotations

import importlib
from functools import lru_cache
from typing import Any

from msgtrace_collectors.decoders.limits import Unavailable


def optional(name: str) -> Any:
    """A library's module.

    Raises:
        Unavailable: it is not installed.
    """
    module = _imported(name)
    if module is None:
        library = name.partition(".")[0]
        raise Unavailable(f"the library {library} is missing: pip install 'msgtrace[tools]'")
    return module


@lru_cache(maxsize=32)
def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except Exception:  # noqa: BLE001 - a broken installation of somebody's else is a missing one
        return None
