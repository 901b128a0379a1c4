"""The calls that a script may make, and scripts as text.

`TABLE` has one line for each call of the probe: `RESULT = NAME ARGUMENT...` by area. RESULT and each ARGUMENT that is a
key of `HANDLES` is a resource; the others say what kind of word stands there. `?` ends a list that may be left out, `*`
stands for any number of the word before it.

The scripts of one process share standard input, so only the area `cli` reads it, and waits for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

HANDLES = frozenset(
    [
        "fd",
        "entries",
        "in",
        "out",
        "pollable",
        "error",
        "tcp",
        "udp",
        "udp-in",
        "udp-out",
        "fields",
        "request",
        "response",
        "body",
        "options",
        "future",
        "incoming",
        "in-body",
        "trailers",
        "terminal",
    ]
)
"""The kinds of variables."""

TABLE = {
    "filesystem": """
        fd = open-at fd path-flags path open-flags access
        in = read-via-stream fd offset
        out = write-via-stream fd offset
        out = append-via-stream fd
        entries = read-directory fd
        advise fd offset offset advice
        sync fd
        sync-data fd
        get-flags fd
        get-type fd
        set-size fd size
        set-times fd time time
        read-file fd length offset
        write-file fd data offset
        list fd
        create-directory-at fd path
        stat fd
        stat-at fd path-flags path
        set-times-at fd path-flags path time time
        link-at fd path-flags path fd path
        readlink-at fd path
        remove-directory-at fd path
        rename-at fd path fd path
        symlink-at fd path path
        unlink-file-at fd path
        is-same-object fd fd
        metadata-hash fd
        metadata-hash-at fd path-flags path
        read-directory-entry entries
        drop fd
        drop entries
        read in length
        blocking-write-and-flush out data
    """,
    "io": """
        fd = open-at fd path-flags path open-flags access
        in = read-via-stream fd offset
        out = write-via-stream fd offset
        out = append-via-stream fd
        out = get-stderr
        read in length
        blocking-read in length
        skip in length
        blocking-skip in length
        pollable = subscribe-in in
        pollable = subscribe-out out
        check-write out
        write out data
        blocking-write-and-flush out data
        write-many out many
        flush out
        blocking-flush out
        write-zeroes out length
        blocking-write-zeroes-and-flush out length
        splice out in length
        blocking-splice out in length
        ready pollable
        wait pollable
        poll pollable*
        pollable = subscribe-duration duration
        stat fd
        set-size fd size
        read-file fd length offset
        drop in
        drop out
        drop pollable
        drop fd
    """,
    "clocks": """
        monotonic-now
        monotonic-resolution
        wall-now
        wall-resolution
        pollable = subscribe-duration duration
        pollable = subscribe-instant instant
        ready pollable
        wait pollable
        poll pollable*
        drop pollable
    """,
    "cli": """
        random-bytes count
        insecure-random-bytes count
        random-u64
        insecure-random-u64
        insecure-seed
        get-environment
        get-arguments
        initial-cwd
        terminal = get-terminal-stdin
        terminal = get-terminal-stderr
        get-directories
        in = get-stdin
        out = get-stderr
        blocking-read in length
        check-write out
        blocking-write-and-flush out data
        drop in
        drop out
        drop terminal
    """,
    "sockets": """
        tcp = tcp-create family
        tcp-start-bind tcp address
        tcp-finish-bind tcp
        tcp-start-listen tcp
        tcp-finish-listen tcp
        tcp-start-connect tcp address
        in out = tcp-finish-connect tcp
        tcp in out = tcp-accept tcp
        tcp-local-address tcp
        tcp-remote-address tcp
        tcp-is-listening tcp
        tcp-address-family tcp
        tcp-set-listen-backlog-size tcp setting
        tcp-shutdown tcp direction
        pollable = tcp-subscribe tcp
        tcp-keep-alive-enabled tcp
        tcp-set-keep-alive-enabled tcp bit
        tcp-keep-alive-idle-time tcp
        tcp-set-keep-alive-idle-time tcp duration
        tcp-keep-alive-interval tcp
        tcp-set-keep-alive-interval tcp duration
        tcp-keep-alive-count tcp
        tcp-set-keep-alive-count tcp setting
        tcp-hop-limit tcp
        tcp-set-hop-limit tcp setting
        tcp-receive-buffer-size tcp
        tcp-set-receive-buffer-size tcp setting
        tcp-send-buffer-size tcp
        tcp-set-send-buffer-size tcp setting
        udp = udp-create family
        udp-start-bind udp address
        udp-finish-bind udp
        udp-in udp-out = udp-stream udp address?
        udp-receive udp-in count
        udp-check-send udp-out
        udp-send udp-out data address?
        udp-local-address udp
        udp-remote-address udp
        udp-address-family udp
        pollable = udp-subscribe udp
        udp-unicast-hop-limit udp
        udp-set-unicast-hop-limit udp setting
        udp-receive-buffer-size udp
        udp-set-receive-buffer-size udp setting
        udp-send-buffer-size udp
        udp-set-send-buffer-size udp setting
        resolve-addresses name
        wait-read in length
        blocking-write-and-flush out data
        flush out
        check-write out
        wait pollable
        drop tcp
        drop udp
        drop udp-in
        drop udp-out
        drop in
        drop out
        drop pollable
    """,
    "http": """
        fields = fields-new
        fields = fields-from-list header*
        fields-get fields name-of-field
        fields-has fields name-of-field
        fields-set fields name-of-field value*
        fields-delete fields name-of-field
        fields-append fields name-of-field value
        fields-entries fields
        fields = fields-clone fields
        request = request-new fields
        request-set-method request method
        request-method request
        request-set-scheme request scheme
        request-scheme request
        request-set-path request target
        request-path request
        request-set-authority request authority
        request-authority request
        fields = request-headers request
        body = request-body request
        response = response-new fields
        response-status response
        response-set-status response status
        fields = response-headers response
        body = response-body response
        out = body-write body
        body-finish body fields?
        options = options-new
        options-connect-timeout options
        options-set-connect-timeout options timeout
        options-first-byte-timeout options
        options-set-first-byte-timeout options timeout
        options-between-bytes-timeout options
        options-set-between-bytes-timeout options timeout
        check-write out
        write out data
        blocking-write-and-flush out data
        flush out
        blocking-flush out
        pollable = subscribe-out out
        ready pollable
        drop fields
        drop request
        drop response
        drop body
        drop out
        drop options
        drop pollable
    """,
    "requests": """
        fields = fields-new
        fields = fields-from-list header*
        request = request-new fields
        request-set-method request method
        request-set-scheme request scheme
        request-set-path request target
        request-set-authority request authority
        body = request-body request
        out = body-write body
        body-finish body fields?
        blocking-write-and-flush out data
        future = handle request
        incoming = response future
        incoming-status incoming
        fields = incoming-headers incoming
        fields-entries fields
        fields-append fields name-of-field value
        in-body = consume incoming
        in = body-stream in-body
        wait-read in length
        trailers = incoming-finish in-body
        fields = trailers trailers
        drop out
        drop in
        drop future
        drop incoming
        drop in-body
        drop fields
        drop body
    """,
}
"""The calls by area."""


@dataclass(frozen=True)
class Signature:
    """A call: its name, the kinds of its arguments, and those of the variables that it makes."""

    name: str
    takes: tuple[str, ...]
    makes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Line:
    """A call of a script. `target` is the number of the first variable that it makes, or -1."""

    name: str
    words: tuple[str, ...]
    target: int = -1
    outline: str = field(default="", compare=False)
    """What two calls have in common that show one divergence; empty: the name."""

    def __str__(self) -> str:
        return " ".join([*([f"v{self.target}", "="] if self.target >= 0 else []), self.name, *self.words])


Script = tuple[Line, ...]


def signatures(area: str) -> tuple[Signature, ...]:
    """Returns the calls of an area."""
    found = []
    for line in TABLE[area].strip().splitlines():
        left, equals, right = line.strip().rpartition(" = ")
        name, *takes = right.split()
        found.append(Signature(name, tuple(takes), tuple(left.split()) if equals else ()))
    return tuple(found)


def parse(text: str) -> Script:
    """Reads a script: a call a line; what follows # in the first column is a comment."""
    lines = []
    for line in text.splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        target = -1
        if len(words) > 2 and words[1] == "=" and words[0][:1] == "v" and words[0][1:].isdigit():
            target, words = int(words[0][1:]), words[2:]
        lines.append(Line(words[0], tuple(words[1:]), target))
    return tuple(lines)


def text(script: Script) -> str:
    """Returns a script as text, a call a line."""
    return "".join(f"{line}\n" for line in script)


def quoted(data: bytes) -> str:
    """Returns a text as a word of a script: in quotes, with %XX for what is not plain."""
    return '"' + "".join(chr(b) if 32 < b < 127 and b not in b'"%' else f"%{b:02X}" for b in data) + '"'
