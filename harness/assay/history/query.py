"""Records and runs as tables of DuckDB, to be asked in SQL.

In: runs of stores; a SELECT. Out: names of columns and rows. The database is in memory and has no access to files.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..model import Verdict, interface_of, original, package_of
from .manifest import Run
from .rows import Case, Definition, Rows

NULL = "\x01"
"""Stands for NULL in the files that the tables are loaded from."""
TABLES = {
    "runs": "run VARCHAR, started TIMESTAMPTZ, finished TIMESTAMPTZ, harness VARCHAR, suite VARCHAR, kind VARCHAR, "
    "cases INTEGER, results INTEGER, partial VARCHAR",
    "runtimes": "run VARCHAR, runtime VARCHAR, base VARCHAR, version VARCHAR, note VARCHAR, digest VARCHAR, "
    "absent VARCHAR, reference BOOLEAN",
    "cases": "run VARCHAR, case_id VARCHAR, original VARCHAR, variant BOOLEAN, kind VARCHAR, title VARCHAR, "
    "interfaces VARCHAR",
    "checks": "run VARCHAR, unit VARCHAR, case_id VARCHAR, requirement VARCHAR, level VARCHAR, function VARCHAR, "
    "interface VARCHAR, package VARCHAR, since VARCHAR, text VARCHAR",
    "results": "run VARCHAR, started TIMESTAMPTZ, runtime VARCHAR, base VARCHAR, version VARCHAR, unit VARCHAR, "
    "case_id VARCHAR, requirement VARCHAR, variant BOOLEAN, level VARCHAR, function VARCHAR, interface VARCHAR, "
    "verdict VARCHAR, unexpected BOOLEAN, expected VARCHAR, expected_reason VARCHAR, value VARCHAR, detail VARCHAR, "
    "ending VARCHAR, duration DOUBLE, cpu DOUBLE, peak_kib BIGINT",
}
"""The tables: a row for each run, each runtime of a run, each case, each check of a case, and each unit of a result."""


class QueryError(Exception):
    """A query that cannot be run, or a database that is absent."""


@dataclass(frozen=True)
class Answer:
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def ask(sources: Sequence[tuple[Rows, Run]], sql: str) -> Answer:
    """Runs one SELECT over these runs. Raises QueryError with the words of DuckDB."""
    try:
        import duckdb
    except ImportError:
        raise QueryError("DuckDB is absent: pip install 'touchstone-assay[query]' (or duckdb)") from None
    connection = duckdb.connect(":memory:")
    try:
        statements = connection.extract_statements(sql)
        kinds = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)
        if len(statements) != 1 or statements[0].type not in kinds:
            raise QueryError("write one SELECT: the tables are made anew for each query, and nothing else is kept")
        _fill(connection, sources)
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        done = connection.execute(sql)
        return Answer(tuple(column[0] for column in done.description or ()), tuple(done.fetchall()))
    except duckdb.Error as error:
        raise QueryError(str(error).strip()) from None
    finally:
        connection.close()


def _fill(connection: Any, sources: Sequence[tuple[Rows, Run]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        for table, columns in TABLES.items():
            path = Path(name) / f"{table}.csv"
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
                for rows, run in sources:
                    writer.writerows(
                        [NULL if cell is None else cell for cell in row] for row in _ROWS[table](rows, run)
                    )
            connection.execute(f"CREATE TABLE {table} ({columns})")
            connection.execute(
                f"COPY {table} FROM '{path}' (FORMAT csv, HEADER false, AUTO_DETECT false, DELIMITER ',', QUOTE '\"', "
                f"ESCAPE '\"', NULLSTR '{NULL}', PARALLEL false)"
            )


def _runs(rows: Rows, run: Run) -> Iterator[tuple[object, ...]]:
    about = run.about
    suite = about["suite"]
    yield (
        run.name, run.started, about.get("finished") or None, about["harness"], suite["name"], suite["kind"],
        suite["cases"], about["results"], run.partial or None,
    )  # fmt: skip


def _runtimes(rows: Rows, run: Run) -> Iterator[tuple[object, ...]]:
    for item in run.runtimes:
        words = [item.get(key) or None for key in ("version", "note", "digest", "absent")]
        yield (run.name, item["name"], _base(item["name"]), *words, bool(item.get("reference")))


def _cases(rows: Rows, run: Run) -> Iterator[tuple[object, ...]]:
    for case in rows.cases(run):
        whole = original(case.id) if case.variant else case.id
        yield run.name, case.id, whole, case.variant, case.kind, case.title, ", ".join(case.interfaces)


def _checks(rows: Rows, run: Run) -> Iterator[tuple[object, ...]]:
    for case in rows.cases(run):
        for check in case.checks:
            interface = interface_of(check.function)
            yield (
                run.name, f"{case.id}#{check.id}", case.id, check.id, check.level.value, check.function, interface,
                package_of(interface), check.since, check.text,
            )  # fmt: skip


def _results(rows: Rows, run: Run) -> Iterator[tuple[object, ...]]:
    cases = {case.id: case for case in rows.cases(run)}
    checks = {(case.id, check.id): check for case in cases.values() for check in case.checks}
    for runtime in run.present:
        head = (run.name, run.started, runtime["name"], _base(runtime["name"]), runtime.get("version") or None)
        times = rows.times(run, runtime["name"])
        for result, (wall, cpu, peak) in zip(rows.results(run, runtime["name"]), times, strict=True):
            ran = not result.reason and result.verdict is not Verdict.SKIP
            tail = (result.ending, wall if ran else None, cpu if ran else None, int(peak) if ran else None)
            for unit in result.units:
                expected = unit.expected
                yield (
                    *head, f"{result.case}#{unit.id}", result.case, unit.id,
                    *_about(cases[result.case], checks.get((result.case, unit.id))),
                    unit.verdict.value, unit.unexpected,
                    "/".join(item.value for item in expected.statuses) if expected else None,
                    expected.reason if expected else None, unit.value, unit.detail or None, *tail,
                )  # fmt: skip


def _about(case: Case, check: Definition | None) -> tuple[object, ...]:
    """Returns whether the case is a variant, and the level, function and interface of a check."""
    if check is None:
        return case.variant, None, None, None
    return case.variant, check.level.value, check.function, interface_of(check.function)


def _base(name: str) -> str:
    return name.partition("@")[0]


_ROWS = {"runs": _runs, "runtimes": _runtimes, "cases": _cases, "checks": _checks, "results": _results}


def runs_of(every: Iterable[Rows]) -> list[tuple[Rows, Run]]:
    """Returns the runs of several stores, the oldest first; one that several have counts once."""
    found = {run.name: (rows, run) for rows in every for run in rows.store.runs()}
    return [found[name] for name in sorted(found)]
