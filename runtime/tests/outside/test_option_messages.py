"""What the command answers to options that are almost right: each message names the option and its value, and nothing is granted."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TOUCHSTONE = ROOT / os.environ.get("BUILD", "build") / "touchstone"
HELLO = ROOT / "fixtures/built/hello.wasm"

pytestmark = pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built")


def run(*argv: str | Path, env: dict[bytes, bytes] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([TOUCHSTONE, *argv], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False, env=env)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--features", "", "--features: the value is empty"),
        ("--features", ",", "--features ,: there is an empty word in the list"),
        ("--features", "maps,", "--features maps,: there is an empty word in the list"),
        ("--features", "map", "--features map: there is no feature `map`; did you mean maps"),
        ("--cache", "", "--cache: the value is empty"),
        ("--record", "", "--record: the value is empty"),
        ("--replay", "", "--replay: the value is empty"),
        ("--outcome", "", "--outcome: the value is empty"),
        ("--trace-output", "", "--trace-output: the value is empty"),
        ("--invoke", "", "--invoke: the value is empty"),
        ("--cwd", "", "--cwd: the value is empty"),
        ("--ca", "", "--ca: the value is empty"),
        ("--allow-name", "", "--allow-name: the value is empty"),
        ("--tcp-connect", "", "--tcp-connect: the value is empty"),
        ("--http-allow", "", "--http-allow: the value is empty"),
        ("--max-disk", "1.5", "--max-disk 1.5: a fraction of a byte is not a size"),
        ("--max-disk", "1.5x", "--max-disk 1.5x: `x` is not a unit of sizes"),
        ("--max-disk", "", "--max-disk: a number is expected"),
        ("--max-memory", "0", "--max-memory 0: out of range: at least 1 is expected"),
        ("--max-memory", "99999999999999999999", "--max-memory 99999999999999999999: out of range: the number is too large"),
        ("--fuel", "1k", "--fuel 1k: a whole number without a unit is expected"),
        ("--fuel", "1.5", "--fuel 1.5: a whole number without a unit is expected"),
        ("--fuel", "-1", "--fuel -1: a number is expected"),
        ("--max-time", "1.5ns", "--max-time 1.5ns: a fraction of a nanosecond is not a time"),
        ("--max-time", "5min", "--max-time 5min: `min` is not a unit of time"),
        ("--max-depth", "501", "--max-depth 501: out of range: at most 500"),
        ("--clock", "tomorrow", "--clock tomorrow: seconds since 1970"),
        ("--seed", "x", "--seed x: a number of at most 19 digits is expected"),
        ("--tcp-connect", "1.2.3.4:080", "--tcp-connect 1.2.3.4:080: the port is a number up to 65535"),
        ("--tcp-connect", "1.2.3.4", "--tcp-connect 1.2.3.4: HOST:PORT is expected"),
        ("--udp", "::1:80", "--udp ::1:80: "),
        ("--udp-bind", "localhost:80", "--udp-bind localhost:80: to listen takes an address"),
        ("--allow-name", "a b", "--allow-name a b is not a name"),
        ("--http-allow", "example.org:", "--http-allow example.org:: "),
        ("--http-deny", "prvate", "--http-deny prvate: ADDRESS[/BITS] or the word private is expected; did you mean private"),
        ("--http-deny", "10.0.0.1/8", "--http-deny 10.0.0.1/8: bits are set beyond the first 8: write 10.0.0.0/8"),
        ("--deny", "wasi:clock", "--deny wasi:clock: WASI 0.2 has no such interface"),
        ("--unstable", "clocks", "--unstable clocks: WASI 0.2 has no such feature"),
        ("--env", "=x", "--env =x: K=V is expected"),
        ("-S", "max-files=0", "-S max-files 0: out of range: at least 1 is expected"),
        ("-S", "cwd=", "-S cwd: the value is empty"),
        ("-W", "fuel=1k", "-W fuel 1k: a whole number without a unit is expected"),
    ],
)
def test_the_option_and_its_value_are_named(option: str, value: str, said: str) -> None:
    done = run("run", option, value, HELLO)
    assert done.returncode == 120 and done.stdout == ""
    assert done.stderr.startswith(f"touchstone: usage: {said}"), done.stderr


@pytest.mark.parametrize("mode", [",ro", ",rw", ";ro", " ro", "=ro", ",readonly", ",RO", "+r"])
def test_what_looks_like_a_mode_is_none(mode: str, tmp_path: Path) -> None:
    for directory in (f"{tmp_path}::/x{mode}", f"{tmp_path}{mode}"):
        done = run("run", "--dir", directory, "--show-grants")
        assert done.returncode == 120 and f"{mode} is neither :ro nor :rw" in done.stderr, done.stderr
    (tmp_path / f"x{mode}").mkdir()
    done = run("run", "--dir", f"{tmp_path}/x{mode}:rw", "--show-grants")  # with a mode it is part of the name
    assert done.returncode == 0 and f'x{mode}"' in done.stdout
    assert run("run", "--dir", f"{tmp_path}::/a,b.ro", "--show-grants").returncode == 0


@pytest.mark.parametrize(
    ("features", "said"),
    [("", "--features: the list is empty"), (",", "--features ,: there is an empty word"), ("valus", "did you mean values"), ("all", "")],
)
def test_validate_reads_the_same_list(features: str, said: str) -> None:
    for argv in (["--features", features], [f"--features={features}"]):
        done = run("validate", *argv, HELLO)
        assert (done.returncode, said in done.stderr) == (120 if said else 0, True), done.stderr


def test_names_of_variables_that_are_no_text_are_escaped() -> None:
    done = run("run", "-S", "inherit-env", "--show-grants", env={b"B\xff\x1b[1m": b"1", b"GOOD": b"2"})
    assert done.returncode == 0 and 'GOOD" = "2"' in done.stdout
    assert done.stderr == "touchstone: inherit-env: B\\xff\\x1b[1m is not UTF-8 and left out\n"


def test_a_script_without_commands_has_not_failed(tmp_path: Path) -> None:
    """As in wasmtime and the reference interpreter, of an empty .wast."""
    (tmp_path / "empty.json").write_text(json.dumps({"source_filename": "empty.wast", "commands": []}))
    done = run("wast", tmp_path / "empty.json")
    assert (done.returncode, done.stdout) == (0, "0 passed, 0 failed, 0 skipped, 0 unsupported\n")


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--features", "", "--features: the value is empty"),
        ("--features", "threads,", "--features threads,: there is an empty word in the list"),
        ("--features", "thread", "--features thread: there is no feature `thread`; did you mean threads"),
        ("--timeout", "soon", "--timeout soon: a number is expected"),
        ("--timeout", "-1", "--timeout -1: a number is expected"),
        ("--timeout", "0", "--timeout 0: out of range: at least 1 is expected"),
        ("--gc-stress", "", "--gc-stress: the value is empty"),
        ("--gc-stress", "4294967296", "--gc-stress 4294967296: out of range: at most 4294967295"),
        ("--results", "", "--results: the value is empty"),
    ],
)
def test_options_of_wast(option: str, value: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "empty.json").write_text(json.dumps({"source_filename": "empty.wast", "commands": []}))
    done = run("wast", tmp_path / "empty.json", option, value)
    assert done.returncode == 120 and done.stdout == "" and said in done.stderr, done.stderr
    done = run("wast", tmp_path / "empty.json", "--features", "threads,wide-arithmetic", "--timeout", "1.5", "--gc-stress", "3")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["run", "validate", "inspect", "serve", "wast"])
def test_an_empty_path(command: str) -> None:
    done = run(command, "")
    assert done.returncode == 120 and ("the path of the file is empty" in done.stderr or "usage:" in done.stderr), done.stderr


def test_an_empty_command() -> None:
    done = run("")
    assert done.returncode == 120 and "the command is empty" in done.stderr
