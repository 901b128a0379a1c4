"""Good clients of `touchstone serve`, alone and beside clients that are slow, silent, gone or too many.

A good client is a process of its own that opens a connection, sends one request, reads the answer, and begins again a few milliseconds
later. The bad ones stay as long as it is measured. Everything is on the loopback, and bounded in number and in time.
In: a touchstone, the fixtures. Out: a table in Markdown: for each kind the good client's requests, p50, p99 and worst time, those that got
no answer within 5 s, and what the server had then: threads, memory, processor time.

Usage: bench/serve_hostile.py [--touchstone PATH] [--only KIND,…] [--scale X] [-- OPTION OF SERVE …]
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import re
import resource
import selectors
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 4.0
GIVE_UP = 5.0
PAUSE = 0.003
SETTLE = 2.0


@dataclass(frozen=True)
class Good:
    times_ms: Sequence[float]
    failed: int

    def at(self, part: float) -> float:
        return sorted(self.times_ms)[min(len(self.times_ms) - 1, int(len(self.times_ms) * part))] if self.times_ms else float("nan")


def get(path: str, *fields: str, method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: bench", *fields, "", ""]).encode()


def one(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=GIVE_UP) as c:
        c.settimeout(GIVE_UP)
        c.sendall(get("/hello", "Connection: close"))
        said = b""
        while piece := c.recv(4096):
            said += piece
        return said.startswith(b"HTTP/1.1 200 ") and said.endswith(b"hello\n")


def good_client(port: int, seconds: float, out: multiprocessing.Queue[Good]) -> None:
    times, failed, end = [], 0, time.monotonic() + seconds
    while time.monotonic() < end:
        begin = time.perf_counter()
        try:
            ok = one(port)
        except OSError:
            ok = False
        if ok:
            times.append((time.perf_counter() - begin) * 1000)
        else:
            failed += 1
        time.sleep(PAUSE)
    out.put(Good(times, failed))


class Server:
    def __init__(self, touchstone: Path, options: Sequence[str]) -> None:
        command = [str(touchstone), "serve", "--addr", "127.0.0.1:0", *options, str(ROOT / "fixtures/built/serve-routes.wasm")]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr
        self.port = 0
        while not self.port:
            line = self.process.stderr.readline()
            if not line:
                raise SystemExit("it does not serve")
            if found := re.search(r"Serving HTTP on http://[^/]*:(\d+)/", line):
                self.port = int(found[1])
        threading.Thread(target=self.read, args=[self.process.stderr], daemon=True).start()

    @staticmethod
    def read(lines: Iterator[str]) -> None:
        for _ in lines:
            pass

    def status(self, name: str) -> int:
        found = re.search(rf"^{name}:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text(), re.M)
        return int(found[1]) if found else 0

    def cpu(self) -> float:
        stat = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")

    def end(self) -> float:
        """Sends two signals. Returns the time from the second one to the end of the process."""
        self.process.send_signal(signal.SIGTERM)
        time.sleep(0.05)
        begin = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        finally:
            self.process.kill()
        return time.monotonic() - begin


# --- the bad ones ---------------------------------------------------------------------------------------------------------


def dial(port: int, receive: int = 0) -> socket.socket | None:
    c = socket.socket()
    try:
        if receive:
            c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        c.settimeout(0.5)
        c.connect(("127.0.0.1", port))
        c.setblocking(False)
    except OSError:
        c.close()
        return None
    return c


@contextmanager
def held(port: int, n: int, first: bytes, *, every: float = 3, write: bytes = b"", read: int = 0, receive: int = 0) -> Iterator[None]:
    """n connections that send `first`, then write or read some bytes every few seconds. Closed ones are reopened."""
    stop = threading.Event()
    ready = threading.Event()

    def fresh() -> socket.socket | None:
        c = dial(port, receive)
        if c and first:
            try:
                c.send(first)
            except OSError:
                c.close()
                return None
        return c

    def run() -> None:
        all_ = [fresh() for _ in range(n)]
        ready.set()
        while not stop.wait(every):
            for i, c in enumerate(all_):
                if stop.is_set():
                    break
                try:
                    if c and write:
                        c.send(write)
                    if c and read and c.recv(read) == b"":
                        raise ConnectionResetError
                except BlockingIOError:
                    pass
                except OSError:
                    if c:
                        c.close()
                    c = None
                all_[i] = c or fresh()
        for c in all_:
            if c:
                c.close()

    t = threading.Thread(target=run)
    t.start()
    ready.wait(120)
    try:
        yield
    finally:
        stop.set()
        t.join()


@contextmanager
def vanished(port: int, n: int) -> Iterator[None]:
    for _ in range(n):
        if c := dial(port):
            c.send(get("/sleep/60000"))
            c.close()
    yield


def flood(port: int, what: bytes, stop: float) -> None:
    open_: selectors.BaseSelector = selectors.DefaultSelector()
    while time.monotonic() < stop:
        for _ in range(20):
            if c := dial(port):
                with suppress(OSError):
                    c.send(what)
                open_.register(c, selectors.EVENT_READ)
        for key, _ in open_.select(0.005):
            assert isinstance(key.fileobj, socket.socket)
            open_.unregister(key.fileobj)
            key.fileobj.close()
        time.sleep(0.01)


@contextmanager
def flooding(port: int, what: bytes) -> Iterator[None]:
    p = multiprocessing.Process(target=flood, args=(port, what, time.monotonic() + SETTLE + 20 + SECONDS), daemon=True)
    p.start()
    try:
        yield
    finally:
        p.terminate()
        p.join()


@contextmanager
def nothing() -> Iterator[None]:
    yield


def kinds(port: int, scale: float) -> dict[str, Callable[[], object]]:
    def n(count: int) -> int:
        return max(1, int(count * scale))

    body = get("/count", "Content-Length: 100000", method="POST")
    return {
        "alone": nothing,
        "slow bodies": lambda: held(port, n(600), body, write=b"x"),
        "slow readers": lambda: held(port, n(600), get("/big/100000000"), read=1, receive=4096),
        "half-sent heads": lambda: held(port, n(2000), b"GET / HTTP/1.1\r\nHo"),
        "silent": lambda: held(port, n(10050), b""),
        "sleeping guests": lambda: held(port, n(4000), get("/sleep/60000")),
        "vanished": lambda: vanished(port, n(520)),
        "flood of connections": lambda: flooding(port, b""),
        "flood of nonsense": lambda: flooding(port, b"nonsense\r\n\r\n"),
        "flood of requests": lambda: flooding(port, get("/sleep/20")),
    }


def settle(server: Server) -> None:
    """The requests that came all at once have been begun: first come, first served, they would be measured instead."""
    time.sleep(SETTLE)
    for _ in range(40):
        before = server.cpu()
        time.sleep(0.5)
        if server.cpu() - before < 0.15:
            return


def measure(touchstone: Path, options: Sequence[str], kind: str, scale: float) -> str:
    server = Server(touchstone, options)
    try:
        one(server.port)
        with kinds(server.port, scale)[kind]():  # type: ignore[attr-defined]
            settle(server)
            out: multiprocessing.Queue[Good] = multiprocessing.Queue()
            before = server.cpu()
            p = multiprocessing.Process(target=good_client, args=(server.port, SECONDS, out))
            p.start()
            good = out.get(timeout=SECONDS + 4 * GIVE_UP)
            p.join()
            cpu, threads, memory = server.cpu() - before, server.status("Threads"), server.status("VmRSS") / 1024
    finally:
        ended = server.end()
    return (
        f"| {kind} | {len(good.times_ms)} | {good.at(0.5):.2f} | {good.at(0.99):.2f} | {good.at(1):.1f} | {good.failed} "
        f"| {threads} | {memory:.0f} | {cpu / SECONDS:.2f} | {ended:.2f} |"
    )


def main() -> None:
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--touchstone", type=Path, default=ROOT / "build/touchstone")
    a.add_argument("--only", default="")
    a.add_argument("--scale", type=float, default=1)
    a.add_argument("options", nargs="*", help="of serve, after --")
    given = a.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print("| beside | requests | p50 ms | p99 ms | worst ms | failed | threads | MiB | cores | ended after s |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for kind in kinds(0, 1):
        if not given.only or kind in given.only.split(","):
            print(measure(given.touchstone, given.options, kind, given.scale), flush=True)


if __name__ == "__main__":
    main()
