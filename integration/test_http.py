"""HTTP requests as triggers: one for each request, with method, route and status, and the cause of what answering it sends."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from websockets.sync.client import connect

from integration.http_server import PROGRAMS, Server, serving
from integration.recorded import Operation, Recording, record
from msgtrace.records import CAUSE_ELSEWHERE

UVICORN = ["-m", "uvicorn", "--port", "PORT", "--log-level", "warning"]
HYPERCORN = ["-m", "hypercorn", "--bind", "127.0.0.1:PORT"]
GUNICORN = ["-m", "gunicorn", "--bind", "127.0.0.1:PORT", "--log-level", "error", "--graceful-timeout", "1"]
WAITRESS = ["-m", "waitress", "--listen", "127.0.0.1:PORT"]
WSGIREF = ["wsgiref_server.py"]

SERVED = {
    "asgi-uvicorn": [*UVICORN, "asgi_app:application"],
    "asgi-hypercorn": [*HYPERCORN, "asgi_app:application"],
    "starlette-uvicorn": [*UVICORN, "starlette_app:application"],
    "starlette-hypercorn": [*HYPERCORN, "starlette_app:application"],
    "fastapi-uvicorn": [*UVICORN, "fastapi_app:application"],
    "fastapi-gunicorn-uvicorn": [*GUNICORN, "-k", "uvicorn.workers.UvicornWorker", "fastapi_app:application"],
    "fastapi-gunicorn-asgi": [*GUNICORN, "-k", "asgi", "fastapi_app:application"],
    "django-uvicorn": [*UVICORN, "django_app:asgi"],
    "django-gunicorn": [*GUNICORN, "django_app:wsgi"],
    "django-waitress": [*WAITRESS, "django_app:wsgi"],
    "flask-gunicorn-threads": [*GUNICORN, "--threads", "4", "flask_app:application"],
    "flask-gunicorn-gevent": [*GUNICORN, "-k", "gevent", "flask_app:application"],
    "flask-waitress": [*WAITRESS, "flask_app:application"],
    "flask-hypercorn": [*HYPERCORN, "wsgi:flask_app:application"],
    "flask-werkzeug": ["-m", "flask", "--app", "flask_app:application", "run", "--port", "PORT"],
    "wsgi-gunicorn": [*GUNICORN, "wsgi_app:application"],
    "wsgi-waitress": [*WAITRESS, "wsgi_app:application"],
    "wsgi-wsgiref": [*WSGIREF, "wsgi_app:application", "PORT"],
}
ANSWERED_BY_THE_SERVER = {"asgi-hypercorn", "wsgi-gunicorn", "wsgi-waitress"}
"""What an application raised, the server itself makes a response of, out of any hook's sight."""
ORDERS = 6


def told(trigger: Operation) -> tuple[Any, ...]:
    """What a trigger says of its request."""
    return trigger["routing_key"], trigger["channel"], (trigger["settings"] or {}).get("status"), trigger.outcome


def sends(recording: Recording) -> list[Operation]:
    """What the applications emit: Flask sends signals of its own, too."""
    return [each for each in recording.of("send") if each.library == "pyee"]


IN_THREADS = {"failing", "chunk", "after"}
"""What some of the programs emit in a thread, or task, that their framework runs it in."""
ELSEWHERE = {"django-uvicorn", "flask-hypercorn"}
"""Where that is so of everything."""


def cause(recording: Recording, send: Operation, served: str = "") -> Operation | None:
    """The trigger that an emit follows from, which is exactly known where the server's own call goes on."""
    if not send.causes:
        return None
    (sequence,) = send.causes
    may_be = {0, CAUSE_ELSEWHERE} if send["routing_key"] in IN_THREADS or served in ELSEWHERE else {0}
    assert send.cause_state in may_be, send
    (found,) = [e for e in recording.operations if (e.process, e.sequence) == (send.process, sequence)]
    return found


def ask_everything(server: Server, stream: str) -> None:
    """Orders at the same time; a failure, a stream, and what is not there."""
    with ThreadPoolExecutor(ORDERS) as pool:
        answers = list(pool.map(lambda n: server.ask("POST", f"/orders/{n}/items?secret=1"), range(ORDERS)))
    assert {status for status, _ in answers} == {201}
    assert server.ask("GET", "/fails")[0] == 500
    assert server.ask("GET", stream)[1] == b"onetwo"
    assert server.ask("GET", "/caf%C3%A9?q=1")[0] == 404


@pytest.mark.parametrize("served", SERVED)
def test_requests(served: str) -> None:
    framework = served.partition("-")[0]
    routed = framework not in {"asgi", "wsgi"}
    stream = "/api/stream" if routed else "/stream"
    env = {"VIEWS": "async"} if served == "django-uvicorn" else {}
    with serving(SERVED[served], env=env) as server:
        ask_everything(server, stream)
    recording = server.recording
    assert recording.losses == []
    assert recording.dropped == 0
    orders = [f"/orders/{n}/items" for n in range(ORDERS)]
    expected: Counter[tuple[Any, ...]] = Counter(
        [("POST", "/orders/{order_id}/items" if routed else path, 201, "ok") for path in orders]
    )
    status = None if served in ANSWERED_BY_THE_SERVER else 500
    expected.update([("GET", "/fails", status, "raised"), ("GET", stream, 200, "ok"), ("GET", "/café", 404, "ok")])
    triggers = recording.of("trigger")
    assert Counter(map(told, triggers)) == expected
    (failed,) = [each for each in triggers if each.outcome == "raised"]
    assert (failed.error_type, failed.error_message) == ("LookupError", "no such thing")
    assert all(each.causes == () for each in triggers)
    placed = [each for each in sends(recording) if each["routing_key"] == "placed"]
    caused_by = [cause(recording, each, served) for each in placed]
    assert sorted(each["data"] for each in placed) == list(range(ORDERS))
    assert len({each.sequence for each in caused_by if each is not None and each["routing_key"] == "POST"}) == ORDERS
    for event, path in (("failing", "/fails"), ("chunk", stream)):
        for each in sends(recording):
            if each["routing_key"] == event:
                found = cause(recording, each, served)
                assert found is not None, (event, each)
                assert found["channel"] == path
    assert Counter(each["routing_key"] for each in sends(recording) if each["routing_key"] != "started") == Counter(
        placed=ORDERS, failing=1, chunk=2
    )
    assert [each.causes for each in sends(recording) if each["routing_key"] == "started"] in ([], [()])


@pytest.mark.parametrize("served", ["starlette-uvicorn", "fastapi-uvicorn", "starlette-hypercorn"])
def test_what_goes_on_after_the_response(served: str) -> None:
    with serving(SERVED[served]) as server:
        assert server.ask("GET", "/api/later")[0] == 200
        time.sleep(0.2)
    recording = server.recording
    (trigger,) = recording.of("trigger")
    assert told(trigger) == ("GET", "/api/later", 200, "ok")
    (after,) = sends(recording)
    assert cause(recording, after) is trigger


@pytest.mark.parametrize("served", ["asgi-uvicorn", "asgi-hypercorn", "starlette-uvicorn", "fastapi-gunicorn-asgi"])
def test_a_websocket_is_no_request(served: str) -> None:
    """What comes over it is its own hook's; here that is the server's own, of a library without one or of `websockets`."""
    with serving(SERVED[served]) as server:
        with connect(f"ws://127.0.0.1:{server.port}/talk") as socket:
            socket.send("hello")
            assert socket.recv() in {"hello", "heard"}
        assert server.ask("GET", "/nothing")[0] == 404
    recording = server.recording
    assert [told(each) for each in recording.of("trigger")] == [("GET", "/nothing", 404, "ok")]
    (said,) = [each for each in sends(recording) if each["routing_key"] == "said"]
    kinds = {e.kind for e in recording.operations if e.process == said.process and e.sequence in said.causes}
    assert kinds <= {"receive"}


@pytest.mark.parametrize("framework", ["starlette", "fastapi", "flask", "django"])
def test_without_a_server(framework: str) -> None:
    """Frameworks stand in: the same triggers for what a test client asks."""
    recording = record([str(PROGRAMS / "in_process.py"), framework])
    assert recording.exit_code == 0, recording.stderr
    answers = recording.said
    templates = {"/orders/3/items": "/orders/{order_id}/items"}
    assert [(each["routing_key"], each["channel"], each["settings"]["status"]) for each in recording.of("trigger")] == [
        (method, templates.get(target, target), status) for method, target, status in answers
    ]
    assert [status for *_, status in answers] == [201, 500, 200, 404]
    for event, path in (("placed", "/orders/{order_id}/items"), ("failing", "/fails")):
        (send,) = [each for each in sends(recording) if each["routing_key"] == event]
        found = cause(recording, send)
        assert found is not None
        assert found["channel"] == path
