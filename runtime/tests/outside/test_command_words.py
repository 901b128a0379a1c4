"""Options of other runtimes that users type from habit work, or the message says what to write instead."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from test_command import BUILT, assemble, needs_wasm_tools, pytestmark, run

__all__ = ["pytestmark"]

HELLO = BUILT / "hello.wasm"
SERVES = BUILT / "serve-minimal.wasm"


def test_a_bare_component() -> None:
    assert run(HELLO) == "hello from a component\n"
    assert run("--max-memory", "64m", HELLO, "one") == "hello from a component\n"
    assert run("hello.wasm", cwd=BUILT) == "hello from a component\n"
    assert run("./hello.wasm", cwd=BUILT) == "hello from a component\n"
    assert "io-error: cannot read" in run("nowhere.wasm", status=125)


@pytest.mark.parametrize(("word", "said"), [("rum", "did you mean run"), ("server", "did you mean serve"), ("inspekt", "did you mean inspect"), ("xyz", "there is no command xyz (")])
def test_a_misspelt_command(word: str, said: str) -> None:
    assert said in run(word, HELLO, status=120)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--max-memroy", "1m"], "did you mean --max-memory"),
        (["--Policy=x"], "did you mean --policy"),
        (["--tcp_connect=x"], "did you mean --tcp-connect"),
        (["--deterministic=y"], "--deterministic takes no value"),
        (["--fuel"], "--fuel"),
        (["-S", "inherit-netwrok"], "did you mean inherit-network"),
        (["-S", "http,,tcp"], "an empty word"),
        (["-S", "inherit-env=maybe"], "y or n is expected"),
        (["-S", "max-resources"], "max-resources=N is expected"),
        (["-S", "nn"], "not about WASI 0.2"),
        (["-S", "hostcall-fuel=3"], "this limit of wasmtime's does not exist here"),
        (["--features", "valeus"], "did you mean values"),
        (["--unstable", "clock-timezone"], "did you mean clocks-timezone"),
        (["--deny", "wasi:clocks/wall-clok"], "did you mean wasi:clocks/wall-clock"),
        (["--trace=stream"], "did you mean streams"),
        (["-C", "cache=y"], "there is no code generation to set"),
        (["-Ccache"], "there is no code generation to set"),
        (["-O2"], "there is nothing to optimize"),
        (["-D", "debug-info"], "omit it"),
        (["--wasm-timeout", "3"], "write --max-time"),
        (["--preload", "x=y"], "wac plug"),
        (["--volume", "x"], "write --dir"),
        (["-W", "threads"], "is not an option here"),
        (["-W", "simd=n"], "always on"),
        (["-W", "gc=no"], "always on"),
        (["-W", "gc=maybe"], "always on"),
        (["-W", "unknown-imports-trap=maybe"], "-W unknown-imports-trap=maybe: y or n is expected"),
        (["-W", "nan-canonicalization=maybe"], "is not an option here"),
        (["-W", "component-model-map=maybe"], "write --features maps"),
        (["-W", "component-model-async"], "write --features async"),
        (["-W", "epoch-interruption"], "write --max-time"),
        (["-W", "fuel"], "=N is expected"),
        (["-W", "fuel=x"], "-W fuel x: a number is expected"),
        (["-W", "simd,,gc"], "an empty word"),
        (["--mapdir", "/x"], "GUEST::HOST is expected"),
        (["--reuse", "3"], "--reuse is an option of touchstone serve"),
        (["--max-memory", "64Mb"], "MiB"),
        (["--max-time", "5min"], "`min` is not a unit of time: h, m, s"),
    ],
)
def test_options_that_are_none(options: list[str], said: str) -> None:
    text = run("run", *options, HELLO, status=120)
    assert said in text and text.startswith("touchstone: usage: ") and text.count("\n") == 1


def test_options_of_wasmtime() -> None:
    for options in (["-W", "max-memory-size=67108864"], ["-Wfuel=1000000,simd,gc=y"], ["-W", "timeout=60s"], ["-W", "max-wasm-stack=1048576"], ["-W", "nan-canonicalization"], ["--mapdir", "/x::."]):
        assert run("run", *options, HELLO, cwd=BUILT) == "hello from a component\n"
    assert "fuel" in run("run", "-W", "fuel=1", BUILT / "random-secure.wasm", status=124)
    assert run("run", "--mapdir", "/x::.", "--show-grants", cwd=BUILT) == 'dir = [{host = ".", guest = "/x", read-only = false}]\n'
    assert run("run", "--cwd", "/x", "--show-grants", cwd=BUILT) == 'cwd = "/x"\n'


@pytest.mark.parametrize(("value", "shown"), [("", True), ("=y", True), ("=yes", True), ("=true", True), ("=n", False), ("=no", False), ("=false", False)])
def test_yes_and_no_of_wasmtime(value: str, shown: bool) -> None:
    assert run("run", "-W", f"unknown-imports-trap{value}", "--show-grants") == "unknown-imports-trap = true\n" * shown
    assert run("run", "-W", f"component-model-map{value}", "--show-grants", status=120 if shown else 0).startswith("touchstone: usage: ") == shown
    assert run("run", "-W", f"gc{value}", "--show-grants", status=0 if shown else 120).startswith("touchstone: usage: ") != shown


def test_the_command_alone() -> None:
    for word in ("--help", "-h", "help"):
        assert run(word) == run(status=120)
        assert "touchstone run" in run(word)
    assert run("--version") == run("-V")
    assert run("-V").startswith("touchstone ")


def test_the_end_of_options() -> None:
    """What follows -- is the component, whatever it looks like, and then its arguments."""
    assert run("run", "--", HELLO, "--help") == "hello from a component\n"
    assert "cannot read --help: " in run("run", "--", "--help", status=125)
    assert "cannot read -V: " in run("serve", "--", "-V", status=125)


def test_files_that_are_no_binaries(tmp_path: Path) -> None:
    text, core, note, compiled, packed = (tmp_path / name for name in ("c.wat", "m.wat", "note.txt", "c.cwasm", "c.gz"))
    text.write_text(";; a comment\n(component)\n")
    core.write_text("\n  (module)")
    note.write_text("#!/bin/sh\necho é\n" + "x" * 4078 + "é" * 10)
    compiled.write_bytes(b"\x7fELF" + bytes(100))
    packed.write_bytes(gzip.compress(HELLO.read_bytes()))
    for command in ("run", "serve", "inspect", "validate"):
        for file in (text, core):
            assert f"wasm-tools parse {file} -o FILE.wasm" in run(command, file, status=121)
        assert "is a text file, not WebAssembly" in run(command, note, status=121)
        assert "give the WebAssembly that it was compiled from" in run(command, compiled, status=121)
        assert "malformed" in run(command, packed, status=121)


def test_the_other_command() -> None:
    said = run("run", SERVES, status=123)
    assert "does not export wasi:cli/run" in said and "touchstone serve" in said
    said = run("serve", HELLO, status=123)
    assert "does not export wasi:http/incoming-handler" in said and "touchstone run" in said


EXPORTS = """(component
  (core module $m (func (export "run") (result i32) (i32.const 0)))
  (core instance $i (instantiate $m))
  (func $f (result (result)) (canon lift (core func $i "run")))
  (instance $run (export "run" (func $f)))
  %s
)"""


@needs_wasm_tools
def test_versions_of_run(tmp_path: Path) -> None:
    def exporting(*versions: str) -> Path:
        return assemble(tmp_path, EXPORTS % "\n".join(f'(export "wasi:cli/run{v}" (instance $run))' for v in versions))

    for versions in (["@0.2.0"], ["@0.2.6"], ["@0.2.99"], ["@0.3.0", "@0.2.3"], ["@0.2.0-rc-2023-11-10", "@0.2.0"]):
        run("run", exporting(*versions))
    for versions, named in (
        (["@0.2.0-rc-2023-11-10"], "exports wasi:cli/run@0.2.0-rc-2023-11-10:"),
        (["@0.3.0"], "exports wasi:cli/run@0.3.0:"),
        (["@0.1.0", "@1.0.0"], "exports wasi:cli/run@0.1.0, wasi:cli/run@1.0.0:"),
        ([""], "exports wasi:cli/run:"),
    ):
        said = run("run", exporting(*versions), status=126)
        assert named in said and "only version 0.2 of it can be run" in said
    file = assemble(tmp_path, EXPORTS % '(export "my:own/thing" (instance $run))')
    assert "touchstone inspect lists what it exports" in run("run", file, status=123)
    assert "touchstone inspect lists what it exports" in run("serve", file, status=123)
