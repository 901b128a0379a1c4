"""The site: its files, their sizes, its counts beside those of the report, its queries, and `assay site`."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import made
import pytest
from click.testing import CliRunner

from assay import record as records
from assay.cli import main
from assay.cli.site import label_of
from assay.model import Basis, Divergence, Verdict
from assay.record import Record
from assay.report import site
from assay.report.count import NUMBERS
from assay.report.site.files import parts, slug, stems
from assay.report.site.history import names, short
from assay.report.site.pages import FIRST
from assay.report.view import build

NODE = shutil.which("node") or str(Path(sys.executable).parent / "node")
TEMPLATES = Path(site.__file__).parent / "templates"
VERSIONS = ("0.2.1", "0.2.2", "without-openat2")
LIMIT = 300_000
"""Bytes of the first page, and of any file of data."""


def files_of(record: Record, **more: Any) -> dict[str, bytes]:
    return dict(site.render(site.Source(record, **more)))


def history_of(**runs: Record) -> site.History:
    builder = site.Builder()
    for name, record in runs.items():
        builder.add_record(name, record)
    return builder.made


def data_of(files: Mapping[str, bytes], key: str) -> Any:
    text = files[f"data/{key}.js"].decode()
    assert text.startswith(f'assayData("{key}",') and text.endswith(");\n")
    return json.loads(text[len(f'assayData("{key}",') : -3])


def node(program: str, value: object) -> Any:
    """Runs a program with what it reads as `given`. Returns what it prints, as JSON."""
    text = f'const given = JSON.parse(require("fs").readFileSync(0, "utf8"));\n{program}'
    done = subprocess.run([NODE, "-e", text], input=json.dumps(value), capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def test_the_same_record_makes_the_same_files() -> None:
    record = made.many(versions=VERSIONS)
    assert files_of(record) == files_of(record)


def test_each_file_of_data_has_its_key_and_no_tag() -> None:
    files = files_of(made.record(), history=history_of(a=made.record()))
    keys = [path[len("data/") : -len(".js")] for path in files if path.startswith("data/")]
    assert {"summary", "versions", "cases-0", "interface-wasi-cli-environment-0", "case-p2-cli-arguments"} <= set(keys)
    for key in keys:
        data_of(files, key)
        assert b"<" not in files[f"data/{key}.js"]
    assert set(FIRST) < set(files)


def test_names_of_a_record_never_become_paths() -> None:
    names = ["../../evil", "a/b", "A/b", "a-b", ".hidden", "x" * 500, "</script>", "ä\ud800"]
    found = stems(names)
    assert len({stem.lower() for stem in found.values()}) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_.~-]{1,130}", stem) for stem in found.values())
    assert (found["a/b"], found["A/b"], found["a-b"]) == ("a-b", "A-b~2", "a-b~3")
    results = [made.result("r", name) for name in names]
    files = files_of(made.record(*results))
    assert all(re.fullmatch(r"(data/)?[A-Za-z0-9_.~-]+", path) and ".." not in path.split("/") for path in files)
    assert data_of(files, "summary")["renamed"] == {name: found[name] for name in names if slug(name) != found[name]}


def test_parts_keep_the_order_and_the_limit() -> None:
    rows = [["x" * n] for n in (10, 10, 500, 10)]
    assert parts(rows, 40) == [rows[:2], rows[2:3], rows[3:]]
    assert parts([], 40) == []


def test_sizes_of_twenty_runtimes_two_thousand_checks_and_a_hundred_runs() -> None:
    record = made.many(20, 200, 10, VERSIONS[:1])
    runs = tuple(site.HistoryRun(f"run-{n}", "2026-11-21T00:00:00+00:00", {"runtime-0": f"1.{n}"}) for n in range(100))
    strips = {
        (result.case, unit.id, result.runtime): "P" * (40 + n % 20) + "F" * (60 - n % 20)
        for result in record.results
        for n, unit in enumerate(result.units)
    }
    files = files_of(record, history=site.History(runs, strips))
    assert sum(len(case.checks) for case in record.cases if not case.variant) == 2000 and len(record.present) == 20
    assert sum(len(files[path]) for path in FIRST) < LIMIT
    large = {path: len(content) for path, content in files.items() if len(content) >= LIMIT}
    assert not large
    history = data_of(files, "case-p2-package-0-case-0")["history"]
    assert len(history) == 11 and history[0][1][0] == "P40F60" and len(history[0][1]) == 20
    assert len(data_of(files, "runs")) == 100 and data_of(files, "summary")["runs"] == 100


def test_a_large_interface_is_in_several_files() -> None:
    record = made.many(3, 60, 40)
    same = tuple(
        replace(
            info,
            interfaces=("wasi:a/b",),
            checks=tuple(replace(check, function="wasi:a/b.f", text=check.text * 10) for check in info.checks),
        )
        for info in record.cases
    )
    files = files_of(replace(record, cases=same))
    ((name, stem, count, *_),) = data_of(files, "summary")["interfaces"]
    objects = [data_of(files, f"interface-{stem}-{n}") for n in range(count)]
    assert name == "wasi:a/b" and count > 2
    assert all(len(files[f"data/interface-{stem}-{n}.js"]) < LIMIT for n in range(count))
    rows = [row for one in objects for row in one["rows"]]
    assert len([row for row in rows if row[2] < 3]) == 30 * 40 and len([row for row in rows if row[2] == 3]) == 60


COUNT = """
const vm = require("vm");
const made = vm.runInNewContext(given.code + ";({unpack, countRow, sum, total, NUMBERS})", {});
const counts = columns => given.objects.map(parts => {
  const rows = parts.flatMap(made.unpack);
  return columns.map(column => made.NUMBERS.map(name => made.sum(rows.map(row => made.countRow(row, column)))[name]));
});
const runtimes = given.runtimes, versions = given.versions;
console.log(JSON.stringify({
  numbers: made.NUMBERS,
  plain: counts(runtimes.map(runtime => ({runtime, version: -1}))),
  at: versions.map(version => counts(runtimes.map(runtime => ({runtime, version})))),
}));
"""


def test_the_pages_count_as_the_report_does() -> None:
    """The counts that the site makes of rows are those that Python makes of units, at each version too."""
    record = made.many(3, 24, 9, VERSIONS)
    view, files = build(record), files_of(record)
    summary = data_of(files, "summary")
    objects = [
        [data_of(files, f"interface-{stem}-{n}") for n in range(count)] for _, stem, count, *_ in summary["interfaces"]
    ]
    code = (TEMPLATES / "count.js").read_text(encoding="utf-8")
    given = {"code": code, "objects": objects, "runtimes": [0, 1, 2], "versions": list(range(len(summary["versions"])))}
    told = node(COUNT, given)
    assert tuple(told["numbers"]) == NUMBERS
    whole = [[counts + [0] * (len(NUMBERS) - len(counts)) for counts in row[3]] for row in summary["interfaces"]]
    assert told["plain"] == whole
    assert any(counts[-1] for row in whole for counts in row)  # something is unexpected
    assert summary["versions"] == ["0.2.0", *VERSIONS]
    names = [row[0] for row in summary["interfaces"]]
    for place in range(len(summary["versions"])):
        for r, item in enumerate(view.summaries):
            table = {name: counts[place] for name, counts in item.versions.rows}
            for name, counts in zip(names, told["at"][place], strict=True):
                mine = dict(zip(NUMBERS, counts[r], strict=True))
                wanted = table.get(name)
                sums = [getattr(wanted, key) if wanted else 0 for key in NUMBERS[:6]]
                assert [mine[key] for key in NUMBERS[:6]] == sums, (name, place, r)


QUERY = """
const query = require(given.path);
console.log(JSON.stringify(given.queries.map(text => {
  const compiled = query.compile(text, {runtimes: given.runtimes, versions: given.versions});
  if (compiled.error) return {error: compiled.error, at: compiled.at};
  const rows = given.rows.map(row => ({...row, results: all => (all ? row.at : [row.base]).flatMap((string, n) => Array.from(string, (letter, runtime) => ({letter, runtime, version: all ? n : -1})))}));
  return rows.filter(row => compiled.match(row)).map(row => [row.case, compiled.hits(row)]);
})));
"""
RUNTIMES, AT = ["touchstone", "wasmtime", "wasmtime-py", "jco"], ["0.2.0", "0.2.1"]


def row(case: str, base: str, at: Sequence[str] = (), level: int = 0, **more: object) -> dict[str, object]:
    plain = {
        "interface": "wasi:filesystem/types",
        "package": "wasi:filesystem",
        "function": "[method]descriptor.open-at",
        "requirement": f"filesystem.open-at.{case}",
        "since": "0.2.0",
        "words": f"open-at of {case}: returns ok",
        "differs": len(set(base)) > 1,
    }
    return {**plain, "case": case, "base": base, "at": list(at), "level": level, **more}


ROWS = [
    row("good", "PPPP", ["PPPP", "PPPF"]),
    row("bad", "PPFF"),
    row("swap", "PFPP"),
    row("crash", "PPPc", function="[method]descriptor.read", level=1),
    row("left", "PPSS", interface="wasi:io/streams", package="wasi:io", level=2),
    row("nowhere", "FFFF", words="a text file busy"),
]
EVERY = ["good", "bad", "swap", "crash", "left", "nowhere"]
QUERIES = {
    "": EVERY,
    "runtime:jco verdict:fail": ["bad", "nowhere"],
    "runtime:jco verdict:fail level:must function:descriptor.open-at": ["bad", "nowhere"],
    "runtime:jco and verdict:FAIL": ["bad", "nowhere"],
    "jco:fail wasmtime:pass": ["bad"],
    "(runtime:jco verdict:fail) (runtime:wasmtime verdict:pass)": ["bad"],
    "runtime:jco verdict:fail runtime:wasmtime verdict:pass": [],
    "runtime:jco (verdict:fail or verdict:crash)": ["bad", "crash", "nowhere"],
    "runtime:jco verdict:fail,crash": ["bad", "crash", "nowhere"],
    "runtime:jco verdict:!pass": ["bad", "crash", "left", "nowhere"],
    "runtime:jco not verdict:pass": ["bad", "crash", "left", "nowhere"],
    "runtime:jco -verdict:pass": ["bad", "crash", "left", "nowhere"],
    "not (runtime:jco verdict:fail)": ["good", "swap", "crash", "left"],
    "runtime:!jco verdict:fail": ["bad", "swap", "nowhere"],
    "runtime:wasmtime* verdict:fail": ["bad", "swap", "nowhere"],
    "wasmtime-py:fail": ["bad", "nowhere"],
    "none(verdict:pass)": ["nowhere"],
    "all(verdict:pass)": ["good"],
    "all(verdict:pass or verdict:skip)": ["good", "left"],
    "any(verdict:fail) any(verdict:pass)": ["bad", "swap"],
    "unexpected:yes": ["crash"],
    "unexpected:no runtime:jco verdict:crash": [],
    "level:should or level:recorded": ["crash", "left"],
    "package:io": ["left"],
    "interface:wasi:io/streams": ["left"],
    "function:*.read": ["crash"],
    "requirement:open-at.s": ["swap"],
    "case:good,bad": ["good", "bad"],
    "differs:no": ["good", "nowhere"],
    '"text file"': ["nowhere"],
    "TEXT busy": ["nowhere"],
    "wasi:io": ["left"],
    "runtime:jco verdict:fail version:0.2.1": ["good"],
    "runtime:jco verdict:fail version:0.2.0": [],
    "verdict:fail version:*": ["good"],
    "good or bad swap": ["good"],
    "(good or bad) jco:pass": ["good"],
    "not not good": ["good"],
}
ERRORS = {
    "(runtime:jco": ("a parenthesis is not closed", 0),
    "runtime:jco )": ('there is no "(" before this ")"', 12),
    "good or": ("a term is missing at the end", 7),
    "or good": ('a term is missing before "or"', 0),
    "good ()": ("there is nothing between the parentheses", 5),
    'say "good': ("a quotation mark is not closed", 4),
    "verdict:bad": ("verdict: no bad; there are pass, skip, unsupported, flaky, fail, timeout, crash, error, none", 0),
    "good runtime:joc": ("runtime: no joc; there are touchstone, wasmtime, wasmtime-py, jco", 5),
    "version:0.2.9": ("version: no 0.2.9; there are 0.2.0, 0.2.1", 0),
    "unexpected:maybe": ("unexpected: yes or no", 0),
    "level:": ("level: a word is missing", 0),
    "constructor:x": ("constructor: is no key", 0),
    "verdict:constructor": ("verdict: no constructor", 0),
}


def test_queries() -> None:
    given = {
        "path": str(TEMPLATES / "query.js"),
        "queries": [*QUERIES, *ERRORS],
        "rows": ROWS,
        "runtimes": RUNTIMES,
        "versions": AT,
    }
    told = node(QUERY, given)
    found = {query: [case for case, _ in one] for query, one in zip(QUERIES, told, strict=False)}
    assert found == QUERIES
    for (query, (words, at)), one in zip(ERRORS.items(), told[len(QUERIES) :], strict=True):
        assert one["error"].startswith(words) and one["at"] == at, query
    hits = dict(told[list(QUERIES).index("runtime:wasmtime* verdict:fail")])
    assert hits == {"bad": [2], "swap": [1], "nowhere": [1, 2]}


def test_what_the_file_of_a_case_has() -> None:
    bases = {
        made.CHECK: Basis("wit", (("cli/environment#a.1", "Get <it>."), ("cli/environment#b.1", "")), ("https://x#L1", ""))
    }
    divergences = {
        made.CHECK: Divergence("A title", "touchstone", "Why.", {"jco": "no", "other": "x"}, ("https://thread",))
    }
    files = files_of(made.record(), bases=bases, divergences=divergences)
    data = data_of(files, "case-p2-cli-arguments")
    assert data["links"] == {"cli/environment#a.1": "https://x#L1"}
    known = data["divergences"][made.CHECK]
    assert known["does"] == {"jco": "no"} and known["links"] == ["https://thread"]
    texts = [data["texts"][check[0]] for check in data["checks"]]
    assert texts == [made.CHECK, made.CHOICE] and "history" not in data
    runtime, calls, text = data["case"]["trace"]
    assert (data["texts"][runtime], calls) == ("touchstone", 1) and "get-arguments" in data["texts"][text]


def test_versions_of_a_runtime_in_several_runs_are_its_history() -> None:
    builder = site.Builder()
    for run, columns in (("one", "P"), ("two", "F"), ("three", "PF")):
        verdicts = {f"wasmtime@{4 + len(run)}{i}": Verdict.PASS if letter == "P" else Verdict.FAIL for i, letter in enumerate(columns)}
        run_of = site.HistoryRun(run, run, {name: f"wasmtime {name}" for name in verdicts})
        builder.add(run_of, [("p2/c", "u", name, verdict) for name, verdict in verdicts.items()])
    history = builder.made
    assert [dict(run.versions) for run in history.runs[:2]] == [{"wasmtime": "wasmtime wasmtime@70"}] * 2
    assert history.strip("p2/c", "u", "wasmtime@99") == "PF."  # also of a version that no run has
    assert history.strip("p2/c", "u", "wasmtime@90") == ".2P"
    assert history.strip("p2/c", "u", "wasmtime@91") == ".2F"


def test_history_of_records() -> None:
    good, bad = made.record(), made.record(made.result("touchstone", verdict=Verdict.FAIL))
    history = history_of(one=bad, two=good, three=good)
    assert [run.id for run in history.runs] == ["one", "two", "three"]
    assert history.strip("p2/cli/arguments", made.CHECK, "touchstone") == "FP2"
    assert history.strip("p2/cli/arguments", made.CHECK, "wasmtime") == ".P2"
    assert history.strip("p2/cli/arguments", "no such", "wasmtime") == ""
    assert short("PPPF..p") == "P3F.2p"


def test_a_person_can_tell_runs_by_their_names() -> None:
    def run(date: str, label: str = "", name: str = "a") -> site.HistoryRun:
        return site.HistoryRun(name, f"2026-11-{date}+00:00", {}, label, "p2")

    first, second, third = "01T10:00:00", "02T10:00:00", "02T10:00:30"
    assert names([run(first), run(second, "before"), run(third)]) == ("run of 2026-11-01 10:00", "before", "run of 2026-11-02 10:00")
    assert names([run(second), run(third)]) == ("run of 2026-11-02 10:00:00", "run of 2026-11-02 10:00:30")
    assert names([run(first, "x"), run(second, "x")]) == ("x, 2026-11-01 10:00", "x, 2026-11-02 10:00")
    assert names([run(first, "x", "a"), run(first, "x", "b")]) == ("x, 2026-11-01 10:00:00, a", "x, 2026-11-01 10:00:00, b")
    assert names([]) == ()
    many = site.HistoryRun("one/results.jsonl", "", {f"r{n}": "1" for n in range(8)}, suite="p2")
    assert many.words == "p2 on r0, r1, r2, r3, r4, r5 and 2 more; one/results.jsonl"


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("reports/latest/results.jsonl", ""),
        ("results.jsonl", ""),
        ("one/results.jsonl", "one"),
        ("one/night.jsonl", "night"),
        ("reports/example.jsonl", "example"),
    ],
)
def test_the_path_of_a_record_labels_its_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, label: str) -> None:
    monkeypatch.chdir(tmp_path)
    assert label_of(Path(path)) == label == label_of(tmp_path / path)


def invoke(*argv: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(main, [str(word) for word in argv])
    return done.exit_code, done.output


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    path = tmp_path / "results.jsonl"
    records.write(made.record(), path)
    return path


def test_the_command_writes_over_a_site_and_nothing_else(tmp_path: Path, recorded: Path) -> None:
    folder = tmp_path / "site"
    for _ in range(2):
        status, output = invoke("site", recorded, "--output", folder)
        assert status == 0 and re.search(r"index\.html: \d+ files, [\d,]+ bytes", output), output
        assert (folder / "data/case-p2-cli-arguments.js").is_file() and not (folder / "data/stale.js").exists()
        (folder / "data/stale.js").write_text("", encoding="utf-8")
    other = tmp_path / "other"
    other.mkdir()
    (other / "index.html").write_text("mine", encoding="utf-8")
    status, output = invoke("site", recorded, "--output", other)
    assert status == 2 and "has other files" in output
    assert (other / "index.html").read_text(encoding="utf-8") == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "results.jsonl", "site"]


def test_the_newest_of_several_records_is_shown(tmp_path: Path, recorded: Path) -> None:
    older = tmp_path / "older.jsonl"
    bad = made.record(made.result("touchstone", verdict=Verdict.FAIL))
    records.write(replace(bad, started="2026-10-01T00:00:00+00:00"), older)
    status, output = invoke("site", recorded, older, "--output", tmp_path / "site")
    assert status == 0, output
    files = {f"data/{path.name}": path.read_bytes() for path in (tmp_path / "site/data").iterdir()}
    assert [run[0] for run in data_of(files, "runs")] == ["older", tmp_path.name]
    assert data_of(files, "runs")[0][3] == f"p2 on touchstone; {tmp_path.name}/older.jsonl"
    assert len(data_of(files, "summary")["runtimes"]) == 3
    history = dict(data_of(files, "case-p2-cli-arguments")["history"])
    assert history[made.CHECK] == ["FP", ".P", ".F"]


def test_a_site_needs_a_record_of_cases(tmp_path: Path) -> None:
    status, output = invoke("--root", tmp_path, "site")
    assert status == 2 and "results.jsonl" in output
    (tmp_path / "broken.jsonl").write_text("{", encoding="utf-8")
    assert invoke("site", tmp_path / "broken.jsonl", "--output", tmp_path / "site")[0] == 2


def test_the_kept_history_is_the_history_of_the_site(tmp_path: Path, recorded: Path) -> None:
    older, kept = tmp_path / "older.jsonl", tmp_path / "kept"
    bad = made.record(made.result("touchstone", verdict=Verdict.FAIL))
    records.write(replace(bad, started="2026-10-01T00:00:00+00:00"), older)
    for path in (older, recorded):  # the record itself may be kept too
        status, output = invoke("history", "add", path, "--history", kept)
        assert status == 0, output
    status, output = invoke("site", recorded, "--output", tmp_path / "site", "--history", kept)
    assert status == 0, output
    files = {f"data/{path.name}": path.read_bytes() for path in (tmp_path / "site/data").iterdir()}
    runs = data_of(files, "runs")
    assert [run[0] for run in runs] == ["run of 2026-10-01 00:00", tmp_path.name]
    assert re.fullmatch(r"p2 on touchstone; history:20261001T000000-[0-9a-f]{12}", runs[0][3])
    assert dict(data_of(files, "case-p2-cli-arguments")["history"])[made.CHECK] == ["FP", ".P", ".F"]
