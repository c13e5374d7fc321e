"""Renders alert rules as a file for Prometheus. Pure. The same findings give the same bytes.

Source: https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/. Labels and annotations are templates
there, so that nothing recorded may begin an action in them.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from msgtrace_analysis.passes.exporters import span
from msgtrace_analysis.renderers.asyncapi import render as as_yaml
from msgtrace_analysis.renderers.markdown import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from msgtrace_analysis.findings import Alert, Alerts, Findings, Unwatched

MARK: Final = (
    "# Written by msgtrace from a recording: rules for Prometheus, docs/alerts.md says how thresholds come about."
)
"""The first line, by which a file of ours is known."""
MISSING_FOR_S: Final = 900
SUMMARIES: Final = {
    "HandlingSlow": "Handling messages of {} takes longer than usual",
    "queue depth": "More messages wait for {} than usual",
    "processing delay": "Messages wait longer for {} than usual",
    "error rate": "Handling messages of {} fails more often than usual",
    "dead letters": "Messages come to {} that could not be handled",
    "heartbeat": "Nothing was sent to {} for too long",
}
"""By the alert's name, or by what it watches."""
UNITS: Final = {"heartbeat": "seconds between two", "dead letters": "messages in all"}
"""Of what was observed, where it is not that of the threshold."""


def render(findings: Findings) -> str:
    """The rules of all findings."""
    return rules(findings.alerts)


def rules(alerts: Alerts) -> str:
    """The whole file, ending in a newline."""
    groups = [
        {"name": f"msgtrace: {watches}", "rules": [_rule(each) for each in alike]}
        for watches, alike in groupby(alerts.rules, lambda each: each.watches)
    ]
    if alerts.rules:
        groups.append({"name": "msgtrace: metrics that rules need", "rules": list(_missing(alerts.rules))})
    lines = [MARK, *(f"# {alerts.note}" for _ in alerts.note[:1]), *_exporters(alerts.rules)]
    lines += [f"# No rule: {without(each)}" for each in alerts.unwatched]
    return "\n".join(lines) + "\n" + as_yaml({"groups": groups})


def _exporters(rules: Iterable[Alert]) -> list[str]:
    return [f"# Needs: {each}" for each in sorted({exporter for rule in rules for _, exporter in rule.metrics})]


def _rule(alert: Alert) -> dict[str, Any]:
    labels = {
        "severity": "warning",
        "source": "msgtrace",
        "messaging_system": alert.system,
        "channel": alert.channel,
        "consumer_group": alert.group,
        "event_type": alert.subject,
    }
    proof = alert.evidence
    annotations = {
        "summary": SUMMARIES.get(alert.name, SUMMARIES[alert.watches]).format(alert.subject or alert.channel),
        "reason": reason(alert),
        "observed": "" if alert.observed is None else f"{alert.observed:g} {UNITS.get(alert.watches, alert.unit)}",
        "threshold": f"{alert.threshold:g} {alert.unit}",
        "certainty": alert.certainty,
        "evidence": "" if proof is None else f"{proof.operations} operations ({', '.join(map(str, proof.examples))})",
        "services": ", ".join(alert.services),
        "needs": "; ".join(dict.fromkeys(exporter for _, exporter in alert.metrics)),
    }  # fmt: skip
    return {
        "alert": alert.name,
        "expr": alert.expression,
        **({"for": span(alert.for_s)} if alert.for_s else {}),
        "labels": {name: _plain(value) for name, value in labels.items() if value},
        "annotations": {
            **{name: _plain(value) for name, value in annotations.items() if value},
            **({} if alert.watches == "heartbeat" else {"value": "{{ $value }}"}),
        },
    }


def _missing(found: Iterable[Alert]) -> Iterable[dict[str, Any]]:
    """A rule for each metric that others can't work without."""
    needed: dict[tuple[str, str], set[str]] = {}
    for alert in found:
        for metric in alert.metrics:
            needed.setdefault(metric, set()).add(alert.name)
    for (name, exporter), users in sorted(needed.items()):
        yield {
            "alert": "MetricMissing",
            "expr": f"absent({name})",
            "for": span(MISSING_FOR_S),
            "labels": {"severity": "info", "source": "msgtrace", "metric": name},
            "annotations": {
                "summary": f"Prometheus has no {name}",
                "reason": f"without it {', '.join(sorted(users))} can't tell anything; is this scraped: {exporter}?",
            },
        }


def reason(alert: Alert | Unwatched) -> str:
    """Why the threshold is what it is, or there is no rule, as a sentence."""
    return alert.reason.format(*(visible(name) for name in alert.names))


def without(value: Unwatched) -> str:
    """What there is no rule for, and why, on one line."""
    where = " ".join(visible(each) for each in (value.system, value.channel_kind, value.channel) if each)
    group = f" of group {visible(value.group)}" if value.group else ""
    subject = f" of {visible(value.subject)}" if value.subject else ""
    why = reason(value)
    return f"{value.watches}{subject}{f' of {where}' if where else ''}{group}: {why}"


def _plain(text: str) -> str:
    """Text that Go's templates leave as it is."""
    return text.replace("{{", '{{ "{{" }}')
