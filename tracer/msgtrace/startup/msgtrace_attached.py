"""Run once inside a process that `attach` or `detach` has reached, in its main thread between two instructions of the program.

Its text is given to the interpreter with a call of `main` behind it: it can't be imported, msgtrace need not be there, and
nothing of it stays. Signal handlers of the program's that would run meanwhile, and may raise, run when it is over.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # as typing has it: the program need not have imported that
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def main(order: dict[str, Any]) -> None:
    """Do what was asked for, and say what became of it. Never raises.

    Args:
        order: `do` (attach or detach), `answer` (the file that gets the answer), and what each of them says.
    """
    from time import perf_counter_ns  # noqa: PLC0415 - nothing of ours stays behind in the program's modules

    started = perf_counter_ns()
    resume = _held_signals()
    try:
        outcome, detail = _attach(order) if order["do"] == "attach" else _detach(order)
    except BaseException as error:  # noqa: BLE001 - the program goes on whatever becomes of us
        outcome, detail = "failed", f"{type(error).__name__}: {error}"
    try:
        with open(f"{order['answer']}.partial", "w", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            file.write(f"{outcome}\n{perf_counter_ns() - started}\n{detail}")
        os.rename(f"{order['answer']}.partial", order["answer"])  # noqa: PTH104 - pathlib is not imported for this
    except OSError:
        if outcome == "attached":  # nobody waits for it any more
            _detach(order)
    resume()


def _held_signals() -> Callable[[], None]:
    """Have the program's signal handlers wait; what lets them go on, those that were called meanwhile first."""
    import _thread  # noqa: PLC0415 - built in, as the next

    signal: Any = __import__("_signal")  # `signal` itself need not be there
    came: list[int] = []

    def note(number: int, _frame: Any) -> None:
        came.append(number)

    held = {}
    for number in range(1, signal.NSIG):
        try:
            handler = signal.getsignal(number)
            if callable(handler):
                held[number] = handler
                signal.signal(number, note)
        except (ValueError, OSError):  # no such signal, or one that nobody may handle
            continue

    def deliver() -> None:
        from time import sleep  # noqa: PLC0415 - as above

        interrupt: Any = _thread.interrupt_main  # which takes any signal's number
        sleep(0.002)  # until the main thread has left this file: what a handler raises is for the program
        for number in dict.fromkeys(came):
            interrupt(number)

    def resume() -> None:
        for number, handler in held.items():
            signal.signal(number, handler)
        if came:
            _thread.start_new_thread(deliver, ())

    return resume


def _attach(order: dict[str, Any]) -> tuple[str, str]:
    begin: dict[str, Any] = {"__name__": "msgtrace_begin", "__file__": order["begin"]}
    with open(order["begin"], "rb") as file:  # noqa: PTH123 - as above
        exec(compile(file.read(), order["begin"], "exec"), begin)  # noqa: S102 - ours, and only what lends us our packages
    try:
        lender = begin["found"](order["tag"], order["lend"])
    except begin["NotLent"] as error:
        return "unfit", str(error)
    try:
        return _install(order, lender)
    finally:
        if lender is not None and sys.modules.get("msgtrace.attached") is None:  # nobody of ours who would do it
            sys.meta_path.remove(lender)
            lender.conceal()


def _install(order: dict[str, Any], lender: Any) -> tuple[str, str]:
    import msgtrace  # noqa: PLC0415 - found just now

    if msgtrace.__version__ != order["version"]:
        return "unfit", (
            f"{sys.executable} has msgtrace {msgtrace.__version__}, this is {order['version']}; make them the same there: "
            f"{sys.executable} -m pip install msgtrace=={order['version']}"
        )
    from msgtrace.attached import begin  # noqa: PLC0415 - as above

    return begin(order["settings"], lender)


def _detach(_order: dict[str, Any]) -> tuple[str, str]:
    attached = sys.modules.get("msgtrace.attached")
    return ("absent", "") if attached is None else attached.end()
