"""`touchstone serve` and clients that are slow, silent, gone or too many; and the ways to stop it whatever its guests do.

Limits are set low, so that each is reached at once. Nothing here depends on how fast the machine is: the waits are limits for hanging.
"""

from __future__ import annotations

import re
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from test_serve import COMMANDS, MINIMAL, ROUTES, Reader, Server, alive, ask, get, has_server, run, start

HANGS = 20.0
SLEEP = get("/sleep/600000")


@pytest.fixture(scope="module", params=COMMANDS, ids=[p.parent.name for p in COMMANDS])
def command(request: pytest.FixtureRequest) -> Path:
    found = request.param
    assert isinstance(found, Path)
    if not has_server(found):
        pytest.skip("this build has no HTTP server")
    return found


@contextmanager
def serving(command: Path, folder: Path, *options: str) -> Iterator[Server]:
    server = start(command, folder, *options)
    try:
        yield server
    finally:
        status = server.end()
    assert status == 0, server.lines()[-3000:]
    assert "ERROR: AddressSanitizer" not in server.lines() and "runtime error:" not in server.lines()


def until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + HANGS
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def threads(server: Server) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/task").iterdir()))


def reset(c: socket.socket) -> None:
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.close()


def is_open(c: socket.socket) -> bool:
    before = c.gettimeout()
    c.setblocking(False)
    try:
        return c.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False
    finally:
        c.settimeout(before)


# --- clients that leave --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("leave", [socket.socket.close, reset], ids=["closed", "reset"])
def test_a_client_that_left_ends_the_wait_of_its_guest(command: Path, tmp_path: Path, leave: Callable[[socket.socket], None]) -> None:
    with serving(command, tmp_path, "--log") as s:
        many = [s.connect() for _ in range(12)]
        for c in many:
            c.sendall(SLEEP.encode())
        until(lambda: threads(s) > 12, "each guest waits on a thread")
        for c in many:
            leave(c)
        until(lambda: len(re.findall(r'"GET /sleep/600000 HTTP/1.1" \d+ \d+ [\d.]+ms cut', s.lines())) == 12, s.lines())
        assert alive(s)
        assert "failed" not in s.lines()  # it is not a failure of the guest


def test_a_client_that_left_while_it_was_sent_something(command: Path, tmp_path: Path) -> None:
    with serving(command, tmp_path, "--log") as s:
        c = s.connect()
        c.sendall(get("/ticks").encode())
        assert b"200 OK" in c.recv(100)
        c.close()
        until(lambda: "cut" in s.lines(), s.lines())


def test_half_closed_is_not_gone(command: Path, tmp_path: Path) -> None:
    """A client may shut down its sending side and wait: it gets 100 (Continue), and then its response."""
    with serving(command, tmp_path) as s, s.connect() as c:
        c.sendall(get("/sleep/300").encode())
        c.shutdown(socket.SHUT_WR)
        r = Reader(c).response()
        assert (r.status, r.body) == (200, b"slept\n")
        assert r.interim == [100]


def test_half_closed_with_a_body_and_a_second_request(command: Path, tmp_path: Path) -> None:
    with serving(command, tmp_path) as s, s.connect() as c:
        c.sendall((get("/sleep/100", "Content-Length: 3", method="POST") + "abc" + get("/hello")).encode())
        c.shutdown(socket.SHUT_WR)
        reader = Reader(c)
        assert reader.response().body == b"slept\n"
        assert reader.response().body == b"hello\n"


def test_a_half_closed_client_that_cannot_be_asked(command: Path, tmp_path: Path) -> None:
    """An HTTP/1.0 client knows no interim responses, so it gets the time limit of a stalled body."""
    with serving(command, tmp_path, "--log", "--stall-timeout", "400ms") as s:
        with s.connect() as c:
            c.sendall(get("/sleep/50", version="1.0").encode())
            c.shutdown(socket.SHUT_WR)
            assert Reader(c).connection.recv(100).startswith(b"HTTP/1.1 200 ")
        c = s.connect()
        c.sendall(get("/sleep/600000", version="1.0").encode())
        c.close()
        until(lambda: "cut" in s.lines(), s.lines())


# --- clients that are slow -----------------------------------------------------------------------------------------------


def test_a_body_that_comes_too_slowly(command: Path, tmp_path: Path) -> None:
    with serving(command, tmp_path, "--min-rate", "2k", "--rate-window", "500ms") as s:
        body = "x" * 100_000  # in time
        assert ask(s, get("/count", f"Content-Length: {len(body)}", method="POST") + body).body == b"100000 bytes\n"
        with s.connect() as c:
            c.sendall(get("/count", "Content-Length: 1000000", method="POST").encode())
            end = time.monotonic() + HANGS
            cut = False
            while not cut and time.monotonic() < end:
                try:
                    c.sendall(b"x")
                except OSError:  # the write after the end
                    cut = True
                time.sleep(0.05)
            assert cut
        assert s.wait_for("a body failed")


def test_a_response_that_is_taken_too_slowly(command: Path, tmp_path: Path) -> None:
    with serving(command, tmp_path, "--min-rate", "100k", "--rate-window", "500ms") as s, socket.socket() as c:
        c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        c.connect(("127.0.0.1", s.port))
        c.sendall(get("/big/100000000").encode())
        end = time.monotonic() + HANGS
        while "the client is gone" not in s.lines() and time.monotonic() < end:
            try:
                c.recv(100)
            except ConnectionResetError:
                break
            time.sleep(0.05)
        assert s.wait_for("the client is gone")


def test_a_guest_that_waits_for_something_else_has_no_rate(command: Path, tmp_path: Path) -> None:
    with serving(command, tmp_path, "--min-rate", "1G", "--rate-window", "100ms") as s:
        assert ask(s, get("/sleep/600")).body == b"slept\n"
        assert len(ask(s, get("/ticks")).body) == 25


def test_a_request_takes_too_long(command: Path, tmp_path: Path) -> None:
    with serving(command, tmp_path, "--request-timeout", "300ms") as s:
        assert ask(s, SLEEP).status == 500
        assert s.wait_for("the request took longer than --request-timeout")
        assert alive(s)


# --- too many ------------------------------------------------------------------------------------------------------------


def test_no_thread_is_left(command: Path, tmp_path: Path) -> None:
    with serving(command, tmp_path, "--max-threads", "3", "--threads", "1", "--queue-timeout", "200ms") as s:
        held = [s.connect() for _ in range(3)]
        for c in held:
            c.sendall(SLEEP.encode())
        until(lambda: threads(s) >= 4, "three handlers and the monitor")
        for _ in range(3):
            r = ask(s, get("/hello"))
            assert (r.status, r["retry-after"], r["connection"]) == (503, "1", "close")
        for c in held:
            c.close()
        until(lambda: ask(s, get("/hello")).status == 200, "threads are free again")


def test_a_request_queues_for_a_while(command: Path, tmp_path: Path) -> None:
    with serving(command, tmp_path, "--max-threads", "1", "--queue-timeout", "60s") as s, ExitStack() as stack:
        many = [stack.enter_context(s.connect()) for _ in range(4)]
        for c in many:
            c.sendall(get("/sleep/200").encode())
        for c in many:
            assert Reader(c).response().body == b"slept\n"


def test_the_oldest_idle_connection_gives_way(command: Path, tmp_path: Path) -> None:
    with serving(command, tmp_path, "--max-connections", "6") as s, ExitStack() as stack:
        idle = []
        for _ in range(6):
            idle.append(stack.enter_context(s.connect()))
            assert alive_on(idle[-1])
            time.sleep(0.2)  # so that the server knows the same order
        assert alive_on(idle[0])  # no longer the oldest
        time.sleep(0.2)
        fresh = stack.enter_context(s.connect())
        assert alive_on(fresh)
        until(lambda: not is_open(idle[1]), "the one that waited for longest is closed")
        assert all(is_open(c) for c in [idle[0], *idle[2:]])


def alive_on(c: socket.socket) -> bool:
    c.sendall(get("/hello").encode())
    return Reader(c).response().body == b"hello\n"


def test_silent_connections_and_half_sent_heads_keep_nobody_out(command: Path, tmp_path: Path) -> None:
    with serving(command, tmp_path, "--max-connections", "20") as s, ExitStack() as stack:
        for i in range(60):
            c = stack.enter_context(s.connect())
            if i % 2:
                c.sendall(b"GET / HTTP/1.1\r\nHost: he")
        for _ in range(5):
            assert alive(s)


def test_an_address_has_a_share(command: Path, tmp_path: Path) -> None:
    """Connections of an address that exceeds its share are dropped first, even if they are younger."""
    def connect(source: str) -> socket.socket:
        c = stack.enter_context(socket.create_connection(("127.0.0.1", s.port), 20, (source, 0)))
        assert alive_on(c)
        return c

    def closed(all_: list[socket.socket]) -> int:
        return sum(not is_open(c) for c in all_)

    with serving(command, tmp_path, "--max-connections", "8", "--max-per-address", "4") as s, ExitStack() as stack:
        modest = [connect("127.0.0.2") for _ in range(3)]
        time.sleep(0.2)
        greedy = [connect("127.0.0.3") for _ in range(5)]
        time.sleep(0.2)
        connect("127.0.0.4")
        until(lambda: closed(greedy) == 1, "one of the greedy one's is closed")
        assert closed(modest) == 0
        time.sleep(0.2)
        connect("127.0.0.4")  # now all are within their share: the oldest of all is dropped
        until(lambda: closed(modest) == 1, "one of the oldest is closed")
        assert closed(greedy) == 1


def test_no_connection_is_left(command: Path, tmp_path: Path) -> None:
    with serving(command, tmp_path, "--max-connections", "2", "--queue-timeout", "200ms") as s:
        held = [s.connect() for _ in range(2)]
        for c in held:
            c.sendall(SLEEP.encode())
        until(lambda: threads(s) >= 3, "both are served")
        r = ask(s, get("/hello"))
        assert (r.status, r["retry-after"]) == (503, "1")
        for c in held:
            c.close()
        until(lambda: ask(s, get("/hello")).status == 200, "there is room again")


def test_threads_that_are_not_needed_end(command: Path, tmp_path: Path) -> None:
    with serving(command, tmp_path) as s:
        many = [s.connect() for _ in range(40)]
        for c in many:
            c.sendall(SLEEP.encode())
        until(lambda: threads(s) > 40, "each guest waits on a thread")
        for c in many:
            c.close()
        end = time.monotonic() + 60
        while threads(s) > 20 and time.monotonic() < end:
            time.sleep(0.2)
        assert threads(s) <= 20
        assert alive(s)


def test_fewer_files_than_connections(command: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as file:
        p = subprocess.Popen(["/bin/sh", "-c", f"ulimit -n 200; exec {command} serve --addr 127.0.0.1:0 --max-connections 5000 {ROUTES}"], stdout=file, stderr=file)
    s = Server(p, 0, log, "asan" in str(command))
    try:
        assert s.wait_for("Serving", 30)
        assert "--max-connections 5000: this process may open 200 files" in s.lines()
    finally:
        assert s.end() == 0


# --- stopping ------------------------------------------------------------------------------------------------------------


def test_one_signal_ends_what_has_not_begun(command: Path, tmp_path: Path) -> None:
    """Neither the rest of a head, nor a client that keeps an ended connection open, is waited for."""
    s = start(command, tmp_path, "--head-timeout", "600s", "--grace", "600s")
    with s.connect() as half, s.connect() as idle, s.connect() as answered:
        half.sendall(b"GET /hello HTTP/1.1\r\nHo")
        answered.sendall(get("/hello", "Connection: close").encode())
        assert Reader(answered).response().status == 200
        assert alive(s)
        s.process.send_signal(signal.SIGTERM)
        assert s.process.wait(HANGS) == 0
        for c in (half, idle, answered):
            assert Reader(c).ended(5)


def twice(s: Server) -> None:
    """After two signals the process ends long before its guests would. Waiting for threads would exceed the limit."""
    s.process.send_signal(signal.SIGTERM)
    time.sleep(0.1)
    assert s.process.poll() is None
    s.process.send_signal(signal.SIGTERM)
    try:
        assert s.process.wait(2.5) == 0
    finally:
        s.end(signal.SIGKILL)


@pytest.mark.parametrize("path", ["/sleep/600000", "/spin", "/big/1000000000", "/compute/600000"])
def test_two_signals_end_whatever_guests_do(command: Path, tmp_path: Path, path: str) -> None:
    s = start(command, tmp_path, "--grace", "600s")
    with s.connect() as c:
        c.sendall(get(path).encode())
        time.sleep(0.5)
        twice(s)


def test_two_signals_end_a_guest_that_waits_for_a_body(command: Path, tmp_path: Path) -> None:
    s = start(command, tmp_path, "--grace", "600s")
    with s.connect() as c:
        c.sendall(get("/count", "Content-Length: 10", method="POST").encode() + b"x")
        time.sleep(0.3)
        twice(s)


def test_two_signals_end_a_server_whose_stderr_is_not_read(command: Path, tmp_path: Path) -> None:
    """The log goes into a full pipe: every thread that writes a line waits forever."""
    p = subprocess.Popen([command, "serve", "--addr", "127.0.0.1:0", "--log", "--grace", "600s", ROUTES], stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        assert p.stderr
        found = None
        while not found:
            found = re.search(rb":(\d+)/\n", p.stderr.readline())
        port = int(found[1])

        def flood() -> None:
            with socket.create_connection(("127.0.0.1", port), timeout=HANGS) as c:
                try:
                    for _ in range(3000):
                        c.sendall((get("/" + "x" * 200) * 20).encode())
                        while len(c.recv(1 << 16)) == 1 << 16:
                            pass
                except OSError:
                    pass

        flooding = [threading.Thread(target=flood, daemon=True) for _ in range(4)]
        for t in flooding:
            t.start()
        time.sleep(1)
        p.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        p.send_signal(signal.SIGTERM)
        p.wait(2.5)
    finally:
        p.kill()
        p.wait()


# --- where to listen -----------------------------------------------------------------------------------------------------


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
            return True
    except OSError:
        return False


@pytest.mark.parametrize("addr", ["[::]:0", ":0", "0"])
def test_every_address_is_both_families(command: Path, tmp_path: Path, addr: str) -> None:
    if not has_ipv6():
        pytest.skip("no IPv6 here")
    with listening(command, tmp_path, addr) as port:
        for host in ("127.0.0.1", "::1"):
            with socket.create_connection((host, port), timeout=20) as c:
                assert alive_on(c)


@pytest.mark.parametrize("addr", ["localhost:0", "127.0.0.1:0", "0.0.0.0:0"])
def test_names_and_addresses(command: Path, tmp_path: Path, addr: str) -> None:
    with listening(command, tmp_path, addr) as port, socket.create_connection(("127.0.0.1", port), timeout=20) as c:
        assert alive_on(c)


@contextmanager
def listening(command: Path, folder: Path, addr: str) -> Iterator[int]:
    log = folder / "log"
    with log.open("wb") as file:
        p = subprocess.Popen([command, "serve", "--addr", addr, ROUTES], stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    s = Server(p, 0, log, "asan" in str(command))
    try:
        assert s.wait_for("Serving HTTP on http://", 30), s.lines()
        found = re.search(r":(\d+)/\n", s.lines())
        assert found
        yield int(found[1])
    finally:
        assert s.end() == 0, s.lines()


@pytest.mark.parametrize(
    ("addr", "words"),
    [
        ("127.0.0.1", "a port is missing: 127.0.0.1:8080"),
        ("::1", "a port is missing: [::1]:8080"),
        ("localhost", "a port is missing"),
        ("127.0.0.1:", "is not a port"),
        ("127.0.0.1:65536", "is not a port"),
        ("127.0.0.1:http", "is not a port"),
        ("70000", "is not a port"),
        ("[127.0.0.1]:80", "an IPv6 address is expected between the brackets"),
        ("[::1", "is neither an address nor a name"),
        ("a b:80", "is neither an address nor a name"),
        ("", "--addr: the value is empty"),
    ],
)
def test_what_is_no_address(command: Path, addr: str, words: str) -> None:
    done = run(command, f"--addr={addr}", str(MINIMAL))
    assert done.returncode == 120
    assert words in done.stderr
