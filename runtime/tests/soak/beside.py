"""Processes beside the server that are killed with SIGKILL while they write a cache, a record and a log, and what they leave.

In: the command, a cache folder that the server shares, guests. Out: per killed process nothing is damaged: each file of
the cache is what an undisturbed process writes, a record replays as far as it goes and says where it ends, a log has
whole lines, and everything still runs with what was left.
"""

from __future__ import annotations

import random
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from http_wire import Reader, get
from padded import padded

LIMIT = 60.0
CODE_HEADER = 72
"""The bytes of the header of an entry of machine code (runtime/core/load/cache_code.c)."""
CUT_SHORT = ("cut short", "is not a record")


class Damage(Exception):
    """What a killed process has left is not whole."""


class Neighbours(threading.Thread):
    """Plays one scene after the other. `killed` counts by scene; `damage` lists what is wrong."""

    def __init__(self, touchstone: Path, built: Path, cache: Path, folder: Path, seed: int) -> None:
        super().__init__(daemon=True)
        self.touchstone, self.cache, self.folder = touchstone, cache, folder
        self.server, self.writer = (large(built / f"{name}.wasm", folder) for name in ("serve-routes", "sockets-bench"))
        self.random = random.Random(seed)
        self.stop, self.pause = threading.Event(), threading.Event()
        self.killed: dict[str, int] = {}
        self.damage: list[str] = []
        self.unfinished = 0  # temporary files of killed processes, at most at once
        self.reference: dict[str, bytes] = {}
        self.idle = True

    def run(self) -> None:
        self.reference = self.reference_of()
        scenes = (self.server_is_killed, self.run_is_killed, self.record_is_killed, self.cache_is_emptied)
        while not self.stop.is_set():
            if self.pause.is_set():
                time.sleep(0.1)
                continue
            self.idle = False
            scene = scenes[sum(self.killed.values()) % len(scenes)]
            self.killed[scene.__name__] = self.killed.get(scene.__name__, 0) + 1
            try:
                scene()
            except (Damage, OSError, subprocess.SubprocessError) as e:
                self.damage.append(f"{scene.__name__}: {e}")
            self.idle = True
            self.stop.wait(0.3)

    # --- what is left

    def ran(self, *argv: str | Path) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([self.touchstone, *argv], stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT, check=False)

    def reference_of(self) -> dict[str, bytes]:
        """The entries of a cache that nobody disturbs."""
        alone = self.folder / "alone"
        for component in (self.server, self.writer):
            # a server's component cannot be run, but is loaded, and so cached
            self.ran("run", "--cache", alone, component, *(["w", "1"] if component == self.writer else []))
        return {f.name: f.read_bytes() for f in alone.iterdir() if f.suffix == ".valid"}

    def check_cache(self) -> None:
        """Every entry under its final name is whole."""
        names = {bytes.fromhex(name.split(".")[0]) for name in self.reference}
        unfinished = 0
        for file in list(self.cache.iterdir()):
            try:
                content = file.read_bytes()
            except FileNotFoundError:
                continue
            if file.name.startswith(".new-"):
                unfinished += 1
            elif file.suffix == ".valid":
                if content != self.reference.get(file.name):
                    raise Damage(f"{file.name} has {len(content)} bytes, an undisturbed process writes {len(self.reference.get(file.name, b''))}")
            elif file.suffix == ".file":
                if content[16:] not in names:
                    raise Damage(f"{file.name} names no entry: {content!r}")
            elif file.suffix == ".code":
                if len(content) < CODE_HEADER or int.from_bytes(content[48:56], "little") != len(content):
                    raise Damage(f"{file.name} has {len(content)} bytes, and its header says something else")
            elif file.suffix != ".calls":
                raise Damage(f"{file.name} is in the cache folder")
        self.unfinished = max(self.unfinished, unfinished)
        done = self.ran("run", "--cache", self.cache, self.writer, "w", "3")
        if (done.returncode, done.stdout) != (0, bytes(3)):
            raise Damage(f"with the cache that was left: status {done.returncode}, {done.stdout!r} {done.stderr!r}")

    # --- the scenes

    def server_is_killed(self) -> None:
        """A second server with the same cache and a log is killed while it starts or answers."""
        log = self.folder / "killed.log"
        log.unlink(missing_ok=True)
        answered = 0
        argv = [self.touchstone, "serve", "--addr", "127.0.0.1:0", "--cache", self.cache, f"--log={log}", self.server]
        p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            if self.random.random() < 0.5:
                time.sleep(self.random.random() * 0.03)
            else:
                answered = ask_until(p, self.random.randint(1, 200))
        finally:
            p.kill()
            p.wait()
            if p.stderr:
                p.stderr.close()
        if log.exists():
            text = log.read_text()
            if not re.fullmatch(r'(127\.0\.0\.1:\d+ "GET /hello HTTP/1\.1" 200 6 [\d.]+ms( cut)?\n)*', text):
                raise Damage(f"the log has damaged lines: {text[-300:]!r}")
            if text.count("\n") < answered - 1:  # the line of the last response may come after it
                raise Damage(f"{answered} requests were answered, the log has {text.count(chr(10))} lines")
        self.check_cache()

    def run_is_killed(self) -> None:
        """It writes entries of the cache when it is killed."""
        for file in self.cache.glob("*.valid"):
            file.unlink(missing_ok=True)
        p = subprocess.Popen([self.touchstone, "run", "--cache", self.cache, self.writer, "w", "1000"], stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        time.sleep(self.random.random() * 0.02)
        p.kill()
        p.wait()
        self.check_cache()

    def record_is_killed(self) -> None:
        """A record of a run that is killed replays up to its end, and the replay says so."""
        record, n = self.folder / "killed.record", 20000
        record.unlink(missing_ok=True)
        p = subprocess.Popen([self.touchstone, "run", "--record", record, self.writer, "w", str(n)], stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        time.sleep(self.random.random() * 0.2)
        p.kill()
        whole = p.wait() == 0
        if not record.exists():
            return
        done = self.ran("run", "--replay", record, self.writer, "w", str(n))
        said = done.stderr.decode(errors="replace")
        replayed = (done.returncode, len(done.stdout)) == (0, n)
        if whole and not replayed:
            raise Damage(f"the record of a whole run: status {done.returncode}, {len(done.stdout)} bytes, {said[-300:]}")
        # a run may also be killed after its last entry
        if not replayed and (done.returncode <= 0 or not any(words in said for words in CUT_SHORT) or done.stdout.strip(b"\0")):
            raise Damage(f"the record of a killed run: status {done.returncode}, {len(done.stdout)} bytes, {said[-300:]}")

    def cache_is_emptied(self) -> None:
        """The folder vanishes under the processes that have it open, and is made again."""
        shutil.rmtree(self.cache, ignore_errors=True)
        self.check_made()

    def check_made(self) -> None:
        done = self.ran("run", "--cache", self.cache, self.writer, "w", "2")
        if (done.returncode, done.stdout) != (0, bytes(2)):
            raise Damage(f"without the cache folder: status {done.returncode}, {done.stdout!r} {done.stderr!r}")
        self.check_cache()


def large(component: Path, folder: Path) -> Path:
    """A copy of the component in the folder that is large enough to be cached."""
    copy = folder / f"large-{component.name}"
    if not copy.exists():
        copy.write_bytes(padded(component.read_bytes()))
    return copy


def ask_until(server: subprocess.Popen[bytes], n: int) -> int:
    """Asks a server that was just started n times. Returns the number of answers."""
    assert server.stderr
    found = re.search(rb":(\d+)/\n", server.stderr.readline())
    if not found:
        raise Damage("the second server does not start")
    with socket.create_connection(("127.0.0.1", int(found[1])), timeout=LIMIT) as c:
        reader = Reader(c)
        for _ in range(n):
            c.sendall(get("/hello").encode())
            if reader.response().body != b"hello\n":
                raise Damage("the second server answers something else")
    return n


def summary(neighbours: Neighbours) -> Sequence[str]:
    scenes = ", ".join(f"{name.replace('_', ' ')} {n} times" for name, n in sorted(neighbours.killed.items()))
    return [f"beside it: {scenes or 'nothing'}; temporary files left at once: at most {neighbours.unfinished}"]
