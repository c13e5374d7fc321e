"""What delivery promises and what it kept: acknowledgements, confirms, duplicates, order, gaps, lag, rebalances.

Nothing here rests on two clocks agreeing: an order is that of one process's operations, of the broker's own numbers, or of
the monotonic clock that all processes of one machine share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from msgtrace_analysis.findings.evidence import Certainty, Evidence
    from msgtrace_analysis.findings.limits import Load, Pressure

Mode = Literal["manual", "automatic", "on receipt", "transactional", "none", "unknown"]
"""How a consumer acknowledges: `manual`, by calls of its own; `automatic`, its library does it now and then; `on receipt`, the
broker takes the message for done when it hands it over; `none`, there is nothing to acknowledge."""
Moment = Literal["before the work", "after the work", "during the work", "differs", "unknown"]
Guarantee = Literal["at most once", "at least once", "transactional", "unknown"]
Effects = Literal["repeated", "not repeated", "unknown"]
Scope = Literal["key", "partition", "queue", "group"]


@dataclass(frozen=True, slots=True)
class Consumer:
    """How one service takes messages from one channel.

    Attributes:
        group: the consumer group; '' without one.
        moments: when what it settled was settled, against the work on it: (moment, messages).
        moment: what holds for all of them.
        reason: why the guarantee is thought to be that, a sentence with `{0}`, `{1}`, ... for `names` and `{n}` for the receives.
        receives: deliveries, `settled` of them, `failed` of them ended with an exception or were refused.
        lost: received by a consumer that promises at most once, and not handled to the end.
        evidence: the receives.
    """

    system: str
    channel: str
    channel_kind: str
    group: str
    service: str
    mode: Mode
    moment: Moment
    moments: tuple[tuple[Moment, int], ...]
    guarantee: Guarantee
    certainty: Certainty
    reason: str
    names: tuple[str, ...]
    receives: int
    settled: int
    failed: int
    lost: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Producer:
    """What one service learns of the messages that it sends to one channel.

    Attributes:
        confirms: the broker's answer to each send: `always`, `never`, `sometimes`; `unknown` where it can't be told.
        settings: what the client was set to that bears on it, e.g. `acks`.
        sends: of which `confirmed` were, `refused`, `returned` as nothing would take them, and `failed` with an exception; of
            `unanswered` ones the end was not seen. The rest was sent without an answer being asked for.
        repeated: sends of a message id that the service had sent to the channel before.
    """

    system: str
    channel: str
    channel_kind: str
    service: str
    confirms: Literal["always", "never", "sometimes", "unknown"]
    settings: Mapping[str, Any]
    sends: int
    confirmed: int
    refused: int
    returned: int
    failed: int
    unanswered: int
    repeated: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Messages that consumers of one queue or group were given more than once.

    Attributes:
        services: that were given them.
        messages: different ones, and `deliveries` of them beyond the first.
        after_success: deliveries of a message that had been settled as done, or handled to the end where nothing is settled.
        after_refusal: of one that had been refused or whose handler had failed.
        after_silence: of one that had not been settled: the consumer died, lost its connection or took too long.
        flagged: deliveries that the broker itself marks as repeated.
        effects: whether handling again sent again what handling had sent: of the messages that were handled with a message as
            an effect, `repeats` did. What else a handler does, in a database or elsewhere, is not seen.
        with_effects: messages whose handling before the last sent something.
        evidence: the deliveries beyond the first.
    """

    system: str
    channel: str
    channel_kind: str
    group: str
    services: tuple[str, ...]
    messages: int
    deliveries: int
    after_success: int
    after_refusal: int
    after_silence: int
    flagged: int
    effects: Effects
    with_effects: int
    repeats: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Overtaken:
    """A message that was received after one that had been sent later.

    Attributes:
        receive_id: of the message, first received then.
        before_id: the receive of the later message, before it.
    """

    receive_id: int
    before_id: int


@dataclass(frozen=True, slots=True)
class Order:
    """Whether messages of one scope were received in the order in which they were sent.

    Attributes:
        scope: what should be in order: messages with one `key`, of one `partition`, of one sender through a `queue`, or of one
            log or stream for a `group`.
        lanes: keys, partitions or senders that were compared, each for itself.
        consumers: processes that shared the work.
        messages: that were compared, by their first receives.
        violations: of them came after one that had been sent later.
        late_repeats: deliveries beyond the first that came after a later message; these are no violations.
        examples: a few violations.
    """

    scope: Scope
    system: str
    channel: str
    channel_kind: str
    group: str
    services: tuple[str, ...]
    lanes: int
    consumers: int
    messages: int
    violations: int
    late_repeats: int
    examples: tuple[Overtaken, ...]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Missing:
    """Messages that were sent and that a queue's or group's consumers did not receive, though they received later ones.

    Attributes:
        kind: `not received`: as above. `offsets`: numbers of a log that the trace knows no message of, between those that it
            does. `unsettled`: received, never settled, and not received again by the end of the trace. `refused`: refused or
            returned by the broker at the send.
        reason: the likely one.
        evidence: the sends (of `offsets`, the receives around them).
    """

    kind: Literal["not received", "offsets", "unsettled", "refused"]
    system: str
    channel: str
    channel_kind: str
    group: str
    services: tuple[str, ...]
    messages: int
    reason: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Lag:
    """How far the consumers of a queue or group were behind those who send.

    Attributes:
        messages: that were expected: sent to where its consumers had messages from.
        largest: sent and not yet received, at most, and `largest_ns` when.
        last: at the end of the trace.
        p50_ms: of the times from send to first receive; with `p95_ms` and `longest_ms`.
        certainty: of the times: `likely` where sender and receiver were on different machines.
    """

    system: str
    channel: str
    channel_kind: str
    group: str
    services: tuple[str, ...]
    messages: int
    largest: int
    largest_ns: int | None
    last: int
    p50_ms: float
    p95_ms: float
    longest_ms: float
    certainty: Certainty
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Rebalance:
    """What a consumer group's members were given and lost.

    Attributes:
        rebalances: generations of the group that the trace shows, after the first.
        members: most at one time.
        moved: partitions that another member had before.
        lost: times that a member lost its partitions without having been asked (its session ran out).
        longest_ms: from a revocation to the assignment that ended it.
        repeated: messages that were delivered again within the generation after a rebalance.
    """

    system: str
    group: str
    channels: tuple[str, ...]
    services: tuple[str, ...]
    rebalances: int
    members: int
    moved: int
    lost: int
    longest_ms: float | None
    repeated: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Guarantees:
    """Everything about delivery."""

    consumers: tuple[Consumer, ...] = ()
    producers: tuple[Producer, ...] = ()
    duplicates: tuple[Duplicates, ...] = ()
    orders: tuple[Order, ...] = ()
    missing: tuple[Missing, ...] = ()
    lags: tuple[Lag, ...] = ()
    rebalances: tuple[Rebalance, ...] = ()
    loads: tuple[Load, ...] = ()
    pressures: tuple[Pressure, ...] = ()
