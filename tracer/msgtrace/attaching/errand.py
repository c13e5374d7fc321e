"""One errand into a running process: a script goes in, an answer comes out, the process goes on.

The script and the answer lie in a folder of our own in memory, where the process sees it too. Whoever gives up takes the
folder away, and a line that is run yet finds nothing to do.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

import msgtrace
from msgtrace.attaching import gdb
from msgtrace.attaching.process import REMOTE_EXEC, Unreachable
from msgtrace.spool import writable_folder

if TYPE_CHECKING:
    from msgtrace.attaching.process import Target

STARTUP: Final = Path(msgtrace.__file__).parent / "startup"
PATIENCE_S: Final = 10.0
MEMORY: Final = "/dev/shm"  # noqa: S108 - folders of our own in it


class Answer(Struct, frozen=True):
    """What became of an errand.

    Attributes:
        outcome: as in `startup/msgtrace_attached.py`.
        detail: more of it.
        ran_ns: for how long the main thread was busy with it.
        stopped_ns: for how long the whole process was stopped by a debugger.
    """

    outcome: str
    detail: str
    ran_ns: int
    stopped_ns: int


def run(target: Target, order: dict[str, Any], patience_s: float = PATIENCE_S) -> Answer:
    """Send a process on an errand.

    Args:
        target: the process.
        order: see `startup/msgtrace_attached.py`; where to answer is added here.
        patience_s: for how long the answer is waited for.

    Raises:
        Unreachable: the process could not be reached, and is as it was.
    """
    folder = _folder(target)
    inside = "/" + str(folder).removeprefix(target.root).lstrip("/")
    try:
        script = folder / "script.py"
        text = (STARTUP / "msgtrace_attached.py").read_text(encoding="utf-8")
        script.write_text(f"{text}\n\nmain({order | {'answer': f'{inside}/answer'}!r})\n", encoding="utf-8")
        _hand_over(target, folder)
        answer = folder / "answer"
        if target.interpreter.version >= REMOTE_EXEC:
            stopped_ns = 0
            _remote_exec(target, f"{inside}/script.py", answer, patience_s)
        else:
            stopped_ns = gdb.run_line(target, _line(f"{inside}/script.py"), answer.exists, patience_s)
        outcome, ran_ns, detail = answer.read_text(encoding="utf-8").split("\n", 2)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Answer(outcome, detail, int(ran_ns), stopped_ns)


def _folder(target: Target) -> Path:
    """A new folder in the memory file system that the process sees."""
    root = writable_folder([Path(target.root + MEMORY)]) if target.root == "/" else Path(target.root + MEMORY)
    folder = Path(root or MEMORY) / f"msgtrace-errand-{secrets.token_hex(8)}"
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise Unreachable(f"{folder}: {error.strerror}; attaching needs a memory file system there") from None
    return folder


def _hand_over(target: Target, folder: Path) -> None:
    """Let the process read and write the folder, where it belongs to another user."""
    status = Path(f"/proc/{target.pid}").stat()
    if status.st_uid != os.geteuid():
        for path in (folder / "script.py", folder):
            os.chown(path, status.st_uid, status.st_gid, follow_symlinks=False)


def _line(script: str) -> str:
    """Run in the program's `__main__`: it binds no name, uses none that the program may have bound, and never raises."""
    return (
        f"try: (lambda b, f: b.exec(b.compile((f.read(), f.close())[0], {script!r}, 'exec'), "
        f"{{'__name__': 'msgtrace_attached'}}))(__import__('builtins'), __import__('_io').open({script!r}, 'rb'))\n"
        "except BaseException: pass\n"
    )


def _remote_exec(target: Target, script: str, answer: Path, patience_s: float) -> None:
    """Python 3.14 and later: the process's own interpreter asks, which is of the same version.

    Not tried where this was written, for want of such an interpreter.
    """
    code = "import sys; sys.remote_exec(int(sys.argv[1]), sys.argv[2])"
    done = subprocess.run(
        [f"/proc/{target.pid}/exe", "-I", "-S", "-c", code, str(target.pid), script],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        raise Unreachable(f"{target.pid} lets nobody in: {lines[-1] if lines else f'exit code {done.returncode}'}")
    gdb.await_answer(target, answer.exists, patience_s, lambda: None)
