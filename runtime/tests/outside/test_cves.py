"""The table cves.tsv: public advisories of other runtimes, sandboxes and HTTP libraries, what went wrong there, and our test of it.

A test is FILE::FUNCTION, with [PARAMETER] where one parameter is about the advisory; FILE is here or in runtime/tests/*. Checked: the form
of the table, that every test exists, that every parameter is one, and that `make audit` runs every file that the table names.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import test_cves_core
import test_cves_http

ROOT = Path(__file__).resolve().parents[3]
TABLE = Path(__file__).with_name("cves.tsv")
COLUMNS = ["id", "product", "kind", "what went wrong", "test", "result", "note"]
ID = re.compile(r"CVE-(19|20)\d\d-\d{4,7}|GHSA(-[23456789cfghjmpqrvwx]{4}){3}")
KINDS = {
    "addresses", "code-generation", "components", "descriptors", "embedding", "exhaustion", "host-calls", "http-2", "http-client",
    "http-floods", "http-framing", "instances", "log", "paths", "permissions", "references", "strings", "tables", "tail-calls", "validation",
}  # fmt: skip
RESULTS = {"held", "fixed", "does not apply"}
PARAMETERS = {
    "test_a_request_is_one_or_none": set(test_cves_http.SMUGGLED),
    "test_a_flood_of_frames": {name.replace(" ", "_") for name in test_cves_http.FLOODS},
    "test_scripts": {script.stem for script in test_cves_core.SCRIPTS},
}


@dataclass(frozen=True)
class Row:
    """One advisory."""

    id: str
    product: str
    kind: str
    fault: str
    tests: tuple[str, ...]
    result: str
    note: str


def rows() -> list[Row]:
    head, *lines = TABLE.read_text(encoding="utf-8").splitlines()
    assert head.split("\t") == COLUMNS
    found = []
    for line in lines:
        cells = line.split("\t")
        assert len(cells) == len(COLUMNS), line
        found.append(Row(*cells[:4], tuple(cells[4].split()) if cells[4] != "-" else (), *cells[5:]))
    return found


ROWS = rows()


def source(name: str) -> Path | None:
    """The file of a test, None if there is none."""
    here = Path(__file__).with_name(name)
    found = [here] if here.exists() else sorted(ROOT.glob(f"runtime/tests/*/{name}"))
    return found[0] if len(found) == 1 else None


@cache
def functions(path: Path) -> set[str]:
    """The tests of a file: in C those that cmocka is given."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return {node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}
    defined = set(re.findall(r"^static void (\w+)\(void \*\*\w+\) \{", text, re.MULTILINE))
    return {name for name in defined if len(re.findall(rf"\b{name}\b", text)) > 1}


def test_the_table_is_whole() -> None:
    assert len(ROWS) >= 60
    assert not [name for name, n in Counter(row.id for row in ROWS).items() if n > 1]
    assert {row.kind for row in ROWS} == KINDS
    assert sum(row.result == "does not apply" for row in ROWS) <= 15


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_an_advisory_has_its_test(row: Row) -> None:
    assert ID.fullmatch(row.id) and row.product and row.result in RESULTS
    assert re.fullmatch(r".{20,160}\.", row.fault), row.fault
    assert bool(row.tests) != (row.result == "does not apply")
    assert row.note or row.result == "held"
    for test in row.tests:
        found = re.fullmatch(r"([\w.]+)::(\w+)(?:\[([\w.-]+)\])?", test)
        assert found, test
        path = source(found[1])
        assert path and found[2] in functions(path), test
        assert found[3] is None or found[3] in PARAMETERS[found[2]], test


def test_every_script_and_every_request_is_of_an_advisory() -> None:
    """What was written for the table is named in it."""
    named = {test.partition("[")[2].rstrip("]") for row in ROWS for test in row.tests}
    assert PARAMETERS["test_a_request_is_one_or_none"] <= named and PARAMETERS["test_scripts"] <= named


def test_the_audit_runs_every_file() -> None:
    audited = set(re.findall(r"`([\w.]+)`", "".join(re.findall(r"^\| [A-Z]\d+ .*$", (ROOT / "SECURITY.md").read_text(encoding="utf-8"), re.MULTILINE))))
    named = {test.partition("::")[0].removesuffix(".c") for row in ROWS for test in row.tests}
    assert not named - audited
