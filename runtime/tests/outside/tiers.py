"""A function of a core module, or of a component, in every tier: the interpreter, and machine code made at once, now and then, and when it is worth it.

In: a module, a call as text. Out: an assertion that fails where a tier has another result, message or exit status than the interpreter.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from preview1_guest import TOUCHSTONE

TIERS = (("compiled-at-once",), ("compiled-mixed",), ("compiled",), ("compiled-at-once", "--fuel", "100000000"))
"""What comes behind --engine."""


def outcome(wasm: Path, call: str, *options: str) -> tuple[int, str, str]:
    command = [TOUCHSTONE, "run", "--engine", *options, "--invoke", call, wasm]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    return done.returncode, done.stdout, done.stderr


def same_in_each_tier(wasm: Path, call: str) -> None:
    """The call returns a number that is not 0."""
    expected = outcome(wasm, call, "interpreter")
    assert expected[0] == 0 and int(expected[1]), expected
    for tier in TIERS:
        assert outcome(wasm, call, *tier) == expected, tier


def ends(wasm: Path, call: str, status: int, *said: str, options: tuple[str, ...] = ()) -> str:
    """In each tier the call ends with this status, and with the same words, of which these are some. Returns what it wrote."""
    expected = outcome(wasm, call, "interpreter", *options)
    assert expected[0] == status, expected
    for words in said:
        assert words in expected[1] + expected[2], expected
    for tier in TIERS:
        assert outcome(wasm, call, *tier, *options) == expected, tier
    return expected[1]
