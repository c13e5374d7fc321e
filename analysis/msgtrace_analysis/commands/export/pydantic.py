"""`msgtrace export pydantic`: a pydantic model for each event type, made by datamodel-code-generator from its schema."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from msgtrace_analysis.commands.choosing import choice_options
from msgtrace_analysis.commands.opening import db_option, rules_option, studied
from msgtrace_analysis.commands.progress import told_steps
from msgtrace_analysis.commands.writing import check_own, index_of, put, take_away
from msgtrace_analysis.passes import span_ns
from msgtrace_analysis.passes.contracts import contracts
from msgtrace_analysis.passes.events import catalogue
from msgtrace_analysis.passes.practices import recording
from msgtrace_analysis.renderers.file_names import INDEX, stems
from msgtrace_analysis.renderers.json_values import text
from msgtrace_analysis.renderers.model_schemas import UnsafeError, accepting, checked, class_name, module_name
from msgtrace_analysis.renderers.persons import without_persons

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from msgtrace_analysis.commands.choosing import Choice
    from msgtrace_analysis.findings import Contract, Event
    from msgtrace_analysis.rules import Rules

FORMAT: Final = "msgtrace/pydantic-models"
VERSION: Final = 1
HEADER: Final = "# Written by msgtrace from a recording: changes made here are lost when it is written again."
MARKS: Final = (HEADER, f'"format": "{FORMAT}"')
NEEDED: Final = "`msgtrace export pydantic` needs datamodel-code-generator: pip install 'msgtrace[tools,models]'"


@click.command()
@db_option
@rules_option
@choice_options
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("models"), show_default=True,
              help="Folder to write to, a package; made if missing.")  # fmt: skip
@click.option("--force", is_flag=True, help="Write over files that are not msgtrace's.")
def pydantic(db: Path, rules: Rules, choice: Choice, out: Path, force: bool) -> None:  # noqa: FBT001 - click passes by name
    """Write a pydantic model for each event type whose bodies could be read, into a package.

    Each accepts every body of its type that was recorded, and fields that were not seen. The same trace gives the same models.
    """
    try:
        generate = generator()
    except ImportError:
        raise click.ClickException(NEEDED) from None
    with told_steps() as step:
        step("reading the trace")
        with studied(db, rules, choice.since) as study:
            extent = recording(study)
            wanted = [event for event in catalogue(study, span_ns(extent), rules) if choice.wants(event)]
            found = {each.event: each for each in contracts(study, {event.ref for event in wanted}) if each.samples}
        described = [(event, found[event.ref]) for event in wanted if event.ref in found]
        files, refused = models(described, extent.trace_id, generate, step)
    if not force:
        for name in files:
            check_own(out / name, *MARKS)
    before = index_of(out, *MARKS)
    put({out / name: content for name, content in files.items()})
    take_away(out, before, files, MARKS)
    for name, reason in refused.items():
        click.echo(without_persons(f"msgtrace: no model of {name!r}: {reason}"), err=True)
    click.echo(f"{out}: models of {len(described) - len(refused)} of {len(wanted)} event types", err=True)


def generator() -> Callable[[dict[str, Any], str], str]:
    """What writes the code of a schema's models.

    Raises:
        ImportError: it is not installed.
    """
    from datamodel_code_generator import InputFileType, LiteralType, generate  # noqa: PLC0415 - an extra
    from datamodel_code_generator.enums import DataModelType  # noqa: PLC0415 - as above
    from datamodel_code_generator.format import DatetimeClassType, Formatter, PythonVersion  # noqa: PLC0415 - as above

    def generated(schema: dict[str, Any], name: str) -> str:
        return str(generate(
            json.dumps(schema), input_file_type=InputFileType.JsonSchema, class_name=name, extra_fields="allow",
            output_model_type=DataModelType.PydanticV2BaseModel, target_python_version=PythonVersion.PY_311,
            enum_field_as_literal=LiteralType.All, output_datetime_class=DatetimeClassType.Datetime,
            use_tuple_for_closed_arrays=True, custom_file_header=HEADER, formatters=[Formatter.BUILTIN],
        ))  # fmt: skip

    return generated


def models(
    described: Sequence[tuple[Event, Contract]],
    trace_id: str,
    generate: Callable[[dict[str, Any], str], str],
    step: Callable[[str], None],
) -> tuple[dict[str, str], dict[str, str]]:
    """The files of the package; and the names of event types that there is no model of, with the reason."""
    modules = _modules({event.ref: event.name for event, _ in described})
    files: dict[str, str] = {}
    refused: dict[str, str] = {}
    listed = []
    for number, (event, contract) in enumerate(described, 1):
        step(f"model {number} of {len(described)}")
        module, name = modules[event.ref], class_name(event.name)
        try:
            code = checked(generate(accepting(contract.schema), name))
        except UnsafeError as error:
            refused[event.name] = str(error)
            continue
        except Exception as error:  # noqa: BLE001 - the generator's own, of many kinds
            refused[event.name] = f"the generator failed with {type(error).__name__}"
            continue
        files[f"{module}.py"] = code if code.endswith("\n") else f"{code}\n"
        listed.append({"event": event.ref, "module": module, "class": name, "samples": contract.samples})
    files["__init__.py"] = _package(listed)
    index = {"format": FORMAT, "version": VERSION, "trace_id": trace_id, "files": sorted(files), "models": listed}
    files[INDEX] = text(index)
    return files, refused


def _modules(named: Mapping[str, str]) -> dict[str, str]:
    """Event id -> module; each another, also where file systems know no case."""
    made = {identity: module_name(stem) for identity, stem in stems(named).items()}
    often = Counter(made.values())
    return {
        identity: module if often[module] == 1 else f"{module}_{number}"
        for number, (identity, module) in enumerate(made.items(), 1)
    }


def _package(listed: Sequence[Mapping[str, Any]]) -> str:
    """What has every model by its event type's id."""
    imports = "".join(
        f"from . import {each['module']}\n" for each in sorted(listed, key=lambda each: str(each["module"]))
    )
    rows = "".join(f"    {each['event']!a}: {each['module']}.{each['class']},\n" for each in listed)
    about = '"""Models of messages that were seen."""'
    note = '"""By the id of the event type."""'
    return f"{HEADER}\n{about}\n\n{imports}\nMODELS = {{\n{rows}}}\n{note}\n"
