"""Random functions on values of all types give the same in each tier: results, traps, memory, globals and where fuel ends."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import pytest
from preview1_guest import TOUCHSTONE, WASM_TOOLS, assemble
from tiers import TIERS, outcome

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "runtime/fuzz"))
from random_functions import random_functions  # noqa: E402

pytestmark = [
    pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built"),
    pytest.mark.skipif(not os.access(WASM_TOOLS, os.X_OK), reason="wasm-tools is absent"),
]


@pytest.mark.parametrize("seed", range(40))
def test_random_functions_are_the_same_in_each_tier(seed: int, tmp_path: Path) -> None:
    wasm = assemble(tmp_path, random_functions(random.Random(seed)))
    for options in ((), ("--fuel", "20000")):
        expected = outcome(wasm, "go()", "interpreter", "--deterministic", *options)
        for tier in TIERS if not options else TIERS[:2]:
            assert outcome(wasm, "go()", *tier, "--deterministic", *options) == expected, tier


def test_most_of_them_end_without_a_trap(tmp_path: Path) -> None:
    ends = [outcome(assemble(tmp_path, random_functions(random.Random(seed))), "go()", "interpreter")[0] for seed in range(20)]
    assert ends.count(0) > len(ends) // 2, ends
