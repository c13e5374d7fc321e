"""What kind of message an event type is: event, command, query, reply, document or signal; from its name and its use.

A kind is what people mean by a message, and no broker knows it. So each has its reasons, and none is `exact` unless the
user says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from msgtrace_analysis.findings import Judgement
from msgtrace_analysis.passes.moods import mood

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Certainty
    from msgtrace_analysis.passes.moods import Read
    from msgtrace_analysis.rules import Rules
    from msgtrace_analysis.study import Study

MOST: Final = 0.5
"""The share of messages from which on something holds for the type."""
WORK: Final = frozenset({"list", "queue"})
"""Channels from which each message is taken once."""

# One row per event type: how many of its messages there are, ask for an answer, are one, and have a body.
USES: Final = """
    with requests as (
        select distinct reply_to as way, unnest([correlation_id, message_id]) as id
        from operations
        where reply_to <> '' and kind in ('send', 'receive')
    ), replies as (
        select o.operation_id
        from operations as o
        semi join requests as r on r.id = o.correlation_id and (r.way = o.routing_key or r.way = o.channel)
        where o.kind in ('send', 'receive') and coalesce(o.reply_to, '') = ''
    )
    select
        m.system, m.address_kind, m.address, m.name, count(*), count(*) filter (o.reply_to <> ''),
        count(r.operation_id), count(*) filter (coalesce(o.body_size, 0) > 0 or o.readable)
    from messages as m
    inner join operations as o using (operation_id)
    left join replies as r on r.operation_id = o.operation_id
    group by m.system, m.address_kind, m.address, m.name
"""


@dataclass(frozen=True, slots=True)
class Use:
    """How messages of a type are used: how many, of these with a reply address, answers, and with a body."""

    messages: int
    asking: int
    answers: int
    bodies: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What a kind is judged by."""

    name: str
    named_by: str
    channel_kind: str
    publishers: frozenset[str]
    consumers: frozenset[str]
    use: Use


def uses(study: Study) -> dict[tuple[str | None, str, str, str], Use]:
    """How each event type is used, by (system, kind of address, address, name). Needs the tables of `naming`."""
    return {(system, kind, address, name): Use(*counts) for system, kind, address, name, *counts in study.rows(USES)}


def judge(facts: Facts, rules: Rules) -> Judgement:
    """Say what kind of message a type is, and why."""
    for rule in rules.kinds:
        if fnmatchcase(facts.name, rule.event):
            return Judgement(rule.kind, ("your rule says so",), "exact")
    use, read = facts.use, mood(facts.name)
    if use.answers > MOST * use.messages:
        return Judgement(
            "reply",
            (f"{use.answers} of {use.messages} go to a request's reply address with its correlation id",),
            "likely",
        )
    if facts.named_by == "header task":
        return Judgement("command", ("a task of Celery's orders a worker to run it",), "likely")
    if use.asking > MOST * use.messages:
        return _asked(read, use)
    return _named(facts, read)


def _named(facts: Facts, read: Read) -> Judgement:
    match read.mood:
        case "happened":
            return _event(facts, read)
        case "order":
            return _command(facts, read)
        case "question":
            return Judgement("query", (f"its name asks ({read.word})", "no reply address was seen"), "guess")
        case "answer":
            return Judgement("reply", (f"its name says so ({read.word})", "no request of it was seen"), "guess")
        case "pulse":
            return Judgement("signal", (f"its name says that something is there ({read.word}), and no more",), "likely")
    return _thing(facts)


def _asked(read: Read, use: Use) -> Judgement:
    reason = f"{use.asking} of {use.messages} carry a reply address"
    if read.mood == "order":
        return Judgement("command", (f"its name orders ({read.word})", f"{reason}: it is answered"), "likely")
    if read.mood == "question":
        return Judgement("query", (f"its name asks ({read.word})", reason), "likely")
    return Judgement("query", (reason,), "guess")


def _event(facts: Facts, read: Read) -> Judgement:
    said = f"its name says that something happened ({read.word})"
    others = sorted(facts.consumers - facts.publishers)
    if facts.channel_kind == "bus":
        return Judgement("domain event", (said, "it stays inside of the process"), "likely")
    if not facts.publishers:
        return Judgement("integration event", (said, "it comes from outside of the trace"), "guess")
    if others:
        return Judgement(
            "integration event", (said, f"another service receives it ({', '.join(others[:3])})"), "likely"
        )
    if facts.consumers:
        return Judgement("domain event", (said, "only the service that sends it receives it"), "likely")
    return Judgement("integration event", (said, "it leaves the process, and no receive was seen"), "guess")


def _command(facts: Facts, read: Read) -> Judgement:
    said = f"its name orders ({read.word})"
    many = len(facts.consumers)
    if many > 1:
        return Judgement("command", (said, f"{many} services receive it, which is unusual for one"), "guess")
    taken: Certainty = "likely" if many else "guess"
    return Judgement("command", (said, "one service receives it" if many else "no receive was seen"), taken)


def _thing(facts: Facts) -> Judgement:
    named = "its name names a thing"
    if facts.channel_kind == "bus":
        return Judgement("domain event", (named, "it stays inside of the process"), "guess")
    if not facts.use.bodies:
        return Judgement("signal", (named, "it has no body"), "guess")
    if facts.channel_kind in WORK and len(facts.consumers) == 1:
        return Judgement("command", (named, "one service takes it from a queue, as work"), "guess")
    return Judgement("document", (f"{named}, and says neither that something happened nor what to do",), "guess")
