"""A fake runtime for the smoke test: it does what the guest would do, but for one lie.

Usage: smoke_fake.py LIE (run|serve) [--dir HOST::GUEST[:ro]]... [--env K=V]... FILE [ARGUMENT...]
"""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path

LIE, HOW, *WORDS = sys.argv[1:]


def options(name: str) -> list[str]:
    found = []
    while name in WORDS:
        at = WORDS.index(name)
        found.append(WORDS[at + 1])
        del WORDS[at : at + 2]
    return found


def write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.flush()


def copy(dirs: list[str]) -> int:
    host, _, rest = dirs[0].partition("::")
    read_only = rest.endswith(":ro")
    data = (Path(host) / "seed.txt").read_bytes()
    if read_only and LIE != "read-only":
        print("/data/copy.txt: Read-only file system", file=sys.stderr)
        return 3
    if LIE != "directory":
        (Path(host) / "copy.txt").write_bytes(data)
    return 0


def run(dirs: list[str], env: list[str], what: str, args: list[str]) -> int:
    if what == "arguments":
        write("".join(f"[{word}]\n" for word in (args[:-1] if LIE == "arguments" else args)).encode())
    elif what == "environment":
        write("".join(f"{pair}\n" for pair in ([*env, "HOME=/root"] if LIE == "environment" else env)).encode())
    elif what == "stdin":
        write(sys.stdin.buffer.read() + (b"" if LIE == "stdin" else b"<end>\n"))
    elif what == "stdout":
        write(bytes(range(256)).replace(b"\n", b"\r\n") if LIE == "stdout" else bytes(range(256)))
        print("to stderr", file=sys.stderr)
    elif what == "exit":
        return 0 if f"exit {args[0]}" == LIE else int(args[0])
    elif what == "trap":
        print("unreachable code" if LIE == "trap" else "trap: unreachable", file=sys.stderr)
        return 1
    elif what == "timeout" and LIE != "timeout":
        time.sleep(60)
    elif what == "clock":
        write(f"{int(time.time()) - (86400 if LIE == 'clock' else 0)}\n".encode())
    elif what == "copy":
        return copy(dirs)
    return 0


def serve() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(f"Listening on 127.0.0.1:{listener.getsockname()[1]}", file=sys.stderr, flush=True)
        while True:
            connection, _ = listener.accept()
            connection.recv(65536)
            word = b"500 No" if LIE == "serve" else b"200 OK"
            connection.sendall(b"HTTP/1.1 " + word + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            connection.close()


def main() -> int:
    if HOW == "serve":
        return serve()
    dirs, env = options("--dir"), options("--env")
    file, *args = WORDS
    if "nowhere" in file and LIE != "link error":
        print("link: nothing has nowhere", file=sys.stderr)
        return 1
    if Path(file).read_bytes().endswith(b"\xff\xff\xff") and LIE != "malformed":
        print("malformed: unknown section", file=sys.stderr)
        return 1
    return run(dirs, env, args[0] if args else "", args[1:])


if __name__ == "__main__":
    sys.exit(main())
