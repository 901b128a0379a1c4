"""The faults of suites/mutants: each kind is found, changes one place, and keeps its key when lines move."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "suites/mutants"))
mutate = pytest.importorskip("mutate", reason="tree-sitter is not installed")
import functions  # noqa: E402
import judged  # noqa: E402
import run  # noqa: E402

from assay.model import Check, Level, names  # noqa: E402

SOURCE = b"""
static ts_status f(thing *t, int n, int m) {
    if (n > m && t->open) return ts_host_trap(c, "no");
    if (n == 3) return TS_SYS_EIO;
    t->n = n + 1;
    g(n, m);
    use(TS_SYS_ENOENT, A_FLAG | B_FLAG, 1000, true);
    if (!p) return ts_fail_nomem(e);
    free(t);
    return TS_OK;
}
"""


def kinds(source: bytes = SOURCE) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for fault in mutate.faults("f.c", source):
        found.setdefault(fault.kind, []).append(fault.apply(source).decode())
    return found


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("missing-trap", "if (0 && (n > m && t->open)) return"),
        ("missing-check", "if (0 && (n == 3)) return"),
        ("missing-check", "if (n > m) return"),
        ("off-by-one", "n >= m"),
        ("off-by-one", "n + 2"),
        ("wrong-relation", "n != 3"),
        ("wrong-sign", "n - 1"),
        ("stale-state", "    ;\n    g(n, m);"),
        ("dropped-call", "    ;\n    use("),
        ("swapped-arguments", "g(m, n)"),
        ("wrong-code", "use(TS_SYS_EIO,"),
        ("dropped-flag", ", A_FLAG, 1000"),
        ("wrong-unit", "10000"),
        ("wrong-constant", "false"),
        ("early-return", "if (1) return TS_OK;"),
    ],
)
def test_each_kind_is_made(kind: str, text: str) -> None:
    assert any(text in made for made in kinds()[kind]), kinds()[kind]


def test_what_no_test_of_behaviour_sees_gets_no_fault() -> None:
    made = [m for of in kinds().values() for m in of]
    assert not any("0 && (!p)" in m or "(!(!p))" in m for m in made) and all("free(t)" in m for m in made)


def test_a_fault_keeps_its_key_when_lines_move() -> None:
    assert [f.key for f in mutate.faults("f.c", b"\n/* x */\n\n" + SOURCE)] == [
        f.key for f in mutate.faults("f.c", SOURCE)
    ]


def test_each_fault_made_by_hand_finds_its_place() -> None:
    faults = tomllib.loads((ROOT / "suites/mutants/hand.toml").read_text("utf-8"))["fault"]
    assert len(faults) >= 58 and len({f["id"] for f in faults}) == len(faults)
    for f in faults:
        assert (ROOT / f["file"]).read_text("utf-8").count(f["find"]) == 1, f["id"]
        assert f["find"] != f["replace"]


GLUE = ROOT / "build/gen/wasi_glue.c"
EXPORTED = {"wasi:cli/run.run", "wasi:http/incoming-handler.handle"}


@pytest.mark.skipif(not GLUE.exists(), reason="touchstone is not built")
def test_each_function_and_each_drop_can_do_nothing() -> None:
    text = GLUE.read_text("utf-8")
    made = [*functions.functions("glue.c", text), *functions.drops(ROOT, text)]
    every = {f"{interface}.{f}" for interface, of in names.table().items() for f in of if f}
    assert {fault.name for fault in made} == every - EXPORTED and len(made) == len(every) - len(EXPORTED)
    one = next(fault for fault in made if fault.name == "wasi:io/poll.poll")
    changed = one.apply(text.encode()).decode()
    assert ", ts_wasi_io_poll_poll}," in text and ", ts_wasi_io_poll_poll}," not in changed and ", nothing}," in changed
    drop = next(fault for fault in made if fault.name == "wasi:io/poll.[resource-drop]pollable")
    source = (ROOT / drop.file).read_bytes()
    assert b'"pollable")) return TS_OK;' in drop.apply(source) and len(drop.apply(source)) > len(source)


def test_every_excuse_names_a_function() -> None:
    rows = [r.split("\t") for r in functions.EXCUSED.read_text("utf-8").splitlines() if not r.startswith("#")]
    assert all(len(row) == 2 and row[1] and not names.function_problem(row[0]) for row in rows)


def test_what_shows_a_function_that_does_nothing() -> None:
    fault = functions.Nothing("f.c", "f", functions.KIND, 1, 0, 0, "", "", 1, "wasi:io/poll.poll")

    def check(level: Level, function: str = "wasi:io/poll.poll") -> Check:
        return Check("a.b", level, function, "0.2.0", "")

    assert [functions.how(fault, check(level)) for level in Level] == list(functions.HOW[:3])
    assert functions.how(fault, check(Level.MUST, "wasi:io/poll.other")) == functions.ANOTHER
    assert functions.how(fault, check(Level.UNSPECIFIED, "wasi:io/poll.other")) == ""
    assert functions.how(fault, None) == functions.ENDING


CASE, SCRIPT = "p2/io/poll-empty", "own/component-model/lists-of-floats.wast"


def test_a_program_that_does_nothing_is_red_at_the_first_case_and_script(tmp_path: Path) -> None:
    idle = tmp_path / "idle"
    idle.write_text("#!/bin/sh\nexit 0\n")
    idle.chmod(0o755)
    suites = judged.Suites(ROOT, {SCRIPT})
    assert suites.try_cases(idle, [CASE, "p2/io/poll"], 1.0) == (CASE, "")
    assert suites.red_script(idle, ["own"]) == SCRIPT


@pytest.mark.skipif(not (ROOT / "build/touchstone").exists(), reason="touchstone is not built")
def test_a_program_without_a_fault_is_not_red() -> None:
    suites = judged.Suites(ROOT, {SCRIPT})
    assert suites.try_cases(ROOT / "build/touchstone", [CASE, "p2/io/poll"], 1.0) == ("", "")
    assert suites.red_script(ROOT / "build/touchstone", ["own"]) == ""


@pytest.mark.skipif(not (ROOT / "build/touchstone").exists(), reason="touchstone is not built")
def test_another_recorded_value_is_told_from_a_red_case(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text(f'#!/bin/sh\n"{ROOT}/build/touchstone" "$@" | sed "s/ value .*/ value another/"\n')
    other.chmod(0o755)
    suites = judged.Suites(ROOT)
    case = "p2/sockets/lookup-hosts"
    assert suites.learn(ROOT / "build/touchstone", [CASE, case], 1.0, 2) == ""
    assert suites.try_cases(ROOT / "build/touchstone", [CASE, case], 1.0) == ("", "")
    assert suites.try_cases(other, [CASE, case], 1.0) == ("", case)


def test_in_a_sample_a_fault_that_is_only_recorded_is_one_that_is_no_longer_caught(tmp_path: Path) -> None:
    fault = mutate.faults("f.c", SOURCE)[0]
    job = run.Job(run.Area("a", 1, ("f.c",), (), False, {}), fault)
    results = [run.Result(job, "recorded", CASE, 1.0)]
    assert run.report(results, {}, tmp_path / "a.jsonl", sample=True) == 1
    assert run.report(results, {}, tmp_path / "b.jsonl", sample=False) == 0
