"""A fake runtime with touchstone's command line. The wrapper that a test writes sets its kind in FAKE_KIND."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

KIND = os.environ["FAKE_KIND"]
CHECKS = ("t.fake.first", "t.fake.second")


def option(name: str) -> str | None:
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else None


def outcome(**values: object) -> None:
    path = option("--outcome")
    if path:
        Path(path).write_text(json.dumps({"schema": "touchstone-outcome/1", **values}) + "\n", encoding="utf-8")


def report(*lines: str) -> None:
    sys.stdout.write("".join(line + "\n" for line in lines))
    sys.stdout.flush()


def passes() -> int:
    report(f"check {CHECKS[0]} pass", f"check {CHECKS[1]} pass", "check t.fake.choice value forty-two")
    sys.stdout.write("hello\n")
    trace = option("--trace-output")
    if trace:
        Path(trace).write_text('wasi:cli/environment@0.2.0 get-arguments() -> ["a"]\n', encoding="utf-8")
    outcome(outcome="exited", status=0)
    return 0


def serves() -> int:
    """Answers each request with its path. One kind never answers, and one dies at the second request."""
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"Serving HTTP on http://127.0.0.1:{listener.getsockname()[1]}/", file=sys.stderr, flush=True)
    for number in range(100):
        connection, _ = listener.accept()
        if KIND == "serve-dies" and number == 1:
            os._exit(3)
        path = connection.recv(65536).split(b" ")[1]
        if KIND == "serve-mute":
            time.sleep(60)
        if number == 0 and KIND != "serve-program":
            report("check t.served.said pass")
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nyou asked " + path)
        connection.close()
    return 0


def main() -> int:
    if "--version" in sys.argv:
        print(f"fake {KIND} 1.0")
        return 0
    if KIND == "pass":
        return passes()
    if KIND == "nothing":
        return 0
    if KIND == "nothing-but-outcome":
        outcome(outcome="exited", status=0)
        return 0
    if KIND in ("fails-once", "fails-twice"):  # counts its runs, and passes after the first one, or two
        note = Path(os.environ["FAKE_NOTE"])
        with note.open("a", encoding="utf-8") as file:
            file.write("run\n")
        if len(note.read_text(encoding="utf-8").splitlines()) > (1 if KIND == "fails-once" else 2):
            return passes()
    if KIND in ("fail", "fails-once", "fails-twice"):
        report(
            f"check {CHECKS[0]} pass", f"check {CHECKS[1]} fail expected 1, got 2", "check t.fake.choice value seven"
        )
        sys.stdout.write("hello\n")
        outcome(outcome="exited", status=0)
        return 0
    if KIND == "long":  # more than a record keeps
        report(*(f"check {check} pass" for check in CHECKS), "check t.fake.choice value -")
        sys.stdout.write("y" * 100_000 + "x")
        outcome(outcome="exited", status=0)
        return 0
    if KIND == "lie-undeclared":
        report("check t.fake.invented pass")
        return passes()
    if KIND == "lie-twice":
        report(f"check {CHECKS[0]} pass")
        return passes()
    if KIND == "lie-status":
        passes()
        return 3
    if KIND == "lie-outcome":
        passes()
        outcome(outcome="splendid")
        return 0
    if KIND == "garbage":
        sys.stdout.buffer.write(bytes(range(256)) * 8 + b"\ncheck \xff\xfe\ncheck t.fake.first maybe\n")
        outcome(outcome="exited", status=0)
        return 0
    if KIND == "hang":
        report(f"check {CHECKS[0]} pass")
        time.sleep(600)
    if KIND == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        report(f"check {CHECKS[0]} pass")
        while True:
            time.sleep(600)
    if KIND == "crash":
        report(f"check {CHECKS[0]} pass")
        os.kill(os.getpid(), signal.SIGSEGV)
    if KIND == "trap":
        report(f"check {CHECKS[0]} pass")
        outcome(outcome="trap", kind="unreachable", message="unreachable executed")
        return 134
    if KIND == "unsupported":
        outcome(
            outcome="link-error", imports=[{"name": "wasi:foo/bar@0.2.0", "function": "f", "reason": "not implemented"}]
        )
        return 123
    if KIND == "fake-link-status":
        outcome(outcome="exited", status=123)
        return 123
    if KIND == "grandchild":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        Path(os.environ["FAKE_NOTE"]).write_text(str(child.pid), encoding="utf-8")
        return passes()
    if KIND == "flood":
        chunk = b"x" * 65536
        while True:
            os.write(1, chunk)
    if KIND == "echo":
        report(*(f"check {check} pass" for check in CHECKS), "check t.fake.choice value -")
        sys.stdout.buffer.write(sys.stdin.buffer.read())
        sys.stdout.flush()
        outcome(outcome="exited", status=0)
        return 0
    if KIND == "program":  # prints its input; its last argument may be its exit status
        given = sys.argv[next(i for i, word in enumerate(sys.argv) if word.endswith(".wasm")) + 1 :]
        env = [sys.argv[i + 1] for i, word in enumerate(sys.argv) if word == "--env"]
        roots = [Path(sys.argv[i + 1].split("::")[0]) for i, word in enumerate(sys.argv) if word == "--dir"]
        names = [path.name for root in roots for path in sorted(root.iterdir())]
        for root in roots:
            (root / "left.txt").write_text("left\n", encoding="utf-8")
        sys.stdout.write(" ".join([*given, *env, *names]))
        sys.stdout.flush()
        status = 1 if given and given[-1] == "33" else 0
        Path(option("--trace-output") or os.devnull).write_text(
            f"wasi:cli/exit@0.2.0 exit({'err' if status else 'ok'}) -> exit: {status}\n", encoding="utf-8"
        )
        outcome(outcome="exited", status=status)
        return status
    if KIND == "program-echoes":  # prints its address, and gives back what it gets on one connection
        listener = socket.create_server(("127.0.0.1", 0))
        print(f"127.0.0.1:{listener.getsockname()[1]}", flush=True)
        connection, _ = listener.accept()
        connection.sendall(connection.recv(64))
        connection.close()
        outcome(outcome="exited", status=0)
        return 0
    if KIND == "program-asks":  # puts "hi" to the first server of its environment, and prints the answer
        where = next(sys.argv[i + 1] for i, word in enumerate(sys.argv) if word == "--env").partition("=")[2]
        with socket.create_connection((where.split(":")[0], int(where.split(":")[1]))) as sock:
            sock.sendall(b"PUT /x HTTP/1.1\r\nA: b\r\nContent-Length: 2\r\n\r\nhi")
            while piece := sock.recv(4096):
                sys.stdout.write(piece.decode().replace("\r", ""))
        sys.stdout.flush()
        outcome(outcome="exited", status=0)
        return 0
    if KIND == "serve-refuses":
        print("fake: no such import", file=sys.stderr)
        return 123
    if KIND.startswith("serve"):
        return serves()
    if KIND == "writer":
        mounts = [sys.argv[i + 1].split("::") for i, word in enumerate(sys.argv) if word == "--dir"]
        for host, _guest in mounts:
            (Path(host) / "out.txt").write_text("written\n", encoding="utf-8")
            (Path(host) / "seed.txt").unlink(missing_ok=True)
        return passes()
    if KIND == "third-hangs":  # counts its runs; the third waits until a file is there
        note = Path(os.environ["FAKE_NOTE"])
        with note.open("a", encoding="utf-8") as file:
            file.write("run\n")
        number = len(note.read_text(encoding="utf-8").splitlines())
        while number == 3 and not (note.parent / "third-may-end").exists():
            time.sleep(0.05)
        return passes()
    if KIND == "show":  # prints its input
        given = sys.argv[next(i for i, word in enumerate(sys.argv) if word.endswith(".wasm")) + 1 :]
        report(*(f"check {check} pass" for check in CHECKS), "check t.fake.choice value -")
        print("hello")
        lines = [
            f"args {'|'.join(given)}",
            f"stdin {sys.stdin.read()}",
            f"cwd {Path.cwd()}",
            f"env {sorted(os.environ)}",
        ]
        for word in [sys.argv[i + 1] for i, word in enumerate(sys.argv) if word == "--dir"]:
            lines += [f"{path.name} {path.read_text()}" for path in sorted(Path(word.split("::")[0]).iterdir())]
        print("\n".join(lines), flush=True)
        outcome(outcome="exited", status=0)
        return 0
    if KIND == "knock":  # connects to the address that it is given
        host, _, port = sys.argv[-1].partition(":")
        with socket.create_connection((host, int(port))) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
            sock.recv(1)
        return passes()
    if KIND in ("fetch", "replay"):  # asks a server for a path and prints what it says; prints the note
        report(*(f"check {check} pass" for check in CHECKS), "check t.fake.choice value -")
        if KIND == "fetch":
            host, _, port = sys.argv[-2].partition(":")
            with socket.create_connection((host, int(port))) as sock:
                sock.sendall(f"GET {sys.argv[-1]} HTTP/1.1\r\n\r\n".encode())
                print(sock.recv(65536).decode())
        else:
            print(Path(os.environ["FAKE_NOTE"]).read_text(encoding="utf-8"))
        sys.stdout.flush()
        outcome(outcome="exited", status=0)
        return 0
    if KIND == "paths":  # prints its paths
        report(f"check {CHECKS[0]} pass", f"check {CHECKS[1]} fail {Path.cwd()} at {time.time_ns()}")
        report(f"check t.fake.choice value {Path.cwd()} {option('--dir')}")
        print(os.environ["HOME"], file=sys.stderr)
        outcome(outcome="trap", message=str(Path.cwd()))
        return 1
    if KIND == "hostile":  # prints far too much, with markup
        evil = "<script>alert(1)</script>]]>|`**green**`\x00\x1b[31m\u202e" * 2000
        report(*(f"check {check} fail {evil}" for check in CHECKS), f"check t.fake.choice value {evil}")
        sys.stdout.write(evil * 3)
        sys.stderr.write(evil * 3)
        sys.stdout.flush()
        for root in [Path(sys.argv[i + 1].split("::")[0]) for i, word in enumerate(sys.argv) if word == "--dir"]:
            for number in range(2000):
                (root / f"{number}-{'x' * 200}").write_text("", encoding="utf-8")
        outcome(outcome="trap", kind=evil, message=evil, imports=[{"name": evil}] * 500)
        return 7
    raise SystemExit(f"no such kind: {KIND}")


if __name__ == "__main__":
    sys.exit(main())
