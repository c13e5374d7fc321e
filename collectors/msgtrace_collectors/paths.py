"""Takes secrets out of the paths of HTTP requests: addresses that are a key themselves, tokens that stand in one. Pure.

Ids stay: analysis folds them, and follows them. A part of a path is a secret when it stands under a telling name, or
looks like nothing but a key: https://hooks.example/services/T01/B02/Zx9Yw8Vu7Ts6Rq5Po4Nm, /bot123:AAF.../sendMessage.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgtrace.redaction_rules import name_verdict

if TYPE_CHECKING:
    from msgtrace.redaction import Redactor

REPLACED: Final = "[redacted:path]"

_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
# Twenty characters and more with capitals, small letters and digits; thirty-two of a hexadecimal number, as a digest of
# a session has; a name, a colon and a key.
_KEY: Final = re.compile(
    r"(?=[^A-Z]*[A-Z])(?=[^a-z]*[a-z])(?=[^0-9]*[0-9])[\w.~+=-]{20,}|[0-9A-Fa-f]{32,}|[\w-]+:[\w-]{20,}"
)
_UNDER_A_NAME: Final = re.compile(r"(?=.*[0-9]).{6,}")
"""What stands after `/token/` or `/reset-password/`: `/auth/login` and `/session/new` are no secrets."""


def without_secrets(path: str, redactor: Redactor) -> tuple[str, int]:
    """A path without its secrets, and how many there were.

    Args:
        path: percent-decoded; a template of a route is returned as it is.
        redactor: what else is a secret, and whether anything is replaced.
    """
    if not redactor.options.enabled or len(path) < 6:
        return path, 0
    safe, count = redactor.text(path)
    parts = safe.split("/")
    before = ""
    for place, part in enumerate(parts):
        if len(part) >= 6 and "[redacted:" not in part and _is_secret(part, before):
            parts[place] = REPLACED
            count += 1
        before = part
    return ("/".join(parts), count) if count else (path, 0)


def _is_secret(part: str, before: str) -> bool:
    if part.startswith("{") or _UUID.fullmatch(part):
        return False
    return _KEY.fullmatch(part) is not None or (
        _UNDER_A_NAME.fullmatch(part) is not None and bool(name_verdict(before).label)
    )
