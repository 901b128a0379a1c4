"""Servers for tests of an HTTP client: on the loopback, saying on each connection exactly what a test tells them to, right or wrong.

A test gives a function that is called with each connection (Conn), on a thread of its own; what it raises is kept and shown at the
end. Certificates are made when they are needed, by the openssl command.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any


@dataclass(frozen=True)
class Head:
    line: str
    fields: tuple[tuple[str, str], ...]

    def __getitem__(self, name: str) -> str | None:
        return next((value for key, value in self.fields if key.lower() == name.lower()), None)


class Conn:
    """A connection: the bytes read, and functions that send anything."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.buffer = b""
        self.read = b""  # all of it so far

    def more(self) -> bool:
        data = self.sock.recv(1 << 18)
        self.buffer += data
        if len(self.read) < 1 << 20:
            self.read += data
        return bool(data)

    def until(self, mark: bytes) -> bytes:
        while mark not in self.buffer:
            if not self.more():
                raise EOFError(f"closed before {mark!r}: {self.buffer[:200]!r}")
        found, _, self.buffer = self.buffer.partition(mark)
        return found

    def exactly(self, n: int) -> bytes:
        while len(self.buffer) < n:
            if not self.more():
                raise EOFError(f"closed after {len(self.buffer)} of {n} bytes")
        found, self.buffer = self.buffer[:n], self.buffer[n:]
        return found

    def head(self) -> Head:
        line, *fields = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        return Head(line, tuple((name, value.removeprefix(" ")) for name, _, value in (f.partition(":") for f in fields)))

    def chunks(self) -> tuple[bytes, list[bytes]]:
        """A body in chunks, and the lines of its trailers."""
        body = b""
        while size := int(self.until(b"\r\n"), 16):
            body += self.exactly(size)
            assert self.exactly(2) == b"\r\n"
        trailers = []
        while line := self.until(b"\r\n"):
            trailers.append(line)
        return body, trailers

    def skip_chunks(self, pause: float = 0.0) -> int:
        """The length of a body in chunks that is not kept."""
        total = 0
        while size := int(self.until(b"\r\n"), 16):
            total += size
            left = size + 2
            while left:
                if not self.buffer and not self.more():
                    raise EOFError("closed in a chunk")
                taken = min(left, len(self.buffer))
                self.buffer = self.buffer[taken:]
                left -= taken
            if pause:
                time.sleep(pause)
        assert self.until(b"\r\n") == b""
        return total

    def body(self, head: Head) -> tuple[bytes, list[bytes]]:
        if head["transfer-encoding"]:
            return self.chunks()
        return self.exactly(int(head["content-length"] or 0)), []

    def say(self, *parts: bytes | str) -> None:
        self.sock.sendall(b"".join(p.encode("latin-1") if isinstance(p, str) else p for p in parts))

    def answer(self, body: bytes = b"", status: str = "200 OK", fields: str = "") -> None:
        self.say(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{fields}\r\n", body)

    def closed(self, within: float = 10.0) -> bool:
        """Checks that the client has closed its side, or has reset the connection."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            if not select.select([self.sock], [], [], 0.1)[0]:
                continue
            try:
                if not self.sock.recv(1 << 16):
                    return True
            except OSError:
                return True
        return False

    def reset(self) -> None:
        """Close at once, with a RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self) -> None:
        self.sock.close()


@dataclass
class Server:
    serve: Callable[[Conn], object]
    tls: ssl.SSLContext | None = None
    host: str = "127.0.0.1"
    errors: list[BaseException] = field(default_factory=list)
    connections: int = 0
    threads: list[threading.Thread] = field(default_factory=list)
    conns: list[socket.socket] = field(default_factory=list)
    over: bool = False

    def __enter__(self) -> Server:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self.listener = socket.create_server((self.host, 0), family=family, backlog=256)
        self.port = self.listener.getsockname()[1]
        self.loop = threading.Thread(target=self.accept, daemon=True)
        self.loop.start()
        return self

    @property
    def authority(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def accept(self) -> None:
        while not self.over:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self.handle, args=(sock,), daemon=True)
            thread.start()
            self.threads.append(thread)  # a started thread, for `join`

    def handle(self, sock: socket.socket) -> None:
        try:
            sock.settimeout(30)
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
            self.conns.append(sock)
            self.serve(Conn(sock))
        except BaseException as error:
            self.errors.append(error)
        finally:
            with contextlib.suppress(OSError):
                sock.close()

    def join(self) -> None:
        for thread in self.threads:
            thread.join(20)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.over = True
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def saying(*parts: bytes | str, then: Callable[[Conn], object] = Conn.close) -> Callable[[Conn], object]:
    """Reads one head, and sends something."""

    def serve(conn: Conn) -> None:
        conn.head()
        conn.say(*parts)
        then(conn)

    return serve


class H2:
    """The server's side of HTTP/2 on a connection."""

    def __init__(self, conn: Conn) -> None:
        import h2.config
        import h2.connection
        import h2.events

        self.conn = conn
        self.events = h2.events
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="latin-1", validate_outbound_headers=False))
        self.h2.initiate_connection()
        self.queue: list[h2.events.Event] = []
        self.flush()

    def flush(self) -> None:
        self.conn.sock.sendall(self.h2.data_to_send())

    def step(self) -> bool:
        """Reads the available bytes, and sends what the protocol requires."""
        data = self.conn.sock.recv(1 << 16)
        if not data:
            return False
        for event in self.h2.receive_data(data):
            if isinstance(event, self.events.DataReceived):
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            self.queue.append(event)
        self.flush()
        return True

    def wait(self, kind: str) -> Any:
        """The next event of a kind; others before it are dropped."""
        while True:
            while self.queue:
                event = self.queue.pop(0)
                if type(event).__name__ == kind:
                    return event
            if not self.step():
                raise EOFError(f"closed before {kind}")

    def request(self) -> tuple[int, list[tuple[str, str]]]:
        event = self.wait("RequestReceived")
        return event.stream_id, [(str(name), str(value)) for name, value in event.headers]

    def body(self) -> tuple[bytes, list[tuple[str, str]]]:
        """The rest of a request: its body, and its trailers."""
        body, trailers = b"", []
        while True:
            while not self.queue:
                if not self.step():
                    raise EOFError("closed in a body")
            event = self.queue.pop(0)
            if isinstance(event, self.events.DataReceived):
                body += event.data or b""
            elif isinstance(event, self.events.TrailersReceived):
                trailers = [(str(name), str(value)) for name, value in event.headers]
            elif isinstance(event, self.events.StreamEnded):
                return body, trailers

    def head(self, stream: int, *fields: tuple[str, str], status: int = 200, end: bool = False) -> None:
        self.h2.send_headers(stream, [(":status", str(status)), *fields], end_stream=end)
        self.flush()

    def data(self, stream: int, data: bytes, end: bool = False) -> None:
        """As fast as the client allows."""
        at = 0
        while at < len(data):
            n = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size, len(data) - at)
            if n == 0:
                assert self.step(), "closed while it was to read"
                continue
            self.h2.send_data(stream, data[at : at + n])
            at += n
            self.flush()
        if end:
            self.h2.end_stream(stream)
            self.flush()

    def trailers(self, stream: int, *fields: tuple[str, str]) -> None:
        self.h2.send_headers(stream, list(fields), end_stream=True)
        self.flush()

    def reset(self, stream: int, code: int) -> None:
        self.h2.reset_stream(stream, code)
        self.flush()

    def goaway(self, code: int) -> None:
        self.h2.close_connection(code)
        self.flush()


@contextlib.contextmanager
def unreachable() -> Iterator[int]:
    """A port whose connections are never accepted: the queue of the listener is full."""
    with socket.socket() as listener, contextlib.ExitStack() as held:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = int(listener.getsockname()[1])
        for _ in range(4):
            sock = held.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
        time.sleep(0.05)
        yield port


@dataclass(frozen=True)
class Authority:
    """A certificate authority of one test run, and its certificates."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "ca.pem"

    def run(self, *argv: str | Path) -> None:
        done = subprocess.run(["openssl", *map(str, argv)], cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def make(self) -> None:
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=test authority",
                 "-keyout", "ca.key", "-out", "ca.pem")  # fmt: skip

    def server(self, name: str, names: str, days: int = 30) -> ssl.SSLContext:
        """A server's context. names: a subjectAltName; days below 0: the certificate has expired."""
        self.run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                 "-keyout", f"{name}.key", "-out", f"{name}.csr")  # fmt: skip
        (self.folder / f"{name}.ext").write_text(f"subjectAltName={names}\n")
        if days >= 0:
            when: list[str] = ["-days", str(days)]
            self.run("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                     "-extfile", f"{name}.ext", "-out", f"{name}.pem", *when)  # fmt: skip
        else:
            (self.folder / "index.txt").write_text("")
            (self.folder / "ca.cnf").write_text(
                "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\npolicy=p\n"
                f"x509_extensions=e\n[p]\ncommonName=supplied\n[e]\nsubjectAltName={names}\n"
            )
            self.run("ca", "-batch", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", "-in", f"{name}.csr", "-out", f"{name}.pem",
                     "-notext", "-startdate", "200101000000Z", "-enddate", "200201000000Z")  # fmt: skip
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        return context


def unescape(word: str) -> bytes:
    """%XX as http_probe writes it."""
    return re.sub(rb"%([0-9A-F]{2})", lambda m: bytes([int(m[1], 16)]), word.encode("latin-1"))


def escape(data: bytes | str) -> str:
    data = data.encode("latin-1") if isinstance(data, str) else data
    return "".join(chr(b) if 0x20 < b < 0x7F and b != 0x25 else f"%{b:02X}" for b in data)
