"""Documents of a part: what was chosen, whole flows, and nothing that leads nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgtrace_analysis.commands.choosing import Choice
from msgtrace_analysis.commands.narrowing import narrowed
from msgtrace_analysis.renderers.documents import DOCUMENTS, render
from tests.analysis.hostile import hostile_trace
from tests.analysis.test_event_flows import checked

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgtrace_analysis.findings import Findings
    from tests.analysis.made_trace import MadeTrace


def two_systems(made: MadeTrace) -> None:
    for route, event, service in (("/orders", "order.placed", "mail"), ("/users", "user.registered", "crm")):
        trigger = made.operation(
            "trigger", "http", service="web", channel=route, channel_kind="route", routing_key="POST"
        )
        send = made.send(service="web", channel=f"{event}s", channel_kind="queue", event_type=event, body={"id": 1})
        made.cause(trigger, send)
        receive = made.receive(
            send, service=service, channel=f"{event}s", channel_kind="queue", handler=f"/app/{service}.py:1 handle"
        )
        followed = made.send(
            service=service, channel="told", channel_kind="queue", event_type=f"{service}.told", body={}
        )
        made.cause(receive, followed)


def test_a_service_with_its_flows(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    two_systems(made)
    part = narrowed(findings(), Choice(("crm",), (), (), None))
    assert {event.name for event in part.events} == {"user.registered", "crm.told"}
    assert [flow.name for flow in part.flows] == ["POST /users"]
    assert {each.name for each in part.topology.channels} == {"user.registereds", "told"}
    assert {each.event for each in part.contracts} == {event.ref for event in part.events}
    assert {each.channel for each in part.guarantees.consumers} <= {"user.registereds", "told"}
    assert not any("order.placed" in each.subject for each in part.frequencies.rates)


def test_everything_is_the_whole(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    two_systems(made)
    found = findings()
    assert narrowed(found, Choice((), (), (), None)) is found


def test_every_document_of_every_part_can_be_written(made: MadeTrace, findings: Callable[[], Findings]) -> None:
    hostile_trace(made)
    two_systems(made)
    found = findings()
    for event in found.events:
        part = narrowed(found, Choice((), (), (event.ref.replace("[", "[[]"),), None))
        known = {each.ref for each in part.events}
        assert {step.event for flow in part.flows for step in flow.steps} <= known
        checked(render("EVENT_FLOWS.json", part)["EVENT_FLOWS.json"])
    part = narrowed(found, Choice(("crm",), (), (), None))
    for name in DOCUMENTS:
        render(name, part)


def test_what_was_chosen_is_said_as_it_was_given() -> None:
    assert Choice(("web",), (), ("a", "b*"), None).said == "--service web --event a --event b*"
    assert Choice((), (), (), None).said == ""
