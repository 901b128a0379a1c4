"""A client of a soak: threads that play one round of a kind after the other, until they are told to pause or to stop.

In: kinds (clients.Kind), servers' ports, a tally. Out: the tally. `run` is a process of its own.
"""

from __future__ import annotations

import random
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Event

from http_wire import Reader, Response
from tally import Tally

PATIENCE = 60.0  # seconds: a client that waits for longer counts its request as unexpected


class Surprise(Exception):
    """The server did something else than what is expected."""


class Pace:
    """Spreads the requests of all threads of a process over time: at most `rate` a second, first come, first served."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.lock = threading.Lock()
        self.free = 0.0  # when the next request may begin

    def book(self, n: int, now: float) -> float:
        """Books the time of n requests. Returns when they may begin: time that nobody used is not made up for."""
        with self.lock:
            begin = max(self.free, now)
            self.free = begin + n / self.rate
            return begin


@dataclass
class Client:
    """What a round has: a server's port, its random numbers, and the clock of its kind."""

    kind: str
    ports: Sequence[int]
    tally: Tally
    pause: Event
    stop: Event
    random: random.Random
    turn: int = 0
    pace: Pace | None = None
    paced: int = 0  # requests of the round that have waited for their time

    @property
    def over(self) -> bool:
        return self.pause.is_set() or self.stop.is_set()

    def wait(self, seconds: float) -> None:
        """Sleeps, but not into a pause."""
        end = time.monotonic() + seconds
        while not self.over and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))

    def take_turn(self, n: int) -> None:
        """Waits until n more requests of the round may be sent."""
        self.paced += n
        if self.pace and n > 0:
            now = time.monotonic()
            self.wait(self.pace.book(n, now) - now)

    def dial(self, receive: int = 0) -> socket.socket:
        """A connection to one of the servers, in turn. `receive`: bytes of the kernel's buffer."""
        self.turn += 1
        c = socket.socket()
        try:
            if receive:
                c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
            c.settimeout(PATIENCE)
            c.connect(("127.0.0.1", self.ports[self.turn % len(self.ports)]))
        except OSError:
            c.close()
            raise
        return c

    @contextmanager
    def timed(self) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        self.tally.time(self.kind, time.perf_counter() - begin)

    def ask(self, text: str | bytes, head: bool = False) -> Response:
        """One request on a connection of its own."""
        with self.dial() as c:
            c.sendall(text.encode("latin-1") if isinstance(text, str) else text)
            return Reader(c).response(head)


def reset(c: socket.socket) -> None:
    """Closes with RST."""
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.close()


def expect(condition: bool, what: object) -> None:
    if not condition:
        raise Surprise(str(what))


@dataclass(frozen=True)
class Kind:
    """`round` plays one round and returns how many requests were answered as expected; any exception is a surprise.

    A round of many requests calls `take_turn` before it sends some; the others take their turns after the round.
    """

    name: str
    group: str  # "good", "guest" (good clients of guests that fail), "hostile"
    round: Callable[[Client], int]
    threads: int = 1
    pause: float = 0.0  # seconds between two rounds


def play(kind: Kind, client: Client) -> None:
    while not client.stop.is_set():
        if client.pause.is_set():
            time.sleep(0.05)
            continue
        client.tally.begin()
        client.paced = n = 0
        try:
            n = kind.round(client)
            client.tally.add(kind.name, n)
        except (Surprise, OSError, EOFError, ValueError, AssertionError) as e:
            client.tally.surprise(kind.name, f"{type(e).__name__}: {e}")
            time.sleep(0.2)
        finally:
            client.tally.end()
        client.take_turn(n - client.paced)
        client.wait(kind.pause)


def run(process: int, kinds: Sequence[Kind], ports: Sequence[int], tally: Tally, pause: Event, stop: Event, seed: int, rate: float = 0) -> None:
    """The body of a process. Ctrl-C reaches the parent alone, which then sets `stop`. `rate`: requests a second; 0: no limit."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tally.process = process
    threads = []
    pace = Pace(rate) if rate else None
    for number, kind in enumerate(k for k in kinds for _ in range(k.threads)):
        mine = Client(kind.name, ports, tally, pause, stop, random.Random(f"{seed} {process} {number}"), turn=number, pace=pace)
        threads.append(threading.Thread(target=play, args=(kind, mine), daemon=True))
    for t in threads:
        t.start()
    for t in threads:
        t.join()
