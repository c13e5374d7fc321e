"""`msgtrace export alerts`: rules for Prometheus, from what was usual in a recording."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from msgtrace_analysis.commands.choosing import since_option
from msgtrace_analysis.commands.opening import db_option, rules_option, studied
from msgtrace_analysis.commands.writing import check_own, put, say
from msgtrace_analysis.passes import alerts_of
from msgtrace_analysis.renderers.alert_rules import MARK, without
from msgtrace_analysis.renderers.alert_rules import rules as rendered
from msgtrace_analysis.renderers.persons import without_persons

if TYPE_CHECKING:
    from msgtrace_analysis.commands.choosing import Since
    from msgtrace_analysis.rules import Rules


@click.command()
@db_option
@rules_option
@since_option
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False),
              help="File to write to, such as alerts.yaml; else standard output.")  # fmt: skip
@click.option("--force", is_flag=True, help="Write over a file that is not msgtrace's.")
def alerts(db: Path, rules: Rules, since: Since | None, out: Path | None, force: bool) -> None:  # noqa: FBT001 - click passes by name
    """Write alert rules for Prometheus: each with the reason for its threshold, and none without a baseline.

    `promtool check rules FILE` accepts them. What there is no rule for is said, in the file and to standard error.
    """
    if out is not None and not force:
        check_own(out, MARK)
    with studied(db, rules, since) as study:
        found = alerts_of(study)
    if out is None:
        say(rendered(found))
    else:
        put({out: rendered(found)})
        click.echo(out)
    click.echo(f"msgtrace: {len(found.rules)} rules; {len(found.unwatched)} things have none", err=True)
    if out is not None:
        for each in found.unwatched:
            click.echo(without_persons(f"msgtrace: no rule: {without(each)}"), err=True)
