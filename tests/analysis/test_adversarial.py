"""Hostile bodies and names change nothing but their own rows: what is found about everything else is the same, byte for byte."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pytest

from bench.truth.generate import system
from bench.truth.play import Operation, play
from bench.truth.recording import record
from msgtrace_analysis.passes import examine
from msgtrace_analysis.renderers import event_flows, guide
from msgtrace_analysis.study import Study
from msgtrace_collectors.trace import open_trace
from tests.analysis.hostile import NAMES

if TYPE_CHECKING:
    from pathlib import Path

    from msgtrace_analysis.findings import Findings

SEED: Final = 3
SAMPLES: Final = 20
MOMENT_NS: Final = 3_000_000_000_000
"""Well within the time that the clean messages take."""
CAP: Final = 1 << 16

BODIES: Final = (
    b"[" * 30_000,
    b"[" * 30_000 + b"]" * 30_000,
    b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    b'{"a":[' * 400 + b"1" + b"]}" * 400,
    b'{"n":' + b"9" * 5_000 + b"}",
    b'{"n":1e400,"m":-1e-400,"z":-0.0,"b":' + str(2**70).encode() + b"}",
    b'{"n":NaN,"i":Infinity,"j":-Infinity}',
    b'{"s":"\\ud800","\\udfff":"\\udc00\\ud800"}',
    b'{"a":1,"a":"two","a":{"a":null}}',
    b'{"":1,"a.b[].*":{"$ref":"#"},"$type":"int","$cut":3,"__proto__":{"x":1},"type":{"type":[]}}',
    b'{"type":"' + b"t" * 60_000 + b'"}',
    b'{"nul":"\\u0000\\u0001","tab":"\\t"}',
    b'\xef\xbb\xbf{"bom":true}',
    b"\xff\xfe\x00\x01",
    b'{"half":',
    b"",
    b"null",
    b'""',
    b'{"a":1}{"a":2}',
    b"{" + b",".join(b'"%d":%d' % (number, number) for number in range(5_000)) + b"}",
    *(msgspec.json.encode({name: [{name: name}], "type": name, "status": name}) for name in NAMES),
)


def examined(db: Path) -> Findings:
    """All that is found."""
    with open_trace(db) as trace, Study(trace) as study:
        return examine(study)


def hostile(at_ns: int, kind: str, broker: str, fields: dict[str, Any], **more: Any) -> Operation:
    """An operation of a program that means harm."""
    return Operation(at_ns, more.pop("service", "zz hostile"), kind, broker, fields, **more)


def own_messages() -> list[Operation]:
    """Every hostile body and name, on channels of their own, sent and received."""
    made: list[Operation] = []
    for number, body in enumerate(BODIES):
        name = NAMES[number % len(NAMES)]
        fields: dict[str, Any] = {
            "channel": f"zz {name}", "channel_kind": "exchange", "routing_key": NAMES[number % 7], "body": body[:CAP],
            "body_size": len(body), "message_id": f"hostile {number}", "headers": [(name, name), ("type", name)],
            "content_type": "application/json", "event_type": name, "correlation_id": name, "reply_to": name,
        }  # fmt: skip
        sent = hostile(MOMENT_NS + number, "send", "rabbitmq", fields, function=f"zz {name}")
        taken = fields | {
            "channel": f"zz queue {name}",
            "channel_kind": "queue",
            "settings": {"exchange": fields["channel"]},
        }
        received = hostile(MOMENT_NS + 100_000 + number, "receive", "rabbitmq", taken, service="zz taker", sent=sent)
        handled = hostile(
            MOMENT_NS + 200_000 + number, "process", "rabbitmq", {},
            service="zz taker", handler=f"zz {name}", receipt=received, cause=received, outcome="raised",
        )  # fmt: skip
        made += [sent, received, handled]
    return made


def many_keys() -> list[Operation]:
    """A million different keys, and a body that is known only in its beginning."""
    made = []
    for number in range(200):
        keys = b",".join(b'"k%d":%d' % (number * 5_000 + key, key) for key in range(5_000))
        body = b"{" + keys + b"}"
        fields = {"channel": "zz keys", "channel_kind": "topic", "body": body, "body_size": len(body)}
        made.append(hostile(MOMENT_NS + number, "send", "kafka", fields, function="zz_many"))
    cut = b'{"whole":1,"rest":"' + b"x" * CAP
    fields = {"channel": "zz cut", "channel_kind": "topic", "body": cut[:CAP], "body_size": 10_000_000}
    return [*made, hostile(MOMENT_NS, "send", "kafka", fields, function="zz_cut")]


def among_clean_messages() -> list[Operation]:
    """Hostile bodies on the channels that the clean types use, under a type of their own: header, property or field says it."""
    made: list[Operation] = []
    for channel in system(SEED, SAMPLES).channels:
        if channel.naming not in {"header", "property"} or "{" in channel.name:
            continue
        for number, body in enumerate((BODIES[1], BODIES[6], BODIES[8])):
            fields: dict[str, Any] = {"channel": channel.name, "channel_kind": channel.broker, "body": body[:CAP]}
            if channel.broker in {"exchange", "queue"}:
                fields |= {
                    "channel_kind": "exchange",
                    "routing_key": "events",
                    "message_id": f"among {channel.name} {number}",
                }
                if channel.broker == "queue":
                    fields |= {"channel": "", "routing_key": channel.name}
            if channel.naming == "property":
                fields["event_type"] = "zz.hostile"
            else:
                fields["headers"] = [(channel.telling, "zz.hostile")]
            made.append(hostile(MOMENT_NS + number, "send", channel.system, fields, function="zz_among"))
    assert made
    return made


def about_clean(findings: Findings) -> dict[str, bytes]:
    """What is said about the clean types and services, as bytes."""
    refs = {each.ref for each in findings.events if "zz" not in each.ref}
    parts: dict[str, Any] = {
        "events": [each for each in findings.events if each.ref in refs],
        "contracts": [each for each in findings.contracts if each.event in refs],
        "traffic": [each for each in findings.traffic if each.event in refs],
        "flows": [each for each in findings.flows if not each.trigger.service.startswith("zz")],
    }
    assert all(parts.values())
    return {name: msgspec.json.format(msgspec.json.encode(part), indent=1) for name, part in parts.items()}


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trace of clean messages."""
    db = tmp_path_factory.mktemp("clean") / "trace.duckdb"
    record(play(system(SEED, SAMPLES)).operations, db)
    return db


@pytest.mark.parametrize("added", [own_messages, many_keys, among_clean_messages])
def test_hostile_messages_change_nothing_but_their_own_rows(clean: Path, tmp_path: Path, added: Any) -> None:
    before = about_clean(examined(clean))
    db = tmp_path / "trace.duckdb"
    shutil.copy(clean, db)

    operations = sorted(added(), key=lambda each: each.at_ns)
    record(operations, db)

    found = examined(db)
    after = about_clean(found)
    for name, content in before.items():
        assert after[name].decode() == content.decode(), name
    assert any("zz" in each.ref for each in found.events)
    assert guide.render(found)
    assert event_flows.render(found)
