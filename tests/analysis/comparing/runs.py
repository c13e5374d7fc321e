"""Runs of one's own to compare: as reports would tell them, and drawn at random."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from msgtrace_analysis.comparing.run import (
    Declared,
    Delivery,
    Event,
    Evidence,
    Flow,
    Frequencies,
    Latency,
    Observed,
    Party,
    Place,
    Policy,
    Rate,
    Recording,
    Retrying,
    Run,
    Said,
    Step,
    Version,
)
from msgtrace_analysis.passes.schema.counts import counts_of
from msgtrace_analysis.passes.schema.judgement import settle
from msgtrace_analysis.passes.schema.shapes import Shape

POLICY = Policy("fixed", 1.0, None, None, None, 0.0, 3, "dead letter", "dead")


def counted(bodies: list[Any]) -> dict[str, Any]:
    """The counts of some bodies."""
    shape = Shape()
    shape.add(bodies, range(len(bodies)))
    return counts_of(settle(shape))


def party(service: str, operations: int, name: str = "on_event") -> Party:
    """Code of a service."""
    return Party(service, name, f"/app/{service}.py:3", Evidence(operations))


def event(
    name: str = "order.placed", bodies: list[Any] | None = None, sent: int = 20, channel: str = "orders", **more: Any
) -> Event:
    """An event type that `web` sends and `billing` gets."""
    counts = None if not bodies else counted(bodies)
    values: dict[str, Any] = {
        "producers": (party("web", sent, "place"),),
        "consumers": (party("billing", sent),),
        "versioned_by": None,
        "version_said": None,
        "versions": (),
    }
    return Event(
        id=f"rabbitmq/exchange/{channel}/{name}",
        name=name,
        channel=channel,
        channel_kind="exchange",
        sent=sent,
        received=sent,
        schema_samples=len(bodies or ()),
        schema_counts=counts,
        **values | more,
    )


def versioned(name: str, **bodies: list[Any]) -> Event:
    """An event type whose bodies say their versions."""
    versions = tuple(Version(said, len(some), counted(some)) for said, some in bodies.items())
    everything = [each for some in bodies.values() for each in some]
    if len(versions) == 1:
        return event(name, everything, version_said=Said("field schema_version", versions[0].name))
    return event(name, everything, versions=versions, versioned_by="field schema_version")


def flow(*steps: Step, triggered: int = 20, name: str = "POST /orders", **more: Any) -> Flow:
    """A flow of `web`."""
    return Flow("web", name, triggered, more.get("end_to_end"), steps)


def step(of: Event, after: int = 20, took: Latency | None = None) -> Step:
    """A step of a flow: the event type goes from `web` to `billing`."""
    deliveries = (Delivery("billing", "on_event", "/app/billing.py:3", took),)
    return Step(of.name, of.id, "web", None, after, deliveries)


def rate(of: Event, low: float, per_second: float, high: float) -> Rate:
    """How often an event type is sent."""
    return Rate("event", of.id, "send", of.sent, per_second, low, high, "poisson", None)


def declared(policy: Policy = POLICY, service: str = "billing") -> Declared:
    """A declared policy."""
    return Declared("tenacity", service, "", None, Place(service, "charge", "/app/billing.py:9"), policy)


def observed(policy: Policy = POLICY, messages: int = 9, mechanism: str = "retry queue") -> Observed:
    """An observed policy."""
    place = Place("billing", "on_event", "/app/billing.py:3")
    return Observed("billing", "rabbitmq", "billing.orders", place, mechanism, policy, messages)


def run(
    *events: Event,
    flows: tuple[Flow, ...] = (),
    policies: tuple[Declared | Observed, ...] = (),
    rates: tuple[Rate, ...] = (),
    seconds: float = 10.0,
) -> Run:
    """A run of some seconds."""
    return Run(
        Recording("trace", "0.1.0", 100, still_recording=False, links_incomplete=None),
        flows,
        events,
        Retrying(
            tuple(each for each in policies if isinstance(each, Observed)),
            tuple(each for each in policies if isinstance(each, Declared)),
        ),
        Frequencies(seconds, rates),
    )


# ---- at random ------------------------------------------------------------------------------------------------------

_SCALARS = st.none() | st.booleans() | st.integers(0, 9) | st.just(1.5) | st.sampled_from(["a", "b"])
_BODIES = st.lists(
    st.dictionaries(st.sampled_from(["a", "b.c", "d"]), _SCALARS | st.lists(_SCALARS, max_size=3), max_size=3),
    min_size=1,
    max_size=12,
)
_SERVICES = st.sampled_from(["web", "billing", "mail"])
_FEW = st.integers(1, 30)
_PARTIES = st.lists(
    st.builds(party, _SERVICES, _FEW, st.sampled_from(["on_event", "handle", ""])),
    max_size=4,
    unique_by=lambda each: (each.service, each.name),
).map(tuple)
_INTERVALS = st.tuples(st.floats(0.1, 9.9), st.floats(10.1, 99)) | st.none()
_LATENCIES = st.builds(Latency, _FEW, st.floats(0.5, 90), st.floats(0.5, 90), _INTERVALS, _INTERVALS)
_POLICIES = st.builds(
    Policy,
    st.sampled_from(["fixed", "exponential", "unknown"]),
    st.sampled_from([None, 0.1, 0.11, 5.0]),
    st.none(),
    st.none(),
    st.none(),
    st.sampled_from([None, 0.0, 0.5]),
    st.sampled_from([None, 3, 5]),
    st.sampled_from(["dead letter", "dropped", "unknown"]),
    st.none(),
)


@st.composite
def _events(draw: st.DrawFn, name: str) -> Event:
    sent = draw(st.integers(0, 30))
    more: dict[str, Any] = {"producers": draw(_PARTIES), "consumers": draw(_PARTIES), "sent": sent}
    bodies = draw(_BODIES | st.none())
    names = draw(st.lists(st.sampled_from(["1", "2", "3"]), unique=True, max_size=3)) if bodies else []
    if len(names) == 1:
        more["version_said"] = Said(draw(st.sampled_from(["field v", "field schema_version"])), names[0])
    elif names:
        more["versions"] = tuple(
            Version(each, len(some), counted(some)) for each, some in ((each, draw(_BODIES)) for each in names)
        )
        more["versioned_by"] = draw(st.sampled_from(["drift", "field v"]))
    return event(name, bodies, **more)


@st.composite
def runs(draw: st.DrawFn) -> Run:
    """Any run, of a few names, so that two of them have much in common."""
    events = [draw(_events(name)) for name in draw(st.lists(st.sampled_from("xyz"), unique=True))]
    steps = [
        Step(
            of.name, of.id, draw(_SERVICES), draw(st.none() | st.builds(Place, _SERVICES, st.just("f"), st.none())),
            draw(_FEW), tuple(draw(st.lists(st.builds(Delivery, _SERVICES, st.just("g"), st.none(), _LATENCIES), max_size=2))),
        )
        for of in events for _ in range(draw(st.integers(0, 2)))
    ]  # fmt: skip
    flows = tuple(
        flow(*steps, triggered=draw(st.integers(1, 30)), name=name, end_to_end=draw(st.none() | _LATENCIES))
        for name in draw(st.lists(st.sampled_from("pq"), unique=True))
    )
    policies = draw(
        st.lists(st.builds(declared, _POLICIES, _SERVICES) | st.builds(observed, _POLICIES, _FEW), max_size=3)
    )
    rates = tuple(rate(of, *sorted(draw(st.tuples(*[st.floats(0, 9)] * 3)))) for of in events if draw(st.booleans()))
    return run(*events, flows=flows, policies=tuple(policies), rates=rates, seconds=draw(st.floats(0, 60)))
