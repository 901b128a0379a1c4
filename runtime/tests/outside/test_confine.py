"""--confine: what holds in processes of run and serve, what is said where the kernel cannot, and what keeps working."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import re
import signal
import struct
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
TOUCHSTONE = ROOT / os.environ.get("BUILD", "build") / "touchstone"
BUILT = ROOT / "fixtures/built"
HELLO = BUILT / "hello.wasm"
ALL = ("no_new_privileges", "files", "tcp_ports", "system_calls", "limits", "all_threads")
LANDLOCK, SECCOMP = 444, 317  # numbers of x86-64; the first is the same everywhere

pytestmark = pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built")


def run(*words: str | Path, status: int = 0, env: dict[str, str] | None = None, before: Callable[[], None] | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [TOUCHSTONE, *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        env={key: value for key, value in os.environ.items() if key != "TOUCHSTONE_CONFINE"} | (env or {}),
        preexec_fn=before,
        check=False,
    )
    assert done.returncode == status, done.stderr
    return done


def outcome(tmp_path: Path, *options: str, **more: Any) -> dict[str, Any]:
    path = tmp_path / "outcome.json"
    run("run", *options, "--outcome", path, HELLO, **more)
    found: dict[str, Any] = json.loads(path.read_text())["confinement"]
    return found


@pytest.fixture(scope="module")
def capable() -> None:
    """Skips where the kernel cannot do everything, with the reason."""
    done = subprocess.run([TOUCHSTONE, "inspect", "--confinement", "--confine=require"], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        pytest.skip(done.stderr.strip())


def without(*numbers: int) -> Callable[[], None]:
    """Makes these system calls of a child fail, as if the kernel did not have them."""

    def install() -> None:
        def instruction(code: int, jt: int, jf: int, k: int) -> bytes:
            return struct.pack("<HBBI", code, jt, jf, k)

        program = instruction(0x20, 0, 0, 0)  # the number
        for number in numbers:
            program += instruction(0x15, 0, 1, number) + instruction(0x06, 0, 0, 0x00050000 | errno.ENOSYS)
        program += instruction(0x06, 0, 0, 0x7FFF0000)
        text = ctypes.create_string_buffer(program, len(program))
        header = struct.pack("@HP", len(program) // 8, ctypes.addressof(text))
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.prctl(38, 1, 0, 0, 0) == 0
        assert libc.prctl(22, 2, header, 0, 0) == 0

    return install


def test_a_run_is_confined_by_default(capable: None, tmp_path: Path) -> None:
    found = outcome(tmp_path)
    assert found["mode"] == "try" and found["landlock"] >= 4 and found["missing"] == ""
    assert all(found[name] for name in ALL)
    assert not found["any_connect_port"] and not found["any_listen_port"]


def test_the_mode_comes_from_the_option_then_the_policy_then_the_environment(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text('confine = "off"\n')
    assert outcome(tmp_path, "--confine=off")["mode"] == "off"
    assert outcome(tmp_path, "--policy", str(tmp_path / "p.toml"))["mode"] == "off"
    assert outcome(tmp_path, env={"TOUCHSTONE_CONFINE": "off"})["mode"] == "off"
    assert outcome(tmp_path, "--confine=try", env={"TOUCHSTONE_CONFINE": "off"})["mode"] == "try"
    assert not any(outcome(tmp_path, "--confine=off")[name] for name in ALL)
    assert run("run", "--policy", tmp_path / "p.toml", "--show-grants").stdout == 'confine = "off"\n'
    assert "off, try or require is expected" in run("run", "--confine=on", HELLO, status=120).stderr
    assert "TOUCHSTONE_CONFINE is on" in run("run", HELLO, status=120, env={"TOUCHSTONE_CONFINE": "on"}).stderr


def test_grants_open_ports_and_nothing_else(capable: None, tmp_path: Path) -> None:
    assert outcome(tmp_path, "--tcp-connect", "127.0.0.1:80", "--tcp-listen", "127.0.0.1:0")["any_connect_port"] is False
    assert outcome(tmp_path, "--http-allow", "localhost")["any_connect_port"] is True  # without a port: all
    assert outcome(tmp_path, "--http-allow", "localhost:443")["any_connect_port"] is False
    assert outcome(tmp_path, "--tcp-listen", "127.0.0.1:*")["any_listen_port"] is True
    assert all(outcome(tmp_path, "-S", "inherit-network", "--dir", str(tmp_path))[name] for name in ALL)


def test_inspect_shows_what_the_kernel_refuses(capable: None) -> None:
    text = run("inspect", "--confinement", "--engine=interpreter").stdout
    answers = re.findall(r"^  (\S.*?)\s{2,}(refused|not refused) \((.*)\)$", text, re.MULTILINE)
    assert len(answers) > 25 and all(answer == "refused" for _, answer, _ in answers)
    assert {"read /etc/passwd", "run a program", "map a page that is writable and executable", "trace a process"} <= {name for name, _, _ in answers}
    compiled = run("inspect", "--confinement", "--engine=compiled").stdout
    assert re.search(r"make a page writable and executable +refused", compiled) and re.search(r"map an executable page +refused", compiled)
    granted = run("inspect", "--confinement", "--dir", "/etc:ro").stdout
    assert re.search(r"read /etc/passwd +not refused", granted) and re.search(r"make a file in / +refused", granted)
    assert re.search(r"run a program +not refused", run("inspect", "--confinement", "--confine=off").stdout)
    assert "there is no option" in run("inspect", "--confinement", "--nonsense", status=120).stderr


def test_an_absent_part_is_said_and_only_require_insists(capable: None, tmp_path: Path) -> None:
    found = outcome(tmp_path, before=without(LANDLOCK))
    assert found["landlock"] == 0 and not found["files"] and found["system_calls"] and "files: the kernel has no Landlock" in found["missing"]
    done = run("run", "--confine=require", HELLO, status=126, before=without(LANDLOCK))
    assert "the process cannot be confined: files: the kernel has no Landlock" in done.stderr and done.stdout == ""
    if os.uname().machine == "x86_64":
        found = outcome(tmp_path, before=without(SECCOMP))
        assert found["files"] and not found["system_calls"] and "system calls: the kernel has no seccomp filter" in found["missing"]
        assert "system calls" in run("run", "--confine=require", HELLO, status=126, before=without(SECCOMP)).stderr
        assert run("run", HELLO, before=without(SECCOMP, LANDLOCK)).stdout == "hello from a component\n"


def script(folder: Path, module: str) -> Path:
    folder.mkdir()
    (folder / "s.json").write_text(json.dumps({"commands": [{"type": "module", "line": 1, "filename": module}]}))
    return folder / "s.json"


def test_commands_that_only_read_files_are_confined(capable: None, tmp_path: Path) -> None:
    (tmp_path / "m.wasm").write_bytes(b"\0asm\1\0\0\0")
    inside = script(tmp_path / "inside", "m.wasm")
    (inside.parent / "m.wasm").write_bytes(b"\0asm\1\0\0\0")
    commands = (["validate", HELLO], ["inspect", HELLO], ["inspect", "--code", "3", HELLO], ["wast", inside])
    for words in commands:
        run(*words, env={"TOUCHSTONE_CONFINE": "require"})
        refused = run(*words, env={"TOUCHSTONE_CONFINE": "require"}, status=126, before=without(LANDLOCK))
        assert "the process cannot be confined: files: the kernel has no Landlock" in refused.stderr
        run(*words, before=without(LANDLOCK))
        assert "TOUCHSTONE_CONFINE is on" in run(*words, env={"TOUCHSTONE_CONFINE": "on"}, status=120).stderr


def test_a_script_reads_nothing_outside_its_folder(capable: None, tmp_path: Path) -> None:
    (tmp_path / "m.wasm").write_bytes(b"\0asm\1\0\0\0")
    outside = script(tmp_path / "script", "../m.wasm")
    run("wast", outside, env={"TOUCHSTONE_CONFINE": "off"})
    assert "m.wasm" in run("wast", outside, env={"TOUCHSTONE_CONFINE": "require"}, status=1).stdout


def test_files_that_the_command_writes_itself(capable: None, tmp_path: Path) -> None:
    run("run", "--outcome", tmp_path / "o", "--trace-output", tmp_path / "t", "--record", tmp_path / "r", HELLO)
    assert json.loads((tmp_path / "o").read_text())["outcome"] == "exited"
    assert "hello" in (tmp_path / "t").read_text() or (tmp_path / "t").stat().st_size
    run("run", "--replay", tmp_path / "r", "--outcome", tmp_path / "o", HELLO)


def test_a_confined_run_fills_the_cache(capable: None, tmp_path: Path) -> None:
    large = ROOT / "build/guests/program-js.wasm"
    if not large.exists():
        pytest.skip("no guest is large enough to be cached (make guests)")
    run("run", "--cache", tmp_path / "cache", large, status=1)  # it wants arguments
    made = sorted(path.name for path in (tmp_path / "cache").iterdir())
    run("run", "--cache", tmp_path / "cache", "--confine=off", large, status=1)
    assert made and made == sorted(path.name for path in (tmp_path / "cache").iterdir())


@pytest.fixture
def server(capable: None) -> Iterator[tuple[int, str]]:
    words = [TOUCHSTONE, "serve", "--confine=require", "--addr", "127.0.0.1:0", BUILT / "serve-cases.wasm"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    line = process.stderr.readline()
    assert line.startswith("Serving HTTP on "), line
    yield process.pid, line.split()[-1]
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    process.stderr.close()


def test_every_thread_of_serve_is_confined(server: tuple[int, str]) -> None:
    pid, url = server
    with urllib.request.urlopen(url, timeout=30) as response:
        assert response.status == 200
    threads = list(Path(f"/proc/{pid}/task").iterdir())
    assert len(threads) > 1
    for thread in threads:
        status = (thread / "status").read_text()
        assert re.search(r"^NoNewPrivs:\t1$", status, re.MULTILINE) and re.search(r"^Seccomp:\t2$", status, re.MULTILINE)
