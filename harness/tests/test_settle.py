"""What a record keeps: placeholders for what no longer exists, and a limit on every text, with its true size."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import made
import pytest
from conftest import CASE, Project
from hypothesis import given
from hypothesis import strategies as st

from assay import record, report
from assay.cases import requirements
from assay.model import CaseResult, Outcome, UnitResult, Verdict
from assay.record import settle
from assay.record.differ import Aspect, case_differences

NOW = datetime(2026, 11, 28, 20, 0, 0, tzinfo=UTC)
PLACES = (("/tmp/assay-abc", "{run}"), ("/dev/shm/assay-x", "{other}"), ("127.0.0.1:4711", "{server}"))


def text(said: str) -> str:
    return settle.Placeholders(PLACES, NOW).text(said)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("open '/tmp/assay-abc/dir0/x'", "open '{run}/dir0/x'"),
        ("/tmp/assay-abc/home/6hpOXB/a.js:3", "{run}/home/{temporary}/a.js:3"),
        ("Host: 127.0.0.1:4711", "Host: {server}"),
        ("date: Sat, 28 Nov 2026 20:20:08 GMT", "date: {date}"),
        ("date: Sun, 06 Nov 1994 08:49:37 GMT", "date: Sun, 06 Nov 1994 08:49:37 GMT"),
        ("at 2026-11-28T20:00:01.5Z.", "at {date}."),
        ("at 1997-07-16T19:20:30Z", "at 1997-07-16T19:20:30Z"),
        ("{seconds: 1795896000, nanoseconds: 5}", "{seconds: {now}, nanoseconds: 5}"),
        ("1795896000123456789", "{now}"),
        ("seconds: 1720000000", "seconds: 1720000000"),
        ("v1795896000", "v1795896000"),
        ("99 Xyz 2026, Sat, 99 Xyz 2026 20:20:08 GMT", "99 Xyz 2026, Sat, 99 Xyz 2026 20:20:08 GMT"),
    ],
)
def test_placeholders(said: str, kept: str) -> None:
    assert text(said) == kept


def test_what_was_replaced_is_declared() -> None:
    said = replace(
        made.result("r"), units=(UnitResult("@expect", Verdict.PASS, "", "/tmp/assay-abc/cwd at 127.0.0.1:4711"),)
    )
    kept = settle.settle(said, PLACES, NOW)
    assert kept.units[0].value == "{run}/cwd at {server}"
    assert kept.observation.normalised == ("{run}", "{server}")
    header = json.loads(next(iter(record.lines(made.record()))))
    assert header["normalised"] == settle.NORMALISED
    page = report.html(made.record())
    assert all(f"<code>{name}</code>" in page for name in settle.NORMALISED)


@given(st.binary(max_size=300))
def test_bytes_are_otherwise_left_alone(data: bytes) -> None:
    names = settle.Placeholders(PLACES, datetime(1970, 1, 1, tzinfo=UTC))
    if not any(gone.encode() in data for gone, _ in PLACES) and b"19" not in data and b"{run}" not in data:
        assert names.all(data) == data or names.used


@given(st.text(max_size=50), st.integers(0, 60))
def test_a_cut_keeps_whole_characters(said: str, limit: int) -> None:
    data = said.encode("utf-8", "replace")
    cut = settle.whole_characters(data[:limit])
    assert (data.startswith(cut) and len(cut) > limit - 5) or len(data) <= limit
    cut.decode("utf-8")


HUGE = "<x>é|`" * 200_000


def flooded(last: str) -> CaseResult:
    said = HUGE + last
    seen = replace(
        made.result("r").observation,
        outcome=Outcome(made.result("r").observation.outcome.ending, 0, said, said, (said,) * 300),
        stdout=said.encode(),
        stderr=said.encode(),
        trace=said,
        contents=tuple((f"{number}{said}", said.encode()) for number in range(3)),
    )
    units = (
        UnitResult(made.CHECK, Verdict.FAIL, said, None, None, True),
        UnitResult(made.CHOICE, Verdict.PASS, "", said),
    )
    return settle.settle(
        replace(made.result("r"), units=units, rest=said.encode(), observation=seen, reason=said), (), NOW
    )


def test_everything_has_a_bound_and_its_true_size() -> None:
    kept = flooded("")
    size = len(HUGE.encode())
    assert kept.observation.size("stdout", kept.observation.stdout) == size
    assert f"{size:,} bytes in all" in kept.units[0].detail
    drawn = replace(made.record(kept), gate=("r",))
    written = "\n".join(record.lines(drawn))
    assert len(written) < 1_000_000
    assert record.parse(written.split("\n")).results == (kept,)
    page, junit, text = report.html(drawn), report.junit(drawn), report.markdown(drawn)
    assert len(page) < 800_000 and f"{size} bytes" in page and "<x>" not in page
    assert len(junit) < 100_000 and f"stderr ({size} bytes)" in junit
    assert f"{size:,} bytes" in ET.fromstring(junit).findall(".//failure")[-1].get("message", "") + kept.units[0].detail
    assert len(text) < 10_000


def test_what_is_cut_off_still_tells_apart() -> None:
    """Outputs and values that differ only after the limit still differ."""
    one, other = flooded("a"), replace(flooded("b"), runtime="s")
    assert one.rest == other.rest and one.units[1].value != other.units[1].value
    drawn = made.record(one, other)
    assert Aspect.STDOUT in case_differences(drawn, drawn.cases[0])
    assert Aspect.STDOUT not in case_differences(made.record(one, replace(one, runtime="s")), drawn.cases[0])


def test_a_run_leaves_no_temporary_path(project: Project) -> None:
    text = CASE.replace("[expect]", '[[run.dir]]\nguest = "/data"\n[expect]')
    result = project.run("paths", project.load(text))
    written = "\n".join(record.lines(made.record(result)))
    assert "/tmp/assay-" not in written and not re.search(r"assay-\w{8}/", written)
    assert result.unit("t.fake.choice").value == "{run}/cwd {run}/dir0::/data"  # type: ignore[union-attr]
    assert any(word == "{run}/dir0::/data" for word in result.observation.argv)
    assert dict(result.observation.env)["HOME"] == "{run}/home" and result.observation.cwd == "{run}/cwd"


def test_many_files_are_counted(project: Project) -> None:
    result = project.run("hostile", project.load(CASE.replace("[expect]", '[[run.dir]]\nguest = "/data"\n[expect]')))
    assert len(result.observation.tree) == 400
    assert next(cut.size for cut in result.observation.cut if cut.name == "tree") == 2000


# --- the page of many runtimes --------------------------------------------------------------------


@pytest.fixture(scope="module")
def suite_record() -> record.Record:
    """The cases of this suite on fifteen runtimes, all with different outputs."""
    from assay import cases

    root = Path(__file__).resolve().parents[2]
    every = cases.discover(root / "suites", root / "fixtures")
    infos = [record.case_info(case) for case in every]
    names = [f"runtime-{number}" for number in range(15)]
    results = []
    for number, info in enumerate(infos):
        for index, name in enumerate(names):
            units = []
            for at, check in enumerate(info.checks):
                bad = (number + index + at) % 7 == 0
                detail = f"expected {at}, got {index} on {name}: " + "some words of an error " * 4 if bad else ""
                value = f"value {index % 4} of {check.id}" if check.level.value == "unspecified" else None
                units.append(
                    UnitResult(
                        check.id, Verdict.FAIL if bad else Verdict.PASS, detail, value, None, bad and index % 3 == 0
                    )
                )
            units.append(UnitResult("@expect", Verdict.PASS, "exited 0"))
            seen = made.result(name).observation
            said = f"{name} says of line {{}} that it is its own\n"
            lines = "".join(said.format(line) for line in range(60)).encode()
            argv = (
                f"/usr/local/lib/{name}/bin/{name}",
                "run",
                *(f"--option-{word}=value-of-that-option" for word in range(8)),
                info.component,
            )
            trace = (
                "wasi:io/streams@0.2.0 [method]output-stream.check-write(1) -> ok(4096)\n" * 200 if index == 0 else ""
            )
            seen = replace(seen, argv=argv, stderr=lines, trace=trace, contents=(("wire: one", lines),))
            worst = Verdict.FAIL if any(unit.verdict is Verdict.FAIL for unit in units) else Verdict.PASS
            results.append(CaseResult(info.id, name, worst, tuple(units), seen, lines))
    drawn = made.record(results[0])
    runtimes = tuple(record.RuntimeInfo(name, f"{name} 1.0") for name in names)
    return replace(drawn, runtimes=runtimes, cases=tuple(infos), results=tuple(results), gate=tuple(names))


@pytest.mark.timeout(300)
def test_the_page_of_fifteen_runtimes(suite_record: record.Record) -> None:
    bases = requirements.bases(Path(__file__).resolve().parents[2] / "suites")
    page = report.html(suite_record, bases=bases)
    print(
        f"page {len(page.encode())}, JUnit {len(report.junit(suite_record))}, Markdown {len(report.markdown(suite_record))}"
    )
    assert len(page.encode()) < 2_500_000
    assert len(report.markdown(suite_record)) < 65_536
    shown = made.data_of(page)
    texts, cases = shown["texts"], shown["cases"]
    listed = [one for case in cases for one in (case, *case.get("variants", ()))]
    assert sorted(texts[case["id"]] for case in listed) == sorted(case.id for case in suite_record.cases)
    for case in cases:
        assert f'id="{made.target(texts[case["id"]])}"' in page
    # only texts are cut, never results
    ends = (Verdict.PASS.rank, Verdict.FAIL.rank)
    assert all(len(case["runs"]) == 15 and case["runs"][14][0] in ends for case in listed)
    assert sum(len(case.get("checks", ())) for case in listed) == sum(len(case.checks) for case in suite_record.cases)
    assert page.count('<td data-runtime="runtime-14">') > 20
    assert made.dangling(page) == set()
    assert len(set(texts)) == len(texts)
