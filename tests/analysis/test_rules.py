"""What the user says about names goes before what is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from msgtrace_analysis.passes import examine
from msgtrace_analysis.rules import NO_RULES, RulesError, read_rules
from msgtrace_analysis.study import Study
from msgtrace_collectors.trace import open_trace
from tests.analysis.hostile import NAMES, hostile_trace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from msgtrace_analysis.findings import Findings
    from msgtrace_analysis.rules import Rules
    from tests.analysis.made_trace import MadeTrace


def examined(made: MadeTrace, rules: Rules = NO_RULES) -> Findings:
    made.write()
    with open_trace(made.path) as trace, Study(trace) as study:
        return examine(study, rules)


@pytest.fixture
def rules(tmp_path: Path) -> Callable[[str], Rules]:
    def read(text: str, name: str = "rules.toml") -> Rules:
        (tmp_path / name).write_text(text, "utf-8")
        return read_rules(tmp_path / name)

    return read


def test_the_first_rule_that_fits_names(made: MadeTrace, rules: Callable[[str], Rules]) -> None:
    for number in range(4):
        made.send(channel="orders.eu", channel_kind="topic", event_type="typed", body={"d": {"k.x": f"k{number % 2}"}})
        made.send(channel="audit", channel_kind="topic", headers={"kind": "h"}, routing_key="key")
        made.send(channel="audit", channel_kind="topic", service="other", routing_key="key")
        made.send(channel="rest", channel_kind="topic", body={"type": "order.placed"})
    found = examined(
        made,
        rules(
            """
            [[name]]
            channel = "orders.*"
            field = "/d/k.x"
            [[name]]
            channel = "audit"
            header = "kind"
            [[name]]
            channel = "audit"
            service = "oth?r"
            by = "routing_key"
            [[name]]
            channel = "*"
            system = "kafka"
            name = "never"
            """
        ),
    )
    assert {(each.name, each.named_by, each.evidence.certainty, each.sends) for each in found.events} == {
        ("k0", "rule", "exact", 2),
        ("k1", "rule", "exact", 2),
        ("h", "rule", "exact", 4),
        ("key", "rule", "exact", 4),
        ("order.placed", "body field type", "guess", 4),
    }


def test_a_given_template_folds_two_channels_and_keys(made: MadeTrace, rules: Callable[[str], Rules]) -> None:
    for name in ("ann", "bob"):
        made.send(channel=f"inbox.{name}", channel_kind="exchange", routing_key=f"to.{name}")
    text = '[[channel]]\ntemplate = "inbox.{name}"\n[[channel]]\ntemplate = "to.{name}"\n'
    (event,) = examined(made, rules(text)).events
    assert (event.address, event.name, event.sends) == ("inbox.{name}", "to.{name}", 2)


def test_rules_in_pyproject_stand_under_the_tool(rules: Callable[..., Rules]) -> None:
    known = rules('[project]\nname = "x"\n[[tool.msgtrace.kind]]\nevent = "a*"\nkind = "command"\n', "pyproject.toml")
    assert [(each.event, each.kind) for each in known.kinds] == [("a*", "command")]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("[[nam]]\n", "[[name]]"),
        ("[name]\nname = 'x'\n", "[[name]]"),
        ("[[name]]\nchannel = 'x'\n", "exactly one of"),
        ("[[name]]\nname = 'x'\nheader = 'y'\n", "exactly one of"),
        ("[[name]]\nby = 'body'\n", "routing_key"),
        ("[[name]]\nname = 3\n", "is text"),
        ("[[name]]\nnames = 'x'\n", "'names'"),
        ("[[kind]]\nevent = 'x'\n", "needs"),
        ("[[kind]]\nevent = 'x'\nkind = 'cmd'\n", "domain event"),
        ("x = [", "no TOML"),
    ],
)
def test_what_is_not_understood_is_said(rules: Callable[[str], Rules], text: str, hint: str) -> None:
    with pytest.raises(RulesError, match="rules.toml: ") as caught:
        rules(text)
    assert hint in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match="can't be read"):
        read_rules(tmp_path / "none.toml")


@pytest.mark.parametrize("name", NAMES)
def test_rules_may_hold_any_text(made: MadeTrace, rules: Callable[[str], Rules], name: str) -> None:
    hostile_trace(made)
    quoted = "".join(f"\\U{ord(each):08x}" for each in name)
    text = f'[[name]]\nchannel = "{quoted}"\nname = "{quoted}"\n[[channel]]\ntemplate = "{quoted}"\n'
    assert examined(made, rules(text)).events
