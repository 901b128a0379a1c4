"""bench/real.py without a network: the arithmetic of its table, its pins, what it fetches, and a run."""

from __future__ import annotations

import hashlib
import importlib
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
fetch: Any = importlib.import_module("real_fetch")
build: Any = importlib.import_module("real_build")
inputs: Any = importlib.import_module("real_inputs")
programs: Any = importlib.import_module("real_programs")
runs: Any = importlib.import_module("real_run")
table: Any = importlib.import_module("real_table")
prepare: Any = importlib.import_module("prepare")
real: Any = importlib.import_module("real")
NAMES = [program.name for program in programs.PROGRAMS]


def run(cpu: float, wall: float = 1.0, output: str = "same") -> Any:
    return runs.Run(output, cpu, wall, 10.0)


def results(**ours: float) -> Any:
    """Programs for which Cranelift takes a second, and wasmtime from nothing 20 s."""
    made = table.Results()
    for name, cpu in ours.items():
        made.megabytes[name] = 2.0
        made.add(name, table.OURS, run(cpu, cpu * 2))
        for column, one in ((table.KEPT, cpu * 0.8), (table.INTERPRETED, cpu * 5), (table.BEFORE, 1.0)):
            made.add(name, column, run(one))
        made.add(name, table.NOTHING, run(30.0, 20.0))
    return made


def test_ratios_are_of_the_least_of_the_rounds() -> None:
    made = results(a=4.0)
    made.add("a", table.OURS, run(3.0, 9.0))
    made.add("a", table.BEFORE, run(2.0))
    best = made.best("a", table.OURS)
    assert (best.cpu, best.wall) == (3.0, 8.0)
    assert made.ratio("a", table.OURS) == 3.0 and made.ratio("a", table.INTERPRETED) == 20.0
    assert made.ahead("a") == 2.5


def test_the_mean_is_geometric_and_over_programs_that_both_ran() -> None:
    made = results(a=1.0, b=4.0, c=9.0)
    made.fail("c", table.BEFORE, "it cannot compile this")
    assert made.mean(table.OURS) == pytest.approx(2.0)
    assert made.ratio("c", table.OURS) is None and made.best("c", table.OURS).cpu == 9.0
    assert table.Results().mean(table.OURS) is None


def test_the_table_says_what_misses_the_goal_and_what_is_absent() -> None:
    made = results(fine=1.5, slow=3.5)
    made.absent["gone"] = "no command cargo"
    lines = table.table(made, winch=False)
    assert re.match(r"\| fine +\| +2.00 \| +1.50 \| +3.00 \| +10 \| +1.20 \| +7.50 \| +1.00 \| +30.0 \| +20.0 \| +10 \| +1.50 \| +1.20 \| +7.50 \| +6.67 \|$", lines[2])
    assert lines[4].split() == ["|", "geometric", "mean", *["|"] * 11, "2.29", "|", "1.83", "|", "11.5", "|", "4.36", "|"]
    first = "we from nothing, Cranelift compiled before"
    assert f"{first}: at most 3 times Cranelift's CPU time: missed by slow 3.50" in lines
    assert f"{first}: geometric mean at most 2: 2.29, missed" in lines
    assert "both compiled before: at most 3 times Cranelift's CPU time: all 2" in lines
    assert "both compiled before: geometric mean at most 2: 1.83, met" in lines
    assert "both from nothing: ahead of wasmtime: all 2" in lines
    assert lines[-1] == "gone is absent: no command cargo"
    assert "both compiled before: geometric mean at most 2: 1.20, met" in table.table(results(fine=1.5), winch=True)
    assert not table.goal(table.Results())


def test_another_output_is_an_error_and_never_a_time() -> None:
    made = results(a=1.0)
    made.add("a", table.INTERPRETED, run(0.1, output="other"))
    assert made.best("a", table.INTERPRETED) is None
    assert made.errors == {"a": {table.INTERPRETED: f"wrong output: it is not that of {table.OURS}"}}
    assert "ERROR" in table.table(made, winch=False)[2]


def test_the_exit_status_is_about_touchstone() -> None:
    assert real.status(results(a=1.0)) == 0 and real.status(table.Results()) == 1
    for column, why, expected in (
        (table.BEFORE, "it cannot compile this", 0),
        (table.BEFORE, "wrong output: it is not that of touchstone", 1),
        (table.OURS, "longer than 900 s", 1),
        ("compiled-mixed", "exit status 134", 1),
    ):
        made = results(a=1.0)
        made.fail("a", column, why)
        assert real.status(made) == expected


@pytest.mark.parametrize("program", programs.PROGRAMS, ids=NAMES)
def test_each_program_is_pinned(program: Any) -> None:
    assert program.sources
    for source in program.sources:
        assert re.fullmatch(r"v?\d[\w.+]*", source.version), source
        if source.registry == "Go":
            sums = (build.SRC / program.name / "go.sum").read_text()
            assert f"{source.package} {source.version} {source.checksum}\n" in sums
        else:
            assert source.registry in fetch.CLIENTS and re.fullmatch(r"sha256:[0-9a-f]{64}", source.checksum), source


def test_names_are_unique_and_enough() -> None:
    assert len(set(NAMES)) == len(NAMES) >= 12


@pytest.mark.parametrize("program", [p for p in programs.PROGRAMS if p.inputs], ids=[p.name for p in programs.PROGRAMS if p.inputs])
def test_inputs_are_the_same_each_time(program: Any, tmp_path: Path) -> None:
    sums = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        program.inputs(folder)
        sums.append({path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()})
    assert sums[0] and sums[0] == sums[1]


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A registry that serves one wheel, and a log of what was asked."""
    monkeypatch.setattr(fetch, "PACKAGES", tmp_path / "packages")
    file, asked = tmp_path / "x-1.0-py3-none-any.whl", []
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x/program.wasm", b"\0asm")

    def client(source: Any, place: Path) -> Path:
        asked.append(source)
        return file

    monkeypatch.setitem(fetch.CLIENTS, "PyPI", client)
    return fetch.Source("PyPI", "x", "1.0", "sha256:" + hashlib.sha256(file.read_bytes()).hexdigest()), asked


def test_a_package_is_fetched_once(wheel: Any) -> None:
    source, asked = wheel
    for _ in range(2):
        assert (fetch.get(source) / "x/program.wasm").read_bytes() == b"\0asm"
    assert len(asked) == 1


def test_a_package_with_another_checksum_is_not_unpacked(wheel: Any) -> None:
    source, _ = wheel
    other = fetch.Source("PyPI", "x", "1.0", "sha256:" + "0" * 64)
    with pytest.raises(fetch.Absent, match=f"PyPI x 1.0: the registry's file has the checksum {source.checksum}, not sha256:000"):
        fetch.get(other)
    assert not list(fetch.PACKAGES.rglob("*.wasm"))


def test_a_program_that_cannot_be_had_is_named(wheel: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "REAL", tmp_path / "real")
    monkeypatch.setattr(build, "SRC", tmp_path / "real")
    program = build.Program("x", "X", (wheel[0],), build.made_already("x/other.wasm"))
    found = real.prepared(made := table.Results(), [program, build.Program("y", "Y", (wheel[0],), build.made_already("x/*.wasm"))])
    assert [one.program.name for one in found] == ["y"] and made.absent == {"x": "the package has no file x/other.wasm"}


@pytest.fixture
def ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A program without a module, for commands of a shell."""
    if not prepare.build_drivers():
        pytest.skip("there is no C compiler")
    return build.Ready(build.Program("x", "X", (), lambda _: None, status=3), tmp_path, ())


def shell(text: str) -> list[str]:
    return ["sh", "-c", text]


def test_a_run_is_what_was_printed_and_written(ready: Any) -> None:
    one = runs.measured(ready, shell("echo a; echo b > out/f; exit 3"), "e")
    assert one.wall > 0 and one.peak > 0
    assert one.output == runs.measured(ready, shell("echo a; echo b > out/f; echo noise >&2; exit 3"), "e").output
    others = ("echo b; echo b > out/f; exit 3", "echo a; echo c > out/f; exit 3", "echo a; echo b > out/g; exit 3", "echo a; exit 3")
    assert len({one.output, *(runs.measured(ready, shell(text), "e").output for text in others)}) == 5


def test_a_cache_is_filled_once_for_each_build(ready: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a run that must end as the program does; a build that differs fills it again."""
    fake = tmp_path / "touchstone"
    monkeypatch.setattr(runs, "TOUCHSTONE", fake)
    ready.wasm.write_bytes(b"")
    for text, fills in (("exit 3", 1), ("exit 3", 1), ("exit 3 # other", 2)):
        fake.write_text(f"#!/bin/sh\necho \"$@\" >> {tmp_path}/asked\necho a\n{text}\n")
        fake.chmod(0o755)
        words = runs.kept(ready)
        assert words[4:6] == ["--cache", str(ready.folder / "cache")]
        assert (tmp_path / "asked").read_text().count("--cache") == fills
    fake.write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(runs.RunFailed, match="exit status 1, not 3"):
        runs.kept(ready)


def test_a_run_that_fails_or_hangs_says_so(ready: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(runs.RunFailed, match="exit status 4, not 3: why"):
        runs.measured(ready, shell("echo a; echo why >&2; exit 4"), "e")
    with pytest.raises(runs.RunFailed, match="printed and wrote nothing"):
        runs.measured(ready, shell("exit 3"), "e")
    monkeypatch.setattr(runs, "TIMEOUT", 0.05)
    with pytest.raises(runs.RunFailed, match="longer than 0 s"):
        runs.measured(ready, shell("sleep 60 & sleep 60"), "e")


def test_wrong_usage(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["real.py", "--programs", "bzip2,none"])
    assert real.main() == 2
    assert "no program none; there are cc1" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["real.py", "--rounds", "0"])
    with pytest.raises(SystemExit, match="2"):
        real.main()
