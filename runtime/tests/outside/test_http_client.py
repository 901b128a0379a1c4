"""The runtime's HTTP client against servers that keep the rules, and servers that do not: what is on the wire, what comes back, and how it fails.

http_probe (runtime/tests/oracle/http_probe.c, which says what its commands are) drives the client as a guest would; every build of it
that is there is tested, the sanitized one too. Without it the tests are skipped.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import select
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from http_servers import H2, Authority, Conn, Server, escape, saying, unescape, unreachable

ROOT = Path(__file__).resolve().parents[3]
BUILDS = [ROOT / name / "http_probe" for name in (os.environ.get("BUILD", "build"), "build-asan")]
PROBES = [Path(p) for p in os.environ.get("TOUCHSTONE_HTTP_PROBE", "").split(":") if p] or [p for p in BUILDS if os.access(p, os.X_OK)]

pytestmark = pytest.mark.skipif(not PROBES, reason="http_probe is not built (make tests)")


@dataclass(frozen=True)
class Said:
    """The lines that the probe has printed."""

    lines: tuple[str, ...]

    def all(self, word: str, call: int = 1) -> list[list[str]]:
        return [w[2:] for w in (line.split() for line in self.lines) if w[0] == word and len(w) > 1 and w[1] == str(call)]

    def one(self, word: str, call: int = 1) -> list[str]:
        found = self.all(word, call)
        assert len(found) == 1, (word, self.lines)
        return found[0]

    def number(self, word: str) -> int:
        return int(next(line.split()[1] for line in self.lines if line.startswith(word + " ")))

    def body(self, call: int = 1) -> bytes:
        return unescape("".join(self.one("body", call)))

    def status(self, call: int = 1) -> int:
        return int(self.one("response", call)[0])

    def fields(self, call: int = 1, word: str = "field") -> list[tuple[str, str]]:
        return [(unescape(w[0]).decode("latin-1"), unescape(w[1]).decode("latin-1") if len(w) > 1 else "") for w in self.all(word, call)]

    def failed(self, call: int = 1) -> str:
        return self.one("failed", call)[0]

    def end(self, call: int = 1) -> str:
        return self.one("end", call)[0]


@dataclass(frozen=True)
class Probe:
    program: Path

    @property
    def sanitized(self) -> bool:
        return "asan" in str(self.program)

    def start(self, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen([self.program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env={"PATH": "/usr/bin:/bin", **env})  # fmt: skip

    def run(self, *script: str, timeout: float = 50, **env: str) -> Said:
        process = self.start(**env)
        try:
            out, err = process.communicate("\n".join(script) + "\n", timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(process.communicate()) from None
        assert process.returncode == 0, (process.returncode, out[-2000:], err[-4000:])
        lines = tuple(out.splitlines())
        assert lines[-1] == "bye" and "stuck" not in lines, lines
        return Said(lines)


@functools.cache
def no_client(program: Path) -> str:
    """The reason why this build has no client, or ""."""
    said = Probe(program).run("send 1 GET http 127.0.0.1:1 / 0 0 0 none", "wait 1").one("failed")
    return unescape(said[2]).decode() if said[0] == "internal-error" else ""


@pytest.fixture(params=PROBES, ids=lambda p: p.parent.name)
def probe(request: pytest.FixtureRequest) -> Probe:
    if why := no_client(request.param):
        pytest.skip(why)
    return Probe(request.param)


def get(server: Server | str, path: str = "/", times: str = "0 0 0", method: str = "GET", call: int = 1, scheme: str = "http") -> str:
    authority = server if isinstance(server, str) else server.authority
    return f"send {call} {method} {scheme} {authority} {path} {times} none"


def post(server: Server, *fields: str, times: str = "0 0 0", method: str = "POST", call: int = 1, scheme: str = "http") -> str:
    return f"send {call} {method} {scheme} {server.authority} / {times} pipe {' '.join(fields)}"


ALL = ("wait 1", "read 1")


# --- what is on the wire ------------------------------------------------------------------------------------------------


def test_a_request_is_exactly_its_own_fields_and_host(probe: Probe) -> None:
    def serve(conn: Conn) -> None:
        conn.head()
        conn.answer(conn.read)

    with Server(serve) as server:
        said = probe.run(f"send 1 GET http {server.authority} /a/../b?q=%2522&x 0 0 0 none X-b 2 x-B 1 aCCept */* X-b 3 nothing - e%7E %E9t%E9", *ALL)
    assert said.body() == (
        f"GET /a/../b?q=%22&x HTTP/1.1\r\nHost: {server.authority}\r\nX-b: 2\r\nx-B: 1\r\naCCept: */*\r\nX-b: 3\r\nnothing:\r\ne~: \xe9t\xe9\r\n\r\n"
    ).encode("latin-1")


@pytest.mark.parametrize("method", ["GET", "DELETE", "PATCH", "get", "X-a!#$", "OPTIONS", "POST", "PUT"])
def test_any_method_without_a_body(probe: Probe, method: str) -> None:
    def serve(conn: Conn) -> None:
        conn.head()
        conn.answer(conn.read)

    with Server(serve) as server:
        said = probe.run(get(server, method=escape(method)), *ALL)
        length = "Content-Length: 0\r\n" if method in ("POST", "PUT", "PATCH") else ""  # RFC 9110, 8.6
        assert said.body() == f"{method} / HTTP/1.1\r\nHost: {server.authority}\r\n{length}\r\n".encode()
        assert not server.errors


def test_options_of_the_server_itself(probe: Probe) -> None:
    with Server(lambda conn: conn.answer(conn.head().line.encode())) as server:
        said = probe.run(get(server, "*", method="OPTIONS"), *ALL)
    assert said.body() == b"OPTIONS * HTTP/1.1"


def test_no_content_is_said_where_there_may_be_some(probe: Probe) -> None:
    def serve(conn: Conn) -> None:
        conn.head()
        conn.answer(conn.read)

    with Server(serve) as server:
        said = probe.run(f"send 1 POST http {server.authority} / 0 0 0 empty content-type a/b", *ALL)
    assert said.body() == f"POST / HTTP/1.1\r\nHost: {server.authority}\r\ncontent-type: a/b\r\nContent-Length: 0\r\n\r\n".encode()


def test_a_body_of_unknown_length_goes_in_chunks_with_its_trailers(probe: Probe) -> None:
    def serve(conn: Conn) -> None:
        conn.head()
        body, trailers = conn.chunks()
        conn.answer(conn.read + b"|" + body + b"|" + b",".join(trailers))

    with Server(serve) as server:
        said = probe.run(post(server, "X-A", "1", method="PUT"), "write 1 one", "run 50", "write 1 two", "end 1 X-T a%20b x-t 2", *ALL)
        head, body, trailers = said.body().split(b"|")
        assert (body, trailers) == (b"onetwo", b"X-T: a b,x-t: 2")
        assert sorted(head.split(b"\r\n\r\n")[0].split(b"\r\n")[1:]) == sorted(
            [f"Host: {server.authority}".encode(), b"Transfer-Encoding: chunked", b"X-A: 1"]
        )
        assert b"3\r\none\r\n3\r\ntwo\r\n0\r\n" in head


@pytest.mark.parametrize("method", ["POST", "GET", "QUERY"])
def test_a_body_of_the_length_that_is_announced(probe: Probe, method: str) -> None:
    def serve(conn: Conn) -> None:
        head = conn.head()
        body, _ = conn.body(head)
        conn.answer(conn.read + b"|" + body)

    with Server(serve) as server:
        said = probe.run(post(server, "cOntent-Length", "6", method=method), "write 1 abc", "run 20", "write 1 def", "end 1", *ALL)
        assert said.body() == f"{method} / HTTP/1.1\r\nHost: {server.authority}\r\ncOntent-Length: 6\r\n\r\nabcdef|abcdef".encode()
        # the response may arrive before the guest has finished its body
        said = probe.run(post(server, "Content-Length", "3", method=method), "write 1 abc", *ALL, "end 1", "state 1")
        assert said.end() == "ok" and said.all("written")[0] == ["3", "ok"]


def test_a_length_of_nothing(probe: Probe) -> None:
    def serve(conn: Conn) -> None:
        conn.head()
        conn.answer(conn.read)

    with Server(serve) as server:
        said = probe.run(post(server, "content-length", "0"), "end 1", *ALL)
        assert said.body() == f"POST / HTTP/1.1\r\nHost: {server.authority}\r\ncontent-length: 0\r\n\r\n".encode()
        assert probe.run(f"send 1 POST http {server.authority} / 0 0 0 empty content-length 0", *ALL).body() == said.body()


def test_an_answer_to_head_has_no_body(probe: Probe) -> None:
    def serve(conn: Conn) -> None:
        assert conn.head().line.startswith("HEAD ")
        conn.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        assert conn.head().line.startswith("GET ")
        conn.answer(b"hello")

    with Server(serve) as server:
        said = probe.run(get(server, method="HEAD"), *ALL, get(server, call=2), "wait 2", "read 2")
        assert said.fields() == [("Content-Length", "5")] and said.body() == b"" and said.end() == "ok"
        assert said.body(2) == b"hello" and server.connections == 1
        assert not server.errors


def test_head_with_a_body(probe: Probe) -> None:
    def serve(conn: Conn) -> None:
        head = conn.head()
        conn.body(head)
        conn.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        assert conn.closed()

    with Server(serve) as server:
        said = probe.run(post(server, method="HEAD"), "write 1 abc", "end 1", *ALL)
        server.join()
        assert said.status() == 200 and said.end() == "ok" and not server.errors


def test_host_as_the_guest_gives_it(probe: Probe) -> None:
    with Server(lambda conn: conn.answer((conn.head()["host"] or "").encode())) as server:
        assert probe.run(get(server) + " host other:1", *ALL).body() == b"other:1"
        assert probe.run(get(server) + " host other:1 Host two", "wait 1").failed() == "HTTP-protocol-error"


def test_what_libcurl_would_add_can_be_given(probe: Probe) -> None:
    def serve(conn: Conn) -> None:
        head = conn.head()
        conn.chunks()
        conn.answer(repr(head.fields).encode())

    given = [("User-Agent", "me"), ("Accept", "a/b"), ("Content-Type", "c/d")]
    with Server(serve) as server:
        said = probe.run(post(server, *[w for pair in given for w in pair]), "write 1 x", "end 1", *ALL)
        fields = eval(said.body())
    assert [f for f in fields if f[0] not in ("Host", "Transfer-Encoding")] == given


def test_expect_waits_for_100(probe: Probe) -> None:
    early: list[bool] = []

    def serve(conn: Conn) -> None:
        assert conn.head()["expect"] == "100-continue"
        early.append(bool(conn.buffer or select.select([conn.sock], [], [], 0.3)[0]))
        conn.say("HTTP/1.1 100 Continue\r\n\r\n")
        conn.answer(conn.chunks()[0])

    with Server(serve) as server:
        assert probe.run(post(server, "Expect", "100-continue"), "write 1 abc", "end 1", *ALL).body() == b"abc"
        assert early == [False] and not server.errors


def test_expect_waits_for_a_second(probe: Probe) -> None:
    def serve(conn: Conn) -> None:
        conn.head()
        start = time.monotonic()
        body, _ = conn.chunks()
        conn.answer(body + (b" late" if time.monotonic() - start > 0.7 else b" early"))

    with Server(serve) as server:
        assert probe.run(post(server, "Expect", "100-Continue"), "write 1 abc", "end 1", *ALL).body() == b"abc late"
        assert probe.run(post(server, "Expect", "else"), "write 1 abc", "end 1", *ALL).body() == b"abc early"


def test_expectation_failed_is_an_answer(probe: Probe) -> None:
    heads: list[str] = []

    def serve(conn: Conn) -> None:
        heads.append(conn.head().line)
        conn.answer(b"no", "417 Expectation Failed")
        assert conn.chunks()[0] == b"abc"

    with Server(serve) as server:
        said = probe.run(post(server, "Expect", "100-continue"), "write 1 abc", *ALL, "end 1", "run 100")
        server.join()
        assert said.status() == 417 and said.body() == b"no" and said.end() == "ok" and len(heads) == 1 and not server.errors


# --- what the guest's body does ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("body", "number"), [(("write 1 abcd", "end 1"), 4), (("write 1 ab", "end 1"), 2), (("end 1",), 0)])
def test_a_body_of_another_length_than_announced(probe: Probe, body: tuple[str, ...], number: int) -> None:
    cut: list[bool] = []

    def serve(conn: Conn) -> None:
        cut.append(conn.closed())

    with Server(serve) as server:
        said = probe.run(post(server, "Content-Length", "3"), "run 100", *body, "wait 1")
        server.join()
        assert said.one("failed") == ["HTTP-request-body-size", str(number), "-"] and cut == [True]


def test_more_than_announced_after_the_answer(probe: Probe) -> None:
    def serve(conn: Conn) -> None:
        conn.body(conn.head())
        conn.answer(b"fine")

    with Server(serve) as server:
        said = probe.run(post(server, "Content-Length", "3"), "write 1 abc", *ALL, "write 1 d")
        assert said.end() == "ok" and said.all("written")[1] == ["4", "HTTP-request-body-size", "4", "-"]


def test_a_length_without_a_body(probe: Probe) -> None:
    with Server(lambda conn: None) as server:
        assert probe.run(get(server) + " Content-Length 3", "wait 1").failed() == "HTTP-request-body-size"
        assert probe.run(post(server, "Content-Length", "3", "Content-Length", "4"), "wait 1").failed() == "HTTP-request-body-size"
        assert probe.run(post(server, "Content-Length", "-3"), "wait 1").failed() == "HTTP-request-body-size"


def test_an_unfinished_body_cuts_the_connection(probe: Probe) -> None:
    seen: list[bytes] = []

    def serve(conn: Conn) -> None:
        conn.head()
        assert conn.closed()
        seen.append(conn.read)

    with Server(serve) as server:
        said = probe.run(post(server), "write 1 abc", "run 50", "abandon 1", "wait 1", "idle")
        server.join()
        assert said.failed() == "HTTP-protocol-error" and "idle yes" in said.lines
        assert b"0\r\n\r\n" not in seen[0]


def test_trailers_have_no_place_after_a_length(probe: Probe) -> None:
    with Server(Conn.closed) as server:
        assert probe.run(post(server, "Content-Length", "1"), "write 1 a", "end 1 T a", "wait 1").failed() == "internal-error"


def test_too_many_trailers(probe: Probe) -> None:
    with Server(lambda conn: conn.chunks()) as server:
        said = probe.run(post(server), f"end 1 T {'a' * 60000}", "wait 1")
        assert said.one("failed")[0] == "HTTP-request-trailer-section-size" and int(said.one("failed")[1]) > 60000


# --- what comes back ----------------------------------------------------------------------------------------------------------


def test_fields_come_as_they_are(probe: Probe) -> None:
    answer = ("HTTP/1.1 299 Whatever it is\r\nB: 2\r\na:1\r\nB: \t 3 \t\r\nEmpty:\r\nSet-Cookie: x=y; z\r\nL: \xe9,\r\n \t folded\r\n"
              "Content-Length: 2\r\n\r\nok")  # fmt: skip
    with Server(saying(answer)) as server:
        said = probe.run(get(server), *ALL)
    assert said.status() == 299 and said.body() == b"ok" and said.end() == "ok"
    assert said.fields() == [("B", "2"), ("a", "1"), ("B", "3"), ("Empty", ""), ("Set-Cookie", "x=y; z"), ("L", "\xe9, folded"), ("Content-Length", "2")]


def test_responses_before_the_response_are_passed_over(probe: Probe) -> None:
    answer = ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\nX: 1\r\n\r\nHTTP/1.1 199 x\r\n\r\n"
              "HTTP/1.1 200 OK\r\nY: 2\r\nContent-Length: 0\r\n\r\n")  # fmt: skip
    with Server(saying(answer)) as server:
        said = probe.run(get(server), *ALL)
    assert said.status() == 200 and said.fields() == [("Y", "2"), ("Content-Length", "0")]


@pytest.mark.parametrize(
    ("head", "rest", "body"),
    [
        ("Content-Length: 5", "hello", b"hello"),
        ("Content-Length: 5, 5", "hello", b"hello"),
        ("Content-Length: 5 ,\t5,5\r\nContent-Length: 5", "hello", b"hello"),
        ("Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n", b"hello"),
        ("transfer-encoding: CHUNKED", "5;a=b;c\r\nhel", b""),
        ("Transfer-Encoding: chunked", "0000000000000005;x=\"y\"\r\nhello\r\n1\r\n!\r\n00\r\n\r\n", b"hello!"),
        ("X: y", "to the end", b"to the end"),
        ("Connection: close", "", b""),
        ("Content-Encoding: gzip", "not gzip at all", b"not gzip at all"),
    ],
)
def test_framing(probe: Probe, head: str, rest: str, body: bytes) -> None:
    with Server(saying(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n{rest}")) as server:
        said = probe.run(get(server), *ALL)
    if body or head.startswith("Connection"):
        assert said.body() == body and said.end() == "ok"
    else:
        assert said.body() == b"hel" and said.end() == "HTTP-response-incomplete"


def test_equal_lengths_arrive_as_one(probe: Probe) -> None:
    """RFC 9110, 8.6: "replace the duplicated field values with a single valid Content-Length"."""
    with Server(saying("HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 5, 5\r\nC: d\r\ncontent-length: 5\r\n\r\nhello")) as server:
        said = probe.run(get(server), *ALL)
    assert said.fields() == [("A", "b"), ("Content-Length", "5"), ("C", "d")] and said.body() == b"hello"


def test_te_is_announced_as_of_the_connection(probe: Probe) -> None:
    """RFC 9110, 10.1.4: "A sender of TE MUST also send a "TE" connection option"."""

    def serve(conn: Conn) -> None:
        conn.head()
        conn.answer(conn.read)

    with Server(serve) as server:
        start = f"GET / HTTP/1.1\r\nHost: {server.authority}\r\n"
        said = probe.run(get(server) + " tE trailers", *ALL)
        assert said.body() == f"{start}tE: trailers\r\nConnection: TE\r\n\r\n".encode()
        said = probe.run(get(server) + " Connection x,%20te TE trailers", *ALL)
        assert said.body() == f"{start}Connection: x, te\r\nTE: trailers\r\n\r\n".encode()
        assert probe.run(get(server) + " X-TE trailers", *ALL).body() == f"{start}X-TE: trailers\r\n\r\n".encode()


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_some_statuses_have_no_body(probe: Probe, status: str) -> None:
    def serve(conn: Conn) -> None:
        conn.head()
        conn.say(f"HTTP/1.1 {status}\r\nETag: 1\r\n\r\n")
        conn.head()
        conn.answer(b"next")

    with Server(serve) as server:
        said = probe.run(get(server), *ALL, get(server, call=2), "wait 2", "read 2")
        assert said.body() == b"" and said.end() == "ok" and said.body(2) == b"next" and server.connections == 1


def test_http_1_0(probe: Probe) -> None:
    with Server(saying("HTTP/1.0 200 OK\r\n\r\nold")) as server:
        said = probe.run(get(server), *ALL)
    assert said.body() == b"old" and said.end() == "ok"


def test_trailers_come_back(probe: Probe) -> None:
    answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-One:  1 \r\nx-one: 2\r\nE:\r\n\r\n"
    with Server(saying(answer)) as server:
        said = probe.run(get(server), *ALL)
    assert said.end() == "ok" and said.fields(word="trailer") == [("X-One", "1"), ("x-one", "2"), ("E", "")]


def test_a_response_in_single_bytes(probe: Probe) -> None:
    answer = b"HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n"

    def serve(conn: Conn) -> None:
        conn.head()
        conn.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(len(answer)):
            conn.say(answer[i : i + 1])
            time.sleep(0.001)

    with Server(serve) as server:
        said = probe.run(get(server), *ALL)
    assert said.body() == b"abcde" and said.fields(word="trailer") == [("T", "1")] and said.end() == "ok"


CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
BAD_HEADS = {
    "no status line": ("garbage\r\n\r\n", "HTTP-protocol-error"),
    "other protocol": ("SSH-2.0-x\r\n", "HTTP-protocol-error"),
    "http 1.2, which libcurl does not take": ("HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP-protocol-error"),
    "http 4": ("HTTP/4.0 200 OK\r\n\r\n", "HTTP-protocol-error"),
    "status 99": ("HTTP/1.1 099 x\r\n\r\n", "HTTP-protocol-error"),
    "status 1000": ("HTTP/1.1 1000 x\r\n\r\n", "HTTP-protocol-error"),
    "status of four digits": ("HTTP/1.1 2000 x\r\n\r\n", "HTTP-protocol-error"),
    "no colon": ("HTTP/1.1 200 OK\r\nnothing\r\n\r\n", "HTTP-protocol-error"),
    "no name": ("HTTP/1.1 200 OK\r\n: a\r\n\r\n", "HTTP-protocol-error"),
    "blank before the colon": ("HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "HTTP-protocol-error"),
    "fold first": ("HTTP/1.1 200 OK\r\n A: b\r\n\r\n", "HTTP-protocol-error"),
    "nul": ("HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n", "HTTP-protocol-error"),
    "bare cr": ("HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n", "HTTP-protocol-error"),
    "two lengths": ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "HTTP-protocol-error"),
    "a list of two lengths": ("HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nab", "HTTP-protocol-error"),
    "a list with a gap": ("HTTP/1.1 200 OK\r\nContent-Length: 2,,2\r\n\r\nab", "HTTP-protocol-error"),
    "length in words": ("HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nab", "HTTP-protocol-error"),
    "length below nothing": ("HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nab", "HTTP-protocol-error"),
    "length with a plus": ("HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nab", "HTTP-protocol-error"),
    "length and chunks": ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP-protocol-error"),
    "a coding": ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP-response-transfer-coding"),
    "a coding in chunks": ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "HTTP-response-transfer-coding"),
    "chunks twice": ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP-response-transfer-coding"),
    "switching": ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "HTTP-upgrade-failed"),
    "1xx without end": ("HTTP/1.1 103 x\r\n\r\n" * 100, "HTTP-protocol-error"),
    "many fields": ("HTTP/1.1 200 OK\r\n" + "A: b\r\n" * 5000 + "\r\n", "HTTP-response-header-section-size"),
    "large fields": ("HTTP/1.1 200 OK\r\n" + ("A: " + "b" * 30000 + "\r\n") * 5 + "\r\n", "HTTP-response-header-section-size"),
    "a large field": ("HTTP/1.1 200 OK\r\nLarge: " + "b" * 70000 + "\r\n\r\n", "HTTP-response-header-size"),
    "a very large field": ("HTTP/1.1 200 OK\r\nLarge: " + "b" * 300000 + "\r\n\r\n", "HTTP-response-header-section-size"),
    "a status line without end": ("HTTP/1.1 200 " + "b" * 300000, "HTTP-response-header-section-size"),
    "closed at once": ("", "connection-terminated"),
    "closed in the status line": ("HTTP/1.1 2", "connection-terminated"),
    "closed in the head": ("HTTP/1.1 200 OK\r\nA: b\r\nC", "HTTP-response-incomplete"),
}


@pytest.mark.parametrize("case", BAD_HEADS)
def test_heads_that_are_none(probe: Probe, case: str) -> None:
    answer, code = BAD_HEADS[case]
    with Server(saying(answer)) as server:
        said = probe.run(get(server), "wait 1", "idle")
    assert said.failed() == code and "idle yes" in said.lines


def test_errors_of_size_and_coding_say_what_it_was(probe: Probe) -> None:
    with Server(saying(BAD_HEADS["a coding in chunks"][0])) as server:
        assert probe.run(get(server), "wait 1").one("failed") == ["HTTP-response-transfer-coding", "-", "gzip,%20chunked"]
    with Server(saying(BAD_HEADS["a large field"][0])) as server:
        assert probe.run(get(server), "wait 1").one("failed") == ["HTTP-response-header-size", "70005", "Large"]


BAD_BODIES = {
    "short": ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", b"ab", "HTTP-response-incomplete"),
    "short of nothing": ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", b"", "HTTP-response-incomplete"),
    "no last chunk": (CHUNKED + "2\r\nab\r\n", b"ab", "HTTP-response-incomplete"),
    "cut chunk": (CHUNKED + "5\r\nab", b"ab", "HTTP-response-incomplete"),
    "no end of trailers": (CHUNKED + "2\r\nab\r\n0\r\nA: b\r\n", b"ab", "HTTP-response-incomplete"),
    "no size": (CHUNKED + "\r\nab\r\n", b"", "HTTP-protocol-error"),
    "size in words": (CHUNKED + "2\r\nab\r\nx\r\n", b"ab", "HTTP-protocol-error"),
    "size with 0x": (CHUNKED + "0x2\r\nab\r\n0\r\n\r\n", b"", "HTTP-protocol-error"),
    "size below nothing": (CHUNKED + "-2\r\nab\r\n", b"", "HTTP-protocol-error"),
    "size after a blank": (CHUNKED + " 2\r\nab\r\n0\r\n\r\n", b"", "HTTP-protocol-error"),
    "size before a blank": (CHUNKED + "2 \r\nab\r\n0\r\n\r\n", b"", "HTTP-protocol-error"),
    "size beyond": (CHUNKED + "10000000000000000\r\nab\r\n", b"", "HTTP-protocol-error"),
    "lf after the size": (CHUNKED + "2\nab\r\n0\r\n\r\n", b"", "HTTP-protocol-error"),
    "chunk too long": (CHUNKED + "2\r\nabc\r\n0\r\n\r\n", b"ab", "HTTP-protocol-error"),
    "lf after a chunk": (CHUNKED + "2\r\nab\n0\r\n\r\n", b"ab", "HTTP-protocol-error"),
    "lf in an extension": (CHUNKED + "2;a\nb\r\nab\r\n0\r\n\r\n", b"", "HTTP-protocol-error"),
    "extension without end": (CHUNKED + "2;" + "a" * 10000 + "\r\nab\r\n0\r\n\r\n", b"", "HTTP-protocol-error"),
    "trailer without colon": (CHUNKED + "2\r\nab\r\n0\r\nnothing\r\n\r\n", b"ab", "HTTP-protocol-error"),
    "folded trailer": (CHUNKED + "0\r\nA: b\r\n c\r\n\r\n", b"", "HTTP-protocol-error"),
    "large trailer": (CHUNKED + "0\r\nA: " + "b" * 60000 + "\r\n\r\n", b"", "HTTP-response-trailer-size"),
    "many trailers": (CHUNKED + "0\r\n" + "A: b\r\n" * 3000 + "\r\n", b"", "HTTP-response-trailer-section-size"),
}


@pytest.mark.parametrize("case", BAD_BODIES)
def test_bodies_that_are_none(probe: Probe, case: str) -> None:
    answer, body, code = BAD_BODIES[case]
    with Server(saying(answer)) as server:
        said = probe.run(get(server), *ALL, "idle")
    assert said.status() == 200 and said.body() == body and said.end() == code and "idle yes" in said.lines


def test_what_follows_a_response_is_not_the_next_one(probe: Probe) -> None:
    def serve(conn: Conn) -> None:
        conn.head()
        conn.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        conn.closed()

    with Server(serve) as server:
        said = probe.run(get(server), *ALL, "run 20", get(server, call=2), "wait 2", "read 2")
        # a second connection is made: bytes that arrived early answer no request
        assert said.body() == b"ok" and said.body(2) == b"ok" and server.connections == 2


# --- connections that break -----------------------------------------------------------------------------------------------------


def late_reset(conn: Conn) -> None:
    time.sleep(0.1)
    conn.reset()


def test_a_reset_at_each_point(probe: Probe) -> None:
    with Server(saying(then=Conn.reset)) as server:
        assert probe.run(get(server), "wait 1").failed() == "connection-terminated"
    with Server(saying("HTTP/1.1 200 OK\r\nContent-Le", then=late_reset)) as server:
        assert probe.run(get(server), "wait 1").failed() == "connection-terminated"
    with Server(saying("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", then=late_reset)) as server:
        said = probe.run(get(server), *ALL)
        assert said.body() == b"ab" and said.end() == "connection-terminated"
    with Server(saying(CHUNKED + "5\r\nab", then=late_reset)) as server:
        assert probe.run(get(server), *ALL).end() == "connection-terminated"


def test_a_reset_while_the_request_is_sent(probe: Probe, tls: Authorities) -> None:
    def serve(conn: Conn) -> None:
        conn.head()
        time.sleep(0.1)
        conn.reset()

    with Server(serve) as server:
        said = probe.run(post(server), "fill 1 100000000", "wait 1")
        assert said.failed() == "connection-terminated" and said.one("written")[1] == "connection-terminated"
    with Server(serve, tls.good) as server:
        said = probe.run(f"client {tls.ca}", post(server, scheme="https"), "fill 1 100000000", "wait 1")
        assert said.failed() == "connection-terminated" and said.one("written")[1] == "connection-terminated"


def test_refused(probe: Probe) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert probe.run(get(f"127.0.0.1:{port}"), "wait 1").failed() == "connection-refused"
    assert probe.run(get(f"localhost:{port}"), "wait 1").failed() == "connection-refused"


def test_names(probe: Probe) -> None:
    assert probe.run(get("nobody.invalid"), "wait 1").failed() == "DNS-error"
    with Server(lambda conn: conn.answer((conn.head()["host"] or "").encode())) as server:
        said = probe.run(get(f"localhost:{server.port}"), *ALL, get(f"LocalHost:{server.port}", call=2), "wait 2", "read 2")
        assert said.body() == f"localhost:{server.port}".encode() and said.body(2) == f"LocalHost:{server.port}".encode()


def test_no_way_there(probe: Probe) -> None:
    with socket.socket() as sock:
        try:
            sock.connect(("255.255.255.255", 80))
        except PermissionError:
            code = "destination-IP-prohibited"
        except OSError:
            code = "destination-IP-unroutable"
    assert probe.run(get("255.255.255.255", times="2000 0 0"), "wait 1").failed() == code


def test_addresses_that_may_not_be_connected_to(probe: Probe) -> None:
    with Server(lambda conn: conn.answer(b"in")) as server:
        assert probe.run("may none", get(server), "wait 1").failed() == "destination-IP-prohibited"
        assert probe.run("may not 127.0.0.1", get(server), "wait 1").failed() == "destination-IP-prohibited"
        assert probe.run("may none", get(f"localhost:{server.port}"), "wait 1").failed() == "destination-IP-prohibited"
        # another form of the same address
        assert probe.run("may not 127.0.0.1", get(f"[::ffff:127.0.0.1]:{server.port}"), "wait 1").failed() == "destination-IP-prohibited"
        assert probe.run("may not 127.0.0.1", get(f"0x7f.1:{server.port}"), "wait 1").failed() == "DNS-error"
        assert server.connections == 0
        assert probe.run("may not 127.0.0.2", get(server), *ALL).status() == 200


def test_ipv6(probe: Probe) -> None:
    try:
        server = Server(lambda conn: conn.answer((conn.head()["host"] or "").encode()), host="::1")
        with server:
            assert probe.run(get(server), *ALL).body() == server.authority.encode()
    except OSError:
        pytest.skip("no IPv6 here")


BAD_REQUESTS = {
    "userinfo": ("GET http a@127.0.0.1:1 /", "HTTP-request-URI-invalid"),
    "no host": ("GET http :80 /", "HTTP-request-URI-invalid"),
    "port in words": ("GET http a:b /", "HTTP-request-URI-invalid"),
    "port 0": ("GET http a:0 /", "connection-refused"),
    "port beyond": ("GET http a:65536 /", "HTTP-request-URI-invalid"),
    "no end of brackets": ("GET http [::1 /", "HTTP-request-URI-invalid"),
    "address without brackets": ("GET http ::1 /", "HTTP-request-URI-invalid"),
    "name in brackets": ("GET http [a] /", "HTTP-request-URI-invalid"),
    "zone": ("GET http [fe80::1%2525eth0] /", "HTTP-request-URI-invalid"),
    "no address": ("GET http 1.2.3.400 /", "DNS-error"),
    "no name of the DNS": ("GET http a!b /", "DNS-error"),
    "empty label": ("GET http a..b /", "DNS-error"),
    "long label": ("GET http " + "a" * 64 + " /", "DNS-error"),
    "number that is no address": ("GET http 0x7f.1 /", "DNS-error"),
    "scheme": ("GET ftp a /", "HTTP-request-URI-invalid"),
    "relative path": ("GET http a b", "HTTP-request-URI-invalid"),
    "star": ("GET http a *", "HTTP-request-URI-invalid"),
    "blank in the path": ("GET http a /%20", "HTTP-request-URI-invalid"),
    "line end in the path": ("GET http a /%0d%0aX:%20y", "HTTP-request-URI-invalid"),
    "fragment": ("GET http a /#b", "HTTP-request-URI-invalid"),
    "long path": ("GET http a /" + "x" * 70000, "HTTP-request-URI-too-long"),
    "no token": ("G%20T http a /", "HTTP-request-method-invalid"),
    "method with a line end": ("G%0dT http a /", "HTTP-request-method-invalid"),
}


@pytest.mark.parametrize("case", BAD_REQUESTS)
def test_requests_that_are_not_sent(probe: Probe, case: str) -> None:
    words, code = BAD_REQUESTS[case]
    assert probe.run(f"send 1 {words} 0 0 0 none", "wait 1").failed() == code


def test_fields_that_are_not_sent(probe: Probe) -> None:
    for name, value in (("a%0db", "c"), ("a", "b%0a"), ("a%20", "b"), ("Transfer-Encoding", "chunked"), ("a", "b%00c")):
        assert probe.run(get("127.0.0.1:1") + f" {name} {value}", "wait 1").failed() == "HTTP-protocol-error"
    said = probe.run(get("127.0.0.1:1") + " a " + "b" * 600000, "wait 1")
    assert said.one("failed")[:2] == ["HTTP-request-header-section-size", str(600000 + 1 + 32)]


# --- clocks ---------------------------------------------------------------------------------------------------------------------


def timed(probe: Probe, *script: str) -> tuple[Said, float]:
    process = probe.start()
    assert process.stdin and process.stdout
    process.stdin.write("idle\n")
    process.stdin.flush()
    process.stdout.readline()
    start = time.monotonic()
    out, err = process.communicate("\n".join(script) + "\n", timeout=50)
    assert process.returncode == 0, (out, err)
    return Said(tuple(out.splitlines())), time.monotonic() - start


def test_connect_timeout(probe: Probe) -> None:
    with unreachable() as port:
        said, seconds = timed(probe, get(f"127.0.0.1:{port}", times="300 10 10"), "wait 1")
    assert said.failed() == "connection-timeout" and 0.25 < seconds < 5


def test_connect_timeout_holds_for_the_handshake(probe: Probe) -> None:
    with Server(lambda conn: conn.closed(5)) as server:
        said, seconds = timed(probe, get(server, times="300 10 10", scheme="https"), "wait 1")
    assert said.failed() == "connection-timeout" and 0.25 < seconds < 5


def test_first_byte_timeout_until_the_head(probe: Probe) -> None:
    def serve(conn: Conn) -> None:
        conn.head()
        conn.closed(5)

    with Server(serve) as server:
        said, seconds = timed(probe, get(server, times="0 300 0"), "wait 1")
        assert said.failed() == "connection-read-timeout" and 0.25 < seconds < 5
        # an incomplete head contains no byte of the body
    with Server(saying("HTTP/1.1 200 OK\r\nA: ", then=lambda conn: conn.closed(5))) as server:
        assert timed(probe, get(server, times="0 300 10"), "wait 1")[0].failed() == "connection-read-timeout"


def test_first_byte_timeout_until_the_body(probe: Probe) -> None:
    with Server(saying("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", then=lambda conn: conn.closed(5))) as server:
        said, seconds = timed(probe, get(server, times="0 300 0"), *ALL)
        assert said.status() == 200 and said.end() == "connection-read-timeout" and 0.25 < seconds < 5


def test_between_bytes_timeout(probe: Probe) -> None:
    def serve(conn: Conn) -> None:
        conn.head()
        conn.say("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n")
        for _ in range(5):
            conn.say("a")
            time.sleep(0.15)
        conn.closed(5)

    with Server(serve) as server:
        said, seconds = timed(probe, get(server, times="0 0 400"), *ALL)
        assert said.body() == b"aaaaa" and said.end() == "connection-read-timeout" and 0.9 < seconds < 5


def test_timeouts_that_do_not_run_out(probe: Probe) -> None:
    def serve(conn: Conn) -> None:
        conn.head()
        time.sleep(0.3)
        conn.say("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
        for _ in range(3):
            time.sleep(0.1)
            conn.say("a")

    with Server(serve) as server:
        said = probe.run(get(server, times="100 2000 2000"), *ALL)
        assert said.body() == b"aaa" and said.end() == "ok"


def test_write_timeout(probe: Probe) -> None:
    def serve(conn: Conn) -> None:
        conn.head()
        time.sleep(3)

    with Server(serve) as server:
        said, seconds = timed(probe, post(server, times="0 400 0"), "fill 1 100000000", "wait 1")
        assert said.failed() == "connection-write-timeout" and said.one("written")[1] == "connection-write-timeout" and seconds < 3


def test_the_first_byte_is_waited_for_from_the_end_of_the_request(probe: Probe) -> None:
    def serve(conn: Conn) -> None:
        conn.body(conn.head())
        conn.answer(b"ok")

    with Server(serve) as server:
        slow = [line for _ in range(4) for line in ("write 1 abc", "run 200")]
        assert probe.run(post(server, times="0 400 0"), *slow, "end 1", *ALL).body() == b"ok"


def test_a_reader_that_does_not_read_stops_the_clock(probe: Probe) -> None:
    def serve(conn: Conn) -> None:
        conn.head()
        conn.answer(b"x" * 20_000_000)

    with Server(serve) as server:
        said = probe.run(get(server, times="0 2500 2500"), "wait 1", "run 4000", "sink 1 65536 0")
        assert said.end() == "ok" and said.one("sunk")[0] == "20000000"


def test_a_guest_that_computes_stops_the_clocks(probe: Probe, tls: Authorities) -> None:
    def serve(conn: Conn) -> None:
        conn.head()
        conn.say("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
        time.sleep(0.5)
        conn.say("cd")

    with Server(serve, tls.good) as server:
        said = probe.run(f"client {tls.ca}", get(server, times="300 300 600", scheme="https"), "sleep 500", "wait 1", "sleep 700", "read 1")
        assert said.body() == b"abcd" and said.end() == "ok"


def test_a_dns_timeout_or_an_error(probe: Probe) -> None:
    # with a name server that does not answer it is the first, else the second
    said, seconds = timed(probe, get("nobody.invalid", times="100 0 0"), "wait 1")
    assert said.failed() in ("DNS-timeout", "DNS-error") and seconds < 5


# --- TLS ------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Authorities:
    ca: Path
    good: ssl.SSLContext
    other_name: ssl.SSLContext
    expired: ssl.SSLContext
    with_client: ssl.SSLContext
    h2: ssl.SSLContext


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Authorities:
    authority = Authority(tmp_path_factory.mktemp("ca"))
    try:
        authority.make()
    except FileNotFoundError:
        pytest.skip("openssl is absent")
    names = "DNS:localhost,IP:127.0.0.1"
    with_client = authority.server("client", names)
    with_client.load_verify_locations(authority.file)
    with_client.verify_mode = ssl.CERT_REQUIRED
    with_client.maximum_version = ssl.TLSVersion.TLSv1_2  # where the alert is part of the handshake
    h2 = authority.server("h2", names)
    h2.set_alpn_protocols(["h2", "http/1.1"])
    return Authorities(authority.file, authority.server("good", names), authority.server("other", "DNS:elsewhere.example"),
                       authority.server("expired", names, -1), with_client, h2)  # fmt: skip


def test_https(probe: Probe, tls: Authorities) -> None:
    with Server(lambda conn: conn.answer(conn.head().line.encode()), tls.good) as server:
        said = probe.run(f"client {tls.ca}", get(server, scheme="https"), *ALL)
        assert said.body() == b"GET / HTTP/1.1"
        said = probe.run(f"client {tls.ca}", get(f"localhost:{server.port}", scheme="https"), *ALL)
        assert said.body() == b"GET / HTTP/1.1"


def test_certificates_that_do_not_hold(probe: Probe, tls: Authorities) -> None:
    for context, ca in ((tls.good, ""), (tls.other_name, str(tls.ca)), (tls.expired, str(tls.ca))):
        with Server(lambda conn: conn.answer(b"no"), context) as server:
            said = probe.run(f"client {ca}", get(server, scheme="https"), "wait 1")
            assert said.failed() == "TLS-certificate-error"
    # no variable of the host's environment makes a certificate valid
    with Server(lambda conn: conn.answer(b"no"), tls.good) as server:
        env = {"SSL_CERT_FILE": str(tls.ca), "CURL_CA_BUNDLE": str(tls.ca), "SSL_CERT_DIR": str(tls.ca.parent)}
        assert probe.run(get(server, scheme="https"), "wait 1", **env).failed() == "TLS-certificate-error"


def test_secrets_stay_here(probe: Probe, tls: Authorities, tmp_path: Path) -> None:
    log = tmp_path / "keys"
    with Server(lambda conn: conn.answer(conn.head().line.encode()), tls.good) as server:
        assert probe.run(f"client {tls.ca}", get(server, scheme="https"), *ALL, SSLKEYLOGFILE=str(log)).status() == 200
    assert not log.exists() or log.read_bytes() == b""


def test_authorities_that_cannot_be_read(probe: Probe, tls: Authorities, tmp_path: Path) -> None:
    with Server(lambda conn: None, tls.good) as server:
        assert probe.run(f"client {tmp_path / 'absent.pem'}", get(server, scheme="https"), "wait 1").failed() == "configuration-error"


def test_no_tls_there(probe: Probe) -> None:
    def serve(conn: Conn) -> None:
        conn.more()
        conn.say("HTTP/1.1 400 Bad Request\r\n\r\n")

    with Server(serve) as server:
        assert probe.run(get(server, scheme="https"), "wait 1").failed() == "TLS-protocol-error"
    with Server(lambda conn: conn.more() and conn.close()) as server:
        assert probe.run(get(server, scheme="https"), "wait 1").failed() == "connection-terminated"
    with Server(lambda conn: conn.more() and conn.reset()) as server:
        assert probe.run(get(server, scheme="https"), "wait 1").failed() == "connection-terminated"


@pytest.mark.parametrize(("number", "name"), [(40, "handshake_failure"), (70, "protocol_version"), (112, "unrecognized_name")])
def test_alerts(probe: Probe, number: int, name: str) -> None:
    def serve(conn: Conn) -> None:
        conn.more()
        conn.say(bytes([0x15, 3, 3, 0, 2, 2, number]))
        conn.closed(2)

    with Server(serve) as server:
        assert probe.run(get(server, scheme="https"), "wait 1").one("failed") == ["TLS-alert-received", str(number), name]


def test_an_alert_for_want_of_a_certificate(probe: Probe, tls: Authorities) -> None:
    with Server(lambda conn: conn.answer(b"no"), tls.with_client) as server:
        said = probe.run(f"client {tls.ca}", get(server, scheme="https"), "wait 1")
        assert said.one("failed") == ["TLS-alert-received", "40", "handshake_failure"]


def test_a_cut_inside_tls_is_no_end(probe: Probe, tls: Authorities) -> None:
    def serve(conn: Conn) -> None:
        conn.head()
        conn.say("HTTP/1.1 200 OK\r\n\r\nhalf of it")
        os.close(conn.sock.detach())

    def fair(conn: Conn) -> None:
        conn.head()
        conn.say("HTTP/1.1 200 OK\r\n\r\nall of it")
        assert isinstance(conn.sock, ssl.SSLSocket)
        conn.sock.unwrap()

    with Server(serve, tls.good) as server:
        said = probe.run(f"client {tls.ca}", get(server, scheme="https"), *ALL)
        assert said.body() == b"half of it" and said.end() == "HTTP-response-incomplete"
    with Server(fair, tls.good) as server:
        said = probe.run(f"client {tls.ca}", get(server, scheme="https"), *ALL)
        assert said.body() == b"all of it" and said.end() == "ok"


# --- HTTP/2 ----------------------------------------------------------------------------------------------------------------------


def h2_server(tls: Authorities, serve: Callable[[H2], object]) -> Server:
    pytest.importorskip("h2")
    return Server(lambda conn: serve(H2(conn)), tls.h2)


def h2_get(server: Server, *words: str, call: int = 1, method: str = "GET", body: str = "none") -> str:
    return " ".join((f"send {call} {method} https {server.authority} /x?y 0 0 0 {body}", *words))


def test_http_2(probe: Probe, tls: Authorities) -> None:
    def serve(h2: H2) -> None:
        stream, fields = h2.request()
        h2.head(stream, ("x-a", "1"), ("x-a", "2"))
        h2.data(stream, repr(fields).encode(), end=True)
        h2.conn.closed(5)

    with h2_server(tls, serve) as server:
        said = probe.run(f"client {tls.ca}", h2_get(server, "X-B", "2", "x-b", "1"), *ALL)
        assert said.status() == 200 and said.fields() == [("x-a", "1"), ("x-a", "2")] and said.end() == "ok"
        pseudo = [(":method", "GET"), (":scheme", "https"), (":authority", server.authority), (":path", "/x?y")]
        fields = eval(said.body())
        assert sorted(fields[:4]) == sorted(pseudo) and fields[4:] == [("x-b", "2"), ("x-b", "1")]


def test_http_2_body_and_trailers(probe: Probe, tls: Authorities) -> None:
    def serve(h2: H2) -> None:
        stream, fields = h2.request()
        body, _ = h2.body()
        h2.head(stream)
        h2.data(stream, body + dict(fields).get("content-length", "").encode())
        h2.trailers(stream, ("x-t", "1"), ("x-t", ""))
        h2.conn.closed(5)

    with h2_server(tls, serve) as server:
        said = probe.run(f"client {tls.ca}", h2_get(server, method="POST", body="pipe"), "write 1 abc", "run 20", "write 1 def", "end 1", *ALL)
        assert said.body() == b"abcdef" and said.fields(word="trailer") == [("x-t", "1"), ("x-t", "")] and said.end() == "ok"
        said = probe.run(f"client {tls.ca}", h2_get(server, "content-length", "3", method="POST", body="pipe"), "write 1 abc", "end 1", *ALL)
        assert said.body() == b"abc3" and said.end() == "ok"


def test_http_2_trailers_of_a_request_are_lost_aloud(probe: Probe, tls: Authorities) -> None:
    def serve(h2: H2) -> None:
        stream, _ = h2.request()
        h2.body()
        h2.head(stream)
        h2.data(stream, b"ok", end=True)
        h2.conn.closed(5)

    with h2_server(tls, serve) as server:
        said = probe.run(f"client {tls.ca}", h2_get(server, method="POST", body="pipe"), "write 1 abc", "end 1 T 1", "wait 1")
        assert said.failed() == "internal-error"


def test_announced_trailers_take_http_1(probe: Probe, tls: Authorities) -> None:
    def serve(conn: Conn) -> None:
        conn.head()
        conn.answer(repr(conn.chunks()).encode())

    with Server(serve, tls.h2) as server:
        said = probe.run(f"client {tls.ca}", h2_get(server, "Trailer", "T", method="POST", body="pipe"), "write 1 abc", "end 1 T 1", *ALL)
        assert said.body() == b"(b'abc', [b'T: 1'])" and not server.errors


def test_http_2_both_ways_at_once(probe: Probe, tls: Authorities) -> None:
    def serve(h2: H2) -> None:
        stream, _ = h2.request()
        h2.head(stream)
        while True:
            while not h2.queue:
                h2.step()
            event = h2.queue.pop(0)
            if type(event).__name__ == "DataReceived":
                h2.data(stream, event.data)
            if type(event).__name__ == "StreamEnded":
                h2.data(stream, b"", end=True)
                h2.conn.closed(5)
                return

    with h2_server(tls, serve) as server:
        start = (f"client {tls.ca}", h2_get(server, method="POST", body="pipe"), "wait 1")
        said = probe.run(*start, "write 1 abc", "read 1 3", "write 1 defg", "read 1 4", "end 1", "read 1")
        assert [unescape("".join(w)) for w in said.all("body")] == [b"abc", b"defg", b""] and said.end() == "ok"
        said = probe.run(*start, "both 1 3000000")
        assert said.one("sunk")[0] == "3000000" and said.end() == "ok"


@pytest.mark.parametrize("code", [2, 8])
def test_http_2_resets(probe: Probe, tls: Authorities, code: int) -> None:
    def early(h2: H2) -> None:
        h2.reset(h2.request()[0], code)
        h2.conn.closed(5)

    def late(h2: H2) -> None:
        stream, _ = h2.request()
        h2.head(stream)
        h2.data(stream, b"abc")
        time.sleep(0.1)
        h2.reset(stream, code)
        h2.conn.closed(5)

    with h2_server(tls, early) as server:
        said = probe.run(f"client {tls.ca}", h2_get(server), "wait 1")
        assert said.failed() in ("HTTP-protocol-error", "connection-terminated", "HTTP-response-incomplete")
    with h2_server(tls, late) as server:
        said = probe.run(f"client {tls.ca}", h2_get(server), *ALL)
        assert said.body() == b"abc" and said.end() in ("HTTP-protocol-error", "HTTP-response-incomplete")


def test_http_2_refused_streams_are_tried_again(probe: Probe, tls: Authorities) -> None:
    def serve(h2: H2) -> None:
        stream, _ = h2.request()
        if server.connections == 1:
            h2.reset(stream, 7)
        else:
            h2.head(stream, end=True)
        h2.conn.closed(5)

    server = h2_server(tls, serve)
    with server:
        assert probe.run(f"client {tls.ca}", h2_get(server), *ALL).status() == 200 and server.connections == 2


def test_http_2_connections_that_end(probe: Probe, tls: Authorities) -> None:
    def goaway(h2: H2) -> None:
        h2.request()
        h2.goaway(2)
        h2.conn.closed(1)

    def garbage(h2: H2) -> None:
        h2.request()
        h2.conn.sock.sendall(b"x" * 100)
        h2.conn.closed(1)

    def cut(h2: H2) -> None:
        stream, _ = h2.request()
        h2.head(stream)
        h2.data(stream, b"abc")
        time.sleep(0.1)

    for serve in (goaway, garbage):
        with h2_server(tls, serve) as server:
            said = probe.run(f"client {tls.ca}", h2_get(server, method="POST"), "wait 1")
            assert said.failed() in ("HTTP-protocol-error", "connection-terminated")
    with h2_server(tls, cut) as server:
        said = probe.run(f"client {tls.ca}", h2_get(server), *ALL)
        assert said.body() == b"abc" and said.end() in ("HTTP-protocol-error", "HTTP-response-incomplete", "connection-terminated")


def test_http_2_lengths(probe: Probe, tls: Authorities) -> None:
    def serve(h2: H2) -> None:
        stream, fields = h2.request()
        h2.head(stream, ("content-length", dict(fields)["x-n"]))
        h2.data(stream, b"abc", end=True)
        h2.conn.closed(2)

    with h2_server(tls, serve) as server:
        for n, ends in (("3", ("ok",)), ("5", ("HTTP-response-incomplete", "HTTP-protocol-error")), ("2", ("HTTP-protocol-error",))):
            assert probe.run(f"client {tls.ca}", h2_get(server, "x-n", n), *ALL).end() in ends


def test_http_2_head_sizes(probe: Probe, tls: Authorities) -> None:
    def serve(h2: H2) -> None:
        stream, _ = h2.request()
        h2.h2.max_outbound_frame_size = 16384
        h2.head(stream, *[(f"x-{i}", "b" * 1000) for i in range(200)], end=True)
        h2.conn.closed(2)

    with h2_server(tls, serve) as server:
        assert probe.run(f"client {tls.ca}", h2_get(server), "wait 1").failed() == "HTTP-response-header-section-size"


def test_http_2_whole_answer_before_the_request_has_ended(probe: Probe, tls: Authorities) -> None:
    def serve(h2: H2) -> None:
        stream, _ = h2.request()
        h2.head(stream)
        h2.data(stream, b"enough", end=True)
        h2.body()
        h2.conn.closed(5)

    with h2_server(tls, serve) as server:
        said = probe.run(f"client {tls.ca}", h2_get(server, method="POST", body="pipe"), "write 1 abc", "wait 1", "read 1 6",
                         "fill 1 100000", "end 1", "read 1")  # fmt: skip
        # libcurl reports the end when both directions have ended
        assert said.all("body")[0] == ["enough"] and said.end() == "ok" and not server.errors


@pytest.mark.timeout(180)
def test_http_2_large_response_in_little_memory(probe: Probe, tls: Authorities) -> None:
    n = 1 << (24 if probe.sanitized else 27)

    def serve(h2: H2) -> None:
        stream, _ = h2.request()
        h2.head(stream)
        for _ in range(n >> 20):
            h2.data(stream, b"x" * (1 << 20))
        h2.data(stream, b"", end=True)
        h2.conn.closed(5)

    with h2_server(tls, serve) as server:
        said = probe.run(f"client {tls.ca}", h2_get(server), "wait 1", "read 1 1", "rss", "run 500", "sink 1 65536 1000", "rss", timeout=150)
        before, after = [int(line.split()[1]) for line in said.lines if line.startswith("rss")]
        assert said.one("sunk")[0] == str(n - 1) and said.end() == "ok"
        assert after - before < (20000 if probe.sanitized else 3000), (before, after)


def test_http_2_one_body_that_nobody_reads_holds_up_no_other(probe: Probe, tls: Authorities) -> None:
    def serve(h2: H2) -> None:
        while True:
            stream, _ = h2.request()
            h2.head(stream)
            h2.data(stream, b"x" * 2_000_000, end=True)

    with h2_server(tls, serve) as server:
        said = probe.run(f"client {tls.ca}", h2_get(server), "wait 1", "run 300", h2_get(server, call=2), "wait 2", "sink 2 65536 0", "sink 1 65536 0")
        assert said.one("sunk", 2)[0] == "2000000" and said.one("sunk")[0] == "2000000"


# --- connections that are kept ------------------------------------------------------------------------------------------------


def test_a_connection_serves_several_requests(probe: Probe) -> None:
    def serve(conn: Conn) -> None:
        while True:
            conn.answer(conn.head().line.encode())

    with Server(serve) as server:
        said = probe.run(*(line for i in range(1, 21) for line in (get(server, f"/{i}", call=i), f"wait {i}", f"read {i}", f"drop {i}")))
        assert all(said.body(i) == f"GET /{i} HTTP/1.1".encode() for i in range(1, 21)) and server.connections == 1


def test_a_kept_connection_that_dies(probe: Probe) -> None:
    """Idempotent requests are sent again on a new connection; requests that may have taken effect are not."""
    heads: list[str] = []

    def serve(conn: Conn) -> None:
        while True:
            heads.append(conn.head().line)
            if len(heads) == 2:  # received, and not answered
                return
            conn.answer(b"fine")

    for method, again in (("GET", True), ("DELETE", True), ("POST", False), ("PATCH", False)):
        heads.clear()
        with Server(serve) as server:
            said = probe.run(get(server), *ALL, get(server, method=method, call=2), "wait 2")
            assert said.status(2) == 200 if again else said.failed(2) == "connection-terminated"
            assert len(heads) == 2 + again


def test_a_kept_connection_that_dies_with_a_body(probe: Probe) -> None:
    heads: list[str] = []

    def serve(conn: Conn) -> None:
        heads.append(conn.head().line)
        conn.answer(b"first")
        head = conn.head()
        heads.append(head.line)
        conn.body(head)

    with Server(serve) as server:
        put = f"send 2 PUT http {server.authority} / 0 0 0 pipe"
        said = probe.run(get(server), *ALL, put, "write 2 abc", "run 50", "end 2", "wait 2")
        assert said.failed(2) == "connection-terminated" and len(heads) == 2


def test_redirects_are_answers(probe: Probe) -> None:
    with Server(lambda conn: conn.answer(b"", "302 Found", "Location: http://127.0.0.1:1/\r\n") if conn.head() else None) as server:
        said = probe.run(get(server), *ALL)
        assert said.status() == 302 and ("Location", "http://127.0.0.1:1/") in said.fields() and server.connections == 1


def test_nothing_of_the_host_goes_along(probe: Probe, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret\ndefault login me password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    (tmp_path / ".curlrc").write_text("header = X: y\n")

    def serve(conn: Conn) -> None:
        for _ in range(2):
            head = conn.head()
            conn.answer(repr(head.fields).encode(), "401 Unauthorized", 'Set-Cookie: a=b\r\nWWW-Authenticate: Basic realm="x"\r\nAlt-Svc: h2=":1"\r\n')

    with Server(serve) as server:
        proxy = "http://127.0.0.1:1/"
        env = {"HOME": str(tmp_path), "CURL_HOME": str(tmp_path), "http_proxy": proxy, "HTTP_PROXY": proxy, "https_proxy": proxy,
               "ALL_PROXY": proxy, "all_proxy": proxy, "NETRC": str(tmp_path / ".netrc")}  # fmt: skip
        said = probe.run(get(server), *ALL, get(server, call=2), "wait 2", "read 2", **env)
        for call in (1, 2):
            assert said.status(call) == 401 and eval(said.body(call)) == (("Host", server.authority),)
        assert server.connections == 1


# --- ends in between -----------------------------------------------------------------------------------------------------------


def test_a_dropped_exchange_is_cancelled(probe: Probe) -> None:
    cut: list[bool] = []

    def serve(conn: Conn) -> None:
        conn.head()
        cut.append(conn.closed())

    with Server(serve) as server:
        said = probe.run(get(server), "run 100", "drop 1", "idle", "run 100")
        server.join()
        assert cut == [True] and "idle yes" in said.lines


def test_a_dropped_upload_is_cancelled(probe: Probe) -> None:
    with Server(lambda conn: conn.head() and conn.closed()) as server:
        said = probe.run(post(server), "write 1 abc", "run 50", "drop 1", "idle")
        server.join()
        assert "idle yes" in said.lines and not server.errors


def test_a_body_that_nobody_reads_any_more_stops_the_transfer(probe: Probe) -> None:
    errors: list[OSError] = []

    def serve(conn: Conn) -> None:
        conn.head()
        conn.say("HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                conn.say("x" * 100000)
        except OSError as error:
            errors.append(error)

    with Server(serve) as server:
        said = probe.run(get(server), "wait 1", "read 1 10", "drop 1", "idle", "leave 1", "idle", "run 50")
        server.join()
        assert [line for line in said.lines if line.startswith("idle")] == ["idle no", "idle yes"] and len(errors) == 1


def test_a_response_goes_on_without_its_exchange(probe: Probe) -> None:
    with Server(saying("HTTP/1.1 200 OK\r\n\r\nhello", then=lambda conn: (time.sleep(0.2), conn.say(" you")))) as server:
        said = probe.run(get(server), "wait 1", "drop 1", "read 1", "idle")
        assert said.body() == b"hello you" and said.end() == "ok" and "idle yes" in said.lines


def test_a_request_goes_on_when_its_response_is_left(probe: Probe) -> None:
    seen: list[int] = []

    def serve(conn: Conn) -> None:
        conn.head()
        conn.say("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc")
        seen.append(conn.skip_chunks())

    with Server(serve) as server:
        said = probe.run(post(server), "wait 1", "leave 1", "fill 1 3000000", "end 1", "run 300", "idle")
        server.join()
        assert seen == [3000000] and "idle yes" in said.lines and not server.errors


def test_files_are_given_back(probe: Probe) -> None:
    with Server(saying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) as server:
        script = [line for i in range(1, 30) for line in (get(server, call=i), f"wait {i}", f"read {i}", f"drop {i}", f"leave {i}")]
        broken = [line for i in range(1, 30) for line in (get(server, call=i), f"drop {i}")]
        said = probe.run("fds", *script, *broken, "client", "fds")
        before, after = [int(line.split()[1]) for line in said.lines if line.startswith("fds")]
        assert after <= before + 1  # what OpenSSL keeps


def test_a_client_that_ends_with_everything_under_way(probe: Probe) -> None:
    def serve(conn: Conn) -> None:
        conn.head()
        conn.say("HTTP/1.1 200 OK\r\n\r\n" + "x" * 100)
        conn.closed()

    with unreachable() as port, Server(serve) as server:
        probe.run(get(server), "wait 1", post(server, call=2), "fill 2 1000", get(f"127.0.0.1:{port}", call=3), get("nobody.invalid", call=4), "client", "idle")
        probe.run(get(server), "wait 1", "drop 1", post(server, call=2), "fill 2 1000", get(f"127.0.0.1:{port}", call=3), get("nobody.invalid", call=4))


# --- both ways at once ------------------------------------------------------------------------------------------------------------


def echo(conn: Conn) -> None:
    """Chunks are echoed as they arrive."""
    conn.head()
    conn.say(CHUNKED)
    while True:
        line = conn.until(b"\r\n")
        conn.say(line, b"\r\n", conn.exactly(int(line, 16)), conn.exactly(2))
        if line == b"0":
            return


def test_echo(probe: Probe) -> None:
    with Server(echo) as server:
        said = probe.run(post(server), "wait 1", "write 1 abc", "read 1 3", "write 1 defg", "read 1 4", "end 1", "read 1")
        assert [unescape("".join(w)) for w in said.all("body")] == [b"abc", b"defg", b""] and said.end() == "ok"


def test_echo_of_much(probe: Probe) -> None:
    n = 5_000_000 if probe.sanitized else 50_000_000
    with Server(echo) as server:
        said = probe.run(post(server), "wait 1", f"both 1 {n}")
        assert said.one("sunk")[0] == str(n) and said.one("written") == [str(n), "ok"] and said.end() == "ok"


@pytest.mark.parametrize("status", ["200 OK", "404 Not Found"])
def test_a_whole_answer_before_the_request_has_ended(probe: Probe, status: str) -> None:
    """The response is read to its end while the request continues."""
    seen: list[int] = []

    def serve(conn: Conn) -> None:
        conn.head()
        conn.say(f"HTTP/1.1 {status}\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: 1\r\n\r\n")
        seen.append(conn.skip_chunks())

    with Server(serve) as server:
        said = probe.run(post(server), "write 1 x", *ALL, "fill 1 1000000", "end 1", "run 300", "idle")
        server.join()
        assert said.body() == b"abc" and said.end() == "ok" and said.fields(word="trailer") == [("T", "1")]
        assert seen == [1000001] and said.all("written")[1] == ["1000001", "ok"] and "idle yes" in said.lines


def test_a_server_that_has_had_enough(probe: Probe) -> None:
    def serve(conn: Conn) -> None:
        conn.head()
        conn.answer(b"too large", "413 Content Too Large", "Connection: close\r\n")
        conn.sock.shutdown(socket.SHUT_WR)
        time.sleep(0.3)

    with Server(serve) as server:
        said = probe.run(post(server), "wait 1", "read 1", "fill 1 100000000")
        assert said.status() == 413 and said.body() == b"too large" and said.end() == "ok"
        assert said.one("written")[1] == "connection-terminated"


# --- much, and many -----------------------------------------------------------------------------------------------------------------


def sending(n: int) -> Callable[[Conn], None]:
    def serve(conn: Conn) -> None:
        conn.head()
        conn.say(f"HTTP/1.1 200 OK\r\nContent-Length: {n}\r\n\r\n")
        piece = b"x" * (1 << 20)
        for at in range(0, n, 1 << 20):
            conn.say(piece[: min(1 << 20, n - at)])

    return serve


@pytest.mark.timeout(180)
def test_a_large_response_in_little_memory(probe: Probe) -> None:
    n = 1 << (26 if probe.sanitized else 30)
    with Server(sending(n)) as server:
        said = probe.run(get(server), "wait 1", "read 1 1", "rss", "sink 1 65536 100", "rss", timeout=150)
        before, after = [int(line.split()[1]) for line in said.lines if line.startswith("rss")]
        assert said.one("sunk")[0] == str(n - 1) and said.end() == "ok"
        assert after - before < (20000 if probe.sanitized else 2000), (before, after)


@pytest.mark.timeout(180)
def test_a_large_request_in_little_memory(probe: Probe) -> None:
    n = 1 << (26 if probe.sanitized else 30)

    def serve(conn: Conn) -> None:
        conn.head()
        conn.answer(str(conn.skip_chunks(pause=0.0001)).encode())

    with Server(serve) as server:
        said = probe.run(post(server), "fill 1 1000000", "rss", f"fill 1 {n - 1000000}", "rss", "end 1", *ALL, timeout=150)
        before, after = [int(line.split()[1]) for line in said.lines if line.startswith("rss")]
        assert said.body() == str(n).encode()
        assert after - before < (20000 if probe.sanitized else 2000), (before, after)


def test_a_response_that_nobody_reads_takes_no_memory(probe: Probe) -> None:
    said_bytes: list[int] = []

    def serve(conn: Conn) -> None:
        conn.head()
        conn.say("HTTP/1.1 200 OK\r\n\r\n")
        conn.sock.settimeout(0.5)
        total = 0
        try:
            while True:
                total += conn.sock.send(b"x" * 65536)
        except OSError:
            said_bytes.append(total)

    with Server(serve) as server:
        said = probe.run(get(server), "wait 1", "rss", "run 1500", "rss")
        server.join()
        before, after = [int(line.split()[1]) for line in said.lines if line.startswith("rss")]
        assert after - before < 1000 and said_bytes[0] < 20_000_000  # anything beyond a few pages is in the kernel


@pytest.mark.parametrize("case", ["silent", "connecting", "not read", "not written", "half closed", "not read, http/2"])
def test_waiting_takes_no_time(probe: Probe, tls: Authorities, case: str) -> None:
    """One second of each, with hardly any CPU time."""

    def stuffing(conn: Conn) -> None:
        conn.head()
        conn.say("HTTP/1.1 200 OK\r\n\r\n")
        conn.sock.settimeout(3)
        with contextlib.suppress(OSError):
            conn.say(b"x" * 50_000_000)

    def stuffing2(h2: H2) -> None:
        stream, _ = h2.request()
        h2.head(stream)
        h2.conn.sock.settimeout(3)
        with contextlib.suppress(OSError, AssertionError):
            h2.data(stream, b"x" * 20_000_000)

    def half(conn: Conn) -> None:
        conn.head()
        conn.answer(b"ok", fields="Connection: close\r\n")
        conn.sock.shutdown(socket.SHUT_WR)
        conn.closed(3)

    with contextlib.ExitStack() as held:

        def at(serve: Callable[[Conn], object]) -> Server:
            return held.enter_context(Server(serve))

        if case == "connecting":
            start = (get(f"127.0.0.1:{held.enter_context(unreachable())}"),)
        elif case == "silent":
            start = (get(at(lambda conn: conn.closed(3))),)
        elif case == "not read":
            start = (get(at(stuffing)), "wait 1")
        elif case == "not written":
            start = (post(at(lambda conn: conn.closed(3))), "write 1 a")
        elif case == "half closed":
            start = (post(at(half)), "write 1 a", "wait 1", "read 1")
        else:
            start = (f"client {tls.ca}", h2_get(held.enter_context(h2_server(tls, stuffing2))), "wait 1")
        cpu = [float(line.split()[1]) for line in probe.run(*start, "run 500", "cpu", "run 1000", "cpu").lines if line.startswith("cpu")]
    assert cpu[1] - cpu[0] < 100, cpu


def test_many_at_once_and_one_that_is_slow(probe: Probe) -> None:
    gate = threading.Event()

    def serve(conn: Conn) -> None:
        head = conn.head()
        if head.line.startswith("GET /slow"):
            gate.wait(20)
        conn.answer(head.line.encode())

    with Server(serve) as server:
        ids = range(2, 102)
        process = probe.start()
        assert process.stdin and process.stdout
        script = [get(server, "/slow"), *(get(server, f"/{i}", call=i) for i in ids), *(line for i in ids for line in (f"wait {i}", f"read {i}")), "state 1"]
        process.stdin.write("\n".join(script) + "\n")
        process.stdin.flush()
        lines = []
        while not lines or not lines[-1].startswith("pending 1"):
            lines.append(process.stdout.readline().strip())
            assert lines[-1], lines
        gate.set()
        out, err = process.communicate("wait 1\nread 1\n", timeout=30)
        assert process.returncode == 0, err
        said = Said((*lines, *out.splitlines()))
        assert all(said.body(i) == f"GET /{i} HTTP/1.1".encode() for i in ids)
        assert said.body(1) == b"GET /slow HTTP/1.1"


def test_there_is_a_limit_to_exchanges(probe: Probe) -> None:
    with unreachable() as port:
        said = probe.run(*(get(f"127.0.0.1:{port}", call=i) for i in range(1, 1030)), "state 1", "state 1024", "state 1025")
    assert said.all("pending") == [[]] and said.all("pending", 1024) == [[]]
    assert said.failed(1025) == "connection-limit-reached"


def test_no_more_files(probe: Probe) -> None:
    with Server(lambda conn: conn.head() and conn.closed()) as server:
        wrapped = subprocess.run(
            ["/bin/sh", "-c", f'ulimit -n 24; exec "{probe.program}"'],
            input="\n".join([*(get(server, call=i) for i in range(1, 30)), "run 100", "state 29", "drop 1", "idle"]) + "\n",
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
    said = Said(tuple(wrapped.stdout.splitlines()))
    assert wrapped.returncode == 0, wrapped.stderr
    assert said.failed(29) == "connection-limit-reached"


def test_nothing_is_opened_before_it_is_needed(probe: Probe) -> None:
    process = probe.start()
    assert process.stdin and process.stdout
    process.stdin.write("idle\n")
    process.stdin.flush()
    process.stdout.readline()
    maps = Path(f"/proc/{process.pid}/maps").read_text()
    assert "libcurl" not in maps
    process.communicate("", timeout=10)


def test_what_a_build_without_the_library_says(probe: Probe, tmp_path: Path) -> None:
    (tmp_path / "libcurl.so.4").write_text("this is none\n")
    said = probe.run(get("127.0.0.1:1"), "wait 1", LD_LIBRARY_PATH=str(tmp_path), ASAN_OPTIONS="verify_asan_link_order=0")
    code, _, text = said.one("failed")
    assert code == "internal-error" and re.match(rb"no HTTP client", unescape(text))
