"""`touchstone serve` from outside: plain sockets, so that what is sent is exactly what stands here, well formed or not.

Each build of the command that is there (the ordinary and the sanitized one) answers the whole list; TOUCHSTONE_SERVE names others.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from http_wire import Reader, Response, get

ROOT = Path(__file__).resolve().parents[3]
BUILDS = [ROOT / os.environ.get("BUILD", "build") / "touchstone", ROOT / "build-asan/touchstone"]
COMMANDS = [Path(p) for p in os.environ.get("TOUCHSTONE_SERVE", "").split(":") if p] or [p for p in BUILDS if os.access(p, os.X_OK)]
ROUTES = ROOT / "fixtures/built/serve-routes.wasm"
MINIMAL = ROOT / "fixtures/built/serve-minimal.wasm"


@dataclass
class Server:
    process: subprocess.Popen[bytes]
    port: int
    log: Path
    sanitized: bool
    said: str = ""

    def connect(self, timeout: float = 20) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout)

    def lines(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for(self, text: str, seconds: float = 10) -> bool:
        """Waits until the server's stderr or stdout contains the text."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if text in self.lines():
                return True
            time.sleep(0.02)
        return False

    def memory(self) -> int:
        """Resident memory in bytes."""
        found = re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{self.process.pid}/status").read_text(), re.M)
        assert found
        return int(found[1]) * 1024

    def end(self, sig: int = signal.SIGTERM, seconds: float = 30) -> int:
        if self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            return self.process.wait(seconds)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()


def start(command: Path, folder: Path, *options: str, component: Path = ROUTES) -> Server:
    log = folder / f"serve-{time.monotonic_ns()}.log"
    with log.open("wb") as file:
        # a component is validated once, slowly under sanitizers; the library must not leak
        process = subprocess.Popen(
            [command, "serve", "--addr", "127.0.0.1:0", *options, component],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env={**os.environ, "ASAN_OPTIONS": "detect_leaks=1:quarantine_size_mb=8", "UBSAN_OPTIONS": "print_stacktrace=1"},
        )
    server = Server(process, 0, log, "asan" in str(command))
    assert server.wait_for("Serving HTTP on http://", 30) or process.poll() is not None, server.lines()
    found = re.search(r"Serving HTTP on http://127\.0\.0\.1:(\d+)/\n", server.lines())
    if not found:
        server.end(signal.SIGKILL)
        pytest.fail(f"it does not serve: {server.lines()}")
    server.port = int(found[1])
    return server


@pytest.fixture(scope="module", params=COMMANDS, ids=[p.parent.name for p in COMMANDS])
def command(request: pytest.FixtureRequest) -> Path:
    found = request.param
    assert isinstance(found, Path)
    if not has_server(found):
        pytest.skip("this build has no HTTP server")
    return found


def has_server(command: Path) -> bool:
    """A build without llhttp reports that at once; one that can serve would keep running."""
    done = subprocess.run([command, "serve", "--addr", "1.2.3.4:1", MINIMAL], capture_output=True, text=True, timeout=30, check=False)
    return "this build has no HTTP server" not in done.stderr


@pytest.fixture(scope="module")
def server(command: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = start(command, tmp_path_factory.mktemp("serve"), "--log", "--head-timeout", "1s", "--idle-timeout", "30s", "--stall-timeout", "2s",
                 "--max-time", "20s")
    yield made
    status = made.end()
    assert status == 0, made.lines()[-4000:]
    assert "ERROR: AddressSanitizer" not in made.lines() and "runtime error:" not in made.lines()


def ask(server: Server, text: str | bytes, head: bool = False) -> Response:
    """One request on a connection of its own."""
    with server.connect() as c:
        c.sendall(text.encode("latin-1") if isinstance(text, str) else text)
        return Reader(c).response(head)


def alive(server: Server) -> bool:
    return ask(server, get("/hello")).body == b"hello\n"


# --- ordinary requests ---------------------------------------------------------------------------------------------


def test_a_small_response_has_its_length(server: Server) -> None:
    # on a busy machine the handler may take longer than the delay of its first bytes
    for _ in range(10):
        r = ask(server, get("/hello"))
        if r["content-length"]:
            break
    assert (r.status, r.body, r["content-length"], r["transfer-encoding"]) == (200, b"hello\n", "6", None)
    assert re.fullmatch(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", r["date"] or "")


def test_it_leaves_in_one_piece(server: Server) -> None:
    for _ in range(10):  # on a busy machine: see above
        with server.connect() as c:
            c.sendall(get("/hello").encode())
            got = c.recv(65536)
        if got.endswith(b"\r\n\r\nhello\n"):
            break
    assert got.endswith(b"\r\n\r\nhello\n")


def test_what_the_guest_sees(server: Server) -> None:
    r = ask(server, "GET /tell/a?b=%20c HTTP/1.1\r\nHost: a.example:81\r\nX-B:  two words \t\r\nx-b: again\r\nX-Empty:\r\n\r\n")
    assert r.body.decode().splitlines() == [
        "method get", "path /tell/a?b=%20c", "scheme http", "authority a.example:81", "X-B=two words", "x-b=again", "X-Empty=",
    ] or r.body.decode().splitlines() == [
        "method get", "path /tell/a?b=%20c", "scheme http", "authority a.example:81", "Host=a.example:81", "X-B=two words", "x-b=again", "X-Empty=",
    ]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "PROPFIND", "M-SEARCH", "SOURCE", "PRI", "get", "Anything!"])
def test_any_token_is_a_method(server: Server, method: str) -> None:
    told = ask(server, get("/tell", method=method)).body.decode().splitlines()[0]
    assert told == f"method {method}" or told == f"method {method.lower()}"


def test_absolute_form_names_the_authority(server: Server) -> None:
    for target, path in [("http://b.example/tell", "/tell"), ("HTTP://b.example:8/tell?x", "/tell?x")]:
        lines = ask(server, f"GET {target} HTTP/1.1\r\nHost: other\r\n\r\n").body.decode().splitlines()
        assert lines[1] == f"path {path}" and lines[3].startswith("authority b.example")
    assert ask(server, "GET http://b.example HTTP/1.1\r\nHost: x\r\n\r\n").body == b"hello\n"
    assert ask(server, "GET http://b.example?q HTTP/1.1\r\nHost: x\r\n\r\n").body == b"hello\n"


def test_asterisk_form_is_for_options(server: Server) -> None:
    assert ask(server, get("*", method="OPTIONS")).status == 200
    assert ask(server, get("*")).status == 400


def test_head_has_no_body(server: Server) -> None:
    with server.connect() as c:
        c.sendall((get("/hello", method="HEAD") + get("/length/5", method="HEAD") + get("/hello")).encode())
        reader = Reader(c)
        assert reader.response(head=True)["content-length"] in (None, "6")
        assert reader.response(head=True)["content-length"] == "5"
        assert reader.response().body == b"hello\n"


@pytest.mark.parametrize("status", [204, 304])
def test_statuses_without_body(server: Server, status: int) -> None:
    with server.connect() as c:
        c.sendall((get(f"/status/{status}") + get("/hello")).encode())
        reader = Reader(c)
        r = reader.response()
        assert r.status == status and r["transfer-encoding"] is None and r["content-length"] is None
        assert reader.response().body == b"hello\n"


@pytest.mark.parametrize("status", [200, 201, 299, 404, 418, 500, 599])
def test_statuses_with_body(server: Server, status: int) -> None:
    r = ask(server, get(f"/status/{status}"))
    assert (r.status, r.body) == (status, b"status\n")


def test_empty_body(server: Server) -> None:
    r = ask(server, get("/empty"))
    assert (r.status, r.body, r["content-length"]) == (200, b"", "0")


def test_keep_alive_and_pipelining(server: Server) -> None:
    with server.connect() as c:
        reader = Reader(c)
        for _ in range(3):
            c.sendall(get("/hello").encode())
            assert reader.response().body == b"hello\n"
        c.sendall((get("/hello") * 50 + get("/count", "Content-Length: 3", method="POST") + "abc" + get("/empty")).encode())
        for _ in range(50):
            assert reader.response().body == b"hello\n"
        assert reader.response().body == b"3 bytes\n"
        assert reader.response().body == b""


def test_pipelined_in_pieces(server: Server) -> None:
    text = (get("/hello") + get("/count", "Transfer-Encoding: chunked", method="POST") + "3\r\nabc\r\n0\r\nX: y\r\n\r\n" + get("/hello")).encode()
    with server.connect() as c:
        reader = Reader(c)
        for i in range(len(text)):
            c.sendall(text[i : i + 1])
            if i % 16 == 0:
                time.sleep(0.001)
        assert [reader.response().body for _ in range(3)] == [b"hello\n", b"3 bytes\n", b"hello\n"]


def test_connection_close(server: Server) -> None:
    with server.connect() as c:
        c.sendall(get("/hello", "Connection: foo, Close").encode())
        reader = Reader(c)
        r = reader.response()
        assert r["connection"] == "close" and reader.ended()


def test_http_1_0(server: Server) -> None:
    with server.connect() as c:
        c.sendall(b"GET /hello HTTP/1.0\r\n\r\n")
        reader = Reader(c)
        r = reader.response()
        assert r.body == b"hello\n" and r["transfer-encoding"] is None and reader.ended()
    with server.connect() as c:
        reader = Reader(c)
        for _ in range(2):
            c.sendall(b"GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            r = reader.response()
            assert r.body == b"hello\n" and r["connection"] == "keep-alive"
    with server.connect() as c:  # if the length is unknown beforehand, the end of the connection ends the body
        c.sendall(b"GET /ticks HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        r = Reader(c).response()
        assert r.body == b"tick\n" * 5 and r["transfer-encoding"] is None and r["content-length"] is None
    with server.connect() as c:  # truncated there, it must not look complete
        c.sendall(b"GET /late-trap HTTP/1.0\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            while c.recv(100):
                pass


def test_half_closed_clients_are_answered(server: Server) -> None:
    with server.connect() as c:
        c.sendall(get("/sleep/200").encode())
        c.shutdown(socket.SHUT_WR)
        assert Reader(c).response().body == b"slept\n"


def test_empty_lines_before_a_request(server: Server) -> None:
    with server.connect() as c:
        c.sendall(("\r\n\r\n" + get("/hello") + "\r\n" + get("/hello")).encode())
        reader = Reader(c)
        assert reader.response().body == reader.response().body == b"hello\n"


# --- bodies -----------------------------------------------------------------------------------------------------------


def test_bodies_come_by_length_and_in_chunks(server: Server) -> None:
    body = bytes(range(256)) * 1000
    assert ask(server, get("/count", f"Content-Length: {len(body)}", method="POST").encode() + body).body == b"256000 bytes\n"
    chunks = b"".join(b"%x;ext=1;q=\"a b\"\r\n%s\r\n" % (len(body[i : i + 7919]), body[i : i + 7919]) for i in range(0, len(body), 7919))
    r = ask(server, get("/echo", "Transfer-Encoding: Chunked", method="POST").encode() + chunks + b"0\r\n\r\n")
    assert r.body == body and r.whole


def test_trailers_both_ways(server: Server) -> None:
    r = ask(server, get("/echo", "Transfer-Encoding: chunked", "TE: trailers", method="POST") + "3\r\nabc\r\n0\r\nX-Sum: 1 2\r\nx-sum: 3\r\nContent-Length: 7\r\n\r\n")
    assert r.body == b"abc" and r.trailers == [("X-Sum", "1 2"), ("x-sum", "3")]
    r = ask(server, get("/trailers"))
    assert r.body == b"body\n" and r.trailers == [("x-sum", "42")]


def test_expect_continue(server: Server) -> None:
    with server.connect() as c:
        c.sendall(get("/count", "Content-Length: 5", "Expect: 100-Continue", method="POST").encode())
        reader = Reader(c)
        assert reader.line() == b"HTTP/1.1 100 Continue" and reader.line() == b""
        c.sendall(b"abcde")
        assert reader.response().body == b"5 bytes\n"
        c.sendall(get("/hello").encode())
        assert reader.response().body == b"hello\n"


def test_no_continue_for_who_does_not_read(server: Server) -> None:
    with server.connect() as c:
        c.sendall(get("/hello", "Content-Length: 5", "Expect: 100-continue", method="POST").encode())
        reader = Reader(c)
        r = reader.response()
        assert (r.status, r.interim, r["connection"]) == (200, [], "close") and reader.ended()


def test_other_expectations_fail(server: Server) -> None:
    assert ask(server, get("/hello", "Expect: tea")).status == 417


def test_a_body_that_nobody_reads(server: Server) -> None:
    with server.connect() as c:  # little is left: it is skipped
        reader = Reader(c)
        for _ in range(3):
            c.sendall(get("/hello", "Content-Length: 1000", method="POST").encode() + b"x" * 1000)
            assert reader.response().body == b"hello\n"
    with server.connect() as c:  # much is left: the connection ends, and the response still arrives
        c.sendall(get("/hello", "Content-Length: 10000000", method="POST").encode() + b"x" * 100000)
        reader = Reader(c)
        r = reader.response()
        assert r.body == b"hello\n" and r["connection"] == "close"


def test_a_small_body_arrives_before_more_comes(server: Server) -> None:
    """Written bytes are sent while the guest waits or computes."""
    for path in ["/ticks", "/compute/1500"]:
        with server.connect() as c:
            start = time.monotonic()
            c.sendall(get(path).encode())
            reader = Reader(c)
            while b"tick\n" not in reader.held and b"first\n" not in reader.held:
                assert reader.more()
            assert time.monotonic() - start < (1.2 if not server.sanitized else 1.4)
            while not reader.held.endswith(b"0\r\n\r\n"):
                assert reader.more()


def test_echo_of_much_in_flat_memory(server: Server) -> None:
    """Both directions at once, with far more than any buffer holds."""
    size = (100 if not server.sanitized else 8) << 20
    piece = os.urandom(1 << 20)
    before = server.memory()
    most = 0
    with server.connect(60) as c:
        c.sendall(get("/echo", f"Content-Length: {size}", method="POST").encode())
        sender = threading.Thread(target=lambda: [c.sendall(piece) for _ in range(size >> 20)])
        sender.start()
        reader = Reader(c)
        assert reader.line() == b"HTTP/1.1 200 OK"
        fields = dict(reader.field_lines())
        assert fields["transfer-encoding"] == "chunked"
        got = 0
        while n := int(reader.line(), 16):
            data = reader.exactly(n)
            reader.exactly(2)
            at = got % len(piece)
            assert data == (piece + piece)[at : at + n]
            if got >> 23 != (got + n) >> 23:
                most = max(most, server.memory())
            got += n
        sender.join()
    assert got == size
    assert most - before < 16 << 20, f"{most - before} bytes more while {size} went through"


def at_once(server: Server, texts: list[str], n: int) -> list[list[int]]:
    """The same requests on n connections at once. Returns the statuses of each."""

    def play() -> None:
        with server.connect() as c:
            c.sendall("".join(texts).encode())
            reader = Reader(c)
            statuses.append([reader.response().status for _ in texts])

    statuses: list[list[int]] = []
    threads = [threading.Thread(target=play) for _ in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return statuses


def test_buffers_of_large_requests_do_not_stay(command: Path, tmp_path: Path) -> None:
    """The threads that are kept give back what a large head needed. (It is refused, because no field is so long.)"""
    s = start(command, tmp_path, "--threads", "1", "--max-head", "4MiB")
    try:
        if s.sanitized:
            pytest.skip("what is freed stays in the quarantine")
        assert at_once(s, [get("/sleep/500")], 10) == [[200]] * 10
        before = s.memory()
        large = get("/hello", f"X: {'x' * (3 << 20)}")
        assert at_once(s, [get("/sleep/500"), large], 10) == [[200, 431]] * 10
        grown, end = s.memory() - before, time.monotonic() + 5  # before threads end
        while grown > 16 << 20 and time.monotonic() < end:
            time.sleep(0.1)
            grown = s.memory() - before
        assert grown < 16 << 20, f"{grown} bytes more than before"  # the thread that waits for events keeps its own
    finally:
        assert s.end() == 0, s.lines()[-3000:]


def malloc_heaps(server: Server) -> int:
    """The heaps of glibc's arenas besides the main one: each is aligned address space of 64 MiB, whose first part is accessible."""
    heap, n, begin = 64 << 20, 0, 0
    for line in Path(f"/proc/{server.process.pid}/maps").read_text().splitlines():
        first, last = (int(a, 16) for a in line.split()[0].split("-"))
        if line.split()[1] == "rw-p" and first % heap == 0:
            begin = first
        n += line.split()[1] == "---p" and begin != 0 and last == begin + heap
    return n


def test_threads_share_arenas(command: Path, tmp_path: Path) -> None:
    """Many threads that wait do not spread over more of malloc's arenas than threads compute."""
    s = start(command, tmp_path, "--threads", "2")
    try:
        if s.sanitized:
            pytest.skip("another allocator")
        assert at_once(s, [get("/sleep/500")], 40) == [[200]] * 40
        assert malloc_heaps(s) <= 1
    finally:
        assert s.end() == 0, s.lines()[-3000:]


def test_length_given_by_the_guest(server: Server) -> None:
    r = ask(server, get("/length/5"))
    assert (r.body, r["content-length"]) == (b"01234", "5")
    # nothing was sent yet, so a failure can be reported
    assert ask(server, get("/length/3")).status == 500
    assert ask(server, get("/length/9")).status == 500
    r = ask(server, get("/length-late"))
    assert (r.status, r["content-length"], r.whole, r.body) == (200, "10", False, b"01234")
    assert server.wait_for("finish failed")


# --- what goes wrong in the guest ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/none", "/trap", "/held-trap", "/exit", "/error"])
def test_no_response_is_500(server: Server, path: str) -> None:
    with server.connect() as c:
        c.sendall((get(path) + get("/hello")).encode())
        reader = Reader(c)
        assert reader.response().status == 500
        assert reader.response().body == b"hello\n"


def test_a_trap_is_told_with_its_request_and_backtrace(server: Server) -> None:
    ask(server, get("/trap?it"))
    assert server.wait_for("touchstone: GET /trap?it failed\ntouchstone: trap (unreachable)")
    assert server.wait_for("wasm backtrace, innermost first:")


@pytest.mark.parametrize("path", ["/late-trap", "/unfinished"])
def test_a_response_that_breaks_is_cut(server: Server, path: str) -> None:
    r = ask(server, get(path))
    assert (r.status, r.whole) == (200, False) and r.body.endswith(b"part")


def test_a_whole_response_survives_a_trap(server: Server) -> None:
    r = ask(server, get("/done-trap"))
    assert (r.status, r.body, r.whole) == (200, b"whole\n", True)


def test_stdout_is_the_servers(server: Server) -> None:
    assert ask(server, get("/print")).body == b"ok\n"
    assert server.wait_for("printed\n")


def test_the_log(server: Server) -> None:
    ask(server, get("/hello?log=1"))
    found = server.wait_for('"GET /hello?log=1 HTTP/1.1" 200 6 ')
    assert found
    line = next(one for one in server.lines().splitlines() if "log=1" in one)
    assert re.fullmatch(r'127\.0\.0\.1:\d+ "GET /hello\?log=1 HTTP/1\.1" 200 6 \d+\.\d{3}ms', line)


def test_each_request_has_an_instance_of_its_own(server: Server) -> None:
    with server.connect() as c:
        c.sendall((get("/calls") * 5).encode())
        reader = Reader(c)
        assert [reader.response().body for _ in range(5)] == [b"1"] * 5


def test_the_client_is_gone(server: Server) -> None:
    with server.connect() as c:
        c.sendall(get("/big/2000000000").encode())
        assert c.recv(1000)
    assert server.wait_for("the client is gone", 20)
    with server.connect() as c:
        c.sendall(get("/count", "Content-Length: 100", method="POST").encode() + b"x" * 10)
        c.shutdown(socket.SHUT_WR)
        assert Reader(c).response().body == b"10 bytes, failed\n"
    assert alive(server)


# --- what must be refused -------------------------------------------------------------------------------------------------

LENGTH = get("/hello", "Content-Length: %s", method="POST") + "aaaaaaaaaa"
CHUNKED = get("/count", "Transfer-Encoding: chunked", method="POST")

MALFORMED = {
    "no method": " / HTTP/1.1\r\nHost: x\r\n\r\n",
    "no target": "GET  HTTP/1.1\r\nHost: x\r\n\r\n",
    "no version": "GET /\r\nHost: x\r\n\r\n",
    "HTTP/0.9": "GET /\r\n\r\n",
    "two blanks": "GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
    "tab": "GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "blank at the end": "GET / HTTP/1.1 \r\nHost: x\r\n\r\n",
    "method no token": "GE(T / HTTP/1.1\r\nHost: x\r\n\r\n",
    "method with colon": "GET: / HTTP/1.1\r\nHost: x\r\n\r\n",
    "version in small letters": "GET / http/1.1\r\nHost: x\r\n\r\n",
    "version without minor": "GET / HTTP/1\r\nHost: x\r\n\r\n",
    "version long": "GET / HTTP/1.10\r\nHost: x\r\n\r\n",
    "other protocol": "GET / ICE/1.1\r\nHost: x\r\n\r\n",
    "target without slash": "GET hello HTTP/1.1\r\nHost: x\r\n\r\n",
    "target with fragment": "GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n",
    "target beyond ASCII": "GET /\xe9 HTTP/1.1\r\nHost: x\r\n\r\n",
    "target with DEL": "GET /\x7f HTTP/1.1\r\nHost: x\r\n\r\n",
    "target of another scheme": "GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "target with user": "GET http://u@x/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "target without authority": "GET http:///a HTTP/1.1\r\nHost: x\r\n\r\n",
    "no Host": "GET / HTTP/1.1\r\n\r\n",
    "two Hosts": "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
    "Host with blank": "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    "Host with path": "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "Host with user": "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n",
    "Host with a bad port": "GET / HTTP/1.1\r\nHost: a:8x\r\n\r\n",
    "Host with brackets": "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
    "bare LF after the request line": "GET / HTTP/1.1\nHost: x\r\n\r\n",
    "bare LF after a field": "GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n",
    "bare LF at the end": "GET / HTTP/1.1\r\nHost: x\r\n\n",
    "bare LFs only": "GET / HTTP/1.1\nHost: x\n\n",
    "bare CR after a field": "GET / HTTP/1.1\r\nHost: x\rA: b\r\n\r\n",
    "bare CR in a value": "GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n",
    "CR CR LF": "GET / HTTP/1.1\r\nHost: x\r\r\n\r\n",
    "NUL in a value": "GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n",
    "NUL in a name": "GET / HTTP/1.1\r\nHost: x\r\nA\0: b\r\n\r\n",
    "NUL in the target": "GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    "control in a value": "GET / HTTP/1.1\r\nHost: x\r\nA: \x01\r\n\r\n",
    "DEL in a value": "GET / HTTP/1.1\r\nHost: x\r\nA: \x7f\r\n\r\n",
    "folded line": "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
    "folded line by tab": "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n\tc\r\n\r\n",
    "blank before the first field": "GET / HTTP/1.1\r\n Host: x\r\n\r\n",
    "blank before the colon": "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
    "tab before the colon": "GET / HTTP/1.1\r\nHost: x\r\nContent-Length\t: 3\r\n\r\nabc",
    "no colon": "GET / HTTP/1.1\r\nHost: x\r\nabc\r\n\r\n",
    "no name": "GET / HTTP/1.1\r\nHost: x\r\n: abc\r\n\r\n",
    "name no token": "GET / HTTP/1.1\r\nHost: x\r\na b: c\r\n\r\n",
    "name beyond ASCII": "GET / HTTP/1.1\r\nHost: x\r\n\xe9: c\r\n\r\n",
    "length and chunks": get("/hello", "Content-Length: 3", "Transfer-Encoding: chunked", method="POST") + "0\r\n\r\n",
    "chunks and length": get("/hello", "Transfer-Encoding: chunked", "Content-Length: 3", method="POST") + "0\r\n\r\n",
    "two lengths": get("/hello", "Content-Length: 3", "Content-Length: 4", method="POST") + "abcd",
    "two equal lengths": get("/hello", "Content-Length: 3", "Content-Length: 3", method="POST") + "abc",
    "a list of lengths": LENGTH % "3, 3",
    "negative length": LENGTH % "-1",
    "signed length": LENGTH % "+3",
    "length in hex": LENGTH % "0x3",
    "length with blank": LENGTH % "1 0",
    "length with letters": LENGTH % "3abc",
    "empty length": LENGTH % "",
    "length beyond 64 bits": LENGTH % "18446744073709551617",
    "length of many digits": LENGTH % "999999999999999999999999",
    "chunked not last": get("/hello", "Transfer-Encoding: chunked, gzip", method="POST") + "0\r\n\r\n",
    "chunked twice": get("/hello", "Transfer-Encoding: chunked, chunked", method="POST") + "0\r\n\r\n",
    "chunked in two fields": get("/hello", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked", method="POST") + "0\r\n\r\n",
    "identity after chunked": get("/hello", "Transfer-Encoding: chunked", "Transfer-Encoding: identity", method="POST") + "0\r\n\r\n",
    "coding unknown": get("/hello", "Transfer-Encoding: xchunked", method="POST") + "0\r\n\r\n",
    "coding quoted": get("/hello", 'Transfer-Encoding: "chunked"', method="POST") + "0\r\n\r\n",
    "coding with parameter": get("/hello", "Transfer-Encoding: chunked;a=b", method="POST") + "0\r\n\r\n",
    "coding with vertical tab": get("/hello", "Transfer-Encoding: \x0bchunked", method="POST") + "0\r\n\r\n",
    "an empty coding before": get("/hello", "Transfer-Encoding: ,chunked", method="POST") + "0\r\n\r\n",
    "an empty coding after": get("/hello", "Transfer-Encoding: chunked ,", method="POST") + "0\r\n\r\n",
    "a second, empty coding": get("/hello", "Transfer-Encoding: chunked", "Transfer-Encoding:", method="POST") + "0\r\n\r\n",
    "empty coding": get("/hello", "Transfer-Encoding:", method="POST") + "0\r\n\r\n",
    "chunks in HTTP/1.0": get("/hello", "Transfer-Encoding: chunked", method="POST", version="1.0") + "0\r\n\r\n",
    "chunk size no number": CHUNKED + "x\r\nabc\r\n0\r\n\r\n",
    "chunk size empty": CHUNKED + "\r\nabc\r\n0\r\n\r\n",
    "chunk size signed": CHUNKED + "+3\r\nabc\r\n0\r\n\r\n",
    "chunk size negative": CHUNKED + "-3\r\nabc\r\n0\r\n\r\n",
    "chunk size with 0x": CHUNKED + "0x3\r\nabc\r\n0\r\n\r\n",
    "chunk size with blank before": CHUNKED + " 3\r\nabc\r\n0\r\n\r\n",
    "chunk size with blank after": CHUNKED + "3 \r\nabc\r\n0\r\n\r\n",
    "chunk size with underscore": CHUNKED + "1_0\r\nabc\r\n0\r\n\r\n",
    "chunk size beyond 64 bits": CHUNKED + "10000000000000003\r\nabc\r\n0\r\n\r\n",
    "chunk size almost 64 bits": CHUNKED + "fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
    "chunk size ends with LF": CHUNKED + "3\nabc\r\n0\r\n\r\n",
    "chunk size ends with CR": CHUNKED + "3\rabc\r\n0\r\n\r\n",
    "chunk extension with LF": CHUNKED + "3;a\nabc\r\n0\r\n\r\n",
    "chunk extension with CR": CHUNKED + "3;a\rb\r\nabc\r\n0\r\n\r\n",
    "chunk extension with NUL": CHUNKED + "3;a\0\r\nabc\r\n0\r\n\r\n",
    "chunk extension without name": CHUNKED + "3;\r\nabc\r\n0\r\n\r\n",
    "chunk extension without value": CHUNKED + "3;a=\r\nabc\r\n0\r\n\r\n",
    "chunk extension without end": CHUNKED + '3;a="b\r\nabc\r\n0\r\n\r\n',
    "chunk extension with a blank": CHUNKED + "3;a b\r\nabc\r\n0\r\n\r\n",
    "chunk longer than its size": CHUNKED + "3\r\nabcd\r\n0\r\n\r\n",
    "chunk ends with LF": CHUNKED + "3\r\nabc\n0\r\n\r\n",
    "chunk without end": CHUNKED + "3\r\nabc0\r\n\r\n",
    "last chunk ends with LF": CHUNKED + "0\n\r\n",
    "trailers end with LF": CHUNKED + "0\r\n\n",
    "trailer folded": CHUNKED + "0\r\nA: b\r\n c\r\n\r\n",
    "trailer without colon": CHUNKED + "0\r\nabc\r\n\r\n",
    "trailer with blank before colon": CHUNKED + "0\r\nA : b\r\n\r\n",
    "trailer with NUL": CHUNKED + "0\r\nA: \0\r\n\r\n",
    "trailer with bare LF": CHUNKED + "0\r\nA: b\nC: d\r\n\r\n",
}


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_is_refused(server: Server, what: str) -> None:
    """400, and the connection ends: the bytes after it are not a request."""
    with server.connect() as c:
        c.sendall((MALFORMED[what] + get("/hello?smuggled")).encode("latin-1"))
        reader = Reader(c)
        r = reader.response()
        if "/count" in MALFORMED[what]:  # the guest got an error for the body, and has answered
            assert (r.status, r.body.endswith(b"bytes, failed\n")) in [(200, True), (400, False)]
        else:
            assert r.status == 400 and r["connection"] == "close"
        assert reader.ended()
    assert "smuggled" not in server.lines()


REFUSED = {
    "CONNECT without a port": ("CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "HTTP/2.0": ("GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
    "the preface of HTTP/2": ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "another coding": (get("/hello", "Transfer-Encoding: gzip, chunked", method="POST") + "0\r\n\r\n", 501),
    "a long target": (get("/" + "a" * 70000), 414),
    "a target without end": ("GET /" + "a" * 70000, 414),
    "a long field": (get("/hello", "A: " + "b" * 70000), 431),
    "many fields": (get("/hello", *["A: b"] * 1100), 431),
    "a head without end": ("GET / HTTP/1.1\r\n" + "A: b\r\n" * 12000, 431),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(server: Server, what: str) -> None:
    text, status = REFUSED[what]
    with server.connect() as c:
        c.sendall(text.encode())
        reader = Reader(c)
        r = reader.response()
        assert r.status == status and r["connection"] == "close" and reader.ended()


def test_a_higher_minor_version_is_served_as_1_1(server: Server) -> None:
    """RFC 9110, 2.5: the connection is kept, chunks are read, and the response says HTTP/1.1."""
    with server.connect() as c:
        reader = Reader(c)
        for minor in "29":
            c.sendall(CHUNKED.replace("HTTP/1.1", f"HTTP/1.{minor}").encode() + b"3\r\nabc\r\n0\r\n\r\n")
            assert reader.response().body == b"3 bytes\n"
        c.sendall(b"GET /hello HTTP/1.2\r\nHost: x:0\r\n\r\n")
        assert reader.response().body == b"hello\n"


def test_hostile_framing_that_is_allowed(server: Server) -> None:
    """Unusual but valid: many zeroes, extensions, an upgrade that is not accepted."""
    for extension in [";a", " ; a = b", ';a="b c"', ';a="b\\"c";d', ";a=b;c=d"]:
        assert ask(server, CHUNKED + f"0000000000000003{extension}\r\nabc\r\n00{extension}\r\n\r\n").body == b"3 bytes\n"
    assert ask(server, CHUNKED + "0000000000000003;a=b\r\nabc\r\n000\r\n\r\n").body == b"3 bytes\n"
    assert ask(server, get("/hello", "Connection: Upgrade", "Upgrade: h2c")).body == b"hello\n"
    assert ask(server, get("/hello", "Content-Length: 0003", method="POST") + "abc").body == b"hello\n"
    with server.connect() as c:
        c.sendall((get("/hello", "Connection: Upgrade", "Upgrade: websocket") + get("/empty")).encode())
        reader = Reader(c)
        assert [reader.response().body for _ in range(2)] == [b"hello\n", b""]


def test_extensions_are_bounded(server: Server) -> None:
    r = ask(server, CHUNKED + ("1;" + "a" * 4000 + "\r\nx\r\n") * 10 + "0\r\n\r\n")
    assert r.body.endswith(b"failed\n") or r.status == 400
    r = ask(server, CHUNKED + "1;" + "a" * 10000)
    assert r.body.endswith(b"failed\n") or r.status == 400


# --- time, and many at once -------------------------------------------------------------------------------------------------


def test_slow_heads_end(server: Server) -> None:
    """One byte at a time: 408 when the time for a head is over; others are answered meanwhile."""
    with server.connect() as c:
        start = time.monotonic()
        c.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        try:
            while time.monotonic() - start < 5:
                c.sendall(b"A")
                time.sleep(0.05)
                if time.monotonic() - start > 1.2:
                    break
        except OSError:
            pass
        reader = Reader(c)
        try:
            assert reader.response().status == 408
        except EOFError:
            pytest.fail("closed without 408")
        assert time.monotonic() - start < 4
        assert alive(server)


def test_a_body_that_does_not_come(server: Server) -> None:
    with server.connect() as c:
        start = time.monotonic()
        c.sendall(get("/count", "Content-Length: 100", method="POST").encode() + b"x")
        with pytest.raises((EOFError, ConnectionResetError)):
            Reader(c).response()
        assert 1.5 < time.monotonic() - start < 8
    assert server.wait_for("a body failed")


def test_a_response_that_nobody_takes(server: Server) -> None:
    with server.connect() as c:
        c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        before = server.lines().count("the client is gone")
        c.sendall(get("/big/100000000").encode())
        end = time.monotonic() + 15
        while server.lines().count("the client is gone") == before and time.monotonic() < end:
            assert alive(server)
            time.sleep(0.1)
        assert server.lines().count("the client is gone") > before


def test_slow_guests_do_not_stop_others(server: Server) -> None:
    for path in ["/sleep/1500", "/compute/1500"]:
        many = [server.connect() for _ in range(8)]
        for c in many:
            c.sendall(get(path).encode())
        time.sleep(0.1)
        start = time.monotonic()
        for _ in range(5):
            assert alive(server)
        assert time.monotonic() - start < 1.3
        for c in many:
            assert Reader(c).response().status == 200
            c.close()


def test_idle_connections_do_not_stop_others(server: Server) -> None:
    idle = [server.connect() for _ in range(1000)]
    slow = [server.connect() for _ in range(20)]
    for c in slow:
        c.sendall(b"GET /")
    start = time.monotonic()
    for _ in range(20):
        assert alive(server)
    assert time.monotonic() - start < 5
    for c in idle[::50]:
        c.sendall(get("/hello").encode())
        assert Reader(c).response().body == b"hello\n"
    for c in idle + slow:
        c.close()
    assert alive(server)


def test_many_at_once(server: Server) -> None:
    failed: list[str] = []

    def client() -> None:
        with server.connect() as c:
            reader = Reader(c)
            for i in range(30):
                body = os.urandom(i * 97)
                c.sendall(get("/echo", f"Content-Length: {len(body)}", method="POST").encode() + body)
                r = reader.response()
                if r.body != body:
                    failed.append(f"{r.status}, {len(r.body)} of {len(body)} bytes, whole: {r.whole}")

    threads = [threading.Thread(target=client) for _ in range(16)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failed


# --- servers with other options -----------------------------------------------------------------------------------------------


def test_limits(command: Path, tmp_path: Path) -> None:
    s = start(command, tmp_path, "--max-body", "1000", "--max-head", "2KiB", "--max-requests", "2", "--max-connections", "4",
              "--idle-timeout", "500ms", "--max-time", "500ms")
    try:
        assert ask(s, get("/count", "Content-Length: 1000", method="POST") + "x" * 1000).body == b"1000 bytes\n"
        assert ask(s, get("/count", "Content-Length: 1001", method="POST")).status == 413
        r = ask(s, CHUNKED + "3e9\r\n" + "x" * 1001 + "\r\n0\r\n\r\n")
        assert r.status == 413 or r.body == b"0 bytes, failed\n"
        assert ask(s, get("/hello", "A: " + "b" * 2048)).status == 431
        assert ask(s, get("/" + "b" * 4096)).status == 414
        with s.connect() as c:
            reader = Reader(c)
            c.sendall((get("/hello") * 3).encode())
            assert [reader.response()["connection"] for _ in range(2)] == [None, "close"]
            assert reader.ended()
        with s.connect() as c:  # idle for too long
            assert Reader(c).ended(5)
        for path in ["/spin", "/sleep/5000"]:  # the guest is interrupted
            begin = time.monotonic()
            assert ask(s, get(path)).status == 500
            assert time.monotonic() - begin < 3
        assert s.wait_for("touchstone: GET /spin failed\ntouchstone: limit: the time limit of a request was reached")
        held = [s.connect() for _ in range(4)]  # more wait until one of these ends
        with s.connect() as c:
            c.sendall(get("/hello").encode())
            assert Reader(c).response().body == b"hello\n"
        for c in held:
            c.close()
    finally:
        assert s.end() == 0, s.lines()[-3000:]


def test_reuse(command: Path, tmp_path: Path) -> None:
    s = start(command, tmp_path, "--reuse", "3", "--threads", "1", "--max-threads", "1")
    try:
        with s.connect() as c:
            c.sendall((get("/calls") * 4 + get("/trap") + get("/calls")).encode())
            reader = Reader(c)
            assert [reader.response().body for _ in range(4)] == [b"1", b"2", b"3", b"1"]
            assert reader.response().status == 500
            assert reader.response().body == b"1"
    finally:
        assert s.end() == 0, s.lines()[-3000:]


def test_stop_lets_what_is_under_way_end(command: Path, tmp_path: Path) -> None:
    s = start(command, tmp_path)
    with s.connect() as busy, s.connect() as idle, s.connect() as stuck:
        idle.sendall(get("/hello").encode())
        Reader(idle).response()
        busy.sendall(get("/sleep/1000").encode())
        time.sleep(0.3)
        s.process.send_signal(signal.SIGTERM)
        assert Reader(idle).ended(5)
        assert Reader(stuck).ended(5)
        r = Reader(busy).response()
        assert r.body == b"slept\n" and r["connection"] == "close"
    assert s.process.wait(10) == 0
    with pytest.raises(ConnectionRefusedError):
        s.connect()


def test_a_second_signal_does_not_wait(command: Path, tmp_path: Path) -> None:
    s = start(command, tmp_path)
    with s.connect() as busy, s.connect() as idle:
        idle.sendall(get("/hello").encode())
        Reader(idle).response()
        busy.sendall(get("/sleep/60000").encode())
        time.sleep(0.3)
        s.process.send_signal(signal.SIGINT)
        assert Reader(idle).ended(30)  # the first signal has come: two that wait for the process would be one
        assert s.process.poll() is None
        s.process.send_signal(signal.SIGINT)
        s.process.wait(10)


def test_stop_after(command: Path, tmp_path: Path) -> None:
    s = start(command, tmp_path, "--stop-after", "3")
    with s.connect() as c:
        reader = Reader(c)
        for _ in range(3):
            c.sendall(get("/hello").encode())
            assert reader.response().body == b"hello\n"
    assert s.process.wait(10) == 0


def test_few_files(command: Path, tmp_path: Path) -> None:
    """No descriptor is left for another connection: it waits without CPU time, and is served once one is free."""
    log = tmp_path / "log"
    with log.open("wb") as file:
        p = subprocess.Popen(["/bin/sh", "-c", f"ulimit -n 40; exec {command} serve --addr 127.0.0.1:0 {ROUTES}"], stdout=file, stderr=file)
    s = Server(p, 0, log, "asan" in str(command))
    try:
        assert s.wait_for("Serving", 30)
        found = re.search(r":(\d+)/\n", s.lines())
        assert found
        s.port = int(found[1])
        held = [s.connect() for _ in range(60)]
        time.sleep(0.3)
        stat = Path(f"/proc/{p.pid}/stat").read_text().rsplit(")", 1)[1].split()
        time.sleep(1)
        after = Path(f"/proc/{p.pid}/stat").read_text().rsplit(")", 1)[1].split()
        used = (int(after[11]) + int(after[12]) - int(stat[11]) - int(stat[12])) / os.sysconf("SC_CLK_TCK")
        assert used < 0.3, f"{used} s of computing in a second of waiting"
        for c in held[:40]:
            c.close()
        assert alive(s)
        for c in held[40:]:
            c.close()
    finally:
        assert s.end() == 0, s.lines()[-3000:]


def run(command: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([command, "serve", *argv], capture_output=True, text=True, timeout=30, check=False)


def test_what_cannot_be_served(command: Path) -> None:
    built = ROOT / "fixtures/built"
    assert run(command).returncode == 120
    assert run(command, "--addr", "nowhere", str(MINIMAL)).returncode == 120
    assert run(command, "--threads", "0", str(MINIMAL)).returncode == 120
    assert run(command, "--no-such-option", str(MINIMAL)).returncode == 120
    assert run(command, "--invoke", "f()", str(MINIMAL)).returncode == 120
    done = run(command, str(built / "hello.wasm"))
    assert done.returncode == 123 and "does not export wasi:http/incoming-handler" in done.stderr and "touchstone run" in done.stderr
    done = run(command, "--deny", "wasi:http/types", str(MINIMAL))
    assert done.returncode == 123 and "import wasi:http/types@0.2.0" in done.stderr
    assert run(command, str(built / "malformed.wasm")).returncode in (121, 122)
    assert run(command, str(ROOT / "fixtures/built/no-such.wasm")).returncode == 125
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run(command, "--addr", f"127.0.0.1:{taken.getsockname()[1]}", str(MINIMAL))
        assert done.returncode == 125 and "cannot listen on" in done.stderr


def test_memory_is_flat(command: Path, tmp_path: Path) -> None:
    s = start(command, tmp_path, component=MINIMAL)
    try:
        with s.connect() as c:
            reader = Reader(c)

            def many(n: int) -> None:
                for _ in range(n):
                    c.sendall((get("/") * 100).encode())
                    for _ in range(100):
                        assert reader.response().status == 200

            many(5)
            before = s.memory()
            many(10 if s.sanitized else 100)
            assert s.memory() - before < ((64 if s.sanitized else 2) << 20)
    finally:
        assert s.end() == 0, s.lines()[-3000:]
