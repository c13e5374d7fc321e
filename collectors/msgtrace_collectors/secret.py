"""The key of a trace's body digests, so that who has only the trace file can't test a guess against a digest.

It follows from the trace's id and a secret of the user's, which is kept where programs keep their state, and so is the same
for all recordings that this user adds to a trace: equal bodies of two of them have one digest. Where no such file can be
had, each spool folder has a key of its own, and bodies are equal within one recording only.
"""

from __future__ import annotations

import contextlib
import os
import stat
from hashlib import blake2b
from pathlib import Path
from typing import Final

LENGTH: Final = 32
NAME: Final = "secret"


def trace_secret(trace_id: str, spool: Path) -> bytes:
    """The key for a trace: a collector that is started again, for the same spool or another one, gives the same digests.

    Raises:
        OSError: the user's secret can't be had, and the spool can't be written.
    """
    own = _users_secret()
    return spool_secret(spool) if own is None else blake2b(trace_id.encode(), key=own, digest_size=LENGTH).digest()


def spool_secret(spool: Path) -> bytes:
    """The spool's own secret, made at the first call.

    Raises:
        OSError: the folder can't be written.
    """
    return _kept(spool / NAME)


def _users_secret() -> bytes | None:
    """None where it can't be kept, or others could have read or put it there."""
    with contextlib.suppress(OSError, RuntimeError):  # no home
        folder = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "msgtrace"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / NAME
        secret = _kept(path)
        found = path.lstat()
        if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077:
            return secret
    return None


def _kept(path: Path) -> bytes:
    """What a file holds, which is made with a random secret when there is none; the same for all who ask at once."""
    with contextlib.suppress(FileNotFoundError):
        known = path.read_bytes()
        if len(known) == LENGTH:
            return known
        path.unlink()
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, os.urandom(LENGTH))
    finally:
        os.close(file)
    try:
        path.hardlink_to(fresh)
    except FileExistsError:
        pass  # another was faster: its secret is everybody's
    finally:
        fresh.unlink()
    return path.read_bytes()
