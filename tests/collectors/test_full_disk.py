"""A full disk costs nothing but time: what was recorded waits in memory, is stored when there is room, or is said to be lost."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.collectors.conftest import CollectorProcess, rows
from tests.collectors.made_segments import MadeProcess, introduced, observed
from tests.collectors.test_trace import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=700", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def written(spool: Path, count: int) -> MadeProcess:
    """A process with this many operations of 1,000 random bytes, which no compression makes smaller."""
    aside = spool.with_name(spool.name + "-aside")
    aside.mkdir(mode=0o700)
    process = MadeProcess(aside, segment_bytes=1 << 20)
    introduced(process)
    process.write(*(observed(i, i, body=os.urandom(1_000)) for i in range(1, count + 1)))
    # All at once: it is a process that has ended.
    process.folder.rename(spool / process.folder.name)
    aside.rmdir()
    process.spool = spool
    return process


def test_what_waited_is_stored_when_there_is_room_again(disk: Path, spool: Path) -> None:
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(60 << 20))
    collector = CollectorProcess(disk / "trace.duckdb", spool)
    collector.start()
    process = written(spool, 12_000)
    time.sleep(3)
    assert collector.process is not None
    assert collector.process.poll() is None, "it goes on"
    assert process.folder.exists(), "what is not stored is kept"
    ballast.unlink()
    wait_for(lambda: not process.folder.exists(), 60)
    code, said = collector.end()
    assert (code, "no space left" in said) == (0, True), said
    assert "no space left" in said
    assert "stored again" in said
    assert len(said.splitlines()) == 2
    assert rows(
        collector.db, "select count(*) as n, count(distinct sequence) as d, count(distinct body) as b from operations"
    ) == [{"n": 12_000, "d": 12_000, "b": 12_000}]


def test_it_ends_when_asked_with_the_disk_still_full_and_another_one_goes_on(disk: Path, spool: Path) -> None:
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(60 << 20))
    collector = CollectorProcess(disk / "trace.duckdb", spool)
    collector.start()
    process = written(spool, 12_000)
    time.sleep(2)
    code, said = collector.end()
    assert code == 1
    assert "no space left" in said.splitlines()[-1]
    assert "Traceback" not in said
    assert process.folder.exists()
    ballast.unlink()
    collector.start()
    assert collector.end() == (0, "")
    assert rows(collector.db, "select count(*) as n, count(distinct sequence) as d from operations") == [
        {"n": 12_000, "d": 12_000}
    ]


def test_killed_while_the_disk_is_full(disk: Path, spool: Path) -> None:
    from signal import SIGKILL

    ballast = disk / "ballast"
    ballast.write_bytes(bytes(60 << 20))
    collector = CollectorProcess(disk / "trace.duckdb", spool)
    collector.start()
    written(spool, 12_000)
    time.sleep(2)
    collector.end(SIGKILL)
    ballast.unlink()
    collector.start()
    assert collector.end() == (0, "")
    assert rows(collector.db, "select count(*) as n, count(distinct sequence) as d from operations") == [
        {"n": 12_000, "d": 12_000}
    ]


def test_a_trace_that_cannot_even_be_made(disk: Path, spool: Path) -> None:
    (disk / "ballast").write_bytes(bytes((64 << 20) - 100_000))
    collector = CollectorProcess(disk / "trace.duckdb", spool)
    with pytest.raises(RuntimeError, match="no space left") as raised:
        collector.start()
    assert len(str(raised.value).splitlines()) == 1
    assert sorted(path.name for path in disk.iterdir()) == ["ballast"]


def test_a_limit_on_file_sizes_is_a_full_disk(tmp_path: Path, spool: Path) -> None:
    collector = CollectorProcess(tmp_path / "trace.duckdb", spool)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4 << 20, before[1]))
    try:
        collector.start()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    process = written(spool, 12_000)
    time.sleep(2)
    code, said = collector.end()
    assert code == 1
    assert "no space left" in said.splitlines()[-1]
    assert process.folder.exists()
    collector.start()
    assert collector.end() == (0, "")
    assert rows(collector.db, "select count(*) as n from operations") == [{"n": 12_000}]
