"""Names messages by the user's rules, the first that fits each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from msgtrace_analysis.rules import NameRule
    from msgtrace_analysis.study import Study

# One row per message that a rule names.
CONFIGURED: Final = "create table configured (operation_id bigint, name varchar, named_by varchar)"

# One row per message that a rule fits and none before it has named.
FITTING: Final = """
    insert into configured
    with fitting as (
        select o.operation_id, {value} as name
        from addressed as o
        left join texts as t on t.operation_id = o.operation_id and t.place = {place}
        left join keys as k
            on k.system is not distinct from o.system and k.address_kind = o.address_kind and k.address = o.address
            and k.routing_key = o.routing_key
        anti join configured as c on c.operation_id = o.operation_id
        where o.kind in ('send', 'receive', 'process') and {conditions}
    )
    select operation_id, name, 'rule' from fitting where name <> ''
"""


def apply(study: Study, rules: Sequence[NameRule], places: Mapping[str, int]) -> None:
    """Fill the table `configured`. Needs `addressed`, `keys` and `texts`.

    Args:
        study: the trace.
        rules: in the order in which they are tried.
        places: of the ways to fields in `texts`.
    """
    for rule in rules:
        parameters: list[Any] = []
        value = _value(rule, parameters)
        conditions = ["true"]
        for columns, pattern in (
            (("o.system",), rule.system),
            (("o.channel", "o.address"), rule.channel),
            (("o.routing_key", "k.key"), rule.routing_key),
            (("o.service",), rule.service),
        ):
            if pattern is not None:
                parameters.append(pattern)
                fits = " or ".join(f"coalesce({column}, '') glob ${len(parameters)}" for column in columns)
                conditions.append(f"({fits})")
        place = places[rule.pointer] if rule.field is not None else -1
        study.run(FITTING.format(value=value, place=place, conditions=" and ".join(conditions)), parameters)


def _value(rule: NameRule, parameters: list[Any]) -> str:
    if rule.name is not None:
        parameters.append(rule.name)
        return "$1"
    if rule.header is not None:
        parameters.append(f"/{rule.header.replace('~', '~0').replace('/', '~1')}")
        return "json_extract_string(o.headers, $1)"
    if rule.field is not None:
        return "t.text"
    return "coalesce(k.key, o.routing_key)" if rule.by == "routing_key" else "o.address"
