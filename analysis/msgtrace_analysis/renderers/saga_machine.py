"""Draws a long transaction as a Mermaid state diagram that holds together whatever the names in it are. Pure.

A state is that a type of message was seen. Syntax: https://mermaid.js.org/syntax/stateDiagram.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgtrace_analysis.renderers.mermaid import label

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Saga

MAX_TRANSITIONS: Final = 40
"""More arrows than this can't be read; the most travelled are drawn."""


def saga_diagram(saga: Saga) -> tuple[str, int]:
    """The types of message of a transaction, and which came after which.

    Returns:
        the diagram's source, and how many transitions were left out.
    """
    drawn = sorted(saga.transitions, key=lambda each: -each.instances)[:MAX_TRANSITIONS]
    roles = {(step.event, step.service): step for step in saga.steps}
    numbers: dict[tuple[str, str] | None, str] = {None: "[*]"}
    lines = ["stateDiagram-v2"]
    for step in saga.steps:
        key = step.event, step.service
        if not any(key in {each.source, each.target} for each in drawn):
            continue
        numbers[key] = f"s{len(numbers)}"
        role = f" ({step.role})" if roles[key].role != "step" else ""
        lines.append(f"    state {label(f'{step.name}, {step.service}{role}')} as {numbers[key]}")
    lines += [
        f"    {numbers[each.source]} --> {numbers[each.target]}: {each.instances}"
        for each in drawn
        if each.source in numbers and each.target in numbers
    ]
    return "\n".join(lines), len(saga.transitions) - len(drawn)
