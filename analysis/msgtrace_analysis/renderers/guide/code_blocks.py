"""Settings as short pieces of Python, as they were seen: declarations of queues, subscriptions, retry policies. Pure.

Where the client library is one whose call is known here it is written as that call, else as plain assignments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.renderers.markdown import Safe, fenced, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from msgtrace_analysis.findings import Binding, Channel, ObservedPolicy, Subscription

LONGEST: Final = 100
AMQP: Final = {"exchange": "declare_exchange", "queue": "declare_queue"}


def declared(channel: Channel, bindings: list[Binding], client: str) -> Safe | None:
    """How a channel was declared, and what is bound to it; None where it was not seen to be."""
    lines: list[str] = []
    for settings in channel.settings:
        lines += _declaration(channel, settings, client)
    lines += [each for binding in bindings for each in _binding(binding, client)]
    return fenced("python", "\n".join(lines)) if lines else None


def _declaration(channel: Channel, settings: Mapping[str, Any], client: str) -> Iterator[str]:
    given = {name: value for name, value in settings.items() if value not in ({}, "", None)}
    if client == "aio_pika" and channel.kind in AMQP:
        kept = {name: value for name, value in given.items() if name != "passive" and value is not False}
        kind = kept.pop("exchange_type", None)
        first = [_literal(channel.name)] + ([_literal(kind)] if kind is not None else [])
        yield from _call(f"channel.{AMQP[channel.kind]}", [*first, *_keywords(kept)])
        return
    if client == "kafka" and channel.kind == "topic":
        names = {"partitions": "num_partitions", "replication_factor": "replication_factor"}
        kept = {names.get(name, name): value for name, value in given.items()}
        yield from _call("NewTopic", [f"name={_literal(channel.name)}", *_keywords(kept)])
        return
    yield f"{_variable(channel.kind)} = {_literal({'name': channel.name, **given})}"


def _binding(binding: Binding, client: str) -> Iterator[str]:
    arguments = binding.settings.get("arguments") or {}
    if client == "aio_pika":
        more = [f"arguments={_literal(arguments)}"] if arguments else []
        given = [_literal(binding.source), f"routing_key={_literal(binding.routing_key)}", *more]
        yield from _call(f"{_variable(binding.destination_kind)}.bind", given)
        return
    yield f"binding = {_literal({'from': binding.source, 'routing_key': binding.routing_key, **binding.settings})}"


def subscribed(subscription: Subscription) -> Safe | None:
    """How a service takes from a channel."""
    given: dict[str, Any] = {"channel": subscription.channel}
    if subscription.group:
        given["group"] = subscription.group
    for settings in subscription.settings:
        given |= settings
    given["handlers"] = [each.name for each in subscription.handlers]
    known = {name: value for name, value in given.items() if value not in ([], {}, "", None, False)}
    return fenced("python", f"subscription = {_literal(known)}")


def retried(policy: ObservedPolicy) -> Safe:
    """A retry policy, as it was seen."""
    known = policy.policy
    given: dict[str, Any] = {
        "channel": policy.channel,
        "comes_back_by": policy.mechanism,
        "through": list(policy.route),
        "delays": known.kind,
        "initial_delay_s": known.initial_delay_s,
        "multiplier": known.multiplier,
        "step_s": known.step_s,
        "max_delay_s": known.max_delay_s,
        "jitter": known.jitter,
        "max_attempts": known.max_attempts,
        "then": known.then,
        "then_to": known.then_to,
    }
    kept = {name: value for name, value in given.items() if value not in (None, [], "")}
    return fenced("python", f"retry_policy = {_literal(kept)}")


def _call(name: str, arguments: list[str]) -> Iterator[str]:
    whole = f"await {name}({', '.join(arguments)})" if name[0].islower() else f"{name}({', '.join(arguments)})"
    if len(whole) <= LONGEST:
        yield whole
        return
    yield whole[: whole.index("(") + 1]
    yield from (f"    {each}," for each in arguments)
    yield ")"


def _keywords(settings: Mapping[str, Any]) -> list[str]:
    plain = {name: value for name, value in sorted(settings.items()) if name.isidentifier()}
    others = {name: value for name, value in settings.items() if name not in plain}
    return [f"{name}={_literal(value)}" for name, value in plain.items()] + (
        [f"**{_literal(others)}"] if others else []
    )


def _variable(kind: str) -> str:
    return kind if kind.isidentifier() else "channel"


def _literal(value: Any) -> str:
    """A literal of plain types, on one line or one line for each part; texts are cut where they are too long to read."""
    shown = repr(_cut(value))
    if len(shown) <= LONGEST - 20 or not isinstance(value, dict):
        return shown
    inner = "".join(f"    {name!r}: {each!r},\n" for name, each in _cut(value).items())
    return f"{{\n{inner}}}"


def _cut(value: Any) -> Any:
    if isinstance(value, str):
        return visible(value) if len(value) > 200 else value
    if isinstance(value, dict):
        return {_cut(name): _cut(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_cut(each) for each in value[:50]]
    return value
