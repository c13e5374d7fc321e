"""What one call does not tell: a message made inside it, an end that comes with a future; and errors of what is over."""

from __future__ import annotations

import os
import sys
import types
from typing import TYPE_CHECKING, Any

import pytest

from integration.recorded import Recording, read
from msgtrace.code_site import CodeSites
from msgtrace.context import CURRENT, Cause
from msgtrace.engine import Engine
from msgtrace.hook import Fetch, Hook, Late, Made, Observe, Point, Send, Submit, Until
from msgtrace.interning import bind
from msgtrace.native import MAX_FAILURES
from msgtrace.recorder import Recorder
from msgtrace.records import CAUSE_SETTLED
from msgtrace.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LIBRARY = '''
class Future:
    def __init__(self, error=None):
        self.error, self.callbacks, self.done = error, [], False

    def finish(self):
        self.done = True
        for each in self.callbacks:
            each(self.error)

class Producer:
    name = "p"

    def __init__(self):
        self.batch = Batch()

    def send(self, value, headers=None):
        """Sends."""
        if value == "refuse":
            return Future(KeyError("refused"))
        if value == "raise":
            raise LookupError("raised")
        if callable(value):
            value = value()
        while not self.batch.append(value.encode(), headers):
            self.batch.values.clear()
        return Future()

    def commit(self, error=None):
        return Future(error)

class Batch:
    def __init__(self):
        self.values = []

    def append(self, value, headers):
        if len(self.values) == 2:
            return None
        self.values.append(value)
        return self

    def complete(self):
        self.values.clear()

class Consumer:
    def poll(self):
        return ["a"]

    def next(self):
        return self.poll()[0]

    def seek(self, error=None):
        if error:
            raise error
'''

_noted: dict[Any, list[int]] = {}


def given(self: Any, value: Any, headers: Any = None) -> Any:
    return {"channel": "given", "data": value if isinstance(value, str) else None}


def refusal(result: Any, *_: Any, **__: Any) -> Any:
    return result.error


def injected(fields: Any, args: Any, kwargs: Any) -> Any:
    return args, {**kwargs, "headers": [*(kwargs.get("headers") or []), *fields.items()]}


def appended(result: Any, owner: Any, self: Any, value: Any, headers: Any) -> Any:
    if result is None:
        return None
    if value == b"fail":
        raise RuntimeError("ours")
    return {"channel": "made", "body": value, "headers": headers, "settings": {"owner": owner and owner.name}}


def noted(sequence: int, result: Any, owner: Any, self: Any, value: Any, headers: Any) -> None:
    _noted.setdefault(self, []).append(sequence)


def completed(_: None, self: Any) -> Any:
    return [(each, "ok", None, {"log_offset": n}) for n, each in enumerate(_noted.pop(self, []))]


def follow(future: Any, ended: Callable[[BaseException | None], None]) -> None:
    future.callbacks.append(ended)


HOOK = Hook(
    library="deferring",
    system="test",
    distribution="deferring",
    versions=">=1",
    points=(
        Point("deferring:Producer.send", Submit(read=given, refusal=refusal, inject=injected)),
        Point("deferring:Batch.append", Made(read=appended, done=noted)),
        Point("deferring:Batch.complete", Late(read=completed, before=True)),
        Point(
            "deferring:Producer.commit",
            Until(
                kind="settle",
                read=lambda self, error=None: [{"channel": "c"}, {"channel": "d"}],
                follow=follow,
                outcome="commit",
            ),
        ),
        Point("deferring:Consumer.poll", Fetch(read=lambda result, self: {"channel": "batch"} if polling else None)),
        Point("deferring:Consumer.next", Fetch(read=lambda result, self: {"channel": "one"})),
        Point(
            "deferring:Consumer.seek",
            Observe(kind="call", read=lambda result, self, error=None: {"channel": "sought"}),
        ),
    ),
)
polling = False


@pytest.fixture(params=[False, True], ids=["passive", "propagating"])
def propagate(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def library(tmp_path: Path, propagate: bool, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The library above, hooked."""
    monkeypatch.setattr("msgtrace.probe._RAISE", False)
    module: Any = types.ModuleType("deferring")
    module.__version__ = "1.0"
    exec(compile(LIBRARY, "/site-packages/deferring.py", "exec"), vars(module))
    monkeypatch.setitem(sys.modules, "deferring", module)
    recorder = Recorder(tmp_path, lambda: {"pid": os.getpid()})
    bind(recorder, Settings(propagate=propagate))
    engine = Engine(recorder, CodeSites(recorder))
    engine.add(HOOK)
    token = CURRENT.set(None)
    yield module
    CURRENT.reset(token)
    engine.restore()
    bind(recorder, Settings())


@pytest.fixture
def recorded(tmp_path: Path) -> Callable[[], Recording]:
    return lambda: read(tmp_path)


def test_a_send_begins_where_its_message_is_made(library: Any, recorded: Any, propagate: bool) -> None:
    producer = library.Producer()
    for value in ("1", "2", "3"):  # the third finds no room at first
        producer.send(value)
    sent = recorded().of("send")
    assert [(each["channel"], each["body"], each.outcome) for each in sent] == [
        ("made", b"1", "unknown"),
        ("made", b"2", "unknown"),
        ("made", b"3", "unknown"),
    ]
    assert {each["settings"]["owner"] for each in sent} == {"p"}
    assert {each.site[2] for each in sent} == {"test_a_send_begins_where_its_message_is_made"}
    assert {each.target for each in sent} == {"deferring:Batch.append"}
    if propagate:
        spans = [dict(each["headers"])["traceparent"].split("-")[1:3] for each in sent]
        assert spans == [[each["trace_id"], each["span_id"]] for each in sent]
        assert len({span for _, span in spans}) == 3
    else:
        assert {each["headers"] for each in sent} == {None}
        assert "span_id" not in sent[0].message


def test_its_end_is_told_later(library: Any, recorded: Any) -> None:
    producer = library.Producer()
    producer.send("1")
    producer.send("2")
    producer.batch.complete()
    assert [(each.outcome, each["log_offset"]) for each in recorded().of("send")] == [("ok", 0), ("ok", 1)]


def test_a_send_without_a_message_is_what_the_program_gave(library: Any, recorded: Any) -> None:
    producer = library.Producer()
    assert isinstance(producer.send("refuse").error, KeyError)
    with pytest.raises(LookupError, match="raised"):
        producer.send("raise")
    with pytest.raises(TypeError):
        producer.send()
    sent = recorded().of("send")
    assert [(each["data"], each.outcome, each.error_type) for each in sent] == [
        ("refuse", "raised", "KeyError"),
        ("raise", "raised", "LookupError"),
    ]
    assert sent[0].site[2] == "test_a_send_without_a_message_is_what_the_program_gave"


def test_a_send_inside_a_send_is_its_own(library: Any, recorded: Any) -> None:
    outer, inner = library.Producer(), library.Producer()
    inner.name = "inner"

    def value() -> str:
        inner.send("inner")
        return "outer"

    outer.send(value)
    assert [(each["body"], each["settings"]["owner"]) for each in recorded().of("send")] == [
        (b"inner", "inner"),
        (b"outer", "p"),
    ]


def test_a_message_made_outside_of_a_send_has_no_owner(library: Any, recorded: Any) -> None:
    library.Batch().append(b"1", None)
    (sent,) = recorded().of("send")
    assert (sent["body"], sent["settings"]["owner"]) == (b"1", None)


def test_errors_of_ours_stop_the_recording_and_nothing_else(library: Any, recorded: Any) -> None:
    producer = library.Producer()
    for _ in range(MAX_FAILURES + 2):
        producer.batch.values.clear()
        assert producer.send("fail").error is None
    assert producer.batch.values == [b"fail"]
    assert [each[0] for each in recorded().losses] == ["hook failed"] * MAX_FAILURES


def test_an_operation_ends_with_its_future(library: Any, recorded: Any) -> None:
    producer = library.Producer()
    cause = Cause(1)
    CURRENT.set(cause)
    good, bad, never = producer.commit(), producer.commit(ValueError("late")), producer.commit()
    assert cause.state == CAUSE_SETTLED
    good.finish()
    bad.finish()
    assert not never.done
    assert [(each["channel"], each.outcome, each.error_type) for each in recorded().of("settle")] == [
        ("c", "commit", None),
        ("d", "commit", None),
        ("c", "raised", "ValueError"),
        ("d", "raised", "ValueError"),
        ("c", "unknown", None),
        ("d", "unknown", None),
    ]


def test_a_fetch_inside_a_fetch_leaves_the_outer_one_as_cause(
    library: Any, recorded: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer, producer = library.Consumer(), library.Producer()
    for inner in (False, True):
        monkeypatch.setattr(sys.modules[__name__], "polling", inner)
        consumer.next()
        producer.send("after")
    received = recorded().of("receive", channel="one")
    assert [each.causes for each in recorded().of("send")] == [(each.sequence,) for each in received]


def test_what_is_recorded_once_over_keeps_its_error(library: Any, recorded: Any) -> None:
    consumer = library.Consumer()
    consumer.seek()
    with pytest.raises(ValueError, match="no such place"):
        consumer.seek(ValueError("no such place"))
    assert [(each.outcome, each.error_type, each.error_message) for each in recorded().of("call")] == [
        ("ok", None, None),
        ("raised", "ValueError", "no such place"),
    ]


def test_only_functions_that_return_at_once_can_be_deferred(library: Any) -> None:
    from msgtrace.wrappers import replacement

    async def send(value: Any) -> None:
        """Sends."""

    probe: Any = None
    with pytest.raises(TypeError, match="no Submit of"):
        replacement(send, HOOK.points[0].action or Send(read=given), probe, probe)


def test_a_call_that_nothing_called(library: Any, recorded: Callable[[], Recording]) -> None:
    """A greenlet, and a thread of `_thread`, may run the very method: there is no code around it to look at."""
    greenlet = pytest.importorskip("greenlet").greenlet
    producer, consumer = library.Producer(), library.Consumer()
    for call, argument in ((producer.send, ("x",)), (producer.commit, ()), (consumer.next, ()), (consumer.seek, ())):
        greenlet(call).switch(*argument)
    operations = recorded().operations
    assert [each["channel"] for each in operations] == ["made", "c", "d", "one", "sought"]
    assert {each.site for each in operations} == {None}
