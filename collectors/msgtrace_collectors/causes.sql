-- What follows from what. One row per cause and effect. Method `context`: the effect happened while the cause was being
-- handled; the other methods narrow down the candidates out of one fetch.
--
-- Bits of `state` (msgtrace.records): 1 settled before, 2 the handler had returned, 4 candidates out of one fetch,
-- 8 the last candidate is the enclosing handler, the others were fetched inside it.

delete from causes;

create or replace temp table effects as
select
    r.effect_id, r.cause_id, r.candidates, r.state,
    e.kind as effect_kind, e.began_ns, e.message_key, e.correlation_id, e.body_digest
from msgtrace_store.recorded_causes as r
join linkable as e on e.id = r.effect_id;

-- Certainty of a single cause: a handler's work is its message's, unless it was settled or over before. What follows a
-- fetch is probably the work on what was fetched.
create or replace temp macro handled(cause_kind, effect_kind, state, effect_ns, cause_ended_ns) as
    case
        when effect_kind in ('process', 'settle') and state & 2 = 0 then 'exact'
        when state & 2 <> 0 and (cause_ended_ns is null or effect_ns - cause_ended_ns > 5000000000) then 'guess'
        when state & 3 <> 0 then 'likely'
        when cause_kind = 'receive' then 'likely'
        else 'exact'
    end;

-- One cause; and the enclosing handler of what fetches more.
insert into causes
with single as (
    select effect_id, cause_id, state, effect_kind, began_ns from effects where cause_id is not null
    union all by name
    select effect_id, candidates[-1] as cause_id, state, effect_kind, began_ns from effects where state & 8 <> 0 and candidates is not null
)
select s.cause_id, s.effect_id, 'context', handled(c.kind, s.effect_kind, s.state, s.began_ns, c.began_ns + c.duration_ns)
from single as s
join linkable as c on c.id = s.cause_id;

-- One row per effect and candidate.
create or replace temp table candidates as
with listed as (
    select
        effect_id, effect_kind, message_key, correlation_id, body_digest,
        case when state & 8 <> 0 then candidates[:-2] else candidates end as candidates
    from effects
    where candidates is not null
)
select
    l.effect_id, c.id as cause_id, len(l.candidates) as width, l.effect_kind,
    case
        when l.correlation_id = c.correlation_id or l.correlation_id = c.message_id then 'correlation'
        when l.body_digest = c.body_digest then 'body'
        when l.message_key = c.message_key then 'key'
    end as evidence,
    l.body_digest as effect_digest, c.body_digest as cause_digest
from (select * exclude (candidates), candidates, unnest(candidates) as candidate from listed) as l
join linkable as c on c.id = l.candidate;

-- Content: a telling value (eight characters, or four digits, or more) at the top of both bodies and of no other candidate's.
create or replace temp table shared_content as
with asked as (
    select distinct effect_digest, cause_digest
    from candidates
    where effect_kind = 'send' and evidence is null and effect_digest is not null and cause_digest is not null
),
wanted as (
    select effect_digest as body_digest from asked union select cause_digest from asked
),
-- One row per body and telling value.
telling as (
    select distinct body_digest, value
    from (
        select b.body_digest, unnest(json_extract_string(b.document, '$.*')) as value
        from wanted
        join msgtrace_store.bodies as b using (body_digest)
        where json_type(b.document) = 'OBJECT'
    )
    where length(value) between 8 and 200 or (length(value) between 4 and 7 and try_cast(value as bigint) is not null)
)
select c.effect_id, c.cause_id
from candidates as c
join telling as e on e.body_digest = c.effect_digest
join telling as s on s.body_digest = c.cause_digest and s.value = e.value
where c.effect_kind = 'send' and c.evidence is null
qualify count(distinct c.cause_id) over (partition by c.effect_id, e.value) = 1;

-- The surest evidence that an effect has decides; of candidates that it does not tell apart, each is a guess.
insert into causes
with judged as (
    select
        c.effect_id, c.cause_id, c.width, coalesce(c.evidence, case when s.cause_id is not null then 'content' end) as evidence
    from candidates as c
    left join (select distinct effect_id, cause_id from shared_content) as s using (effect_id, cause_id)
),
ranked as (
    select
        *,
        case evidence when 'correlation' then 1 when 'body' then 2 when 'key' then 3 when 'content' then 3 else 4 end as strength
    from judged
),
best as (
    select * from ranked qualify strength = min(strength) over (partition by effect_id)
),
counted as (
    select *, count(*) over (partition by effect_id) as alike from best
)
select
    cause_id, effect_id, coalesce(evidence, 'context'),
    case
        when width = 1 and strength = 4 then 'likely'
        when alike > 1 or strength = 4 then 'guess'
        when strength <= 2 then 'exact'
        else 'likely'
    end
from counted
where alike <= 20;

-- One row: how many effects have too many candidates to name any.
create or replace temp table unknown_causes as
select count(distinct effect_id) as unknown_causes
from candidates
where effect_id not in (select effect_id from causes);
