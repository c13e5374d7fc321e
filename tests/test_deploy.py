"""The recipes for containers: what they say is what Kubernetes, and our own commands, take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import kubernetes_validate
import pytest
import yaml

from msgtrace.command_line import cli
from msgtrace.settings import PREFIX, Settings

DEPLOY = Path(__file__).parent.parent / "deploy"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
SETTINGS = {PREFIX + name.upper() for name in Settings.__struct_fields__}


def parts() -> list[tuple[str, list[str], set[str]]]:
    """Of every container: where it stands, what it runs of ours, and the variables that it is given."""
    found: list[tuple[str, list[str], set[str]]] = []
    for path in MANIFESTS:
        for document in yaml.safe_load_all(path.read_text()):
            pod = document.get("spec", {}).get("template", {}).get("spec", {})
            found += [
                (f"{path.name} {each['name']}", each.get("args", []), {v["name"] for v in each.get("env", ())})
                for each in [*pod.get("initContainers", ()), *pod.get("containers", ())]
            ]
    for name, service in yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"].items():
        ours = "forward" in name or "central" in name
        found.append((f"compose.yaml {name}", service["command"] if ours else [], set(service.get("environment", ()))))
    return found


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_kubernetes_takes_it(path: Path) -> None:
    documents: list[Any] = list(yaml.safe_load_all(path.read_text()))
    for document in documents:
        kubernetes_validate.validate(document, "1.33", strict=True)
    assert documents


@pytest.mark.parametrize("part", parts(), ids=lambda part: part[0])
def test_our_commands_take_it(part: tuple[str, list[str], set[str]]) -> None:
    _, arguments, variables = part
    known = SETTINGS | {"PYTHONPATH"}
    if arguments:
        with click.Context(cli) as context:
            command = cli.get_command(context, arguments[0])
        assert command is not None
        command.make_context(arguments[0], arguments[1:])
        known = {str(option.envvar) for option in command.params if option.envvar}
    assert variables <= known


def test_some_parts_are_ours() -> None:
    assert sum(bool(arguments) for _, arguments, _ in parts()) == 4


def test_the_image_lends_what_the_startup_looks_for() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    for minor in (11, 12, 13, 14):
        assert f"/lend /lend/cpython-3{minor}" in text
    assert "COPY tracer/msgtrace/startup /lend/startup" in text
