"""Finding cases, and reading case.toml.

In: the folders suites/ and fixtures/. Out: `Case` values, sorted by id. The format is in suites/README.md.
Unknown keys, missing components and cases that a runtime which does nothing would pass are errors. Each error
begins with the path of its file.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import cast

from ..model import (
    GRANTS,
    Answer,
    Case,
    Check,
    ClientSpec,
    Directory,
    Ending,
    Expect,
    FileExpectation,
    Level,
    Made,
    RunSpec,
    ServerSpec,
    Stdio,
    Step,
    System,
    TextExpectation,
    WireRule,
    locations,
    names,
)
from . import nonces, requirements, versions
from .catalogue import CatalogueError
from .text import text_problem
from .toolchains import on_demand

UNSTABLE = frozenset({"clocks-timezone", "network-error-code", "informational-outbound-responses"})
SERVER_KINDS = ("plain", "tls", "refusing", "deaf")
KINDS = frozenset({"fifo", "socket", "link", "directory", "file", "running", "mount"})
NETWORKS = frozenset({"", "ipv6", "alone"})
STREAMS = frozenset({"stdin", "stdout", "stderr"})
REFUSALS = {
    "malformed": Ending.MALFORMED,
    "invalid": Ending.INVALID,
    "rejected": Ending.REJECTED,
    "link-error": Ending.LINK_ERROR,
}
_CHECK_ID = re.compile(r"[a-z0-9][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)+")
_INTERFACE = re.compile(r"[a-z][a-z0-9-]*:[a-z][a-z0-9-]*/[a-z][a-z0-9-]*")
_FUNCTION = re.compile(
    _INTERFACE.pattern + r"\.(\[(method|static|constructor|resource-drop)\])?[a-z][a-z0-9_-]*(\.[a-z][a-z0-9-]*)?"
)
_SINCE = re.compile(r"0\.2\.\d+|0\.1\.0")
"""WASI 0.1 is preview 1."""


class CaseError(Exception):
    """A case file that cannot be used. The message begins with its path."""


class _Table:
    """A TOML table whose keys are taken one by one. `done` raises an error for the keys that are left."""

    def __init__(self, path: Path, where: str, values: Mapping[str, object]) -> None:
        self.path, self.where, self.values = path, where, dict(values)

    def fail(self, text: str) -> CaseError:
        return CaseError(f"{self.path}: {self.where + ': ' if self.where else ''}{text}")

    def take(self, key: str) -> object | None:
        return self.values.pop(key, None)

    def text(self, key: str) -> str | None:
        value = self.take(key)
        if value is not None and not isinstance(value, str):
            raise self.fail(f"{key} must be a string")
        return value

    def need(self, key: str) -> str:
        value = self.text(key)
        if value is None or not value.strip():
            raise self.fail(f"{key} is missing or empty")
        return value

    def flag(self, key: str) -> bool:
        value = self.take(key)
        if value is not None and not isinstance(value, bool):
            raise self.fail(f"{key} must be true or false")
        return bool(value)

    def number(self, key: str, what: str, *, zero: bool = False) -> float | None:
        """Returns a finite number above 0, or from 0 on where `zero` is set."""
        value = self.take(key)
        if value is None:
            return None
        good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not good or not isinstance(value, int | float) or value < 0 or (value == 0 and not zero):
            raise self.fail(f"{key} must be {what}")
        return float(value)

    def plain(self, key: str, texts: Iterable[str]) -> None:
        """Refuses texts with a NUL: no process can be given one."""
        for text in texts:
            if "\0" in text:
                raise self.fail(f"{key}: {text!r} contains a NUL, which no process can be given")

    def texts(self, key: str, *, single: bool = False) -> tuple[str, ...]:
        value = self.take(key)
        if value is None:
            return ()
        if single and isinstance(value, str):
            return (value,)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.fail(f"{key} must be a list of strings")
        return tuple(cast("list[str]", value))

    def table(self, key: str) -> _Table:
        value = self.take(key)
        if value is not None and not isinstance(value, dict):
            raise self.fail(f"{key} must be a table")
        return _Table(self.path, f"{self.where}[{key}]", value or {})

    def tables(self, key: str) -> list[_Table]:
        value = self.take(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.fail(f"{key} must be a list of tables ([[{key}]])")
        return [_Table(self.path, f"{self.where}[[{key}]] {index + 1}", item) for index, item in enumerate(value)]

    def done(self) -> None:
        if self.values:
            raise self.fail(f"unknown key {', '.join(sorted(self.values))}")


def _names(table: _Table, key: str) -> tuple[str, ...]:
    """Returns the names that a key lists, and refuses a name that is listed twice."""
    found = table.texts(key)
    for name in found:
        if found.count(name) > 1:
            raise table.fail(f"{key}: {name!r} is listed twice")
    return found


def discover(suites: Path, fixtures: Path, patterns: Iterable[str] = ()) -> tuple[Case, ...]:
    """Returns all cases below `suites`, sorted by id. With patterns, an id must contain one of them."""
    wanted = tuple(patterns)
    suites, fixtures = suites.resolve(), fixtures.resolve()  # a runtime runs in another directory
    cases: list[Case] = []
    for path in sorted(suites.glob("**/case.toml")):
        case = load(path, suites, fixtures)
        try:
            cases += versions.with_variants(case, locations.made(fixtures.parent) / "versions") if case.versions else [case]
        except versions.VersionError as error:
            raise CaseError(f"{path}: versions: {error}") from None
        if case.without_openat2:
            cases.append(_without_openat2(case))
    seen: dict[str, Path] = {}
    for case in cases:
        if case.id in seen:
            raise CaseError(f"{case.folder}: the id {case.id} is also that of {seen[case.id]}")
        seen[case.id] = case.folder
    return tuple(case for case in cases if not wanted or any(pattern.strip("/") in case.id for pattern in wanted))


def _without_openat2(case: Case) -> Case:
    """Returns the case for a kernel that does not have this call: a runtime then resolves paths by itself."""
    run = dataclasses.replace(case.run, openat2=False)
    title = f"{case.title} (without openat2)"
    return dataclasses.replace(case, id=f"{case.id}@without-openat2", title=title, run=run, without_openat2=False)


def load(path: Path, suites: Path, fixtures: Path) -> Case:
    """Read one case.toml."""
    try:
        text = path.read_text(encoding="utf-8")
        top = _Table(path, "", tomllib.loads(text))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise CaseError(f"{path}: {error}") from None
    folder = path.parent
    title, notes, each_version = top.need("title"), top.text("notes") or "", top.flag("versions")
    without_openat2 = top.flag("without-openat2")
    component, made_by = _component(top, folder, fixtures)
    module = _module(top, folder, fixtures, made_by)
    interfaces = _names(top, "interfaces")
    for interface in interfaces:
        if not _INTERFACE.fullmatch(interface):
            raise top.fail(f"interfaces: {interface!r} is not a name like wasi:cli/environment")
        if problem := names.interface_problem(interface):
            raise top.fail(f"interfaces: {problem}")
    if not interfaces:
        raise top.fail("interfaces is missing or empty")
    run = _run(top.table("run"), folder, fixtures)
    expect = _expect(top.table("expect"), run)
    try:
        words = requirements.words(suites)
    except CatalogueError as error:
        raise CaseError(str(error)) from None
    checks = tuple(_check(table, run, words) for table in top.tables("check"))
    top.done()
    ids = [check.id for check in checks]
    for check_id in ids:
        if ids.count(check_id) > 1:
            raise top.fail(f"the check {check_id} is declared twice")
    open_ending = expect.exit is None and not expect.trap and expect.refused is None
    telling = [check for check in checks if not open_ending or check.level is not Level.UNSPECIFIED]
    if not telling and not _positive(expect, run):
        raise top.fail(
            "a runtime that does nothing would pass this case: "
            "declare a [[check]], a trap, a refusal, output, a new file, or an exit status above 1"
        )
    case_id = folder.relative_to(suites).as_posix()
    digest = hashlib.sha256(text.encode() + run.stdin)
    for directory in run.dirs:
        if directory.source is not None:
            _digest_tree(digest, directory.source)
    digested = digest.hexdigest()
    case = Case(
        case_id,
        title,
        component,
        interfaces,
        run,
        expect,
        checks,
        folder,
        notes,
        made_by,
        digested,
        each_version,
        without_openat2,
        module,
    )
    if problem := nonces.problem(case):
        raise top.fail(problem)
    return case


def specification(
    path: Path, where: str, run: Mapping[str, object], expect: Mapping[str, object], fixtures: Path
) -> tuple[RunSpec, Expect]:
    """Reads the tables run and expect of a program that reports no checks.

    What must be true of its run may contain rules for the wire. Where a runtime that does nothing would satisfy
    all of it, it is bare."""
    made = _run(_Table(path, f"{where}: run", run), path.parent, fixtures)
    table = _Table(path, f"{where}: expect", expect)
    rules = tuple(_rule(item, made) for item in table.tables("wire"))
    wanted = dataclasses.replace(_expect(table, made), wire=rules)
    return made, dataclasses.replace(wanted, bare=not rules and not _positive(wanted, made))


def _digest_tree(digest: hashlib._Hash, tree: Path) -> None:
    """Adds a tree that the case is given: it is part of the case's definition."""
    for place in sorted(tree.rglob("*")):
        digest.update(place.relative_to(tree).as_posix().encode("utf-8", "surrogateescape") + b"\0")
        if place.is_symlink():
            digest.update(str(place.readlink()).encode("utf-8", "surrogateescape"))
        elif place.is_file():
            digest.update(place.read_bytes())


def _guest_places(top: _Table, key: str, name: str, folder: Path, fixtures: Path) -> tuple[Path, Path, Path]:
    """Returns where a guest may be: beside the case, committed, or made on demand."""
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise top.fail(f"{key} {name!r} must be a name beside the case or in fixtures/built")
    return folder / name, fixtures / "built" / name, on_demand(fixtures) / name


def _module(top: _Table, folder: Path, fixtures: Path, made_by: str) -> Path | None:
    """Returns the path of the core module with the same program, where the case has one. One that is made on
    demand may be absent, as a component may."""
    name = top.text("module")
    if name is None:
        return None
    places = _guest_places(top, "module", name, folder, fixtures)
    found = next((place for place in places if place.is_file()), places[2] if made_by else None)
    if found is None:
        raise top.fail(f"there is no module {name!r}: it is neither beside the case, nor in {places[1].parent}")
    return found


def _component(top: _Table, folder: Path, fixtures: Path) -> tuple[Path, str]:
    """Returns the component's path, and the command that makes it where it is not committed."""
    name, made_by = top.need("component"), top.text("made-by") or ""
    places = _guest_places(top, "component", name, folder, fixtures)
    for place in places:
        if place.is_file():
            return place, made_by
    # A component that is made on demand may be absent. The case is then skipped with that reason.
    if made_by:
        return places[2], made_by
    raise top.fail(
        f"there is no component {name!r}: it is neither beside the case, nor in {places[1].parent}, nor in "
        f"{places[2].parent} (`fixtures/build.py {Path(name).stem}` builds a guest of fixtures/src; one that is made on "
        "demand needs made-by = the command that makes it)"
    )


def _run(table: _Table, folder: Path, fixtures: Path) -> RunSpec:
    args = table.texts("args")
    env: tuple[tuple[str, str], ...] | None = None
    raw_env = table.take("env")
    if raw_env is not None:
        if not isinstance(raw_env, dict) or not all(isinstance(value, str) for value in raw_env.values()):
            raise table.fail("env must be a table of strings")
        env = tuple((str(key), str(value)) for key, value in raw_env.items())
        for key, value in env:
            if not key or "=" in key:
                raise table.fail(f"env: {key!r} is not the name of a variable")
            table.plain("env", (key, value))
    table.plain("args", args)
    text, file = table.text("stdin"), table.text("stdin-file")
    if text is not None and file is not None:
        raise table.fail("stdin and stdin-file exclude each other")
    stdin = (text or "").encode()
    if file is not None:
        if not (folder / file).is_file():
            raise table.fail(f"stdin-file {file!r} is not beside the case")
        stdin = (folder / file).read_bytes()
    grants = _names(table, "grant")
    for grant in grants:
        if grant not in GRANTS:
            raise table.fail(f"grant: {grant!r} is not one of {', '.join(sorted(GRANTS))}")
    timeout = table.number("timeout", "a number of seconds above 0")
    dirs = tuple(_directory(item, fixtures) for item in table.tables("dir"))
    guests = [directory.guest for directory in dirs]
    if len(set(guests)) != len(guests):
        raise table.fail("two [[run.dir]] have the same guest path")
    make = tuple(_made(item, dirs) for item in table.tables("make"))
    stdio, unstable, unprivileged = _stdio(table), _names(table, "unstable"), table.flag("unprivileged")
    for name in unstable:
        if name not in UNSTABLE:
            raise table.fail(f"unstable: {name!r} is not one of {', '.join(sorted(UNSTABLE))}")
    open_files = table.take("open-files") or 0
    if isinstance(open_files, bool) or not isinstance(open_files, int) or open_files < 0:
        raise table.fail("open-files must be a number of files")
    network = table.text("network") or ""
    if network not in NETWORKS:
        raise table.fail('network must be "ipv6" or "alone"')
    zone = table.text("zone") or "UTC"
    table.plain("zone", (zone,))
    servers = tuple(_server(item) for item in table.tables("server"))
    clients = tuple(_client(item) for item in table.tables("client"))
    for listed in ([item.name for item in servers], [item.name for item in clients]):
        if len(set(listed)) != len(listed):
            raise table.fail("two servers, or two clients, have the same name")
    if servers and clients:
        reached = {answer.path for item in servers for answer in item.answers} & {item.name for item in clients}
        if reached:
            raise table.fail(f"{sorted(reached)[0]!r} is the path of a server and the name of a client")
    table.done()
    return RunSpec(
        args,
        env,
        stdin,
        dirs,
        grants,
        timeout or 10.0,
        make,
        stdio,
        unstable,
        unprivileged,
        open_files,
        servers,
        clients,
        network=network,
        zone=zone,
    )


def _server(table: _Table) -> ServerSpec:
    name, kind = table.need("name"), table.text("kind") or "plain"
    if kind not in SERVER_KINDS:
        raise table.fail(f"kind must be one of {', '.join(SERVER_KINDS)}")
    answers = tuple(_answer(item) for item in table.tables("on"))
    table.done()
    paths = [(answer.path, answer.method) for answer in answers]
    if len(set(paths)) != len(paths):
        raise table.fail("two [[run.server.on]] have the same path")
    if answers and kind in ("refusing", "deaf"):
        raise table.fail(f"a server that is {kind} answers nothing")
    return ServerSpec(name, kind, answers)


def _answer(table: _Table) -> Answer:
    path, read = table.need("path"), table.text("read") or "all"
    method, echo = table.text("method") or "", table.text("echo") or ""
    then = table.text("then") or ("close" if echo else "keep")
    if read not in ("all", "head"):
        raise table.fail('read must be "all" or "head"')
    if then not in ("keep", "close", "reset", "hold"):
        raise table.fail('then must be "keep", "close", "reset" or "hold"')
    if echo not in ("", "body", "headers"):
        raise table.fail('echo must be "body" or "headers"')
    steps = _steps(table)
    table.done()
    return Answer(path, steps, read, then, method, echo)


def _client(table: _Table) -> ClientSpec:
    name, then = table.need("name"), table.text("then") or "answer"
    within = table.number("within", "a number of seconds above 0")
    if then not in ("answer", "end", "close", "reset"):
        raise table.fail('then must be "answer", "end", "close" or "reset"')
    steps = _steps(table)
    table.done()
    if not any(step.data for step in steps):
        raise table.fail("a client must send something")
    return ClientSpec(name, steps, then, within or 10.0)


def _steps(table: _Table) -> tuple[Step, ...]:
    """Reads `say`: a string is bytes (\\u0000 to \\u00ff), a number a pause, { until = PATTERN } reads, {
    text, times } repeats."""
    raw = table.take("say")
    if raw is None:
        return ()
    steps: list[Step] = []
    for item in raw if isinstance(raw, list) else [raw]:
        try:
            if isinstance(item, str):
                steps.append(Step(item.encode("latin-1")))
            elif isinstance(item, int | float) and not isinstance(item, bool) and 0 <= item < math.inf:
                steps.append(Step(pause=float(item)))
            elif isinstance(item, dict) and set(item) == {"until"} and isinstance(item["until"], str):
                re.compile(item["until"])
                steps.append(Step(until=item["until"]))
            elif (
                isinstance(item, dict)
                and set(item) == {"text", "times"}
                and isinstance(item["text"], str)
                and isinstance(item["times"], int)
                and item["times"] > 0
            ):
                steps.append(Step(item["text"].encode("latin-1"), item["times"]))
            else:
                raise table.fail(f"say: {item!r} is not a text, a pause, {{ until }} or {{ text, times }}")
        except UnicodeEncodeError:
            raise table.fail(f"say: {item!r} has a character above U+00FF, which is not a byte") from None
        except re.error as error:
            raise table.fail(f"say: {item!r}: {error}") from None
    return tuple(steps)


def _stdio(table: _Table) -> Stdio:
    terminal = _names(table, "terminal")
    if not STREAMS.issuperset(terminal):
        raise table.fail(f"terminal: only {', '.join(sorted(STREAMS))} can be one")
    kinds = {}
    for name, key, allowed in (
        ("stdin", "stdin-kind", ("pipe", "file", "socket", "null", "directory")),
        ("stdout", "stdout-kind", ("pipe", "file")),
        ("stderr", "stderr-kind", ("pipe", "full", "unread")),
    ):
        kinds[name] = table.text(key) or "pipe"
        if kinds[name] not in allowed:
            raise table.fail(f"{key} must be one of {', '.join(allowed)}")
        if kinds[name] != "pipe" and name in terminal:
            raise table.fail(f"{name} is a terminal, or of kind {kinds[name]}")
    stdin_when, stderr_when = table.text("stdin-when") or "", table.text("stderr-when") or ""
    if (stdin_when or stderr_when) and kinds["stdout"] == "file":
        raise table.fail("stdin-when and stderr-when need a stdout that is not a file")
    return Stdio(
        frozenset(terminal),
        kinds["stdin"],
        stdin_when,
        table.flag("stdin-open"),
        kinds["stdout"],
        kinds["stderr"],
        stderr_when,
    )


def _made(table: _Table, dirs: tuple[Directory, ...]) -> Made:
    path, kind = table.need("path"), table.need("kind")
    to, text, mode = table.text("to"), table.text("text"), table.text("mode")
    size, mtime, read_only = table.take("size"), table.take("mtime"), table.flag("read-only")
    table.done()
    if kind not in KINDS:
        raise table.fail(f"kind must be one of {', '.join(sorted(KINDS))}")
    found = find_directory(dirs, path)
    if found is None or found[0].system in (System.DEV, System.PROC):
        raise table.fail(f"path {path!r} is in no [[run.dir]] that is fresh for every run")
    if (to is None) == (kind == "link"):
        raise table.fail("only a link has a target (`to`), and it needs one")
    if text is not None and kind != "file":
        raise table.fail("only a file has a text")
    if (size is not None or read_only) and kind != "mount":
        raise table.fail("only a mount has a size, or is read-only")
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size <= 0):
        raise table.fail("size must be a number of bytes")
    if mode is not None and not re.fullmatch(r"[0-7]{3}", mode):
        raise table.fail('mode must be three octal digits, like "000"')
    if mtime is not None and (isinstance(mtime, bool) or not isinstance(mtime, int) or kind != "file"):
        raise table.fail("mtime is that of a file, in seconds since 1970")
    octal = None if mode is None else int(mode, 8)
    return Made(
        path,
        kind,
        to or "",
        (text or "").encode(),
        octal,
        mtime if isinstance(mtime, int) else None,
        size if isinstance(size, int) else 1 << 20,
        read_only,
    )


def _directory(table: _Table, fixtures: Path) -> Directory:
    guest, source, read_only = table.need("guest"), table.text("from"), table.flag("read-only")
    system = table.text("system")
    table.done()
    if system is not None:
        if source is not None or system not in [item.value for item in System]:
            raise table.fail(f"system must be one of {', '.join(item.value for item in System)}, without from")
        return Directory(guest, None, read_only, System(system))
    if source is None:
        return Directory(guest, None, read_only)
    tree = fixtures / "trees" / source
    if ".." in Path(source).parts or not tree.is_dir():
        raise table.fail(f"from: there is no tree fixtures/trees/{source}")
    return Directory(guest, tree, read_only)


def _text(table: _Table, key: str, exact_key: str) -> TextExpectation:
    exact = table.text(exact_key)
    prefix = f"{key}-" if key else ""
    contains, matches = table.texts(f"{prefix}contains", single=True), table.texts(f"{prefix}matches", single=True)
    for pattern in matches:
        try:
            re.compile(pattern)
        except re.error as error:
            raise table.fail(f"{prefix}matches: {pattern!r}: {error}") from None
    return TextExpectation(None if exact is None else exact.encode(), contains, matches)


def _expect(table: _Table, run: RunSpec) -> Expect:
    status, refusal = table.take("exit"), table.text("refused")
    raw_trap = table.take("trap")
    if raw_trap is not None and not isinstance(raw_trap, bool | str):
        raise table.fail("trap must be true, or the kind of the trap")
    trap = bool(raw_trap)
    open_ending = status == "any"
    if open_ending:
        status = None
    if status is not None and (isinstance(status, bool) or not isinstance(status, int) or not 0 <= status <= 255):
        raise table.fail('exit must be a status from 0 to 255, or "any"')
    if sum((status is not None or open_ending, trap, refusal is not None)) > 1:
        raise table.fail("exit, trap and refused exclude each other")
    if refusal is not None and refusal not in REFUSALS:
        raise table.fail(f"refused must be one of {', '.join(REFUSALS)}")
    files = tuple(_file(item, run) for item in table.tables("file"))
    expect = Expect(
        exit=int(status) if isinstance(status, int) else (None if trap or refusal or open_ending else 0),
        trap=trap,
        trap_kind=raw_trap if isinstance(raw_trap, str) else "",
        refused=REFUSALS[refusal] if refusal is not None else None,
        stdout=_text(table, "stdout", "stdout"),
        stderr=_text(table, "stderr", "stderr"),
        files=files,
    )
    table.done()
    return expect


def _file(table: _Table, run: RunSpec) -> FileExpectation:
    path, absent, content = table.need("path"), table.flag("absent"), _text(table, "", "text")
    state = table.texts("state", single=True)
    table.done()
    for pattern in state:
        try:
            re.compile(pattern)
        except re.error as error:
            raise table.fail(f"state {pattern!r}: {error}") from None
    if find_directory(run.dirs, path) is None:
        raise table.fail(f"path {path!r} is in no [[run.dir]]")
    if absent == (content.given or bool(state)):
        raise table.fail("needs either absent = true or text, contains, matches or state")
    return FileExpectation(path, content, absent, state)


def find_directory(dirs: tuple[Directory, ...], path: str) -> tuple[Directory, str] | None:
    """Returns the preopened directory that holds a guest path, and the path within it."""
    best: tuple[Directory, str] | None = None
    for directory in dirs:
        prefix = directory.guest.rstrip("/") + "/"
        longer = best is None or len(directory.guest) > len(best[0].guest)
        if directory.guest in (".", "") and not path.startswith("/"):
            inside = path.removeprefix("./")
        elif path.startswith(prefix):
            inside = path[len(prefix) :]
        else:
            continue
        if longer and inside and ".." not in Path(inside).parts:
            best = (directory, inside)
    return best


def _check(table: _Table, run: RunSpec, words: Mapping[str, str]) -> Check:
    check_id, level, function = table.need("id"), table.need("level"), table.need("function")
    since, text = table.need("since"), table.text("text")
    if text is None:
        text = words.get(check_id, "")
    if not text.strip():
        raise table.fail(f"text is missing or empty, and suites/text has no requirement {check_id!r}")
    wire = _wire(table, run, level)
    table.done()
    if not _CHECK_ID.fullmatch(check_id):
        raise table.fail(f"id {check_id!r} is not a requirement id like cli.environment.get-arguments.order")
    if level not in [item.value for item in Level]:
        raise table.fail("level must be must, should or unspecified")
    if not _FUNCTION.fullmatch(function):
        raise table.fail(f"function {function!r} is not a name like wasi:cli/environment.get-arguments")
    if not _SINCE.fullmatch(since):
        raise table.fail(f"since {since!r} is not a version like 0.2.0")
    if problem := names.function_problem(function) or names.since_problem(function, since):
        raise table.fail(problem)
    return Check(check_id, Level(level), function, since, " ".join(text.split()), wire)


def _wire(table: _Table, run: RunSpec, level: str) -> WireRule | None:
    on, value, raw = table.text("on"), table.text("value") or "", table.flag("raw")
    matches, lacks = table.texts("matches", single=True), table.texts("lacks", single=True)
    if on is None:
        if matches or lacks or value or raw:
            raise table.fail("matches, lacks, value and raw belong to a check with `on`")
        return None
    if on not in _exchanges(run) | {"stdout", "ending"}:
        raise table.fail(
            f"on: there is no {on!r} among the paths of servers and the names of clients, nor is it stdout or ending"
        )
    if level == Level.UNSPECIFIED.value:
        if not value or matches or lacks:
            raise table.fail("an unspecified check on the wire has a value, and neither matches nor lacks")
    elif value or not (matches or lacks):
        raise table.fail("a requirement on the wire has matches or lacks, and no value")
    _compiled(table, (*matches, *lacks, value))
    return WireRule(on, matches, lacks, value, raw)


def _rule(table: _Table, run: RunSpec) -> WireRule:
    """Reads what the exchanges of one name must be."""
    on, raw = table.need("on"), table.flag("raw")
    matches, lacks = table.texts("matches", single=True), table.texts("lacks", single=True)
    table.done()
    if on not in _exchanges(run):
        raise table.fail(f"on: there is no {on!r} among the paths of servers and the names of clients")
    if not matches:
        raise table.fail("matches is missing or empty")
    _compiled(table, (*matches, *lacks))
    return WireRule(on, matches, lacks, raw=raw)


def _exchanges(run: RunSpec) -> set[str]:
    """Returns the names of the exchanges that a run may have."""
    answers = {answer.path for server in run.servers for answer in server.answers}
    return answers | {client.name for client in run.clients} | {f"{server.name} connections" for server in run.servers}


def _compiled(table: _Table, patterns: Iterable[str]) -> None:
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            raise table.fail(f"{pattern!r}: {error}") from None


def _positive(expect: Expect, run: RunSpec) -> bool:
    """Returns whether a program that does nothing fails the [expect] block."""
    if expect.trap or expect.refused is not None or (expect.exit is not None and expect.exit > 1):
        return True
    for stream in (expect.stdout, expect.stderr):
        if stream.exact or stream.contains or any(not re.search(pattern, "") for pattern in stream.matches):
            return True
    return any(not _holds_before(item, run) for item in expect.files)


def content_before(run: RunSpec, path: str) -> bytes | None:
    """Returns what a file of the guest holds before the run, or None where there is no regular file."""
    made = [item for item in run.make if item.path == path]
    if made:
        return made[-1].text if made[-1].kind == "file" else None
    found = find_directory(run.dirs, path)
    if found is None or found[0].source is None:
        return None
    place = found[0].source / found[1]
    return place.read_bytes() if place.is_file() else None


def _holds_before(item: FileExpectation, run: RunSpec) -> bool:
    before = content_before(run, item.path)
    if before is None:
        # What an entry's state is before the run is not known here; it is no proof that anything happened.
        return item.absent or bool(item.state)
    return not item.absent and text_problem(item.content, before) is None
