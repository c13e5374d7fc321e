"""Setting a context variable in a finaliser, in the middle of one being set, crashes nobody; and all of it can be undone."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from msgtrace.kept_context import TOLD, keep_contexts, release_contexts
from msgtrace.native import native

CRASHES_PYTHON_UP_TO_3_11 = """
import contextvars, gc, signal
from msgtrace.kept_context import keep_contexts
keep_contexts()
var = contextvars.ContextVar("var")
def set_and_reset(*_):
    token = var.set(object())
    inner = var.set(object())
    var.reset(inner)
    var.reset(token)
class Ring:
    def __init__(self):
        self.ring = self
    def __del__(self):
        set_and_reset()
signal.signal(signal.SIGALRM, set_and_reset)
gc.set_threshold(7, 2, 2)
for number in range(20000):
    if number % 3 == 0:
        signal.setitimer(signal.ITIMER_REAL, 1e-6 * (number % 40 + 1))
    Ring()
    set_and_reset()
print("alive")
"""

RAISES_FROM_A_SIGNAL_HANDLER = """
import gc, signal
from contextvars import ContextVar
from msgtrace.kept_context import keep_contexts
keep_contexts()
class Interrupt(Exception): pass
var = ContextVar("var")
raised = caught = 0
def handler(*_):
    global raised
    raised += 1
    raise Interrupt
signal.signal(signal.SIGALRM, handler)
gc.set_threshold(1, 1, 1)
for number in range(3000):
    before = raised
    try:
        signal.setitimer(signal.ITIMER_REAL, 1e-6 * (number % 40 + 1))
        while raised == before:
            var.set([[]])
    except Interrupt:
        caught += 1
print(raised, caught)
"""


def test_a_variable_set_while_it_is_set() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CRASHES_PYTHON_UP_TO_3_11], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "alive\n", "")


@pytest.mark.skipif(native is None, reason="in Python it can be interrupted, as kept_context says")
def test_what_a_signal_handler_raises_reaches_the_program() -> None:
    done = subprocess.run(
        [sys.executable, "-c", RAISES_FROM_A_SIGNAL_HANDLER], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "3000 3000\n", "")


def test_what_is_told_is_told_once_and_can_be_undone() -> None:
    before = list(gc.callbacks)
    keep_contexts()
    keep_contexts()
    assert len(gc.callbacks) == len(before) + (len(TOLD) if sys.version_info < (3, 12) else 0)
    gc.collect()
    release_contexts()
    assert gc.callbacks == before
