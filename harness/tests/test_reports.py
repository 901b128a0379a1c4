"""The bugs in suites/reports: touchstone gives the expected results of each, and the peer the actual ones."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from assay.model import Absent
from assay.runtimes import Places, registry
from assay.suites.scripts import find_tool

ROOT = Path(__file__).resolve().parents[2]
REPORTS = sorted((ROOT / "suites/reports").glob("*/report.md"))
TRAP = 134
"""The exit status of `touchstone run` after a trap."""


def block(report: Path, heading: str) -> str:
    """Returns the block of code in a section."""
    section = report.read_text("utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = re.search(r"^```\w*\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert found, f"{report}: no block of code in {heading!r}"
    return found[1]


def peer_of(report: Path) -> str:
    return report.parent.name.split("-")[1]


def run(report: Path, folder: Path, peer: str, trap: int = -1) -> str:
    """Runs the commands of a report with a shell script as the peer. `trap` is its exit status after a trap. Returns the
    results in the form of the report."""
    tool = find_tool(folder)
    if tool is None:
        pytest.skip("there is no wasm-tools")
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    for name, script in ((peer_of(report), peer), ("wasm-tools", f'exec {shlex.quote(str(tool))} "$@"')):
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    (folder / "component.wat").write_bytes((report.parent / "component.wat").read_bytes())
    done = subprocess.run(
        ["bash", "-c", "set -e -o pipefail\n" + block(report, "Steps to reproduce")],
        cwd=folder,
        env={"PATH": f"{programs}:/usr/local/bin:/usr/bin:/bin", "HOME": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout + ("[trap]\n" if done.returncode == trap else f"[exit status {done.returncode}]\n")


def find(name: str) -> tuple[str, str]:
    """Returns the command of a runtime, and its version."""
    adapter = next(a for a in registry.known() if a.name == name)
    peer = adapter.find(Places(ROOT, ROOT / "build/cache"))
    if isinstance(peer, Absent):
        pytest.skip(peer.reason)
    return shlex.join(peer.program[:2] if name == "jco" else peer.program), peer.version


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.parent.name)
def test_touchstone_gives_the_expected_results(report: Path, tmp_path: Path) -> None:
    program, _ = find("touchstone")
    words = "-S http" if peer_of(report) == "jco" else ""  # jco grants requests to every guest
    peer = f'shift; exec {program} run {words} "$@"'  # after the word "run" of the peer's command
    assert run(report, tmp_path, peer, TRAP) == block(report, "Expected results")


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.parent.name)
def test_peer_has_the_bug_as_reported(report: Path, tmp_path: Path) -> None:
    program, version = find(peer_of(report))
    seen = run(report, tmp_path, f'exec {program} "$@"')
    assert seen == block(report, "Actual results"), (
        f"{version} no longer has the bug of {report.parent.name} as it is reported: "
        f"see suites/reports/README.md, and whether suites/expectations still announces it"
    )


def test_report_names_the_version_and_the_text() -> None:
    for report in REPORTS:
        text = report.read_text("utf-8")
        assert re.search(rf"^{peer_of(report)} \d+\.\d+\.\d+", text, re.MULTILINE), report
        assert re.search(r"^> .+\n> \[.+\]\(https://github\.com/WebAssembly/", text, re.MULTILINE), report
        assert "Existing threads: " in text, report


def test_readme_lists_every_report() -> None:
    listed = re.findall(r"\]\((\S+)/report\.md\)", (ROOT / "suites/reports/README.md").read_text("utf-8"))
    assert listed == [report.parent.name for report in REPORTS]
