"""HTTP served under load by wrk, our server and `wasmtime serve` in turn; memory over many requests; and what instances cost.

In: build/touchstone, wrk (Debian's package), wasmtime, fixtures/built/serve-minimal.wasm, build/guests/proxy-js.wasm. Out: Loads.
"""

from __future__ import annotations

import re
import select
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from prepare import BENCH, CLANGS, LIBRARY, OUT, ROOT, find, find_binary, run_logged, say, stale
from startup import TOUCHSTONE, compiled

CONNECTIONS = (1, 8, 64)
MANY = 100_000
LIVE = 10_000


@dataclass(frozen=True)
class Load:
    """The run with the median rate, of several runs of wrk."""

    what: str
    engine: str
    connections: int
    rate: float
    p50_ms: float
    p99_ms: float
    peak_mib: float
    failed: int


@dataclass(frozen=True)
class Steady:
    what: str
    requests: int
    before_mib: float
    after_mib: float


@dataclass(frozen=True)
class Instances:
    what: str
    engine: str
    live: int
    fresh_us: float
    live_us: float
    bytes: int


@dataclass
class Loads:
    loads: list[Load] = field(default_factory=list)
    steady: list[Steady] = field(default_factory=list)
    instances: list[Instances] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Server:
    engine: str
    process: subprocess.Popen[str]
    port: int

    def kib(self, name: str) -> int:
        found = re.search(rf"^{name}:\s+(\d+) kB", Path(f"/proc/{self.process.pid}/status").read_text(), re.M)
        return int(found[1]) if found else 0


class Refused(Exception):
    """A server does not serve, and why."""


@contextmanager
def serving(engine: str, command: Sequence[str | Path]) -> Iterator[Server]:
    process = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        said = ""
        end = time.monotonic() + 120
        while not (found := re.search(r"Serving HTTP on http://[^/]*:(\d+)/", said)):
            assert process.stderr
            ready, _, _ = select.select([process.stderr], [], [], max(0.0, end - time.monotonic()))
            line = process.stderr.readline() if ready else ""
            if not line:
                raise Refused(f"{engine} does not serve: {said.strip()[-200:]}")
            said += line
        yield Server(engine, process, int(found[1]))
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def milliseconds(text: str) -> float:
    number, unit = float(re.sub(r"[a-z]+$", "", text)), re.sub(r"^[\d.]+", "", text)
    return number * {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}[unit]


def wrk(tool: str, what: str, server: Server, path: str, connections: int, seconds: int) -> tuple[Load, int]:
    command = [tool, "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "--latency", f"http://127.0.0.1:{server.port}{path}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60 + seconds)
    text = done.stdout
    try:
        served = int(re.findall(r"(\d+) requests in", text)[0])
        rate = float(re.findall(r"Requests/sec:\s+([\d.]+)", text)[0])
        p50, p99 = (milliseconds(re.findall(rf"^\s+{p}%\s+([\d.]+[a-z]+)", text, re.M)[0]) for p in (50, 99))
    except IndexError:
        raise Refused(f"wrk says of {server.engine}: {(text + done.stderr).strip()[-200:]}") from None
    bad = re.findall(r"Non-2xx or 3xx responses: (\d+)", text)
    socket = re.findall(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    failed = sum(map(int, bad)) + sum(int(n) for row in socket for n in row)
    return Load(what, server.engine, connections, rate, p50, p99, server.kib("VmHWM") / 1024, failed), served


def loads(out: Loads, tool: str, what: str, path: str, servers: Sequence[Server], rounds: int, seconds: int) -> None:
    for server in servers:  # what the first request creates exists by now
        wrk(tool, what, server, path, 8, 1)
    for connections in CONNECTIONS:
        each: dict[str, list[Load]] = {}
        for round_ in range(rounds):
            for server in servers if round_ % 2 == 0 else servers[::-1]:
                load, _ = wrk(tool, what, server, path, connections, seconds)
                each.setdefault(server.engine, []).append(load)
        for rows in each.values():
            out.loads.append(sorted(rows, key=lambda load: load.rate)[len(rows) // 2])
    out.errors += [f"{row.engine}, {what}: {row.failed} requests failed" for row in out.loads if row.failed and row.what == what]


def steady(out: Loads, tool: str, what: str, path: str, server: Server, count: int) -> None:
    """The size of the process before and after many requests."""
    before, served = server.kib("VmRSS"), 0
    while served < count:
        served += wrk(tool, what, server, path, 8, 2)[1]
    out.steady.append(Steady(what, served, before / 1024, server.kib("VmRSS") / 1024))


def under_load(out: Loads, full: bool) -> None:
    tool, theirs = find("wrk"), find_binary("wasmtime")
    if not tool:
        say("serving is left out: wrk is absent")
        return
    if subprocess.run([TOUCHSTONE, "serve", "--addr", "1.2.3.4:1", ROOT / "fixtures/built/serve-minimal.wasm"], capture_output=True, text=True).stderr.find("no HTTP server") >= 0:
        say("serving is left out: this build has no HTTP server")
        return
    rounds, seconds = (5, 5) if full else (3, 2)
    javascript = ROOT / "build/guests/proxy-js.wasm"
    if not javascript.exists():
        say("the JavaScript handler is left out: make guests builds it")
    for what, component, path, count in (
        ("minimal handler, 11 KB", ROOT / "fixtures/built/serve-minimal.wasm", "/", MANY),
        ("JavaScript handler, 14 MB", javascript, "/hello", MANY if full else MANY // 50),
    ):
        if not component.exists():
            continue
        command: list[str | Path] = [TOUCHSTONE, "serve", "--addr", "127.0.0.1:0", component]
        # compiled before, by Cranelift: its fastest code
        machine_code = compiled(component) if theirs else None
        try:
            with serving("touchstone", command) as ours:
                if theirs and machine_code:
                    other: list[str | Path] = [theirs, "serve", "-S", "cli", "--addr", "127.0.0.1:0", "--allow-precompiled", machine_code]
                    with serving("wasmtime serve", other) as peer:
                        loads(out, tool, what, path, [ours, peer], rounds, seconds)
                else:
                    loads(out, tool, what, path, [ours], rounds, seconds)
                steady(out, tool, what, path, ours, count)
        except Refused as why:
            out.errors.append(str(why))


def instances(out: Loads, full: bool) -> None:
    """Many live instances of one component in one process (instances.c); and by wasmtime's Python bindings, where they are."""
    program, cc = OUT / "instances", find(*CLANGS[:-1], "gcc", "cc")
    if not cc:
        return
    if stale(program, LIBRARY, BENCH / "instances.c"):
        includes: list[str | Path] = ["-I", ROOT / "runtime", "-I", ROOT / "runtime/include", "-I", ROOT / "build/gen"]
        # where the library was built with llhttp from the system, its symbols come from there
        base: list[str | Path] = [cc, "-std=gnu11", "-O2", *includes, BENCH / "instances.c", LIBRARY, "-o", program, "-lm", "-lpthread"]
        if not run_logged("instances", base) and not run_logged("instances", [*base, "-lllhttp"]):
            out.errors.append("instances cannot be built")
            return
    rounds = 20000 if full else 4000
    for name, call in (("hello.wasm", 1), ("serve-minimal.wasm", 0)):
        component = ROOT / "fixtures/built" / name
        done = subprocess.run([program, component, str(rounds), str(LIVE), str(call)], capture_output=True, text=True, timeout=300)
        found = re.search(r"fresh ([\d.]+) us, one of (\d+) live ([\d.]+) us and (\d+) bytes", done.stderr)
        what = f"{name}, {component.stat().st_size / 1000:.0f} KB"
        if found:
            out.instances.append(Instances(what, "touchstone", int(found[2]), float(found[1]), float(found[3]), int(found[4])))
        else:
            out.errors.append(f"instances of {name}: {done.stderr.strip()[-200:]}")
        python = ROOT / ".venv/bin/python"
        if call and python.exists():
            theirs = subprocess.run([python, BENCH / "peers/instances.py", component, str(rounds), str(LIVE)], capture_output=True, text=True, timeout=300)
            found = re.search(r"fresh ([\d.]+) us, one of (\d+) live ([\d.]+) us and (\d+) bytes", theirs.stderr)
            if found:
                out.instances.append(Instances(what, "wasmtime-py", int(found[2]), float(found[1]), float(found[3]), int(found[4])))
            else:
                say(f"instances by wasmtime-py: {(theirs.stderr.strip() or 'no answer').splitlines()[-1][:160]}")


def measure(full: bool) -> Loads:
    out = Loads()
    under_load(out, full)
    instances(out, full)
    return out
