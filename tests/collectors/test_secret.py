"""The key of body digests: one for each trace and user, however many collectors ask for it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from msgtrace_collectors.secret import LENGTH, NAME, spool_secret, trace_secret

if TYPE_CHECKING:
    from pathlib import Path

ASKED = "import sys, pathlib; from msgtrace_collectors.secret import trace_secret; print(trace_secret('a', pathlib.Path(sys.argv[1])).hex())"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "msgtrace"


def test_it_is_one_for_each_trace_and_user_whatever_the_spool(tmp_path: Path, state: Path) -> None:
    first, second = tmp_path / "one", tmp_path / "two"
    assert trace_secret("a", first) == trace_secret("a", second) != trace_secret("b", first)
    assert (state / NAME).stat().st_mode & 0o777 == 0o600
    before = trace_secret("a", first)
    (state / NAME).unlink()
    assert trace_secret("a", first) != before


def test_many_that_ask_at_once_get_the_same(tmp_path: Path) -> None:
    asking = [
        subprocess.Popen([sys.executable, "-c", ASKED, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(8)
    ]
    told = {each.communicate(timeout=60)[0] for each in asking}
    assert told == {trace_secret("a", tmp_path).hex() + "\n"}
    assert [each.name for each in tmp_path.rglob("*") if each.is_file()] == [NAME]


def readable_by_all(state: Path) -> None:
    state.mkdir(parents=True)
    (state / NAME).write_bytes(bytes(LENGTH))
    (state / NAME).chmod(0o644)


def a_link(state: Path) -> None:
    state.mkdir(parents=True)
    (state / "elsewhere").write_bytes(bytes(LENGTH))
    (state / NAME).symlink_to(state / "elsewhere")


def no_folder(state: Path) -> None:
    state.parent.write_text("")


@pytest.mark.parametrize("spoiled", [readable_by_all, a_link, no_folder])
def test_without_a_secret_of_the_users_each_spool_has_its_own(spoiled: object, tmp_path: Path, state: Path) -> None:
    assert callable(spoiled)
    spoiled(state)
    spools = [tmp_path / "one", tmp_path / "two"]
    for each in spools:
        each.mkdir()
    assert [trace_secret("a", each) for each in spools] == [spool_secret(each) for each in spools]
    assert trace_secret("a", spools[0]) == trace_secret("a", spools[0]) != trace_secret("a", spools[1])


def test_half_a_secret_is_made_anew(state: Path, tmp_path: Path) -> None:
    state.mkdir(parents=True)
    (state / NAME).write_bytes(b"cut")
    assert len(trace_secret("a", tmp_path)) == LENGTH == (state / NAME).stat().st_size
