"""Adapters: how they distinguish traps, exits, refusals and link errors in the output; command lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import CASE, Project

from assay.model import Command, Ending, Job, Mount, Peer
from assay.runtimes import Places, registry
from assay.runtimes.base import cached, read_outcome
from assay.runtimes.javascript import endings, packages
from assay.runtimes.known.jco import Jco

J_TRAP = b"""RuntimeError: wasm trap: wasm `unreachable` instruction executed
    at main.deeper (wasm://wasm/main-6c97572e:wasm-function[3]:0x60)
    at Object.run (file:///tmp/x/trap.js:3551:10)
    at file:///tmp/x/_run.js:15:21
"""
J_ERR = b"""ComponentError: undefined (see error.payload)
    at Object.run (file:///tmp/x/err.js:3551:10)
    at file:///tmp/x/_run.js:15:21 {
  payload: undefined
}
"""
J_LINK = b"""node:internal/modules/esm/load:241
    throw new ERR_UNSUPPORTED_ESM_URL_SCHEME(parsed, schemes);
          ^

Error [ERR_UNSUPPORTED_ESM_URL_SCHEME]: Only URLs with a scheme in: file, data, and node are supported by the default ESM loader. Received protocol 'wasi:'
    at throwIfUnsupportedURLScheme (node:internal/modules/esm/load:241:11)

Node.js v20.20.2
"""
J_NO_EXPORT = b"""file:///tmp/x/guest.js:3
import { timezone } from '@bytecodealliance/preview2-shim/clocks';
         ^^^^^^^^
SyntaxError: The requested module '@bytecodealliance/preview2-shim/clocks' does not provide an export named 'timezone'
    at ModuleJob._instantiate (node:internal/modules/esm/module_job:213:21)
    at async file:///tmp/x/_run.js:8:19

Node.js v20.20.2
"""
J_BAD = b"""Error: Unable to transpile command for execution
    at runComponent (file:///x/run.js:248:19) {
  [cause]: ComponentError: failed to extract interface information from component

  Caused by:
      malformed section id (at offset 0x8)
      at fn (file:///x.js:10399:17)
}
"""
J_PANIC = b"""thread '<unnamed>' (1) panicked at src/decoding.rs:1214:60:
no entry found for key
Error: Unable to transpile command for execution
    at runComponent (file:///x/run.js:248:19) {
  [cause]: RuntimeError: wasm trap: wasm `unreachable` instruction executed
      at wasm://wasm/00d4667e:wasm-function[1601]:0xe0576
}
"""
J_STACK = J_TRAP.replace(
    b"RuntimeError: wasm trap: wasm `unreachable` instruction executed", b"RangeError: Maximum call stack size exceeded"
)


@pytest.mark.parametrize(
    ("status", "stderr", "ending", "kind"),
    [
        (0, b"", Ending.EXITED, ""),
        (1, b"", Ending.EXITED, ""),
        (1, b"RuntimeError: said the guest\n", Ending.EXITED, ""),
        (42, J_TRAP, Ending.EXITED, ""),
        (1, J_ERR, Ending.EXITED, ""),
        (1, J_TRAP, Ending.TRAP, "unreachable"),
        (1, J_STACK, Ending.TRAP, "call-stack-exhausted"),
        (1, J_LINK, Ending.LINK_ERROR, ""),
        (1, J_NO_EXPORT, Ending.LINK_ERROR, ""),
        (1, J_BAD, Ending.REJECTED, ""),
        (
            1,
            b"noise\n[Error: EBADF: bad file descriptor, write] {\n  errno: -9,\n  code: 'EBADF'\n}\n",
            Ending.TRAP,
            "",
        ),
        (1, b"[Error: said the guest]\nand more\n", Ending.EXITED, ""),
        (1, J_PANIC, Ending.CRASH, "jco failed to transpile the component"),
    ],
)
def test_jco(status: int, stderr: bytes, ending: Ending, kind: str) -> None:
    outcome = endings.read_report(status, stderr)
    assert (outcome.ending, outcome.kind) == (ending, kind)


def job(project: Project, *, read_only: bool = False) -> Job:
    text = CASE.replace(
        "timeout = 5", 'timeout = 5\nargs = ["a", "--b"]\nenv = { K = "v w" }\ngrant = ["inherit-network"]'
    )
    case = project.load(text)
    return Job(case, case.component, (Mount(Path("/h"), "/g", read_only),), project.root)


def test_touchstone_command(project: Project) -> None:
    command = registry.reference().command(Peer("touchstone", "1", ("/ts",)), job(project, read_only=True))
    assert isinstance(command, Command)
    argv = list(command.argv)
    assert argv[:2] == ["/ts", "run"]
    assert argv[argv.index("--dir") + 1] == "/h::/g:ro"
    assert argv[argv.index("--env") + 1] == "K=v w"
    assert argv[-3:] == [str(project.root / "fixtures/built/c.wasm"), "a", "--b"]
    assert "--outcome" in argv and "--trace-output" in argv


def test_jco_command(project: Project) -> None:
    package = project.root / "jco"
    shim = package / "node_modules/@bytecodealliance/preview2-shim"
    shim.mkdir(parents=True)
    (shim / "package.json").write_text("{}", encoding="utf-8")
    command = Jco().command(Peer("jco", "1", ("/node", "/jco.js", str(package))), job(project))
    assert isinstance(command, Command)
    setup = (project.root / "setup.mjs").read_text(encoding="utf-8")
    assert '_setPreopens({"/g": "/h"})' in setup and '_setEnv({"K": "v w"})' in setup
    assert (shim / "dist/nodejs/cli.js").as_uri() in setup


def test_an_older_jco_has_its_shim_elsewhere_and_serves_without_isolation(tmp_path: Path) -> None:
    (tmp_path / "lib/nodejs").mkdir(parents=True)
    assert packages.built(tmp_path, "nodejs") == tmp_path / "lib/nodejs"
    script = tmp_path / "jco.js"
    for text, options in (("", 0), ('.option("--isolate-requests <mode>")', 4)):
        script.write_text(text, encoding="utf-8")
        assert len(packages.serving(str(script), 1)) == 5 + options


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("[]", "schema"),
        ('{"schema":"touchstone-outcome/1"}', "unknown outcome"),
        ('{"schema":"touchstone-outcome/1","outcome":"crash"}', "unknown outcome"),
        ('{"schema":"touchstone-outcome/1","outcome":"exited"}', "without a status"),
    ],
)
def test_outcome_files_that_lie(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "o").write_text(text, encoding="utf-8")
    outcome = read_outcome(tmp_path / "o")
    assert isinstance(outcome, str) and words in outcome
    assert read_outcome(tmp_path / "absent") == "no outcome file"


def test_cache_is_by_content(tmp_path: Path) -> None:
    component = tmp_path / "c.wasm"
    component.write_bytes(b"one")
    places = Places(tmp_path, tmp_path / "cache")
    copies = ["/bin/sh", "-c", f"test ! -e {tmp_path}/no && cp {{in}} {{out}}"]
    first = cached(places, "tool", "1 (x)", component, copies)
    assert first is not None and first.read_bytes() == b"one" and first.name == "c.wasm"
    (tmp_path / "no").touch()
    assert cached(places, "tool", "1 (x)", component, copies) == first
    component.write_bytes(b"two")
    assert cached(places, "tool", "1 (x)", component, copies) is None
    (tmp_path / "no").unlink()
    assert cached(places, "tool", "1 (x)", component, copies) not in (None, first)


def test_cache_is_by_command_line_wherever_the_program_is(tmp_path: Path) -> None:
    component, places = tmp_path / "c.wasm", Places(tmp_path, tmp_path / "cache")
    component.write_bytes(b"one")
    programs = [tmp_path / name / "program" for name in ("here", "there")]
    for program in programs:
        program.parent.mkdir()
        program.write_text('#!/bin/sh\ncp "$1" "$2"\n', encoding="utf-8")
        program.chmod(0o755)
    here, there = ([str(program), "{in}", "{out}"] for program in programs)
    first = cached(places, "tool", "1", component, here)
    assert first is not None and cached(places, "tool", "1", component, there) == first
    assert cached(places, "tool", "1", component, [*here, "-O"]) not in (None, first)
    programs[1].write_text('#!/bin/sh\ncp "$1" "$2" # as built today\n', encoding="utf-8")
    assert cached(places, "tool", "1", component, there) not in (None, first)


def test_cache_has_what_was_made_beside(tmp_path: Path) -> None:
    (tmp_path / "c.wasm").write_bytes(b"one")
    make = ["/bin/sh", "-c", "cp {in} {out} && echo 0 >{out}.0"]
    made = cached(Places(tmp_path, tmp_path / "cache"), "tool", "1", tmp_path / "c.wasm", make)
    assert made is not None and sorted(path.name for path in made.parent.iterdir()) == ["c.wasm", "c.wasm.0"]
