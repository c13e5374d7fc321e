"""Emits in processes of every making, and says of each emit in which process it was: processes.py WAY."""

import ctypes
import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor

from pyee.base import EventEmitter

bus = EventEmitter()


def work(number: int) -> int:
    # In one piece, and past any buffer that a fork would double.
    os.write(1, f"{os.getpid()} {number}\n".encode())
    bus.emit("work", number)
    return os.getpid()


def ended_well(pid: int) -> None:
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def fork() -> None:
    work(1)
    pid = os.fork()
    work(2)
    if pid == 0:
        grandchild = os.fork()
        work(3)
        if grandchild:
            ended_well(grandchild)
        os._exit(0)
    ended_well(pid)
    work(4)


def fork_without_handlers() -> None:
    """As C code forks, uWSGI's for one: Python is not told."""
    libc = ctypes.PyDLL(None)
    for number in range(3):
        work(number)
        pid = libc.fork()
        if pid == 0:
            work(10 + number)
            work(20 + number)
            os._exit(0)
        ended_well(pid)


def first_in_the_child() -> None:
    pid = os.fork()
    if pid == 0:
        work(1)
        os._exit(0)
    ended_well(pid)


def ends_at_once() -> None:
    work(1)
    os._exit(0)


def replaced() -> None:
    work(1)
    os.execv(sys.executable, [sys.executable, __file__, "first_in_the_child"])


def of_multiprocessing(method: str) -> None:
    work(0)
    context = multiprocessing.get_context(method)
    children = [context.Process(target=work, args=(number,)) for number in (1, 2)]
    for child in children:
        child.start()
    for child in children:
        child.join()
        assert child.exitcode == 0
    with context.Pool(2) as pool:
        pool.map(work, range(10, 16), chunksize=1)
    work(3)


def one_task_a_child() -> None:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool:
        pids = list(pool.map(work, range(4)))
    assert len(set(pids)) == 4


def tree() -> None:
    work(1)
    words = [sys.executable, __file__]
    subprocess.run(["sh", "-c", '"$0" "$@" & wait $!', *words, "fork"], check=True)
    subprocess.run([*words, "ends_at_once"], check=True, start_new_session=True)
    subprocess.run([*words, "replaced"], check=True, env={n: v for n, v in os.environ.items() if n != "HOME"})
    work(2)


if __name__ == "__main__":
    way = sys.argv[1]
    if way in {"fork_method", "spawn", "forkserver"}:
        of_multiprocessing(way.removesuffix("_method"))
    else:
        globals()[way]()
