"""The soak for a few seconds, and that it sees what it looks for: growth, wrong answers, damaged caches and records."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "soak"))
import watch
from beside import Damage, Neighbours
from client import Pace
from good import GOOD
from tally import BUCKETS, Tally
from watch import Sample, growth, slope

ROOT = Path(__file__).resolve().parents[3]
TOUCHSTONE = ROOT / os.environ.get("BUILD", "build") / "touchstone"
SOAK = ROOT / "runtime/tests/soak"

pytestmark = pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built")


def soak(*options: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, SOAK / "soak.py", *options], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=280, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_few_seconds(tmp_path: Path) -> None:
    status, said = soak("--minutes", "0.1", "--seed", "3", "--touchstone", str(TOUCHSTONE), "--keep", str(tmp_path))
    assert status == 0, said[-4000:]
    assert said.endswith("soak: green\n")
    found = re.search(r"^in all +(\d+)$", said, re.M)
    assert found and int(found[1]) > 1000, said
    assert "server is killed" in said and "record is killed" in said
    assert len((tmp_path / "samples.csv").read_text().splitlines()) > 5


def test_a_rate(tmp_path: Path) -> None:
    """The good clients together stay below it, and every kind of them has its turns."""
    status, said = soak("--minutes", "0.1", "--seed", "3", "--rate", "100", "--touchstone", str(TOUCHSTONE), "--keep", str(tmp_path))
    assert status == 0, said[-4000:]
    answered = {kind.name: int(found[1]) for kind in GOOD if (found := re.search(rf"^{re.escape(kind.name)} +(\d+) ", said, re.M))}
    assert len(answered) == len(GOOD) and min(answered.values()) > 0
    threads = sum(kind.threads for kind in GOOD)
    assert sum(answered.values()) <= 100 * 6.5 + 32 * threads, answered  # each thread may have begun one batch more


def test_a_pace() -> None:
    pace = Pace(100)
    assert [pace.book(n, 10.0) for n in (32, 1, 1)] == [10.0, pytest.approx(10.32), pytest.approx(10.33)]
    assert pace.book(1, 50.0) == 50.0  # nobody makes up for the time before
    assert pace.book(1, 50.0) == pytest.approx(50.01)


def test_a_server_that_answers_something_else(tmp_path: Path) -> None:
    """It serves another component: nearly every answer is unexpected, and the exit status says so."""
    other = tmp_path / "touchstone"
    other.write_text(f'#!/bin/sh\nfor last; do :; done\ncase "$1" in serve) exec {TOUCHSTONE} "$@" ;; esac\nexec {TOUCHSTONE} "$@"\n'.replace(
        '"$@" ;;', "serve --addr 127.0.0.1:0 --head-timeout 1s --idle-timeout 2s --stall-timeout 1s " + str(ROOT / "fixtures/built/serve-minimal.wasm") + " ;;"))
    other.chmod(0o755)
    status, said = soak("--minutes", "0.05", "--touchstone", str(other))
    assert status == 1
    assert said.endswith("soak: red\n")
    assert re.search(r"^PROBLEM chunked echo: \d+ of \d+ requests were not answered as expected$", said, re.M), said[-3000:]


@pytest.mark.parametrize(("options", "words"), [
    (["--minutes", "0"], "--minutes: 0.05 to 10000 are possible"),
    (["--rate", "49"], "--rate: at least 50 requests a second are possible"),
    (["--rate", "-1"], "--rate: at least 50 requests a second are possible"),
    (["--rate", "nan"], "--rate: at least 50 requests a second are possible"),
    (["--touchstone", "/nowhere"], "/nowhere is not a program: run make"),
])  # fmt: skip
def test_wrong_usage(options: list[str], words: str) -> None:
    status, said = soak(*options)
    assert status == 2 and words in said


def test_growth_is_seen() -> None:
    flat = [Sample(n * 100_000, 20_000, 9, 11) for n in range(1, 6)]
    assert growth("s", flat, 11) == []
    assert growth("s", [*flat[:-1], Sample(500_000, 20_000, 10, 11)], 11) == ["s: descriptors grew from 9 to 10"]
    assert growth("s", [*flat[:-1], Sample(500_000, 20_000, 9, 12)], 11) == ["s: threads grew from 11 to 12"]
    assert growth("s", [flat[0], Sample(200_000, 20_000, 9, 9)], 11) == []
    leaking = [Sample(n * 100_000, 20_000 + n * 2000, 9, 11) for n in range(1, 6)]
    assert slope(leaking) == pytest.approx(2000)
    assert growth("s", leaking, 11) == [f"s: resident memory grew by 8000 KiB, more than {watch.NOISE_KIB + 4 * watch.SLOPE_KIB:.0f} KiB"]


def test_the_tally_adds_up(tmp_path: Path) -> None:
    tally = Tally(["a", "b"], 2, tmp_path)
    for tally.process in (0, 1):
        tally.add("a", 5)
        tally.surprise("b", "another answer")
        for ms in range(1, 101):
            tally.time("a", ms / 1000)
    assert (tally.row("a").expected, tally.row("a").unexpected, tally.requests()) == (10, 0, 12)
    assert (tally.row("b").expected, tally.row("b").unexpected) == (0, 2)
    assert tally.surprises() == ["b: another answer"] * 2
    assert tally.row("a").at(0.5) == pytest.approx(0.05, rel=0.05)
    assert tally.row("a").at(1.0) == pytest.approx(0.1, rel=0.05)
    assert len(tally.row("b").times) == BUCKETS


@pytest.mark.parametrize("damage", ["none", "cut", "changed", "foreign"])
def test_a_damaged_cache_is_seen(tmp_path: Path, damage: str) -> None:
    n = Neighbours(TOUCHSTONE, ROOT / "fixtures/built", tmp_path / "cache", tmp_path, 1)
    n.reference = n.reference_of()
    n.check_made()
    entry = next((tmp_path / "cache").glob("*.valid"))
    content = entry.read_bytes()
    if damage == "cut":
        entry.write_bytes(content[:-1])
    elif damage == "changed":
        entry.write_bytes(content[:20] + bytes([content[20] ^ 1]) + content[21:])
    elif damage == "foreign":
        (tmp_path / "cache/other").write_bytes(b"")
    if damage == "none":
        n.check_cache()
    else:
        with pytest.raises(Damage):
            n.check_cache()


def test_each_scene_leaves_everything_whole(tmp_path: Path) -> None:
    n = Neighbours(TOUCHSTONE, ROOT / "fixtures/built", tmp_path / "cache", tmp_path, 2)
    n.reference = n.reference_of()
    n.check_made()
    for scene in (n.server_is_killed, n.run_is_killed, n.record_is_killed, n.cache_is_emptied):
        for _ in range(3):
            scene()
    assert n.damage == []
