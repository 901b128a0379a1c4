"""The adapter for the runner of wasi-testsuite: its command lines, and that a runtime gets what they say."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from conftest import Project

PATH = Path(__file__).resolve().parents[1] / "wasi-testsuite" / "touchstone.py"
COMMAND, FIRST, SECOND = "wasi:cli/command", "wasm32-wasip1", "wasm32-wasip2"


@pytest.fixture
def adapter(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("TOUCHSTONE", "'/a b/touchstone' --max-memory 1GiB")
    spec = importlib.util.spec_from_file_location("touchstone.py", PATH)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_command_line(adapter: ModuleType) -> None:
    plain = adapter.compute_argv("/t/x.wasm", ([], {}, None), [], COMMAND, FIRST)
    assert plain == ["/a b/touchstone", "run", "--max-memory", "1GiB", "/t/x.wasm"]
    whole = adapter.compute_argv(
        "/t/x.wasm", (["a b", "--dir", ""], {"K": "v=w\n"}, Path("/t/fs.dir")), ["http", "sockets"], COMMAND, SECOND
    )
    assert whole[4:] == [
        "-S", "http", "-S", "inherit-network", "-S", "allow-ip-name-lookup", "--env", "K=v=w\n",
        "--dir", "/t/fs.dir::/:rw", "/t/x.wasm", "a b", "--dir", "",
    ]  # fmt: skip


def test_what_it_does_not_declare_is_refused(adapter: ModuleType) -> None:
    assert (adapter.get_name(), adapter.get_wasi_worlds()) == ("touchstone", [COMMAND])
    assert adapter.get_wasi_versions() == [FIRST, SECOND]
    for world, version in ((COMMAND, "wasm32-wasip3"), ("wasi:http/service", SECOND)):
        with pytest.raises(ValueError, match="does not run"):
            adapter.compute_argv("x.wasm", ([], {}, None), [], world, version)


def test_a_runtime_gets_what_the_program_needs(
    adapter: ModuleType, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOUCHSTONE", str(project.fake("program")))
    root = project.root / "tree.dir"
    root.mkdir()
    (root / "seed").write_text("seed", encoding="utf-8")
    argv = adapter.compute_argv("x.wasm", (["a b", "c"], {"K": "v w"}, root), [], COMMAND, FIRST)
    done = subprocess.run(argv, capture_output=True, check=True, text=True)
    assert done.stdout == "a b c K=v w seed"


def test_an_absent_program_is_an_error_that_the_runner_expects(
    adapter: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOUCHSTONE", "/nowhere/touchstone")
    with pytest.raises(FileNotFoundError):
        adapter.get_version()


def test_running_the_file_prints_nothing() -> None:
    """The runner takes a file that prints something, or fails, for an adapter of its older kind."""
    done = subprocess.run([sys.executable, str(PATH), "--version"], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")
