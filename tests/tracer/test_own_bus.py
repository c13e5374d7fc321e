"""A program's own bus, declared: its messages, handlers and causes are recorded as those of a library's are."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

import msgtrace
from msgtrace import own_bus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ROWS = """
    select o.kind, o.system, o.channel, o.routing_key, cast(o.body_json as varchar) as body, o.outcome, h.name as handler,
        l.send_id is not null as linked, c.certainty as caused
    from operations as o
    left join links as l on l.receive_id = o.operation_id
    left join causes as c on c.effect_id = o.operation_id
    left join handlers as h using (handler_id)
    order by o.operation_id
"""


@pytest.fixture(autouse=True)
def undeclared() -> Iterator[None]:
    yield
    own_bus._declared.clear()


def made() -> Any:
    class Events:
        def __init__(self) -> None:
            self.handlers: dict[str, list[Callable[..., Any]]] = {}

        def publish(self, event: str, **data: Any) -> int:
            for handler in self.handlers.get(event, []):
                self._call(handler, data)
            return len(self.handlers)

        def _call(self, handler: Callable[..., Any], data: dict[str, Any]) -> None:
            handler(**data)

    return Events


def rows(trace: msgtrace.Trace) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = trace.query(ROWS).to_pylist()
    return found


@pytest.mark.parametrize("late", [False, True])
def test_messages_handlers_and_causes(tmp_path: Path, *, late: bool) -> None:
    """Of a class that no module has, declared before and after recording began."""
    events = made()
    plain = dict(vars(events))

    def shipped(order: int) -> None:
        bus.publish("order.shipped", order=order)

    bus = events()
    bus.handlers["order.paid"] = [shipped]
    if not late:
        assert msgtrace.bus(events, send="publish", run="_call", name="events") is events
    with msgtrace.tracing(tmp_path / "trace.duckdb") as trace:
        if late:
            msgtrace.bus(events, send="publish", run="_call", name="events")
        assert bus.publish("order.paid", order=7) == 1
        assert bus.publish(event="order.paid", order=8) == 1
    assert dict(vars(events)) == plain
    each: list[dict[str, Any]] = [
        {"kind": "send", "routing_key": "order.paid", "linked": False, "caused": None},
        {"kind": "process", "routing_key": None, "linked": True, "caused": "exact"},
        {"kind": "send", "routing_key": "order.shipped", "linked": False, "caused": "exact"},
    ]
    found = rows(trace)
    assert [{name: row[name] for name in each[0]} for row in found] == each * 2
    assert {(row["system"], row["channel"], row["outcome"]) for row in found} == {("in_process", "events", "ok")}
    assert [row["body"].replace(" ", "") for row in found if row["kind"] == "send"] == ['{"order":7}'] * 2 + [
        '{"order":8}'
    ] * 2
    assert {row["handler"] for row in found if row["kind"] == "process"} == {shipped.__qualname__}


def test_messages_that_are_objects_on_a_bus_that_awaits(tmp_path: Path) -> None:
    class OrderPaid:
        def __init__(self, order: int) -> None:
            self.order = order

    @msgtrace.bus(send="send", event="message", run="_deliver", handler="to")
    class Mediator:
        handlers: tuple[Any, ...] = ()

        async def send(self, message: Any) -> None:
            await asyncio.gather(*(self._deliver(message, to=handler) for handler in self.handlers))

        async def _deliver(self, message: Any, *, to: Any) -> None:
            await to(message)

    async def paid(_message: OrderPaid) -> None:
        await asyncio.sleep(0)

    async def broken(_message: OrderPaid) -> None:
        raise ValueError("no stock")

    mediator = Mediator()
    mediator.handlers = (paid, broken)
    with msgtrace.tracing(tmp_path / "trace.duckdb") as trace, pytest.raises(ValueError, match="no stock"):
        asyncio.run(mediator.send(OrderPaid(7)))
    sent, *handled = rows(trace)
    assert (sent["kind"], sent["routing_key"], sent["outcome"]) == ("send", "OrderPaid", "raised")
    assert sent["channel"].endswith("Mediator")
    assert {row["handler"]: row["outcome"] for row in handled} == {
        paid.__qualname__: "ok",
        broken.__qualname__: "raised",
    }
    assert all(row["linked"] for row in handled)


def test_only_some_libraries_means_no_own_bus(tmp_path: Path) -> None:
    events = msgtrace.bus(made(), send="publish")
    with msgtrace.tracing(tmp_path / "trace.duckdb", only=["pyee"]) as trace:
        events().publish("order.paid")
    assert rows(trace) == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"send": "emit"}, "no method 'emit'"),
        ({"send": "publish", "event": "name"}, "no parameter 'name'"),
        ({"send": "publish", "event": "data"}, "no parameter 'data'"),
        ({"send": "publish", "run": "_call", "handler": "self"}, "no parameter 'self'"),
    ],
)
def test_what_is_not_there_is_said(wrong: dict[str, str], words: str) -> None:
    with pytest.raises(TypeError, match=words):
        msgtrace.bus(made(), **wrong)


def test_once_is_enough() -> None:
    events = msgtrace.bus(made(), send="publish")
    with pytest.raises(TypeError, match="already"):
        msgtrace.bus(events, send="publish")
