"""The retry policies that code declares through a library, as its hook recorded them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from msgtrace_analysis.findings import DeclaredPolicy, Place
from msgtrace_analysis.passes.client_policies import client_policies
from msgtrace_analysis.passes.evidence import EVIDENCE, evidence
from msgtrace_analysis.passes.policy_values import read

if TYPE_CHECKING:
    from msgtrace_analysis.study import Study

# One row per policy, service and place of its declaration.
DECLARED: Final = f"""
    select
        system, channel, service, coalesce(handler_name, code_function, ''), coalesce(handler_site, code_site, ''),
        handler_site is not null, settings, {EVIDENCE}
    from operations
    where kind = 'declare' and channel_kind = 'retry' and settings ->> '$.library' is null
        and outcome not in ('raised', 'cancelled')
    group by all
    order by all
"""


def declared_policies(study: Study) -> tuple[DeclaredPolicy, ...]:
    """Every policy that a library's hook recorded and whose settings say something of retrying; client libraries' last."""
    found = []
    for library, channel, service, name, site, known, settings, *rest in study.rows(DECLARED):
        policy = read(library, json.loads(settings))
        if policy is not None:
            place = Place("handler" if known else "code", service, name, site)
            found.append(DeclaredPolicy(library, place, service, library, channel or "", policy, evidence(rest)))
    return (*found, *client_policies(study))
