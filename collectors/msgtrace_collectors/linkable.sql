-- What links, causes and settlements are made from. One row per operation, its interned values and late facts resolved.
create or replace temp table linkable as
select
    o.operation_id as id,
    o.operation_id // 1000000000000 as process_number,
    t.kind,
    t.system,
    epoch_ns(o.observed_at) as began_ns,
    coalesce(o.duration_ns, l.monotonic_ns - o.monotonic_ns) as duration_ns,
    coalesce(l.channel, o.channel, x.value) as channel,
    o.channel_kind,
    o.routing_key,
    o.message_key,
    o.body_digest,
    -- A cut body's digest is that of its beginning.
    o.body_digest is not null and not coalesce(o.truncated, false) as whole,
    o.body_size,
    o.connection_id,
    coalesce(c.virtual_host, '') as virtual_host,
    c.broker_id,
    -- The same server has one name on a machine's loopback, and no two machines share that.
    regexp_replace(c.server, '^(localhost|127\.[0-9.]+|\[::1\]):', coalesce(p.facts ->> '$.host', '') || ':') as server,
    coalesce(p.facts ->> '$.host', '') as host,
    coalesce(p.facts ->> '$.service', '') as service,
    o.link_id,
    o.receipt_id,
    coalesce(l.partition_id, o.partition_id) as partition_id,
    coalesce(l.log_offset, o.log_offset) as log_offset,
    coalesce(l.consumer_group, o.consumer_group) as consumer_group,
    o.delivery_tag,
    o.delivery_channel,
    coalesce(o.multiple, false) as multiple,
    coalesce(o.redelivered, false) as redelivered,
    coalesce(l.message_id, o.message_id) as message_id,
    o.correlation_id,
    coalesce(l.identity, o.identity) as identity,
    coalesce(l.span_id, o.span_id) as span_id,
    o.headers,
    -- What a span of another service's says of the send that it comes from.
    t.library = 'opentelemetry' as told,
    case when o.channel_kind = 'queue' then o.settings ->> '$.exchange' end as exchange
from msgtrace_store.operations as o
join msgtrace_store.points as t using (point_id)
left join msgtrace_store.positions as p on p.process_number = o.operation_id // 1000000000000
left join msgtrace_store.texts as x on x.text_id = o.channel_id
left join msgtrace_store.connections as c on c.connection_id = o.connection_id
left join msgtrace_store.completions as l on l.operation_id = o.operation_id
where t.kind in ('send', 'receive', 'process', 'settle', 'trigger', 'call');

create or replace temp table sends as
select * from linkable where kind = 'send';

-- One row per receive that has no send yet; each step below takes out those that it finds one for.
create or replace temp table unlinked as
select * from linkable where kind = 'receive';
