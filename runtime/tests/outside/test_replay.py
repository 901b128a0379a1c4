"""`--replay` warns about arguments, grants, environment and limits that differ; the guest gets the recorded ones."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from test_command import assemble, needs_wasm_tools

ROOT = Path(__file__).resolve().parents[3]
TOUCHSTONE = ROOT / os.environ.get("BUILD", "build") / "touchstone"
BUILT = ROOT / "fixtures/built"
ARGUMENTS = BUILT / "cli-arguments.wasm"

pytestmark = pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built")

GUEST_GETS = "the guest gets what was recorded"
ANOTHER = "the run may take another course"
LEFT_OUT = "recorded, but not given here: "


def run(*argv: str | Path) -> tuple[int, str, str]:
    done = subprocess.run([TOUCHSTONE, "run", *argv], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A record, and the output of its run."""
    folder = tmp_path_factory.mktemp("record")
    grants = ("--env", "A=secret", "--dir", f"{folder}::/data", "--max-memory", "64MiB", "--tcp-connect", "127.0.0.1:80")
    _, out, said = run("--record", folder / "r", *grants, ARGUMENTS, "one", "two")
    assert not said
    return folder / "r", out


@pytest.mark.parametrize(
    ("options", "words", "warnings"),
    [
        (("--max-memory", "64MiB"), (), []),
        (("--max-memory", "64MiB"), ("one", "two"), []),
        (("--max-memory", "64MiB", "--env", "A=secret"), (), [f"{LEFT_OUT}dir, tcp-connect; {GUEST_GETS}"]),
        (("--max-memory", "64MiB"), ("one", "three"), [f'arguments: recorded: ["one", "two"]; here: ["one", "three"]; {GUEST_GETS}']),
        (("--max-memory", "64MiB"), ("one",), [f'arguments: recorded: ["one", "two"]; here: ["one"]; {GUEST_GETS}']),
        (("--max-memory", "64MiB", "--argv0", "x"), (), [f'argv0: recorded: not given; here: "x"; {GUEST_GETS}']),
        (("--max-memory", "64MiB", "--env", "A=other"), (), [f'env."A": its value differs from the recorded one; {GUEST_GETS}', LEFT_OUT]),
        (("--max-memory", "64MiB", "--env", "B=1"), (), [f'env."B": recorded: not given; here: given; {GUEST_GETS}', f'{LEFT_OUT}dir, tcp-connect, env."A"']),
        (("--max-memory", "64MiB", "-S", "inherit-network"), (), [f"inherit-network: recorded: not given; here: true; {GUEST_GETS}", LEFT_OUT]),
        (("--max-memory", "64MiB", "--tcp-connect", "127.0.0.1:81"), (), ["tcp-connect: recorded: ", f'{LEFT_OUT}dir, env."A"; {GUEST_GETS}']),
        (("--max-memory", "32MiB"), (), [f"max-memory: recorded: 67108864; here: 33554432; {ANOTHER}"]),
        ((), (), [f"max-memory: recorded: 67108864; here: not given; {ANOTHER}"]),
        (("--max-memory", "64MiB", "--fuel", "100000000"), (), [f"fuel: recorded: not given; here: 100000000; {ANOTHER}"]),
        (("--max-memory", "64MiB", "-W", "nan-canonicalization"), (), [f"canonical-nans: recorded: not given; here: true; {ANOTHER}"]),
        (("--max-memory", "64MiB", "-W", "nan-canonicalization=n"), (), []),
        (("--max-memory", "64MiB", "--deterministic"), (), ["clock: ", "seed: ", f"deterministic: recorded: not given; here: true; {ANOTHER}", LEFT_OUT]),
    ],
)  # fmt: skip
def test_what_differs_is_said(record: tuple[Path, str], options: tuple[str, ...], words: tuple[str, ...], warnings: list[str]) -> None:
    file, printed = record
    _, out, said = run("--replay", file, *options, ARGUMENTS, *words)
    lines = said.splitlines()
    assert len(lines) == len(warnings) and all(line.startswith("touchstone: warning: --replay: ") for line in lines), said
    assert all(any(warning in line for line in lines) for warning in warnings), said
    assert out == printed


def test_words_with_quotes(tmp_path: Path) -> None:
    """They are written as strings, so that a quote or a line break in them does not end a condition."""
    words = ('a"b', "c\\\\d", "e\nmax-memory = 1")
    run("--record", tmp_path / "r", "--max-memory", "64MiB", ARGUMENTS, *words)
    assert b'arguments = ["a\\"b", "c\\\\\\\\d", "e\\nmax-memory = 1"]\n' in (tmp_path / "r").read_bytes()
    assert run("--replay", tmp_path / "r", "--max-memory", "64MiB", ARGUMENTS, *words)[2] == ""
    _, _, said = run("--replay", tmp_path / "r", "--max-memory", "64MiB", ARGUMENTS, "\x1b[31m\x7f\u0085\u00a0" + "x" * 300)
    assert said.endswith(f"; {GUEST_GETS}\n") and 'here: ["?[31m??\u00a0xxx' in said and "xxx…; the guest" in said


@needs_wasm_tools
def test_the_call_is_a_condition(tmp_path: Path) -> None:
    """Another call may ask for what the record does not have."""
    file = assemble(
        tmp_path,
        """(component (core module $m (func (export "f") (param i32) (result i32) (local.get 0)))
  (core instance $i (instantiate $m))
  (func (export "say") (param "c" char) (result char) (canon lift (core func $i "f"))))""",
    )
    assert run("--record", tmp_path / "r", "--invoke", "say('\"')", file) == (0, "'\"'\n", "")
    assert run("--replay", tmp_path / "r", "--invoke", "say('\"')", file) == (0, "'\"'\n", "")
    _, _, said = run("--replay", tmp_path / "r", "--invoke", "say('\\\\')", file)
    assert said == f"""touchstone: warning: --replay: invoke: recorded: "say('\\"')"; here: "say('\\\\\\\\')"; {ANOTHER}\n"""


def test_many_grants_are_left_out(tmp_path: Path) -> None:
    run("--record", tmp_path / "r", *(f"--env=V{i:02}=x" for i in range(14)), ARGUMENTS)
    _, _, said = run("--replay", tmp_path / "r", "--env=V00=x", ARGUMENTS)
    assert said == f"touchstone: warning: --replay: {LEFT_OUT}" + ", ".join(f'env."V{i:02}"' for i in range(1, 13)) + f" and others; {GUEST_GETS}\n"


def test_directories(record: tuple[Path, str]) -> None:
    file, printed = record
    _, out, said = run("--replay", file, "--max-memory", "64MiB", "--dir", f"{file.parent}::/data:ro", ARGUMENTS)
    assert said.count("warning") == 2 and LEFT_OUT + "tcp-connect, env" in said and "read-only = false}]; here: [{host" in said and "read-only = true" in said and out == printed


def test_a_record_gives_no_values_of_the_environment_away(record: tuple[Path, str]) -> None:
    assert b"secret" not in record[0].read_bytes() and b'env."A" = ' in record[0].read_bytes()


def test_a_damaged_list_of_conditions(record: tuple[Path, str], tmp_path: Path) -> None:
    """It is refused because of the checksum, like any damage."""
    data = bytearray(record[0].read_bytes())
    data[data.index(b'arguments = ["one"') + 15] ^= 1
    (tmp_path / "r").write_bytes(data)
    status, out, said = run("--replay", tmp_path / "r", ARGUMENTS)
    assert status == 120 and not out and "the record is damaged" in said


def test_an_older_format_is_refused(record: tuple[Path, str], tmp_path: Path) -> None:
    (tmp_path / "r").write_bytes(record[0].read_bytes().replace(b"touchstone-record/4", b"touchstone-record/3", 1))
    status, _, said = run("--replay", tmp_path / "r", ARGUMENTS)
    assert status == 120 and "a record of another format than this version's" in said


def test_output_that_cannot_be_repeated(record: tuple[Path, str]) -> None:
    """A replay whose output is lost is no success."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([TOUCHSTONE, "run", "--replay", record[0], ARGUMENTS], stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE,
                              timeout=60, check=False)  # fmt: skip
    assert done.returncode == 125
    assert b"cannot repeat the recorded output: " in done.stderr
