"""What tools see of functions: `--perf-map`, `--profile`, `--gdb-jit`, `inspect --code`."""

from __future__ import annotations

import collections
import ctypes
import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
TOUCHSTONE = ROOT / os.environ.get("BUILD", "build") / "touchstone"
WASM_TOOLS = ROOT / ".venv/bin/wasm-tools"

pytestmark = [
    pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built"),
    pytest.mark.skipif(not os.access(WASM_TOOLS, os.X_OK), reason="wasm-tools is absent"),
]

# `_start` calls the exports of `fib` and `sum` in turn, and a function of the host that takes long.
GUEST = """(module $hot
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (memory (export "memory") 2)
  (table funcref (elem $sum))
  (type $int (func (param i32) (result i32)))
  (func $fib (param i32) (result i32)
    local.get 0 i32.const 2 i32.lt_u
    if (result i32)
      local.get 0
    else
      local.get 0 i32.const 1 i32.sub call $fib
      local.get 0 i32.const 2 i32.sub call $fib
      i32.add
    end)
  (func $sum (type $int) (local i32)
    loop
      local.get 1 local.get 0 i32.const 4 i32.mul i32.const 65532 i32.and i32.load i32.add local.set 1
      local.get 0 i32.const 1 i32.sub local.tee 0
      br_if 0
    end
    local.get 1)
  (func $work
    i32.const 24 call $fib drop
    i32.const 200000 i32.const 0 call_indirect (type $int) drop
    i32.const 0 i32.const 65536 call $random drop)
  (func $main (export "_start") (local i32)
    loop
      call $work
      local.get 0 i32.const 1 i32.add local.tee 0
      i32.const 60 i32.lt_u
      br_if 0
    end))"""

# The function of one component calls that of another one …
NESTED = """(component
  (component $inner
    (core module $inside
      (func (export "burn") (param i32) (result i32)
        loop local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end local.get 0))
    (core instance $i (instantiate $inside))
    (func (export "burn") (param "n" u32) (result u32) (canon lift (core func $i "burn"))))
  (instance $in (instantiate $inner))
  (core func $burn (canon lower (func $in "burn")))
  (core module $outside
    (import "the" "burn" (func $b (param i32) (result i32)))
    (func $twice (param i32) (result i32) local.get 0 call $b drop local.get 0 call $b)
    (func (export "go") (param i32) (result i32) local.get 0 call $twice))
  (core instance $o (instantiate $outside (with "the" (instance (export "burn" (func $burn))))))
  (func (export "go") (param "n" u32) (result u32) (canon lift (core func $o "go"))))"""
# … and does so as often as the parameter says.
CALLS_OFTEN = NESTED.replace("local.get 0 call $twice)", "(loop (drop (call $twice (i32.const 9))) (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) local.get 0)")


def assembled(folder: Path, text: str, *options: str) -> Path:
    source, out = folder / "it.wat", folder / "it.wasm"
    source.write_text(text, encoding="utf-8")
    subprocess.run([WASM_TOOLS, "parse", *options, source, "-o", out], check=True, timeout=60)
    return out


def touchstone(*argv: str | Path, status: int = 0, **env: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [TOUCHSTONE, *argv], stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace", timeout=240,
        env={**os.environ, **env}, check=False,
    )  # fmt: skip
    assert done.returncode == status, done.stderr
    return done


def perf_map(*argv: str | Path) -> set[str]:
    """The names that `--perf-map` leaves, whose places are sound. None: this build makes no machine code."""
    with subprocess.Popen(
        [TOUCHSTONE, "run", "--perf-map", "--engine", "compiled", *argv], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ) as process:
        assert process.wait(240) == 0
    path = Path(f"/tmp/perf-{process.pid}.map")
    lines = path.read_text(encoding="utf-8").splitlines()
    path.unlink()
    rows = [re.fullmatch(r"([0-9a-f]+) ([0-9a-f]+) \[touchstone\] (.+)", line) for line in lines]
    assert all(rows), lines
    places = [(int(row[1], 16), int(row[2], 16), row[3].rpartition("!")[0]) for row in rows if row]
    assert all(size > 0 for _, size, _ in places)
    for (a, a_size, a_module), (b, b_size, b_module) in itertools.combinations(places, 2):
        # Code of one module, or of the engine (no name). A module may get the place of one that has ended.
        assert a_module != b_module or a + a_size <= b or b + b_size <= a, f"functions of {a_module} overlap"
    return {row[3] for row in rows if row}


def test_perf_map_has_the_functions_with_machine_code(tmp_path: Path) -> None:
    names = perf_map(assembled(tmp_path, GUEST))
    if not names:
        pytest.skip("this build makes no machine code")
    assert {"hot!fib", "hot!sum"} <= names


def test_perf_map_has_calls_between_components(tmp_path: Path) -> None:
    names = perf_map("--invoke", "go(3000)", assembled(tmp_path, CALLS_OFTEN))
    if not names:
        pytest.skip("this build makes no machine code")
    assert {"call of a component", "return to a component"} <= names


def test_perf_map_replaces_a_link_instead_of_following_it(tmp_path: Path) -> None:
    """Everybody may put a file with the name of a later process into /tmp."""
    victim = tmp_path / "victim"
    victim.write_text("kept", encoding="utf-8")
    guest = assembled(tmp_path, GUEST)
    script = 'ln -s "$1" /tmp/perf-$$.map; exec "$2" --perf-map "$3"'
    with subprocess.Popen(["sh", "-c", script, "sh", victim, TOUCHSTONE, guest]) as process:
        assert process.wait(240) == 0
    path = Path(f"/tmp/perf-{process.pid}.map")
    assert path.is_file()
    assert not path.is_symlink()
    path.unlink()
    assert victim.read_text(encoding="utf-8") == "kept"


Stack = list[tuple[str, str | None, int | None]]  # outermost first: function, file, line


def stacks_of(thread: dict[str, Any]) -> list[Stack]:
    """The stack of each sample, from the tables of the Firefox profiler."""
    strings, functions, frames, table = thread["stringArray"], thread["funcTable"], thread["frameTable"], thread["stackTable"]

    def frame(i: int) -> tuple[str, str | None, int | None]:
        function = frames["func"][i]
        file = functions["fileName"][function]
        return strings[functions["name"][function]], None if file is None else strings[file], frames["line"][i]

    whole: list[Stack] = []
    for prefix, at in zip(table["prefix"], table["frame"], strict=True):
        assert prefix is None or prefix < len(whole)
        whole.append([*([] if prefix is None else whole[prefix]), frame(at)])
    return [whole[i] for i in thread["samples"]["stack"]]


def check_format(profile: dict[str, Any]) -> None:
    """All columns of a table have its length, and all references lead somewhere."""
    assert profile["meta"]["preprocessedProfileVersion"] == 55
    for thread in profile["threads"]:
        for name in ("funcTable", "frameTable", "stackTable", "markers", "nativeSymbols", "resourceTable", "samples"):
            columns = {k: v for k, v in thread[name].items() if isinstance(v, list)}
            assert {len(v) for v in columns.values()} <= {thread[name]["length"]}, (name, columns)
        assert all(i < thread["funcTable"]["length"] for i in thread["frameTable"]["func"])
        assert all(i < len(profile["meta"]["categories"]) for i in thread["frameTable"]["category"])
        assert all(i < thread["frameTable"]["length"] for i in thread["stackTable"]["frame"])
        assert all(i < thread["stackTable"]["length"] for i in thread["samples"]["stack"])
        assert thread["samples"]["time"] == sorted(thread["samples"]["time"])
        assert all(used > 0 for used in thread["samples"]["threadCPUDelta"])
    assert profile["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    frames = profile["shared"]["frames"]
    assert len(profile["profiles"]) == len(profile["threads"])
    for sampled, thread in zip(profile["profiles"], profile["threads"], strict=True):
        assert len(sampled["samples"]) == len(sampled["weights"])
        assert sum(sampled["weights"]) == pytest.approx(sum(thread["samples"]["threadCPUDelta"]) / 1000, rel=0.01)
        assert sampled["endValue"] == pytest.approx(sum(sampled["weights"]), rel=0.01)
        names = [[frames[i]["name"] for i in stack] for stack in sampled["samples"]]
        merged = [[name for name, _, _ in stack] for stack in stacks_of(thread)]
        merged = [stack for i, stack in enumerate(merged) if i == 0 or stack != merged[i - 1]]
        assert names == merged


def profiled(folder: Path, *argv: str | Path) -> dict[str, Any]:
    out = folder / "profile.json"
    touchstone("run", "--profile", out, *argv)
    profile: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    check_format(profile)
    return profile


@pytest.mark.parametrize("tier", ["interpreter", "compiled", "compiled-mixed"])
def test_profile_has_the_stacks_of_the_guest(tier: str, tmp_path: Path) -> None:
    profile = profiled(tmp_path, "--engine", tier, assembled(tmp_path, GUEST))
    (thread,) = profile["threads"]
    stacks = stacks_of(thread)
    assert len(stacks) >= 3
    random = "wasi_snapshot_preview1 random_get"
    leaves = collections.Counter(stack[-1][0] for stack in stacks)
    assert set(leaves) <= {"hot!main", "hot!work", "hot!fib", "hot!sum", random}, leaves
    for stack in stacks:
        names = [name for name, _, _ in stack]
        assert names[0] == "hot!main"
        assert names[1:2] in ([], ["hot!work"])
        rest = names[2:]
        assert rest in ([], ["hot!sum"], [random]) or (set(rest) == {"hot!fib"} and len(rest) <= 24)
    assert leaves["hot!fib"] + leaves["hot!sum"] > 0


def test_profile_of_calls_through_c(tmp_path: Path) -> None:
    """A call from one component to another one is a call of C, which calls a guest."""
    profile = profiled(tmp_path, "--invoke", "go(30000000)", assembled(tmp_path, NESTED))
    (thread,) = profile["threads"]
    stacks = {tuple(name for name, _, _ in stack) for stack in stacks_of(thread)}
    assert ("outside!func[2]", "outside!twice", "the burn", "inside!func[0]") in stacks, stacks


def test_profile_has_lines_where_the_module_has_dwarf(tmp_path: Path) -> None:
    profile = profiled(tmp_path, assembled(tmp_path, GUEST, "-g"))
    (thread,) = profile["threads"]
    lines = GUEST.splitlines()
    seen = collections.Counter[str]()
    ends = 0
    for stack in stacks_of(thread):
        for name, file, line in stack:
            if name not in ("hot!sum", "hot!work"):
                continue
            assert file is not None
            assert file.endswith("it.wat")
            if line is None:  # wasm-tools describes a function up to its last `end`, which has no line
                ends += 1
                continue
            first = next(i for i, text in enumerate(lines, 1) if f"(func ${name.removeprefix('hot!')} " in text + " ")
            last = next(i for i in range(first + 1, len(lines) + 1) if i == len(lines) or "(func " in lines[i])
            assert first <= line <= last, (name, line)
            seen[name] += 1
    assert seen["hot!work"] > 0
    assert ends * 10 <= seen.total()


def test_profile_of_a_guest_that_fails(tmp_path: Path) -> None:
    guest = assembled(tmp_path, GUEST.replace("br_if 0\n    end))", "br_if 0\n    end\n    unreachable))"))
    out = tmp_path / "profile.json"
    done = touchstone("--profile", out, guest, status=134)
    assert "unreachable" in done.stderr
    profile = json.loads(out.read_text(encoding="utf-8"))
    check_format(profile)
    assert profile["threads"]


def test_profile_of_a_guest_that_does_next_to_nothing(tmp_path: Path) -> None:
    out = tmp_path / "profile.json"
    touchstone("--profile", out, assembled(tmp_path, '(module (func (export "_start")))'))
    profile = json.loads(out.read_text(encoding="utf-8"))
    check_format(profile)


def test_profile_that_cannot_be_written(tmp_path: Path) -> None:
    guest = assembled(tmp_path, GUEST)
    done = touchstone("--profile", tmp_path / "absent/profile.json", guest, status=125)
    assert "cannot write the profile" in done.stderr
    if Path("/dev/full").exists():
        done = touchstone("--profile", "/dev/full", guest, status=125)
        assert "could not be written" in done.stderr


def capstone() -> bool:
    for version in (5, 4):
        try:
            ctypes.CDLL(f"libcapstone.so.{version}")
        except OSError:
            continue
        return True
    return False


def test_code_side_by_side(tmp_path: Path) -> None:
    lines = touchstone("inspect", "--code", "fib", assembled(tmp_path, GUEST)).stdout.splitlines()
    assert lines[0] == "core module 0"
    assert lines[1].startswith("function 1, hot!fib: ")
    text = "\n".join(lines)
    offsets = [int(m[1], 16) for line in lines if (m := re.match(r" +([0-9a-f]+)  \S", line[:34]))]
    assert offsets == sorted(offsets)
    for part in ("local.get 0", "i32.const 2", "i32.lt_u", "call 1", "i32.add", "enter0", "i32_sub_SI_S"):
        assert part in text, part
    if "no machine code" in lines[1]:
        return
    if capstone():
        assert "jmp" in text or "br" in text
        assert "; function 1" in text
        assert "; word 0" in text
        assert "; operation enter0" in text
    else:
        assert "is not installed" in lines[2]


def test_code_without_the_disassembler_is_bytes(tmp_path: Path) -> None:
    guest = assembled(tmp_path, GUEST)
    for version in (4, 5):
        (tmp_path / f"libcapstone.so.{version}").write_bytes(b"no library")
    lines = touchstone("inspect", "--code", "fib", guest, LD_LIBRARY_PATH=str(tmp_path)).stdout.splitlines()
    if "no machine code" in lines[1]:
        pytest.skip("this build makes no machine code")
    size = int(re.search(r"(\d+) bytes of machine code", lines[1])[1])  # type: ignore[index]
    assert "libcapstone.so.5 or .so.4" in lines[2]
    assert "is not installed" in lines[2]
    found = [m for line in lines[4:] if (m := re.search(r" ([0-9a-f]+)  ((?:[0-9a-f]{2} )+)$", line))]
    assert sum(len(m[2].split()) for m in found) == size


def test_code_of_a_function_of_a_component(tmp_path: Path) -> None:
    guest = assembled(tmp_path, NESTED)
    assert "outside!twice" in touchstone("inspect", "--code", "twice", guest).stdout
    assert "inside!func[0]" in touchstone("inspect", "--code", "inside!0", guest).stdout
    assert "inside!func[0]" in touchstone("inspect", "--code=inside!burn", guest).stdout
    both = touchstone("inspect", "--code", "0!0", guest).stdout
    assert both.count("function 0, ") == 1


@pytest.mark.parametrize("wanted", ["absent", "99", "elsewhere!0", "", "!", "4294967296"])
def test_code_of_no_function(wanted: str, tmp_path: Path) -> None:
    done = touchstone("inspect", "--code", wanted, assembled(tmp_path, NESTED), status=120)
    assert "no function of the 2 core modules has this index or name" in done.stderr
    assert done.stdout == ""


def test_code_of_an_import(tmp_path: Path) -> None:
    assert "is imported" in touchstone("inspect", "--code", "0", assembled(tmp_path, GUEST), status=120).stderr


def test_code_of_every_function_of_a_program() -> None:
    guest = ROOT / "fixtures/built/program-libc.wasm"
    listed = 0
    for index in range(0, 400, 9):
        done = subprocess.run([TOUCHSTONE, "inspect", "--code", f"0!{index}", guest], capture_output=True, encoding="utf-8", timeout=60, check=False)
        assert done.returncode in (0, 120), done.stderr
        listed += done.returncode == 0
    assert listed > 3


def gdb_stops_at(symbol: str, *argv: str | Path) -> None:
    """gdb knows the symbol of machine code, stops there, and finds it again by the address."""
    gdb = shutil.which("gdb")
    if not gdb:
        pytest.skip("gdb is absent")
    words = shlex.join(str(word) for word in argv)
    commands = ("set breakpoint pending on", f"break '{symbol}'", f"run --gdb-jit --engine compiled-at-once {words}", "info symbol $pc", "kill")
    done = subprocess.run(
        [gdb, "-nx", "-q", "-batch", *(word for text in commands for word in ("-ex", text)), TOUCHSTONE],
        env={**os.environ, "DEBUGINFOD_URLS": "", "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=240, check=False,
    )  # fmt: skip
    if "ptrace: Operation not permitted" in done.stderr or "Could not trace the inferior process" in done.stderr:
        pytest.skip("this machine does not permit ptrace")
    assert re.search(rf"^{symbol}( \+ \d+)? in section \.text", done.stdout, re.MULTILINE), (done.stdout, done.stderr)


def test_gdb_knows_functions_with_machine_code(tmp_path: Path) -> None:
    guest = assembled(tmp_path, GUEST)
    if not perf_map(guest):
        pytest.skip("this build makes no machine code")
    gdb_stops_at("hot!sum", guest)


@pytest.mark.parametrize("symbol", ["call of a component", "return to a component"])
def test_gdb_knows_calls_between_components(symbol: str, tmp_path: Path) -> None:
    guest = assembled(tmp_path, CALLS_OFTEN)
    if not perf_map("--invoke", "go(3000)", guest):
        pytest.skip("this build makes no machine code")
    gdb_stops_at(symbol, "--invoke", "go(3000)", guest)
