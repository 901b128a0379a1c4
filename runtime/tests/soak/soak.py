#!/usr/bin/env python3
"""Serves for a long time with good and hostile clients at once, and watches that nothing grows, hangs or is lost.

Usage: soak.py [--minutes M] [--rate N] [--seed N] [--touchstone FILE] [--keep FOLDER]      (make soak MINUTES=60)
In: touchstone, fixtures/built. Out: tables on stdout: requests by kind, times, memory, descriptors and threads at
checkpoints; samples each second in FOLDER/samples.csv. Exit status 1: a request was answered in another way than
expected, something grew, a server ended, or a killed process left something damaged; 2: wrong usage; 130: interrupted.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "outside"))
from beside import Neighbours, large, summary
from client import Kind, run
from good import GOOD, GUESTS
from hostile import HOSTILE
from http_wire import Reader, get
from tally import Tally
from watch import NOISE_KIB, SLOPE_KIB, Sample, Sampler, growth, settled, slope, warmed_up

ROOT = Path(__file__).resolve().parents[3]
BUILT = ROOT / "fixtures/built"
PROCESSES: list[list[Kind]] = [GOOD, GUESTS, HOSTILE]
# --max-time is longer than --stall-timeout, so that both are reached, and than a busy machine stops a good guest.
LIMITS = [
    *("--max-time", "5s", "--max-memory", "16MiB", "--head-timeout", "2s", "--idle-timeout", "5s", "--stall-timeout", "3s"),
    *("--request-timeout", "30s", "--queue-timeout", "30s", "--max-connections", "3000", "--grace", "5s"),
]
SERVERS = {"a fresh instance": [], "--reuse 20": ["--reuse", "20", "--engine", "compiled-at-once"]}
RATE_LEAST = 50  # requests a second: at fewer, a client might wait for its turn for longer than --idle-timeout
SETTLE = 60.0  # seconds: threads that are not needed end after 10
AT_REST = (os.cpu_count() or 1) + 9  # threads: one a core, the monitor, and 8 that are kept


@dataclass
class Server:
    name: str
    process: subprocess.Popen[bytes]
    port: int
    log: Path
    base: Sample | None = None  # before the clients
    checkpoints: list[Sample] = field(default_factory=list)


def start(touchstone: Path, name: str, options: Sequence[str], cache: Path, folder: Path) -> Server:
    log = folder / f"server-{len(list(folder.glob('server-*')))}.log"
    argv = [touchstone, "serve", "--addr", "127.0.0.1:0", "--cache", cache, *LIMITS, *options, large(BUILT / "serve-routes.wasm", folder)]
    with log.open("wb") as file:
        process = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=file)
    end = time.monotonic() + 60
    while not (found := re.search(r"Serving HTTP on http://127\.0\.0\.1:(\d+)/", log.read_text(errors="replace"))):
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            raise SystemExit(f"soak: the server does not start: {log.read_text(errors='replace')}")
        time.sleep(0.02)
    return Server(name, process, int(found[1]), log)


def first_requests(port: int) -> None:
    """What a server opens with its first requests and keeps, such as the file of the data image, is not of the clients."""
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", port), timeout=60) as c:
            c.sendall(get("/hello", "Connection: close").encode())
            Reader(c).response()
    time.sleep(0.5)


class Soak:
    def __init__(self, touchstone: Path, seconds: float, seed: int, folder: Path, rate: float = 0) -> None:
        self.touchstone, self.seconds, self.seed, self.folder, self.rate = touchstone, seconds, seed, folder, rate
        self.cache = folder / "cache"
        self.kinds = [kind for kinds in PROCESSES for kind in kinds]
        self.tally = Tally([kind.name for kind in self.kinds], len(PROCESSES), folder)
        self.pause, self.stop = multiprocessing.Event(), multiprocessing.Event()
        self.problems: list[str] = []
        self.servers: list[Server] = []
        self.clients: list[multiprocessing.Process] = []
        self.neighbours = Neighbours(touchstone, BUILT, self.cache, folder, seed)

    def begin(self) -> None:
        self.servers = [start(self.touchstone, name, options, self.cache, self.folder) for name, options in SERVERS.items()]
        for server in self.servers:
            first_requests(server.port)
            server.base = settled(server.process.pid, 0, 10**6, 10**6, 0)
        ports = [server.port for server in self.servers]
        for number, kinds in enumerate(PROCESSES):
            rate = self.rate if kinds is GOOD else 0  # the others pause by themselves
            arguments = (number, kinds, ports, self.tally, self.pause, self.stop, self.seed, rate)
            self.clients.append(multiprocessing.Process(target=run, args=arguments, daemon=True))
        for process in self.clients:  # before the threads of this process
            process.start()
        self.neighbours.start()

    def work(self, seconds: float) -> bool:
        """Lets the clients work. Returns whether the servers are alive."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(0.2)
            for server in self.servers:
                if server.process.poll() is not None:
                    self.problems.append(f"{server.name}: the server ended with {server.process.returncode}")
                    return False
        return True

    def checkpoint(self, threads: int) -> None:
        """Pauses the clients, waits until connections have ended, and threads but for these, and looks."""
        self.pause.set()
        self.neighbours.pause.set()
        end = time.monotonic() + 90
        while (any(self.tally.busy) or not self.neighbours.idle) and time.monotonic() < end:
            time.sleep(0.1)
        if any(self.tally.busy):
            self.problems.append(f"clients were still waiting 90 s after the last request: {list(self.tally.busy)}")
        for server in self.servers:
            assert server.base
            server.checkpoints.append(settled(server.process.pid, self.tally.requests(), server.base.files, threads, SETTLE))
        self.pause.clear()
        self.neighbours.pause.clear()

    def play(self) -> None:
        parts = max(2, min(10, round(self.seconds / 60)))
        with (self.folder / "samples.csv").open("w") as file:
            sampler = Sampler([s.process.pid for s in self.servers], self.tally.requests, file)
            sampler.start()
            for part in range(parts):
                if not self.work(self.seconds / parts):
                    break
                # in a run of seconds, threads are waited for at the end alone
                self.checkpoint(AT_REST if self.seconds >= 60 or part == parts - 1 else 10**6)
                s = self.servers[0].checkpoints[-1]
                print(f"soak: {self.tally.requests()} requests, {s.rss_kib} KiB, {s.files} descriptors, {s.threads} threads", flush=True)
            sampler.ended.set()
            sampler.join()
        self.most = sampler.most

    def end(self) -> None:
        self.stop.set()
        self.neighbours.stop.set()
        self.neighbours.join(120)
        for process in self.clients:
            process.join(90)
            if process.is_alive():
                self.problems.append("a process of clients does not end")
                process.kill()
        for server in self.servers:
            if server.process.poll() is None:
                server.process.terminate()
                try:
                    status = server.process.wait(30)
                    if status:
                        self.problems.append(f"{server.name}: the server ended with {status} after SIGTERM")
                except subprocess.TimeoutExpired:
                    self.problems.append(f"{server.name}: the server does not end after SIGTERM")
                    server.process.kill()
            text = server.log.read_text(errors="replace")
            self.problems += [f"{server.name}: {line}" for line in text.splitlines() if "Sanitizer" in line or "runtime error:" in line]

    def judge(self) -> None:
        for kind in self.kinds:
            row = self.tally.row(kind.name)
            if row.unexpected:
                self.problems.append(f"{kind.name}: {row.unexpected} of {row.expected + row.unexpected} requests were not answered as expected")
            if not row.expected:
                self.problems.append(f"{kind.name}: no request was answered")
        for server in self.servers:
            if len(server.checkpoints) > 1:
                self.problems += growth(server.name, server.checkpoints, AT_REST)
        self.problems += self.neighbours.damage
        self.problems += self.tally.surprises()

    def report(self) -> None:
        print(f"\n{'kind':26} {'expected':>10} {'unexpected':>10} {'p50 ms':>8} {'p99 ms':>8} {'worst ms':>9}")
        for kind in self.kinds:
            row = self.tally.row(kind.name)
            times = "".join(f" {row.at(p) * 1000:{w}.2f}" for p, w in ((0.5, 8), (0.99, 8), (1.0, 9))) if any(row.times) else ""
            print(f"{kind.name:26} {row.expected:10} {row.unexpected:10}{times}")
        print(f"{'in all':26} {self.tally.requests():10}")
        for server in self.servers:
            if not server.checkpoints or not server.base:
                continue
            c, m = server.checkpoints, self.most[server.process.pid]
            rss, files, threads = (" ".join(str(getattr(s, name)) for s in c) for name in ("rss_kib", "files", "threads"))
            print(f"\nserver with {server.name}: at rest at the {len(c)} checkpoints; most under load in brackets")
            print(f"  resident KiB  {server.base.rss_kib} at the start; {rss} ({m.rss_kib})")
            print(f"  descriptors   {server.base.files} at the start; {files} ({m.files})")
            print(f"  threads       {server.base.threads} at the start; {threads} ({m.threads})")
            print(f"  slope         {slope(c[warmed_up(c) - 1 :]):.1f} KiB per 100,000 requests after the warm-up (allowed: {SLOPE_KIB:.0f}, and {NOISE_KIB} KiB in all)")
        print("\n" + "\n".join(summary(self.neighbours)))
        for problem in self.problems:
            print(f"PROBLEM {problem}")
        print("soak: red" if self.problems else "soak: green")


def main() -> int:
    parser = argparse.ArgumentParser(description="Serves for a long time with good and hostile clients.")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--rate", type=float, default=0, help="requests a second, at most, of all good clients together; default: as many as they can")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--touchstone", type=Path, default=ROOT / os.environ.get("BUILD", "build") / "touchstone")
    parser.add_argument("--keep", type=Path, help="a folder for logs and samples, which stays")
    o = parser.parse_args()
    if not os.access(o.touchstone, os.X_OK):
        parser.error(f"{o.touchstone} is not a program: run make")
    if not 0.05 <= o.minutes <= 10000:
        parser.error("--minutes: 0.05 to 10000 are possible")
    if o.rate and not o.rate >= RATE_LEAST:
        parser.error(f"--rate: at least {RATE_LEAST} requests a second are possible")
    print(f"soak: {o.minutes:g} minutes, seed {o.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="soak-") as temporary:
        folder = o.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        soak = Soak(o.touchstone.resolve(), o.minutes * 60, o.seed, folder.resolve(), o.rate)
        try:
            soak.begin()
            soak.play()
        except KeyboardInterrupt:
            print("soak: interrupted", file=sys.stderr)
            return 130
        finally:
            soak.end()
        soak.judge()
        soak.report()
    return 1 if soak.problems else 0


if __name__ == "__main__":
    sys.exit(main())
