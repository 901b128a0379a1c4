"""A guest that forwards (fixtures/src/http/serve-forward.c) between a client and a server, both of them the tests' own, byte by byte.

What the server lets in arrives at the other end as it came; what it does not is a 400 at the door, and the guest never sees it. The same is
tried at random in runtime/tests/http/test_http_forward.c; here it is the whole way, over two connections.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import test_serve as served
from http_servers import Conn, Server
from test_http_bodyless import FORWARD


@dataclass
class Upstream:
    """Answers every request, and keeps what it received."""

    answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    seen: list[tuple[str, list[tuple[str, str]], bytes, list[bytes]]] = field(default_factory=list)

    def serve(self, conn: Conn) -> None:
        with contextlib.suppress(EOFError, OSError):
            while conn.buffer or conn.more():
                head = conn.head()
                body, trailers = conn.body(head)
                fields = [(n, v) for n, v in head.fields if n.lower() not in ("host", "transfer-encoding")]
                self.seen.append((head.line, fields, body, trailers))
                conn.say(self.answer)


@pytest.fixture(scope="module", params=served.COMMANDS, ids=[p.parent.name for p in served.COMMANDS])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[served.Server, Upstream]]:
    if not served.has_server(request.param):
        pytest.skip("this build has no HTTP server")
    upstream = Upstream()
    with Server(upstream.serve) as far:
        options = ["-S", "http", "--env", f"UPSTREAM={far.authority}", "--max-head", "256KiB"]
        made = served.start(request.param, tmp_path_factory.mktemp("serve"), *options, component=FORWARD)
        yield made, upstream
        status = made.end()
    assert status == 0, made.lines()[-4000:]
    assert "ERROR: AddressSanitizer" not in made.lines() and "runtime error:" not in made.lines()


def exchange(pair: tuple[served.Server, Upstream], text: str, answer: bytes | None = None, head: bool = False) -> tuple[served.Response, Any]:
    server, upstream = pair
    upstream.answer = answer or Upstream.answer
    upstream.seen.clear()
    with server.connect() as c:
        c.sendall(text.encode("latin-1"))
        r = served.Reader(c).response(head=head)
    return r, upstream.seen[0] if upstream.seen else None


TARGETS = ["/", "//", "/a/../b//./c", "/a;b=c,d:e@f!$&'()*+", "/?", "/?a=b?c/d", "/%00%7e%FF", "/-._~", "/?@:/?", "/" + "x" * 60000]
BAD_TARGETS = ["/|", "/?a[]=1", "/\\", '/"', "/<>", "/{a}", "/^", "/`", "/%", "/%4", "/%gg", "/#", "/\xe4", "/\x7f", "a", "?a", "*"]


@pytest.mark.parametrize("target", TARGETS, ids=lambda t: t[:20])
def test_a_target_arrives_as_it_came(pair: tuple[served.Server, Upstream], target: str) -> None:
    r, seen = exchange(pair, f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (r.status, r.body, seen) == (200, b"ok", (f"GET {target} HTTP/1.1", [], b"", []))
    r, seen = exchange(pair, f"GET http://b:8{target} HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (r.status, seen[0]) == (200, f"GET {target} HTTP/1.1")


@pytest.mark.parametrize("target", BAD_TARGETS)
def test_a_target_that_is_no_uri_is_refused_at_the_door(pair: tuple[served.Server, Upstream], target: str) -> None:
    for form in (target, f"http://b{target}") if target[0] == "/" else (target,):
        r, seen = exchange(pair, f"GET {form} HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (r.status, seen) == (400, None)


def test_other_forms_of_targets(pair: tuple[served.Server, Upstream]) -> None:
    for target, arrives in (("*", "*"), ("http://b", "*"), ("http://b/", "/"), ("http://b?c", "/?c")):
        r, seen = exchange(pair, f"OPTIONS {target} HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (r.status, seen[0]) == (200, f"OPTIONS {arrives} HTTP/1.1")
    assert exchange(pair, "GET http://b HTTP/1.1\r\nHost: a\r\n\r\n")[1][0] == "GET / HTTP/1.1"
    r, seen = exchange(pair, "CONNECT b:1 HTTP/1.1\r\nHost: b:1\r\n\r\n", head=True)
    assert (r.status, seen[0].split()[0], seen[0].split()[2]) == (200, "CONNECT", "HTTP/1.1")


@pytest.mark.parametrize("method", ["HEAD", "DELETE", "OPTIONS", "TRACE", "PATCH", "M-SEARCH", "get", "!#$%&'*+-.^_`|~x"])
def test_a_method_arrives_as_it_came(pair: tuple[served.Server, Upstream], method: str) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" if method == "HEAD" else None
    r, seen = exchange(pair, f"{method} / HTTP/1.1\r\nHost: a\r\n\r\n", answer, head=method == "HEAD")
    assert r.status == 200 and r["content-length"] == "2"
    assert seen == (f"{method} / HTTP/1.1", [("Content-Length", "0")] if method == "PATCH" else [], b"", [])


FIELDS = [("A", "1"), ("a", ""), ("X-Bytes", "\xe4\xff\x80"), ("!#$%&'*+-.^_`|~", 'a\t"b", (c)'), ("Cookie", "a=b; c"), ("X", "x" * 40000),
          ("TE", "trailers"), ("Accept-Encoding", "gzip, br"), ("Proxy-Authorization", "x"), ("a", "2")]  # fmt: skip


def test_fields_arrive_as_they_came(pair: tuple[served.Server, Upstream]) -> None:
    lines = "".join(f"{n}: {v}\r\n" for n, v in FIELDS)
    r, seen = exchange(pair, f"GET / HTTP/1.1\r\nHost: a\r\n{lines}Upgrade: x\r\nKeep-Alive: 5\r\n\r\n")
    assert r.status == 200 and seen[1] == [*FIELDS, ("Connection", "TE")]  # RFC 9110, 10.1.4
    answer = f"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n{lines}\r\n".encode("latin-1")
    r, _ = exchange(pair, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", answer)
    assert r.status == 999 and [f for f in r.fields if f[0].lower() not in ("content-length", "date")] == FIELDS


@pytest.mark.parametrize(
    ("fields", "body", "arrives"),
    [
        ("Content-Length: 5\r\n", "hello", ("5", b"hello", [])),
        ("Content-Length: 005 \t\r\n", "hello", ("005", b"hello", [])),
        ("Content-Length: 0\r\n", "", ("0", b"", [])),
        ("", "", ("0", b"", [])),
        ("Transfer-Encoding: chunked\r\n", "0\r\n\r\n", ("0", b"", [])),
        ("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n", (None, b"hello", [])),
        ("Transfer-Encoding: chunked\r\n", "5 ;x\r\nhello\r\n0\r\nSum: 1\r\nContent-Type: x\r\nContent-Length: 9\r\nTE: x\r\nB:\t2 \r\n\r\n", (None, b"hello", [b"Sum: 1", b"B: 2"])),
    ],
)  # fmt: skip
def test_a_body_arrives_as_it_came(pair: tuple[served.Server, Upstream], fields: str, body: str, arrives: tuple[str | None, bytes, list[bytes]]) -> None:
    r, seen = exchange(pair, f"POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n{body}")
    assert r.status == 200
    length = next((v for n, v in seen[1] if n.lower() == "content-length"), None)
    assert (length, *seen[2:]) == arrives


ANSWERS = {
    "length": ("GET", "200 OK\r\nContent-Length: 5\r\n\r\nhello", "5", b"hello"),
    "two equal lengths": ("GET", "200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "5", b"hello"),
    "HEAD": ("HEAD", "200 OK\r\nContent-Length: 5\r\n\r\n", "5", b""),
    "304": ("GET", "304 Not Modified\r\nContent-Length: 5\r\n\r\n", "5", b""),
    "304 without": ("GET", "304 Not Modified\r\nETag: x\r\n\r\n", None, b""),
    "204": ("GET", "204 No Content\r\n\r\n", None, b""),
    "204 with a length": ("GET", "204 No Content\r\nContent-Length: 5\r\n\r\n", None, b""),
    "205": ("GET", "205 Reset Content\r\nContent-Length: 0\r\n\r\n", "0", b""),
    "205 with a body": ("GET", "205 Reset Content\r\nContent-Length: 5\r\n\r\nhello", "0", b""),
    "chunks": ("GET", "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nSum: 1\r\n\r\n", None, b"hello"),
    "600": ("GET", "600 What\r\nContent-Length: 0\r\n\r\n", "0", b""),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_goes_back_as_it_came(pair: tuple[served.Server, Upstream], name: str) -> None:
    method, answer, length, body = ANSWERS[name]
    for _ in range(3):
        r, _seen = exchange(pair, f"{method} / HTTP/1.1\r\nHost: a\r\n\r\n", f"HTTP/1.1 {answer}".encode(), head=method == "HEAD")
        assert (r.status, r["content-length"], r.body, r.whole) == (int(answer[:3]), length, body, True)
        assert r.trailers == ([("Sum", "1")] if name == "chunks" else [])


@pytest.mark.parametrize("authority", ["a", "A.b-c_d~e", "a:1", "a:65535", "a:", "[::1]", "[2001:db8::1]:8080", "1.2.3.4:80", "%41!$&'()*+,;="])
def test_authorities_that_are_let_in(pair: tuple[served.Server, Upstream], authority: str) -> None:
    assert exchange(pair, f"GET / HTTP/1.1\r\nHost: {authority}\r\n\r\n")[0].status == 200


@pytest.mark.parametrize("authority", ["u@a", "a:65536", "a:b", "[::", "[:::]", "[fe80::1%25lo]", "a/b", "a?", "a#", "a b", "%4", ":1", "a\\b", "\xe4"])
def test_authorities_that_are_none(pair: tuple[served.Server, Upstream], authority: str) -> None:
    assert exchange(pair, f"GET / HTTP/1.1\r\nHost: {authority}\r\n\r\n")[0].status == 400
    assert exchange(pair, f"GET http://{authority}/ HTTP/1.1\r\nHost: a\r\n\r\n")[0].status == 400 or authority in ("a/b", "a?")


def test_what_is_too_large_is_refused_at_the_door(pair: tuple[served.Server, Upstream]) -> None:
    """The request is refused although --max-head would allow it."""
    for text, status in (
        (f"GET /{'x' * 65536} HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (f"GET / HTTP/1.1\r\nHost: a\r\nX: {'x' * 65536}\r\n\r\n", 431),
        (f"GET / HTTP/1.1\r\nHost: a\r\n{f'X: {chr(120) * 40000}{chr(13)}{chr(10)}' * 4}\r\n", 431),
        (f"{'X' * 5000} / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    ):
        r, seen = exchange(pair, text)
        assert (r.status, seen) == (status, None)
    r, seen = exchange(pair, f"GET / HTTP/1.1\r\nHost: a\r\n{f'X: {chr(120) * 40000}{chr(13)}{chr(10)}' * 3}\r\n")
    assert r.status == 200 and len(seen[1]) == 3


def test_fields_beyond_the_guests_own_limit(pair: tuple[served.Server, Upstream], tmp_path_factory: pytest.TempPathFactory) -> None:
    server, upstream = pair
    options = ["-S", "http", "-S", "max-http-fields-size=500", "--env", "UPSTREAM=127.0.0.1:1"]
    made = served.start(server.process.args[0], tmp_path_factory.mktemp("small"), *options, component=FORWARD)  # type: ignore[index]
    assert exchange((made, upstream), f"GET / HTTP/1.1\r\nHost: a\r\nX: {'x' * 400}\r\n\r\n")[0].status == 599
    assert exchange((made, upstream), f"GET / HTTP/1.1\r\nHost: a\r\nX: {'x' * 500}\r\n\r\n")[0].status == 431
    assert made.end() == 0 and "trap" not in made.lines()
