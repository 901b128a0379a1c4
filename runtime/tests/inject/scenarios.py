"""What runs while a call fails: commands with all that they read, and what is right afterwards.

In: the folder of the builds, fixtures/built. Out: SCENARIOS, by name. A scenario plays once in a folder of its own and
returns how it ended.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "outside"))
from padded import padded

ROOT = Path(__file__).resolve().parents[3]
BUILT = ROOT / "fixtures/built"
PLAIN = ROOT / os.environ.get("BUILD", "build") / "touchstone-inject"  # has machine code; only leaks are checked
CHECKED = Path(os.environ.get("TOUCHSTONE_INJECT", ROOT / "build-asan/touchstone-inject"))
LIMIT = 30.0
STRICT_OUT = b"files\ndirectories\ntcp\nudp\nrest\n"
LEAKS = 23  # the exit status of the leak checker, and of the other sanitizers
SANITIZERS = {
    "ASAN_OPTIONS": f"detect_leaks=1:exitcode={LEAKS}:quarantine_size_mb=8:allocator_may_return_null=1",
    "UBSAN_OPTIONS": f"print_stacktrace=1:exitcode={LEAKS}",
    "LSAN_OPTIONS": f"exitcode={LEAKS}:print_suppressions=0",
    "TOUCHSTONE_CONFINE": "off",  # the leak checker needs what a confined process may not do
}


@dataclass(frozen=True)
class Ending:
    """`wrong` is empty if the scenario itself found nothing wrong."""

    status: int | None  # None: it hangs
    out: bytes
    said: str
    wrong: str = ""


@dataclass(frozen=True)
class Scenario:
    name: str
    program: Path
    argv: tuple[str, ...]  # {d} is the folder
    stdin: bytes = b""
    out: bytes | None = None  # None: what it writes without a fault
    status: int = 0
    prepare: Callable[[Path], object] = lambda folder: None
    after: Callable[[Path], str] = lambda folder: ""  # only if the command reports success
    play: Callable[[Scenario, Path, Mapping[str, str]], Ending] | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    told: bytes | None = None  # the output of a guest that was told of an error
    lenient: bool = False  # the guest ignores errors, so that its output is not judged

    def run(self, folder: Path, env: Mapping[str, str]) -> Ending:
        """Plays once, in a new folder. `env` has what is injected."""
        folder.mkdir(parents=True)
        try:
            self.prepare(folder)
            everything = {**os.environ, **SANITIZERS, "HOME": str(folder), **self.env, **env}
            ending = (self.play or command)(self, folder, everything)
            if ending.status == self.status and not ending.wrong:
                return Ending(ending.status, ending.out, ending.said, self.after(folder))
            return ending
        finally:
            shutil.rmtree(folder)

    def words(self, folder: Path) -> list[str]:
        return [str(self.program), *(a.replace("{d}", str(folder)) for a in self.argv)]


def command(scenario: Scenario, folder: Path, env: Mapping[str, str]) -> Ending:
    try:
        done = subprocess.run(scenario.words(folder), input=scenario.stdin, capture_output=True, timeout=LIMIT, check=False, env=dict(env), cwd=folder)
    except subprocess.TimeoutExpired as e:
        return Ending(None, e.stdout or b"", (e.stderr or b"").decode(errors="replace"))
    return Ending(done.returncode, done.stdout, done.stderr.decode(errors="replace"))


# --- the folder before and after ----------------------------------------------------------------------------------


def tree(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data/hello.txt").write_text("hello\n")


def tree_made(folder: Path) -> str:
    """What the guest has left in its directory."""
    found = {str(p.relative_to(folder / "data")): p.read_bytes() for p in (folder / "data").rglob("*") if p.is_file()}
    want = {"hello.txt": b"hello\n", "sub/moved.txt": b"first second"}
    return "" if found == want else f"the guest's directory has {found}"


def again(folder: Path, *argv: str, component: str = "") -> str:
    """The command without a fault, on what is left: it has the right output."""
    shutil.rmtree(folder / "data", ignore_errors=True)
    tree(folder)
    words = [str(PLAIN), "run", *argv, *GRANTS, component or STRICT]
    done = subprocess.run([w.replace("{d}", str(folder)) for w in words], input=STRICT_IN, capture_output=True, timeout=LIMIT, check=False, env={**os.environ, **SANITIZERS})
    if (done.returncode, done.stdout) == (0, STRICT_OUT):
        return ""
    return f"{' '.join(argv)} afterwards: status {done.returncode}, {done.stdout!r} {done.stderr[-500:]!r}"


def recorded(folder: Path) -> str:
    return tree_made(folder) or again(folder, "--replay", "{d}/record")


def cached(folder: Path) -> str:
    return tree_made(folder) or again(folder, "--cache", "{d}/cache", component=LARGE)


def large(folder: Path) -> None:
    """A component that is large enough to be cached."""
    tree(folder)
    (folder / "large.wasm").write_bytes(LARGE_BYTES)
    os.utime(folder / "large.wasm", (1, 1))  # a file that was just changed has no alias in the cache


def fill_cache(folder: Path) -> None:
    large(folder)
    again(folder, "--cache", "{d}/cache", component=LARGE)
    shutil.rmtree(folder / "data")
    tree(folder)


def make_record(folder: Path) -> None:
    tree(folder)
    again(folder, "--record", "{d}/record")


def papers(folder: Path) -> str:
    """The files that tell of a run are whole."""
    for name in ("outcome", "profile"):
        try:
            json.loads((folder / name).read_text())
        except (OSError, ValueError) as e:
            return f"{name}: {e}"
    lines = (folder / "trace").read_text().splitlines()
    calls = sum(line.startswith("wasi:") for line in lines)
    return tree_made(folder) or ("" if calls > 90 or "no memory" in lines[-1] else f"the trace has {calls} calls and says nothing of others")


def policy(folder: Path) -> None:
    tree(folder)
    (folder / "p.toml").write_text(
        f'dir = ["{folder}/data::/d"]\ntcp-connect = "127.0.0.1:*"\ntcp-listen = "127.0.0.1:0"\nudp = "127.0.0.1:*"\n'
        'udp-bind = "127.0.0.1:0"\nmax-memory = "64MiB"\nmax-time = 20\nenv = {A = "1", B = "2"}\n'
    )


GRANTS = ("--dir", "{d}/data::/d", "--tcp-connect", "127.0.0.1:*", "--tcp-listen", "127.0.0.1:0", "--udp", "127.0.0.1:*", "--udp-bind", "127.0.0.1:0")
STRICT = str(BUILT / "sockets-strict.wasm")
STRICT_IN = b"from stdin\n"
LARGE = "{d}/large.wasm"
LARGE_BYTES = padded(Path(STRICT).read_bytes())


def strict(name: str, *options: str, program: Path = CHECKED, prepare: Callable[[Path], object] = tree, after: Callable[[Path], str] = tree_made,
           grants: tuple[str, ...] = GRANTS, env: Mapping[str, str] | None = None, component: str = STRICT) -> Scenario:  # fmt: skip
    return Scenario(name, program, ("run", *options, *grants, component), STRICT_IN, STRICT_OUT, 0, prepare, after, None, env or {})


def replays(folder: Path) -> str:
    """A replay leaves the world alone."""
    return "" if [p.name for p in (folder / "data").iterdir()] == ["hello.txt"] else "a replay has changed files"


def replaying(folder: Path) -> None:
    make_record(folder)
    shutil.rmtree(folder / "data")
    tree(folder)


COMMANDS = [
    strict("run"),
    strict("compiled", "--engine", "compiled-at-once", program=PLAIN),
    strict("cache-cold", "--cache", "{d}/cache", prepare=large, after=cached, component=LARGE),
    strict("cache-warm", "--cache", "{d}/cache", prepare=fill_cache, after=cached, component=LARGE),
    strict("record", "--record", "{d}/record", after=recorded),
    strict("replay", "--replay", "{d}/record", prepare=replaying, after=replays, grants=()),
    strict("confine", "--confine=require", program=PLAIN, env={"LSAN_OPTIONS": "detect_leaks=0"}),
    strict("papers", "--trace-all", "--trace-output", "{d}/trace", "--outcome", "{d}/outcome", "--profile", "{d}/profile", after=papers),
    strict("policy", "--policy", "{d}/p.toml", prepare=policy, grants=()),
    Scenario("module", CHECKED, ("run", "--env", "GREETING=hi", "--dir", "{d}/data::/data", str(BUILT / "program-libc-module.wasm"), "one"),
             b"a\nb\n", None, 7, tree, lenient=True),
    Scenario("validate", CHECKED, ("validate", STRICT)),
    Scenario("inspect", CHECKED, ("inspect", STRICT)),
    Scenario("invoke", CHECKED, ("run", "--invoke", "wasi:cli/run@0.2.0#run()", str(BUILT / "hello.wasm")), told=b"err\n"),
]
