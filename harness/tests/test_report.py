"""Reports from a record: JUnit, Markdown, and the page, also in headless Chromium."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import made
import pytest

from assay import report
from assay.model import Basis, Verdict
from assay.record import Record, RuntimeInfo
from assay.record.summary import ScriptCount, ScriptSummary
from assay.report.case import show_bytes
from assay.report.count import Count
from assay.report.view import SYMBOLS, build

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WAST = ScriptSummary("touchstone 1", (ScriptCount("core", 2, 1, 30, 20, 5, 1, 4),), (), ())


def test_view_counts() -> None:
    view = build(made.record())
    row = view.packages[0].interfaces[0]
    assert row.name == "wasi:cli/environment"
    assert [(count.passed, count.total) for count in row.counts] == [(1, 1), (1, 1), (0, 1)]
    assert [(count.values, count.runs) for count in row.counts] == [(1, 1)] * 3
    assert [count.state for count in row.counts] == ["good", "good", "bad"]
    assert [function.name for function in row.functions] == ["get-arguments", "initial-cwd"]
    assert [summary.cases.passed for summary in view.summaries] == [1, 1, 0]


def test_skips_and_errors_never_make_it_better() -> None:
    view = build(made.record(made.result("a", verdict=Verdict.SKIP), made.result("b", verdict=Verdict.ERROR)))
    skipped, broken = view.packages[0].interfaces[0].counts
    assert (skipped.passed, skipped.total, skipped.not_run, skipped.state) == (0, 1, 1, "gaps")
    assert (broken.total, broken.errors, broken.state) == (1, 1, "bad")


def test_of_many_runtimes_each_has_a_line_and_the_absent_ones_have_one() -> None:
    absent = tuple(RuntimeInfo(name, absent="it is not installed") for name in ("gone", "lost"))
    few = made.record()
    many = made.record(*(made.result(f"r{number}") for number in range(8)))
    few, many = (replace(record, runtimes=(*record.present, *absent)) for record in (few, many))
    page = report.html(few)
    assert page.count('<article class="card ') == 3 + 2 and '<details class="card ' not in page
    page = report.html(many)
    assert page.count('<details class="card ') == 8 and "<summary>Absent: gone, lost</summary>" in page
    page = report.html(replace(many, gate=("lost",)))  # what is judged and absent is seen at once
    assert '<article class="card absent red"><h2>lost</h2>' in page and "<summary>Absent: gone</summary>" in page


def test_junit() -> None:
    root = ET.fromstring(report.junit(made.record()))
    suites = {suite.get("name"): suite for suite in root}
    assert suites["touchstone"].get("tests") == "3" and suites["touchstone"].get("failures") == "0"
    assert suites["jco"].get("failures") == "0"  # it is not judged
    skipped = suites["jco"].find(".//skipped")
    assert skipped is not None and "not judged: FAIL: expected <b>, got c" in (skipped.get("message") or "")
    root = ET.fromstring(report.junit(replace(made.record(), gate=("touchstone", "jco"))))
    failure = root.find("testsuite[@name='jco']/testcase[@name='cli.environment.get-arguments.order']/failure")
    assert failure is not None and "expected <b>, got c" in (failure.get("message") or "")


def variants(*verdicts: Verdict, runtime: str = "r") -> Record:
    """A case, and its variants against 0.2.1, 0.2.2 …, with a verdict each on its first check."""
    ids = ["p2/cli/arguments", *(f"p2/cli/arguments@0.2.{n}" for n in range(1, len(verdicts)))]
    return made.record(*(made.result(runtime, i, v) for i, v in zip(ids, verdicts, strict=True)))


def test_a_variant_is_no_requirement_of_its_own() -> None:
    view = build(variants(Verdict.PASS, Verdict.FAIL, Verdict.PASS))
    assert view.requirements == 2 and view.variants == 2
    assert [case.info.id for case in view.cases] == ["p2/cli/arguments"]
    assert [case.info.id for case in view.cases[0].variants] == ["p2/cli/arguments@0.2.1", "p2/cli/arguments@0.2.2"]
    (count,) = view.packages[0].interfaces[0].counts
    assert (count.passed, count.total, count.values, count.runs, count.state) == (1, 1, 1, 1, "good")
    assert (view.summaries[0].units.total, view.summaries[0].cases.total) == (1, 1)


def test_a_requirement_of_several_cases_counts_once_by_the_worst() -> None:
    for second, passed, state in ((Verdict.PASS, 1, "good"), (Verdict.FAIL, 0, "bad"), (Verdict.SKIP, 0, "gaps")):
        results = (made.result("r", "p2/cli/a"), made.result("r", "p2/cli/b", second))
        view = build(made.record(*results))
        (count,) = view.packages[0].interfaces[0].counts
        assert (count.passed, count.total, count.values, count.state) == (passed, 1, 2, state)
        assert view.summaries[0].units.total == 1 and view.summaries[0].cases.total == 2


def test_the_versions_of_a_runtime() -> None:
    """By interface and version: the MUST checks and how the run ended; the values are not counted."""
    view = build(variants(Verdict.PASS, Verdict.FAIL, Verdict.PASS, Verdict.FAIL, Verdict.SKIP, Verdict.UNSUPPORTED))
    table = view.summaries[0].versions
    assert table.columns == ("0.2.0", "0.2.1", "0.2.2", "0.2.3", "0.2.4", "0.2.5")
    ((name, counts),) = table.rows
    told = [(count.passed, count.failed, count.unsupported, count.not_run) for count in counts]
    assert name == "wasi:cli/environment"
    assert told == [(2, 0, 0, 0), (1, 1, 0, 0), (2, 0, 0, 0), (1, 1, 0, 0), (1, 0, 0, 1), (1, 0, 1, 0)]
    assert (table.total.passed, table.total.total) == (6, 10)  # without the case itself
    alike, other = table.failures
    assert [case.info.variation for case in alike.at] == ["0.2.1", "0.2.3"]
    assert other.unit.verdict is Verdict.UNSUPPORTED and other.interfaces == ("wasi:cli/environment",)
    assert "variants: 6 of 10 pass, 2 fail, 1 unsupported, 1 not run" in view.summaries[0].words
    text = report.markdown(view.record)
    assert "| r | ✓ 2/2 | ✗ 1/2 ✗1 | ✓ 2/2 |" in text


def test_a_unit_of_a_variant_is_one_unit_however_many_interfaces_it_is_about() -> None:
    drawn = variants(Verdict.PASS, Verdict.PASS)
    both = ("wasi:cli/environment", "wasi:cli/exit")
    view = build(replace(drawn, cases=tuple(replace(info, interfaces=both) for info in drawn.cases)))
    table = view.summaries[0].versions
    assert [(name, [count.passed for count in counts]) for name, counts in table.rows] == [
        ("wasi:cli/environment", [2, 2]),
        ("wasi:cli/exit", [1, 1]),
    ]
    assert [count.passed for count in table.sums] == [2, 2] and table.total.passed == 2


def test_without_variants_there_are_no_versions() -> None:
    text = report.html(made.record())
    assert 'id="versions"' not in text and "ariants" not in report.markdown(made.record())


def test_what_is_unexpected_alike_in_variants_is_one_entry() -> None:
    ids = ("p2/cli/arguments", "p2/cli/arguments@0.2.1", "p2/cli/other")
    view = build(made.record(*(made.result("r", i, Verdict.FAIL, unexpected=True) for i in ids)))
    assert [item.cases for item in view.surprising] == [ids[:2], ids[2:]]
    assert len(view.surprises) == 3


def test_markdown() -> None:
    text = report.markdown(made.record())
    assert "| wasi:cli/environment | ✓ 1/1 | ✓ 1/1 | ✗ 0/1 ✗1 |" in text
    assert "wasmtime-py**: absent: not \\<installed>" in text
    assert "`p2/cli/arguments`" in text and "stdout" in text


def test_the_legend_explains_every_sign() -> None:
    text = report.html(made.record())
    legend = re.sub("<[^>]*>", "", "".join(re.findall(r'<p class="legend">.*?</p>', text)))
    count = Count(passed=1, failed=1, unsupported=1, flaky=1, errors=1, not_run=1)
    for sign, _, word in count.marks:
        assert f"{sign} {word}" in legend
    for verdict in (Verdict.TIMEOUT, Verdict.CRASH):
        assert SYMBOLS[verdict] in legend
    assert made.data_of(text)["signs"] == {verdict.value: SYMBOLS[verdict] for verdict in Verdict}


def test_page_is_self_contained() -> None:
    text = report.html(made.record(), WAST)
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", text)
    assert "<link" not in text and "@import" not in text
    assert "Get the \\u003carguments>." in text and "<arguments>" not in text
    assert "Get the <arguments>." in made.data_of(text)["texts"]
    assert made.dangling(text) == set()


BASES = {
    made.CHECK: Basis(
        "wit",
        (("cli/environment#get-arguments.1", "Get the POSIX-style <arguments>."), ("cli/environment#other.1", "")),
    ),
    made.CHOICE: Basis("unspecified"),
}


def test_official_sentences_are_there_once() -> None:
    results = (made.result("r", "p2/cli/a"), made.result("r", "p2/cli/b"))
    text = report.html(made.record(*results), bases=BASES)
    assert text.count("POSIX-style") == 1
    data = made.data_of(text)
    texts, sentences = data["texts"], data["sentences"]
    told = {texts[check[0]]: (texts[check[5]], [sentences[n] for n in check[6]]) for check in data["checks"]}
    assert told[made.CHOICE] == ("unspecified", [])
    basis, ((first, shown), (second, absent)) = told[made.CHECK]
    assert (basis, texts[first], texts[second]) == ("wit", "cli/environment#get-arguments.1", "cli/environment#other.1")
    assert texts[shown - 1] == "Get the POSIX-style <arguments>." and absent == 0
    assert all(len(check) == 5 for check in made.data_of(report.html(made.record()))["checks"])


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the search path")
def test_official_sentences_are_beside_our_words(tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    page.write_text(report.html(made.record(), bases=BASES), encoding="utf-8")
    for target in ("fn-wasi-cli-environment.get-arguments", "case-p2-cli-arguments"):
        shown = dump(page, f"#{target}", tmp_path).partition(f'id="{target}"')[2]
        words = r"<p>Get the &lt;arguments&gt;.</p>.*get-arguments.1</code></p><blockquote>Get the POSIX-style &lt;arguments&gt;."
        assert re.search(words, shown)
        assert "<code>cli/environment#other.1</code></p></div>" in shown  # without its text, only the id
    assert "no sentence decides it" in dump(page, "#fn-wasi-cli-environment.initial-cwd", tmp_path)


def test_show_bytes() -> None:
    assert show_bytes(b"a\n\x1b[0m\xff\x00") == "a\n\\x1b[0m\\xff\\x00"
    assert show_bytes(b"x" * 70000).endswith("(70000 bytes in all)")


def dump(page: Path, fragment: str, tmp_path: Path, width: int = 1280) -> str:
    assert CHROMIUM is not None
    argv = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    argv += [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
    ]
    argv += [
        f"--user-data-dir={tmp_path / 'profile'}",
        f"--window-size={width},900",
        "--dump-dom",
        f"{page.as_uri()}{fragment}",
    ]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode == 0, done.stderr[-500:]
    return done.stdout


MEASURE = """<script>
const m = document.createElement("div"); m.id = "measured";
m.textContent = [document.documentElement.scrollWidth <= innerWidth ? "fits" : "overflows",
  [...document.querySelectorAll("#matrix tbody tr:not(.package) td")].map(td => td.dataset.runtime + "=" + td.querySelector(".num").textContent + td.querySelector(".sym").textContent + getComputedStyle(td.querySelector(".cell")).backgroundColor).join(" "),
  document.querySelector("details.case").open ? "open" : "closed"].join("|");
document.body.append(m);
</script></body>"""


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the search path")
@pytest.mark.parametrize("width", [500, 1280])
def test_page_in_chromium(tmp_path: Path, width: int) -> None:
    """The matrix shows its numbers, and a fragment link opens the details of a case."""
    page = tmp_path / "index.html"
    page.write_text(report.html(made.record(), WAST).replace("</body>", MEASURE), encoding="utf-8")
    plain = dump(page, "", tmp_path, width)
    measured = re.search(r'<div id="measured">([^<]*)</div>', plain)
    assert measured is not None
    fits, cells, state = measured[1].split("|")
    assert fits == "fits" and state == "closed"
    shown = dict(cell.split("=", 1) for cell in re.split(r" (?=\w+=)", cells))
    assert list(shown) == ["touchstone", "wasmtime", "jco"]
    assert shown["touchstone"].startswith("1/1✓") and shown["jco"].startswith("0/1✗")
    assert shown["touchstone"].partition("rgb")[2] != shown["jco"].partition("rgb")[2]
    opened = dump(page, "#case-p2-cli-arguments", tmp_path, width)
    measured = re.search(r'<div id="measured">([^<]*)</div>', opened)
    assert measured is not None and measured[1].endswith("|open")
    assert "/bin/touchstone run 'a b.wasm' '&lt;x&gt;'" in opened
    assert "<mark>BETA</mark>" in opened
    assert "assay repro results.jsonl p2/cli/arguments wasmtime\n" in opened
    assert 'get-arguments() -&gt; ["&lt;x&gt;"]' in opened
    function = dump(page, "#fn-wasi-cli-environment.get-arguments", tmp_path, width)
    assert "<p>Get the &lt;arguments&gt;.</p>" in function and "<p>Get the &lt;arguments&gt;.</p>" not in plain


FILTER = """<script>
const told = [], say = () => told.push($("found").textContent);
for (const [id, value] of [["find", "get-arguments"], ["find", "nothing has this"], ["find", ""], ["had", "FAIL"], ["on", "s"], ["on", "r"]]) {
  $(id).value = value; filter(); say();
}
$("had").value = $("on").value = ""; $("only-bad").checked = true; filter(); say();
const m = document.createElement("div"); m.id = "measured"; m.textContent = told.join("|"); document.body.append(m);
</script></body>"""


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the search path")
def test_filters(tmp_path: Path) -> None:
    """Text, verdict and runtime choose cases; a variant's verdict counts for its case."""
    ids = ("p2/cli/a", "p2/cli/a@0.2.1", "p2/cli/b")
    results = (
        *(made.result("r", i) for i in ids),
        *(made.result("s", i, Verdict.FAIL if "@" in i else Verdict.PASS) for i in ids),
    )
    page = tmp_path / "index.html"
    page.write_text(report.html(made.record(*results)).replace("</body>", FILTER), encoding="utf-8")
    measured = re.search(r'<div id="measured">([^<]*)</div>', dump(page, "", tmp_path))
    assert measured is not None
    assert measured[1] == "2 shown|0 shown|2 shown|1 shown|1 shown|0 shown|1 shown"


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the search path")
def test_a_link_to_a_variant_opens_its_case(tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    page.write_text(report.html(variants(Verdict.PASS, Verdict.FAIL)), encoding="utf-8")
    assert 'id="case-p2-cli-arguments-0.2.1"' not in dump(page, "", tmp_path)
    assert '<a href="#fails-0-0">1/2 <small>✗1</small></a>' in dump(page, "#fails-0-0", tmp_path)
    opened = dump(page, "#case-p2-cli-arguments-0.2.1", tmp_path)
    assert re.search(
        r'<details class="variant" id="case-p2-cli-arguments-0.2.1" open="">.*expected &lt;b&gt;, got c', opened, re.S
    )
