"""The peers of a guest over HTTP: servers for its requests, and a client of a served component.

In: the servers and clients of a case. Out: what the guest's side sent, byte for byte. They use the loopback
only, at ports that the system picks. Every wait has a limit, and closing a server ends all its threads.
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
"""The most connections that a server serves. It closes others at once."""
KEPT = 32 << 20
"""The most bytes that a server keeps of what it receives."""
PATIENCE = 30.0
"""How long a server waits for missing input, in seconds."""
DRAIN = 10.0
"""How long the end of a run waits for the threads to read what has arrived, in seconds."""

LINGER = 0.15
"""How long a client waits for the server to close a connection that may stay open, in seconds."""
CLOSING = 3.0
"""How long a client waits for the end of a connection after one side has announced it, in seconds."""
_CLOSE = re.compile(rb"^connection:[^\r\n]*\bclose\b", re.MULTILINE | re.IGNORECASE)

PRINTED = r"\A(?:127\.0\.0\.1|0\.0\.0\.0|localhost):(\d+)\s*$"
"""How a program that clients dial prints its address, as its first line."""

TLS = "TLS"
"""The path that stands for a client that begins with a TLS handshake."""
_NO_TLS = (Step(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),)


class _Connection:
    """A socket, what was read from it, and how it ended.

    When `over` is set, the run has ended: nothing more is waited for, but what has arrived is still read."""

    def __init__(self, sock: socket.socket, over: threading.Event, number: int = 0) -> None:
        self.sock, self.over, self.number = sock, over, number
        self.data = bytearray()
        self.taken = 0  # the bytes of requests that are complete
        self.ended = "open"
        sock.settimeout(0.1)

    def more(self, deadline: float) -> bool:
        """Reads one piece more. Returns False at the end of the stream, at the deadline, or at the end of the
        run."""
        while self.ended == "open":
            over = self.over.is_set()  # asked before the read, so that data that came before the end is read
            try:
                piece = self.sock.recv(1 << 16)
            except TimeoutError:
                if over or time.monotonic() >= deadline:
                    return False
                continue
            except ConnectionResetError:
                self.ended = "reset"
                return False
            except (OSError, ValueError):  # also a failed TLS handshake, and a socket that was closed meanwhile
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
        """Does the steps. With `reading`, it reads during pauses."""
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
        """Closes it so that the other side sees the end of the stream first.

        A socket that is closed with unread bytes resets the connection, and whether there are any is a
        race."""
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
        self._bell, self._ring = socket.socketpair()  # the listener's thread wakes when one of them is closed
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        if spec.kind == "refusing":
            return  # bound and not listening: no other program gets the port, and it refuses connections
        self._listener.listen(0 if spec.kind == "deaf" else 128)
        if spec.kind == "deaf":
            self._fill()
        else:
            self._listener.setblocking(False)
            self._start(self._accept)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def close(self) -> tuple[Exchange, ...]:
        """Ends the server, and returns what it received in the order of the connections.

        Connections that the kernel has queued are accepted, and what has arrived is read: the last bytes of a
        run count on a busy machine too."""
        self._over.set()
        self._ring.close()
        self._join(DRAIN)
        self._bell.close()
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
        """Waits for all threads. The listener's is the first in the list, so those that it still starts are
        included."""
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _start(self, target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)  # type: ignore[arg-type]
        thread.start()
        self._threads.append(thread)  # only a started thread can be joined

    def _fill(self) -> None:
        """Fills the queue with connections of our own, so that every other client waits."""
        for _ in range(16):
            sock = socket.socket()
            self._waiting.append(sock)
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", self.port))
            if not select.select([], [sock], [], 0.2)[1]:
                return

    def _accept(self) -> None:
        poll = select.poll()
        for end in (self._listener, self._bell):
            poll.register(end, select.POLLIN)
        while True:
            over = self._over.is_set()  # asked before the call, so that who connected before the end is accepted
            if not over:
                poll.poll()
            try:
                sock, _ = self._listener.accept()
            except BlockingIOError:
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
        """Keeps an error of the server itself for `close`, which raises it: it is the harness's fault."""
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
        """Serves one request. Returns whether the connection may have another."""
        start = connection.taken
        deadline = time.monotonic() + PATIENCE
        while b"\r\n\r\n" not in connection.data[start:]:
            if connection.data[start : start + 1] == b"\x16":  # a TLS ClientHello: answer at once
                answer = self._answer(TLS)
                connection.follow(answer.steps if answer is not None else _NO_TLS, deadline, start)
                return False
            if not connection.more(deadline):
                if len(connection.data) > start:
                    self._record("?", connection, start)
                return False
        target = connection.data[start:].split(b"\r\n", 1)[0].split(b" ")
        path = target[1].decode("latin-1") if len(target) > 1 else "?"
        answer = self._answer(path, target[0].decode("latin-1"))
        if answer is None:
            answer = Answer(path, (Step(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),), "head", "close")
        if answer.read == "all":
            while not self._whole(connection, start) and connection.more(deadline):
                pass
        steps = answer.steps if not answer.echo else _echoed(answer, bytes(connection.data[start:]))
        alive = connection.ended == "open" and connection.follow(steps, deadline, start)
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

    def _answer(self, path: str, method: str = "") -> Answer | None:
        fitting = (item for item in self.spec.answers if item.path in (path, "*") and item.method in ("", method))
        return next(fitting, None)

    def _whole(self, connection: _Connection, start: int) -> bool:
        """Returns whether the request that begins there is complete. Bytes after it belong to the next
        request."""
        message, rest = first(bytes(connection.data[start:]))
        connection.taken = len(connection.data) - len(rest)
        return message.whole

    def _record(self, path: str, connection: _Connection, start: int) -> None:
        self._whole(connection, start)
        with self._lock:
            data = bytes(connection.data[start : connection.taken])[: max(0, KEPT - self._kept)]
            self._kept += len(data)
            self.exchanges.append((connection.number, Exchange(path, data, connection.ended)))


def _echoed(answer: Answer, request: bytes) -> tuple[Step, ...]:
    """Returns the answer to a request that echoes its body, or its headers and trailers as headers."""
    message, _ = first(request)
    method, target, *_ = [*message.head[0].split(" "), "", ""]
    head = b"".join(step.data for step in answer.steps)
    head = head.replace(b"{method}", method.encode("latin-1")).replace(b"{target}", target.encode("latin-1"))
    body = message.body if answer.echo == "body" else b""
    if answer.echo == "headers":
        for prefix, lines in (("x-echo-", message.head[1:]), ("x-trailer-", message.trailers)):
            for line in lines:
                name, _, value = line.partition(":")
                head += f"{prefix}{name.strip().lower()}: {value.strip()}\r\n".encode("latin-1")
    return (Step(head + f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()), Step(body))


class Client:
    """The clients of a case. They run one after another once the served component says where it listens.

    With `ends`, the run is over when all of them are done."""

    def __init__(self, specs: Sequence[ClientSpec], listening: str, *, ends: bool = True) -> None:
        self.specs, self.ends = specs, ends
        self.exchanges: list[Exchange] = []
        self._listening = re.compile(listening.encode(), re.MULTILINE)
        self.failure: Exception | None = None
        self.port = 0
        self._thread: threading.Thread | None = None
        self._over = threading.Event()

    def look(self, stdout: bytearray, stderr: bytearray) -> bool:
        """Starts the clients when the server listens. Returns True when they are done and that ends the run."""
        if self._thread is None:
            found = self._listening.search(stderr) or self._listening.search(stdout)
            if found is None:
                return False
            self.port = int(found[1])
            self._thread = threading.Thread(target=self._run, args=(self.port,), daemon=True)
            self._thread.start()
        return self.ends and not self._thread.is_alive()

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
        except Exception as error:  # an error of the client itself is the harness's fault: `close` raises it
            self.failure = error


def talk(spec: ClientSpec, port: int, over: threading.Event | None = None) -> Exchange:
    """Runs one connection of a client from its first byte to its end."""
    said = b"".join(step.data for step in spec.steps)
    methods = requests_in(said) or ("GET",)
    deadline = time.monotonic() + spec.within
    over = over or threading.Event()
    sock = _connect(port, deadline, over)
    if sock is None:
        return Exchange(spec.name, b"", "closed", methods)
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
            # Whether the server closes the connection is part of the answer.
            # If one side has announced it, wait longer.
            wait = CLOSING if _CLOSE.search(said) or _CLOSE.search(connection.data) else LINGER
            while spec.then == "answer" and connection.more(min(deadline, time.monotonic() + wait)):
                pass
        if spec.then != "reset":
            connection.close()
        return Exchange(spec.name, bytes(connection.data), connection.ended, methods)


def _connect(port: int, deadline: float, over: threading.Event) -> socket.socket | None:
    """Connects, or returns None: nobody has listened until the deadline, or when the run was over."""
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=max(0.1, deadline - time.monotonic()))
        except OSError:
            if time.monotonic() >= deadline or over.wait(0.05):
                return None


def start(case: Case, stack: contextlib.ExitStack) -> tuple[Case, list[Server]] | Inexpressible:
    """Starts the servers of a case. Returns the case with their addresses for {name} in arguments, in the
    environment and in what clients say."""
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

    def said(step: Step) -> Step:
        return replace(step, data=fill(step.data.decode("latin-1")).encode("latin-1"))

    env = case.run.env
    run = replace(
        case.run,
        args=tuple(fill(item) for item in case.run.args),
        env=None if env is None else tuple((key, fill(value)) for key, value in env),
        clients=tuple(replace(client, steps=tuple(said(step) for step in client.steps)) for client in case.run.clients),
    )
    return replace(case, run=run), servers


_TLS_LOCK = threading.Lock()


def _tls() -> ssl.SSLContext:
    with _TLS_LOCK:
        return _tls_once()


@functools.cache
def _tls_once() -> ssl.SSLContext:
    """Returns a context with a self-signed certificate for the loopback. It is made once."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory(prefix="assay-") as folder:
        key, certificate = Path(folder, "key.pem"), Path(folder, "cert.pem")
        argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        argv += ["-keyout", str(key), "-out", str(certificate), "-days", "2", "-subj", "/CN=localhost"]
        argv += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        subprocess.run(argv, capture_output=True, timeout=60, check=True, stdin=subprocess.DEVNULL)
        context.load_cert_chain(certificate, key)
    return context
