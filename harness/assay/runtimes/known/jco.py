"""jco from npm. A setup module sets directories and environment; it imports the preview2-shim nested inside
jco.

`jco_kept_driver.mjs` lets it keep what it transpiles, which is most of the time of a run.
`jco run` ends with 1 for a trap, for `err` and for its own failures; the form of the error on stderr
distinguishes them.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from ...model import Absent, Command, Ending, Inexpressible, Job, Outcome, Peer, ProcessResult
from ..about import COMMAND, PROXY, About, Can, Install
from ..base import base_environment, common_ending, free_port, given, last_line, probe_version, served
from ..javascript.transpiler import transpiler
from ..places import Places

_KEPT = Path(__file__).with_name("jco_kept_driver.mjs")
_PACKAGE = Path("node_modules/@bytecodealliance/jco")
_SHIMS = ("node_modules/@bytecodealliance/preview2-shim", "../preview2-shim")
# An uncaught JavaScript error: `Name: message`, then stack lines, the last of which is in jco's own _run.js.
_THROWN = re.compile(
    r"^(\w*Error)(?: \[\w+\])?: ([^\n]*)\n((?:.*\n)*?    at [^\n]*/_run\.js:\d+:\d+\)?)(.*)\Z", re.MULTILINE | re.DOTALL
)
_RAISED = re.compile(r"^(\w*Error)(?: \[\w+\])?: ([^\n]*)\n    at ", re.MULTILINE)
# One without a stack (it comes from the shim's worker), which is the last thing on stderr.
_BARE = re.compile(r"^\[(\w*Error): ([^\n]*)\](?: \{\n(?:  [^\n]*\n)+\})?\s*\Z", re.MULTILINE)
_NO_TRANSPILE = re.compile(r"^(?:\(jco run\) )?Error: Unable to transpile command for execution", re.MULTILINE)
# `jco run` reports it as the cause of its own error, `jco transpile` as it is.
_CAUSE = re.compile(
    r"(?:\[cause\]: |\A(?=ComponentError))(\w*Error): ([^\n]*)(?:\s*\n\s*Caused by:\n\s*(?:\d+: )?([^\n]*))?"
)
_PANIC = re.compile(r"panicked at [^\n]*\n([^\n]*)")
_NO_IMPORT = re.compile(
    r"Received protocol '([\w-]+:)'|does not provide an export named '([^']*)'|Cannot find (?:package|module) '([^']*)'"
    r"|ERR_PACKAGE_PATH_NOT_EXPORTED\]?: Package subpath '([^']*)'|Missing (?:export|import)[^\n]*?'([^']*)'"
)
# The words of V8 and of JavaScriptCore. Older versions of V8 have one text for a null function and a mismatch.
_KINDS = (
    ("unreachable", "unreachable"),
    ("Unreachable code", "unreachable"),
    ("memory access out of bounds", "out-of-bounds-memory"),
    ("Out of bounds memory access", "out-of-bounds-memory"),
    ("table index is out of bounds", "out-of-bounds-table"),
    ("Out of bounds table access", "out-of-bounds-table"),
    ("Out of bounds call_indirect", "out-of-bounds-table"),
    ("divide by zero", "integer-divide-by-zero"),
    ("remainder by zero", "integer-divide-by-zero"),
    ("Division by zero", "integer-divide-by-zero"),
    ("divide result unrepresentable", "integer-overflow"),
    ("Integer overflow", "integer-overflow"),
    ("float unrepresentable in integer range", "invalid-conversion-to-integer"),
    ("Out of bounds Trunc operation", "invalid-conversion-to-integer"),
    ("function signature mismatch", "indirect-call-type-mismatch"),
    ("call_indirect to a signature that does not match", "indirect-call-type-mismatch"),
    ("null function", "uninitialized-element"),
    ("Maximum call stack size exceeded", "call-stack-exhausted"),
)
PACKAGES = ("@bytecodealliance/jco@1.35.0",)


_ABOUT = About(
    "jco: components as JavaScript on Node.js",
    Can(worlds=(COMMAND, PROXY)),
    install=Install("npm", PACKAGES),
    folder=True,
)


@dataclass(frozen=True)
class Jco:
    name: str = "jco"
    about: About = _ABOUT
    reference: bool = False

    def find(self, places: Places) -> Peer | Absent:
        named = places.named(self.name)
        found = find_jco(self.name, (named,) if named else packages(places, self.name), places.options_of(self.name))
        if named or isinstance(found, Absent):  # what somebody works on changes, and its version does not
            return found
        folder = places.cache / found.version.partition(" (")[0].replace(" ", "-")
        return replace(found, program=(*found.program, f"{_KEPT.as_uri()}?{quote(str(folder))}"))

    def prepare(self, peer: Peer, component: Path, places: Places) -> Path:
        """Lets jco keep what `jco run` would transpile. Where that does not work, `jco run` does it itself."""
        node, script, _, *kept = peer.program
        if kept:
            options = {"name": component.stem, "quiet": True, "noTypescript": True, "wasiShim": True}
            transpiler(node, script, *kept).transpile(component, options, runs=True)
        return component

    def command(self, peer: Peer, job: Job) -> Command | Inexpressible:
        node, script, package, *kept = peer.program
        if Path(tempfile.gettempdir()) in job.component.parents:  # made for this moment, as those of `assay fuzz`
            kept = []
        shim = shim_of(package)
        if shim is None:
            return Inexpressible("jco's preview2-shim is not where it was expected")
        setup = job.scratch / "setup.mjs"
        setup.write_text(_setup(shim / "dist" / "nodejs", job), encoding="utf-8")
        serve = job.case.run.serve
        # jco does not print the port that it picks; with workers, each request has a fresh instance
        port = free_port() if serve else 0
        how: tuple[str, ...] = ("serve", "--host", "127.0.0.1", "--port", str(port), "--isolate-requests", "worker")
        how += ("--isolate-worker-pool-size", "4")
        argv = (
            node,
            *(["--import", *kept] if kept else ()),
            script,
            *(how if serve else ("run",)),
            *peer.options,
            "--jco-import",
            str(setup),
            str(job.component),
            *(["--", *job.case.run.args] if job.case.run.args else ()),
        )
        listening = r"^Server listening @ 127\.0\.0\.1:(\d+)" if serve else ""
        return Command(argv, base_environment(job), startup=30.0, listening=listening, port=port)

    def interpret(self, job: Job, result: ProcessResult, command: Command) -> Outcome:
        if job.case.run.serve:
            crash = Outcome(Ending.CRASH, result.status, "the server ended by itself", last_line(result.stderr))
            return served(result) or crash
        return common_ending(result) or read_report(result.status or 0, result.stderr)


def packages(places: Places, *names: str) -> tuple[Path, ...]:
    """Returns where jco may be: installed for one of the runtimes, or in the project. A `NAME@VERSION` is only
    what was installed for it."""
    project = () if "@" in names[0] else (places.root,)
    return tuple(folder / _PACKAGE for folder in (*(places.installed(name) for name in names), *project))


def find_jco(name: str, folders: Sequence[Path], options: tuple[str, ...] = ()) -> Peer | Absent:
    """Finds node, and the first of the folders of jco that is there. The program is node, jco and that folder."""
    beside = Path(sys.executable).parent / "node"
    node = shutil.which("node") or (str(beside) if beside.is_file() else None)
    if node is None:
        return Absent(name, "there is no `node` on the search path, nor beside this Python")
    package = next((item.resolve() for item in folders if (item / "package.json").is_file()), None)
    if package is None:
        return Absent(name, f"npm's @bytecodealliance/jco is not installed in {folders[-1]}")
    version, problem = probe_version([node, "--version"])
    if problem:
        return Absent(name, problem)
    manifest = json.loads((package / "package.json").read_text(encoding="utf-8"))
    script = package / str(manifest["bin"] if isinstance(manifest["bin"], str) else manifest["bin"]["jco"])
    version = f"jco {manifest['version']} (node {version.removeprefix('v')})"
    return Peer(name, version, (node, str(script), str(package)), given(options), options)


def shim_of(package: str) -> Path | None:
    """Returns the folder of the preview2-shim that a jco uses."""
    found = (Path(package, part) for part in _SHIMS)
    return next((shim.resolve() for shim in found if (shim / "package.json").is_file()), None)


def kind_of(message: str) -> str:
    """Returns the kind of a trap that has this message in an engine of JavaScript."""
    return next((kind for words, kind in _KINDS if words in message), "")


def not_transpiled(text: str) -> Outcome:
    """Interprets a failed transpilation: jco rejected the component (a decoder's error), or crashed (any
    other cause)."""
    cause = _CAUSE.search(text)
    if cause is None:
        return Outcome(Ending.CRASH, 1, "jco failed to transpile the component")
    if cause[1] != "ComponentError":
        panic = _PANIC.search(text)
        return Outcome(
            Ending.CRASH, 1, "jco failed to transpile the component", panic[1] if panic else f"{cause[1]}: {cause[2]}"
        )
    return Outcome(Ending.REJECTED, message=(cause[3] or cause[2]).strip())


def _setup(shim: Path, job: Job) -> str:
    """Returns the module that jco imports before the component. It sets the preopens, and the environment of
    the case."""
    lines = [
        f"import {{ _setPreopens }} from {json.dumps((shim / 'filesystem.js').as_uri())};",
        f"import {{ _setEnv }} from {json.dumps((shim / 'cli.js').as_uri())};",
        f"_setPreopens({json.dumps({mount.guest: str(mount.host) for mount in job.mounts})});",
    ]
    if job.case.run.env is not None:
        lines.append(f"_setEnv({json.dumps(dict(job.case.run.env))});")
    return "\n".join(lines) + "\n"


def read_report(status: int, stderr: bytes) -> Outcome:
    """Interprets the last error on stderr."""
    if status != 1:
        return Outcome(Ending.EXITED, status)
    text = stderr.decode("utf-8", "backslashreplace")
    if _NO_TRANSPILE.search(text):
        return not_transpiled(text)
    thrown = _THROWN.search(text)
    if thrown:
        name, message = thrown[1], thrown[2]
        if name == "ComponentError" and "(see error.payload)" in message and "payload: undefined" in thrown[4]:
            return Outcome(Ending.EXITED, 1)
        absent = _NO_IMPORT.search(message) if name == "SyntaxError" else None  # raised while the modules are linked
        if absent and absent[2]:
            return Outcome(Ending.LINK_ERROR, message=message, imports=(absent[2],))
        return Outcome(Ending.TRAP, kind=kind_of(message), message=f"{name}: {message}")
    bare = _BARE.search(text)
    if bare:
        return Outcome(Ending.TRAP, message=f"{bare[1]}: {bare[2]}")
    if re.search(r"^Node\.js v\d", text, re.MULTILINE) or "ERR_" in text:
        missing = _NO_IMPORT.search(text)
        if missing:
            name = next(part for part in missing.groups() if part)
            return Outcome(Ending.LINK_ERROR, message=missing[0], imports=(name,))
    if "Not a valid command component to execute." in text:
        return Outcome(Ending.LINK_ERROR, message="exports no wasi:cli/run")
    raised = list(_RAISED.finditer(text))
    if raised:
        message = raised[-1][2]
        return Outcome(Ending.TRAP, kind=kind_of(message), message=f"{raised[-1][1]}: {message}")
    return Outcome(Ending.EXITED, status)


RUNTIMES = (Jco(),)
