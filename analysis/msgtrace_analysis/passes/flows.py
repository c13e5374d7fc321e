"""Flows: what starts messages moving, and which messages follow, published and received where, how often, how fast.

Every single message is followed to what it came of; the flows are sums over these, so a handler that serves two
triggers does not mix their flows.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import CERTAINTIES, Delivery, Evidence, Flow, Latency, Place, Step, weakest
from msgtrace_analysis.passes.events import ref
from msgtrace_analysis.passes.evidence import EXAMPLES
from msgtrace_analysis.passes.lineage import trace_lineage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from msgtrace_analysis.findings import Certainty
    from msgtrace_analysis.passes.lineage import Lineage
    from msgtrace_analysis.study import Study

# One row per operation that can be in a flow.
OPERATIONS: Final = """
    select
        o.operation_id, o.observed_ns, o.kind, p.kind, p.service, p.name, p.site, m.system, m.address_kind, m.address, m.name
    from operations as o
    inner join places as p using (operation_id)
    left join messages as m using (operation_id)
    order by o.operation_id
"""

# One row per operation and what it follows from, of the best certainty that there is for it.
CAUSES: Final = """
    with ranked as (
        select cause_id, effect_id, case certainty when 'exact' then 0 when 'likely' then 1 else 2 end as rank
        from causes
        semi join places as c on c.operation_id = causes.cause_id
        semi join places as e on e.operation_id = causes.effect_id
    )
    select cause_id, effect_id, rank
    from ranked
    qualify rank = min(rank) over (partition by effect_id)
    order by effect_id, cause_id
"""

# One row per receive that is known to be of a send. Clocks of different machines don't agree well enough for a latency
# below zero to mean anything.
LINKS: Final = """
    select
        l.send_id, l.receive_id, l.certainty,
        case when s.host = r.host then r.monotonic_ns - s.monotonic_ns else r.observed_ns - s.observed_ns end as took_ns
    from best_links as l
    inner join operations as s on s.operation_id = l.send_id
    inner join operations as r on r.operation_id = l.receive_id
    order by l.send_id, l.receive_id
"""


@dataclass(frozen=True, slots=True)
class Node:
    """Operations as flows see them: all of one kind, at one place, of one event type.

    Attributes:
        trigger: the flow that begins with one of them, if nothing is known to have caused it.
    """

    sends: bool
    place: Place
    event: str | None
    name: str
    trigger: Trigger


@dataclass(frozen=True, slots=True)
class Graph:
    """The operations of a trace: what each is, and when it began."""

    nodes: Mapping[int, Node]
    times: Mapping[int, int]


@dataclass(slots=True)
class Sum:
    """A step while it is being added up."""

    sends: list[int] = field(default_factory=list)
    origins: set[int] = field(default_factory=set)
    depth: int = 1 << 30
    unreceived: int = 0
    rank: int = 0
    deliveries: defaultdict[Place, dict[int, list[tuple[Certainty, int]]]] = field(
        default_factory=lambda: defaultdict(dict)
    )


Trigger = tuple[Place, str | None]
"""The place, and the event type that arrives there from outside of the trace."""
StepKey = tuple[str, Place, Place | None]
"""Event type, publisher, and what the publisher was handling."""


def flows(study: Study) -> tuple[Flow, ...]:
    """Find all flows. Needs the tables of `naming` and `place_operations`."""
    graph = _graph(study)
    causes: dict[int, tuple[int, int]] = {}
    edges: list[tuple[int, int]] = []
    for cause, effect, rank in study.stream(CAUSES):
        edges.append((cause, effect))
        causes.setdefault(effect, (cause, rank))
    receives: defaultdict[int, list[tuple[int, Certainty, int]]] = defaultdict(list)
    for send, receive, certainty, took_ns in study.stream(LINKS):
        edges.append((send, receive))
        receives[send].append((receive, certainty, took_ns))
    lineage = trace_lineage({each: node.sends for each, node in graph.nodes.items()}, edges)
    return _flows(graph, lineage, _sums(graph.nodes, lineage, causes, receives))


def _graph(study: Study) -> Graph:
    nodes: dict[int, Node] = {}
    times: dict[int, int] = {}
    known: dict[tuple[Any, ...], Node] = {}
    for operation, observed_ns, *about in study.stream(OPERATIONS):
        key = tuple(about)
        node = known.get(key)
        if node is None:
            node = known[key] = _node(*about)
        nodes[operation] = node
        if observed_ns is not None:
            times[operation] = observed_ns
    return Graph(nodes, times)


def _node(
    kind: str,
    place_kind: Any,
    service: str,
    function: str,
    site: str,
    system: str | None,
    address_kind: str,
    address: str,
    name: str | None,
) -> Node:
    event = None if name is None else ref(system, address_kind, address, name)
    place = Place(place_kind, service, function, site)
    return Node(kind == "send", place, event, name or "", trigger_of(kind, place, event))


def trigger_of(kind: str, place: Place, event: str | None) -> Trigger:
    """What an operation without a known cause says about how its flow begins."""
    if kind == "receive":
        return Place("outside", place.service, place.name, place.site), event
    if place.kind == "code":
        # Several messages that one function sends are one flow: their lines differ.
        return Place("code", place.service, place.name, place.site.rpartition(":")[0]), None
    return place, None


def _sums(
    nodes: Mapping[int, Node],
    lineage: Lineage,
    causes: Mapping[int, tuple[int, int]],
    receives: Mapping[int, Iterable[tuple[int, Certainty, int]]],
) -> dict[Trigger, dict[StepKey, Sum]]:
    sums: defaultdict[Trigger, defaultdict[StepKey, Sum]] = defaultdict(lambda: defaultdict(Sum))
    for operation, node in nodes.items():
        if not node.sends or node.event is None:
            continue
        cause, rank = causes.get(operation, (operation, 0))
        arrived = [(nodes[receive].place, certainty, took) for receive, certainty, took in receives.get(operation, ())]
        by_trigger: defaultdict[Trigger, set[int]] = defaultdict(set)
        for origin in lineage.origins[operation]:
            by_trigger[nodes[origin].trigger].add(origin)
        for trigger, origins in by_trigger.items():
            because = None if cause == operation else nodes[cause].place
            step = sums[trigger][node.event, node.place, because]
            step.sends.append(operation)
            step.origins |= origins
            step.depth = min(step.depth, lineage.depth[operation])
            step.rank = max(step.rank, rank)
            step.unreceived += not arrived
            for place, certainty, took in arrived:
                step.deliveries[place].setdefault(operation, []).append((certainty, took))  # type: ignore[arg-type,unused-ignore]  # pyright: ignore[reportArgumentType]  # as the view has it
    return {trigger: dict(steps) for trigger, steps in sums.items()}


def _flows(graph: Graph, lineage: Lineage, sums: Mapping[Trigger, Mapping[StepKey, Sum]]) -> tuple[Flow, ...]:
    triggered: defaultdict[Trigger, list[int]] = defaultdict(list)
    for operation, origins in lineage.origins.items():
        if operation in origins:
            triggered[graph.nodes[operation].trigger].append(operation)
    found = [_flow(trigger, origins, sums.get(trigger, {}), graph) for trigger, origins in triggered.items()]
    return tuple(sorted(found, key=lambda flow: (flow.group, flow.name, flow.trigger.site, flow.arrives or "")))


def _flow(trigger: Trigger, origins: list[int], sums: Mapping[StepKey, Sum], graph: Graph) -> Flow:
    place, arrives = trigger
    steps = sorted(
        (_step(key, step, graph) for key, step in sums.items()),
        key=_reading_order,
    )
    followed: set[int] = set().union(*(step.origins for step in sums.values()))
    parts: list[Certainty] = [step.evidence.certainty for step in steps]
    for step in steps:
        parts.extend(each.certainty for each in step.deliveries)
    return Flow(
        group=place.service,
        name=_name(place, arrives, graph.nodes[origins[0]]),
        trigger=place,
        arrives=arrives,
        triggered=len(origins),
        silent=len(origins) - len(followed),
        steps=tuple(steps),
        evidence=_evidence(origins, graph, weakest(parts)),
    )


def _reading_order(step: Step) -> tuple[int, str, str, str, str, str]:
    because = step.because
    handled = ("", "") if because is None else (because.name, because.site)
    return (step.depth, step.name, step.event, step.publisher.site, handled[0], handled[1])


def _name(place: Place, arrives: str | None, first: Node) -> str:
    if arrives is not None:
        return f"{first.name} from outside the trace"
    return place.name or place.site or "library code"


def _step(key: StepKey, total: Sum, graph: Graph) -> Step:
    event, publisher, because = key
    deliveries = [
        Delivery(
            place=place,
            messages=len(arrived),
            receives=sum(map(len, arrived.values())),
            latency=latency_of([min(took for _, took in times) for times in arrived.values()]),
            certainty=weakest(certainty for times in arrived.values() for certainty, _ in times),
        )
        for place, arrived in total.deliveries.items()
    ]
    return Step(
        event=event,
        name=graph.nodes[total.sends[0]].name,
        publisher=publisher,
        because=because,
        messages=len(total.sends),
        after=len(total.origins),
        unreceived=total.unreceived,
        depth=total.depth,
        deliveries=tuple(sorted(deliveries, key=lambda each: (each.place.service, each.place.name, each.place.site))),
        evidence=_evidence(total.sends, graph, CERTAINTIES[total.rank]),
    )


def latency_of(took_ns: Iterable[int]) -> Latency | None:
    """Percentiles, by linear interpolation, of what is not below zero."""
    known = sorted(each for each in took_ns if each >= 0)
    if not known:
        return None

    def at(share: float) -> float:
        place = share * (len(known) - 1)
        low = int(place)
        high = min(low + 1, len(known) - 1)
        return round((known[low] + (known[high] - known[low]) * (place - low)) / 1e6, 3)

    return Latency(len(known), at(0.5), at(0.95))


def _evidence(operations: Sequence[int], graph: Graph, certainty: Certainty) -> Evidence:
    times = [graph.times[each] for each in operations if each in graph.times]
    return Evidence(
        operations=len(operations),
        examples=tuple(sorted(operations)[:EXAMPLES]),
        first_seen_ns=min(times, default=None),
        last_seen_ns=max(times, default=None),
        certainty=certainty,
    )
