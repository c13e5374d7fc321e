"""The checks of a consumer that its resilience is scored by. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgtrace_analysis.passes.criteria import made

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Channel, Consumer, Criterion, ObservedPolicy
    from msgtrace_analysis.passes.criteria import Known

BACKOFF: Final = {"exponential": 1.0, "linear": 1.0, "fixed": 0.5, "irregular": 0.5, "immediate": 0.0}
"""The share that delays of a kind earn."""
BEHIND: Final = 0.05
"""The share of the messages that may wait at the end of a recording."""
ENOUGH: Final = 3
"""Messages that were tried again, from which on a policy is believed."""


def acknowledgement(of: Consumer, _: Known) -> Criterion:
    """After the work, or with a transaction."""
    shares = {"at least once": 1.0, "transactional": 1.0, "at most once": 0.0}
    share = shares.get(of.guarantee)
    if share is None and of.moment in {"differs", "during the work"}:
        share = 0.5
    return made(
        "acknowledgement after work",
        share,
        f"{of.guarantee}: {of.reason}",
        of.names,
        remedy="use a queue or a stream: here nothing can be acknowledged"
        if share is not None and of.mode == "none" and of.channel_kind == "pubsub"
        else "acknowledge when the work is done, not before"
        if share is not None
        else "record it while it works on messages for some milliseconds, or sends something for them",
        evidence=of.evidence,
        certainty=of.certainty,
    )


def dead_letter_route(of: Consumer, known: Known) -> Criterion | None:
    """What can't be handled has somewhere to go. Not asked of where dead messages have come to already."""
    if _dead_end(of, known):
        return None
    name, remedy = (
        "dead-letter route",
        "give it a dead-letter exchange that leads to a queue, or send what fails elsewhere",
    )
    for route in known.dead_letters.routes:
        if (route.system, route.source) == (of.system, of.channel) and not route.retry and route.by != "pending list":
            reached = bool(route.targets) or route.observed
            return made(
                name,
                1 if reached else 0.5,
                "{0} has a way for dead messages, seen to lead to {1}."
                if reached
                else "{0} declares a way for dead messages; where it leads was not seen.",
                (of.channel, ", ".join(route.targets) or "its target"),
                remedy=remedy,
                evidence=route.evidence,
                certainty=route.certainty,
            )
    for letter in known.topology.dead_letters:
        if letter.queue == of.channel and of.channel_kind == "queue":
            share = {"queue": 1.0, "nowhere": 0.0}.get(letter.outcome, 0.5)
            sentence = "{0} names the dead-letter exchange {1}: " + {
                "queue": "dead messages reach a queue.",
                "nowhere": "nothing is bound to it, so they are dropped.",
            }.get(letter.outcome, "where it leads is not known.")
            return made(name, share, sentence, (of.channel, letter.exchange), remedy=remedy, evidence=letter.evidence)
    lost = [each for each in known.dead_letters.dropped if (each.system, each.channel) == (of.system, of.channel)]
    if lost:
        return made(name, 0, "{n} messages that failed are nowhere any more.", remedy=remedy, evidence=lost[0].evidence)
    channel = _channel(of, known)
    if of.channel_kind == "queue" and channel is not None and (channel.settings or channel.inspected):
        return made(
            name,
            0,
            "The declaration of {0} names no dead-letter exchange, and no policy that was read does.",
            (of.channel,),
            remedy=remedy,
            evidence=channel.evidence,
            certainty="exact" if channel.inspected else "likely",
        )
    return made(
        name,
        None,
        "Nothing was seen of where {0} sends what it can't handle.",
        (of.service,),
        remedy="record it while a message fails for good, or inspect the broker: msgtrace inspect",
    )


def retry_bounded(of: Consumer, known: Known) -> Criterion:
    """Attempts end."""
    remedy = "set a limit of attempts, and a way for what reaches it"
    for seen in _policies(of, known):
        if seen.policy.max_attempts is not None:
            return made(
                "retry bounded",
                1,
                "Attempts ended after {0}, by {1}.",
                (str(seen.policy.max_attempts), seen.mechanism),
                remedy=remedy,
                evidence=seen.evidence,
                certainty=seen.evidence.certainty,
            )
    for declared in known.retrying.declared:
        if (declared.service, declared.channel) in {(of.service, of.channel), ("", of.channel)}:
            share = 0 if declared.policy.max_attempts is None else 1
            return made(
                "retry bounded",
                share,
                "{0} declares " + ("no limit of attempts." if not share else "at most {1} attempts."),
                (declared.source, str(declared.policy.max_attempts)),
                remedy=remedy,
                evidence=declared.evidence,
            )
    return made(
        "retry bounded",
        None,
        "No end of attempts was seen, and no limit is declared.",
        remedy="record it while a message fails for good",
    )


def backoff(of: Consumer, known: Known) -> Criterion:
    """Attempts wait longer."""
    for seen in _policies(of, known):
        share = BACKOFF.get(seen.policy.kind)
        if share is not None:
            return made(
                "backoff",
                share,
                "The delays between attempts are {0}.",
                (seen.policy.kind,),
                remedy="let delays grow, with jitter",
                evidence=seen.evidence,
                certainty=seen.evidence.certainty,
            )
    return made(
        "backoff", None, "Fewer than three messages were tried again.", remedy="record it while a handler fails"
    )


def poison_loop(of: Consumer, known: Known) -> Criterion:
    """No message is tried for ever."""
    mine = [each for each in known.dead_letters.poison if (each.system, each.channel) == (of.system, of.channel)]
    for each in mine:
        if dict(each.end).get("still tried"):
            return made(
                "no poison loop",
                0,
                "{0} messages never succeeded and were still tried at the end.",
                (str(dict(each.end)["still tried"]),),
                remedy="end it after some attempts",
                evidence=each.evidence,
            )
    if mine:
        return made(
            "no poison loop",
            1,
            "{n} operations on messages that never succeeded came to an end.",
            remedy="",
            evidence=mine[0].evidence,
            certainty="likely",
        )
    return made(
        "no poison loop",
        None,
        "No message was seen that never succeeds.",
        remedy="record it with a message that can't be handled",
    )


def idempotent(of: Consumer, known: Known) -> Criterion:
    """Handling a message again sends nothing again."""
    remedy = "tell messages that were handled from those that were not, by an id"
    for each in known.guarantees.duplicates:
        if (each.system, each.channel, each.group) == (of.system, of.channel, of.group) and of.service in each.services:
            if each.effects == "repeated":
                return made(
                    "idempotent",
                    0,
                    "Of {0} messages that were handled again, {1} were sent on again.",
                    (str(each.messages), str(each.repeats)),
                    remedy=remedy,
                    evidence=each.evidence,
                )
            if each.effects == "not repeated":
                return made(
                    "idempotent",
                    1,
                    "{0} messages were handled again, and nothing sent again; other effects are unknown.",
                    (str(each.messages),),
                    remedy=remedy,
                    evidence=each.evidence,
                    certainty="likely",
                )
    return made(
        "idempotent",
        None,
        "No message was seen to be handled again with an effect to compare.",
        remedy="record it while a consumer is killed between work and acknowledgement",
    )


def ordering(of: Consumer, known: Known) -> Criterion:
    """First receives come in the order of sending."""
    mine = [
        each
        for each in known.guarantees.orders
        if (each.system, each.channel, each.group) == (of.system, of.channel, of.group) and each.scope != "key"
    ]
    if not mine:
        return made(
            "ordering held",
            None,
            "No two messages were seen whose order could be compared.",
            remedy="record its senders, too",
        )
    each = mine[0]
    return made(
        "ordering held",
        1 - each.violations / each.messages,
        "{0} of {1} messages came after a later one.",
        (str(each.violations), str(each.messages)),
        remedy="let one consumer have what belongs together",
        evidence=each.evidence,
        certainty="likely",
    )


def durable(of: Consumer, known: Known) -> Criterion:
    """What waits survives its broker."""
    channel = _channel(of, known)
    forms = () if channel is None else (*channel.settings, *channel.inspected)
    if of.channel_kind == "queue":
        said = [form["durable"] for form in forms if isinstance(form.get("durable"), bool)]
        if said and channel is not None:
            return made(
                "durable",
                float(all(said)),
                "{0} is " + ("durable." if all(said) else "not durable."),
                (of.channel,),
                remedy="declare the queue durable, and send persistent messages",
                evidence=channel.evidence,
            )
    copies = [form["replication_factor"] for form in forms if isinstance(form.get("replication_factor"), int)]
    if copies and channel is not None and min(copies) > 0:
        return made(
            "durable",
            1.0 if min(copies) > 1 else 0.5,
            "{0} has {1} copies.",
            (of.channel, str(min(copies))),
            remedy="keep more than one copy",
            evidence=channel.evidence,
        )
    if of.channel_kind in {"pubsub", "connection", "room"}:
        return made(
            "durable",
            0,
            "Nothing keeps a message of {0}.",
            (of.channel,),
            remedy="use a queue or a stream",
            evidence=of.evidence,
        )
    return made(
        "durable",
        None,
        "Nothing was seen of whether {0} survives a restart.",
        (of.channel,),
        remedy="record a start that declares it, or inspect the broker",
    )


def keeps_up(of: Consumer, known: Known) -> Criterion:
    """What waits does not grow. Whether anybody watches it is not seen."""
    for each in known.guarantees.lags:
        if (each.system, each.channel, each.group) == (of.system, of.channel, of.group):
            behind = each.last > max(1, BEHIND * each.messages)
            return made(
                "keeps up",
                float(not behind),
                "{0} of {1} messages waited at the end, {2} at most; who watches it is not seen.",
                (str(each.last), str(each.messages), str(each.largest)),
                remedy="add consumers, and an alert",
                evidence=each.evidence,
                certainty="likely",
            )
    return made("keeps up", None, "What waits for {0} is not known.", (of.service,), remedy="record its senders, too")


def _dead_end(of: Consumer, known: Known) -> bool:
    """Whether a consumer takes what has become a dead letter elsewhere, and has no way of its own for what fails."""
    own = {(route.system, route.source) for route in known.dead_letters.routes}
    own |= {("rabbitmq", letter.queue) for letter in known.topology.dead_letters}
    ends = {
        (route.system, target) for route in known.dead_letters.routes if not route.retry for target in route.targets
    }
    ends |= {
        (binding.system, binding.destination)
        for binding in known.topology.bindings
        if (binding.system, binding.source) in ends
    }
    return (of.system, of.channel) in ends - own


def _channel(of: Consumer, known: Known) -> Channel | None:
    return next(
        (
            each
            for each in known.topology.channels
            if (each.system, each.kind, each.name) == (of.system, of.channel_kind, of.channel)
        ),
        None,
    )


def _policies(of: Consumer, known: Known) -> list[ObservedPolicy]:
    """Policies that enough messages show. What a lost connection brings back is nobody's policy."""
    return [
        each
        for each in known.retrying.observed
        if (each.service, each.system, each.channel) == (of.service, of.system, of.channel)
        and each.groups >= ENOUGH
        and each.mechanism not in {"reconnect", "unknown"}
    ]
