"""Source of handlers is read from where it stands, and nothing else is, whatever a trace names."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgtrace.redaction import Redactor
from msgtrace_collectors.handler_code import MAX_BYTES, MAX_LINES, HandlerCode, without_secrets
from msgtrace_collectors.process import ProcessState

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = '''\
import functools

class Shop:
    @functools.cache
    def placed(self, message):
        """An order."""
        return message["id"]

    def outer(self):
        async def inner(message):
            pass
        return inner
'''
PLACED = '@functools.cache\ndef placed(self, message):\n    """An order."""\n    return message["id"]'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shop.py"
    path.write_text(SOURCE)
    return path


def read(path: Path, line: int = 4, name: str = "Shop.placed", begun_ns: int | None = None) -> tuple[str, str] | None:
    return HandlerCode().of(str(path), line, name, time.time_ns() if begun_ns is None else begun_ns)


def test_a_function_is_found_by_its_name_and_first_line(file: Path) -> None:
    assert read(file) == (PLACED, "")
    assert read(file, 10, "Shop.outer.<locals>.inner") == ("async def inner(message):\n    pass", "")
    assert read(file, 5) is None
    assert read(file, 4, "Shop.outer") is None


def test_what_was_changed_after_the_process_had_begun_is_left_out(file: Path) -> None:
    code = HandlerCode()
    begun = file.stat().st_mtime_ns
    assert code.of(str(file), 4, "Shop.placed", begun - 1) is None
    assert code.of(str(file), 4, "Shop.placed", begun) is not None
    file.write_text(SOURCE.replace("An order", "Another order"))
    os.utime(file, ns=(begun + 10, begun + 10))
    assert code.of(str(file), 4, "Shop.placed", begun) is None
    later = code.of(str(file), 4, "Shop.placed", begun + 10)
    assert later is not None
    assert "Another order" in later[0]


def test_no_other_file_is_read(file: Path, tmp_path: Path) -> None:
    for name in ("shop.txt", "shop.py.bak", "shop"):
        other = tmp_path / name
        other.write_text(SOURCE)
        assert read(other) is None
    link = tmp_path / "link.py"
    link.symlink_to(file)
    assert read(link) is None
    queue = tmp_path / "queue.py"
    os.mkfifo(queue)
    assert read(queue) is None  # and does not wait for a writer
    folder = tmp_path / "folder.py"
    folder.mkdir()
    assert read(folder) is None
    large = tmp_path / "large.py"
    large.write_text(SOURCE + "#" * MAX_BYTES)
    assert read(large) is None
    assert HandlerCode().of("shop.py", 4, "Shop.placed", time.time_ns()) is None
    assert HandlerCode().of("/proc/self/mem.py\0", 4, "Shop.placed", time.time_ns()) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_somebody_else_is_not_read(file: Path) -> None:
    os.chown(file, 12345, 12345)
    assert read(file) is None


@pytest.mark.parametrize("content", [b"def f(:", b"\xff\xfe", b"\0", b"(" * 5_000, b"x = " + b"-" * 100_000 + b"1"])
def test_what_is_no_python_has_no_functions(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.py"
    path.write_bytes(content)
    assert read(path) is None


def test_long_functions_are_cut(tmp_path: Path) -> None:
    path = tmp_path / "long.py"
    path.write_text("def f():\n" + "    pass\n" * 100 + f"\ndef g():\n    return '{'x' * 1000}'\n")
    found = read(path, 1, "f")
    assert found is not None
    assert found[0].splitlines()[MAX_LINES:] == ["# … 41 more lines"]
    wide = read(path, 103, "g")
    assert wide is not None
    assert max(map(len, wide[0].splitlines())) == 200


def git(folder: Path, *arguments: str) -> str:
    line = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(folder), *arguments]
    return subprocess.run(line, check=True, capture_output=True, text=True).stdout.strip()


def test_the_commit_is_that_of_the_repository(file: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "work/a")
    assert read(file) == (PLACED, "")
    git(tmp_path, "add", "shop.py")
    git(tmp_path, "commit", "-qm", "a")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert read(file) == (PLACED, commit)
    git(tmp_path, "pack-refs", "--all")
    assert read(file) == (PLACED, commit)
    tree = tmp_path / "tree"
    git(tmp_path, "worktree", "add", "-q", "-b", "other", str(tree))
    assert read(tree / "shop.py") == (PLACED, commit)
    git(tmp_path, "checkout", "-q", "--detach")
    assert read(file) == (PLACED, commit)
    begun = file.stat().st_mtime_ns
    os.utime(tmp_path / ".git" / "HEAD", ns=(begun + 1, begun + 1))
    assert read(file, begun_ns=begun) == (PLACED, "")  # it may have stood elsewhere then


@pytest.mark.parametrize("head", ["ref: refs/../../secret", "ref: /etc/passwd", "password", "ref: refs/heads/none", ""])
def test_a_head_leads_nowhere_else(file: Path, tmp_path: Path, head: str) -> None:
    repository = tmp_path / ".git"
    repository.mkdir()
    (repository / "HEAD").write_text(head)
    (tmp_path / "secret").write_text("a" * 40)
    assert read(file) == (PLACED, "")


def test_of_other_machines_nothing_is_read(file: Path) -> None:
    row = (str(file), 4, 7, "Shop.placed", "shop", None)
    here = ProcessState(1, "a" * 32, begun_ns=time.time_ns())
    assert HandlerCode().columns(here, row, Redactor()) == (PLACED, None)
    for process in (ProcessState(1, "a" * 32), ProcessState(1, "a" * 32, begun_ns=time.time_ns(), sender="other")):
        assert HandlerCode().columns(process, row, Redactor()) == (None, None)
    forked = ProcessState(2, "b" * 32, begun_ns=time.time_ns(), parent=ProcessState(1, "a" * 32, begun_ns=1))
    assert HandlerCode().columns(forked, row, Redactor()) == (None, None)


@pytest.mark.parametrize(
    "line",
    [
        'PASSWORD = "hunter22x"', 'connect(password="hunter22x")', "self.password: str = 'hunter22x'",
        'def f(token: str = "hunter22x", other=1): ...', 'os.environ.get("DB_PASSWORD", "hunter22x")', 'x = {"password": "hunter22x"}',
        'connect("amqp://shop:hunter22x@broker/")',
    ],
)  # fmt: skip
def test_secrets_are_taken_out(line: str) -> None:
    assert "hunter22x" not in without_secrets(f"def f():\n    {line}", Redactor())


@given(st.text(max_size=200))
def test_any_source_is_read_through(text: str) -> None:
    once = without_secrets(text, Redactor())
    assert isinstance(once, str)
