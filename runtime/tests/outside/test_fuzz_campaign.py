"""The parts of a fuzz campaign that need no target: where corpora are kept, groups of lines, the table, deadlines."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "runtime/fuzz"))
import campaign  # noqa: E402
import corpora  # noqa: E402
import line_coverage  # noqa: E402


def contents(folder: Path) -> dict[str, set[bytes]]:
    return {target.name: {path.read_bytes() for path in target.iterdir()} for target in folder.iterdir()}


@pytest.mark.parametrize("place", ["kept", "kept.tar.xz", "kept.tar.gz", "branch:kept"])
def test_corpora_come_back_from_where_they_are_kept(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    for words in (["init", "-q"], ["config", "user.email", "a@b"], ["config", "user.name", "a"]):
        subprocess.run(["git", *words], cwd=repository, check=True)
    monkeypatch.setattr(corpora, "ROOT", repository)
    folder, again = tmp_path / "corpora", tmp_path / "again"
    for target, data in (("fuzz_a", b"1"), ("fuzz_a", b"2\n"), ("fuzz_b", b"")):
        (folder / target).mkdir(parents=True, exist_ok=True)
        (folder / target / f"{len(data)}").write_bytes(data)
    kept = corpora.Place.of(place if ":" in place else str(tmp_path / place))
    kept.load(again)  # nothing is kept yet
    assert not again.exists()
    kept.save(folder)
    kept.save(folder)
    kept.load(again)
    assert contents(again) == contents(folder) == {"fuzz_a": {b"1", b"2\n"}, "fuzz_b": {b""}}
    assert subprocess.run(["git", "status", "--porcelain"], cwd=repository, capture_output=True, check=True).stdout == b""


def test_files_belong_to_groups() -> None:
    assert line_coverage.group_of("runtime/core/module/decode.c") == "decode"
    assert line_coverage.group_of("runtime/core/module/validate_ops.c") == "validate"
    assert line_coverage.group_of("runtime/component/abi/flat.c") == "ABI"
    assert line_coverage.group_of("runtime/wasi/policy/rows.c") == "policy, TOML"
    assert line_coverage.group_of("runtime/wasi/io/poll.c") == "WASI"
    assert line_coverage.group_of("runtime/sys/timer.c") is None
    files = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "runtime").rglob("*.c"))
    assert {line_coverage.group_of(path) for path in files} >= set(line_coverage.GROUPS)
    assert {name for names in line_coverage.ABOUT.values() for name in names} <= set(line_coverage.GROUPS)
    assert set(line_coverage.ABOUT) == {name for name in campaign.targets() if name.startswith("fuzz_")}


def test_a_report_sums_lines_by_group() -> None:
    files = {"runtime/component/abi/flat.c": (9, 10), "runtime/component/abi/load.c": (0, 10), "runtime/sys/timer.c": (5, 5)}
    report = line_coverage.Report({"all": files, "fuzz_call": files})
    assert report.lines("fuzz_call") == "45.0 %"
    assert report.lines("fuzz_exec") == ""
    assert report.text().splitlines()[1].split() == ["ABI", "45.0", "%", "9", "of", "20"]
    assert "no lines are counted: why" in line_coverage.Report(missing="why").text()


def test_the_table_has_a_sum() -> None:
    one, two = campaign.Target("fuzz_a", executions=100, cpu=90.0, wall=50.0, files=3, size=4096), campaign.Target("diff_b", executions=1)
    two.found = [Path("x")]
    lines = campaign.table([one, two]).splitlines()
    assert lines[1].split() == ["fuzz_a", "100", "2", "0:01:30", "3", "4", "-", "0"]
    assert lines[-1].split() == ["all", "101", "0:01:30", "3", "4", "1"]


@pytest.mark.parametrize(("says", "tried"), [
    ("seed 1: 1412 modules, 0 differences", 1412),
    ("seed 2: 23 cut at a limit, 1236 modules; calls: 5798 ok", 1236),
    ("calls: 80339923225 next seed, 31400 calls, 3925 components, 1586 bounds", 3925),
    ("verdicts: 20474 verdicts, 9634 malformed here, 140 seeds", 20474),
    ("it ended before it tried anything", 0),
])  # fmt: skip
def test_a_comparison_says_how_much_it_tried(says: str, tried: int) -> None:
    assert campaign.compared(says) == tried


def test_options_of_a_target_come_from_its_files() -> None:
    assert "-close_fd_mask=3" in campaign.settings("fuzz_wast")
    assert any(word.startswith("-dict=") for word in campaign.settings("fuzz_policy"))
    assert campaign.settings("fuzz_module") == []


def test_a_command_that_hangs_is_ended(tmp_path: Path) -> None:
    status, _, wall = campaign.run(["sleep", "100"], tmp_path / "log", 0.3)
    assert status == -9
    assert wall < 50


@pytest.mark.parametrize(("again", "found"), [(0, 0), (70, 1)])
def test_a_timeout_counts_if_it_repeats(again: int, found: int, tmp_path: Path) -> None:
    """The first run of this program says that an input takes too long; the input alone gives `again`."""
    c = campaign.Campaign(tmp_path, tmp_path, tmp_path, 1, 1, 100, float("inf"))
    program = c.program("fuzz_a")
    program.parent.mkdir()
    program.write_text(f"""#!/bin/sh
for word; do case $word in -artifact_prefix=*) echo x > "${{word#*=}}timeout-1"; exit 70;; esac; done
exit {again}
""")
    program.chmod(0o755)
    target = campaign.Target("fuzz_a")
    campaign.slice_of(c, target, 1)
    assert (len(target.found), target.problem) == (found, "")
    assert len([path for path in (tmp_path / "found").iterdir() if path.suffix != ".log"]) == found


@pytest.mark.parametrize(("status", "took", "found", "problem"), [
    (0, 2.0, 0, ""), (1, 2.0, 1, ""), (-9, 2.0, 1, ""), (-9, 303.1, 0, "did not end in 303 s"),
])  # fmt: skip
def test_a_comparison_that_its_time_limit_ended_found_nothing(
    status: int, took: float, found: int, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(_command: list[str], log: Path, _limit: float) -> tuple[int, float, float]:
        log.write_text("12 modules, 0 differences")
        return status, 1.0, took

    monkeypatch.setattr(campaign, "run", run)
    c = campaign.Campaign(tmp_path, tmp_path, tmp_path, 1, 1, 100, float("inf"))
    target = campaign.Target("diff_tiers")
    campaign.compare(c, target, 1)
    assert (len(target.found), target.executions) == (found, 12)
    assert target.problem.startswith(problem)
    assert bool(target.problem) == bool(problem)
