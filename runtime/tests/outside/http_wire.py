"""HTTP/1.1 as a client sees it: requests as text, and responses read off a socket byte by byte.

In: a connected socket. Out: each final response, with its body, its trailers, and whether it was whole.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field


def get(path: str, *fields: str, method: str = "GET", version: str = "1.1") -> str:
    return "\r\n".join([f"{method} {path} HTTP/{version}", "Host: here", *fields, "", ""])


@dataclass
class Response:
    status: int
    fields: list[tuple[str, str]]
    body: bytes = b""
    trailers: list[tuple[str, str]] = field(default_factory=list)
    whole: bool = True
    interim: list[int] = field(default_factory=list)

    def __getitem__(self, name: str) -> str | None:
        found = [v for n, v in self.fields if n.lower() == name]
        return found[0] if found else None


class Reader:
    """Reads responses off a connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.held = b""

    def more(self) -> bool:
        try:
            got = self.connection.recv(1 << 16)
        except ConnectionResetError:
            return False
        self.held += got
        return bool(got)

    def line(self) -> bytes:
        while b"\r\n" not in self.held:
            if not self.more():
                raise EOFError(self.held)
        line, self.held = self.held.split(b"\r\n", 1)
        return line

    def exactly(self, n: int) -> bytes:
        while len(self.held) < n:
            if not self.more():
                raise EOFError(self.held)
        got, self.held = self.held[:n], self.held[n:]
        return got

    def field_lines(self) -> list[tuple[str, str]]:
        found = []
        while line := self.line():
            name, _, value = line.decode("latin-1").partition(":")
            found.append((name, value.strip()))
        return found

    def response(self, head: bool = False) -> Response:
        """The next final response. EOFError: the connection ended before one."""
        interim = []
        while True:
            version, status, _ = self.line().decode().split(" ", 2)
            assert version == "HTTP/1.1"
            r = Response(int(status), self.field_lines(), interim=interim)
            if r.status >= 200:
                break
            interim.append(r.status)
        try:
            if head or r.status in (204, 304):
                pass
            elif (r["transfer-encoding"] or "") == "chunked":
                while size := int(self.line(), 16):
                    r.body += self.exactly(size)
                    assert self.exactly(2) == b"\r\n"
                r.trailers = self.field_lines()
            elif r["content-length"] is not None:
                r.body = self.exactly(int(r["content-length"] or 0))
            else:
                while self.more():
                    pass
                r.body, self.held = self.held, b""
        except EOFError as e:
            r.whole = False
            r.body += e.args[0]
        return r

    def ended(self, seconds: float = 10) -> bool:
        """Whether the server closes the connection without another byte."""
        self.connection.settimeout(seconds)
        try:
            return not self.held and not self.connection.recv(1)
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False
