"""HTTP as advisories of other servers and clients describe it: requests that two readers understand differently, clients that are slow or
send much, and servers of HTTP/2 that flood. cves.tsv has the advisories; test_serve.py and test_http_client.py have more of each kind.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator

import pytest
import test_http_client as client
import test_http_forward as forward
import test_serve as served
from http_servers import Conn, Server, saying

probe, tls, pair = client.probe, client.tls, forward.pair
POST = "POST /hello HTTP/1.1\r\nHost: a\r\n"
CHUNKED = "POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module", params=served.COMMANDS, ids=[p.parent.name for p in served.COMMANDS])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[served.Server]:
    if not served.has_server(request.param):
        pytest.skip("this build has no HTTP server")
    made = served.start(request.param, tmp_path_factory.mktemp("serve"), "--log", "--head-timeout", "1s", "--stall-timeout", "2s")
    yield made
    status = made.end()
    assert status == 0, made.lines()[-4000:]
    assert "ERROR: AddressSanitizer" not in made.lines() and "runtime error:" not in made.lines()


# --- requests that two readers understand differently --------------------------------------------------------------------

# By the advisory. Each is followed by a request that must not be one.
SMUGGLED = {
    "CVE-2015-5741": [POST + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", POST + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"],
    "CVE-2019-16276": [POST + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", POST + "Content-Length : 5\r\n\r\nhello", POST + "Content Length: 5\r\n\r\nhello"],
    "CVE-2019-15605": [POST + f"Transfer-Encoding: {v}\r\n\r\n0\r\n\r\n" for v in ("chunked, identity", "\x0bchunked", "chunked\x0b", "xchunked", "chunked;", ",chunked", "chun ked")],
    "CVE-2020-8287": [POST + f"Transfer-Encoding: {a}\r\nTransfer-Encoding: {b}\r\n\r\n0\r\n\r\n" for a in ("chunked", "identity", "x") for b in ("chunked", "identity", "")],
    "CVE-2020-35884": [POST + f"{f}\r\n\r\n0\r\n\r\n" for f in ("Transfer-Encoding: chunked\r\nTransfer-Encoding : chunked", "Transfer-Encoding: 'chunked'", "Transfer-Encoding\t: chunked", "\tTransfer-Encoding: chunked")],
    "CVE-2021-21299": [POST + "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n", POST + "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked, x\r\n\r\n0\r\n\r\n"],
    "CVE-2021-22959": [POST + "X : y\r\n\r\n", POST + "X \t: y\r\nContent-Length: 5\r\n\r\nhello"],
    "CVE-2021-22960": [CHUNKED + "1;a\n2\r\nxx\r\n0\r\n\r\n", CHUNKED + "1;a\r2\r\nxx\r\n0\r\n\r\n", CHUNKED + "2\n;x\r\nxx\r\n0\r\n\r\n"],
    "CVE-2021-32714": [CHUNKED + f"{size}\r\nabc\r\n0\r\n\r\n" for size in ("10000000000000003", "fffffffffffffffff", "1" + "0" * 16 + "3", "1" + "0" * 64 + "3")],
    "CVE-2021-32715": [POST + f"Content-Length: {v}\r\n\r\nhello" for v in ("+5", "-5", "5.0", "0x5", "5,5", "5;", "0 5", "５", "5\x0b", "")],
    "CVE-2021-38512": [POST + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", "POST /hello HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", POST + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"],
    "CVE-2022-32213": [POST + f"Transfer-Encoding: {v}\r\n\r\n0\r\n\r\n" for v in ("chunkedchunked", "chunked\x00", "chunked chunked", "identity, chunked,", '"chunked"')],
    "CVE-2022-32214": ["GET / HTTP/1.1\r\nHost: a\r\nX: b\nContent-Length: 5\r\n\r\nhello", "GET / HTTP/1.1\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX: b\n\r\n"],
    "CVE-2022-32215": [POST + f"Transfer-Encoding:{v}\r\n\r\n0\r\n\r\n" for v in (" chunked\r\n , identity", "\r\n chunked", " chunked\r\n\t", "\r\n\tchunked")],
    "CVE-2022-35256": ["GET / HTTP/1.1\r\nHost: a\r\nX:\n\nContent-Length: 5\r\n\r\nhello", "GET / HTTP/1.1\r\nHost: a\r\nX:\nY: z\r\n\r\n"],
    "CVE-2023-30589": ["GET / HTTP/1.1\r\nHost: a\r\nX:\rContent-Length: 5\r\n\r\nhello", "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\rZ: 1\r\n\r\n", "GET / HTTP/1.1\rHost: a\r\n\r\n"],
    "CVE-2024-27982": ["POST /hello HTTP/1.1\r\n Content-Length: 5\r\nHost: a\r\n\r\nhello", POST + " Content-Length: 5\r\n\r\nhello", POST + "X: y\r\n Content-Length: 5\r\n\r\nhello"],
    "CVE-2025-23167": ["GET / HTTP/1.1\r\nHost: a\r\n\rX: y\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\rZ: 1\r\n\r\n"],
    "CVE-2025-22871": [CHUNKED + "3\nabc\r\n0\r\n\r\n", CHUNKED + "3;x\nabc\r\n0\r\n\r\n", CHUNKED + "3\r\nabc\n0\r\n\r\n", CHUNKED + "3\r\nabc\r\n0\n\r\n"],
}  # fmt: skip


@pytest.mark.parametrize("advisory", SMUGGLED)
def test_a_request_is_one_or_none(server: served.Server, advisory: str) -> None:
    """400 or 501, and the connection ends: what follows is no request. A body that breaks later is an error for the guest."""
    for n, text in enumerate(SMUGGLED[advisory]):
        with server.connect() as c:
            c.sendall((text + served.get(f"/hello?smuggled-{advisory}-{n}")).encode("utf-8" if "５" in text else "latin-1"))
            reader = served.Reader(c)
            r = reader.response()
            if text.startswith(CHUNKED) and r.status == 200:
                assert r.body.endswith(b"failed\n"), (text, r)
            else:
                assert r.status in (400, 501) and r["connection"] == "close", (text, r)
            assert reader.ended(), text
    assert f"smuggled-{advisory}" not in server.lines()


def test_a_control_character_does_not_reach_the_log(server: served.Server) -> None:
    """Neither raw nor by a target, a method or a field: the log has no escape sequence and no second line."""
    for text in ("GET /\x1b[2J HTTP/1.1\r\nHost: a\r\n\r\n", "G\x1b[1mT / HTTP/1.1\r\nHost: a\r\n\r\n", "GET /hello HTTP/1.1\r\nHost: \x1b[0m\r\n\r\n",
                 "GET /hello?%1b%0a127.0.0.1 HTTP/1.1\r\nHost: a\r\nX: \x1b]0;t\x07\r\n\r\n", "GET /trap?\x9b HTTP/1.1\r\nHost: a\r\n\r\n"):  # fmt: skip
        served.ask(server, text)
    assert served.ask(server, served.get("/trap?a%0ab%1b")).status == 500
    said = server.lines()
    assert not [c for c in said if (ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0]


# --- much, and slowly ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("head", ["X: y\r\n" * 20_000, "X: " + "y" * 200_000 + "\r\n", "y" * 200_000, "".join(f"{i}: y\r\n" for i in range(20_000))], ids=["same", "long", "name", "many"])
def test_a_flood_of_fields_takes_little(server: served.Server, head: str) -> None:
    before = server.memory()
    many = []
    for _ in range(20):
        c = server.connect()
        c.sendall(f"GET /hello HTTP/1.1\r\nHost: a\r\n{head[:60_000]}".encode())
        many.append(c)
    for c in many:
        with c:
            try:
                c.sendall(head[60_000:].encode())
                assert served.Reader(c).response().status == 431
            except (BrokenPipeError, ConnectionResetError):
                pass
    assert served.alive(server) and server.memory() - before < (60 << 20 if server.sanitized else 12 << 20)


@pytest.mark.parametrize("first", ["", served.get("/hello"), served.get("/hello") * 3], ids=["at once", "after a request", "after three"])
def test_a_slow_head_ends_also_on_a_kept_connection(server: served.Server, first: str) -> None:
    """A byte at a time, and never the end of the head: 408 after --head-timeout, whatever came before."""
    with server.connect() as c:
        c.sendall(first.encode() + b"GET / HTTP/1.1\r\nHost: a\r\n")
        reader = served.Reader(c)
        for _ in range(first.count("GET")):
            assert reader.response().status == 200
        end = time.monotonic() + served_patience(server)
        c.settimeout(0.05)
        while time.monotonic() < end:
            try:
                c.sendall(b"a")
                if not reader.more():
                    break
            except TimeoutError:
                continue
            except OSError:
                break
            if reader.held:
                break
        c.settimeout(20)
        assert reader.response().status == 408 and reader.ended()


def served_patience(server: served.Server) -> float:
    return 60.0 if server.sanitized else 20.0


def test_extensions_and_tiny_chunks_are_paid_for_by_their_sender(server: served.Server) -> None:
    """Metadata far beyond the content is refused: long extensions, in one chunk or in many, and trailers without end."""
    for body in ("1;" + "a" * 20_000, ("1;" + "a" * 3000 + "\r\nx\r\n") * 100, "1;" + "a;" * 10_000, "0\r\n" + "X: y\r\n" * 20_000, "0" * 20_000, "0\r\nX: " + "y" * 100_000):
        r = served.ask(server, CHUNKED + body)
        assert r.status in (400, 431) or r.body.endswith(b"failed\n"), (body[:20], r)
    assert served.alive(server)


@pytest.mark.parametrize("first", ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/2.0\r\nHost: a\r\n\r\n"])
def test_no_frames_of_http_2(server: served.Server, first: str) -> None:
    """Streams cannot be reset rapidly, nor continued for ever, where HTTP/2 is not spoken: its preface ends the connection."""
    frames = b"\0\0\0\4\0\0\0\0\0" + b"".join(b"\0\0\1\1\4" + n.to_bytes(4, "big") + b"\x82" + b"\0\0\4\3\0" + n.to_bytes(4, "big") + b"\0\0\0\x08" for n in range(1, 2001, 2))
    with server.connect() as c:
        c.sendall(first.encode() + frames)
        reader = served.Reader(c)
        assert reader.response().status == 505 and reader.ended()
    upgrade = served.ask(server, served.get("/hello", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"))
    assert (upgrade.status, upgrade.body) == (200, b"hello\n")


# --- ranges and codings go through as they are -----------------------------------------------------------------------------


def test_ranges_are_the_guests_affair(pair: tuple[served.Server, forward.Upstream]) -> None:
    """However many ranges are asked for, the field arrives as it came, and a partial answer goes back as it is."""
    ranges = "bytes=0-," + ",".join(f"5-{i}" for i in range(1300))
    parts = b"--x\r\nContent-Range: bytes 0-1/9\r\n\r\nab\r\n--x--\r\n"
    answer = b"HTTP/1.1 206 Partial Content\r\nContent-Type: multipart/byteranges; boundary=x\r\nContent-Range: bytes 0-1/9\r\nContent-Length: %d\r\n\r\n%b" % (len(parts), parts)
    r, seen = forward.exchange(pair, f"GET / HTTP/1.1\r\nHost: a\r\nRange: {ranges}\r\nIf-Range: x\r\n\r\n", answer)
    assert seen[1] == [("Range", ranges), ("If-Range", "x")]
    assert (r.status, r["content-range"], r.body) == (206, "bytes 0-1/9", parts)


def test_nothing_is_unpacked(pair: tuple[served.Server, forward.Upstream], server: served.Server) -> None:
    """A body in codings, be it a bomb or a thousand of them, is passed on as bytes; and a request says nothing of what is understood."""
    bomb = b"\x1f\x8b\x08\0\0\0\0\0\0\3" + b"\0" * 100
    codings = ", ".join(["gzip"] * 1000)
    r, seen = forward.exchange(pair, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nContent-Length: 110\r\n\r\n%b" % (codings.encode(), bomb))
    assert r["content-encoding"] == codings and r.body == bomb
    assert "accept-encoding" not in [name.lower() for name, _ in seen[1]]
    packed = served.get("/count", "Content-Encoding: gzip", f"Content-Length: {len(bomb)}", method="POST").encode() + bomb
    assert served.ask(server, packed).body == b"110 bytes\n"


# --- servers of HTTP/2 that flood the client --------------------------------------------------------------------------------


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


DATA, HEADERS, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = 0, 1, 3, 4, 5, 6, 7, 8, 9
OK_HEAD = b"\x88"  # :status 200
FIELD = b"\0\x03x-a" + b"\x7f\xe9\x05" + b"v" * 872  # a literal field that is not indexed


def flooding(first: bytes, again: bytes, last: bytes = b"", rounds: int = 2000) -> Callable[[Conn], None]:
    """After the request's head: some frames, others again and again until the client has had enough, and the last."""

    def serve(conn: Conn) -> None:
        conn.sock.sendall(frame(SETTINGS, 0, 0))
        while b"\0\0\0\1" not in conn.read[24:] or len(conn.read) < 80:
            if not conn.more():
                return
        conn.sock.settimeout(10)
        try:
            conn.sock.sendall(first)
            for _ in range(rounds):
                conn.sock.sendall(again * 16)
            conn.sock.sendall(last)
            conn.sock.shutdown(socket.SHUT_WR)
            while conn.more():
                conn.buffer = b""
        except OSError:
            pass

    return serve


HEAD = frame(HEADERS, 4, 1, OK_HEAD)
FLOODS: dict[str, tuple[bytes, bytes, bytes, tuple[str, ...]]] = {
    "continuations of a head": (frame(HEADERS, 0, 1, OK_HEAD), frame(CONTINUATION, 0, 1, FIELD * 4), b"", ("failed",)),
    "empty continuations": (frame(HEADERS, 0, 1, OK_HEAD), frame(CONTINUATION, 0, 1), b"", ("failed",)),
    "continuations of trailers": (HEAD, frame(HEADERS, 1, 1, b"") + frame(CONTINUATION, 0, 1, FIELD), b"", ("end",)),
    "heads of other streams": (b"", frame(HEADERS, 4, 3, OK_HEAD), b"", ("failed",)),
    "streams that are reset": (b"", frame(RST, 0, 1, b"\0\0\0\x08"), b"", ("failed",)),
    "resets of other streams": (HEAD, frame(RST, 0, 3, b"\0\0\0\x08"), frame(DATA, 1, 1, b"x"), ("end",)),
    "promises": (b"", frame(PUSH, 4, 1, b"\0\0\0\2" + b"\x82\x87\x84"), b"", ("failed",)),
    "informational heads": (b"", frame(HEADERS, 4, 1, b"\x08\x03103"), b"", ("failed",)),
    "settings": (HEAD, frame(SETTINGS, 0, 0), frame(DATA, 1, 1, b"x"), ("end",)),
    "many settings": (HEAD, frame(SETTINGS, 0, 0, b"\0\1\0\0\x10\0" * 500), frame(DATA, 1, 1, b"x"), ("end",)),
    "frames of no size": (frame(SETTINGS, 0, 0, b"\0\5\0\0\0\0"), b"", b"", ("failed",)),
    "pings": (HEAD, frame(PING, 0, 0, b"12345678"), frame(DATA, 1, 1, b"x"), ("end",)),
    "empty data": (HEAD, frame(DATA, 0, 1), frame(DATA, 1, 1, b"x"), ("end",)),
    "padded data": (HEAD, frame(DATA, 8, 1, b"\xff" + b"\0" * 255), b"", ("end",)),
    "windows": (HEAD, frame(WINDOW, 0, 0, b"\0\0\0\1"), frame(DATA, 1, 1, b"x"), ("end",)),
    "windows that overflow": (HEAD, frame(WINDOW, 0, 1, b"\x7f\xff\xff\xff"), b"", ("end",)),
    "unknown frames": (HEAD, frame(99, 0, 1, b"x" * 1000), frame(DATA, 1, 1, b"x"), ("end",)),
    "goodbyes": (HEAD, frame(GOAWAY, 0, 0, b"\0\0\0\1\0\0\0\0" + b"x" * 1000), b"", ("end",)),
}  # fmt: skip


@pytest.mark.timeout(180)
@pytest.mark.parametrize("what", FLOODS)
def test_a_flood_of_frames(probe: client.Probe, tls: client.Authorities, what: str) -> None:
    """The exchange ends, with an answer or an error, in bounded memory; the client has nothing left to do."""
    first, again, last, ends = FLOODS[what]
    peer = Server(flooding(first, again, last), tls.h2)
    with peer:
        said = probe.run(f"client {tls.ca}", client.h2_get(peer), "run 1", "rss", "wait 1", "read 1" if ends == ("end",) else "run 1", "rss", "idle", timeout=120)
    before, after = [int(line.split()[1]) for line in said.lines if line.startswith("rss")]
    assert said.all(ends[0]) or said.all("failed"), said.lines
    assert after - before < (60_000 if probe.sanitized else 8_000), (before, after)
    assert "idle yes" in said.lines


def test_streams_that_are_always_refused(probe: client.Probe, tls: client.Authorities) -> None:
    """REFUSED_STREAM for every stream: the request is given up after a few connections."""
    refusing = flooding(frame(RST, 0, 1, b"\0\0\0\x07"), b"", rounds=1)
    peer = Server(refusing, tls.h2)
    with peer:
        said = probe.run(f"client {tls.ca}", client.h2_get(peer), "wait 1", "idle")
    assert said.failed() and peer.connections < 10 and "idle yes" in said.lines


def test_informational_responses_have_a_limit(probe: client.Probe) -> None:
    for status in ("100 Continue", "103 Early Hints"):
        with Server(saying(f"HTTP/1.1 {status}\r\nX: y\r\n\r\n" * 5000)) as peer:
            said = probe.run(client.get(peer), "wait 1", "idle")
        assert said.failed() == "HTTP-protocol-error" and "idle yes" in said.lines
