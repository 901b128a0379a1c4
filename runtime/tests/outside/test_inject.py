"""A sample of `make inject`: calls that fail once, in each scenario; and that no import of the runtime is forgotten."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "inject"))
from http_wire import Response
from inject import SCENARIOS, Point, judged
from points import ERRORS, INVISIBLE, LEFT_OUT
from scenarios import Ending
from serving import judge

ROOT = Path(__file__).resolve().parents[3]
BUILD = ROOT / os.environ.get("BUILD", "build")
INJECT = ROOT / "runtime/tests/inject"
SAMPLE = {"serve": 12, "serve-reuse": 12, "serve-compiled": 30}  # these take longer
OTHERS = 40


def no_faults(name: str, sample: int, *options: str) -> None:
    if not os.access(SCENARIOS[name].program, os.X_OK):
        pytest.skip(f"{SCENARIOS[name].program} is not built")
    argv = [sys.executable, INJECT / "inject.py", "--only", name, "--sample", str(sample), "--seed", "1", "--jobs", "1", *options]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"inject: [1-9]\d* points, 0 faults\n", done.stdout)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_sample(name: str) -> None:
    no_faults(name, SAMPLE.get(name, OTHERS))


MENDED = (("serve", "epoll_ctl", 8), ("serve", "sigaction", 17), ("serve", "getsockname", 1), ("serve-compiled", "pthread_mutex_init", 20), ("replay", "write", 20),
          ("papers", "fputc", 20), ("papers", "close:12", 2), ("inspect", "memory:1", 1))  # fmt: skip


@pytest.mark.parametrize(("name", "point", "sample"), MENDED, ids=[f"{name}-{point}" for name, point, _ in MENDED])
def test_where_faults_were(name: str, point: str, sample: int) -> None:
    no_faults(name, sample, "--point", point)


def imports() -> set[str]:
    """The functions of other libraries that the runtime calls."""
    found, ours = set(), set()
    for archive in [BUILD / "libtouchstone.a", *(BUILD / "obj/runtime/cli").rglob("*.o")]:
        listing = subprocess.run(["nm", archive], capture_output=True, text=True, check=True).stdout
        found |= set(re.findall(r"^ +[Uw] (\S+)$", listing, re.M))
        ours |= set(re.findall(r"^[0-9a-f]+ [A-Za-z] (\S+)$", listing, re.M))
    return {name.split("@")[0] for name in found - ours} - {"_GLOBAL_OFFSET_TABLE_"}


@pytest.mark.skipif(not (BUILD / "libtouchstone.a").exists(), reason="the library is not built")
def test_every_import_fails_or_is_excused() -> None:
    """A function that the runtime begins to call gets a wrapper in inject.c, or a reason in points.py."""
    source = (INJECT / "inject.c").read_text()
    wrapped = set(re.findall(r"(?:WRAP\w*|DECLARE)\((?:[\w *]+, )?(\w+),", source)) | set(re.findall(r"ts_inject_(\w+)\(", source))
    wrapped |= set(re.findall(r"WRAP\w*\([\w ]+\*?, (\w+),", source))
    excused = {name for names in LEFT_OUT.values() for name in names.split()}
    missing = {name for name in imports() - wrapped - excused if not name.startswith(("ts_", "llhttp_", "__asan", "__ubsan"))}
    assert not missing, f"neither in inject.c nor in points.py: {sorted(missing)}"
    assert not excused & wrapped


def test_errors_are_of_functions_that_fail() -> None:
    source = (INJECT / "inject.c").read_text()
    assert [name for name in ERRORS if name not in source] == []
    assert [name for name, _ in INVISIBLE if name not in source] == []


SCENARIO = replace(SCENARIOS["run"], out=b"right")
SEEN = Point("openat", 3, 5)


@pytest.mark.parametrize(("ending", "point", "wrong"), [
    (Ending(0, b"right", ""), SEEN, ""),
    (Ending(1, b"", "open: access"), SEEN, ""),
    (Ending(127, b"", "touchstone: internal: out of memory"), SEEN, ""),
    (Ending(0, b"rig", ""), SEEN, "reports success"),
    (Ending(None, b"", ""), SEEN, "hangs"),
    (Ending(-11, b"", ""), SEEN, "signal 11"),
    (Ending(127, b"", "touchstone: "), SEEN, "without a message"),
    (Ending(3, b"", "touchstone: something went wrong"), SEEN, "which no page lists"),
    (Ending(23, b"right", "==1==ERROR: LeakSanitizer: detected memory leaks"), SEEN, "LeakSanitizer"),
    (Ending(1, b"", "x.c:1:2: runtime error: null pointer"), SEEN, "runtime error"),
    (Ending(0, b"right", "", "the guest's directory has {}"), SEEN, "directory"),
    (Ending(1, b"", "open: interrupted"), Point("read", 1, 4), "though nothing has failed for good"),
])  # fmt: skip
def test_what_is_wrong_is_seen(ending: Ending, point: Point, wrong: str) -> None:
    said = judged(SCENARIO, ending, point)
    assert (wrong in said) if wrong else said == ""


@pytest.mark.parametrize(("body", "no_memory", "is_right"), [
    (b"chunksmore", False, True),
    (b"chunks", False, False),
    (b"", False, False),
    (b"", True, True),
    (b"more", True, False),
])  # fmt: skip
def test_an_echo_is_cut_only_where_memory_failed(body: bytes, no_memory: bool, is_right: bool) -> None:
    assert (judge("echo", Response(200, [], body), 200, b"chunksmore", no_memory) == "") == is_right


@pytest.mark.parametrize(("options", "words"), [
    (["--only", "nothing"], "there is no scenario nothing"),
    (["--every", "many"], "invalid int value"),
])  # fmt: skip
def test_wrong_usage(options: list[str], words: str) -> None:
    done = subprocess.run([sys.executable, INJECT / "inject.py", *options], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and words in done.stderr
