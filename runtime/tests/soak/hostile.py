"""Hostile clients: heads and bodies that never end, answers that nobody reads, connections that are reset, nonsense.

In: a Client. Out: the kinds HOSTILE. A round counts what the server may do as expected; what would harm others, such as
a whole answer to a malformed request, is a surprise.
"""

from __future__ import annotations

import socket
import time

from client import Client, Kind, Surprise, expect, reset
from http_wire import Reader, get


def rest_of(c: socket.socket, seconds: float = 30.0) -> bytes:
    """What still arrives until the server closes. Surprise: it does not."""
    got, end = bytearray(), time.monotonic() + seconds
    c.settimeout(1.0)
    while time.monotonic() < end:
        try:
            piece = c.recv(1 << 16)
        except TimeoutError:
            continue
        except OSError:
            return bytes(got)
        if not piece:
            return bytes(got)
        got += piece
    raise Surprise(f"the connection is still open after {seconds} s; last received: {bytes(got[-200:])!r}")


def refused(text: bytes, *statuses: int) -> None:
    """It is one response with one of the statuses, or nothing."""
    heads = text.count(b"HTTP/1.1 ")
    expect(not text or (heads == 1 and int(text[9:12]) in statuses), f"{text[:300]!r}")


def slow_heads(client: Client) -> int:
    """Half-sent heads, with another byte now and then, until the server gives up."""
    held = []
    for _ in range(20):
        held.append(client.dial())
        held[-1].sendall(b"GET /hello HTTP/1.1\r\nHost: he")
    for c in held:
        end = time.monotonic() + 15
        try:
            while time.monotonic() < end and not client.over:
                c.sendall(b"r")
                time.sleep(0.05)
                c.settimeout(0.01)
                if c.recv(1, socket.MSG_PEEK) is not None:
                    break
        except OSError:
            pass
    for c in held:
        try:
            refused(rest_of(c), 408)
        finally:
            c.close()
    return len(held)


def half_closed(client: Client) -> int:
    with client.dial() as c:
        c.sendall(get("/sleep/50").encode())
        c.shutdown(socket.SHUT_WR)
        r = Reader(c).response()
    expect((r.status, r.body) == (200, b"slept\n"), f"{r.status} {r.body!r}")
    return 1


def reset_in_upload(client: Client) -> int:
    for path in ("/count", "/echo", "/sleep/30"):
        c = client.dial()
        c.sendall(get(path, "Content-Length: 1000000", method="POST").encode() + bytes(client.random.randint(0, 100_000)))
        time.sleep(client.random.random() * 0.02)
        reset(c)
    return 3


def reset_in_download(client: Client) -> int:
    for _ in range(3):
        c = client.dial()
        c.sendall(get("/big/10000000").encode())
        c.recv(client.random.randint(1, 65536))
        reset(c)
    return 3


def left_alone(client: Client) -> int:
    """Clients that leave while their guests sleep."""
    for leave in (socket.socket.close, reset):
        for _ in range(5):
            c = client.dial()
            c.sendall(get("/sleep/600000").encode())
            time.sleep(0.01)
            leave(c)
    return 10


def many_fields(client: Client) -> int:
    """Far more than --max-head."""
    with client.dial() as c:
        try:
            c.sendall(get("/hello", *(f"X-{i}: {'y' * 50}" for i in range(5000))).encode())
        except OSError:
            return 1  # the server has answered and closed
        refused(rest_of(c), 431)
    return 1


def long_line(client: Client) -> int:
    with client.dial() as c:
        try:
            c.sendall(get("/" + "x" * 300_000).encode())
        except OSError:
            return 1
        refused(rest_of(c), 414, 431)
    return 1


def garbage(client: Client) -> int:
    for text in (client.random.randbytes(client.random.randint(1, 5000)), b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + client.random.randbytes(500),
                 b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\r\n" * 2000, b"GET\x00/hello HTTP/1.1\r\n\r\n"):  # fmt: skip
        with client.dial() as c:
            try:
                c.sendall(text)
                c.shutdown(socket.SHUT_WR)
            except OSError:
                continue
            refused(rest_of(c), 400, 408, 414, 431, 501, 505)
    return 5


SMUGGLED = get("/trap")
SHAPES = [
    get("/count", "Content-Length: 5", "Transfer-Encoding: chunked", method="POST") + "0\r\n\r\n",
    get("/count", "Content-Length: 5", "Content-Length: 6", method="POST") + "12345",
    get("/count", "Content-Length: +5", method="POST") + "12345",
    get("/count", "Content-Length: 5, 5 ", "Content-Length: 7", method="POST") + "12345",
    get("/count", "Content-Length : 5", method="POST") + "12345",
    get("/count", "Transfer-Encoding: chunked, identity", method="POST") + "0\r\n\r\n",
    get("/count", "Transfer-Encoding: xchunked", method="POST") + "0\r\n\r\n",
    get("/count", "Transfer-Encoding:\x0bchunked", method="POST") + "0\r\n\r\n",
    get("/count", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked", method="POST") + "0\r\n\r\n",
    get("/hello", "X: 1\r\n folded: 2"),
    get("/hello", "X: 1\rY: 2"),
    get("/hello", "Host: there"),
    "GET /hello HTTP/1.1\nHost: here\n\n",
    "GET  /hello HTTP/1.1\r\nHost: here\r\n\r\n",
]


def smuggling(client: Client) -> int:
    """Two requests in one if read in another way: one refusal, and the second is never answered."""
    for shape in SHAPES:
        with client.dial() as c:
            c.sendall((shape + SMUGGLED).encode("latin-1"))
            text = rest_of(c)
            expect(bool(text), f"no answer to {shape!r}")
            refused(text, 400, 501)
    return len(SHAPES)


def bad_chunks(client: Client) -> int:
    """A body that breaks in the middle: the guest's stream fails, and no request follows on the connection."""
    for bad in ("0x5\r\nabcde\r\n0\r\n\r\n", "5;\x00\r\nabcde\r\n0\r\n\r\n", "-1\r\n\r\n", "fffffffffffffffff\r\nx", "5\r\nabcdeXX0\r\n\r\n"):
        with client.dial() as c:
            c.sendall((get("/count", "Transfer-Encoding: chunked", method="POST") + "3\r\nabc\r\n" + bad + SMUGGLED).encode())
            text = rest_of(c)
            expect(text.count(b"HTTP/1.1 ") - text.count(b"HTTP/1.1 100 ") <= 1, f"{bad!r}: {text!r}")
            expect(b" 200 OK" not in text or b"failed" in text, f"{bad!r}: {text!r}")
    return 5


def never_reads(client: Client) -> int:
    held = [client.dial(receive=4096) for _ in range(10)]
    for c in held:
        c.sendall(get("/big/100000000").encode())
    client.wait(5)
    for c in held:
        try:
            got = 0
            c.settimeout(20)
            while piece := c.recv(1 << 16):
                got += len(piece)
                expect(got < 90_000_000, "a response that was not read for longer than --stall-timeout goes on")
                if client.over:
                    break
        except ConnectionResetError:
            pass
        finally:
            c.close()
    return len(held)


def slow_body(client: Client) -> int:
    """Slower than --stall-timeout allows."""
    with client.dial() as c:
        c.sendall(get("/count", "Content-Length: 100000", method="POST").encode() + b"x")
        text = rest_of(c)
        expect(b" 200 OK" not in text or b"failed" in text, f"{text!r}")
    return 1


def idle(client: Client) -> int:
    """Hundreds of connections without a request, closed by the server in time."""
    held = [client.dial() for _ in range(300)]
    client.wait(8)
    try:
        if not client.over:
            for c in held:
                refused(rest_of(c), 408)
    finally:
        for c in held:
            c.close()
    return len(held)


def flood(client: Client) -> int:
    """Connections that are opened and closed, with and without a word."""
    for i in range(100):
        c = client.dial()
        if i % 3:
            c.sendall(get("/hello").encode() if i % 3 == 1 else b"GET /")
        reset(c) if i % 2 else c.close()
    return 100


HOSTILE = [
    Kind("slow heads", "hostile", slow_heads, 1, 0.5),
    Kind("half closed", "hostile", half_closed, 1, 0.1),
    Kind("reset in upload", "hostile", reset_in_upload, 1, 0.1),
    Kind("reset in download", "hostile", reset_in_download, 1, 0.1),
    Kind("leaves a sleeping guest", "hostile", left_alone, 1, 0.3),
    Kind("far too many fields", "hostile", many_fields, 1, 0.2),
    Kind("long request line", "hostile", long_line, 1, 0.2),
    Kind("garbage", "hostile", garbage, 1, 0.2),
    Kind("smuggling", "hostile", smuggling, 1, 0.3),
    Kind("bad chunks", "hostile", bad_chunks, 1, 0.2),
    Kind("never reads", "hostile", never_reads, 1, 1.0),
    Kind("slow body", "hostile", slow_body, 2, 0.5),
    Kind("idle", "hostile", idle, 1, 0.5),
    Kind("connection flood", "hostile", flood, 1, 0.3),
]
