-- The trace file, schema version 3. Tables that the collector fills live in the schema `msgtrace_store` and may change
-- with any version; the views (and the tables `links`, `causes`, `settlements`, `trace_file`) are the public interface,
-- documented in docs/trace-file.md. Executed once, in one transaction, when a trace file is made.

create schema msgtrace_store;

-- One row: what this file is.
create table trace_file (
    schema_version   integer not null,
    trace_id         uuid not null,
    created_at       timestamp not null,
    msgtrace_version varchar not null
);

-- One row per traced process: what is known of it, and how far its segments have been read and stored. Updated in the
-- transaction that stores what was read.
create table msgtrace_store.positions (
    process_number integer not null,
    process_id     varchar not null,
    generation     bigint not null,   -- of the segment being read
    frame_offset   bigint not null,   -- first byte in it that has not been stored
    records        bigint not null,   -- read so far: the order of late facts
    clock_wall_ns  bigint,            -- the last CLOCK record
    clock_monotonic_ns bigint,
    first_sequence bigint,
    parent_number  integer,           -- the process it was forked from
    dropped        bigint not null,   -- records that found no room in its segments
    pid            bigint,
    ended          boolean not null,
    facts          json               -- of its PROCESS record
);

-- Interned values. Ids are process_number * 1000000 + the number in the DEFINE record.
create table msgtrace_store.points (
    point_id        bigint not null,
    library         varchar,
    library_version varchar,
    system          varchar,
    kind            varchar,
    target          varchar
);
create table msgtrace_store.threads (thread_id bigint not null, name varchar);
create table msgtrace_store.sites (site_id bigint not null, path varchar, line bigint, function varchar);
create table msgtrace_store.texts (text_id bigint not null, value varchar);
create table msgtrace_store.connections (
    connection_id bigint not null,
    server        varchar,
    virtual_host  varchar,
    broker_id     varchar,
    facts         json
);
create table msgtrace_store.handlers (
    handler_id bigint not null,
    path       varchar,
    line       bigint,
    end_line   bigint,
    name       varchar,
    module     varchar,
    doc        varchar,
    source     varchar,            -- its lines as they were; null where they were not kept: `handler_code` says when
    commit     varchar             -- of the repository that they stand in
);

-- One row per distinct body, over the bytes that were kept.
create table msgtrace_store.bodies (
    body_digest uuid not null,
    content     blob,               -- null when the body is JSON text: then `document` is the body; or when it may not be stored
    document    json,               -- the body as JSON: itself, or decoded from `content`
    encoding    varchar not null,   -- json, text, binary, object, or formats from the outermost to the innermost: gzip+json
    redacted    integer not null,   -- replacements made in it
    remarks     varchar,            -- what is odd about it
    body_schema varchar             -- of body_schemas, that it was read with
);

-- One row per schema and record or message of it that bodies were read with.
create table msgtrace_store.body_schemas (
    body_schema varchar not null,   -- a digest of the rest
    kind        varchar not null,
    name        varchar not null,
    registry_id bigint,
    subject     varchar,
    version     bigint,
    source      varchar not null,
    text        varchar not null
);

-- One row per BEGIN or OBSERVED record, with what a COMPLETE in the same transaction added.
create table msgtrace_store.operations (
    operation_id     bigint not null,   -- process_number * 1000000000000 + sequence
    point_id         bigint,
    thread_id        bigint,
    site_id          bigint,
    monotonic_ns     bigint not null,
    observed_at      timestamp_ns,
    duration_ns      bigint,
    channel          varchar,
    channel_id       bigint,            -- instead of channel, when interned
    channel_kind     varchar,
    routing_key      varchar,
    message_key      varchar,
    headers          json,
    raw_headers      struct(name varchar, value blob)[],
    body_digest      uuid,
    body_size        bigint,
    truncated        boolean,
    redacted         integer,           -- replacements outside the body
    connection_id    bigint,
    handler_id       bigint,
    link_id          bigint,            -- the send that this delivers, as the process itself knows it
    receipt_id       bigint,            -- the receive that this processes or settles, likewise
    partition_id     bigint,
    log_offset       bigint,
    consumer_group   varchar,
    group_member     varchar,
    group_generation bigint,
    consumer_tag     varchar,
    delivery_tag     bigint,
    delivery_channel bigint,
    multiple         boolean,
    batch_id         bigint,
    message_id       varchar,
    correlation_id   varchar,
    reply_to         varchar,
    identity         varchar,
    producer_time    timestamp_ms,
    broker_time      timestamp_ms,
    delivery_mode    bigint,
    priority         bigint,
    expiration       varchar,
    content_type     varchar,
    content_encoding varchar,
    event_type       varchar,
    redelivered      boolean,
    attempt          bigint,
    trace_id         varchar,
    span_id          varchar,
    settings         json,
    intent           varchar,           -- the outcome that the message itself names: ack, nack, commit, ...
    outcome          varchar,           -- null until completed
    error_type       varchar,
    error_message    varchar,
    task             varchar,
    test_id          varchar
);

-- One row per COMPLETE that came in a later transaction than its operation; folded into `operations` now and then.
create table msgtrace_store.late_facts (
    operation_id     bigint not null,
    record_order     bigint not null,   -- counts its process's records
    monotonic_ns     bigint not null,
    error_type       varchar,
    error_message    varchar,
    channel          varchar,
    event_type       varchar,
    partition_id     bigint,
    log_offset       bigint,
    identity         varchar,
    message_id       varchar,
    span_id          varchar,
    broker_time      timestamp_ms,
    outcome          varchar,
    consumer_group   varchar,
    group_generation bigint,
    settings         json
);

-- One row per operation that was recorded with a cause.
create table msgtrace_store.recorded_causes (
    effect_id  bigint not null,
    cause_id   bigint,      -- when there is one
    candidates bigint[],    -- otherwise
    state      integer not null   -- bits of msgtrace.records.CAUSE_*
);

-- One row per thing that an inspection found on a broker. An inspection whose row of kind `broker` is missing was not finished.
create table msgtrace_store.inspected (
    operation_id   bigint not null,   -- below those of every process
    inspection_id  uuid not null,
    part           bigint not null,   -- of the inspection, as it was stored
    inspected_at   timestamp_ns not null,
    system         varchar not null,
    server         varchar not null,
    virtual_host   varchar,
    channel_kind   varchar not null,
    channel        varchar not null,
    routing_key    varchar,
    consumer_group varchar,
    consumer_tag   varchar,
    settings       json not null
);

-- One row per thing that was lost and counted.
create table msgtrace_store.recorded_losses (
    process_number integer,
    reason         varchar not null,
    detail         varchar not null,
    lost           bigint not null,
    seen_at        timestamp not null
);

-- One row per span that OpenTelemetry sent.
create table msgtrace_store.spans (
    process_number integer not null,
    span_id        varchar not null,
    parent_span_id varchar,
    operation_id   bigint           -- null for what is no operation
);

-- One row per host whose clock messages hold against another's (`msgtrace_collectors.clocks`).
create table msgtrace_store.clocks (
    host         varchar not null,
    reference    varchar not null,   -- the host that it is compared with
    shift_ns     bigint not null,    -- how far it is taken to be ahead; 0 where nothing speaks against it
    least_ns     bigint,             -- how far it is ahead at least; null where no message says
    most_ns      bigint,
    messages     bigint not null,
    contradicted boolean not null    -- no one shift is right for all messages
);

-- One row: how many records the trace had when links, causes and settlements were made, and what they leave open.
create table msgtrace_store.linked (
    records        bigint not null,
    unknown_causes bigint not null   -- effects of a large fetch, with nothing that tells which message of it
);

create table links (
    send_id    bigint not null,
    receive_id bigint not null,
    method     varchar not null,
    certainty  varchar not null
);

create table causes (
    cause_id  bigint not null,
    effect_id bigint not null,
    method    varchar not null,
    certainty varchar not null
);

create table settlements (
    settle_id  bigint not null,
    receive_id bigint not null
);

-- One row per traced process.
create view processes as
select
    p.process_id,
    p.process_number,
    coalesce(cast(p.facts ->> '$.pid' as bigint), p.pid) as pid,
    cast(p.facts ->> '$.parent_pid' as bigint) as parent_pid,
    p.facts ->> '$.forked_from' as forked_from,
    p.facts ->> '$.service' as service,
    p.facts ->> '$.host' as host,
    p.facts ->> '$.python' as python,
    p.facts ->> '$.executable' as executable,
    p.facts -> '$.argv' as argv,
    make_timestamp_ns(cast(p.facts ->> '$.started_wall_ns' as bigint)) as started_at,
    p.facts ->> '$.msgtrace_version' as msgtrace_version,
    p.dropped,
    p.ended,
    p.facts
from msgtrace_store.positions as p;

-- One row per operation and its completion: the last word on each field counts.
create view msgtrace_store.completions as
select
    operation_id,
    arg_min(monotonic_ns, record_order) as monotonic_ns,
    arg_max(outcome, record_order) as outcome,
    arg_max(error_type, record_order) as error_type,
    arg_max(error_message, record_order) as error_message,
    arg_max(partition_id, record_order) as partition_id,
    arg_max(log_offset, record_order) as log_offset,
    arg_max(identity, record_order) as identity,
    arg_max(message_id, record_order) as message_id,
    arg_max(span_id, record_order) as span_id,
    arg_max(channel, record_order) as channel,
    arg_max(event_type, record_order) as event_type,
    arg_max(broker_time, record_order) as broker_time,
    arg_max(consumer_group, record_order) as consumer_group,
    arg_max(group_generation, record_order) as group_generation,
    arg_max(settings, record_order) as settings
from msgtrace_store.late_facts
group by operation_id;

-- One row per observed operation.
create view operations as
select
    o.operation_id,
    t.kind,
    t.system,
    rtrim(t.library || ' ' || coalesce(t.library_version, '')) as client,
    p.service,
    p.host,
    p.process_id,
    p.pid,
    h.name as thread,
    o.task,
    o.operation_id % 1000000000000 as sequence,
    o.observed_at,
    o.monotonic_ns,
    coalesce(o.duration_ns, l.monotonic_ns - o.monotonic_ns) as duration_ns,
    c.server,
    c.broker_id,
    c.virtual_host,
    o.connection_id,
    coalesce(l.channel, o.channel, x.value) as channel,
    o.channel_kind,
    o.routing_key,
    o.message_key,
    coalesce(l.partition_id, o.partition_id) as partition_id,
    coalesce(l.log_offset, o.log_offset) as log_offset,
    coalesce(l.consumer_group, o.consumer_group) as consumer_group,
    o.group_member,
    coalesce(l.group_generation, o.group_generation) as group_generation,
    o.consumer_tag,
    o.delivery_tag,
    o.batch_id,
    coalesce(l.message_id, o.message_id) as message_id,
    o.correlation_id,
    o.reply_to,
    o.trace_id,
    coalesce(l.span_id, o.span_id) as span_id,
    coalesce(l.identity, o.identity) as identity,
    cast(o.producer_time as timestamp) as producer_time,
    cast(coalesce(l.broker_time, o.broker_time) as timestamp) as broker_time,
    o.delivery_mode,
    o.priority,
    o.expiration,
    o.headers,
    o.raw_headers,
    coalesce(b.content, encode(cast(case when b.encoding = 'json' then b.document end as varchar))) as body,
    b.document as body_json,
    o.body_size,
    replace(cast(o.body_digest as varchar), '-', '') as body_digest,
    o.content_type,
    o.content_encoding,
    b.encoding,
    b.remarks as body_remarks,
    b.body_schema,
    coalesce(o.truncated, false) as truncated,
    coalesce(o.redacted, 0) + coalesce(b.redacted, 0) as redacted,
    coalesce(l.event_type, o.event_type) as event_type,
    o.redelivered,
    o.attempt,
    case coalesce(l.outcome, o.outcome, 'unknown')
        when 'ok' then coalesce(o.intent, 'ok')
        else coalesce(l.outcome, o.outcome, 'unknown')
    end as outcome,
    coalesce(l.error_type, o.error_type) as error_type,
    coalesce(l.error_message, o.error_message) as error_message,
    s.path || ':' || s.line as code_site,
    s.function as code_function,
    r.path || ':' || r.line as handler_site,
    o.handler_id,
    coalesce(l.settings, o.settings) as settings,
    o.test_id
from msgtrace_store.operations as o
left join msgtrace_store.points as t using (point_id)
left join processes as p on p.process_number = o.operation_id // 1000000000000
left join msgtrace_store.threads as h using (thread_id)
left join msgtrace_store.sites as s using (site_id)
left join msgtrace_store.texts as x on x.text_id = o.channel_id
left join msgtrace_store.connections as c on c.connection_id = o.connection_id
left join msgtrace_store.handlers as r on r.handler_id = o.handler_id
left join msgtrace_store.bodies as b on b.body_digest = o.body_digest
left join msgtrace_store.completions as l on l.operation_id = o.operation_id;

-- One row per declaration, subscription, inspection or connection that was seen.
create view topology as
select
    operation_id,
    kind,
    system,
    server,
    virtual_host,
    channel_kind,
    channel,
    routing_key,
    consumer_group,
    consumer_tag,
    settings,
    outcome,
    service,
    process_id,
    connection_id,
    code_site,
    handler_site,
    observed_at,
    cast(null as uuid) as inspection_id
from operations
where kind in ('declare', 'subscribe', 'connect')
union all by name
select
    operation_id, 'inspected' as kind, system, server, virtual_host, channel_kind, channel, routing_key, consumer_group,
    consumer_tag, settings, 'ok' as outcome, inspected_at as observed_at, inspection_id
from msgtrace_store.inspected
where inspection_id in (select inspection_id from msgtrace_store.inspected where channel_kind = 'broker');

-- One row per declared schema that bodies were read with.
create view body_schemas as
select body_schema, kind, name, registry_id, subject, version, source, text
from msgtrace_store.body_schemas;

-- One row per connection of a traced process.
create view connections as
select
    c.connection_id,
    p.process_id,
    p.service,
    c.server,
    c.virtual_host,
    c.broker_id,
    c.facts
from msgtrace_store.connections as c
left join processes as p on p.process_number = c.connection_id // 1000000;

-- One row per function that handled messages, and process.
create view handlers as
select
    h.handler_id,
    p.process_id,
    p.service,
    h.path || ':' || h.line as handler_site,
    h.name,
    h.module,
    h.path,
    h.line,
    h.end_line,
    h.doc,
    h.source,
    h.commit
from msgtrace_store.handlers as h
left join processes as p on p.process_number = h.handler_id // 1000000;

-- One row per process, reason and detail: what is not in this file, how many, since when.
create view losses as
select
    p.process_id, p.service, l.reason, l.detail, cast(sum(l.lost) as bigint) as lost,
    min(l.seen_at) as first_seen_at, max(l.seen_at) as last_seen_at
from msgtrace_store.recorded_losses as l
left join processes as p using (process_number)
group by all
union all by name
select process_id, service, 'dropped' as reason, 'no room in the segments: records were not written' as detail, dropped as lost
from processes
where dropped > 0
union all by name
select
    p.process_id, p.service, 'truncated' as reason, 'bodies over the kept size; their full size is recorded' as detail,
    count(*) as lost
from msgtrace_store.operations as o
left join processes as p on p.process_number = o.operation_id // 1000000000000
where o.truncated
group by all
union all by name
select null as process_id, null as service, 'cause' as reason,
    'effects of a fetch of many messages, with nothing that tells which of them' as detail, unknown_causes as lost
from msgtrace_store.linked
where unknown_causes > 0;
