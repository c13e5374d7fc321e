"""Calls over HTTP: each request is recorded once, with where it went and how it ended, and asks the server the very same."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from integration.asked_server import asked_server
from integration.recorded import read, record
from integration.traced import run

if TYPE_CHECKING:
    from integration.recorded import Operation

PROGRAMS = Path(__file__).parent / "programs" / "http_clients"
OK = {"status": 200}
FAILS = {"status": 503}
MOVED = ("GET", "/moved", {"status": 302}, None)
FOLLOWED = ("GET", "/orders/7", OK, None)
GET, POST = ("GET", "/orders/1", OK, None), ("POST", "/orders", OK, None)
STREAM = ("GET", "/stream", OK, None)
AGAIN = ("GET", "/orders/2", OK, None)


def told(call: Operation) -> tuple[Any, ...]:
    return call["routing_key"], call["channel"], call["settings"], call.error_type


EXPECTED: dict[str, list[tuple[Any, ...]]] = {
    "httpx": [
        GET, POST, ("GET", "/fails", FAILS, None), MOVED, FOLLOWED,
        ("GET", "/closes", None, "httpx.RemoteProtocolError"),
        ("GET", "/slow", None, "httpx.ReadTimeout"),
        STREAM,
        ("GET", "/nobody", None, "httpx.ConnectError"),
        AGAIN, *(("GET", f"/orders/{n}", OK, None) for n in (3, 4, 5)),
        ("GET", "/slow", None, "asyncio.exceptions.CancelledError"),
    ],
    "requests": [
        GET, POST, ("GET", "/fails", FAILS, None), MOVED, FOLLOWED,
        ("GET", "/closes", None, "urllib3.exceptions.ProtocolError"),
        ("GET", "/slow", None, "urllib3.exceptions.ReadTimeoutError"),
        STREAM,
        ("GET", "/nobody", None, "urllib3.exceptions.MaxRetryError"),
    ],
    "urllib3": [
        GET, POST, ("GET", "/fails", FAILS, None), MOVED, FOLLOWED,
        ("GET", "/closes", None, "urllib3.exceptions.ProtocolError"),
        ("GET", "/slow", None, "urllib3.exceptions.ReadTimeoutError"),
        STREAM,
        ("GET", "/nobody", None, "urllib3.exceptions.MaxRetryError"),  # three attempts, one call
        MOVED, FOLLOWED,
        ("GET", "/fails", None, "urllib3.exceptions.MaxRetryError"),
    ],
    "aiohttp": [
        GET, POST, ("GET", "/fails", FAILS, None),
        ("GET", "/moved", {"status": 200, "redirects": 1}, None),
        ("POST", "/closes", None, "aiohttp.client_exceptions.ServerDisconnectedError"),
        ("GET", "/slow", None, "TimeoutError"),
        STREAM,
        ("GET", "/nobody", None, "aiohttp.client_exceptions.ClientConnectorError"),
        ("GET", "/fails", FAILS, "aiohttp.client_exceptions.ClientResponseError"),
        AGAIN, AGAIN, AGAIN,
        ("GET", "/slow", None, "asyncio.exceptions.CancelledError"),
    ],
    "urllib": [
        GET, POST, ("PUT", "/orders", OK, None), ("", "/orders", OK, None), ("GET", "/fails", FAILS, None), MOVED, FOLLOWED,
        ("GET", "/closes", None, "http.client.RemoteDisconnected"),
        ("GET", "/slow", None, "TimeoutError"),
        STREAM,
        ("GET", "/nobody", None, "urllib.error.URLError"),
        ("GET", "/orders/9", OK, None),
        AGAIN, AGAIN, AGAIN, AGAIN,
    ],
}  # fmt: skip

EXPECTED["httpx2"] = [(*call, error and error.replace("httpx.", "httpx2.")) for *call, error in EXPECTED["httpx"]]


@pytest.mark.parametrize("name", EXPECTED)
def test_every_request_is_a_call_and_the_server_is_asked_the_same(name: str) -> None:
    program = str(PROGRAMS / f"with_{name.removesuffix('2')}.py")
    more = [name] if name == "httpx2" else []
    with asked_server() as server:
        plain, without = record([program, f"http://{server.place}", *more], traced=False), server.take()
        traced, with_it = record([program, f"http://{server.place}", *more]), server.take()
        port = server.server_port
    assert plain.exit_code == 0, plain.stderr
    assert (traced.exit_code, traced.stdout, traced.stderr) == (0, plain.stdout, plain.stderr)
    assert sorted(with_it, key=str) == sorted(without, key=str)
    assert traced.losses == []

    calls = traced.of("call")
    assert sorted(map(told, calls), key=str) == sorted(EXPECTED[name], key=str)
    if not name.startswith("httpx"):  # whose requests at once begin in any order
        assert [told(each) for each in calls] == EXPECTED[name]
    for call in calls:
        assert call.outcome == (
            "cancelled" if "Cancelled" in str(call.error_type) else "raised" if call.error_type else "ok"
        )
        assert call.ended_ns is not None
        expected = {"/nobody": ("127.0.0.1", 1), "/orders/9": ("elsewhere", 81)}
        place = expected.get(call["channel"], ("127.0.0.1", port))
        assert (call["connection"]["server_address"], call["connection"]["server_port"]) == place
        assert call["connection"]["tls"] is False
    sites = {call.site[0] for call in calls if call.site}
    assert sites == {program}
    assert "hidden" not in str(calls)


def test_clients_that_were_there_before_are_seen_and_everything_is_put_back(tmp_path: Path) -> None:
    with asked_server() as server:
        ended = record([str(PROGRAMS / "attached.py"), f"http://{server.place}", str(tmp_path)], traced=False)
    assert ended.exit_code == 0, ended.stderr
    assert ended.said == [[]]
    recording = read(tmp_path)
    assert recording.losses == []
    asked = str(("GET", "/orders", OK, None))
    assert Counter((each.library, str(told(each))) for each in recording.of("call")) == {
        ("urllib3", asked): 2,
        ("urllib.request", asked): 1,
        ("httpx", asked): 2,
        ("aiohttp", asked): 1,
    }


def test_what_a_failed_call_is_followed_by(tmp_path: Path) -> None:
    with asked_server() as server:
        ended = run([sys.executable, str(PROGRAMS / "falling_back.py"), f"http://{server.place}"], tmp_path)
        place = server.place
    assert ended.code == 0, ended.stderr
    assert ended.account == [1, 3, 5, 7, 9, 11]
    caused = ended.rows(
        "select s.kind, s.routing_key, c.certainty from causes as c join operations as e on e.operation_id = c.effect_id"
        " join operations as s on s.operation_id = c.cause_id where e.kind = 'call'"
    )
    assert {tuple(each.values()) for each in caused} == {("process", None, "exact")}
    assert len(caused) == 12
    folder = tmp_path / "out"
    written = run(
        [sys.executable, "-m", "msgtrace", "report", "--db", str(ended.trace), "--out", str(folder)],
        tmp_path,
        traced=False,
    )
    assert written.code == 0, written.stderr
    found = json.loads((folder / "EVENT_FLOWS.json").read_text())["conversations"]
    assert {
        (each["method"], each["server"], each["path"]): (each["statuses"], each["failures"]) for each in found["calls"]
    } == {
        ("POST", place, "/charges"): ({"503": 6}, {"status 503": 6}),
        ("POST", place, "/accounts/{account_id}/charges"): ({"200": 6}, {}),
    }
    assert {each["while_handling"]["name"] for each in found["calls"]} == {"charge"}
    (fallback,) = found["fallbacks"]
    assert (fallback["call"], fallback["event"].rpartition("/")[2]) == (f"POST {place}/charges", "charge.queued")
    assert (fallback["failed_calls"], fallback["followed"], fallback["failures"]) == (6, 6, {"status 503": 6})
    guide = (folder / "MESSAGING_GUIDE.md").read_text()
    assert f"POST {place}/accounts/{{account_id}}/charges" in guide
    assert "Calls with a Message to Fall Back on" in guide


def test_nothing_of_the_query_reaches_the_trace_file(tmp_path: Path) -> None:
    with asked_server() as server:
        ended = run([sys.executable, str(PROGRAMS / "with_requests.py"), f"http://{server.place}"], tmp_path)
    assert ended.values("select count(*) from operations where kind = 'call'") == [9]
    assert b"hidden" not in ended.trace.read_bytes()
    assert ended.values("select error_message from operations where kind = 'call' and channel = '/nobody'") == [
        "NewConnectionError, ConnectionRefusedError: Connection refused"
    ]
