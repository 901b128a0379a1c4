"""The layout of WebAssembly/wasi-testsuite: manifests, programs, what each must do, and lists of what to skip.

In: a folder. Out: programs, each with its input and what must be true of its run, or why it is not run here;
the entries of the runner's own lists. The format is its doc/specification.md. Files are used unchanged.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import Path

from ..model import Answer, ClientSpec, Directory, Expect, RunSpec, ServerSpec, Step, TextExpectation, WireRule
from .suite import SuiteError

TIMEOUT = 30.0
RUNS = ("wasm32-wasip1", "wasm32-wasip2")

_OLD = {"args", "root", "env", "exit_code", "stderr", "stdout", "dirs"}
_NEW = {"operations", "proposals", "world", "servers"}
_WORLDS = ("wasi:cli/command", "wasi:http/proxy", "wasi:http/service")
_GRANTS = {"http": ("http",), "sockets": ("inherit-network", "allow-ip-name-lookup")}
_ENDS = ("SIGTERM", "SIGINT")
"""The signals with which the runner ends a server. The harness ends each server when its clients are done."""


@dataclass(frozen=True)
class Program:
    """A program with its name below the suite's folder (`rust/wasm32-wasip1/NAME`) and the content of its
    JSON file."""

    name: str
    path: Path
    version: str
    run: RunSpec = field(default_factory=RunSpec)
    expect: Expect = field(default_factory=Expect)
    problem: str = ""  # why it cannot be run here
    suite: str = ""
    """The name of its suite in the manifest, by which the runner's own lists name it."""
    digest: str = ""
    """SHA-256 of its group in a table."""

    @property
    def group(self) -> str:
        return self.name.rpartition("/")[0]


def find(folder: Path) -> tuple[Program, ...]:
    """Returns every program below a folder. Where a manifest has no version, it is the folder's name."""
    programs = []
    for manifest in sorted(folder.rglob("manifest.json")):
        try:
            content = json.loads(manifest.read_text(encoding="utf-8"))
            version, suite = str(content["version"]), str(content.get("name", ""))
        except (ValueError, KeyError, TypeError):
            version, suite = manifest.parent.name, ""
        for path in sorted(manifest.parent.glob("*.wasm")):
            parts = [part for part in path.relative_to(folder).parts[:-1] if part != "testsuite"]
            programs.append(replace(_program("/".join([*parts, path.stem]), path, version), suite=suite))
    return tuple(programs)


def _program(name: str, path: Path, version: str) -> Program:
    if version not in RUNS:
        return Program(name, path, version, problem=f"programs for {version} are not run: only WASI 0.1 and 0.2 are")
    file = path.with_suffix(".json")
    try:
        raw = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        run, expect = specification(raw, path.parent)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        return Program(name, path, version, problem=f"{file.name}: {error}")
    return Program(name, path, version, run, expect)


def specification(raw: Mapping[str, object], folder: Path) -> tuple[RunSpec, Expect]:
    """Reads a program's JSON file: the older form with six keys, or a list of operations."""
    unknown = set(raw) - _OLD - _NEW
    if unknown:
        raise ValueError(f"unknown key {', '.join(sorted(unknown))}")
    if set(raw) & _NEW:
        if set(raw) & _OLD:
            raise ValueError("two forms in one file")
        return _Operations(raw, folder).read()
    stdout, stderr = raw.get("stdout"), raw.get("stderr")
    roots = [raw["root"]] if raw.get("root") is not None else []
    return (
        _run_spec(raw, folder, [*roots, *_strings(raw.get("dirs"), "dirs")]),
        Expect(exit=_number(raw.get("exit_code", 0)), stdout=_text(stdout), stderr=_text(stderr)),
    )


class _Operations:
    """The list of operations on one process. An operation that no run of the harness has is a ValueError that
    says so."""

    def __init__(self, raw: Mapping[str, object], folder: Path) -> None:
        self.raw, self.folder = raw, folder
        self.run: RunSpec | None = None
        self.status, self.waited = 0, False
        self.stdin = ""
        self.when = ""  # the output after which stdin is written to
        self.outputs = {"stdout": "", "stderr": ""}
        self.dial: tuple[str, str] | None = None  # the connection, and what has been received on it
        self.dialled: list[Step] = []
        self.clients: list[ClientSpec] = []
        self.rules: list[WireRule] = []
        world = raw.get("world", _WORLDS[0])
        if world not in _WORLDS:
            raise ValueError(f"the world {world} is not one of {', '.join(_WORLDS)}")
        self.serves = world != _WORLDS[0]

    def read(self) -> tuple[RunSpec, Expect]:
        operations = self.raw.get("operations", [{"type": "run"}, {"type": "wait"}])
        known: dict[str, Callable[[Mapping[str, object]], None]] = {
            "run": self._run, "write": self._write, "read": self._read, "wait": self._wait, "kill": self._kill,
            "connect": self._connect, "send": self._send, "recv": self._recv, "request": self._request,
        }  # fmt: skip
        for operation in _list(operations, "operations"):
            kind = str(operation.get("type"))
            if kind not in known:
                raise ValueError(f"there is no operation {kind}")
            if (self.run is None) != (kind == "run") or self.waited:
                raise ValueError(f"operation {kind}: more than one process, or none that runs")
            known[kind](operation)
        if self.run is None or not self.waited:
            raise ValueError("a run and a wait belong together")
        if self.serves and not self.clients:
            raise ValueError("a server without a request is not run")
        dials = (ClientSpec(self.dial[0], tuple(self.dialled), "end", TIMEOUT),) if self.dial else ()
        grants = [grant for name in _strings(self.raw.get("proposals"), "proposals") for grant in _proposal(name)]
        servers = tuple(_server(item) for item in _list(self.raw.get("servers") or [], "servers"))
        variables = tuple((f"HTTP_SERVER_{server.name.upper()}", f"{{{server.name}}}") for server in servers)
        run = replace(
            self.run, stdin=self.stdin.encode(), env=(*(self.run.env or ()), *variables), grants=tuple(grants),
            stdio=replace(self.run.stdio, stdin_when=self.when), servers=servers, clients=tuple(self.clients),
            dials=dials,
        )  # fmt: skip
        first = r"\A[^\n]*\n" if self.dial else r"\A"
        return run, Expect(
            exit=self.status,
            stdout=_beginning(first, self.outputs["stdout"]),
            stderr=_beginning(r"\A", self.outputs["stderr"]),
            wire=tuple(self.rules) + self._received(),
        )

    def _run(self, operation: Mapping[str, object]) -> None:
        roots = [operation["root"]] if operation.get("root") is not None else []
        self.run = _run_spec(operation, self.folder, roots)

    def _write(self, operation: Mapping[str, object]) -> None:
        if operation.get("id", "stdin") != "stdin":
            raise ValueError(f"write: there is no stream {operation.get('id')} to write to")
        if self.outputs["stderr"] or (self.outputs["stdout"] and self.stdin):
            raise ValueError("write: input in several parts with output between them is not given")
        self.when = self.outputs["stdout"]
        self.stdin += str(operation.get("payload", ""))

    def _read(self, operation: Mapping[str, object]) -> None:
        name = str(operation.get("id", "stdout"))
        if name not in self.outputs:
            raise ValueError(f"read: there is no stream {name}")
        self.outputs[name] += str(operation.get("payload", ""))

    def _wait(self, operation: Mapping[str, object]) -> None:
        self.status, self.waited = _number(operation.get("exit_code", 0)), True

    def _kill(self, operation: Mapping[str, object]) -> None:
        if not self.serves:
            raise ValueError("kill: what a signal does to a running command is not part of WASI")
        if operation.get("signal", "SIGTERM") not in _ENDS:
            raise ValueError(f"kill: a server is ended by {' or '.join(_ENDS)} only")

    def _connect(self, operation: Mapping[str, object]) -> None:
        if operation.get("protocol_type", "tcp") != "tcp":
            raise ValueError(f"connect: only tcp, not {operation.get('protocol_type')}")
        if self.dial is not None or self.serves:
            raise ValueError("connect: only one connection of a command")
        if self.outputs["stdout"]:
            raise ValueError("connect: the address is looked for in the first line only")
        self.dial = (str(operation.get("id", "server")), "")

    def _connection(self, operation: Mapping[str, object]) -> tuple[str, str]:
        if self.dial is None or operation.get("id") != self.dial[0]:
            raise ValueError(f"there is no connection {operation.get('id')}")
        return self.dial

    def _send(self, operation: Mapping[str, object]) -> None:
        self._connection(operation)
        self.dialled.append(Step(str(operation.get("payload", "")).encode()))

    def _recv(self, operation: Mapping[str, object]) -> None:
        name, before = self._connection(operation)
        self.dial = (name, before + str(operation.get("payload", "")))
        self.dialled.append(Step(until=r"\A" + _bytes_pattern(self.dial[1])))

    def _received(self) -> tuple[WireRule, ...]:
        if self.dial is None:
            return ()
        return (WireRule(self.dial[0], (r"\A" + _bytes_pattern(self.dial[1]),), raw=True),)

    def _request(self, operation: Mapping[str, object]) -> None:
        if not self.serves:
            raise ValueError("request: only to a component that serves HTTP")
        name = f"request {len(self.clients) + 1}"
        response = operation.get("response") or {}
        if not isinstance(response, dict):
            raise ValueError("response is no object")
        method, path = str(operation.get("method", "GET")), str(operation.get("path", "/"))
        body, headers = str(operation.get("body", "")).encode(), _headers(operation)
        lines = [f"{method} {path if path.startswith('/') else '/' + path} HTTP/1.1", *headers, "Connection: close"]
        if not any(line.lower().startswith("host:") for line in headers):
            lines.append("Host: localhost")
        if body:
            lines.append(f"Content-Length: {len(body)}")
        said = "\r\n".join([*lines, "", ""]).encode() + body
        self.clients.append(ClientSpec(name, (Step(said),)))
        self.rules.append(answer_rule(name, str(_number(response.get("status", 200))), _headers(response), str(response.get("body", ""))))  # fmt: skip


def answer_rule(name: str, status: str, headers: Sequence[str], body: str | None) -> WireRule:
    """Returns what the answer to a client must be. `status` is a pattern, headers are lines; a body of None is
    any."""
    lines = [line.split(": ", 1) for line in headers]
    wanted = [rf"\A(?:.+\n)+(?i:{re.escape(key)}): *{re.escape(value)}\n" for key, value in lines]
    if body is not None:
        wanted.append(rf"\A(?:.+\n)+\n{_bytes_pattern(body)}(?:\n<trailers>\n(?:.*\n)*)?<whole>")
    return WireRule(name, (rf"\AHTTP/1\.[01] {status}\b", *wanted))


def _server(raw: Mapping[str, object]) -> ServerSpec:
    name, kind = str(raw["name"]), raw.get("kind", "listening")
    if not re.fullmatch(r"\w+", name, re.ASCII):
        raise ValueError(f"server {name}: the name is no part of a variable's")
    if kind == "closed":
        return ServerSpec(name, "refusing")
    if kind != "listening":
        raise ValueError(f"server {name}: there is no kind {kind}")
    return ServerSpec(name, "plain", tuple(_endpoint(item) for item in _list(raw.get("endpoints") or [], "endpoints")))


def _endpoint(raw: Mapping[str, object]) -> Answer:
    path, method, mode = str(raw.get("path", "/")), str(raw.get("method", "GET")).upper(), raw.get("mode", "static")
    if mode in ("echo-body", "echo-headers"):
        begun = b"HTTP/1.1 200 OK\r\n"
        if mode == "echo-headers":
            begun += b"x-request-method: {method}\r\nx-request-path: {target}\r\n"
        return Answer(path, (Step(begun),), then="close", method=method, echo=str(mode).removeprefix("echo-"))
    if mode != "static":
        raise ValueError(f"endpoint {path}: there is no mode {mode}")
    response = raw.get("response", "")
    if isinstance(response, str):
        response = {"body": response}
    if not isinstance(response, dict):
        raise ValueError(f"endpoint {path}: the response is no object")
    status = _number(response.get("status", 200))
    head = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *_headers(response), "Connection: close"]
    chunks = response.get("chunks")
    if chunks is None:
        body = str(response.get("body", "")).encode()
        head.append(f"Content-Length: {len(body)}")
    else:
        pieces = [chunk.encode() for chunk in _strings(chunks, "chunks")]
        trailers = "".join(f"{line}\r\n" for line in _headers(response, "trailers"))
        head.append("Transfer-Encoding: chunked")
        body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + f"0\r\n{trailers}\r\n".encode()
    steps = Step("\r\n".join([*head, "", ""]).encode() + (b"" if method == "HEAD" else body))
    return Answer(path, (steps,), then="close", method=method)


def _proposal(name: str) -> tuple[str, ...]:
    if name not in _GRANTS:
        raise ValueError(f"needs the proposal {name}")
    return _GRANTS[name]


def _headers(raw: Mapping[str, object], key: str = "headers") -> list[str]:
    value = raw.get(key) or {}
    if not isinstance(value, dict):
        raise ValueError(f"{key} is no object")
    return [f"{name}: {content}" for name, content in value.items()]


def _bytes_pattern(text: str) -> str:
    """Returns a pattern for the UTF-8 of a text in bytes that are read as Latin-1."""
    return re.escape(text.encode().decode("latin-1"))


def _beginning(before: str, text: str) -> TextExpectation:
    """A read takes as many characters as it expects, so it says nothing of what follows."""
    return TextExpectation(matches=(before + re.escape(text),)) if text else TextExpectation()


def _run_spec(raw: Mapping[str, object], folder: Path, roots: Sequence[object]) -> RunSpec:
    env = raw.get("env") or {}
    if not isinstance(env, dict):
        raise ValueError("env is no object")
    if len(roots) > 1:
        raise ValueError("more than one directory")
    dirs = []
    for root in roots:
        source = folder / str(root)
        if not source.is_dir():
            raise ValueError(f"there is no directory {root}")
        dirs.append(Directory("/", source))
    variables = tuple((str(key), str(value)) for key, value in env.items())
    return RunSpec(tuple(_strings(raw.get("args"), "args")), variables, b"", tuple(dirs), timeout=TIMEOUT)


def _list(value: object, name: str) -> list[Mapping[str, object]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ValueError(f"{name} is no list of objects")
    return value


def _strings(value: object, name: str) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"{name} is no list of strings")
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"exit_code is {value!r}")
    return value


def _text(value: object) -> TextExpectation:
    return TextExpectation() if value is None else TextExpectation(exact=str(value).encode())


# --- the runner's own lists -----------------------------------------------------------------------


_OURS = {"wamr": "iwasm"}
"""The runtimes that have another name there."""


@dataclass(frozen=True)
class Lists:
    """What the runner's own lists say not to run, by runtime, suite and program, each with the words for it."""

    skipped: Mapping[tuple[str, str, str], str] = field(default_factory=dict)

    def reason(self, runtime: str, program: Program) -> str:
        return self.skipped.get((runtime, program.suite, program.path.stem), "")


def lists(folder: Path) -> Lists:
    """Reads the lists of the layout: expectations/RUNTIME/linux.toml or expectations/RUNTIME-linux.json, in the
    folder or beside it.

    An entry that expects a failure changes nothing: only the reference is judged, and by expectations of ours."""
    skipped: dict[tuple[str, str, str], str] = {}
    for place in (folder / "expectations", folder.parent / "expectations"):
        if not place.is_dir():
            continue
        for path in sorted([*place.glob("*/linux.toml"), *place.glob("*-linux.json")]):
            toml = path.suffix == ".toml"
            runtime = path.parent.name if toml else path.stem.removesuffix("-linux")
            try:
                entries = _toml_list(path) if toml else _json_list(path)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise SuiteError(f"{path}: {error}") from None
            where = path.relative_to(place.parent).as_posix()
            for (suite, program), words in entries.items():
                said = f"wasi-testsuite's own list for {runtime} skips it ({where})"
                skipped[_OURS.get(runtime, runtime), suite, program] = f"{said}: {words}" if words else said
        break
    return Lists(skipped)


def _toml_list(path: Path) -> dict[tuple[str, str], str]:
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    if raw.get("version", 1) != 1:
        raise ValueError(f"the version is {raw['version']}, not 1")
    return {
        (suite["name"], test["name"]): ""
        for suite in raw.get("suite", [])
        for test in suite.get("test", [])
        if test.get("action") == "skip"
    }


def _json_list(path: Path) -> dict[tuple[str, str], str]:
    raw = json.loads(path.read_text(encoding="utf-8"))
    return {(suite, test): str(words) for suite, tests in raw.items() for test, words in tests.items()}
