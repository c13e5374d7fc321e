"""The key of a recording's body digests. It lives in the spool folder only, never in the trace file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

LENGTH: Final = 32
NAME: Final = "secret"


def spool_secret(spool: Path) -> bytes:
    """The spool's secret, made at the first call: a collector that is started again gives the same digests.

    Raises:
        OSError: the folder can't be written.
    """
    path = spool / NAME
    try:
        known = path.read_bytes()
        if len(known) == LENGTH:
            return known
    except FileNotFoundError:
        pass
    secret = os.urandom(LENGTH)
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, secret)
    finally:
        os.close(file)
    fresh.rename(path)
    return secret
