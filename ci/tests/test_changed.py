"""`make test-changed`: which tests a changed file asks for, in which order, and what is left out."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import changed
import pytest
from changed import BEYOND, ITSELF, NAMED, ROOM, Repository, Step, plan, survey

ROOT = Path(__file__).resolve().parents[2]
SMALL = Repository(
    c_tests={
        "runtime/tests/base/test_vec.c": frozenset({"base/vec.h"}),
        "runtime/tests/core/test_exec.c": frozenset({"core/run/exec.h", "touchstone.h"}),
        "runtime/tests/core/test_gc.c": frozenset({"core/run/gc.h", "tests/data/gc.h"}),
        "runtime/tests/component/test_wave.c": frozenset({"component/type/wave.h"}),
        "runtime/tests/cli/test_wast.c": frozenset(),
    },
    outside=frozenset({"test_invoke.py", "test_serve.py", "test_toml.py"}),
    harness={
        "harness/tests/test_judge.py": frozenset({"judge", "judge.verdicts", "model.case"}),
        "harness/tests/test_report.py": frozenset({"report.html", "report.html.page"}),
    },
    tools=frozenset({"test_changed.py"}),
    cases={"p2/cli/arguments": "cli-arguments.wasm", "p2/cli/exit": "cli-exit.wasm"},
    checks=frozenset({"ci/check_includes.py", "ci/check_docs.py"}),
)


def tiers(path: str, repository: Repository = SMALL) -> dict[str, int]:
    run, left = plan([path], repository, 1e9)
    assert not left
    return {step.name: step.tier for step in run}


def test_a_c_file_asks_for_the_tests_that_include_its_header_then_its_room_then_what_may_include_it() -> None:
    found = tiers("runtime/core/run/exec.c")
    assert found["test_exec"] == ITSELF
    assert found["test_gc"] == ROOM
    assert found["test_wave"] == BEYOND  # component may include core/run
    assert found["test_wast"] == BEYOND
    assert "test_vec" not in found  # base includes nothing
    assert found["core/"] == ROOM  # the official scripts
    assert tiers("runtime/base/vec.h")["test_wave"] == BEYOND
    assert "test_exec" not in tiers("runtime/component/type/wave.c")


def test_a_c_test_and_its_data_ask_for_themselves() -> None:
    found = tiers("runtime/tests/core/test_gc.c")
    assert {name for name, tier in found.items() if tier == ITSELF} >= {"test_gc"}
    assert "test_exec" not in found
    assert tiers("runtime/tests/data/gc.h")["test_gc"] == ITSELF


def test_python_tests_of_the_command_come_by_the_table_and_all_of_them_last() -> None:
    found = tiers("runtime/component/abi/canon.c")
    assert found["runtime/tests/outside/test_invoke.py"] == NAMED
    assert found["runtime/tests/outside/test_serve.py"] == BEYOND
    assert tiers("runtime/tests/outside/test_serve.py")["runtime/tests/outside/test_serve.py"] == ITSELF
    assert not [name for name in tiers("harness/assay/judge/verdicts.py") if name.startswith("runtime/")]


def test_the_harness_asks_for_the_tests_that_import_the_module() -> None:
    found = tiers("harness/assay/judge/verdicts.py")
    assert found["harness/tests/test_judge.py"] == ITSELF
    assert found["harness/tests/test_report.py"] == ROOM
    assert tiers("harness/assay/judge/__init__.py")["harness/tests/test_judge.py"] == ITSELF
    assert tiers("harness/assay/report/html.py")["harness/tests/test_report.py"] == ITSELF
    assert tiers("harness/assay/report/view.py")["harness/tests/test_report.py"] == NAMED
    assert tiers("harness/tests/conftest.py")["harness/tests/test_judge.py"] == ROOM


def test_cases_come_by_themselves_by_guest_and_by_package() -> None:
    for path in ("suites/p2/cli/arguments/case.toml", "fixtures/src/p2/cli-arguments.c", "fixtures/built/cli-arguments.wasm"):
        run, _ = plan([path], SMALL, 0)
        assert [step.name for step in run if step.kind == "case"] == ["p2/cli/arguments"]
    assert tiers("runtime/wasi/filesystem/types.c")["filesystem"] == NAMED
    assert tiers("runtime/wasi/wit/filesystem.wit")["filesystem"] == NAMED
    assert tiers("runtime/sys/net.c")["sockets"] == ROOM


def test_documents_ask_for_the_check_of_documents_only() -> None:
    assert tiers("README.md") == {"ci/check_docs.py": ITSELF}
    assert tiers("LICENSE") == {}


def test_the_budget_takes_the_nearest_first_and_names_what_is_left_out() -> None:
    repository = Repository(**{**SMALL.__dict__, "seconds": {"test_exec": 30.0, "test_gc": 30.0, "core/": 30.0, "ci/check_includes.py": 99.0}})
    run, left = plan(["runtime/core/run/exec.c"], repository, 31.0, jobs=1)
    names = [step.name for step in run if step.kind != "check"]
    assert names[0] == "test_exec"
    assert {"test_gc", "core/"} <= {step.name for step in left}
    assert "ci/check_includes.py" in {step.name for step in run}  # checks always run
    # a test that changed itself runs whatever it takes
    slow = Repository(**{**SMALL.__dict__, "seconds": {"runtime/tests/outside/test_serve.py": 500.0}})
    run, _ = plan(["runtime/tests/outside/test_serve.py"], slow, 1.0)
    assert "runtime/tests/outside/test_serve.py" in {step.name for step in run}


def test_commands_run_each_test_once_and_cases_together() -> None:
    steps = [
        Step("c", "test_exec", ITSELF, 1), Step("pytest", "harness/tests/test_judge.py", ITSELF, 1), Step("wast", "core/", ROOM, 1),
        Step("case", "p2/cli/arguments", ITSELF, 1), Step("case", "p2/cli/exit", ITSELF, 1), Step("cases", "io", ROOM, 1),
        Step("check", "ci/check_includes.py", ITSELF, 1),
    ]  # fmt: skip
    argv = [" ".join(command.argv) for command in changed.commands(steps, Path("/b"), ["ci/lint.py"])]
    assert len(argv) == 7
    assert argv[0].endswith("ci/lint.py ci/lint.py")
    assert any(line.endswith("/b/tests/test_exec") for line in argv)
    assert any(line.endswith("p2/cli/arguments p2/cli/exit") for line in argv)
    assert any(line.endswith("--interface wasi:io") for line in argv)


def test_what_the_time_does_not_suffice_for_is_left_out_and_the_rest_runs() -> None:
    late = changed.Command("late", ["false"], 10.0)
    assert changed.run_one(late, time.monotonic() + 5)[1] is None
    assert changed.run_one(late, time.monotonic() + 500)[1] == 1
    assert changed.run_one(changed.Command("must", ["true"], 0.0), 0.0)[1] == 0


# --- the tables and the repository agree -------------------------------------------------------------------------------
def test_every_test_that_the_tables_name_exists() -> None:
    repository = survey()
    for pattern, names in changed.OUTSIDE:
        for name in names.split():
            assert f"test_{name}.py" in repository.outside, f"{pattern}: no test {name}"
    for name in changed.SECONDS:
        if name.startswith("outside/"):
            assert name.removeprefix("outside/") in repository.outside
        elif name.startswith("test_"):
            assert any(Path(test).stem == name for test in repository.c_tests), name


def test_every_pattern_of_the_tables_matches_a_file() -> None:
    listing = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode != 0:
        pytest.skip("not in a git repository")
    files = listing.stdout.splitlines()
    for row in (*changed.OUTSIDE, *changed.SCRIPTS, *changed.PACKAGES):
        for part in alternatives(row[0]):
            assert any(re.match(part, path) for path in files), f"{part} matches no file"


def alternatives(pattern: str) -> list[str]:
    """The alternatives of a pattern, one by one: a(b|c)|d is ab, ac, d."""
    parts, depth, at = [], 0, 0
    for i, letter in enumerate(pattern):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "|" and depth == 0:
            parts.append(pattern[at:i])
            at = i + 1
    out: list[str] = []
    for part in [*parts, pattern[at:]]:
        if match := re.search(r"\(([^()]*)\)", part):
            out += [x for one in match[1].split("|") for x in alternatives(part[: match.start()] + one + part[match.end() :])]
        else:
            out.append(part)
    return out


def test_every_test_is_near_to_some_file() -> None:
    repository = survey()
    listed = [path.relative_to(ROOT).as_posix() for folder in ("runtime", "harness/assay", "make") for path in (ROOT / folder).rglob("*.*")]
    near: set[str] = set()
    for path in [*listed, ".gdbinit", "SECURITY.md"]:
        if "/tests/" not in path:
            near.update(name for tier, _, name in changed.steps_of(path, repository) if tier < BEYOND)
    every = {f"runtime/tests/outside/{name}" for name in repository.outside} | set(repository.harness)
    every |= {Path(test).stem for test in repository.c_tests}
    assert every <= near, every - near


def test_the_command_prints_a_plan() -> None:
    done = subprocess.run([sys.executable, "ci/changed.py", "--plan", "runtime/base/toml.c"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "outside/test_toml.py" in done.stdout
    assert "never here: " in done.stdout
