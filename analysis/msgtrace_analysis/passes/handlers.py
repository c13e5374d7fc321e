"""What is known of the functions that handled messages: docstring, source lines, commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.findings import Handler

if TYPE_CHECKING:
    from msgtrace_analysis.study import Study

# One row per process and function that handled messages in it; what its path begins with is the folder of the process.
HANDLERS: Final = """
    select
        h.* replace (coalesce(h.service, '') as service),
        case when starts_with(h.path, p.folder || '/') then substr(h.path, length(p.folder) + 2) else h.path end || ':' || h.line
            as site
    from handlers as h
    left join processes as p using (process_id)
    order by site, h.name, h.process_id
"""


def handlers(study: Study) -> tuple[Handler, ...]:
    """Each function once for each service; where processes had different ones at one place, the last."""
    found: dict[tuple[str, str, str], Handler] = {}
    for row in study.table(HANDLERS).to_pylist():
        if row["site"] is not None:
            handler = _handler(row)
            found[handler.service, handler.site, handler.name] = handler
    return tuple(found.values())


def _handler(row: dict[str, Any]) -> Handler:
    return Handler(
        service=row["service"],
        site=row["site"],
        name=row["name"] or "",
        module=row["module"] or "",
        doc=row["doc"] or "",
        # A trace of an earlier version of msgtrace has neither.
        source=row.get("source") or "",
        commit=row.get("commit") or "",
        line=row["line"] or 0,
        end_line=row["end_line"] or 0,
    )
