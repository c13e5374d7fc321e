"""Retry behaviour, rebuilt from traffic: per consumer what brings its messages back, and the policy that the delays show."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from msgtrace_analysis.findings import (
    Attempt,
    Evidence,
    ObservedPolicy,
    Retrying,
    RetryPolicy,
    Wait,
    weakest,
)
from msgtrace_analysis.passes.backoff import fit
from msgtrace_analysis.passes.declared_policies import declared_policies
from msgtrace_analysis.passes.declared_retries import declared, known_of
from msgtrace_analysis.passes.delays import delays
from msgtrace_analysis.passes.evidence import EXAMPLES
from msgtrace_analysis.passes.mechanisms import End, end, hops, most, route_of
from msgtrace_analysis.passes.policy_differences import differences
from msgtrace_analysis.passes.retry_loops import loops

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from msgtrace_analysis.findings import Certainty, DeclaredPolicy, Mechanism, Place, Then, Topology
    from msgtrace_analysis.passes.attempt_groups import Group, Receive, Tried
    from msgtrace_analysis.passes.backoff import Fit
    from msgtrace_analysis.passes.delays import Delays
    from msgtrace_analysis.passes.mechanisms import Hop, Known
    from msgtrace_analysis.passes.retry_loops import Loop
    from msgtrace_analysis.study import Study

ENOUGH: Final = 3
"""Groups below which a policy is said to rest on too few."""
SHOWN: Final = 3
AGREE: Final = 0.8
"""The share of messages given up that must have had as many attempts."""
BY_CHANCE: Final = 0.01


@dataclass(frozen=True, slots=True)
class Retried:
    """A group, the ways between its attempts, and its end."""

    group: Group
    hops: tuple[Hop, ...]
    end: End


def retrying(
    study: Study, topology: Topology, found: Tried, stated: Sequence[DeclaredPolicy] | None = None
) -> Retrying:
    """Find all policies.

    Args:
        study: the trace.
        topology: of it.
        found: all attempts.
        stated: policies that code states; those that were recorded, if not given.
    """
    known = known_of(topology)
    observed = [_policy(each) for each in by_consumer(found, known)]
    observed += [_loop_policy(each) for each in _by_place(loops(study))]
    observed.sort(
        key=lambda each: (each.service, each.system, each.channel, each.place.name, each.place.site, each.mechanism)
    )
    both = (*(declared_policies(study) if stated is None else stated), *declared(topology))
    return Retrying(tuple(observed), both, differences(both, observed))


def by_consumer(found: Tried, known: Known) -> list[list[Retried]]:
    """The messages of each consumer that were tried more than once, with what became of them."""
    consumers: defaultdict[tuple[object, ...], list[Group]] = defaultdict(list)
    for each in found.groups:
        if len(each.attempts) > 1:
            first = each.attempts[0]
            consumers[first.place, first.system, first.channel, first.group].append(each)
    return [_followed(groups, known) for groups in consumers.values()]


def _followed(groups: Sequence[Group], known: Known) -> list[Retried]:
    ways = [hops(group, known) for group in groups]
    within = {channel for its in ways for each in its for channel in each.route}
    return [Retried(group, its, end(group, known, within)) for group, its in zip(groups, ways, strict=True)]


def _policy(retried: Sequence[Retried]) -> ObservedPolicy:
    every = [each for one in retried for each in one.hops]
    mechanism = cast("Mechanism", most([each.mechanism for each in every]))
    way = [each for each in every if each.mechanism == mechanism]
    # What a lost connection or a restart brought back tells nothing of the policy.
    steady = [one for one in retried if all(each.mechanism == mechanism for each in one.hops)]
    measured = delays([one.group for one in steady], [one.hops for one in steady])
    fitted = _fitted(mechanism, measured)
    first = retried[0].group.attempts[0]
    exhausted = [one for one in retried if one.end.failed]
    recovered = [one for one in retried if one.end.failed is False]
    limit, then, to, notes = _limit(exhausted, recovered)
    attempts = [each for one in retried for each in one.group.attempts]
    return ObservedPolicy(
        service=first.place.service,
        system=first.system,
        channel=first.channel,
        place=first.place,
        events=tuple(sorted({each.event for each in attempts})),
        mechanism=mechanism,
        mechanism_certainty=weakest(each.certainty for each in way),
        reasons=tuple(_reasons(every, mechanism, measured)),
        route=route_of(way),
        policy=_of_fit(fitted, limit, then, to),
        fit_error=fitted.error,
        groups=len(retried),
        exhausted=len(exhausted),
        recovered=len(recovered),
        grouped_by=_grouped_by(retried),
        errors=_counted(each.error_type for each in attempts if each.error_type),
        waits=_waits(_by_number(measured.of_groups), fitted),
        examples=tuple(_shown(one, [None, *its]) for one, its in zip(steady[:SHOWN], measured.of_groups, strict=False)),
        note=_note(len(retried), fitted, notes),
        evidence=_evidence([(each.operation_id, each.at_ns) for each in attempts], _certainty(len(retried), fitted)),
    )


def _fitted(mechanism: Mechanism, measured: Delays) -> Fit:
    """The policy of some delays; what comes back at once has none, however long that took."""
    fitted = fit(_by_number(measured.of_groups))
    if mechanism in {"requeue", "republish"} and not measured.waits and fitted.kind != "unknown":
        return fit([[0.0] * len(each) for each in _by_number(measured.of_groups)])
    return fitted


def _reasons(hops: Sequence[Hop], mechanism: Mechanism, measured: Delays) -> list[str]:
    """Why that is held to be the mechanism, how delays were told, and what else was seen."""
    reasons = sorted({each.reason for each in hops if each.mechanism == mechanism})
    if measured.waits:
        reasons.append(f"it waits {measured.waits}")
    others = Counter(each.mechanism for each in hops if each.mechanism != mechanism)
    return reasons + [f"{many} times {name} instead" for name, many in sorted(others.items())]


def _by_number(of_groups: Sequence[Sequence[float | None]]) -> list[list[float]]:
    longest = max(map(len, of_groups), default=0)
    columns = [[its[place] for its in of_groups if len(its) > place] for place in range(longest)]
    return [[each for each in column if each is not None] for column in columns]


def _limit(exhausted: Sequence[Retried], recovered: Sequence[Retried]) -> tuple[int | None, Then, str, list[str]]:
    """After how many attempts a message is given up, what becomes of it, and what is to be said of that."""
    if not exhausted:
        return _given_up_quietly([len(each.group.attempts) for each in recovered])
    lengths = [len(each.group.attempts) for each in exhausted]
    usual = max(set(lengths), key=lambda each: (lengths.count(each), each))
    notes = []
    if len(set(lengths)) > 1:
        notes.append(f"messages were given up after {min(lengths)} to {max(lengths)} attempts")
    limit = usual if lengths.count(usual) >= AGREE * len(lengths) else None
    ends: list[tuple[Then, str]] = [(each.end.then, each.end.to) for each in exhausted]
    then, to = max(set(ends), key=lambda each: (ends.count(each), each))
    if any(each.end.certainty != "exact" for each in exhausted):
        notes.append("where messages went after the last attempt is likely, not exact")
    return limit, then, to, notes


def _given_up_quietly(lengths: Sequence[int]) -> tuple[int | None, Then, str, list[str]]:
    """Whether messages that ended acknowledged, all at one number of attempts, were given up and did not succeed then."""
    if not lengths:
        return None, "unknown", "", []
    longest = max(lengths)
    reached = lengths.count(longest)
    earlier = len(lengths) - reached
    tries = sum(min(each, longest - 1) for each in lengths)
    if reached >= ENOUGH and earlier and (earlier / tries) ** reached < BY_CHANCE:
        note = f"that messages are given up is likely: all {reached} that got to attempt {longest} ended there, acknowledged"
        return longest, "acknowledged", "", [note]
    if reached >= ENOUGH and not earlier:
        return (
            None,
            "unknown",
            "",
            [f"all {reached} messages ended with attempt {longest}: it succeeded, or gave them up"],
        )
    return None, "unknown", "", []


def _of_fit(fitted: Fit, limit: int | None, then: Then, to: str) -> RetryPolicy:
    def rounded(value: float | None) -> float | None:
        return None if value is None else round(value, 4)

    return RetryPolicy(
        fitted.kind, rounded(fitted.initial_s), rounded(fitted.multiplier), rounded(fitted.max_s), rounded(fitted.jitter),
        limit, then, to, rounded(fitted.step_s),
    )  # fmt: skip


def _note(groups: int, fitted: Fit, notes: Sequence[str]) -> str:
    said = [f"rests on {groups} message{'s' if groups > 1 else ''} only"] if groups < ENOUGH else []
    if len(fitted.delays_s) == 1 and fitted.kind == "fixed":
        said.append("one retry: whether later delays would grow can't be told")
    if fitted.rival is not None:
        said.append(f"{fitted.rival} fits about as well")
    return "; ".join((*said, *notes))


def _certainty(groups: int, fitted: Fit) -> Certainty:
    return "guess" if groups < ENOUGH or fitted.kind in {"irregular", "unknown"} else "likely"


def _waits(samples: Sequence[Sequence[float]], fitted: Fit) -> tuple[Wait, ...]:
    return tuple(
        Wait(
            place + 2, len(each), round(min(each), 4), round(sorted(each)[len(each) // 2], 4), round(max(each), 4),
            round(fitted.delays_s[place], 4) if place < len(fitted.delays_s) and fitted.error is not None else None,
        )
        for place, each in enumerate(samples)
        if each
    )  # fmt: skip


def _grouped_by(retried: Sequence[Retried]) -> tuple[tuple[str, int], ...]:
    told: Counter[str] = Counter()
    for one in retried:
        for after, way in zip(one.group.attempts[1:], one.group.ways, strict=True):
            told[_told_by(after) if way is None else f"sent on: {way.told_by}"] += 1
    return tuple(sorted(told.items()))


def _told_by(after: Receive) -> str:
    if after.deaths:
        return "x-death"
    if after.deliveries or (after.attempt or 0) > 1:
        return "delivery count"
    if after.of_log:
        return "offset"
    return "redelivered flag" if after.redelivered else "identity"


def _shown(one: Retried, waited: Sequence[float | None]) -> tuple[Attempt, ...]:
    attempts = one.group.attempts
    return tuple(
        Attempt(
            each.operation_id, number, None if delay is None else round(delay, 4),
            result_of(each, sent_on=number <= len(one.hops) and one.group.ways[number - 1] is not None), each.error_type,
        )
        for number, (each, delay) in enumerate(zip(attempts, waited, strict=True), 1)
    )  # fmt: skip


def result_of(receive: Receive, *, sent_on: bool) -> str:
    """How an attempt ended, in a word."""
    if receive.handled == "raised":
        return "raised"
    if receive.failed:
        return receive.settled or "unknown"
    return "sent on" if sent_on else receive.settled or "unknown"


def _counted(names: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(Counter(names).items(), key=lambda each: (-each[1], each[0])))


def _evidence(operations: Sequence[tuple[int, int]], certainty: Certainty) -> Evidence:
    times = [at_ns for _, at_ns in operations]
    ids = sorted(operation for operation, _ in operations)
    return Evidence(len(ids), tuple(ids[:EXAMPLES]), min(times), max(times), certainty)


def _by_place(found: Iterable[Loop]) -> list[list[Loop]]:
    places: defaultdict[tuple[Place, str, str], list[Loop]] = defaultdict(list)
    for each in found:
        places[each.place, each.system, each.channel].append(each)
    return list(places.values())


def _loop_policy(found: Sequence[Loop]) -> ObservedPolicy:
    """The policy of a loop in code."""
    of_groups = [[each.delay_s or 0.0 for each in loop.attempts[1:]] for loop in found]
    fitted = fit(_by_number(of_groups))
    failed = [len(loop.attempts) for loop in found if loop.failed]
    limit = failed[0] if len(set(failed)) == 1 else None
    first = found[0]
    attempts = [each for loop in found for each in loop.attempts]
    at_ns = [at for loop in found for at in loop.began_ns]
    loop = first.mechanism == "in-process loop"
    notes = [] if len(set(failed)) < 2 else [f"it gave up after {min(failed)} to {max(failed)} attempts"]
    return ObservedPolicy(
        service=first.place.service, system=first.system, channel=first.channel, place=first.place, events=(),
        mechanism=first.mechanism, mechanism_certainty="likely",
        reasons=(first.reason,),
        route=(), policy=_of_fit(fitted, limit if loop else None, "raised" if failed and loop else "unknown", ""),
        fit_error=fitted.error, groups=len(found), exhausted=len(failed) if loop else 0,
        recovered=sum(not loop.failed for loop in found), grouped_by=(("cause and place", len(attempts) - len(found)),),
        errors=_counted(each.error_type for each in attempts if each.error_type),
        waits=_waits(_by_number(of_groups), fitted), examples=tuple(loop.attempts for loop in found[:SHOWN]),
        note=_note(len(found), fitted, notes),
        evidence=_evidence(
            sorted({(each.operation_id, at) for each, at in zip(attempts, at_ns, strict=True)}), _certainty(len(found), fitted)
        ),
    )  # fmt: skip
