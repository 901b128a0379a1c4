"""What a guest could use up of its host, resource by resource: memory, handles, files, threads, pollables, fields, output, traces, and
patterns in policies. Each has a limit, or costs the guest's own side alone.

The rest of each is in C: test_limits, test_cli_limits, test_wasi_limits, test_wasi_disk, test_wasi_http (field_limits).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from preview1_guest import TOUCHSTONE, WASM_TOOLS, Guest, assemble

LIMIT, TRAP, USAGE = 124, 134, 120

pytestmark = [
    pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built"),
    pytest.mark.skipif(not os.access(WASM_TOOLS, os.X_OK), reason="wasm-tools is absent"),
]


# A small process between: what a process has used begins with what the one that started it has.
BETWEEN = """import resource, subprocess, sys
status = subprocess.call(sys.argv[2:])
open(sys.argv[1], "w").write(f"{status} {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss}")
"""


def used(folder: Path, *words: str | Path) -> tuple[int, str, int]:
    """The status, what was said, and the most resident memory in MiB."""
    with (folder / "said").open("wb") as said:
        command = [sys.executable, "-I", "-S", "-c", BETWEEN, folder / "used", TOUCHSTONE, "run", *words]
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, check=True)
    status, kib = map(int, (folder / "used").read_text().split())
    return status, (folder / "said").read_text(errors="replace"), kib >> 10


WAITING = """(component
  (import "wasi:io/poll@0.2.0" (instance $poll (export "pollable" (type $p (sub resource)))
    (export "poll" (func (param "in" (list (borrow $p))) (result (list u32))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock (alias outer 1 $pollable (type $p1))
    (export "subscribe-duration" (func (param "when" u64) (result (own $p1))))))
  (core module $mem (memory (export "mem") 1 20000)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (drop (memory.grow (i32.const 3000))) (i32.const 0x10100000)))
  (core instance $mem (instantiate $mem)) (alias core export $mem "mem" (core memory $m))
  (core func $poll (canon lower (func $poll "poll") (memory $m) (realloc (core func $mem "realloc"))))
  (core func $sub (canon lower (func $clock "subscribe-duration")))
  (core module $main
    (import "" "mem" (memory 1)) (import "" "poll" (func $poll (param i32 i32 i32))) (import "" "sub" (func $sub (param i64) (result i32)))
    (func (export "poll") (param $n i32) (result i32) (local $h i32) (local $i i32)
      (local.set $h (call $sub (i64.const 0)))
      (drop (memory.grow (i32.const 4097)))
      (loop $l (i32.store offset=64 (i32.mul (local.get $i) (i32.const 4)) (local.get $h))
        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
      (call $poll (i32.const 64) (local.get $n) (i32.const 0))
      (i32.load (i32.const 4)))
    (func (export "hold") (param $n i32) (result i32)
      (loop $l (drop (call $sub (i64.const 1))) (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))) (i32.const 0)))
  (core instance $main (instantiate $main (with "" (instance (export "mem" (memory $m)) (export "poll" (func $poll)) (export "sub" (func $sub))))))
  (func (export "poll") (param "n" u32) (result u32) (canon lift (core func $main "poll")))
  (func (export "hold") (param "n" u32) (result u32) (canon lift (core func $main "hold"))))"""


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assemble(tmp_path_factory.mktemp("waiting"), WAITING)


def test_pollables(waiting: Path, tmp_path: Path) -> None:
    """One too many to hold, and a list that names one more often than the guest may hold objects."""
    status, said, _ = used(tmp_path, "-S", "max-resources=1000", "--invoke", "hold(1001)", waiting)
    assert status == TRAP and "(-S max-resources)" in said
    assert used(tmp_path, "-S", "max-resources=1000", "--invoke", "hold(1000)", waiting)[:2] == (0, "0\n")
    assert used(tmp_path, "--invoke", "poll(100000)", waiting)[:2] == (0, "100000\n")
    status, said, _ = used(tmp_path, "-S", "max-resources=1000", "--invoke", "poll(1001)", waiting)
    assert status == TRAP and "poll of 1001 pollables" in said and "(-S max-resources)" in said
    status, said, mib = used(tmp_path, "--invoke", "poll(5000000)", waiting)
    assert status == TRAP and "poll of 5000000 pollables" in said and mib < 400


def test_values_of_one_call(waiting: Path, tmp_path: Path) -> None:
    """67 million handles in a list: the values have a limit, and reaching it is no internal error."""
    status, said, mib = used(tmp_path, "--invoke", "poll(67000000)", waiting)
    assert status == LIMIT and ("values of one call" in said or "too large" in said) and mib < 1700, (status, said, mib)


def test_memory(tmp_path: Path) -> None:
    """Each memory and each table has its limit; a grow that is refused costs nothing, and no pages are made before they are used."""
    text = """(module (memory $a 0) (memory $b 0) (table $t 0 funcref)
      (func (export "_start")
        (if (i32.ne (memory.grow $a (i32.const 1024)) (i32.const 0)) (then unreachable)) (if (i32.ne (memory.grow $a (i32.const 1)) (i32.const -1)) (then unreachable))
        (if (i32.ne (memory.grow $b (i32.const 1025)) (i32.const -1)) (then unreachable)) (if (i32.ne (memory.grow $b (i32.const 1024)) (i32.const 0)) (then unreachable))
        (if (i32.ne (table.grow $t (ref.null func) (i32.const 1001)) (i32.const -1)) (then unreachable))
        (if (i32.ne (table.grow $t (ref.null func) (i32.const 1000)) (i32.const 0)) (then unreachable))))"""
    status, said, mib = used(tmp_path, "--max-memory", "64MiB", "--max-table", "1000", assemble(tmp_path, text))
    assert status == 0 and mib < 64, (said, mib)


def test_files(tmp_path: Path) -> None:
    box = tmp_path / "box"
    box.mkdir()
    (box / "file").touch()
    g = Guest()
    for _ in range(60):
        g.open("file")
    done = g.run(tmp_path, "--dir", f"{box}::/", "-S", "max-files=50")
    assert done.errors == ["success"] * 50 + ["mfile"] * 10


def test_a_backtrace_is_bounded(tmp_path: Path) -> None:
    """A name of 100,000 bytes, 5,000 calls deep: what a trap says has the size of a page or two, whatever the guest is made of."""
    name = "x" * 100_000
    text = f"""(module (func $"{name}" (param i32)
      (if (local.get 0) (then (call $"{name}" (i32.sub (local.get 0) (i32.const 1)))) (else unreachable)) (drop (i32.const 1)))
      (func (export "_start") (call $"{name}" (i32.const 5000))))"""
    status, said, _ = used(tmp_path, assemble(tmp_path, text))
    assert status == TRAP and "more" in said and len(said) < 32_000


def test_a_line_of_a_trace_is_bounded(tmp_path: Path) -> None:
    """What a call is given is shortened in its line, however large; equal calls are counted; what the guest gave cannot end the line."""
    g = Guest(memory='(memory (export "memory") 32)')
    big = g.put(b"a\x1b[1m\n" * 100_000)
    for _ in range(3):
        g.call("path_open", 3, 0, (big, 60_000), 0, 0, 0, 0, g.room(4))
        g.call("fd_write", 1, g.put(big.to_bytes(4, "little") + (600_000).to_bytes(4, "little"), 4), 1, g.room())
        g.call("random_get", big, 600_000)
    done = g.run(tmp_path, "--dir", f"{tmp_path}::/", "--trace-all")
    lines = done.stderr.splitlines()
    assert 8 <= len(lines) <= 12 and max(map(len, lines)) < 6000
    assert "\x1b" not in done.stderr
    text = """(module (import "wasi_snapshot_preview1" "sched_yield" (func $y (result i32)))
      (func (export "_start") (local i32) (loop $l (drop (call $y)) (br_if $l (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 100000))))))"""
    status, said, _ = used(tmp_path, "--trace", assemble(tmp_path, text, "yield"))
    assert status == 0 and len(said.splitlines()) == 2 and "99999 more calls" in said


def test_patterns_of_policies_have_no_regular_expressions(tmp_path: Path) -> None:
    """A pattern is a name, or `*.` before one: nothing backtracks, what looks like an expression is refused, and thousands are read at once."""
    file = assemble(tmp_path, '(module (func (export "_start")))')
    for pattern in ("(a+)+$", "(.*)*", "a{1,99999}", "[a-z]+.example", "*.*.example", "a*.example", "*" * 5000, "*." * 2000 + "a", "(?:a|aa)+b", "^a", "a|b"):
        for option in ("--allow-name", "--http-allow"):
            assert used(tmp_path, option, pattern, file)[0] == USAGE, pattern
    policy = tmp_path / "p.toml"
    policy.write_text("http-allow = [" + ", ".join(f'"*.n{i}.example.org:{i % 60000 + 1}"' for i in range(20_000)) + "]\n")
    status, said, mib = used(tmp_path, "--policy", policy, "--show-grants", file)
    assert status == 0 and said.count("example.org") == 20_000 and mib < 200
