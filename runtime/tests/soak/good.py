"""Good clients: each request is well formed and has one right answer, also if its guest fails.

In: a Client. Out: the kinds GOOD (guests that work) and GUESTS (guests that trap, hang, leak, flood).
"""

from __future__ import annotations

import selectors
import socket

from client import Client, Kind, Surprise, expect
from http_wire import Reader, Response, get

BATCH = 32


def is_hello(r: Response) -> None:
    expect((r.status, r.body, r.whole) == (200, b"hello\n", True), f"{r.status} {r.body!r} whole {r.whole}")


def keep_alive(client: Client) -> int:
    with client.dial() as c:
        reader, n = Reader(c), 0
        for _ in range(100):
            if client.over:
                break
            client.take_turn(1)
            with client.timed():
                c.sendall(get("/hello").encode())
                is_hello(reader.response())
            n += 1
        return n


def pipelined(client: Client) -> int:
    batch = (get("/hello") * BATCH).encode()
    with client.dial() as c:
        reader, n = Reader(c), 0
        for _ in range(40):
            if client.over:
                break
            client.take_turn(BATCH)
            c.sendall(batch)
            for _ in range(BATCH):
                is_hello(reader.response())
            n += BATCH
        return n


def new_connection(client: Client) -> int:
    for _ in range(20):
        client.take_turn(1)
        with client.timed():
            is_hello(client.ask(get("/hello", "Connection: close")))
    return 20


def old_version(client: Client) -> int:
    r = client.ask(get("/hello", version="1.0"))
    is_hello(r)
    expect((r["transfer-encoding"] or "") == "", "a chunked response of HTTP/1.0")
    return 1


def chunked_echo(client: Client) -> int:
    pieces = [client.random.randbytes(client.random.randint(1, 8000)) for _ in range(client.random.randint(1, 8))]
    framed = b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in pieces)
    with client.timed():
        r = client.ask(get("/echo", "Transfer-Encoding: chunked", method="POST").encode() + framed + b"0\r\nX-Sum: 7\r\n\r\n")
    expect(r.status == 200 and r.whole and r.body == b"".join(pieces), f"{r.status}, {len(r.body)} bytes, whole {r.whole}")
    expect([(name.lower(), value) for name, value in r.trailers] == [("x-sum", "7")], f"trailers {r.trailers}")
    return 1


def upload(client: Client) -> int:
    size = client.random.randint(1, 1 << 21)
    with client.dial() as c:
        c.sendall(get("/count", f"Content-Length: {size}", method="POST").encode())
        for at in range(0, size, 1 << 16):
            c.sendall(bytes(min(1 << 16, size - at)))
        r = Reader(c).response()
    expect((r.status, r.body) == (200, b"%d bytes\n" % size), f"{r.status} {r.body!r} for {size} bytes")
    return 1


def download(client: Client) -> int:
    size = client.random.randint(1, 1 << 21)
    r = client.ask(get(f"/big/{size}"))
    expect(r.status == 200 and r.whole and len(r.body) == size, f"{r.status}, {len(r.body)} of {size} bytes, whole {r.whole}")
    return 1


def both_ways(client: Client) -> int:
    """A large body that is sent and received at the same time: the server keeps little of it."""
    body = client.random.randbytes(1 << 16) * 8
    to_send = memoryview(get("/echo", f"Content-Length: {len(body)}", method="POST").encode() + body)
    got = bytearray()
    with client.dial() as c, selectors.DefaultSelector() as selector:
        c.setblocking(False)
        selector.register(c, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while b"\r\n0\r\n" not in got[-64:]:
            ready = selector.select(60)
            expect(bool(ready), f"nothing moves, {len(to_send)} bytes unsent, {len(got)} received")
            if ready[0][1] & selectors.EVENT_WRITE:
                to_send = to_send[c.send(to_send[: 1 << 16]) :]
                if not to_send:
                    selector.modify(c, selectors.EVENT_READ)
            if ready[0][1] & selectors.EVENT_READ:
                piece = c.recv(1 << 17)
                expect(bool(piece), f"the connection ends after {len(got)} bytes")
                got += piece
    r = Reader(Held(bytes(got))).response()  # type: ignore[arg-type]
    expect(r.status == 200 and r.body == body, f"{r.status}, {len(r.body)} of {len(body)} bytes")
    return 1


class Held:
    """Bytes that were received before, as a connection."""

    def __init__(self, held: bytes) -> None:
        self.held = held

    def recv(self, n: int) -> bytes:
        piece, self.held = self.held[:n], self.held[n:]
        return piece


def streamed(client: Client) -> int:
    r = client.ask(get("/ticks"))
    expect(r.status == 200 and r.body == b"tick\n" * 5, f"{r.status} {r.body!r}")
    return 1


def asleep(client: Client) -> int:
    with client.timed():
        r = client.ask(get("/sleep/20"))
    expect((r.status, r.body) == (200, b"slept\n"), f"{r.status} {r.body!r}")
    return 1


def told(client: Client) -> int:
    fields = [f"X-{i}: {client.random.getrandbits(64)}" for i in range(client.random.randint(1, 60))]
    r = client.ask(get("/tell/there?q=1", *fields, method="PUT"))
    lines = r.body.decode().splitlines()
    expect(r.status == 200 and lines[:2] == ["method put", "path /tell/there?q=1"], f"{r.status} {lines[:2]}")
    expect(all(f.replace(": ", "=") in lines for f in fields), f"fields are missing: {lines}")
    return 1


def head(client: Client) -> int:
    with client.dial() as c:
        reader = Reader(c)
        c.sendall((get("/hello", method="HEAD") + get("/empty") + get("/trailers")).encode())
        first, second, third = reader.response(head=True), reader.response(), reader.response()
    expect([first.status, second.status, third.status] == [200, 200, 200], f"{first} {second} {third}")
    expect((first.body, second.body, third.body) == (b"", b"", b"body\n"), f"{first} {second} {third}")
    return 3


def expecting(client: Client) -> int:
    with client.dial() as c:
        c.sendall(get("/count", "Content-Length: 5", "Expect: 100-continue", method="POST").encode())
        first = c.recv(25, socket.MSG_PEEK)
        expect(first.startswith(b"HTTP/1.1 100 "), f"{first!r} instead of 100 (Continue)")
        c.sendall(b"12345")
        r = Reader(c).response()
    expect((r.status, r.body) == (200, b"5 bytes\n"), f"{r.status} {r.body!r}")
    return 1


def statuses(path: str, *allowed: int, cut: bool = False) -> Kind:
    """A guest that fails: the statuses that are right, and whether the response may be cut."""

    def round_(client: Client) -> int:
        try:
            r = client.ask(get(path))
        except EOFError as e:
            if cut and not e.args[0]:
                return 1
            raise
        fits = r.status in allowed and (r.whole or cut)
        if not fits and not (cut and r.status == 200 and not r.whole):
            raise Surprise(f"{path}: {r.status} {r.body[:80]!r} whole {r.whole}")
        return 1

    pause = {"/spin": 20.0, "/leak/100000": 0.5, "/flood/500": 0.1, "/recurse": 0.2}.get(path, 0.05)
    return Kind(f"guest {path}", "guest", round_, 1, pause)


GOOD = [
    Kind("pipelined", "good", pipelined, 2),
    Kind("keep-alive", "good", keep_alive, 2),
    Kind("new connection", "good", new_connection, 1, 0.02),
    Kind("HTTP/1.0", "good", old_version, 1, 0.05),
    Kind("chunked echo", "good", chunked_echo, 2, 0.02),
    Kind("upload", "good", upload, 1, 0.1),
    Kind("download", "good", download, 1, 0.1),
    Kind("both ways at once", "good", both_ways, 1, 0.2),
    Kind("streamed", "good", streamed, 2),
    Kind("sleeping guest", "good", asleep, 4),
    Kind("many fields", "good", told, 1, 0.05),
    Kind("HEAD, empty, trailers", "good", head, 1, 0.05),
    Kind("100-continue", "good", expecting, 1, 0.05),
]
"""`--reuse` servers too: whatever an instance did before, the answer is the same."""

GUESTS = [
    statuses("/trap", 500),
    statuses("/held-trap", 500, cut=True),
    statuses("/late-trap", 500, cut=True),
    statuses("/done-trap", 200, 500, cut=True),
    statuses("/unfinished", 500, cut=True),
    statuses("/length/3", 500, cut=True),
    statuses("/none", 500),
    statuses("/error", 500, 502, 508),
    statuses("/exit", 500),
    statuses("/spin", 500),
    statuses("/recurse", 500),
    statuses("/leak/20", 200, 500),
    statuses("/leak/100000", 500),
    statuses("/flood/500", 200),
]
