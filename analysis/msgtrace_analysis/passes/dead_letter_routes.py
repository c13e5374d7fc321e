"""Where each queue's dead letters go, and whether they come back: by declaration, policies, bindings and keys seen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

from msgtrace_analysis.findings import DeadLetter
from msgtrace_analysis.passes.dead_lettering import Letter, die

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from msgtrace_analysis.findings import Channel, Evidence, Subscription
    from msgtrace_analysis.passes.dead_lettering import QueueRules
    from msgtrace_analysis.passes.inspected import Inspected
    from msgtrace_analysis.passes.routes import Use
    from msgtrace_analysis.passes.routing import Router
    from msgtrace_analysis.passes.wiring import Host

KEYS: Final = 50
"""Of a queue's messages that are followed."""


def dead_letters(
    channels: Iterable[Channel],
    subscriptions: Iterable[Subscription],
    hosts: Mapping[str, Host],
    routers: Mapping[str, Router],
    uses: Mapping[str, Use] | None,
    known: Inspected,
) -> tuple[DeadLetter, ...]:
    """Every dead-letter route of a trace, by virtual host."""
    queues = {each.name: each for each in channels if each.system == "rabbitmq" and each.kind == "queue"}
    taken = {each.channel for each in subscriptions} | {each.name for each in known.of("queue", action="consume")}
    taken |= {each.name for each in queues.values() if each.receives or (each.state or {}).get("consumers")}
    return tuple(
        each
        for name, host in sorted(hosts.items())
        for each in dead_letter_routes(
            name, routers[name], host.rules(), (uses or {}).get(name), lambda queue: queue in taken,
            lambda queue: queues[queue].evidence if queue in queues else None,
        )
    )  # fmt: skip


def dead_letter_routes(
    host: str,
    router: Router,
    rules: Mapping[str, QueueRules],
    use: Use | None,
    consumed: Callable[[str], bool],
    evidence: Callable[[str], Evidence | None],
) -> tuple[DeadLetter, ...]:
    """Every queue's that has a dead-letter exchange, in one virtual host.

    Args:
        host: its name.
        router: its exchanges and bindings.
        rules: of its queues.
        use: what was sent there.
        consumed: whether somebody takes from a queue, who may reject.
        evidence: for a queue.
    """
    found = {}
    for name, rule in sorted(rules.items()):
        rests_on = evidence(name)
        if rule.exchange is not None and rests_on is not None:
            found[name] = _route(host, router, rule, _keys(router, name, rule, use), rests_on)
    targets = {name: each.targets for name, each in found.items()}
    return tuple(_judged(name, each, targets, rules, consumed) for name, each in found.items())


def _keys(router: Router, name: str, rule: QueueRules, use: Use | None) -> list[str]:
    """That dead letters of a queue have: the queue's own for them, those that were seen, or those of its bindings."""
    if rule.key is not None:
        return [rule.key]
    seen = use.keys.get(name) if use is not None else None
    return [key for key, _ in seen.most_common(KEYS)] if seen else router.plain_keys(name)[:KEYS]


def _route(host: str, router: Router, rule: QueueRules, keys: Iterable[str], rests_on: Evidence) -> DeadLetter:
    # Headers that a message had are not followed: to a headers exchange it goes who knows where.
    kind = router.exchanges[rule.exchange].type if rule.exchange in router.exchanges else ""
    known = list(keys) or ([""] if kind == "fanout" else [])
    deaths = [die(router, rule, "rejected", Letter((key,), {})) for key in known]
    targets = tuple(sorted({queue for death in deaths for queue in death.queues}))
    unknown = not deaths or kind == "headers" or any(death.unknown for death in deaths)
    some_lost = any(not death.queues for death in deaths)
    outcome: Literal["queue", "nowhere", "unknown"] = "unknown"
    if not unknown and targets and not some_lost:
        outcome = "queue"
    elif not unknown and not targets:
        outcome = "nowhere"
    return DeadLetter(
        queue=rule.name,
        exchange=rule.exchange or "",
        routing_key=rule.key,
        time_to_live=None if rule.ttl_ms is None else str(rule.ttl_ms),
        length_limit=None if rule.length is None else str(rule.length),
        # That it is declared is exact; where it leads rests on the bindings that are known.
        evidence=rests_on if outcome == "unknown" else replace(rests_on, certainty="likely"),
        virtual_host=host,
        origin="policy" if rule.policy else "declaration",
        overflow=rule.overflow if rule.length is not None or rule.length_bytes is not None else None,
        delivery_limit=rule.delivery_limit,
        reasons=rule.reasons,
        targets=targets,
        outcome=outcome,
    )


def _judged(
    name: str,
    letter: DeadLetter,
    targets: Mapping[str, tuple[str, ...]],
    rules: Mapping[str, QueueRules],
    consumed: Callable[[str], bool],
) -> DeadLetter:
    """With the way back to the queue, if there is one."""
    way = _way_back(name, targets)
    if not way:
        return letter
    # RabbitMQ drops what comes back with no rejection on the way; where somebody takes messages, one may have been.
    by_itself = all("expired" in rules[each].reasons and not consumed(each) for each in way)
    return replace(letter, cycle="dropped" if by_itself else "through rejection", way=way)


def _way_back(name: str, targets: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The shortest way from a queue to itself, over the queues that its dead letters go through; () for none."""
    before: dict[str, str] = {}
    left = [name]
    while left:
        ahead: list[str] = []
        for queue in left:
            for target in targets.get(queue, ()):
                if target == name:
                    return tuple(reversed([queue, *_back(queue, name, before)]))
                if target not in before:
                    before[target] = queue
                    ahead.append(target)
        left = ahead
    return ()


def _back(queue: str, name: str, before: Mapping[str, str]) -> Iterator[str]:
    while queue != name:
        queue = before[queue]
        yield queue
