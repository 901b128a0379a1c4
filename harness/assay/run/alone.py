"""Starts a program in a network namespace of its own, with the loopback, no route, and a resolver for a few
names.

Usage: python alone.py PROGRAM [ARGS...]
It runs inside `unshare --net --mount`, which world.py does for a case with `network = "alone"`. In: the namespace.
Out: it becomes the program; a child answers DNS on 127.0.0.1:53 as long as the program lives. The status is 97 where
the machine does not allow this. The names are those of _ANSWERS and _CODES, all below `.example` (suites/README.md).
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_SIOCSIFFLAGS, _IFF_UP, _IFF_RUNNING = 0x8914, 0x1, 0x40
_SIOCSIFADDR, _LOOPBACK_INTERFACE = 0x8916, 1
_A, _AAAA = 1, 28
_V4, _V6 = socket.AF_INET, socket.AF_INET6
# with `.example` a name of 253 characters, the most that RFC 1035, 2.3.4 allows
_LONGEST = ".".join(["a" * 63] * 3 + ["a" * 53])
_CROWD = "".join(f"198.18.{i // 256}.{i % 256} crowd.example\n" for i in range(257))
# name -> (type, address)
_ANSWERS = {
    "one": [(_A, "192.0.2.10")],
    "several": [(_A, "192.0.2.11"), (_A, "192.0.2.12"), (_A, "192.0.2.13"), (_AAAA, "2001:db8::11")],
    "six": [(_AAAA, "2001:db8::6")],
    "mapped": [(_A, "192.0.2.14"), (_AAAA, "::ffff:192.0.2.15")],
    "slow": [(_A, "192.0.2.16")],
    "xn--bcher-kva": [(_A, "192.0.2.20")],
    "xn--strae-oqa": [(_A, "192.0.2.30")],
    "strasse": [(_A, "192.0.2.31")],
    "a0-9z": [(_A, "127.0.0.1")],
    _LONGEST: [(_A, "192.0.2.17")],
    "empty": [],
}
# RFC 1035, 4.1.1: format error, server failure
_CODES = {"format": 1, "temporary": 2}
_NO_SUCH_NAME = 3
_SLOW = 0.7
_DEAF = ("127.0.0.1", 7)
_LINK_LOCAL = "fe80::7"
_SETTINGS = {"ip_local_port_range": "61000 61015", "tcp_syn_retries": "1"}
_FILES = {
    "/etc/resolv.conf": "nameserver 127.0.0.1\noptions timeout:2 attempts:1\n",
    "/etc/nsswitch.conf": "hosts: files dns\n",
    "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n" + _CROWD,
}


def answer(question: bytes) -> bytes:
    """Returns the reply to one query. RFC 1035, 4.1."""
    end, labels = 12, []
    while question[end]:
        labels.append(question[end + 1 : end + 1 + question[end]].decode("ascii", "replace").lower())
        end += 1 + question[end]
    kind = struct.unpack_from("!H", question, end + 1)[0]
    name = ".".join(labels[:-1]) if labels[-1:] == ["example"] else ""
    code = _CODES.get(name, 0 if name in _ANSWERS else _NO_SUCH_NAME)
    found = [address for sort, address in _ANSWERS.get(name, []) if sort == kind]
    records = b"".join(
        b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 0, 16 if kind == _AAAA else 4) + _packed(kind, address)
        for address in found
    )
    flags = 0x8180 | code
    if name == "slow":
        time.sleep(_SLOW)
    return question[:2] + struct.pack("!HHHHH", flags, 1, len(found), 0, 0) + question[12 : end + 5] + records


def _packed(kind: int, address: str) -> bytes:
    return socket.inet_pton(_V6 if kind == _AAAA else _V4, address)


def _serve(server: socket.socket, program: int) -> None:
    server.settimeout(1)
    while os.getppid() == program:
        try:
            question, client = server.recvfrom(512)
            server.sendto(answer(question), client)
        except (TimeoutError, IndexError, struct.error):
            continue


def _deaf() -> list[socket.socket]:
    """Returns the sockets of a port whose queue is full: the kernel does not answer connection requests."""
    listener = socket.socket(_V4)
    listener.bind(_DEAF)
    listener.listen(0)
    client = socket.socket(_V4)
    client.bind(("127.0.0.1", 8))
    client.connect(_DEAF)
    return [listener, client]


def _prepare() -> socket.socket:
    with socket.socket(_V4, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", _IFF_UP | _IFF_RUNNING))
    with socket.socket(_V6, socket.SOCK_DGRAM) as six:
        six.bind(("::1", 0))
        # struct in6_ifreq: address, length of the prefix, interface
        address = socket.inet_pton(_V6, _LINK_LOCAL) + struct.pack("Ii", 64, _LOOPBACK_INTERFACE)
        fcntl.ioctl(six, _SIOCSIFADDR, address)
    for name, value in _SETTINGS.items():
        Path("/proc/sys/net/ipv4", name).write_text(value)
    with tempfile.TemporaryDirectory(prefix="assay-") as folder:
        for target, text in _FILES.items():
            source = Path(folder, Path(target).name)
            source.write_text(text)
            subprocess.run(["mount", "--bind", str(source), target], check=True, capture_output=True)
    server = socket.socket(_V4, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    return server


def main(argv: list[str]) -> int:
    try:
        server = _prepare()
        deaf = _deaf()
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"alone: {error}", file=sys.stderr)
        return 97
    program = os.getpid()
    if os.fork() == 0:
        null = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):  # otherwise a reader of these streams would wait for this child
            os.dup2(null, stream)
        _serve(server, program)
        del deaf
        os._exit(0)
    server.close()
    return os.execvp(argv[0], argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
