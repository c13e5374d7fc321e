"""What the findings give reason to look at: judgements over other findings, each with the evidence of those. Pure.

Each states what was seen, and no more: a queue's policy, a server's permissions or a consumer that was not traced can
make good what looks amiss from here, and then the sentence says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgtrace_analysis.findings import Observation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgtrace_analysis.findings import Completeness, Reliability, Server, Stack, Topology

LOOPBACK = ("127.", "localhost", "[::1]", "::1", "/")
REFUSALS = frozenset({"reject", "nack"})


def observe(
    stack: Stack, topology: Topology, reliability: Reliability, completeness: Completeness
) -> tuple[Observation, ...]:
    """Everything worth a look, in the order in which it is likely to matter."""
    return (
        *_failures(reliability),
        *_refusals(topology, reliability),
        *_unsettled(reliability),
        *_unconsumed(completeness),
        *_undeclared(topology),
        *_unencrypted(stack),
    )


def _failures(reliability: Reliability) -> Iterator[Observation]:
    for each in reliability.failures:
        if each.kind in {"receive", "process"} and each.error_type:
            place = f"{each.place.service}: {each.place.name or each.place.site}"
            sentence = "{0} ended with {1} for {n} of the messages that it handled."
            yield Observation(sentence, (place, each.error_type), each.evidence)


def _refusals(topology: Topology, reliability: Reliability) -> Iterator[Observation]:
    queues = {each.name: each for each in topology.channels if each.kind == "queue" and each.declared_by}
    for each in reliability.outcomes:
        queue = queues.get(each.channel)
        if each.outcome not in REFUSALS or queue is None:
            continue
        if not any("x-dead-letter-exchange" in (form.get("arguments") or {}) for form in queue.settings):
            sentence = (
                "{0} refused {n} messages from {1}, whose declaration names no dead-letter exchange: "
                "unless a policy on the server does, such messages are gone."
            )
            yield Observation(sentence, (each.service, each.channel), each.evidence)


def _unsettled(reliability: Reliability) -> Iterator[Observation]:
    for each in reliability.outcomes:
        if each.outcome == "none seen":
            sentence = "{0} received {n} messages from {1} that it was not seen to settle, though it settles others."
            yield Observation(sentence, (each.service, each.channel), each.evidence)


def _unconsumed(completeness: Completeness) -> Iterator[Observation]:
    for each in completeness.unlinked:
        if each.side == "send" and each.reason == "no handler was registered for it":
            sentence = "{n} events were emitted on {0} that no handler was registered for."
            yield Observation(sentence, (each.channel,), each.evidence)


def _undeclared(topology: Topology) -> Iterator[Observation]:
    for each in topology.channels:
        used = each.sends or each.receives or not each.inspected
        if each.kind in {"queue", "exchange"} and each.name and not each.declared_by and used:
            sentence = (
                "The {0} {1} was used ({n} operations) and not declared by any traced service: it must be there before."
            )
            yield Observation(sentence, (each.kind, each.name), each.evidence)


def _unencrypted(stack: Stack) -> Iterator[Observation]:
    for each in stack.servers:
        if _without_tls(each) and not each.address.startswith(LOOPBACK):
            yield Observation("Connections to {0} were not encrypted.", (each.address,), each.evidence)


def _without_tls(server: Server) -> bool:
    facts = dict(server.facts)
    return "false" in facts.get("tls", ()) or any("PLAINTEXT" in each for each in facts.get("security_protocol", ()))
