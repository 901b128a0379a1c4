"""The other side of HTTP: servers that a guest's requests meet, and a client that talks to a served component.

In: what a case says that they do. Out: what came from the guest's side, byte for byte. Loopback only, ports that the system
picks; every wait has an end, and closing ends every thread.
"""

from __future__ import annotations

import contextlib
import functools
import re
import select
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..model import Answer, Case, ClientSpec, Exchange, Inexpressible, ServerSpec, Step
from ..model.wire import answered, first, requests_in

LIMIT = 4 << 20
CONNECTIONS = 500
"""So many connections a server takes; others are closed at once."""
KEPT = 32 << 20
"""So much of what it hears a server keeps, bytes."""
PATIENCE = 30.0
"""How long a server waits for what does not come, seconds."""
DRAIN = 10.0
"""How long the end of a run waits for its threads to read what has arrived, seconds."""

LINGER = 0.15
"""How long a client looks whether the server closes a connection that it may keep, seconds."""
CLOSING = 3.0
"""… and one of which a side has said that it ends."""
_CLOSE = re.compile(rb"^connection:[^\r\n]*\bclose\b", re.MULTILINE | re.IGNORECASE)

TLS = "TLS"
"""The path that stands for a client that begins as TLS does."""
_NO_TLS = (Step(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),)


class _Connection:
    """A socket, what was read from it, and how it ended. `over`: the run has ended, so nothing is waited for any more; what
    had arrived until then is still read."""

    def __init__(self, sock: socket.socket, over: threading.Event, number: int = 0) -> None:
        self.sock, self.over, self.number = sock, over, number
        self.data = bytearray()
        self.taken = 0  # so much of it belongs to requests that are over
        self.ended = "open"
        sock.settimeout(0.1)

    def more(self, deadline: float) -> bool:
        """One piece more; False at the end, when the time is over, or when the run is over and nothing more has arrived."""
        while self.ended == "open":
            over = self.over.is_set()  # asked before the read: what arrived before the end is read after it
            try:
                piece = self.sock.recv(1 << 16)
            except TimeoutError:
                if over or time.monotonic() >= deadline:
                    return False
                continue
            except ConnectionResetError:
                self.ended = "reset"
                return False
            except (OSError, ValueError):  # also a TLS that is none, and a socket that was closed under us
                self.ended = "closed"
                return False
            if not piece or len(self.data) > LIMIT:
                self.ended = "closed"
                return False
            self.data += piece
            return True
        return False

    def say(self, data: bytes, deadline: float) -> bool:
        view = memoryview(data)
        while view:
            try:
                view = view[self.sock.send(view[: 1 << 16]) :]
            except TimeoutError:
                if self.over.is_set() or time.monotonic() >= deadline:
                    return False
            except ConnectionResetError:
                self.ended = "reset"
                return False
            except (OSError, ValueError):
                return False
        return True

    def follow(self, steps: Sequence[Step], deadline: float, start: int = 0, reading: bool = False) -> bool:
        """Do the steps; with `reading`, read what comes while pausing."""
        for step in steps:
            if step.until:
                pattern = re.compile(step.until.encode("latin-1"), re.MULTILINE | re.DOTALL)
                while not pattern.search(self.data, start):
                    if not self.more(deadline):
                        return False
            elif step.pause:
                end = min(deadline, time.monotonic() + step.pause)
                if reading:
                    while self.more(end):
                        pass
                self.over.wait(max(0.0, end - time.monotonic()))
            elif not self.say(step.data * step.times, deadline):
                return False
        return True

    def close(self) -> None:
        """Close it so that the other side sees the end of the stream first. A socket that is closed while bytes are unread
        resets the connection instead, and whether some are unread depends on who was faster."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)
        self.sock.close()

    def reset(self) -> None:
        with contextlib.suppress(OSError):
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class Server:
    """One server of a case: a thread for the listener, and one for each connection."""

    def __init__(self, spec: ServerSpec) -> None:
        self.spec = spec
        self.exchanges: list[tuple[int, Exchange]] = []  # each with the number of its connection
        self.connections = 0
        self.failures: list[Exception] = []
        self._kept = 0
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self._waiting: list[socket.socket] = []
        self._context = _tls() if spec.kind == "tls" else None
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        if spec.kind == "refusing":
            return  # bound and not listening: the port is nobody else's, and refuses
        self._listener.listen(0 if spec.kind == "deaf" else 128)
        if spec.kind == "deaf":
            self._fill()
        else:
            self._listener.settimeout(0.1)
            self._start(self._accept)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def close(self) -> tuple[Exchange, ...]:
        """End it; what was asked of it, in the order of the connections. Those that the listener still holds are accepted,
        and what has arrived on any is read: a run's last words count however busy this machine is."""
        self._over.set()
        self._join(DRAIN)
        self._listener.close()
        with self._lock:
            for sock in self._open:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        self._join(DRAIN)
        for sock in self._waiting:
            sock.close()
        if self.failures:
            raise self.failures[0]
        with self._lock:
            count = Exchange(f"{self.spec.name} connections", str(self.connections).encode(), "closed")
            ordered = sorted(self.exchanges, key=lambda item: item[0])
            return (*(exchange for _, exchange in ordered), count)

    def _join(self, seconds: float) -> None:
        """Wait for all threads, also for those that the listener's starts meanwhile: it is the first in the list."""
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _start(self, target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)  # type: ignore[arg-type]
        thread.start()
        self._threads.append(thread)  # one that is started can be joined

    def _fill(self) -> None:
        """Connections of our own until the queue takes no more: whoever comes then waits."""
        for _ in range(16):
            sock = socket.socket()
            self._waiting.append(sock)
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", self.port))
            if not select.select([], [sock], [], 0.2)[1]:
                return

    def _accept(self) -> None:
        while True:
            over = self._over.is_set()  # asked before: who connected before the end is accepted after it
            try:
                sock, _ = self._listener.accept()
            except TimeoutError:
                if over:
                    return
                continue
            except OSError:
                return
            with self._lock:
                self.connections += 1
                number = self.connections
            if number > CONNECTIONS:
                sock.close()
                continue
            with self._lock:
                self._open.add(sock)
            self._start(self._guarded, sock, number)

    def _guarded(self, sock: socket.socket, number: int) -> None:
        """A fault of the server's own is the harness's, and `close` says so."""
        try:
            self._serve(sock, number)
        except Exception as error:
            self.failures.append(error)

    def _serve(self, sock: socket.socket, number: int) -> None:
        plain = sock
        try:
            if self._context is not None:
                sock.settimeout(PATIENCE)
                sock = self._context.wrap_socket(sock, server_side=True)
            connection = _Connection(sock, self._over, number)
            while self._one(connection):
                pass
            connection.close()
        except (OSError, ValueError):
            pass
        finally:
            with self._lock:
                self._open.discard(plain)
            sock.close()

    def _one(self, connection: _Connection) -> bool:
        """One request and its answer; whether the connection may have another."""
        start = connection.taken
        deadline = time.monotonic() + PATIENCE
        while b"\r\n\r\n" not in connection.data[start:]:
            if connection.data[start : start + 1] == b"\x16":  # the hello of TLS: as servers do, at once
                answer = self._answer(TLS)
                connection.follow(answer.steps if answer is not None else _NO_TLS, deadline, start)
                return False
            if not connection.more(deadline):
                if len(connection.data) > start:
                    self._record("?", connection, start)
                return False
        target = connection.data[start:].split(b"\r\n", 1)[0].split(b" ")
        path = target[1].decode("latin-1") if len(target) > 1 else "?"
        answer = self._answer(path)
        if answer is None:
            answer = Answer(path, (Step(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),), "head", "close")
        if answer.read == "all":
            while not self._whole(connection, start) and connection.more(deadline):
                pass
        alive = connection.ended == "open" and connection.follow(answer.steps, deadline, start)
        if answer.then == "reset":
            self._record(path, connection, start)
            connection.reset()
            return False
        if answer.then == "hold" or answer.read == "head":
            while not (answer.then == "keep" and self._whole(connection, start)):
                if answer.then == "close" or not connection.more(deadline):
                    break
        self._record(path, connection, start)
        return alive and answer.then == "keep" and connection.ended == "open"

    def _answer(self, path: str) -> Answer | None:
        return next((item for item in self.spec.answers if item.path == path), None)

    def _whole(self, connection: _Connection, start: int) -> bool:
        """Whether the request that begins there is whole; what follows it is another."""
        message, rest = first(bytes(connection.data[start:]))
        connection.taken = len(connection.data) - len(rest)
        return message.whole

    def _record(self, path: str, connection: _Connection, start: int) -> None:
        self._whole(connection, start)
        with self._lock:
            data = bytes(connection.data[start : connection.taken])[: max(0, KEPT - self._kept)]
            self._kept += len(data)
            self.exchanges.append((connection.number, Exchange(path, data, connection.ended)))


class Client:
    """The clients of a case, one after another, once the server that they talk to says where it listens."""

    def __init__(self, specs: Sequence[ClientSpec], listening: str) -> None:
        self.specs = specs
        self.exchanges: list[Exchange] = []
        self._listening = re.compile(listening.encode(), re.MULTILINE)
        self.failure: Exception | None = None
        self.port = 0
        self._thread: threading.Thread | None = None
        self._over = threading.Event()

    def look(self, stdout: bytearray, stderr: bytearray) -> bool:
        """Begins when the server listens; True when all is said and heard."""
        if self._thread is None:
            found = self._listening.search(stderr) or self._listening.search(stdout)
            if found is None:
                return False
            self.port = int(found[1])
            self._thread = threading.Thread(target=self._run, args=(self.port,), daemon=True)
            self._thread.start()
        return not self._thread.is_alive()

    def close(self) -> tuple[Exchange, ...]:
        self._over.set()
        if self._thread is not None:
            self._thread.join(PATIENCE)
        if self.failure is not None:
            raise self.failure
        return tuple(self.exchanges)

    def _run(self, port: int) -> None:
        try:
            for spec in self.specs:
                if self._over.is_set():
                    return
                self.exchanges.append(talk(spec, port, self._over))
        except Exception as error:  # a fault of the client's own is the harness's, and `close` says so
            self.failure = error


def talk(spec: ClientSpec, port: int, over: threading.Event | None = None) -> Exchange:
    """One connection of a client, from its first word to its end."""
    said = b"".join(step.data for step in spec.steps)
    methods = requests_in(said) or ("GET",)
    deadline = time.monotonic() + spec.within
    sock = _connect(port, deadline)
    if sock is None:
        return Exchange(spec.name, b"", "closed", methods)
    over = over or threading.Event()
    with sock:
        connection = _Connection(sock, over)
        connection.follow(spec.steps, deadline, reading=True)
        if spec.then == "reset":
            connection.reset()
        elif spec.then != "close":
            while not (spec.then == "answer" and answered(Exchange("", bytes(connection.data), "open", methods))):
                if not connection.more(min(deadline, time.monotonic() + 0.2)) and (
                    connection.ended != "open" or over.is_set() or time.monotonic() >= deadline
                ):
                    break
            # Whether it is closed now is part of the answer; where one side has said so, the end is waited for.
            wait = CLOSING if _CLOSE.search(said) or _CLOSE.search(connection.data) else LINGER
            while spec.then == "answer" and connection.more(min(deadline, time.monotonic() + wait)):
                pass
        if spec.then != "reset":
            connection.close()
        return Exchange(spec.name, bytes(connection.data), connection.ended, methods)


def _connect(port: int, deadline: float) -> socket.socket | None:
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=max(0.1, deadline - time.monotonic()))
        except OSError:
            if time.monotonic() >= deadline:
                return None
            time.sleep(0.05)


def start(case: Case, stack: contextlib.ExitStack) -> tuple[Case, list[Server]] | Inexpressible:
    """The servers of a case, and the case with their addresses in its arguments and environment ({name})."""
    servers: list[Server] = []
    for spec in case.run.servers:
        if spec.kind == "tls" and shutil.which("openssl") is None:
            return Inexpressible("there is no program `openssl` to make a certificate with")
        server = Server(spec)
        stack.callback(server.close)
        servers.append(server)
    places = [(f"{{{server.spec.name}}}", server.address) for server in servers]

    def fill(text: str) -> str:
        return functools.reduce(lambda done, place: done.replace(*place), places, text)

    env = case.run.env
    run = replace(
        case.run,
        args=tuple(fill(item) for item in case.run.args),
        env=None if env is None else tuple((key, fill(value)) for key, value in env),
    )
    return replace(case, run=run), servers


_TLS_LOCK = threading.Lock()


def _tls() -> ssl.SSLContext:
    with _TLS_LOCK:
        return _tls_once()


@functools.cache
def _tls_once() -> ssl.SSLContext:
    """A certificate for the loopback that is its own authority: made once, trusted by nobody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory(prefix="assay-") as folder:
        key, certificate = Path(folder, "key.pem"), Path(folder, "cert.pem")
        argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        argv += ["-keyout", str(key), "-out", str(certificate), "-days", "2", "-subj", "/CN=localhost"]
        argv += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        subprocess.run(argv, capture_output=True, timeout=60, check=True, stdin=subprocess.DEVNULL)
        context.load_cert_chain(certificate, key)
    return context
