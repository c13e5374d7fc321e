-- Which send is which receive: from the surest evidence to the weakest. A receive that one step links is not looked at
-- by the next. The brokers of both sides must be the same as far as both are known; where they are only not known to
-- differ, the certainty is likely.

create or replace temp macro same_broker(id_a, id_b) as id_a is null or id_b is null or id_a = id_b;
create or replace temp macro surely(id_a, server_a, id_b, server_b) as
    case when coalesce(id_a = id_b, false) or coalesce(server_a = server_b, false) then 'exact' else 'likely' end;
-- Two machines' clocks differ a little; one machine's only by what is rounded.
create or replace temp macro not_before(received_ns, host_a, sent_ns, host_b) as
    received_ns >= sent_ns - case when host_a = host_b then 1000000 else 2000000000 end;

delete from links;

-- In-process buses: the call itself.
insert into links
select link_id, id, 'call', 'exact' from linkable where link_id is not null and kind in ('receive', 'process');

delete from unlinked where link_id is not null;

-- Logs: topic, partition and offset.
create or replace temp table found as
select s.id as send_id, r.id as receive_id, 'offset' as method, surely(s.broker_id, s.server, r.broker_id, r.server) as certainty
from unlinked as r
join sends as s using (system, channel, partition_id, log_offset)
where same_broker(s.broker_id, r.broker_id);
insert into links by name select * from found;
delete from unlinked where id in (select receive_id from found);

-- What the broker, or the connection, calls the message: a stream's id, a WebSocket's handshake and number.
create or replace temp table found as
select
    s.id as send_id, r.id as receive_id, 'identity' as method,
    case
        when count(*) over (partition by r.id) > 1 then 'likely'
        when r.channel_kind = 'connection' then 'exact'
        else surely(s.broker_id, s.server, r.broker_id, r.server)
    end as certainty
from unlinked as r
join sends as s using (system, identity)
where same_broker(s.broker_id, r.broker_id) and (r.channel_kind = 'connection' or s.channel = r.channel)
qualify row_number() over (partition by r.id order by s.began_ns desc, s.id desc) = 1;
insert into links by name select * from found;
delete from unlinked where id in (select receive_id from found);

-- A `traceparent` that names the very send: its span is no other send's, and the message really carries it (a receive
-- made inside a span of the program's own has that span's id too).
create or replace temp table found as
select s.id as send_id, r.id as receive_id, 'traceparent' as method, 'exact' as certainty
from unlinked as r
join (select * from sends where span_id is not null qualify count(*) over (partition by system, span_id) = 1) as s
    using (system, span_id)
where
    (r.told or coalesce(r.exchange, r.channel) = s.channel)
    and same_broker(s.broker_id, r.broker_id)
    and contains(lower(cast(r.headers as varchar)), r.span_id);
insert into links by name select * from found;
delete from unlinked where id in (select receive_id from found);

-- AMQP: the message's id. A message that is published again keeps it: then exchange, routing key and body tell which.
create or replace temp table found as
with candidates as (
    select
        s.id as send_id, r.id as receive_id,
        s.channel = r.exchange and s.routing_key is not distinct from r.routing_key as same_route,
        s.body_digest is not distinct from r.body_digest as same_body,
        not_before(r.began_ns, r.host, s.began_ns, s.host) as in_order,
        s.began_ns as sent_ns,
        surely(s.broker_id, s.server, r.broker_id, r.server) as certainty,
        count(*) over (partition by r.id) as sends
    from unlinked as r
    join sends as s using (system, virtual_host, message_id)
    where r.channel_kind = 'queue' and same_broker(s.broker_id, r.broker_id)
)
select send_id, receive_id, 'message_id' as method, case when sends = 1 and same_body then certainty else 'likely' end as certainty
from candidates
where in_order or sends = 1
qualify row_number() over (partition by receive_id order by same_body desc, same_route desc, sent_ns desc, send_id desc) = 1;
insert into links by name select * from found;
delete from unlinked where id in (select receive_id from found);

-- Queues, lists and logs without an id: the n-th send of a body to a place is its n-th receive there, by each queue or
-- group that gets a copy. Of a redelivery it is the latest send before it.
create or replace temp table places as
select
    id, system, virtual_host, channel, channel_kind, routing_key, message_key, body_digest, broker_id, server, host, began_ns,
    process_number,
    row_number() over same_body as place,
    count(*) over same_body as alike,
    min(process_number) over whole_channel <> max(process_number) over whole_channel as several_producers
from sends
where
    body_digest is not null
    and channel_kind in ('exchange', 'list', 'topic', 'stream')
    -- A log's send with an offset is that offset and no other.
    and log_offset is null and (identity is null or channel_kind not in ('stream'))
window
    same_body as (partition by system, virtual_host, channel, channel_kind, routing_key, message_key, body_digest order by began_ns, id
        rows between unbounded preceding and current row),
    whole_channel as (partition by system, virtual_host, channel, channel_kind);

create or replace temp table found as
with counted as (
    select system, virtual_host, channel, channel_kind, routing_key, message_key, body_digest, max(place) as alike
    from places
    group by all
),
received as (
    select
        r.*,
        coalesce(r.exchange, r.channel) as sent_to,
        case r.channel_kind when 'queue' then 'exchange' else r.channel_kind end as sent_to_kind,
        count(*) filter (not r.redelivered) over same_body as place
    from unlinked as r
    where r.body_digest is not null and r.channel_kind in ('queue', 'list', 'topic', 'stream')
    window same_body as (
        partition by system, virtual_host, channel, channel_kind, exchange, routing_key, message_key, body_digest, consumer_group
        -- Who asked first is served first: a receive's time is its end.
        order by began_ns - coalesce(duration_ns, 0), id
        rows between unbounded preceding and current row
    )
)
select
    s.id as send_id, r.id as receive_id, 'digest' as method,
    case
        when r.channel_kind = 'list' and n.alike = 1 and not s.several_producers
            then surely(s.broker_id, s.server, r.broker_id, r.server)
        else 'likely'
    end as certainty
from received as r
join places as s
    on s.system = r.system and s.virtual_host = r.virtual_host and s.channel = r.sent_to and s.channel_kind = r.sent_to_kind
    and s.routing_key is not distinct from r.routing_key and s.message_key is not distinct from r.message_key
    and s.body_digest = r.body_digest and s.place = greatest(r.place, 1)
join counted as n
    on n.system = s.system and n.virtual_host = s.virtual_host and n.channel = s.channel and n.channel_kind = s.channel_kind
    and n.routing_key is not distinct from s.routing_key and n.message_key is not distinct from s.message_key
    and n.body_digest = s.body_digest
where same_broker(s.broker_id, r.broker_id) and not_before(r.began_ns, r.host, s.began_ns, s.host)
qualify row_number() over (partition by r.id order by s.id) = 1;
insert into links by name select * from found;
delete from unlinked where id in (select receive_id from found);

-- Everything else that many may get a copy of (pub/sub channels, subjects, connections without identities): by body, in
-- order for each receiving connection. Who subscribed late has missed the first sends: the last ones are laid side by side.
create or replace temp table found as
with sent as (
    select
        *,
        row_number() over (partition by system, channel, channel_kind, body_digest order by began_ns, id) as place,
        count(*) over (partition by system, channel, channel_kind, body_digest) as alike,
        min(process_number) over whole_channel <> max(process_number) over whole_channel as several_producers
    from sends
    where body_digest is not null and channel_kind not in ('exchange', 'list', 'topic', 'stream', 'bus')
    window whole_channel as (partition by system, channel, channel_kind)
),
received as (
    select
        *,
        row_number() over (partition by system, channel, channel_kind, body_digest, connection_id order by began_ns, id) as place,
        count(*) over (partition by system, channel, channel_kind, body_digest, connection_id) as alike,
        max(began_ns) over (partition by system, channel, channel_kind, body_digest, connection_id) as last_ns
    from unlinked
    where body_digest is not null and channel_kind not in ('queue', 'list', 'topic', 'stream', 'bus')
),
-- One row per body and receiving connection: how many sends it was before the receives.
missed as (
    select
        r.system, r.channel, r.channel_kind, r.body_digest, r.connection_id,
        greatest(0, count(distinct s.id) - any_value(r.alike)) as missed
    from received as r
    join sent as s using (system, channel, channel_kind, body_digest)
    where r.place = 1 and s.began_ns <= r.last_ns
    group by all
)
select
    s.id as send_id, r.id as receive_id, 'digest' as method,
    case
        when s.alike = 1 and not s.several_producers then surely(s.broker_id, s.server, r.broker_id, r.server)
        else 'likely'
    end as certainty
from received as r
join missed as m
    on m.system = r.system and m.channel = r.channel and m.channel_kind = r.channel_kind and m.body_digest = r.body_digest
    and m.connection_id is not distinct from r.connection_id
join sent as s
    on s.system = r.system and s.channel = r.channel and s.channel_kind = r.channel_kind and s.body_digest = r.body_digest
    and s.place = r.place + m.missed
where same_broker(s.broker_id, r.broker_id) and not_before(r.began_ns, r.host, s.began_ns, s.host)
qualify row_number() over (partition by r.id order by s.id) = 1;
insert into links by name select * from found;
