"""The starter's end of a keeper: starts it, hears where its brokers are, ends it or lets it go."""

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from integration.brokers import descendants, native
from integration.brokers.address import ADDRESS_TYPES, Address
from integration.brokers.descendants import Process
from integration.brokers.keeper import DETACH, REMAINS_FILE, Remains, Report

REPOSITORY = Path(__file__).parents[2]
FOLDER_PREFIX = "msgtrace-brokers-"


@dataclass(frozen=True, slots=True)
class Kept:
    """Brokers that one keeper owns.

    Attributes:
        keeper: The process to end.
        folder: The temporary folder that goes with it.
        reports: One per broker asked for, failed ones included.
    """

    keeper: Process
    folder: Path
    reports: tuple[Report, ...]


def address_of(report: Report) -> Address:
    """The address in a report of success."""
    return msgspec.convert(report.address, ADDRESS_TYPES[report.name])


@contextmanager
def brokers(names: Iterable[str], means: str, *, stay: bool = False) -> Iterator[Kept]:
    """Starts brokers at the same time and ends them with the block.

    Args:
        names: Which.
        means: `native` or `docker`.
        stay: Let them outlive the block, and this process, unless the block raises or none of them started.
    """
    folder = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX))
    # A file, because a keeper that stays would hold the starter's standard error open.
    with (
        (folder / "keeper.log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", "integration.brokers.keeper", folder, means, *names],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            # Ctrl-C at a terminal is for the starter, whose end the keeper then sees.
            start_new_session=True,
        ) as popen,
    ):
        keeper = descendants.find(popen.pid) or Process(popen.pid, 0)
        assert popen.stdin is not None
        assert popen.stdout is not None
        try:
            reports = tuple(msgspec.json.decode(line, type=Report) for line in popen.stdout)
            if not reports:
                raise RuntimeError(f"the keeper of the brokers failed: {_end_of(folder / 'keeper.log')}")
            yield Kept(keeper, folder, reports)
            if stay and not all(report.failure for report in reports):
                popen.stdin.write(DETACH)
                popen.stdin.flush()
                # Popen would wait for the end of what was just told to stay.
                popen.returncode = 0
        finally:
            popen.stdin.close()
            if popen.returncode is None:
                popen.wait()
                sweep(folder)


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace").strip()[-600:] if log.exists() else "it left no log"


def end(keeper: Process, folder: Path) -> None:
    """Ends a keeper that was let go, with its brokers; also finishes the work of one that was killed.

    Raises:
        TimeoutError: It did not end within half a minute.
    """
    descendants.kill(keeper, signal.SIGTERM)
    if not descendants.wait_until_gone(keeper, 30):
        raise TimeoutError(f"the keeper of the brokers, process {keeper.pid}, does not end")
    sweep(folder)


def sweep(folder: Path) -> None:
    """Removes what a keeper has left because it was killed; does nothing after one that ended by itself."""
    try:
        remains = msgspec.json.decode((folder / REMAINS_FILE).read_bytes(), type=Remains)
    except (OSError, msgspec.DecodeError):
        remains = Remains([], [])
    for process in remains.processes:
        for below in (*descendants.below(process.pid), process):
            descendants.kill(below)
            descendants.wait_until_gone(below, 10)
    for command in remains.undo:
        native.run(command)
    shutil.rmtree(folder, ignore_errors=True)
