"""Started without descriptors 0, 1 or 2: no file of the runtime takes their numbers and gets a guest's output."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TOUCHSTONE = ROOT / os.environ.get("BUILD", "build") / "touchstone"
BUILT = ROOT / "fixtures/built"
HELLO = BUILT / "hello.wasm"
CLOSED = [fds for n in (1, 2, 3) for fds in itertools.combinations((0, 1, 2), n)]

pytestmark = pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built")


def start(argv: list[str | Path], closed: tuple[int, ...]) -> subprocess.Popen[bytes]:
    def prepare() -> None:
        for fd in closed:
            os.close(fd)

    return subprocess.Popen(
        [TOUCHSTONE, *argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=prepare,
    )


@pytest.mark.parametrize("closed", CLOSED, ids=str)
@pytest.mark.parametrize("option", [None, "--record", "--trace-output", "--outcome"])
def test_run(closed: tuple[int, ...], option: str | None, tmp_path: Path) -> None:
    plain = start(["run", *([option, tmp_path / "whole"] if option else []), HELLO], ())
    assert plain.communicate(timeout=60)[0].startswith(b"hello") and plain.returncode == 0
    process = start(["run", *([option, tmp_path / "file"] if option else []), HELLO], closed)
    out, _ = process.communicate(timeout=60)
    assert out.startswith(b"hello") == (1 not in closed)
    if 1 not in closed:
        assert process.returncode == 0
    if not option:
        return
    have = (tmp_path / "file").read_bytes()
    start_of = {"--record": b"touchstone-record/", "--trace-output": b"wasi:", "--outcome": b'{"schema":'}[option]
    assert have.startswith(start_of), have[:100]
    if option == "--trace-output":
        assert all(line.startswith(b"wasi:") for line in have.splitlines())
    if option == "--record":
        again = start(["run", "--replay", tmp_path / "file", HELLO], ())
        said = again.communicate(timeout=60)
        assert b"damaged" not in said[1] and b"cut short" not in said[1], said
    if option == "--outcome":
        assert have.count(b"\n") == 1 and have.endswith(b"}\n")


@pytest.mark.parametrize("closed", CLOSED, ids=str)
def test_a_guest_finds_them_closed(closed: tuple[int, ...], tmp_path: Path) -> None:
    """As for a program whose stdout is closed: an error, not lost bytes."""
    process = start(["run", "--trace-output", tmp_path / "trace", HELLO], closed)
    process.communicate(timeout=60)
    assert ("err(closed)" in (tmp_path / "trace").read_text()) == (1 in closed)


@pytest.mark.parametrize("closed", CLOSED, ids=str)
def test_serve(closed: tuple[int, ...], tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path / "log"
    server = start(["serve", "--addr", f"127.0.0.1:{port}", f"--log={log}", BUILT / "serve-routes.wasm"], closed)
    try:
        end = time.monotonic() + 60
        while True:
            try:
                peer = socket.create_connection(("127.0.0.1", port), timeout=30)
                break
            except OSError:
                assert time.monotonic() < end and server.poll() is None
                time.sleep(0.02)
        with peer:
            peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = b""
            while data := peer.recv(65536):
                answer += data
        assert answer.startswith(b"HTTP/1.1 ")
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=60)
        assert all(line.startswith(b"127.0.0.1:") for line in log.read_bytes().splitlines()) and log.read_bytes()
    finally:
        server.kill()
        server.wait()
