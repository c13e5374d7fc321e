"""`msgtrace run`: what can be run, how it ends, and what is recorded of it on the way into a trace file."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from integration.traced import PROGRAMS, make_venv, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from integration.brokers import Redis

RUN_PROGRAMS = PROGRAMS / "run"
SENT = "select count(*) from operations where kind = 'send'"


def console_script(folder: Path) -> list[str]:
    """As pip writes one."""
    script = folder / "greet"
    script.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(RUN_PROGRAMS)!r})\n"
        "from emitting import main\nif __name__ == '__main__':\n    sys.exit(main())\n"
    )
    script.chmod(0o755)
    return [str(script)]


def module(folder: Path) -> list[str]:
    (folder / "emitting.py").write_text((RUN_PROGRAMS / "emitting.py").read_text())
    return [sys.executable, "-m", "emitting"]


def shell_script(folder: Path) -> list[str]:
    """Without a first line: only a shell runs such a file."""
    script = folder / "start"
    script.write_text(f'exec "{sys.executable}" "{RUN_PROGRAMS / "emitting.py"}" "$@"\n')
    script.chmod(0o755)
    return [str(script)]


FORMS = {
    "script": lambda _: [sys.executable, str(RUN_PROGRAMS / "emitting.py")],
    "module": module,
    "console script": console_script,
    "code": lambda _: [sys.executable, "-c", (RUN_PROGRAMS / "emitting.py").read_text()],
    "shell": lambda _: ["sh", "-c", f'"{sys.executable}" "{RUN_PROGRAMS / "emitting.py"}" "$@"', "sh"],
    "shell script": shell_script,
}


@pytest.mark.parametrize("form", FORMS)
def test_any_form_of_program_is_recorded(form: str, tmp_path: Path) -> None:
    command = [*FORMS[form](tmp_path), "you", "3"]
    # A shell is what starts the program without us, too.
    plain = run(["sh", *command] if form == "shell script" else command, tmp_path, traced=False)
    traced = run(command, tmp_path)
    assert (
        (traced.code, traced.stdout, traced.stderr) == (plain.code, plain.stdout, plain.stderr) == (3, plain.stdout, "")
    )
    assert traced.values("select routing_key from operations where kind = 'send'") == ["greeting", "greeting"]
    (process,) = traced.rows("select * from processes")
    service = {"code": "python -c", "console script": "greet"}.get(form, "emitting")
    assert (process["service"], process["executable"]) == (service, sys.executable)


@pytest.mark.parametrize(
    "how", ["0", "1", "255", "raise", "-TERM", "-INT", "-KILL", "-HUP", "-ABRT", "-SEGV", "-USR1", "-RTMIN"]
)
def test_ends_as_the_program_ends(how: str, tmp_path: Path) -> None:
    told = f"-{int(getattr(signal, f'SIG{how[1:]}'))}" if how.startswith("-") else how
    command = [sys.executable, str(RUN_PROGRAMS / "ending.py"), told]
    plain = run(command, tmp_path, traced=False)
    traced = run(command, tmp_path)
    assert (traced.code, traced.stdout, traced.stderr) == (plain.code, plain.stdout, plain.stderr)
    assert traced.values(SENT) == [1]


def test_summary_and_trace_are_continued(tmp_path: Path) -> None:
    command = [sys.executable, str(RUN_PROGRAMS / "emitting.py")]
    run(command, tmp_path)
    second = run(command, tmp_path, options=())
    assert second.said[0].startswith("msgtrace: 8 operations in 2 processes of 1 service: ")
    assert second.stdout == "hello world\nhello nobody\n"


@pytest.mark.redis
def test_what_one_run_sends_another_receives(redis_server: Redis, unique: Callable[[str], str], tmp_path: Path) -> None:
    """Bodies are compared by digests that only this user can make: the same ones in every run."""
    client = f"import redis; r = redis.Redis('{redis_server.host}', {redis_server.port}); name = '{unique('jobs')}'"
    run([sys.executable, "-c", f"{client}; [r.lpush(name, f'job {{n}}') for n in range(5)]"], tmp_path)
    ended = run([sys.executable, "-c", f"{client}; [r.rpop(name) for n in range(5)]"], tmp_path)
    assert ended.rows("select method, certainty, count(*) as n from links group by all") == [
        {"method": "digest", "certainty": "exact", "n": 5}
    ]


def test_options_reach_the_program(tmp_path: Path) -> None:
    command = [sys.executable, str(RUN_PROGRAMS / "emitting.py"), "x" * 200]
    named = run(command, tmp_path, options=("--quiet", "--service", "greeter", "--body-limit", "64"))
    assert named.values("select distinct service from operations") == ["greeter"]
    bodies = named.values("select body_json from operations where kind = 'send' order by sequence")
    assert bodies == ['"world"', '"' + "x" * 64 + '"']
    for option in (("--ignore", "pyee"), ("--only", "redis,blinker")):
        folder = tmp_path / option[0]
        folder.mkdir()
        assert run(command, folder, options=("--quiet", *option)).values(SENT) == [0]


# ---- what is wrong is said in a line, and the program is not started ---------------------------------------------------


@pytest.fixture
def marker(tmp_path: Path) -> tuple[list[str], Path]:
    """A program that leaves a file behind, and the file."""
    path = tmp_path / "was started"
    return [sys.executable, "-c", f"open({str(path)!r}, 'w')"], path


WRONG = {
    "no such program": (127, [], ["nowhere-to-be-found"], "msgtrace: program not found: nowhere-to-be-found"),
    "no such path": (127, [], ["./nowhere.py"], "msgtrace: program not found: ./nowhere.py"),
    "a script without python": (126, [], ["./script.py"], "msgtrace run -- python ./script.py"),
    "a script by its name": (127, [], ["script.py"], "msgtrace run -- python script.py"),
    "a folder": (126, [], ["./folder"], "msgtrace: ./folder is a folder"),
    "no program": (2, [], [], "Missing argument 'COMMAND...'"),
    "an unknown option": (2, ["--nonsense"], None, "No such option"),
    "an unknown library": (2, ["--only", "rediss"], None, "'rediss' is no library with a hook; those are aio_pika,"),
    "a limit that is no number": (2, ["--body-limit", "many"], None, "'many' is not a valid integer"),
    "a rule that is none": (
        1,
        ["--redact", "nonsense"],
        None,
        "'nonsense' is not off, personal, name:..., keep:... or pattern:...",
    ),
    "a size that is none": (2, ["--max-size", "big"], None, "'big' is not a size such as 500MB"),
    "an age that is none": (2, ["--max-age", "old"], None, "'old' is not a time such as 12h"),
    "a database that is text": (1, ["--db", "notes.txt"], None, "notes.txt"),
    "a foreign database": (1, ["--db", "foreign.duckdb"], None, "foreign.duckdb"),
    "a folder for a database": (2, ["--db", "folder"], None, "is a directory"),
    "a place that can't be written": (1, ["--db", "/proc/trace.duckdb"], None, "/proc/trace.duckdb"),
    "a place that is not there": (1, ["--db", "/dev/null/x/trace.duckdb"], None, "/dev/null/x"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_one_line_and_nothing_is_started(
    case: str, tmp_path: Path, marker: tuple[list[str], Path]
) -> None:
    import duckdb

    code, options, command, expected = WRONG[case]
    (tmp_path / "folder").mkdir()
    (tmp_path / "script.py").write_text("print('started')\n")
    (tmp_path / "notes.txt").write_text("notes of mine\n" * 1000)
    with duckdb.connect(tmp_path / "foreign.duckdb") as foreign:
        foreign.execute("create table mine as select 42 as answer")
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir() if p.is_file()}
    done = run(marker[0] if command is None else command, tmp_path, options=options)
    assert done.code == code
    assert done.stdout == ""
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
    # Of options: how they are used, where that is written, and what is wrong.
    assert len([line for line in done.stderr.splitlines() if line]) == (3 if code == 2 else 1), done.stderr
    assert not marker[1].exists()
    after = {p.name: p.read_bytes() for p in tmp_path.iterdir() if p.is_file() and p.name in before}
    assert after == before, "what was there is untouched"


def test_a_setting_in_the_environment_that_is_none(tmp_path: Path, marker: tuple[list[str], Path]) -> None:
    done = run(marker[0], tmp_path, env={"MSGTRACE_BODY_LIMIT": "many"})
    assert (done.code, done.stderr) == (1, "msgtrace: MSGTRACE_BODY_LIMIT='many': expected a whole number\n")
    assert not marker[1].exists()


def test_nothing_of_ours_is_left_in_memory(tmp_path: Path) -> None:
    spool = run([sys.executable, "-c", "import os; print(os.environ['MSGTRACE_SPOOL'])"], tmp_path).stdout.strip()
    assert spool.startswith("/dev/shm/msgtrace-")
    assert not Path(spool).exists()


def test_tools_that_are_not_installed(tmp_path: Path) -> None:
    bare = make_venv(
        tmp_path / "bare", "msgspec", "wrapt", "click", lines=[str(Path(__file__).parent.parent / "tracer")]
    )
    import subprocess

    done = subprocess.run(
        [bare, "-m", "msgtrace", "run", "--", "true"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (
        1,
        "msgtrace: recording needs duckdb and pyarrow and xxhash: pip install 'msgtrace[tools]'\n",
    )
