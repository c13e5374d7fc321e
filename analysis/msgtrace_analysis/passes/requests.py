"""Requests and replies: a message that says where its answer should go, and the message that goes there.

The reply address and the correlation id together are the protocol's own identity (AMQP 0-9-1, basic properties `reply-to`
and `correlation-id`; Enterprise Integration Patterns, Request-Reply): `exact` where no other request has the same pair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import CERTAINTIES, Request
from msgtrace_analysis.passes.evidence import EVIDENCE, evidence
from msgtrace_analysis.passes.latency import latency_of

if TYPE_CHECKING:
    from msgtrace_analysis.passes.graph import Graph
    from msgtrace_analysis.study import Study

PATIENCE_NS: Final = 1_000_000_000
"""A request is held to be unanswered after this, where no answer tells how long one takes."""

GENERATED: Final = "(^amq[._]gen)|[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}"
"""Names of queues that are made for one requester."""

# One row per request: a send with a reply address.
REQUESTS: Final = """
    create table requests as
    select
        c.operation_id, c.reply_to, c.correlation_id, f.event, f.place, o.process_id, o.observed_ns, o.monotonic_ns,
        o.system, try_cast(o.expiration as double) as expiration_ms,
        count(*) over (partition by o.system, c.reply_to, c.correlation_id) as alike
    from correlated as c
    inner join flow as f using (operation_id)
    inner join operations as o using (operation_id)
    where f.step is not null and c.reply_to is not null
"""

# One row per send that goes to the reply address of a request: by correlation id; or caused by a receive of the request.
# Then the first answer to each request.
REPLIES: Final = """
    create table replies as
    with addressed_to as (
        select distinct system, reply_to from requests
    ), targeted as (
        select
            f.operation_id, f.event, f.place, f.cause_id, coalesce(f.rank, 0) as rank, o.system, o.observed_ns,
            unnest(list_distinct([o.routing_key, o.channel])) as reply_to
        from flow as f
        inner join operations as o using (operation_id)
        where f.step is not null
    ), answers as (
        select t.*, c.correlation_id
        from targeted as t
        semi join addressed_to as a on a.system is not distinct from t.system and a.reply_to = t.reply_to
        left join correlated as c using (operation_id)
    ), matched as (
        select
            r.operation_id as request_id, a.operation_id as reply_id, a.event, a.place, a.observed_ns,
            case when r.alike = 1 then 0 else 1 end as rank, 'reply address and correlation id' as matched_by
        from requests as r
        inner join answers as a
            on a.system is not distinct from r.system and a.reply_to = r.reply_to and a.correlation_id = r.correlation_id
        left join arrivals as v on v.receive_id = a.cause_id
        where a.operation_id <> r.operation_id and (r.alike = 1 or v.send_id = r.operation_id)
        union all
        select
            r.operation_id, a.operation_id, a.event, a.place, a.observed_ns, greatest(a.rank, v.rank),
            'reply address and cause'
        from requests as r
        inner join arrivals as v on v.send_id = r.operation_id
        inner join answers as a
            on a.cause_id = v.receive_id and a.system is not distinct from r.system and a.reply_to = r.reply_to
        where r.correlation_id is null or a.correlation_id is null
    )
    select * from matched
    qualify row_number() over (partition by request_id order by observed_ns, reply_id) = 1
"""

# One row per type of request, requester, and what answers.
EXCHANGES: Final = f"""
    with ended as (
        select max(observed_ns) as ended_ns from operations
    ), temporary as (
        select distinct channel
        from operations
        where kind = 'declare' and channel_kind = 'queue'
            and (settings ->> '$.exclusive' = 'true' or settings ->> '$.auto_delete' = 'true')
    ), received as (
        select a.send_id, o.process_id, min(o.monotonic_ns) as monotonic_ns, max(a.rank) as rank
        from arrivals as a
        inner join operations as o on o.operation_id = a.receive_id
        group by a.send_id, o.process_id
    ), each_request as (
        select
            r.*, p.reply_id, p.event as reply_event, p.place as replier, p.matched_by,
            greatest(coalesce(p.rank, 0), coalesce(v.rank, 0)) as rank,
            v.monotonic_ns - r.monotonic_ns as took_ns, e.ended_ns - r.observed_ns as waited_ns,
            case
                when r.reply_to like 'amq.rabbitmq.reply-to%' then 'direct reply-to'
                when t.channel is not null or regexp_matches(r.reply_to, '{GENERATED}')
                    then 'temporary queue'
                else null
            end as temporary,
            coalesce(o.channel_kind, '') as reply_kind
        from requests as r
        cross join ended as e
        left join replies as p on p.request_id = r.operation_id
        left join received as v on v.send_id = p.reply_id and v.process_id = r.process_id
        left join operations as o on o.operation_id = p.reply_id
        left join temporary as t on t.channel = r.reply_to
    ), typical as (
        select event, place, max(took_ns) as longest_ns, mode(reply_event) as reply_event, mode(replier) as replier,
            mode(matched_by) as matched_by, max(reply_kind) as reply_kind
        from each_request
        group by event, place
    )
    select
        r.event, r.place, coalesce(r.reply_event, t.reply_event), coalesce(r.replier, t.replier),
        coalesce(any_value(r.temporary), ''), max(t.reply_kind), coalesce(any_value(r.matched_by), any_value(t.matched_by), ''),
        max(r.rank), max(r.expiration_ms), list(r.took_ns) filter (r.took_ns is not null),
        count(*) filter (r.reply_id is not null and r.took_ns is null),
        count(*) filter (r.reply_id is null and r.waited_ns > greatest(coalesce(t.longest_ns, 0), {PATIENCE_NS})),
        count(*) filter (r.took_ns > r.expiration_ms * 1e6),
        {EVIDENCE}
    from each_request as r
    inner join typical as t on t.event = r.event and t.place = r.place
    group by r.event, r.place, coalesce(r.reply_event, t.reply_event), coalesce(r.replier, t.replier)
"""


def requests(study: Study, graph: Graph) -> tuple[Request, ...]:
    """Find them. Needs the tables of `graph` and `correlation`."""
    study.run(REQUESTS)
    study.run(REPLIES)
    found = [_request(graph, row) for row in study.rows(EXCHANGES)]
    return tuple(
        sorted(found, key=lambda each: (each.request_name, each.request, str(each.requester), str(each.replier)))
    )


def _request(graph: Graph, row: tuple[Any, ...]) -> Request:
    event, place, reply, replier, temporary, kind, matched_by, rank, timeout, took_ns, lost, unanswered, late, *rest = (
        row
    )
    found = evidence(rest, CERTAINTIES[rank] if reply is not None else "likely")
    answered = len(took_ns or ())
    return Request(
        request=graph.events[event].ref,
        request_name=graph.events[event].name,
        reply=None if reply is None else graph.events[reply].ref,
        reply_name=None if reply is None else graph.events[reply].name,
        requester=graph.places[place],
        replier=None if replier is None else graph.places[replier],
        via=temporary or f"reply {'queue' if kind in {'', 'exchange'} else kind}",
        matched_by=matched_by,
        requests=found.operations,
        answered=answered,
        lost=lost,
        unanswered=unanswered,
        pending=found.operations - answered - lost - unanswered,
        late=late,
        timeout_ms=timeout,
        round_trip=latency_of(took_ns or ()),
        evidence=found,
    )
