"""`assay query`: each query of QUERIES.md, what SQL may not do, and the forms of the answer."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import made
import pytest
from click.testing import CliRunner, Result

from assay import record
from assay.cli import main
from assay.history import Memory, Store
from assay.history.query import TABLES, Answer, QueryError, ask, runs_of
from assay.history.rows import Rows
from assay.model import CaseResult, Expected, Verdict
from assay.record import Record

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "harness/QUERIES.md").read_text(encoding="utf-8")
QUERIES = dict(re.findall(r"^## ([^\n]+)\n.*?```sql\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL))
P, F, FLAKY = Verdict.PASS, Verdict.FAIL, Verdict.FLAKY
FUNCTION = "wasi:cli/environment.get-arguments"


def result(runtime: str, case: str, verdict: Verdict, value: str = "none", wall: float = 0.1) -> CaseResult:
    drawn = made.result(runtime, case, verdict, value)
    unit = drawn.units[0]
    if verdict is F and runtime == "jco":
        unit = replace(unit, expected=Expected((F,), "a reason, with a comma\nand \"quotes\""))
    return replace(
        drawn, units=(unit, *drawn.units[1:]), observation=replace(drawn.observation, wall=wall)
    )


def run(day: int, version: str, x: Verdict, y: Verdict) -> Record:
    drawn = made.record(
        result("touchstone", "p2/x", P), result("wasmtime", "p2/x", x, wall=3.5), result("jco", "p2/x", F),
        result("touchstone", "p2/y", P), result("wasmtime", "p2/y", y), result("jco", "p2/y", P, value="/home"),
    )  # fmt: skip
    runtimes = tuple(
        replace(item, version=f"wasmtime {version}") if item.name == "wasmtime" else item for item in drawn.runtimes
    )
    return replace(drawn, started=f"2026-11-{day:02}T00:00:00+00:00", runtimes=runtimes)


def text_of(drawn: Record) -> str:
    return "".join(f"{line}\n" for line in record.lines(drawn))


RUNS = [run(1, "48.0.2", P, P), run(2, "48.0.2", P, FLAKY), run(3, "49.0.4", F, P)]
X, Y = f"p2/x#{made.CHECK}", f"p2/y#{made.CHECK}"
EXPECTED: dict[str, Callable[[list[dict[str, Any]]], bool]] = {
    "MUSTs that fail on every runtime but touchstone": lambda rows: rows
    == [{"unit": X, "function": FUNCTION, "verdicts": "jco FAIL, touchstone PASS, wasmtime FAIL"}],
    "Functions that no other runtime passes as a whole": lambda rows: rows == [{"function": FUNCTION, "runtimes": 2}],
    "The slowest cases": lambda rows: rows[0]
    == {"case_id": "p2/x", "runtime": "wasmtime", "seconds": 3.5, "peak_kib": 5120}
    and len(rows) == 6,
    "What changed between two versions of a runtime": lambda rows: [
        (row["unit"], row["before"], row["after"]) for row in rows
    ]
    == [(X, "PASS", "FAIL"), (Y, "FLAKY", "PASS")],
    "The flakiest checks": lambda rows: [(row["unit"], row["verdicts"], row["flaky"], row["runs"]) for row in rows]
    == [(Y, 2, 1, 2)],
    "How far two runtimes agree": lambda rows: [tuple(row.values()) for row in rows]
    == [("jco", "touchstone", 6, 66.7), ("jco", "wasmtime", 6, 83.3), ("touchstone", "wasmtime", 6, 83.3)],
    "Coverage of each interface": lambda rows: rows
    == [{"interface": "wasi:cli/environment", "functions": 2, "requirements": 2, "musts": 1, "cases": 2}],
    "When a check that once passed failed first": lambda rows: [(row["unit"], row["version"]) for row in rows]
    == [(Y, "wasmtime 48.0.2"), (X, "wasmtime 49.0.4")],
    "Where the text is silent and runtimes differ": lambda rows: rows
    == [{"unit": f"p2/y#{made.CHOICE}", "different": 2, "seen": "jco: /home, touchstone: none, wasmtime: none"}],
    "The announced failures, by reason": lambda rows: rows
    == [
        {
            "base": "jco", "expected_reason": 'a reason, with a comma\nand "quotes"', "expected": "FAIL", "units": 1,
            "not_as_announced": 0,
        }
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def sources() -> list[tuple[Rows, Any]]:
    store = Store(Memory())
    for drawn in RUNS:
        store.add(text_of(drawn))
    return runs_of([Rows(store)])


def test_the_page_has_ten_queries() -> None:
    assert len(QUERIES) == 10 and QUERIES.keys() == EXPECTED.keys()


@pytest.mark.parametrize("name", list(QUERIES))
def test_a_query_of_the_page(name: str, sources: list[tuple[Rows, Any]]) -> None:
    answer = ask(sources, QUERIES[name])
    rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    assert EXPECTED[name](rows), rows


def test_the_page_names_every_column() -> None:
    for table, columns in TABLES.items():
        (line,) = (line for line in PAGE.splitlines() if line.startswith(f"| `{table}` |"))
        assert re.findall(r"`(\w+)`", line)[1:] == [column.split()[0] for column in columns.split(", ")]


def test_tables_hold_what_the_records_hold(sources: list[tuple[Rows, Any]]) -> None:
    def one(sql: str) -> Any:
        return ask(sources, sql).rows[0][0]

    units = sum(len(item.units) for drawn in RUNS for item in drawn.results)
    assert one("SELECT count(*) FROM results") == units == 54
    assert one("SELECT count(*) FROM runs WHERE partial IS NULL AND year(started) = 2026") == 3
    assert one("SELECT count(*) FROM runtimes WHERE absent = 'not <installed>'") == 3
    assert one("SELECT text FROM checks WHERE level = 'must' LIMIT 1") == "Get the <arguments>."
    assert one("SELECT count(*) FROM cases WHERE NOT variant AND interfaces = 'wasi:cli/environment'") == 6


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT * FRM runs", "syntax error"),
        ("SELECT nothing FROM runs", "nothing"),
        ("SELECT * FROM read_csv('/etc/hostname')", "disabled by configuration"),
        ("SELECT * FROM '/etc/hostname'", "does not exist"),
        ("SELECT 1; SELECT 2", "write one SELECT"),
        ("DROP TABLE runs", "write one SELECT"),
        ("COPY runs TO '/tmp/never'", "write one SELECT"),
        ("SET enable_external_access = true", "write one SELECT"),
        ("ATTACH '/tmp/never.db'", "write one SELECT"),
        ("", "write one SELECT"),
    ],
)
def test_what_sql_may_not_do(sql: str, words: str, sources: list[tuple[Rows, Any]]) -> None:
    with pytest.raises(QueryError, match=re.escape(words)):
        ask(sources, sql)


def query(folder: Path, *argv: str) -> Result:
    return CliRunner().invoke(main, ["--root", str(folder), "query", *argv])


def test_the_command(tmp_path: Path) -> None:
    paths = []
    for number, drawn in enumerate(RUNS):
        paths.append(tmp_path / f"{number}.jsonl")
        paths[-1].write_text(text_of(drawn), encoding="utf-8")
    sql = "SELECT run, count(*) AS units FROM results GROUP BY run ORDER BY run"
    done = query(tmp_path, sql, *map(str, paths), "--format", "json")
    assert done.exit_code == 0, done.output
    assert [row["units"] for row in json.loads(done.output)] == [18, 18, 18]
    assert CliRunner().invoke(main, ["--root", str(tmp_path), "history", "add", *map(str, paths[:2])]).exit_code == 0
    done = query(tmp_path, sql, "--format", "csv")
    assert [row[1] for row in csv.reader(io.StringIO(done.output))] == ["units", "18", "18"]
    both = query(tmp_path, sql, *map(str, paths[1:]), "--history", str(tmp_path / "reports/history"))
    assert both.output.endswith("3 rows\n") and "units" in both.output  # a run that is in both counts once
    assert "results(run VARCHAR" in query(tmp_path, "--tables").output
    for argv, words in (
        ((), "a query is missing"),
        (("SELECT * FRM runs",), 'syntax error at or near "'),
        (("SELECT 1", "--history", str(tmp_path / "empty")), "there is no run in this history"),
        (("SELECT 1", str(ROOT / "README.md")), "README.md: line 1 is not JSON"),
    ):
        done = query(tmp_path, *argv)
        assert done.exit_code == 2 and words in done.output, done.output


def test_without_duckdb(monkeypatch: pytest.MonkeyPatch, sources: list[tuple[Rows, Any]]) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(QueryError, match="pip install"):
        ask(sources, "SELECT 1")


def test_the_example_in_reports() -> None:
    store = Store(Memory())
    store.add((ROOT / "reports/example.jsonl").read_bytes().decode())
    answer: Answer = ask(runs_of([Rows(store)]), "SELECT runtime FROM results GROUP BY runtime ORDER BY runtime")
    assert [row[0] for row in answer.rows] == ["jco", "touchstone", "wasmtime"]
