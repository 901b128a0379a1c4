"""harness/RECORD.md lists every field of the schema, and no other."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
from click.testing import CliRunner

from assay import record
from assay.cli import main

PAGE = Path(__file__).resolve().parents[1] / "RECORD.md"


def fields(schema: dict[str, Any], prefix: str = "") -> dict[str, bool]:
    """Returns the fields below a schema by their path, and whether they are always there."""
    found: dict[str, bool] = {}
    for part in (schema, schema.get("items", {}), *schema.get("oneOf", ())):
        for name, inner in part.get("properties", {}).items():
            found[prefix + name] = name in part.get("required", ()) and not schema.get("oneOf")
            found |= fields(inner, f"{prefix}{name}.")
    return found


def told() -> dict[str, dict[str, bool]]:
    """Returns the fields on the page by section. A row may have several."""
    sections: dict[str, dict[str, bool]] = {}
    for part in PAGE.read_text("utf-8").split("\n## ")[1:]:
        rows = re.findall(r"^\| (`[^|]+`) \| (✓?) *\|", part, re.MULTILINE)
        names = [(name, bool(always)) for words, always in rows for name in re.findall("`([^`]+)`", words)]
        assert len(dict(names)) == len(names)
        sections[part.partition("\n")[0].strip("`")] = dict(names)
    return sections


def test_the_page_has_every_field() -> None:
    schema = json.loads(CliRunner().invoke(main, ["schema"]).output)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:touchstone:{record.SCHEMA.replace('/', ':')}" and record.SCHEMA in schema["title"]
    wanted = {name: fields(part) for name, part in schema["$defs"].items() if fields(part)}
    assert told() == wanted


def test_the_page_has_every_verdict_and_version() -> None:
    schema = json.loads(CliRunner().invoke(main, ["schema"]).output)
    text = PAGE.read_text("utf-8")
    assert ", ".join(f"`{word}`" for word in schema["$defs"]["verdict"]["enum"]) in text
    versions = schema["$defs"]["header"]["properties"]["schema"]["enum"]
    assert re.findall(r"^\| (\d) \|", text, re.MULTILINE) == [name.partition("/")[2] for name in reversed(versions)]
