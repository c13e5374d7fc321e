"""What the recorder writes and the collector reads: the records inside frames, and nothing else.

A record is a MessagePack array whose first element is its tag. Everything after the tag is positional, because
positions cost nothing to write; a `Message` is a map of only the fields that are known, because most are not.

    BEGIN       [0, sequence, monotonic_ns, point, thread, code_site, causes, cause_state, message]
    COMPLETE    [1, sequence, monotonic_ns, outcome, error_type, error_message, facts]
    OBSERVED    [2, sequence, monotonic_ns, point, thread, code_site, causes, cause_state, message, outcome, duration_ns]
    DEFINE      [3, table, number, value]
    PROCESS     [4, facts]
    CLOCK       [5, wall_ns, monotonic_ns]
    LOSS        [6, reason, count, detail]
    TOGETHER    [7, sequences, monotonic_ns, facts]
    TEST        [9, test_id, monotonic_ns, outcome]   (8 is a collector's own)

`sequence` counts a process's operations from 1. `point`, `thread`, `code_site` and every other value documented as
interned are numbers, 0 meaning "not known"; the number's meaning is in a DEFINE record of the same process, which
usually stands before its first use. `causes` is the sequence of one causing operation, an array of candidates, or nil.

TOGETHER stands for a COMPLETE of each sequence with the outcome `ok` and these facts; but `log_offset` is the first's,
and each next one's is one more. Like every record it is there whole or not at all.

TEST says that a test begins (its outcome is nil), or how it ended: what stands between the two was recorded meanwhile.
"""

from __future__ import annotations

from typing import Any, Final, Literal, TypedDict

BEGIN: Final = 0
COMPLETE: Final = 1
OBSERVED: Final = 2
DEFINE: Final = 3
PROCESS: Final = 4
CLOCK: Final = 5
LOSS: Final = 6
TOGETHER: Final = 7
TEST: Final = 9

# Tables of DEFINE records.
POINTS: Final = 0
"""value: [library, library_version, system, kind, target]"""
THREADS: Final = 1
"""value: the thread's name"""
SITES: Final = 2
"""value: [path, line, function]: a place in the program's own code"""
TEXTS: Final = 3
"""value: a string that repeats: channels"""
CONNECTIONS: Final = 4
"""value: a map: server_address, server_port, virtual_host, user, tls, ... as the hook describes them; never a password"""
HANDLERS: Final = 5
"""value: a map: path, line, end_line, name, module, doc: a function that handles messages"""

# States of the cause when an effect was recorded; bits.
CAUSE_LIVE: Final = 0
CAUSE_SETTLED: Final = 1
"""the message had been acknowledged before"""
CAUSE_ENDED: Final = 2
"""the handler had returned, a task or thread of its making goes on"""
CAUSE_BATCH: Final = 4
"""the causes are candidates out of one fetch"""
CAUSE_NESTED: Final = 8
"""the last of the causes is the enclosing handler's operation, the others were fetched inside that handler"""
CAUSE_ELSEWHERE: Final = 16
"""the effect is no doing of the handler's own code, but of a task, thread or callback that has its cause from it"""

# Why a message is no part of a sample: see `sampling`.
LEFT_OUT_CONVERSATION: Final = 1
"""by the id of its conversation, which it carries"""
LEFT_OUT_CHANNEL: Final = 2
"""by its channel: it carries none"""

Kind = Literal[
    "send",
    "receive",
    "process",
    "settle",
    "declare",
    "subscribe",
    "connect",
    "trigger",
    "call",
]
Outcome = Literal[
    "ok",
    "unknown",
    "ack",
    "nack",
    "requeue",
    "reject",
    "commit",
    "returned",
    "raised",
    "cancelled",
]


class Message(TypedDict, total=False):
    """One message, or one fact about messaging, as an extractor reads it from a call. Every field may be absent.

    Only exact built-in types: the recorder encodes what it is given and calls nothing on it.
    """

    channel: str | int
    """exchange, queue, topic, stream, list, connection, room or bus: what the program addresses"""
    channel_kind: str
    """what `channel` is: exchange, queue, topic, stream, list, pubsub, connection, bus, route"""
    routing_key: str
    """AMQP routing key; event name on an in-process bus"""
    message_key: bytes | str | None
    """Kafka's message key, as on the wire"""
    headers: list[tuple[str, Any]]
    """in wire order, names may repeat"""
    body: bytes | bytearray | memoryview | str | None
    """as on the wire; str says that the protocol marks it as text"""
    body_size: int
    """bytes of the whole body; set when it differs from what `body` holds"""
    data: Any
    """instead of `body` where nothing goes over a wire: a snapshot in built-in types"""
    connection: int
    """interned, see CONNECTIONS"""
    handler: int
    """interned, see HANDLERS"""
    link: int
    """sequence of the send that this delivers, where the process itself knows it: in-process buses"""
    receipt: int
    """sequence of the receive that this processes or settles, where the process itself knows it"""
    partition_id: int
    log_offset: int
    consumer_group: str
    group_member: str
    group_generation: int
    consumer_tag: str
    delivery_tag: int
    delivery_channel: int
    """number of the AMQP channel inside the connection, without which a delivery tag means nothing"""
    multiple: bool
    """a settlement of everything up to `delivery_tag` or `log_offset`"""
    batch_id: int
    message_id: str
    correlation_id: str
    reply_to: str
    identity: str
    """what the broker calls this message, where it is more than the fields above (stream id, handshake and number)"""
    producer_time_ms: int
    broker_time_ms: int
    delivery_mode: int
    priority: int
    expiration: str
    content_type: str
    encoding: str
    event_type: str
    """the type in the protocol's own field (AMQP `type`)"""
    redelivered: bool
    attempt: int
    trace_id: str
    span_id: str
    settings: dict[str, Any]
    """arguments of a declaration, subscription or connection; also rarer facts about a message"""
    outcome: Outcome
    """what a settlement does, or how a one-phase operation ended"""
    left_out: int
    """LEFT_OUT_*: it is no part of the sample; it is counted, with all that follows from it, and not stored"""


class Facts(TypedDict, total=False):
    """What is known only after the call: merged over the operation's `Message` fields of the same name."""

    channel: str
    """a route's template, known when the request has been routed"""
    event_type: str
    partition_id: int
    log_offset: int
    identity: str
    message_id: str
    span_id: str
    """of the operation itself, where `--propagate` put it on the message"""
    error: tuple[str, str]
    """only out of `Send.failed`, and never recorded as such: what is told in place of the exception's own type and text"""
    broker_time_ms: int
    outcome: Outcome
    consumer_group: str
    group_generation: int
    settings: dict[str, Any]
