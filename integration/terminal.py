"""A shell with job control on a pseudo-terminal, typed into and read from as by a person."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DEADLINE_S = 60
PROMPT = "ready> "


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Shell:
    """An interactive bash.

    Args:
        folder: its working folder.
        env: its environment.
    """

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            ["bash", "--norc", "--noprofile", "-i"], cwd=folder, env={**env, "PS1": PROMPT, "TERM": "dumb"},
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            preexec_fn=_take_terminal,  # noqa: PLW1509 - one ioctl
        )  # fmt: skip
        os.close(theirs)
        self._text = ""
        self.expect(re.escape(PROMPT))

    def type(self, keys: str) -> None:
        """Type; chr(3) is Ctrl-C, chr(26) Ctrl-Z."""
        os.write(self._ours, keys.encode())

    def expect(self, pattern: str) -> str:
        """Read on until a pattern is there; everything up to its end."""
        deadline = time.monotonic() + DEADLINE_S
        while (found := re.search(pattern, self._text, re.DOTALL)) is None:
            readable, _, _ = select.select([self._ours], [], [], max(0, deadline - time.monotonic()))
            assert readable, f"no {pattern!r} in {self._text!r}"
            self._text += os.read(self._ours, 4096).decode(errors="replace").replace("\r", "")
        text, self._text = self._text[: found.end()], self._text[found.end() :]
        return text

    def resize(self, rows: int, columns: int) -> None:
        """Change the size of the terminal's window."""
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._ours)  # the terminal hangs up
        try:
            self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()
