"""Whether every function of some libraries is the object that it was, beside all that `account.standing` looks at."""

import sys
from typing import Any

from account import standing

_before: dict[str, object] = {}
_BY_VALUE = (dict, int, str, float, bytes, type(None))


def functions(packages: tuple[str, ...]) -> dict[str, object]:
    found = {}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] not in packages:
            continue
        for owner_name, owner in list(vars(module).items()):
            if isinstance(owner, type):
                each: Any
                for attribute, each in list(vars(owner).items()):
                    if callable(each) or isinstance(each, staticmethod | classmethod):
                        found[f"{name}:{owner_name}.{attribute}"] = each
            elif callable(owner):
                found[f"{name}:{owner_name}"] = owner
    return found


def standing_now(packages: tuple[str, ...]) -> None:
    """Note how everything stands, the first time."""
    if not _before:
        _before.update(standing() | functions(packages))


def changed(packages: tuple[str, ...]) -> list[str]:
    """What stood there at first and is another now."""
    standing_now(packages)
    after = standing() | functions(packages)
    return [n for n, was in _before.items() if n not in after or (after[n] is not was and not same(after[n], was))]


def same(now: object, was: object) -> bool:
    return isinstance(was, _BY_VALUE) and now == was
