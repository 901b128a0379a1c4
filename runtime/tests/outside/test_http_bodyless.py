"""Messages without a body: responses to HEAD and CONNECT, 204, 205, 304, and requests whose body is taken and left empty.

What a length means there: RFC 9110, 8.6; which messages have no body: RFC 9112, 6.3. Both directions: what `touchstone serve` makes of a guest's
response (fixtures/src/http/serve-forward.c, /answer), and what the client sends and takes (http-ask.c, and http_probe).
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import test_http_client as client
import test_serve as served
from http_servers import Conn, Server, saying
from test_http_outgoing import PROGRAM

ROOT = Path(__file__).resolve().parents[3]
FORWARD = ROOT / "fixtures/built/serve-forward.wasm"
ASK = ROOT / "fixtures/built/http-ask.wasm"


# --- serve ----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=served.COMMANDS, ids=[p.parent.name for p in served.COMMANDS])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[served.Server]:
    if not served.has_server(request.param):
        pytest.skip("this build has no HTTP server")
    made = served.start(request.param, tmp_path_factory.mktemp("serve"), component=FORWARD)
    yield made
    status = made.end()
    assert status == 0, made.lines()[-4000:]
    assert "ERROR: AddressSanitizer" not in made.lines() and "runtime error:" not in made.lines()


# method, /answer/STATUS/LENGTH/BYTES; the Content-Length on the wire, the body, what finish says
ANSWERS = {
    "HEAD, its length and no body": ("HEAD", "200/5/-", "5", None),
    "HEAD, its length and an empty body": ("HEAD", "200/5/0", "5", "finish ok"),
    "HEAD, its length and the body": ("HEAD", "200/5/5", "5", "finish ok"),
    "HEAD, its length and half of the body": ("HEAD", "200/5/3", "5", "finish failed"),
    "HEAD, its length and more": ("HEAD", "200/5/7", "5", "write failed\nfinish failed"),
    "HEAD, a body finished before": ("HEAD", "200/5/5f", "5", "finish ok"),
    "HEAD, an empty body finished before": ("HEAD", "200/5/0f", "5", "finish failed"),
    "HEAD, no length": ("HEAD", "200/-/5", "5", "finish ok"),
    "HEAD of 404": ("HEAD", "404/7/-", "7", None),
    "HEAD of 204": ("HEAD", "204/7/-", None, None),
    "304 and its length": ("GET", "304/5/-", "5", None),
    "304, its length and an empty body": ("GET", "304/5/0", "5", "finish ok"),
    "304, its length and a body": ("GET", "304/5/5", "5", "finish ok"),
    "304": ("GET", "304/-/-", None, None),
    "204": ("GET", "204/-/-", None, None),
    "204 and a length": ("GET", "204/5/-", None, None),
    "204, a length and an empty body": ("GET", "204/5/0", None, "finish ok"),
    "204 and a body": ("GET", "204/-/5", None, "finish ok"),
    "205": ("GET", "205/-/-", "0", None),
    "205 and a length": ("GET", "205/5/-", "0", None),
    "205, a length and a body": ("GET", "205/5/5", "0", "finish ok"),
    "205 and a body": ("POST", "205/-/5", "0", "finish ok"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_response_without_a_body(server: served.Server, name: str) -> None:
    method, answer, length, said = ANSWERS[name]
    before = len(server.lines())
    with server.connect() as c:
        for _ in range(2):  # the connection still works: no byte was left on it
            c.sendall(f"{method} /answer/{answer} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n".encode())
            reader = served.Reader(c)
            r = reader.response(head=True)
            if length is None or (answer.endswith("-/5") and method == "HEAD"):
                assert r["content-length"] in (None, length)
            else:
                assert [v for n, v in r.fields if n.lower() == "content-length"] == [length]
            assert r.status == int(answer[:3]) and r["transfer-encoding"] is None and r["connection"] is None and not reader.held
        c.sendall(b"GET /answer/200/2/2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        reader = served.Reader(c)
        assert reader.response().body == b"xx" and reader.ended()
    if said:
        assert server.wait_for(f"{said}\n{said}\n") and server.lines()[before:].startswith(f"{said}\n{said}\n")


def test_a_get_is_still_held_to_its_length(server: served.Server) -> None:
    for answer in ("200/5/0", "200/5/3", "200/5/7"):
        with server.connect() as c:
            c.sendall(f"GET /answer/{answer} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            assert served.Reader(c).response().status == 500


@pytest.mark.parametrize(
    ("answer", "length"), [("200/-/0", "0"), ("200/-/-", "0"), ("200/0/-", "0"), ("200/0/0", "0"), ("404/-/0f", "0"), ("201/-/3", "3")]
)
def test_an_empty_body_has_a_length_and_no_chunks(server: served.Server, answer: str, length: str) -> None:
    with server.connect() as c:
        c.sendall(f"GET /answer/{answer} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        reader = served.Reader(c)
        r = reader.response()
        assert r["content-length"] == length and r["transfer-encoding"] is None and len(r.body) == int(length) and not reader.held


@pytest.mark.parametrize("fields", ["", "Content-Length: 0\r\n"])
def test_connect_is_for_the_handler(server: served.Server, fields: str) -> None:
    """serve-routes prints its request. A tunnel follows a 2xx: no framing, no body, no further request."""
    made = served.start(Path(server.process.args[0]), server.log.parent, component=served.ROUTES)  # type: ignore[index]
    try:
        with made.connect() as c:
            c.sendall(f"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n{fields}\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            reader = served.Reader(c)
            r = reader.response(head=True)
            assert r.status == 200 and r["content-length"] is None and r["transfer-encoding"] is None
            assert reader.ended()
    finally:
        assert made.end() == 0


@pytest.mark.parametrize(
    "request_text",
    [
        *("CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", "CONNECT a: HTTP/1.1\r\nHost: a\r\n\r\n", "CONNECT a:0 HTTP/1.1\r\nHost: a\r\n\r\n"),
        *("CONNECT a:65536 HTTP/1.1\r\nHost: a\r\n\r\n", "CONNECT /a:1 HTTP/1.1\r\nHost: a\r\n\r\n", "CONNECT http://a:1 HTTP/1.1\r\nHost: a\r\n\r\n"),
        *("CONNECT u@a:1 HTTP/1.1\r\nHost: a\r\n\r\n", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"),
        "CONNECT a:1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_connect_that_is_none(server: served.Server, request_text: str) -> None:
    with server.connect() as c:
        c.sendall(request_text.encode())
        reader = served.Reader(c)
        assert reader.response().status == 400 and reader.ended()


# --- the client -------------------------------------------------------------------------------------------------------------

probe = client.probe
METHODS = ["GET", "HEAD", "DELETE", "OPTIONS", "TRACE", "POST", "PUT", "PATCH", "PURGE"]


def ask(*requests: str, authority: str) -> list[str]:
    done = subprocess.run([PROGRAM, "run", "-S", "http", ASK, authority, *requests], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.splitlines()


def heads(conn: Conn, seen: list[tuple[str, str | None, str | None, bytes, list[bytes]]]) -> None:
    """Answers requests until the connection ends."""
    while conn.buffer or conn.more():
        head = conn.head()
        body, trailers = conn.body(head)
        seen.append((head.line.split()[0], head["content-length"], head["transfer-encoding"], body, trailers))
        conn.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize("words", ["e", "e w:60"])
def test_a_body_that_is_left_empty_is_no_content(words: str) -> None:
    """With `w`, the guest waits for something else before it finishes."""
    seen: list[tuple[str, str | None, str | None, bytes, list[bytes]]] = []
    with Server(lambda conn: heads(conn, seen)) as server:
        lines = ask(*(f"{method} / {words}" for method in METHODS), authority=server.authority)
    assert len(lines) == len(METHODS) and all(": 200," in line for line in lines)
    assert seen == [(m, "0" if m in ("POST", "PUT", "PATCH") else None, None, b"", []) for m in METHODS]


def test_a_body_with_anything_in_it_is_sent() -> None:
    seen: list[tuple[str, str | None, str | None, bytes, list[bytes]]] = []
    with Server(lambda conn: heads(conn, seen)) as server:
        ask("GET / e t:Sum=1", "GET / b:x w:60", "GET / n:70000", "DELETE / h:Content-Length=1 b:x", "GET / h:Content-Length=0 e", authority=server.authority)
    assert seen == [
        ("GET", None, "chunked", b"", [b"Sum: 1"]),
        ("GET", None, "chunked", b"x", []),
        ("GET", None, "chunked", b"x" * 70000, []),
        ("DELETE", "1", None, b"x", []),
        ("GET", "0", None, b"", []),
    ]


def test_a_guest_that_waits_for_the_response_first_gets_it() -> None:
    """The length of the body is unknown then, so it is sent in chunks."""
    seen = []

    def serve(conn: Conn) -> None:
        seen.append(conn.head())
        conn.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        seen.append(conn.chunks())

    with Server(serve) as server:
        assert ask("POST / e E", authority=server.authority) == ['POST /: early 200, 2 bytes "ok" closed']
        server.join()
    assert seen[0]["transfer-encoding"] == "chunked" and seen[1] == (b"", [])


def test_a_look_at_the_response_does_not_frame_the_request_but_a_wait_does(probe: client.Probe) -> None:
    """A guest that polls the response and the body together sees first that it may write, and then waits."""
    seen: list[tuple[str, str | None, str | None, bytes, list[bytes]]] = []
    for script in (["look 1"], ["look 1", "look 1"], ["look 1", "run 50"], [*["look 1"] * 3, "poll"], ["look 1"] * 3):
        with Server(lambda conn: heads(conn, seen)) as server:
            said = probe.run(client.get(server).replace(" none", " pipe"), *script, "end 1", *client.ALL)
            assert said.status() == 200
    assert [coding for _, _, coding, _, _ in seen] == [None, None, "chunked", "chunked", None]


def test_a_look_does_no_io(probe: client.Probe) -> None:
    """A poll checks all pollables before it waits. Checking one must not make an earlier one ready unnoticed."""

    def serve(conn: Conn) -> None:
        conn.head()
        conn.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")
        go.wait(20)
        conn.say("cde")
        said_all.set()

    go, said_all = threading.Event(), threading.Event()
    with Server(serve) as server, Server(lambda conn: (conn.head(), conn.answer(b"ok"))) as other:
        process = probe.start()
        assert process.stdin and process.stdout
        begin = [client.get(server), "wait 1", "read 1 2", client.post(other, call=2), "have 1"]
        process.stdin.write("\n".join(begin) + "\n")
        process.stdin.flush()
        while not (line := process.stdout.readline()).startswith("have"):
            assert line
        go.set()
        assert said_all.wait(20)
        out, _ = process.communicate(
            "\n".join(["sleep 50", *["look 2"] * 4, "have 1", "poll", "have 1", "end 2", "wait 2", "quit"]), timeout=50
        )
    assert line == "have 1 0\n" and [w for w in out.splitlines() if w.startswith("have")] == ["have 1 0", "have 1 3"]
    assert "response 2 200" in out.splitlines()


def test_the_first_byte_sends_the_request(probe: client.Probe) -> None:
    """The call waits neither for the end of the body nor for its reader."""

    def serve(conn: Conn) -> None:
        conn.head()
        conn.until(b"1\r\nx\r\n")
        conn.answer(b"ok")

    with Server(serve) as server:
        said = probe.run(client.post(server), "run 50", "state 1", "write 1 x", "wait 1", "read 1", "end 1")
    assert said.lines[0] == "pending 1" and said.body() == b"ok"


def test_nothing_is_connected_before_there_is_something_to_send(probe: client.Probe) -> None:
    with Server(lambda conn: (conn.head(), conn.answer(b"ok"))) as server:
        said = probe.run(client.post(server, times="10 0 0"), "run 100", "state 1", "end 1", *client.ALL)
        assert server.connections == 1
    assert said.lines[0] == "pending 1" and said.body() == b"ok"  # the time to connect began with the end of the body


def test_expect_is_not_sent_without_content(probe: client.Probe) -> None:
    with Server(lambda conn: (conn.head(), conn.answer(conn.read))) as server:
        said = probe.run(client.post(server, "Expect", "100-continue"), "end 1", *client.ALL)
    assert b"expect" not in said.body().lower() and b"Content-Length: 0\r\n" in said.body()


def test_connect_goes_out_with_its_authority(probe: client.Probe) -> None:
    def serve(conn: Conn) -> None:
        head = conn.head()
        conn.say(f"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nTransfer-Encoding: chunked\r\nX-Line: {head.line}\r\n\r\n")
        assert conn.closed()

    with Server(serve) as server, Server(saying("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno")) as refusing:
        said = probe.run(client.get(server, "/", method="CONNECT"), *client.ALL)
        assert said.status() == 200 and said.body() == b"" and said.end() == "ok"
        assert ("X-Line", f"CONNECT {server.authority} HTTP/1.1") in said.fields() and "Content-Length" not in dict(said.fields())
        said = probe.run(client.get(refusing, "/", method="CONNECT"), *client.ALL)
        assert said.status() == 403 and said.body() == b"no"
        assert ask("CONNECT / e", "CONNECT /", authority=server.authority) == ['CONNECT /: 200, 0 bytes "" closed'] * 2


BODYLESS = {
    "HEAD with a length": ("HEAD", "200 OK\r\nContent-Length: 5\r\n", "5"),
    "HEAD with chunks": ("HEAD", "200 OK\r\nTransfer-Encoding: chunked\r\n", None),
    "HEAD with both": ("HEAD", "200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n", "5"),
    "HEAD with two equal lengths": ("HEAD", "200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n", "5"),
    "304 with a length": ("GET", "304 Not Modified\r\nContent-Length: 5\r\n", "5"),
    "304 with chunks": ("GET", "304 Not Modified\r\nTransfer-Encoding: chunked\r\n", None),
    "204 with a length": ("GET", "204 No Content\r\nContent-Length: 5\r\n", "5"),
    "204 with chunks": ("GET", "204 No Content\r\nTransfer-Encoding: chunked\r\n", None),
    "205": ("GET", "205 Reset Content\r\nContent-Length: 0\r\n", "0"),
    "after 1xx": ("HEAD", "103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n", "5"),
}


@pytest.mark.parametrize("name", BODYLESS)
def test_a_response_that_has_no_body_ends_with_its_head(probe: client.Probe, name: str) -> None:
    method, text, length = BODYLESS[name]

    def serve(conn: Conn) -> None:
        conn.head()
        conn.say(f"HTTP/1.1 {text}\r\n")
        conn.closed(1)

    with Server(serve) as server:
        said = probe.run(client.get(server, method=method), *client.ALL)
    assert said.body() == b"" and said.end() == "ok"
    assert [v for n, v in said.fields() if n == "Content-Length"] == ([length] if length else [])


@pytest.mark.parametrize("status", ["100 Continue", "102 Processing", "103 Early Hints"])
@pytest.mark.parametrize("fields", ["", "Content-Length: 9\r\n", "Transfer-Encoding: chunked\r\n", "Connection: close\r\n"])
def test_an_informational_response_has_no_body_whatever_it_says(probe: client.Probe, status: str, fields: str) -> None:
    with Server(saying(f"HTTP/1.1 {status}\r\n{fields}\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")) as server:
        said = probe.run(client.get(server), *client.ALL)
    assert said.status() == 200 and said.body() == b"hello" and said.fields() == [("Content-Length", "5")]


@pytest.mark.parametrize("text", ["200 OK\r\nContent-Length: x", "304 Not Modified\r\nContent-Length: 5, 6", "200 OK\r\nContent-Length: 1\r\nContent-Length: 2"])
def test_a_length_that_is_none_is_an_error_without_a_body_too(probe: client.Probe, text: str) -> None:
    with Server(saying(f"HTTP/1.1 {text}\r\n\r\n")) as server:
        assert probe.run(client.get(server, method="HEAD"), "wait 1").failed() == "HTTP-protocol-error"


@pytest.mark.parametrize("status", [600, 999])
def test_a_status_beyond_the_classes_is_the_guests_affair(probe: client.Probe, status: int) -> None:
    with Server(saying(f"HTTP/1.1 {status} Odd\r\nContent-Length: 1\r\n\r\nx")) as server:
        said = probe.run(client.get(server), *client.ALL)
    assert said.status() == status and said.body() == b"x"


@pytest.mark.parametrize("status", ["1000", "65736", "099", "-200", "2x0"])
def test_a_status_that_is_none(probe: client.Probe, status: str) -> None:
    with Server(saying(f"HTTP/1.1 {status} Odd\r\nContent-Length: 1\r\n\r\nx")) as server:
        assert probe.run(client.get(server), "wait 1").failed() == "HTTP-protocol-error"
