"""`msgtrace export`: what a trace tells, in other tools' forms. One subcommand a file, loaded on use."""

from __future__ import annotations

from typing import Final

import click

from msgtrace.command_line import Commands, Entry

FORMS: Final[dict[str, Entry]] = {
    "asyncapi": Entry(f"{__name__}.asyncapi:asyncapi", "AsyncAPI 3.1 documents of the system and of each service."),
    "otlp": Entry(f"{__name__}.otlp:otlp", "Spans and metrics, to what takes OpenTelemetry's protocol."),
    "jsonschema": Entry(f"{__name__}.jsonschema:jsonschema", "A JSON Schema file for each event type and version."),
    "pydantic": Entry(f"{__name__}.pydantic:pydantic", "A pydantic model for each event type."),
    "avro": Entry(f"{__name__}.declared:avro", "The Avro schemas that bodies were read with."),
    "protobuf": Entry(f"{__name__}.declared:protobuf", "The Protobuf schemas that bodies were read with."),
    "alerts": Entry(f"{__name__}.alerts:alerts", "Alert rules for Prometheus, from what was usual."),
}
"""In the order in which help lists them."""


@click.group(cls=Commands, entries=FORMS)
def export() -> None:
    """Write what a trace tells in the form that another tool reads."""
