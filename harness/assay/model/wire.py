"""A lenient parser of HTTP/1.1 messages, for checks on the wire. It never fails. Pure.

In: the bytes that one side sent. Out: its messages, and a text of them for patterns. In that text lines end
in \\n, bodies have no chunk framing, trailers follow `<trailers>`, and the end is `<whole>` for a complete
message, otherwise `<cut>`, `<reset>` or `<open>`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .values import Exchange

_BODILESS = frozenset({204, 304})
_SIZE = re.compile(rb"([0-9a-fA-F]{1,15})(?:[;\s].*)?", re.DOTALL)
"""The line before a chunk: its size in hexadecimal digits, and perhaps extensions."""


@dataclass(frozen=True)
class Message:
    """One message, or the part that arrived. With `to_the_end`, only the end of the connection ends it."""

    head: tuple[str, ...]
    body: bytes = b""
    trailers: tuple[str, ...] = ()
    whole: bool = False
    to_the_end: bool = False


def first(data: bytes) -> tuple[Message, bytes]:
    """Returns the first request in `data`, and the bytes after it."""
    return _message(data, "")


def messages(data: bytes, methods: Sequence[str] = ()) -> tuple[Message, ...]:
    """Returns all messages in `data`: responses to requests of these methods, or requests when there is no
    method."""
    found: list[Message] = []
    answers = list(methods)
    while data:
        final = sum(not _informational(message) for message in found)
        method = (answers[final] if final < len(answers) else "GET") if answers else ""
        message, data = _message(data, method)
        found.append(message)
        if not message.whole:
            break
    return tuple(found)


def requests_in(data: bytes) -> tuple[str, ...]:
    """Returns the methods of the requests that begin in `data`."""
    return tuple(found.decode("latin-1") for found in re.findall(rb"^(\S+) \S+ HTTP/1\.[01]\r?$", data, re.MULTILINE))


def answered(exchange: Exchange) -> bool:
    """Returns whether every request has a complete response."""
    there = [message for message in messages(exchange.data, exchange.methods) if not _informational(message)]
    return len(there) >= len(exchange.methods) and all(message.whole for message in there)


def show(exchange: Exchange) -> str:
    """Returns the text of an exchange that patterns are matched with."""
    parts = []
    final = not exchange.methods
    for message in messages(exchange.data, exchange.methods):
        final = final or not _informational(message)
        text = "\n".join(message.head) + "\n\n" + message.body.decode("latin-1")
        if message.trailers:
            text += "\n<trailers>\n" + "\n".join(message.trailers) + "\n"
        if message.whole or (message.to_the_end and exchange.ended == "closed"):
            text += "<whole>"
        parts.append(text)
    text = "\n".join(parts)
    if not final or not text.endswith("<whole>"):
        text += {"closed": "<cut>", "reset": "<reset>"}.get(exchange.ended, "<open>")
    elif exchange.methods and exchange.ended != "open":
        text += "<end>"
    return text + "\n"


def _informational(message: Message) -> bool:
    return bool(message.head) and re.match(r"HTTP/1\.[01] 1(?!01)\d\d", message.head[0]) is not None


def _field(head: Sequence[str], name: str) -> str | None:
    for line in head[1:]:
        key, colon, value = line.partition(":")
        if colon and key.strip().lower() == name:
            return value.strip()
    return None


def _message(data: bytes, method: str) -> tuple[Message, bytes]:
    head_bytes, end, rest = data.partition(b"\r\n\r\n")
    head = tuple(head_bytes.decode("latin-1").split("\r\n"))
    if not end:
        return Message(head), b""
    status = re.match(r"HTTP/1\.[01] (\d\d\d)", head[0])
    if method and status and (method == "HEAD" or int(status[1]) < 200 or int(status[1]) in _BODILESS):
        return Message(head, whole=True), rest
    if "chunked" in (_field(head, "transfer-encoding") or "").lower():
        return _chunked(head, rest)
    length = _field(head, "content-length")
    if length is not None and length.isdigit():
        whole = len(rest) >= int(length)
        return Message(head, rest[: int(length)], whole=whole), rest[int(length) :]
    if not method:  # a request has a body only if it says so
        return Message(head, whole=True), rest
    return Message(head, rest, to_the_end=True), b""


def _chunked(head: tuple[str, ...], rest: bytes) -> tuple[Message, bytes]:
    """Reads by position: a body of many chunks is not copied once for each of them."""
    chunks: list[bytes] = []
    at = 0
    while True:
        end = rest.find(b"\r\n", at)
        size = _SIZE.fullmatch(rest, at, max(at, end))
        if end < 0 or size is None:
            return Message(head, b"".join(chunks)), b""
        at, length = end + 2, int(size[1], 16)
        if length == 0:
            return _trailers(head, b"".join(chunks), rest[at:])
        chunks.append(rest[at : at + length])
        at += length + 2
        if rest[at - 2 : at] != b"\r\n":
            return Message(head, b"".join(chunks)), b""


def _trailers(head: tuple[str, ...], body: bytes, after: bytes) -> tuple[Message, bytes]:
    """Returns the message whose last chunk has just been read."""
    lines: list[str] = []
    while True:
        line, end, after = after.partition(b"\r\n")
        if not end:
            return Message(head, body, tuple(lines)), b""
        if not line:
            return Message(head, body, tuple(lines), whole=True), after
        lines.append(line.decode("latin-1"))
