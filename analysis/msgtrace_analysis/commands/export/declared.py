"""`msgtrace export avro` and `protobuf`: the schemas that bodies were read with, as files that their own tools read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from msgtrace_analysis.commands.opening import db_option, opened
from msgtrace_analysis.commands.writing import check_own, index_of, put, take_away
from msgtrace_analysis.passes.declared_schemas import declared_schemas
from msgtrace_analysis.renderers.declared_files import MARKS, files

if TYPE_CHECKING:
    from collections.abc import Callable


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--force", is_flag=True, help="Write over files that are not msgtrace's."),
        click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("schemas"), show_default=True,
                     help="Folder to write to; made if missing."),
        db_option,
    ):  # fmt: skip
        option(command)
    return command


@click.command()
@_options
def avro(db: Path, out: Path, force: bool) -> None:  # noqa: FBT001 - click passes by name
    """Write the Avro schemas that bodies were read with, as a registry, a file or the body itself had them."""
    _write("avro", db, out, force=force)


@click.command()
@_options
def protobuf(db: Path, out: Path, force: bool) -> None:  # noqa: FBT001 - click passes by name
    """Write the Protobuf schemas that bodies were read with: .proto files, or descriptors where these are not known."""
    _write("protobuf", db, out, force=force)


def _write(kind: str, db: Path, out: Path, *, force: bool) -> None:
    with opened(db) as trace:
        declared = declared_schemas(trace, kind)
        ((identity,),) = trace.query("select cast(trace_id as varchar) from trace_file").to_pydict().values()
    if not declared:
        raise click.ClickException(
            f"no body of this trace was read with a declared {kind} schema; --schema-registry, --schemas and --message-type "
            "of `msgtrace run` say where schemas are"
        )
    written = files(declared, identity)
    if not force:
        for name in written:
            check_own(out / name, *MARKS)
    before = index_of(out, *MARKS)
    put({out / name: content for name, content in written.items()})
    take_away(out, before, written, MARKS)
    click.echo(f"{out}: {len(written) - 1} {kind} schemas", err=True)
