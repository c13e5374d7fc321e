"""What messages say that they belong to: correlation and causation ids and reply addresses, in properties, headers or bodies."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgtrace_analysis.study import Study

CORRELATION: Final = (
    "correlation_id", "correlation-id", "correlationId", "Correlation-Id", "Correlation-ID", "x-correlation-id",
    "X-Correlation-Id", "X-Correlation-ID", "kafka_correlationId", "ce-correlationid", "saga_id", "saga-id", "sagaId",
    "conversation_id", "conversation-id", "conversationId",
)  # fmt: skip
CAUSATION: Final = (
    "causation_id", "causation-id", "causationId", "Causation-Id", "x-causation-id", "X-Causation-Id", "ce-causationid",
)  # fmt: skip
REPLY: Final = (
    "reply_to", "reply-to", "replyTo", "Reply-To", "reply_topic", "reply-topic", "replyTopic", "kafka_replyTopic",
    "reply_channel", "reply-channel", "reply_stream",
)  # fmt: skip
"""Headers by their exact names, as JSON has them."""
FIELDS: Final = {
    "correlationid": "correlation", "sagaid": "correlation", "conversationid": "correlation", "transactionid": "correlation",
    "processid": "correlation", "causationid": "causation", "causedby": "causation",
}  # fmt: skip
"""Fields of bodies, without case and separators."""
ENVELOPES: Final = ("metadata", "meta", "headers", "context")
LOOKS: Final = 5
MOST_LOOKS: Final = 5_000


def _first(names: tuple[str, ...]) -> str:
    paths = ", ".join(f"""'$."{name}"'""" for name in names)
    return f"list_filter(json_extract_string(o.headers, [{paths}]), lambda each: each <> '')[1]"


# One row per send or receive that carries such an id.
CORRELATED: Final = f"""
    create table correlated as
    with told as (
        select
            operation_id, correlation_id, reply_to,
            case when regexp_matches(headers, '(?i)corr|caus|reply|saga|conv') then headers end as headers
        from operations
        where kind in ('send', 'receive')
    ), found as (
        select
            o.operation_id,
            coalesce(nullif(o.correlation_id, ''), case when o.headers is not null then {_first(CORRELATION)} end)
                as correlation_id,
            coalesce(nullif(o.reply_to, ''), case when o.headers is not null then {_first(REPLY)} end) as reply_to,
            case when o.headers is not null then {_first(CAUSATION)} end as causation_id
        from told as o
    )
    select * from found where correlation_id is not null or reply_to is not null or causation_id is not null
"""


# One row per message of a few of every event type that carries no correlation id, to look for one in its body.
LOOKED_AT: Final = f"""
    select unnest(min(f.operation_id, {LOOKS}))
    from flow as f
    inner join operations as o using (operation_id)
    left join correlated as c using (operation_id)
    where f.step is not null and o.readable and o.is_object and coalesce(o.body_size, 0) < 65536 and c.correlation_id is null
    group by f.event
"""


def correlate(study: Study) -> None:
    """Add the table `correlated`. Needs the tables of `graph`."""
    study.run(CORRELATED)
    operations = [row[0] for row in study.rows(LOOKED_AT)][:MOST_LOOKS]
    pointers: dict[str, dict[str, None]] = {"correlation": {}, "causation": {}}
    for _, text in study.some_bodies(operations) if operations else ():
        for pointer, what in _told(text):
            pointers[what][pointer] = None
    known = [*sorted(pointers["correlation"]), *sorted(pointers["causation"])]
    if known:
        _read(study, known, len(pointers["correlation"]))


def _told(text: str) -> Iterator[tuple[str, str]]:
    """Where a body, or what it has for metadata, holds such an id."""
    body = json.loads(text)
    if not isinstance(body, dict):
        return
    parts = {"": body} | {f"/{name}": body[name] for name in ENVELOPES if isinstance(body.get(name), dict)}
    for above, part in parts.items():
        for name, value in part.items():
            what = FIELDS.get(re.sub(r"[-_]", "", name).lower())
            if what and isinstance(value, str) and value:
                yield f"{above}/{name}", what


def _read(study: Study, pointers: list[str], correlations: int) -> None:
    study.keep_texts("correlating", pointers)
    correlation = ", ".join(f"t.text_{place}" for place in range(correlations))
    causation = ", ".join(f"t.text_{place}" for place in range(correlations, len(pointers)))
    study.run(
        f"""
        create or replace table correlated as
        select
            coalesce(c.operation_id, t.operation_id) as operation_id,
            coalesce(c.correlation_id, {correlation or "null"}) as correlation_id, c.reply_to,
            coalesce(c.causation_id, {causation or "null"}) as causation_id
        from correlated as c
        full join correlating as t using (operation_id)
        """
    )
