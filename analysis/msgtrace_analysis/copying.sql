-- What a study copies of a trace, from the store's own tables: one row per operation, without its body. What is known of a
-- place, a process or a body is worked out once and not once for each operation of it. `{block}` is the part of the bodies
-- that a body is read with, `{wanted}` which operations.
with known_processes as (
    select process_number, process_id, coalesce(service, '') as service, host, facts ->> '$.folder' || '/' as folder
    from processes
), known_points as (
    select point_id, kind, system, rtrim(library || ' ' || coalesce(library_version, '')) as client
    from msgtrace_store.points
-- Sites are relative to the folder that the process was started in.
), known_sites as (
    select
        s.site_id, s.function as code_function,
        case when starts_with(s.path, p.folder) then substr(s.path, length(p.folder) + 1) else s.path end || ':' || s.line
            as code_site
    from msgtrace_store.sites as s
    left join known_processes as p on p.process_number = s.site_id // 1000000
), known_handlers as (
    select
        h.handler_id, h.name as handler_name,
        -- A framework's function, which handles messages for the program's: known by the name of its package.
        regexp_matches(h.path, '/(site|dist)-packages/') as handler_foreign,
        case
            when handler_foreign then regexp_replace(h.path, '^.*/(site|dist)-packages/', '')
            when starts_with(h.path, p.folder) then substr(h.path, length(p.folder) + 1)
            else h.path
        end || ':' || h.line as handler_site
    from msgtrace_store.handlers as h
    left join known_processes as p on p.process_number = h.handler_id // 1000000
), known_bodies as (
    select
        body_digest, encoding, redacted, document is not null as readable,
        starts_with(ltrim(cast(document as varchar)), '{{') as is_object, {block} as body_block
    from msgtrace_store.bodies
)
select
    o.operation_id, t.kind, t.system, t.client, coalesce(p.service, '') as service, p.process_id, p.host,
    epoch_ns(o.observed_at) as observed_ns, o.monotonic_ns,
    coalesce(o.duration_ns, l.monotonic_ns - o.monotonic_ns) as duration_ns,
    c.server, c.virtual_host, o.connection_id, coalesce(l.channel, o.channel, x.value) as channel, o.channel_kind,
    o.routing_key, coalesce(l.partition_id, o.partition_id) as partition_id, coalesce(l.log_offset, o.log_offset) as log_offset,
    coalesce(l.consumer_group, o.consumer_group) as consumer_group, o.consumer_tag,
    o.group_member, coalesce(l.group_generation, o.group_generation) as group_generation, o.batch_id,
    case when o.message_key is not null then hash(o.message_key) end as key_hash,
    coalesce(l.message_id, o.message_id) as message_id, o.correlation_id, o.reply_to, o.trace_id,
    coalesce(l.identity, o.identity) as identity, o.delivery_mode, o.expiration,
    cast(o.headers as varchar) as headers, o.body_size, o.body_digest, b.body_block, b.encoding, o.content_type,
    o.content_encoding,
    coalesce(o.truncated, false) as truncated, coalesce(o.redacted, 0) + coalesce(b.redacted, 0) as redacted,
    coalesce(l.event_type, o.event_type) as event_type, o.redelivered, o.attempt,
    case coalesce(l.outcome, o.outcome, 'unknown')
        when 'ok' then coalesce(o.intent, 'ok')
        else coalesce(l.outcome, o.outcome, 'unknown')
    end as outcome,
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
left join msgtrace_store.connections as c on c.connection_id = o.connection_id
left join known_bodies as b on b.body_digest = o.body_digest
left join msgtrace_store.completions as l on l.operation_id = o.operation_id
where {wanted}
