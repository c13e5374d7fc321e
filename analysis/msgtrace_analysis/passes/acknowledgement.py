"""How and when consumers acknowledge, and what that promises: at most once, at least once, or with a transaction.

The moment is that of the settlement against the work: against what the handler sent, its end, and, where messages are
fetched, the next fetch. What it promises follows from mode and moment, and the reason says so.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast, get_args

from msgtrace_analysis.findings import Consumer
from msgtrace_analysis.findings.delivery import Guarantee, Mode, Moment
from msgtrace_analysis.passes.evidence import EVIDENCE, evidence
from msgtrace_analysis.passes.handling import OF

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from msgtrace_analysis.findings import Certainty
    from msgtrace_analysis.study import Study

TELLING_NS: Final = 2_000_000
"""Work of less than this, when nothing was sent in it, does not tell on which side of it a settlement was."""
IDLE_NS: Final = 20_000_000
"""What passes after a settlement in which nothing was sent counts as work from here on, if it is four times what came before."""
MOST: Final = 0.95
"""The share of the known moments that makes them one; what the others are may be the machine's doing."""
MOMENTS: Final[tuple[Moment, ...]] = get_args(Moment)
BLIND: Final = frozenset({"pubsub", "connection", "room"})
"""Kinds of channel whose messages nobody keeps for a receiver."""

# One row per batch that was fetched: when the last of it was settled, and when the first message of the next batch was sent.
FETCHED: Final = """
    create table fetched_batches as
    with batches as (
        select
            t.process_id, t.channel, t.consumer, t.batch, min(t.begun_ns) as asked_ns, max(t.settled_ns) as settled_ns,
            min(s.at_ns) as sent_ns
        from taken as t
        left join timed as s on s.operation_id = t.send_id
        where not t.called
        group by all
    )
    select
        process_id, channel, consumer, batch, settled_ns,
        lead(sent_ns) over (partition by process_id, channel, consumer order by asked_ns, batch) as next_sent_ns
    from batches
"""

# One row per receive that was settled as done: when, against the work on it. What passes until the next fetch is work only where
# there was something to fetch, and nothing else of the batch to be done.
SETTLED: Final = f"""
    create table settled_moments as
    with sent as (
        select
            t.operation_id, count(*) filter (e.at_ns < t.settled_ns) as before, count(*) filter (e.at_ns >= t.settled_ns) as after
        from taken as t
        inner join led_to as l on l.receive_id = t.operation_id
        inner join timed as e on e.operation_id = l.effect_id
        where e.kind = 'send' and t.settled_as in ('ack', 'commit') and l.certainty <> 'guess'
        group by t.operation_id
    ), timed_work as (
        select
            t.operation_id, t.settled_ns - t.at_ns as before_ns,
            case
                when t.over_ns is not null then t.over_ns
                when t.settled_ns < f.settled_ns then null
                when f.next_sent_ns < t.settled_ns then t.fetched_until_ns
            end - t.settled_until_ns as after_ns, t.over_ns is not null as handled,
            coalesce(s.before, 0) as sent_before, coalesce(s.after, 0) as sent_after
        from taken as t
        left join sent as s using (operation_id)
        left join fetched_batches as f
            on f.process_id = t.process_id and f.channel is not distinct from t.channel and f.consumer = t.consumer
                and f.batch = t.batch and not t.called
        where t.settled_as in ('ack', 'commit')
    )
    select
        operation_id,
        case
            when sent_after > 0 and sent_before = 0 then 'before the work'
            when sent_after > 0 then 'during the work'
            when after_ns <= 0 then 'after the work'
            when sent_before > 0 and coalesce(after_ns < greatest({IDLE_NS}, 4 * before_ns), true) then 'after the work'
            when sent_before > 0 then 'unknown'  -- a busy event loop looks like work
            when after_ns is null or before_ns + after_ns < {TELLING_NS} then 'unknown'
            when after_ns < before_ns / 4 then 'after the work'
            when not handled or after_ns < {IDLE_NS} then 'unknown'
            when before_ns < after_ns / 4 then 'before the work'
            else 'during the work'
        end as moment,
        sent_before + sent_after > 0 or after_ns <= 0 as telling
    from timed_work
"""

# One row per queue or group and service: what it received and how it settled that.
CONSUMERS: Final = f"""
    with flagged as (
        select
            t.*, m.moment, coalesce(m.telling, false) as telling,
            t.settled_as in ('ack', 'commit') as done,
            coalesce(t.raised, false) or t.unread or t.settled_as in ('nack', 'reject', 'requeue') as failed_here,
            coalesce(upper(t.settings ->> '$.command'), '') as command, coalesce(t.settings ->> '$.noack' = 'true',
            false) as noack,
            coalesce(c.automatic, false) as automatic
        from taken as t
        left join settled_moments as m using (operation_id)
        left join (
            select connection_id, bool_or(facts ->> '$.enable_auto_commit' = 'true') as automatic
            from connections
            group by connection_id
        ) as c using (connection_id)
    )
    select
        {OF}, service, count(*), count(settled_as), count(*) filter (failed_here),
        count(*) filter (moment = 'before the work'), count(*) filter (moment = 'after the work'),
        count(*) filter (moment = 'during the work'), count(*) filter (moment = 'unknown'), bool_and(telling) filter (done),
        bool_or(in_transaction), bool_or(automatic), bool_or(noack), bool_or(contains(command, 'LPUSH') or contains(command,
        'MOVE')),
        count(*) filter (coalesce(raised, false) or not coalesce(whole, true)), count(distinct message),
        {EVIDENCE}
    from flagged
    group by {OF}, service
    order by {OF}, service
"""

# One row per queue and service that asked for it: whether the broker was told to take deliveries for done.
UNACKNOWLEDGED: Final = """
    select place, service, bool_and(settings ->> '$.no_ack' = 'true')
    from timed
    where kind = 'subscribe' and system = 'rabbitmq' and settings ->> '$.action' = 'consume' and outcome not in ('raised',
    'cancelled')
    group by place, service
"""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of how one service takes from one channel; the counts are of receives."""

    kind: str
    group: str
    settled: int
    moments: Mapping[Moment, int]
    telling: bool
    in_transaction: bool
    automatic: bool
    noack: bool
    moved: bool
    asked: bool | None


@dataclass(frozen=True, slots=True)
class Judged:
    """What that comes to."""

    mode: Mode
    moment: Moment
    guarantee: Guarantee
    certainty: Certainty
    reason: str
    names: tuple[str, ...] = ()


def consumers(study: Study) -> tuple[Consumer, ...]:
    """Find how everybody acknowledges. Needs the tables of `handling`."""
    study.run(FETCHED)
    study.run(SETTLED)
    asked: defaultdict[tuple[str, str], bool | None] = defaultdict(lambda: None)
    for place, service, no_ack in study.rows(UNACKNOWLEDGED):
        asked[place, service] = no_ack
    return tuple(_consumer(row, asked[row[1], row[4]]) for row in study.rows(CONSUMERS))


def _consumer(row: Sequence[Any], asked: bool | None) -> Consumer:  # noqa: FBT001 - an answer of the trace
    system, place, kind, group, service, receives, settled, failed, *rest = row
    before, after, during, unknown, telling, transaction, automatic, noack, moved, broken, _, *columns = rest
    counts = {"before the work": before, "after the work": after, "during the work": during, "unknown": unknown}
    moments = cast("dict[Moment, int]", {name: counts[name] for name in MOMENTS if counts.get(name)})
    facts = Facts(
        kind,
        group,
        settled,
        moments,
        bool(telling),
        bool(transaction),
        bool(automatic),
        bool(noack),
        bool(moved),
        asked,
    )
    found = judge(facts)
    return Consumer(
        system=system, channel=place, channel_kind=kind, group=group, service=service, mode=found.mode, moment=found.moment,
        moments=tuple(moments.items()), guarantee=found.guarantee, certainty=found.certainty, reason=found.reason,
        names=found.names, receives=receives, settled=settled, failed=failed,
        lost=broken if found.guarantee == "at most once" else 0, evidence=evidence(columns),
    )  # fmt: skip


def moment_of(moments: Mapping[Moment, int]) -> Moment:
    """What holds for nearly all settlements whose moment is known.

    >>> moment_of({"after the work": 99, "unknown": 4, "during the work": 1}), moment_of({"after the work": 9, "differs": 4})
    ('after the work', 'differs')
    """
    known: list[tuple[int, Moment]] = [
        (count, moment) for moment, count in moments.items() if count and moment != "unknown"
    ]
    if not known:
        return "unknown"
    count, most = max(known)
    return most if count >= MOST * sum(each for each, _ in known) else "differs"


def judge(facts: Facts) -> Judged:
    """What a consumer's mode and moment promise. Pure."""
    if facts.kind in BLIND:
        return Judged("none", "unknown", "at most once", "exact",
                      "nothing is kept for a receiver: who is not connected, or fails, does not get a message again")  # fmt: skip
    if facts.in_transaction:
        return Judged("transactional", moment_of(facts.moments), "transactional", "exact",
                      "its offsets are committed in the transaction that its own messages are sent in")  # fmt: skip
    if facts.asked or facts.noack:
        return Judged("on receipt", "before the work", "at most once", "exact",
                      "it asks the broker to take every message for done when it is handed over")  # fmt: skip
    if facts.kind == "list":
        return _list(facts)
    return _acknowledging(facts) if facts.settled else _silent(facts)


def _list(facts: Facts) -> Judged:
    if facts.moved:
        return Judged("manual", "unknown", "at least once", "likely",
                      "it moves each element to another list, from where it can be taken again")  # fmt: skip
    return Judged("on receipt", "before the work", "at most once", "exact",
                  "an element that is popped from a list is in no other place")  # fmt: skip


def _acknowledging(facts: Facts) -> Judged:
    moment = moment_of(facts.moments)
    mode: Mode = "automatic" if facts.automatic else "manual"
    alone = set(facts.moments) <= {moment, "unknown"}
    sure: Certainty = "exact" if alone and facts.telling and not facts.automatic else "likely"
    word = "commits" if facts.kind == "topic" else "acknowledges"
    by = "its library" if facts.automatic else "it"
    match moment:
        case "after the work":
            return Judged(
                mode, moment, "at least once", sure, f"{by} {word} after the work: what fails before that comes again"
            )
        case "before the work":
            return Judged(
                mode, moment, "at most once", sure, f"{by} {word} before the work: what fails after that is lost"
            )
        case "during the work" | "differs":
            return Judged(mode, moment, "unknown", "likely",
                          f"{by} {word} amid the work: what fails after that is done in part")  # fmt: skip
    return Judged(mode, moment, "unknown", "likely",
                  f"{by} {word}, and what was seen of the work does not tell whether before or after it")  # fmt: skip


def _silent(facts: Facts) -> Judged:
    if facts.kind == "topic" and not facts.group:
        return Judged("none", "unknown", "unknown", "exact",
                      "without a group nothing is committed: where it goes on is the program's own affair")  # fmt: skip
    if facts.kind == "stream" and not facts.group:
        return Judged("none", "unknown", "unknown", "exact",
                      "it reads without a group: where it goes on is the program's own affair")  # fmt: skip
    return Judged("automatic" if facts.automatic else "manual", "unknown", "unknown", "guess",
                  "it was not seen to settle anything: the recording is short, or what it receives comes again")  # fmt: skip
