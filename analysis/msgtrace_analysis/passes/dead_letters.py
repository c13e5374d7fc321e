"""Where messages end that could not be handled: declared and observed dead-letter routes, poison, and what was dropped."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any, Final, cast

from msgtrace_analysis.findings import DeadLetters, DeadRoute, Dropped, Evidence, Poison
from msgtrace_analysis.passes.declared_retries import known_of
from msgtrace_analysis.passes.evidence import EVIDENCE, EXAMPLES, evidence
from msgtrace_analysis.passes.mechanisms import end, hops

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from msgtrace_analysis.findings import Certainty, Channel, DeadLetter, Topology
    from msgtrace_analysis.findings.dead_letters import Dropping
    from msgtrace_analysis.passes.attempt_groups import Group, Receive, Tried
    from msgtrace_analysis.passes.mechanisms import End, Known
    from msgtrace_analysis.study import Study

LIMITS: Final = {
    "x-message-ttl": "time to live {} ms",
    "x-max-length": "length limit {}",
    "x-expires": "queue expires after {} ms",
}

BY_CONSUMERS: Final = frozenset({"rejected", "delivery_limit"})
"""Reasons of RabbitMQ for which a consumer had the message when it died: https://www.rabbitmq.com/docs/dlx"""

# One row per channel that messages were sent on from by services that took them there.
REDRIVEN: Final = """
    select r.channel, list_sort(list(distinct r.service)), count(*)
    from forwards as f
    inner join operations as r on r.operation_id = f.receive_id
    group by r.channel
"""

# One row per event type and consumer: how many messages it had.
HAD: Final = """
    select
        coalesce(event_system, '') || '/' || address_kind || '/' || address || '/' || name, service,
        count(distinct coalesce(message, cast(operation_id as varchar)))
    from attempts
    group by all
"""

# One row per stream and group: entries that were delivered and not acknowledged in the trace, when other entries were.
PENDING: Final = f"""
    with settled_groups as (
        select distinct channel, consumer_group from operations
        where kind = 'settle' and system = 'redis' and consumer_group is not null
    ), open_entries as (
        select o.channel, o.consumer_group, o.identity, min(o.operation_id) as operation_id, min(o.observed_ns) as observed_ns
        from operations as o
        semi join settled_groups using (channel, consumer_group)
        where o.kind = 'receive' and o.channel_kind = 'stream' and o.identity is not null
        group by all
        having not bool_or(o.operation_id in (select receive_id from settlements))
    )
    select channel, consumer_group, {EVIDENCE}
    from open_entries
    group by channel, consumer_group
    order by all
"""


@dataclass(slots=True)
class _Went:
    """Messages that were seen to go a way."""

    reasons: Counter[str] = field(default_factory=Counter)
    ages_s: list[float] = field(default_factory=list)
    operations: list[tuple[int, int]] = field(default_factory=list)
    certainty: Certainty = "exact"


def dead_letters(study: Study, topology: Topology, found: Tried) -> DeadLetters:
    """Find them all. Needs the tables of `attempts`."""
    known = known_of(topology)
    ends = [(group, end(group, known, _within(group, known))) for group in found.groups]
    return DeadLetters(
        tuple(_routes(study, topology, known, ends, found)),
        tuple(_poison(study, ends)),
        tuple(_dropped(ends, known)),
    )


def _within(group: Group, known: Known) -> set[str]:
    return {channel for each in hops(group, known) for channel in each.route}


# ---- routes ---------------------------------------------------------------------------------------------------------


def _routes(
    study: Study, topology: Topology, known: Known, ends: Sequence[tuple[Group, End]], found: Tried
) -> Iterator[DeadRoute]:
    back = {channel for group in found.groups if len(group.attempts) > 1 for channel in _within(group, known)}
    went = _went(ends, found)
    settings = {(each.system, each.name): each for each in topology.channels}
    redriven = {channel: (tuple(services), many) for channel, services, many in study.rows(REDRIVEN)}
    stated: set[tuple[str, str, str]] = set()
    for letter in topology.dead_letters:
        to = known.dead.get(letter.queue, ())
        seen = [went[key] for key in went if key[:3] == ("rabbitmq", letter.queue, "exchange")]
        stated.add(("rabbitmq", letter.queue, "exchange"))
        observed = tuple(key[3] for key in went if key[:3] == ("rabbitmq", letter.queue, "exchange") and key[3])
        retry = bool(set(to) & back) or letter.queue in back
        yield _declared(letter, to or observed, seen, settings, redriven, retry=retry)
    for (system, source, by, target), each in sorted(went.items()):
        if (system, source, by) not in stated:
            median, oldest = _ages(each.ages_s)
            times, services = _redriven((target,), redriven)
            yield DeadRoute(
                system=system, source=source, by="publish" if by == "publish" else "exchange", exchange=None, routing_key=None,
                targets=(target,) if target else (), declared=False, observed=True, retry=(target or source) in back,
                reasons=tuple(sorted(each.reasons.items())), messages=len(each.operations), median_age_s=median,
                oldest_s=oldest, retention=_retention(settings.get((system, target))), redriven=times, redriven_by=services,
                certainty=each.certainty, evidence=_evidence(each.operations, each.certainty),
            )  # fmt: skip
    for channel, group, *rest in study.rows(PENDING):
        proof = evidence(rest, "likely")
        yield DeadRoute(
            system="redis", source=channel, by="pending list", exchange=None, routing_key=None,
            targets=(f"pending list of group {group}",), declared=False, observed=True, retry=False,
            reasons=(("not acknowledged", proof.operations),), messages=proof.operations, median_age_s=None, oldest_s=None,
            retention=(), redriven=0, redriven_by=(), certainty="likely", evidence=proof, group=group,
        )  # fmt: skip


def _declared(
    letter: DeadLetter, to: tuple[str, ...], seen: Sequence[_Went], settings: Mapping[tuple[str, str], Channel],
    redriven: Mapping[str, tuple[tuple[str, ...], int]], *, retry: bool,
) -> DeadRoute:  # fmt: skip
    reasons: Counter[str] = Counter()
    for each in seen:
        reasons += each.reasons
    operations = [operation for each in seen for operation in each.operations]
    median, oldest = _ages([age for each in seen for age in each.ages_s])
    times, services = (0, ()) if retry else _redriven(to, redriven)
    return DeadRoute(
        system="rabbitmq", source=letter.queue, by="exchange", exchange=letter.exchange, routing_key=letter.routing_key,
        targets=to, declared=True, observed=bool(seen), retry=retry, reasons=tuple(sorted(reasons.items())),
        messages=len(operations), median_age_s=median, oldest_s=oldest,
        retention=tuple(line for target in to for line in _retention(settings.get(("rabbitmq", target)))),
        redriven=times, redriven_by=services, certainty="exact" if to else "likely",
        evidence=_evidence(operations, "exact") if operations else letter.evidence,
    )  # fmt: skip


def _went(ends: Iterable[tuple[Group, End]], found: Tried) -> dict[tuple[str, str, str, str], _Went]:
    """By system, source, what took them, and target."""
    went: defaultdict[tuple[str, str, str, str], _Went] = defaultdict(_Went)
    seen: set[tuple[str, str]] = set()
    for receives in found.receives.values():
        first = receives[0]
        handled: dict[str, int] = {}
        for each in receives:
            for death in each.deaths:
                if (each.message, death.queue + death.reason) in seen:
                    continue
                seen.add((each.message, death.queue + death.reason))
                # It came back to the queue that it died in: by a way that this does not tell.
                to = each.channel if each.channel != death.queue else ""
                at = went["rabbitmq", death.queue, "exchange", to]
                at.reasons[death.reason] += 1
                # Who rejects has it at the time; what becomes of it without a consumer is seen when it comes.
                died_ns = handled.get(death.queue, each.at_ns) if death.reason in BY_CONSUMERS else each.at_ns
                at.ages_s.append(max(0, died_ns - first.at_ns) / 1e9)
                at.operations.append((each.operation_id, each.at_ns))
            handled[each.channel] = each.at_ns
    for group, its in ends:
        last = group.attempts[-1]
        if its.then == "dead letter" and its.by == "publish":
            at = went[last.system, group.attempts[0].channel, "publish", its.to]
            at.reasons[last.error_type or "sent there by the consumer"] += 1
            at.ages_s.append(max(0, last.at_ns - group.attempts[0].at_ns) / 1e9)
            at.operations.append((last.operation_id, last.at_ns))
            at.certainty = its.certainty if at.certainty == "exact" else at.certainty
    return dict(went)


def _ages(ages: Sequence[float]) -> tuple[float | None, float | None]:
    return (round(median(ages), 3), round(max(ages), 3)) if ages else (None, None)


def _retention(channel: Channel | None) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for form in () if channel is None else channel.settings:
        arguments: dict[str, Any] = form.get("arguments") or {}
        found |= {
            text.format(arguments[name]): None for name, text in LIMITS.items() if arguments.get(name) is not None
        }
    return tuple(found)


def _redriven(to: Sequence[str], redriven: Mapping[str, tuple[tuple[str, ...], int]]) -> tuple[int, tuple[str, ...]]:
    known = [redriven[target] for target in to if target in redriven]
    return sum(many for _, many in known), tuple(sorted({each for services, _ in known for each in services}))


# ---- poison and what is gone ----------------------------------------------------------------------------------------


def _poison(study: Study, ends: Iterable[tuple[Group, End]]) -> Iterator[Poison]:
    had = {(event, service): many for event, service, many in study.rows(HAD)}
    found: defaultdict[tuple[Any, ...], list[tuple[Group, End]]] = defaultdict(list)
    for group, its in ends:
        first, last = group.attempts[0], group.attempts[-1]
        if len(group.attempts) > 1 and (its.failed or (its.failed is None and last.failed)):
            found[first.event, first.name, first.system, first.channel, first.place].append((group, its))
    for (event, name, system, channel, place), groups in sorted(found.items(), key=lambda pair: str(pair[0])):
        receives = [each for group, _ in groups for each in group.attempts]
        yield Poison(
            event, name, system, channel, place, len(groups), had.get((event, place.service), len(groups)),
            max(len(group.attempts) for group, _ in groups), _errors(receives),
            tuple(sorted(Counter("still tried" if its.then == "unknown" else its.then for _, its in groups).items())),
            _evidence([(each.operation_id, each.at_ns) for each in receives], "likely"),
        )  # fmt: skip


def _dropped(ends: Iterable[tuple[Group, End]], known: Known) -> Iterator[Dropped]:
    found: defaultdict[tuple[Any, ...], list[tuple[Receive, Certainty]]] = defaultdict(list)
    for group, its in ends:
        last = group.attempts[-1]
        how = _how(last, its, known)
        if how:
            found[last.event, last.name, last.system, last.channel, last.place, how].append((last, its.certainty))
    for (event, name, system, channel, place, how), receives in sorted(found.items(), key=lambda pair: str(pair[0])):
        certainty: Certainty = "exact" if all(each == "exact" for _, each in receives) else "likely"
        lasts = [each for each, _ in receives]
        yield Dropped(
            event, name, system, channel, place, cast("Dropping", how), len(lasts), _errors(lasts),
            _evidence([(each.operation_id, each.at_ns) for each in lasts], certainty),
        )  # fmt: skip


def _how(last: Receive, its: End, known: Known) -> str:
    if its.then == "dropped":
        return "refused with no dead-letter route" if last.refused else "automatically acknowledged and raised"
    if its.then == "acknowledged" and last.handled == "raised":
        return "committed on error" if last.settled == "commit" else "acknowledged on error"
    if (last.place.service, last.channel) in known.unacknowledged and last.handled == "raised":
        return "automatically acknowledged and raised"
    return ""


def _errors(receives: Iterable[Receive]) -> tuple[tuple[str, int], ...]:
    counts = Counter(each.error_type for each in receives if each.error_type)
    return tuple(sorted(counts.items(), key=lambda each: (-each[1], each[0])))


def _evidence(operations: Sequence[tuple[int, int]], certainty: Certainty) -> Evidence:
    ids = sorted({operation for operation, _ in operations})
    times = [at_ns for _, at_ns in operations]
    return Evidence(len(ids), tuple(ids[:EXAMPLES]), min(times, default=None), max(times, default=None), certainty)
