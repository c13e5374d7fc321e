-- What a study's copy knows of places, processes and bodies: worked out once, and not once for each operation. `{block}` is
-- the part of the bodies that a body is read with, `{word}` the type of text that repeats.
with known_processes as (
    select
        process_number, cast(process_id as {word}) as process_id, cast(coalesce(service, '') as {word}) as service,
        cast(host as {word}) as host, facts ->> '$.folder' || '/' as folder
    from processes
), known_points as (
    select
        point_id, cast(kind as {word}) as kind, cast(system as {word}) as system,
        cast(rtrim(library || ' ' || coalesce(library_version, '')) as {word}) as client
    from msgtrace_store.points
-- Sites are relative to the folder that the process was started in.
), known_sites as (
    select
        s.site_id, cast(s.function as {word}) as code_function,
        cast(
            case when starts_with(s.path, p.folder) then substr(s.path, length(p.folder) + 1) else s.path end
                || ':' || s.line as {word}
        ) as code_site
    from msgtrace_store.sites as s
    left join known_processes as p on p.process_number = s.site_id // 1000000
), known_handlers as (
    select
        h.handler_id, cast(h.name as {word}) as handler_name,
        -- A framework's function, which handles messages for the program's: known by the name of its package.
        regexp_matches(h.path, '/(site|dist)-packages/') as handler_foreign,
        cast(
            case
                when handler_foreign then regexp_replace(h.path, '^.*/(site|dist)-packages/', '')
                when starts_with(h.path, p.folder) then substr(h.path, length(p.folder) + 1)
                else h.path
            end || ':' || h.line as {word}
        ) as handler_site
    from msgtrace_store.handlers as h
    left join known_processes as p on p.process_number = h.handler_id // 1000000
), known_connections as (
    select connection_id, cast(server as {word}) as server, cast(virtual_host as {word}) as virtual_host
    from msgtrace_store.connections
), known_bodies as (
    select
        body_digest, encoding, redacted, document is not null as readable,
        starts_with(ltrim(cast(document as varchar)), '{{') as is_object, {block} as body_block
    from msgtrace_store.bodies
)
