"""What the tests share: a project in a temporary folder, and fake runtimes in the place of touchstone."""

from __future__ import annotations

import os
import signal
import stat
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import hypothesis
import pytest

from assay import cases
from assay.model import Case, CaseResult, Peer
from assay.run.runner import Settings
from assay.runtimes import Adapter, Places, Runtime, registry
from assay.suites import executors
from assay.suites.cases import Cases

# A background job starts with SIGINT ignored, and so would each program that a test interrupts.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# An example may take any time: the machine may be loaded.
hypothesis.settings.register_profile("no deadline", deadline=None)
hypothesis.settings.load_profile("no deadline")

# What is installed on this machine takes part in no test: a test names the runtimes that it needs.
os.environ["ASSAY_RUNTIMES_HOME"] = str(Path(__file__).parent / "data" / "no-runtimes")
# Nor does what earlier runs have made.
_CACHE = tempfile.TemporaryDirectory(prefix="assay-tests-")
os.environ["ASSAY_CACHE"] = _CACHE.name

FAKE = Path(__file__).parent / "fakes" / "fake.py"

CASE = """
title = "A case for fakes"
component = "c.wasm"
interfaces = ["wasi:cli/stdout"]
[run]
timeout = 5
[expect]
stdout = "hello\\n"
[[check]]
id = "t.fake.first"
level = "must"
function = "wasi:cli/environment.get-arguments"
since = "0.2.0"
text = "The first sentence."
[[check]]
id = "t.fake.second"
level = "must"
function = "wasi:io/streams.[method]input-stream.read"
since = "0.2.0"
text = "The second sentence."
[[check]]
id = "t.fake.choice"
level = "unspecified"
function = "wasi:cli/environment.initial-cwd"
since = "0.2.0"
text = "Silent."
"""


@dataclass(frozen=True)
class Project:
    root: Path

    def add(self, case_id: str, text: str = CASE) -> Path:
        folder = self.root / "suites" / case_id
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "case.toml").write_text(text, encoding="utf-8")
        return folder

    def load(self, text: str = CASE, case_id: str = "p2/t/one") -> Case:
        folder = self.add(case_id, text)
        return cases.load(folder / "case.toml", self.root / "suites", self.root / "fixtures")

    def fake(self, kind: str) -> Path:
        """Returns a program that behaves as `kind` says.

        The harness empties the environment, so a wrapper sets the kind."""
        path = self.root / f"fake-{kind}"
        note = self.root / "note"
        path.write_text(
            f"#!/bin/sh\n'''exec' \"{sys.executable}\" \"$0\" \"$@\"\n' '''\nimport os, runpy\nos.environ['FAKE_KIND'] = {kind!r}\nos.environ['FAKE_NOTE'] = {str(note)!r}\n"
            f"runpy.run_path({str(FAKE)!r}, run_name='__main__')\n",
            encoding="utf-8",
        )
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def suite(self, *, programs: tuple[tuple[str, Path], ...] = ()) -> Cases:
        folder = self.root / "suites"
        places = Places(self.root, self.root / "cache", programs)
        return Cases(folder, self.root / "fixtures", folder / "expectations", places)

    def run(self, kind: str, case: Case | None = None, settings: Settings | None = None) -> CaseResult:
        suite = self.suite(programs=(("touchstone", self.fake(kind)),))
        adapter = registry.reference()
        peer = adapter.find(suite.places)
        assert isinstance(peer, Peer), peer
        return executors.one(suite, case or self.load(), Runtime(adapter, peer), settings or Settings(jobs=1))


def like_touchstone(name: str, *, reference: bool = False) -> Adapter:
    """Returns the adapter of touchstone under another name."""
    return cast("Adapter", replace(cast("Any", registry.reference()), name=name, reference=reference))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "fixtures" / "built").mkdir(parents=True)
    (tmp_path / "fixtures" / "trees" / "seed").mkdir(parents=True)
    (tmp_path / "fixtures" / "trees" / "seed" / "seed.txt").write_text("seed\n", encoding="utf-8")
    (tmp_path / "fixtures" / "built" / "c.wasm").write_bytes(b"\0asm\x0d\0\1\0")
    (tmp_path / "suites" / "expectations").mkdir(parents=True)
    (tmp_path / "harness").mkdir()
    return Project(tmp_path)


Runner = Callable[[str], CaseResult]
