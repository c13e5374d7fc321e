-- What a study copies of a trace, from the store's own tables and what is known of them (`known.sql`): one row per operation,
-- without its body. `{word}` is the type of text that repeats, `{wanted}` which operations.
select
    o.operation_id, t.kind, t.system, t.client, coalesce(p.service, cast('' as {word})) as service, p.process_id, p.host,
    epoch_ns(o.observed_at) as observed_ns, o.monotonic_ns,
    coalesce(o.duration_ns, l.monotonic_ns - o.monotonic_ns) as duration_ns,
    c.server, c.virtual_host, o.connection_id, cast(coalesce(l.channel, o.channel, x.value) as {word}) as channel,
    cast(o.channel_kind as {word}) as channel_kind,
    o.routing_key, coalesce(l.partition_id, o.partition_id) as partition_id, coalesce(l.log_offset, o.log_offset) as log_offset,
    cast(coalesce(l.consumer_group, o.consumer_group) as {word}) as consumer_group, o.consumer_tag,
    o.group_member, coalesce(l.group_generation, o.group_generation) as group_generation, o.batch_id,
    case when o.message_key is not null then hash(o.message_key) end as key_hash,
    coalesce(l.message_id, o.message_id) as message_id, o.correlation_id, o.reply_to, o.trace_id,
    coalesce(l.identity, o.identity) as identity, o.delivery_mode, o.expiration,
    cast(o.headers as varchar) as headers, o.body_size, o.body_digest, b.body_block, b.encoding, o.content_type,
    o.content_encoding,
    coalesce(o.truncated, false) as truncated, coalesce(o.redacted, 0) + coalesce(b.redacted, 0) as redacted,
    coalesce(l.event_type, o.event_type) as event_type, o.redelivered, o.attempt,
    cast(case coalesce(l.outcome, o.outcome, 'unknown')
        when 'ok' then coalesce(o.intent, 'ok')
        else coalesce(l.outcome, o.outcome, 'unknown')
    end as {word}) as outcome,
    coalesce(l.error_type, o.error_type) as error_type, coalesce(l.error_message, o.error_message) as error_message,
    case when t.kind = 'connect' then o.task end as task, s.code_site, s.code_function, r.handler_site, r.handler_name,
    coalesce(r.handler_foreign, false) as handler_foreign,
    cast(coalesce(l.settings, o.settings) as varchar) as settings,
    coalesce(b.readable, false) as readable, b.is_object
from msgtrace_store.operations as o
left join known_points as t using (point_id)
left join known_processes as p on p.process_number = o.operation_id // 1000000000000
left join known_sites as s using (site_id)
left join known_handlers as r using (handler_id)
left join msgtrace_store.texts as x on x.text_id = o.channel_id
left join known_connections as c on c.connection_id = o.connection_id
left join known_bodies as b on b.body_digest = o.body_digest
left join msgtrace_store.completions as l on l.operation_id = o.operation_id
where {wanted}
