"""An agent that writes an entry of a Redis stream must know which fields are JSON in text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from msgtrace_analysis.renderers import memory
from msgtrace_analysis.renderers.documents import render

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace

BODY = {"kind": "resize", "payload": {"job": 1, "sizes": [1, 2]}}


def test_fields_of_a_streams_entry_that_are_json_are_said_to_be_text(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    made.send(system="redis", channel="jobs", channel_kind="stream", body=BODY)
    made.send(system="redis", channel="news", channel_kind="pubsub", body=BODY)
    found = findings()
    entries = json.loads(memory.files(found)["event_catalog.json"])["entries"]
    assert {each["on"]: each.get("sent_as_json_text") for each in entries} == {
        "redis stream jobs": ["payload"],
        "redis pubsub news": None,
    }
    guide = render("MESSAGING_GUIDE.md", found)["MESSAGING_GUIDE.md"]
    assert guide.count("- `payload` travels as JSON text") == 1
    flows = json.loads(render("EVENT_FLOWS.json", found)["EVENT_FLOWS.json"])
    assert [each["sent_as_json_text"] for each in flows["event_catalog"]].count(["payload"]) == 1
    schemas = render("schemas/", found)
    said = [
        json.loads(each)["x-msgtrace"]["sent_as_json_text"] for name, each in schemas.items() if "index" not in name
    ]
    assert sorted(said) == [[], ["payload"]]
    assert render("asyncapi.yaml", found)["asyncapi.yaml"].count("x-sent-as-json-text:") == 1


def test_a_queue_that_names_its_event_has_each_parameter_once(
    made: MadeTrace, findings: Callable[[], Findings]
) -> None:
    for number in range(8):
        made.send(
            system="rabbitmq", channel="", channel_kind="exchange", routing_key=f"reply.{number}", body={"n": number}
        )
    (event,) = findings().events
    assert (event.name, event.address) == ("reply.{reply_id}", "reply.{reply_id}")
    assert [each.name for each in event.parameters] == ["reply_id"]
