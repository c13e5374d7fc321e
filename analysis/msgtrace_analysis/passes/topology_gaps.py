"""Where topology and traffic do not go together: unused bindings, queues that nobody reads, retention against delays, ...

Each check says what it compares; docs/topology.md lists them. What only one side of is known is not judged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgtrace_analysis.findings import Evidence, Gap
from msgtrace_analysis.passes.evidence import EVIDENCE, evidence
from msgtrace_analysis.passes.retention import kept_ms

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from msgtrace_analysis.findings import Binding, Channel, DeadLetter, Subscription
    from msgtrace_analysis.passes.inspected import Inspected, Thing
    from msgtrace_analysis.study import Study

LOGS: Final = frozenset({"topic", "stream", "list"})
"""Kinds of channel that are written to by name."""
NEAR: Final = 0.5
"""The share of its time to live after which a message was received that was nearly lost."""

# One row per queue: messages that were to outlive a restart and went to one that does not.
PERSISTENT: Final = f"""
    select pattern, {EVIDENCE}
    from patterned
    where system = 'rabbitmq' and kind = 'receive' and channel_kind = 'queue' and delivery_mode = 2
    group by pattern
    order by pattern
"""

# One row per channel: the longest that a message was under way, in milliseconds.
LONGEST: Final = f"""
    select p.system, p.channel_kind, p.pattern, max(p.observed_ns - s.observed_ns) / 1e6 as ms,
        {EVIDENCE.replace("operation_id", "p.operation_id").replace("observed_ns", "p.observed_ns")}
    from patterned as p
    inner join links as l on l.receive_id = p.operation_id
    inner join operations as s on s.operation_id = l.send_id
    where p.kind = 'receive'
    group by p.system, p.channel_kind, p.pattern
    order by all
"""


def gaps(
    study: Study,
    channels: Sequence[Channel],
    bindings: Sequence[Binding],
    subscriptions: Sequence[Subscription],
    letters: Sequence[DeadLetter],
    known: Inspected,
) -> Iterator[Gap]:
    """Everything but routing keys, in the order of `findings.topology.Check`. Needs `patterned`."""
    listening = {(each.system, each.channel) for each in subscriptions}
    yield from _unused_bindings(bindings, channels)
    yield from _unread(channels, listening, known)
    yield from _unwritten(channels, listening)
    yield from _unheard(channels, listening, known)
    yield from _dead_letters(letters)
    yield from _not_durable(study, channels)
    yield from _short(study, channels)
    yield from _few_copies(known)
    yield from _idle(known)


def _unused_bindings(bindings: Sequence[Binding], channels: Sequence[Channel]) -> Iterator[Gap]:
    sent = {each.name: each.sends for each in channels if each.kind == "exchange"}
    for each in bindings:
        if each.used != 0:
            continue
        sentence = (
            "The binding of {0} to exchange {1} with {2} led none of the recorded messages on."
            if sent.get(each.source)
            else "The binding of {0} to exchange {1} with {2} led nothing on: no recorded message came to the exchange."
        )
        names = (each.destination, each.source, each.routing_key or "no routing key")
        yield Gap("unused binding", each.system, "exchange", each.source, sentence, names, each.evidence)


def _unread(channels: Sequence[Channel], listening: set[tuple[str, str]], known: Inspected) -> Iterator[Gap]:
    consumed = {(each.system, each.pattern) for each in known.of("queue", action="consume")}
    for each in channels:
        key = (each.system, each.name)
        if each.kind != "queue" or each.receives or key in listening or key in consumed or "delete" in each.actions:
            continue
        state = each.state or {}
        if state.get("consumers") or _waits(each):
            continue
        waiting = state.get("messages", 0)
        asked = bool(each.inspected) and each.system in known.whole
        sentence = (
            f"Queue {{0}} had no consumer and {waiting:,} messages when it was inspected; no recorded program takes from it."
            if asked
            else "No recorded program takes from queue {0}; others may."
        )
        rests_on = _sure(each.evidence, "exact" if asked else "likely")
        yield Gap("queue without consumer", each.system, each.kind, each.name, sentence, (each.name,), rests_on)
        if asked and waiting and not _bounded(each):
            sentence = (
                f"Nothing takes messages out of queue {{0}}, neither a limit nor a time to live: {waiting:,} are in it."
            )
            yield Gap("unbounded queue", each.system, each.kind, each.name, sentence, (each.name,), rests_on)


def _waits(channel: Channel) -> bool:
    """Messages leave the queue by themselves, after a time, for a dead-letter exchange: nobody is meant to take them."""
    said = {name for form in (*channel.settings, *channel.inspected) for name in form.get("arguments") or {}}
    return {"x-message-ttl", "x-dead-letter-exchange"} <= said


def _bounded(channel: Channel) -> bool:
    names = {"x-message-ttl", "x-max-length", "x-max-length-bytes", "x-expires"}
    said = [(form.get("arguments") or {}).keys() for form in (*channel.settings, *channel.inspected)]
    policies = [{f"x-{name}" for name in form.get("effective_policy") or {}} for form in channel.inspected]
    return any(names & set(each) for each in (*said, *policies))


def _unwritten(channels: Sequence[Channel], listening: set[tuple[str, str]]) -> Iterator[Gap]:
    for each in channels:
        if each.kind not in LOGS or each.sends:
            continue
        state = each.state or {}
        written = state.get("written")
        if written == 0:
            sentence, certainty = (
                "Nothing was ever written to {0} when it was inspected, and no recorded program writes to it.",
                "exact",
            )
        elif (each.system, each.name) in listening or each.receives:
            sentence, certainty = (
                "No recorded program writes to {0}, which recorded programs read: others must.",
                "likely",
            )
        else:
            continue
        rests_on = _sure(each.evidence, "exact" if certainty == "exact" else "likely")
        yield Gap("channel without producer", each.system, each.kind, each.name, sentence, (each.name,), rests_on)


def _unheard(channels: Sequence[Channel], listening: set[tuple[str, str]], known: Inspected) -> Iterator[Gap]:
    read = {(each.system, each.pattern) for each in known.things if each.group is not None}
    for each in channels:
        key = (each.system, each.name)
        if each.kind not in LOGS or not each.sends or each.receives or key in listening or key in read:
            continue
        sentence = (
            "{n} operations on {0} were recorded and none that reads it; no group had read it when it was inspected."
            if each.inspected
            else "{n} operations on {0} were recorded and none that reads it; others may."
        )
        rests_on = _sure(each.evidence, "likely")
        yield Gap("topic without consumer", each.system, each.kind, each.name, sentence, (each.name,), rests_on)


def _dead_letters(letters: Sequence[DeadLetter]) -> Iterator[Gap]:
    for each in letters:
        if each.outcome == "nowhere":
            sentence = (
                "Dead letters of queue {0} go to exchange {1}, which by what is known drops them: no binding leads on."
            )
            yield Gap(
                "dead letters lost", "rabbitmq", "queue", each.queue, sentence, (each.queue, each.exchange),
                _sure(each.evidence, "likely"),
            )  # fmt: skip
        if each.cycle == "dropped":
            sentence = (
                "Messages that expire in queue {0} come back to it by themselves ("
                + _way(each)
                + "): RabbitMQ drops them when they do."
            )
            names = (each.queue, *each.way)
            yield Gap(
                "dead-letter cycle", "rabbitmq", "queue", each.queue, sentence, names, _sure(each.evidence, "likely")
            )


def _way(letter: DeadLetter) -> str:
    return ", ".join(f"{{{place + 1}}}" for place in range(len(letter.way)))


def _not_durable(study: Study, channels: Sequence[Channel]) -> Iterator[Gap]:
    queues = {each.name: each for each in channels if each.kind == "queue" and each.system == "rabbitmq"}
    for name, *rest in study.rows(PERSISTENT):
        queue = queues.get(name)
        if queue is None:
            continue
        forms = queue.inspected or tuple(each for each in queue.settings if not each.get("passive"))
        # An exclusive or auto-delete queue goes with its consumer: that is how it was meant.
        if forms and all(
            not (form.get("durable") or form.get("exclusive") or form.get("auto_delete")) for form in forms
        ):
            sentence = "{n} persistent messages went through queue {0}, which is not durable: a restart of the broker loses them."
            yield Gap("not durable", "rabbitmq", "queue", name, sentence, (name,), evidence(rest))


def _short(study: Study, channels: Sequence[Channel]) -> Iterator[Gap]:
    known = {(each.system, each.kind, each.name): each for each in channels}
    for system, kind, name, ms, *rest in study.rows(LONGEST):
        channel = known.get((system, kind, name))
        limit_ms, what = kept_ms(channel) if channel is not None else (None, "")
        if limit_ms and ms > NEAR * limit_ms:
            sentence = (
                f"Messages of {{0}} took up to {ms:,.0f} ms to be received, and are kept for {limit_ms:,} ms ({what})."
            )
            yield Gap("short retention", system or "", kind, name, sentence, (name,), evidence(rest))


def _few_copies(known: Inspected) -> Iterator[Gap]:
    for each in known.of("topic"):
        copies = each.settings.get("replication_factor")
        needed = (each.settings.get("configs") or {}).get("min.insync.replicas", "1")
        behind = each.state.get("under_replicated", 0)
        if copies == 1:
            sentence = "Topic {0} has one copy of each partition: what is in it is as safe as one broker."
        elif isinstance(copies, int) and str(needed).isdecimal() and int(needed) >= copies:
            sentence = (
                f"Topic {{0}} has {copies} copies, {needed} of which must be in step: without one, acks=all fails."
            )
        elif behind:
            sentence = f"{behind} partitions of topic {{0}} had copies that were not in step when it was inspected."
        else:
            continue
        yield Gap("few replicas", each.system, each.kind, each.name, sentence, (each.name,), each.evidence)


def _idle(known: Inspected) -> Iterator[Gap]:
    members: dict[tuple[str, str, str], list[Thing]] = {}
    for each in known.of("topic", action="consume"):
        members.setdefault((each.system, each.name, each.group or ""), []).append(each)
    for (system, topic, group), those in sorted(members.items()):
        idle = [each for each in those if not each.settings.get("partitions")]
        if idle:
            sentence = (
                f"{len(idle)} of {len(those)} members of group {{1}} had no partition of topic {{0}} when inspected."
            )
            rests_on = idle[0].evidence
            yield Gap("idle consumers", system, "topic", topic, sentence, (topic, group), rests_on)


def _sure(known: Evidence, certainty: str) -> Evidence:
    return Evidence(
        known.operations, known.examples, known.first_seen_ns, known.last_seen_ns,
        "exact" if certainty == "exact" else "likely",
    )  # fmt: skip
