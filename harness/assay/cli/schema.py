"""`assay schema`: the JSON schema of a record, as the package has it.

In: nothing. Out: the schema on the standard output.
"""

from __future__ import annotations

from importlib import resources

import click


@click.command("schema")
def schema_command() -> None:
    """Print the JSON schema of the lines of a record (harness/RECORD.md explains the fields)."""
    text = resources.files("assay").joinpath("schemas/results.schema.json").read_text(encoding="utf-8")
    click.echo(text, nl=False)
