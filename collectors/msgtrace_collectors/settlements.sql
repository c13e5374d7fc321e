-- Which receive a settlement settled. One row per pair.

delete from settlements;

create or replace temp table settles as
select * from linkable where kind = 'settle';

-- Known inside the process.
insert into settlements
select id, receipt_id from settles where receipt_id is not null;

-- AMQP: connection, channel and delivery tag. Tags begin anew when a channel is opened again under the same number: a
-- settlement is of the latest receive before it. `multiple` settles every older tag that nothing has settled yet.
insert into settlements
with received as (
    select id, connection_id, delivery_channel, delivery_tag, began_ns
    from linkable
    where kind = 'receive' and delivery_tag is not null and delivery_channel is not null and connection_id is not null
),
singly as (
    select r.id as receive_id, arg_min(s.id, s.began_ns) as settle_id, min(s.began_ns) as settled_ns
    from settles as s
    asof join received as r
        on r.connection_id = s.connection_id and r.delivery_channel = s.delivery_channel and r.delivery_tag = s.delivery_tag
        and s.began_ns >= r.began_ns
    where s.receipt_id is null
    group by all
),
-- Of those that settle several, the next tag at or above a receive's is also the first to come.
several as (
    select r.id as receive_id, s.id as settle_id, s.began_ns as settled_ns
    from received as r
    asof join (select * from settles where multiple and receipt_id is null) as s
        on r.connection_id = s.connection_id and r.delivery_channel = s.delivery_channel and r.delivery_tag <= s.delivery_tag
    where s.began_ns >= r.began_ns
)
select arg_min(settle_id, settled_ns), receive_id
from (from singly union all by name from several)
group by receive_id;

-- Logs: a commit names the next offset to be read, and settles all before it that no earlier commit did.
insert into settlements
with commits as (
    select system, consumer_group, channel, partition_id, log_offset - 1 as last_offset, id, began_ns
    from settles
    where log_offset is not null and receipt_id is null and consumer_group is not null
    -- A commit that is repeated settles nothing more.
    qualify row_number() over (partition by system, consumer_group, channel, partition_id, log_offset order by began_ns, id) = 1
),
received as (
    select system, consumer_group, channel, partition_id, log_offset, id, began_ns
    from linkable
    where kind = 'receive' and log_offset is not null and consumer_group is not null
)
select s.id, r.id
from received as r
asof join commits as s
    on r.system = s.system and r.consumer_group = s.consumer_group and r.channel = s.channel and r.partition_id = s.partition_id
    and r.log_offset <= s.last_offset
where s.began_ns >= r.began_ns;

-- Streams with groups: the entry's id.
insert into settlements
with received as (
    select system, channel, consumer_group, identity, id, began_ns
    from linkable
    where kind = 'receive' and identity is not null and consumer_group is not null
)
select s.id, r.id
from settles as s
asof join received as r
    on r.system = s.system and r.channel = s.channel and r.consumer_group = s.consumer_group and r.identity = s.identity
    and s.began_ns >= r.began_ns
where s.receipt_id is null and s.delivery_tag is null and s.log_offset is null;
