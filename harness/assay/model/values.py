"""The values that the harness passes around: cases, runs, observations, verdicts.

In: nothing. Out: frozen dataclasses and enums. The terms are those of suites/README.md.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


class Verdict(enum.Enum):
    """The result of a unit: a check, a case's expectation or a command. The order is from good to bad."""

    PASS = "PASS"
    SKIP = "SKIP"
    UNSUPPORTED = "UNSUPPORTED"
    FLAKY = "FLAKY"  # several attempts came to different verdicts
    FAIL = "FAIL"
    TIMEOUT = "TIMEOUT"
    CRASH = "CRASH"
    ERROR = "ERROR"

    @property
    def rank(self) -> int:
        return _RANKS[self]


_RANKS = {verdict: rank for rank, verdict in enumerate(Verdict)}


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """Returns the worst of several verdicts, or SKIP when there is none."""
    return max(verdicts, key=lambda verdict: verdict.rank) if verdicts else Verdict.SKIP


class Kind(enum.Enum):
    """What a record's case is: a case.toml, an official .wast script, or a built program of a foreign
    suite."""

    CASE = "case"
    SCRIPT = "script"
    PROGRAM = "program"


class Level(enum.Enum):
    MUST = "must"
    SHOULD = "should"
    UNSPECIFIED = "unspecified"


@dataclass(frozen=True)
class WireRule:
    """What a check asks of the exchanges of one name: to match all of `matches` and none of `lacks`.

    An unspecified check records the `value` that it finds instead."""

    on: str
    matches: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    value: str = ""
    raw: bool = False


@dataclass(frozen=True)
class Check:
    """One requirement. The guest reports on it, or the judge reads it from the wire."""

    id: str
    level: Level
    function: str
    since: str
    text: str
    wire: WireRule | None = None

    @property
    def interface(self) -> str:
        return interface_of(self.function)

    @property
    def package(self) -> str:
        return package_of(self.interface)


def interface_of(function: str) -> str:
    """`wasi:cli/environment.get-arguments` -> `wasi:cli/environment`."""
    package, slash, rest = function.partition("/")
    return f"{package}{slash}{rest.partition('.')[0]}"


def package_of(interface: str) -> str:
    """`wasi:cli/environment` -> `wasi:cli`."""
    return interface.partition("/")[0]


class System(enum.Enum):
    """A preopened directory that is not a copy of a tree."""

    DEV = "dev"  # the machine's own /dev
    PROC = "proc"  # the machine's own /proc
    OTHER = "other"  # a fresh directory on another file system


@dataclass(frozen=True)
class Directory:
    """A preopened directory: a fresh copy of a tree, or an empty one, under the name that the guest sees."""

    guest: str
    source: Path | None
    read_only: bool = False
    system: System | None = None


@dataclass(frozen=True)
class Made:
    """Something put into a preopened directory that no copied tree can hold."""

    path: str
    kind: str
    to: str = ""
    text: bytes = b""
    mode: int | None = None
    mtime: int | None = None
    size: int = 1 << 20
    read_only: bool = False


@dataclass(frozen=True)
class Stdio:
    """The kinds of the standard streams. By default they are pipes that are fed and read at once.

    `stdin` is pipe, file, socket, null or directory. `stdout` is pipe or file. `stderr` is pipe, full (a
    device) or unread (a pipe without a reader). With `stdin_when`, stdin is fed a moment after the guest has
    written that text to stdout; with `stderr_when`, stderr is read a moment after it.
    """

    terminal: frozenset[str] = frozenset()
    stdin: str = "pipe"
    stdin_when: str = ""
    stdin_open: bool = False
    stdout: str = "pipe"
    stderr: str = "pipe"
    stderr_when: str = ""


@dataclass(frozen=True)
class Step:
    """One step of a peer on a connection: it sends bytes so many times, pauses, or reads until a pattern
    matches."""

    data: bytes = b""
    times: int = 1
    pause: float = 0.0
    until: str = ""


@dataclass(frozen=True)
class Answer:
    """What a server of the harness answers to requests for one path.

    `read` is all (it reads the whole request first) or head. `then` says what happens to the connection:
    keep, close, reset or hold (it stays open and the server sends nothing more). The path `*` is any path.

    `echo` is body or headers: the steps are the beginning of the answer's head, in which {method} and {target}
    are those of the request, and the answer goes on with the body, or the headers, of the request."""

    path: str
    steps: tuple[Step, ...]
    read: str = "all"
    then: str = "keep"
    method: str = ""
    """The only method that it answers. Empty: any."""
    echo: str = ""


@dataclass(frozen=True)
class ServerSpec:
    """A server for the requests of a guest.

    `kind` is plain, tls (with a certificate that nobody trusts), refusing (nothing listens) or deaf (its
    queue is full and nothing accepts)."""

    name: str
    kind: str
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True)
class ClientSpec:
    """One connection to a served component.

    `then` is answer (read until every response is complete), end (read to the end of the stream), close or
    reset."""

    name: str
    steps: tuple[Step, ...]
    then: str = "answer"
    within: float = 10.0


@dataclass(frozen=True)
class Exchange:
    """What the guest's side sent on one connection, for one request or one client.

    `ended` is open, closed or reset. `methods` has the methods of the requests that these bytes answer; it is
    empty where the exchange itself is a request."""

    name: str
    data: bytes
    ended: str
    methods: tuple[str, ...] = ()


GRANTS = ("inherit-network", "allow-ip-name-lookup", "http", "tcp", "udp")
"""What a case may ask a runtime to grant."""


@dataclass(frozen=True)
class RunSpec:
    """What a case gives the guest. Where `env` is None, the runtime's default environment applies."""

    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] | None = None
    stdin: bytes = b""
    dirs: tuple[Directory, ...] = ()
    grants: tuple[str, ...] = ()
    timeout: float = 10.0
    make: tuple[Made, ...] = ()
    stdio: Stdio = Stdio()
    unstable: tuple[str, ...] = ()
    unprivileged: bool = False
    open_files: int = 0
    servers: tuple[ServerSpec, ...] = ()
    clients: tuple[ClientSpec, ...] = ()
    network: str = ""
    openat2: bool = True
    """Whether the kernel has this call for the runtime."""
    zone: str = "UTC"
    """The time zone of the host, as POSIX writes it in TZ."""
    dials: tuple[ClientSpec, ...] = ()
    """Connections to the address that the program prints as its first line, `127.0.0.1:PORT`."""

    @property
    def serve(self) -> bool:
        """Whether the component serves the requests of `clients` instead of being run."""
        return bool(self.clients)


@dataclass(frozen=True)
class TextExpectation:
    """What a stream or a file must hold. Every part that is given must hold."""

    exact: bytes | None = None
    contains: tuple[str, ...] = ()
    matches: tuple[str, ...] = ()

    @property
    def given(self) -> bool:
        return self.exact is not None or bool(self.contains) or bool(self.matches)


@dataclass(frozen=True)
class FileExpectation:
    """A file after the run, by the path that the guest would use.

    The patterns of `state` are matched with the description of the entry itself (`runner.entry_state`)."""

    path: str
    content: TextExpectation
    absent: bool = False
    state: tuple[str, ...] = ()


class Ending(enum.Enum):
    """How a run ended, as far as the runtime shows it."""

    EXITED = "exited"
    TRAP = "trap"
    MALFORMED = "malformed"
    INVALID = "invalid"
    REJECTED = "rejected"  # malformed or invalid: this runtime does not distinguish them
    LINK_ERROR = "link-error"
    UNSUPPORTED = "unsupported"
    LIMIT = "limit"
    KILLED = "killed"
    USAGE = "usage"
    IO_ERROR = "io-error"
    INTERNAL = "internal"
    TIMEOUT = "timeout"
    CRASH = "crash"
    FLOOD = "flood"  # more output than the harness accepts
    NOT_STARTED = "not-started"


@dataclass(frozen=True)
class Outcome:
    """The ending, with what belongs to it."""

    ending: Ending
    status: int | None = None
    kind: str = ""
    message: str = ""
    imports: tuple[str, ...] = ()

    def __str__(self) -> str:
        words = self.ending.value
        if self.status is not None:
            words += f" {self.status}"
        if self.kind:
            words += f": {self.kind}"
        if self.message and self.message != self.kind:
            words += f" ({self.message})" if self.kind else f": {self.message}"
        return words


@dataclass(frozen=True)
class Expect:
    """What must be true of the run as a whole, besides the checks."""

    exit: int | None = 0
    trap: bool = False
    trap_kind: str = ""
    refused: Ending | None = None
    stdout: TextExpectation = field(default_factory=TextExpectation)
    stderr: TextExpectation = field(default_factory=TextExpectation)
    files: tuple[FileExpectation, ...] = ()
    wire: tuple[WireRule, ...] = ()
    """What must have arrived at the clients and servers, for a case without checks."""
    bare: bool = False
    """A runtime that does nothing would satisfy all this, so it is no PASS."""


@dataclass(frozen=True)
class Case:
    id: str
    title: str
    component: Path
    interfaces: tuple[str, ...]
    run: RunSpec
    expect: Expect
    checks: tuple[Check, ...]
    folder: Path
    notes: str = ""
    made_by: str = ""
    """The command that makes the component, where it is not committed."""
    digest: str = ""
    """SHA-256 of everything that defines the case except its component."""
    versions: bool = False
    """The case is also run with its component as if built against each other 0.2.x."""
    without_openat2: bool = False
    """The case is also run for a kernel without this call."""
    module: Path | None = None
    """The same program as a core module of preview 1, for the runtimes that take one."""
    built: str = ""
    """The 0.2.x that the component was built against, where the case has such variants. Empty: several, or
    unknown."""
    kind: Kind = Kind.CASE

    def check(self, check_id: str) -> Check | None:
        return next((check for check in self.checks if check.id == check_id), None)


@dataclass(frozen=True)
class Basis:
    """What a requirement rests on: `wit`, or a text and its section; and the ids of the sentences that yield it,
    each with its official text, which is empty where this machine does not have it."""

    text: str
    sentences: tuple[tuple[str, str], ...] = ()
    links: tuple[str, ...] = ()
    """The address of each of the sentences, which is empty where it is not known."""


@dataclass(frozen=True)
class Divergence:
    """A requirement that several peers fail: who is right and why, what each runtime does, the threads upstream."""

    title: str
    right: str
    why: str
    does: Mapping[str, str]
    links: tuple[str, ...] = ()


def original(case_id: str) -> str:
    """`p2/cli/run-err@0.2.7` -> `p2/cli/run-err`: the case whose variant this is; a case itself as it is."""
    return case_id.partition("@")[0]


EXPECT_UNIT = "@expect"
"""The id of the unit that stands for a case's own [expect] block among its checks."""


@dataclass(frozen=True)
class Peer:
    """A runtime that was found."""

    name: str
    version: str
    program: tuple[str, ...]
    note: str = ""
    options: tuple[str, ...] = ()
    """Arguments that the user put after the program's name: they come right after the subcommand."""


@dataclass(frozen=True)
class Absent:
    """A runtime that was not found, and the reason in one line."""

    name: str
    reason: str


@dataclass(frozen=True)
class Mount:
    """A preopened directory of a run on the host."""

    host: Path
    guest: str
    read_only: bool
    system: bool = False


@dataclass(frozen=True)
class Job:
    """One case, ready for one runtime: everything an adapter needs to write its command line."""

    case: Case
    component: Path
    mounts: tuple[Mount, ...]
    scratch: Path
    trace: bool = True


@dataclass(frozen=True)
class Command:
    """A command line with its whole environment.

    `listening` is, for a server, the pattern of its message when it listens. The pattern's group is the
    port."""

    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    outcome_file: Path | None = None
    trace_file: Path | None = None
    startup: float = 0.0
    listening: str = ""
    port: int = 0
    """The port that the adapter picked, where the runtime cannot pick one itself."""


@dataclass(frozen=True)
class Inexpressible:
    reason: str


@dataclass(frozen=True)
class ProcessResult:
    """What the operating system saw of a process."""

    status: int | None
    signal: int | None
    timed_out: bool
    flooded: bool
    stdout: bytes
    stderr: bytes
    wall: float
    cpu: float
    peak_rss_kib: int
    leftovers: bool = False
    failure: str = ""
    stopped: bool = False  # the harness ended it because its clients were done


@dataclass(frozen=True)
class FileState:
    """One entry of a directory after the run. `kind` is file, dir, link or other."""

    path: str
    kind: str
    size: int = 0
    digest: str = ""


@dataclass(frozen=True)
class Cut:
    """An output that is longer than a record keeps: its true size in bytes, and the SHA-256 of the whole."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class CommandSeen:
    """The status of one command of a script: pass, skip, fail, unsupported, or missing where the runtime has
    none.

    The command `0 script` stands for the script as a whole: crash, timeout, unconvertible or fail."""

    id: str
    status: str
    message: str = ""


@dataclass(frozen=True)
class NotRun:
    """The reason why a case was not run: SKIP where the runtime or the machine cannot, ERROR where the
    harness failed."""

    reason: str
    verdict: Verdict = Verdict.SKIP


TRACE_LIMIT = 256 << 10
"""Bytes of a trace that are kept."""


@dataclass(frozen=True)
class Observation:
    """Everything that was observed of one case on one runtime.

    In a record, placeholders such as {run} replace what no longer exists after the run."""

    outcome: Outcome
    argv: tuple[str, ...] = ()
    stdout: bytes = b""
    stderr: bytes = b""
    trace: str = ""
    wall: float = 0.0
    cpu: float = 0.0
    peak_rss_kib: int = 0
    contents: tuple[tuple[str, bytes | None], ...] = ()
    tree: tuple[FileState, ...] = ()
    leftovers: bool = False
    wire: tuple[Exchange, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    cwd: str = ""
    cut: tuple[Cut, ...] = ()
    normalised: tuple[str, ...] = ()
    """The placeholders that were used."""
    commands: tuple[CommandSeen, ...] = ()
    named: tuple[str, ...] = ()
    """The names that the component contains, of those that its known failure says it lacks."""
    places: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Paths and addresses that no longer exist after the run, each with its placeholder. `settle` applies
    them."""

    def size(self, name: str, data: bytes) -> int:
        """Returns the true size of the output of this name."""
        return next((item.size for item in self.cut if item.name == name), len(data))


@dataclass(frozen=True)
class Expected:
    """A known result that the expectations announce for a unit."""

    statuses: tuple[Verdict, ...]
    reason: str
    link: str = ""
    word: str = ""
    """The status as the expectations file has it, where two statuses share the verdict."""
    kind: str = ""
    """One of `judge.causes.KINDS`; empty in a record of before there were kinds."""


@dataclass(frozen=True)
class UnitResult:
    """The verdict on one check, on the case's [expect] block (id `@expect`), or on one command of a
    script."""

    id: str
    verdict: Verdict
    detail: str = ""
    value: str | None = None
    expected: Expected | None = None
    unexpected: bool = False
    word: str = ""
    """The status of a script's command, where two statuses share the verdict."""
    verdicts: tuple[Verdict, ...] = ()
    """Of a flaky unit: what each attempt came to, in their order."""


@dataclass(frozen=True)
class CaseResult:
    case: str
    runtime: str
    verdict: Verdict
    units: tuple[UnitResult, ...]
    observation: Observation
    rest: bytes = b""
    reason: str = ""
    kind: Kind = Kind.CASE
    whole: tuple[str, ...] = ()
    """The units that cannot be judged again, because their verdict was made from more than the record
    keeps."""
    attempts: tuple[CaseResult, ...] = ()
    """The attempts after the first one, each as it came out alone. They have no attempts of their own."""

    def unit(self, unit_id: str) -> UnitResult | None:
        return next((unit for unit in self.units if unit.id == unit_id), None)

    @property
    def unexpected(self) -> bool:
        return any(unit.unexpected for unit in self.units)
