"""The scenarios of `serve`: a server is asked a handful of requests while one of its calls fails.

In: as in scenarios.py. Out: SERVING. A request has its right answer, a status from 500 on, or a connection that ends
before the answer does; afterwards the server answers rightly again, and SIGTERM ends it.
"""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "outside"))
from http_wire import Reader, Response, get
from scenarios import BUILT, CHECKED, LIMIT, PLAIN, Ending, Scenario

PATIENCE = 12.0  # seconds for a response; all limits of the server are below
LIMITS = [
    *("--head-timeout", "3s", "--idle-timeout", "4s", "--stall-timeout", "3s", "--request-timeout", "6s", "--queue-timeout", "3s"),
    *("--grace", "2s", "--max-time", "5s"),
]
ROUTES = str(BUILT / "serve-routes.wasm")
REQUESTS: list[tuple[str, bytes, int, bytes | None]] = [
    ("hello", get("/hello").encode(), 200, b"hello\n"),
    ("echo", get("/echo", "Transfer-Encoding: chunked", method="POST").encode() + b"6\r\nchunks\r\n4\r\nmore\r\n0\r\n\r\n", 200, b"chunksmore"),
    ("count", get("/count", "Content-Length: 100000", method="POST").encode() + bytes(100000), 200, b"100000 bytes\n"),
    ("big", get("/big/300000").encode(), 200, b"x" * 300000),
    ("sleep", get("/sleep/5").encode(), 200, b"slept\n"),
    ("trap", get("/trap").encode(), 500, None),
    ("print", get("/print").encode(), 200, b"ok\n"),
    ("malformed", b"GET / HTTP/1.1\r\nHost: here\r\nContent-Length: x\r\n\r\n", 400, None),
]


def judge(name: str, r: Response, status: int, body: bytes | None, no_memory: bool = False) -> str:
    if not r.whole:
        return ""
    if r.status == status and (body is None or r.body == body):
        return ""
    # what the guest was told about a failed body is right too
    if name == "count" and re.fullmatch(rb"\d+ bytes, failed\n", r.body):
        return ""
    # and this guest ends its answer where the body failed, for which the server had no memory
    if name == "echo" and no_memory and r.status == status and body and body.startswith(r.body):
        return ""
    return "" if r.status >= 500 or r.status in (400, 408) else f"{name}: {r.status} {r.body[:80]!r}"


def one(port: int, no_memory: bool, name: str, text: bytes, status: int, body: bytes | None) -> str:
    """What is wrong about the answer."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as c:
            c.sendall(text)
            return judge(name, Reader(c).response(), status, body, no_memory)
    except TimeoutError:
        return f"{name}: no answer within {PATIENCE} s"
    except (EOFError, OSError):
        return ""


def same_connection(port: int) -> str:
    """Three requests at once."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as c:
            c.sendall((get("/hello") * 3).encode())
            reader = Reader(c)
            for _ in range(3):
                if wrong := judge("pipelined", reader.response(), 200, b"hello\n"):
                    return wrong
    except TimeoutError:
        return f"pipelined: no answer within {PATIENCE} s"
    except (EOFError, OSError):
        pass
    return ""


def alive(port: int) -> str:
    """The fault is over: the server is as before."""
    for _ in range(5):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as c:
                c.sendall(get("/hello").encode())
                r = Reader(c).response()
            if (r.status, r.body, r.whole) == (200, b"hello\n", True):
                return ""
        except (EOFError, OSError):
            pass
        time.sleep(0.05)
    return "the server does not answer any more"


def port_of(p: subprocess.Popen[bytes], log: Path) -> int:
    """0: it has ended."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        if found := re.search(r"Serving HTTP on http://127\.0\.0\.1:(\d+)/", log.read_text(errors="replace")):
            return int(found[1])
        if p.poll() is not None:
            return 0
        time.sleep(0.005)
    return 0


def talk(p: subprocess.Popen[bytes], port: int, no_memory: bool) -> str:
    """Returns what is wrong. A server that ended has said why, which others judge."""
    wrong = [one(port, no_memory, *request) for request in REQUESTS]
    wrong.append(same_connection(port))
    if p.poll() is None:
        wrong.append(alive(port))
    else:
        wrong.append(f"the server ended with {p.returncode} while it was asked")
    return "; ".join(w for w in wrong if w)


def serve(scenario: Scenario, folder: Path, env: Mapping[str, str]) -> Ending:
    log = folder / "log"
    with log.open("wb") as file:
        p = subprocess.Popen(scenario.words(folder), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=file, env=dict(env), cwd=folder)
    wrong, status = "", None
    try:
        if port := port_of(p, log):
            wrong = talk(p, port, env.get("TS_INJECT", "").startswith("memory "))
            if p.poll() is None:
                p.send_signal(signal.SIGTERM)
        status = p.wait(LIMIT)
    except subprocess.TimeoutExpired:
        pass
    finally:
        if p.poll() is None:
            p.kill()
            p.wait()
    return Ending(status, b"", log.read_text(errors="replace"), wrong)


def serving(name: str, *options: str, program: Path = CHECKED) -> Scenario:
    return Scenario(name, program, ("serve", "--addr", "127.0.0.1:0", *LIMITS, *options, ROUTES), out=b"", play=serve)


SERVING = [
    serving("serve"),
    serving("serve-reuse", "--reuse", "5", "--log", "--cache", "{d}/cache"),
    serving("serve-compiled", "--engine", "compiled-at-once", "--threads", "1", program=PLAIN),
]
