"""The causal graph of any trace: it comes to an end, counts every operation once, and does not ask in which order rows came."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from msgtrace_analysis.passes import prepare
from msgtrace_analysis.passes.conversations import conversations
from msgtrace_analysis.passes.flows import flows
from msgtrace_analysis.passes.graph import build_graph
from msgtrace_analysis.study import Study
from msgtrace_collectors.trace import open_trace
from tests.analysis.conversing import handle, publish, request, travel
from tests.analysis.made_trace import MadeTrace

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from msgtrace_analysis.findings import Conversations, Flow

FEW = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
KINDS = st.sampled_from(["trigger", "send", "send", "receive", "receive"])
CERTAINTIES = st.sampled_from(["exact", "likely", "guess"])
OPERATIONS = st.lists(st.tuples(KINDS, st.sampled_from("abc"), st.sampled_from("xyz")), min_size=1, max_size=25)
EDGES = st.lists(st.tuples(st.integers(0, 24), st.integers(0, 24), CERTAINTIES), max_size=40)


def found_in(
    fill: Callable[[MadeTrace], None], mixer: random.Random | None = None
) -> tuple[tuple[Flow, ...], Conversations]:
    with tempfile.TemporaryDirectory() as folder:
        made = MadeTrace(Path(folder) / "trace.duckdb")
        fill(made)
        if mixer is not None:
            for rows in made._rows.values():
                mixer.shuffle(rows)
        made.write()
        with open_trace(made.path) as trace, Study(trace) as study:
            prepare(study)
            graph = build_graph(study)
            return flows(study, graph), conversations(study, graph)


def fill(made: MadeTrace, operations: list[tuple[str, str, str]], edges: list[tuple[int, int, str]]) -> None:
    ids: list[int] = []
    for number, (kind, name, service) in enumerate(operations):
        shared: dict[str, Any] = {"correlation_id": f"c{number % 3}", "reply_to": "back" if number % 4 == 0 else None}
        if kind == "trigger":
            ids.append(request(made, f"/{name}", service))
        elif kind == "send":
            ids.append(publish(made, name, service=service, **shared))
        else:
            ids.append(handle(made, None, service, event_type=name, **shared))
    linked: set[int] = set()
    for before, after, certainty in edges:
        if before >= len(ids) or after >= len(ids) or before == after:
            continue
        kinds = operations[before][0], operations[after][0]
        if kinds == ("send", "receive"):
            if after not in linked:
                made.row("links", send_id=ids[before], receive_id=ids[after], method="test", certainty=certainty)
                linked.add(after)
        elif kinds[0] != "send" or kinds[1] == "send":
            made.cause(ids[before], ids[after], certainty)


@FEW
@given(OPERATIONS, EDGES, st.randoms(use_true_random=False))
def test_any_graph_comes_to_an_end_and_counts_once_whatever_the_order_of_rows(
    operations: list[tuple[str, str, str]], edges: list[tuple[int, int, str]], mixer: random.Random
) -> None:
    found, talked = found_in(lambda made: fill(made, operations, edges))
    sends = sum(kind == "send" for kind, _, _ in operations)
    steps = [step for flow in found for step in flow.steps]
    # A message of several origins is in the flow of each, once in each.
    assert all(sum(step.messages for step in flow.steps) <= sends for flow in found)
    assert (
        len({each for step in steps for each in step.evidence.examples})
        <= sends
        <= sum(step.messages for step in steps)
    )
    assert all(step.after <= flow.triggered and step.depth >= 1 for flow in found for step in flow.steps)
    for flow in found:
        assert sum(each.executions for each in flow.variants) + flow.unlisted <= flow.triggered
        assert flow.silent + max((step.after for step in flow.steps), default=0) <= flow.triggered
    assert found_in(lambda made: fill(made, operations, edges), mixer) == (found, talked)


WAYS = (
    (("order.placed", "web"), ("order.packed", "stock"), ("order.shipped", "mail")),
    (("order.placed", "web"), ("order.refused", "stock")),
    (("order.placed", "web"),),
)
EXECUTIONS = st.lists(st.tuples(st.sampled_from(WAYS), st.sampled_from(["/orders", "/again"])), min_size=1, max_size=12)


def counted(found: tuple[Flow, ...]) -> Counter[tuple[str, ...]]:
    counts: Counter[tuple[str, ...]] = Counter()
    for flow in found:
        counts["triggered", flow.name] += flow.triggered
        for step in flow.steps:
            counts["sent", flow.name, step.name, step.publisher.service] += step.messages
            counts["lost", flow.name, step.name, step.publisher.service] += step.unreceived
            for each in step.deliveries:
                counts["received", flow.name, step.name, each.place.service] += each.receives
        for variant in flow.variants:
            counts["variant", flow.name, *sorted(hop.name for hop in variant.hops)] += variant.executions
    return +counts


@FEW
@given(EXECUTIONS, EXECUTIONS)
def test_the_counts_of_two_parts_are_those_of_the_whole(
    first: list[tuple[tuple[tuple[str, str], ...], str]], second: list[tuple[tuple[tuple[str, str], ...], str]]
) -> None:
    def played(executions: list[tuple[tuple[tuple[str, str], ...], str]]) -> Counter[tuple[str, ...]]:
        def fill_in(made: MadeTrace) -> None:
            for way, path in executions:
                travel(made, *way, cause=request(made, path))

        return counted(found_in(fill_in)[0])

    assert played(first) + played(second) == played(first + second)
