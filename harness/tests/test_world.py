"""The host side of a guest: special files, other file systems, mounts, fewer privileges, standard streams."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path

import pytest
from conftest import Project

from assay import cases
from assay.cases import CaseError
from assay.model import Case, Inexpressible, Mount, ProcessResult, Stdio
from assay.run import process, world
from assay.run.process import execute

HEAD = 'title = "x"\ncomponent = "c.wasm"\ninterfaces = ["wasi:cli/run"]\n[expect]\nexit = 2\n'
DIR = '[[run.dir]]\nguest = "/d"\n'


def case_of(project: Project, text: str) -> Case:
    return project.load(HEAD + text)


def run(*argv: str, stdin: bytes = b"", stdio: Stdio = Stdio()) -> ProcessResult:  # noqa: B008
    return execute(argv, env={"PATH": os.environ["PATH"]}, cwd=Path("/"), stdin=stdin, stdio=stdio, timeout=20)


def test_what_no_tree_can_hold(project: Project, tmp_path: Path) -> None:
    case = case_of(
        project,
        DIR
        + '[[run.make]]\npath = "/d/pipe"\nkind = "fifo"\n'
        + '[[run.make]]\npath = "/d/socket"\nkind = "socket"\n'
        + '[[run.make]]\npath = "/d/link"\nkind = "link"\nto = "/etc"\n'
        + '[[run.make]]\npath = "/d/na%FFme"\nkind = "file"\ntext = "x"\nmtime = -2\nmode = "000"\n'
        + '[[run.make]]\npath = "/d/sub"\nkind = "directory"\n'
        + '[[run.make]]\npath = "/d/sub/running"\nkind = "running"\n',
    )
    with world.mounts(case, tmp_path / "fixtures") as made:
        assert not isinstance(made, Inexpressible), made
        host = made[0].host
        assert stat.S_ISFIFO((host / "pipe").stat().st_mode)
        assert stat.S_ISSOCK((host / "socket").stat().st_mode)
        assert (host / "link").readlink() == Path("/etc")
        odd = (host / os.fsdecode(b"na\xffme")).stat()
        assert (stat.S_IMODE(odd.st_mode), odd.st_mtime) == (0, -2)
        with pytest.raises(OSError, match="Text file busy"):
            (host / "sub/running").open("wb").close()
    (host / "sub/running").open("wb").close()


def test_directories_of_the_machine(project: Project, tmp_path: Path) -> None:
    case = case_of(
        project,
        '[[run.dir]]\nguest = "/dev"\nsystem = "dev"\n[[run.dir]]\nguest = "/o"\nsystem = "other"\n' + DIR,
    )
    with world.mounts(case, tmp_path / "fixtures") as made:
        if isinstance(made, Inexpressible):
            pytest.skip(made.reason)
        dev, other, fresh = made
        assert dev == Mount(Path("/dev"), "/dev", False, True)
        assert other.host.stat().st_dev != fresh.host.stat().st_dev
    assert not other.host.exists()


def test_mounts_are_seen_by_the_process_alone(project: Project, tmp_path: Path) -> None:
    case = case_of(
        project,
        DIR
        + '[[run.make]]\npath = "/d/small"\nkind = "mount"\nsize = 8192\n'
        + '[[run.make]]\npath = "/d/fixed"\nkind = "mount"\nread-only = true\n',
    )
    with world.mounts(case, tmp_path / "fixtures") as made:
        assert not isinstance(made, Inexpressible)
        host = made[0].host
        script = (
            f"head -c 100000 /dev/zero > {host}/small/f; echo $?; rmdir {host}/small; echo $?; echo > {host}/fixed/f"
        )
        argv = world.wrap(case, made, ("sh", "-c", script), tmp_path / "begun")
        if isinstance(argv, Inexpressible):
            pytest.skip(argv.reason)
        result = run(*argv)
        assert result.stdout == b"1\n1\n"
        for words in (b"No space left", b"busy", b"Read-only file system"):
            assert words in result.stderr
        assert list((host / "small").iterdir()) == []


def test_without_the_rights_of_root(project: Project, tmp_path: Path) -> None:
    case = case_of(
        project, "[run]\nunprivileged = true\n" + DIR + '[[run.make]]\npath = "/d/f"\nkind = "file"\nmode = "000"\n'
    )
    with world.mounts(case, tmp_path / "fixtures") as made:
        assert not isinstance(made, Inexpressible)
        argv = world.wrap(case, made, ("cat", f"{made[0].host}/f"), tmp_path / "begun")
        if isinstance(argv, Inexpressible):
            pytest.skip(argv.reason)
        assert b"Permission denied" in run(*argv).stderr


def test_a_limit_of_open_files(project: Project, tmp_path: Path) -> None:
    argv = world.wrap(case_of(project, "[run]\nopen-files = 77\n"), (), ("sh", "-c", "ulimit -n"), tmp_path / "begun")
    assert not isinstance(argv, Inexpressible)
    assert run(*argv).stdout == b"77\n"


def test_without_openat2(project: Project, tmp_path: Path) -> None:
    project.add("p2/t/paths", "without-openat2 = true\n" + HEAD)
    usual, refused = cases.discover(project.root / "suites", project.root / "fixtures", ["p2/t/paths"])
    assert (usual.id, refused.id) == ("p2/t/paths", "p2/t/paths@without-openat2")
    script = "import ctypes; c = ctypes.CDLL(None, use_errno=True); c.syscall(437, -100, b'/', 0, 0); print(ctypes.get_errno())"
    for case, number in ((usual, errno.EINVAL), (refused, errno.ENOSYS)):  # a structure of no bytes: openat2(2), EINVAL
        argv = world.wrap(case, (), (sys.executable, "-c", script), tmp_path / "begun")
        if isinstance(argv, Inexpressible):
            pytest.skip(argv.reason)
        assert run(*argv).stdout == f"{number}\n".encode()


def test_a_network_of_its_own(project: Project, tmp_path: Path) -> None:
    script = "\n".join(
        [
            "import socket, time",
            "print(open('/proc/net/route').read().count('\\n'), socket.getaddrinfo('several.example', 1, type=1)[0][4][0])",
            "try: socket.create_connection(('198.51.100.7', 80))",
            "except OSError as e: print(e.strerror)",
            "try: socket.getaddrinfo('nowhere.example', 1)",
            "except OSError as e: print(e.errno == socket.EAI_NONAME)",
            "try: [socket.create_server(('127.0.0.1', 0)) for _ in iter(int, 1)]",
            "except OSError as e: print(e.errno == 98)",
        ]
    )
    script = script.replace("[socket.create_server(('127.0.0.1', 0)) for _ in iter(int, 1)]", "many()")
    script = (
        "import socket\ndef many():\n  kept = []\n  while True:\n    kept.append(socket.create_server(('127.0.0.1', 0)))\n"
        + script
    )
    case = case_of(project, '[run]\nnetwork = "alone"\n')
    argv = world.wrap(case, (), [sys.executable, "-c", script], tmp_path / "begun")
    if isinstance(argv, Inexpressible):
        pytest.skip(argv.reason)
    told = run(*argv).stdout.decode().splitlines()
    assert told[0].split()[1] in ("192.0.2.11", "192.0.2.12", "192.0.2.13", "2001:db8::11")
    assert told[1:] == ["Network is unreachable", "True", "True"]


def test_terminals() -> None:
    script = "import os, sys; print([os.isatty(n) for n in range(3)], sys.stdin.read()); print('no', file=sys.stderr)"
    result = run(sys.executable, "-c", script, stdin=b"typed\n", stdio=Stdio(frozenset({"stdin", "stdout"})))
    assert result.stdout == b"[True, True, False] typed\n\n"
    assert result.stderr == b"no\n"
    result = run(sys.executable, "-c", script, stdio=Stdio(frozenset({"stderr"})))
    assert (result.stdout, result.stderr) == (b"[False, False, True] \n", b"no\n")


def test_stdin_that_waits_for_the_guest() -> None:
    script = "import select, sys; print(len(select.select([0], [], [], 0)[0])); print('now', flush=True); print(sys.stdin.read())"
    result = run(sys.executable, "-u", "-c", script, stdin=b"text", stdio=Stdio(stdin_when="now"))
    assert result.stdout == b"0\nnow\ntext\n"


def test_stdin_that_stays_open() -> None:
    script = "import select, sys; print(len(select.select([0], [], [], 0.2)[0]))"
    assert run(sys.executable, "-c", script, stdio=Stdio(stdin_open=True)).stdout == b"0\n"
    assert run(sys.executable, "-c", script).stdout == b"1\n"


@pytest.mark.parametrize(("kind", "mode"), [("file", "S_ISREG"), ("socket", "S_ISSOCK"), ("pipe", "S_ISFIFO")])
def test_stdin_of_every_kind(kind: str, mode: str) -> None:
    script = f"import os, stat, sys; print(stat.{mode}(os.fstat(0).st_mode), sys.stdin.read())"
    assert run(sys.executable, "-c", script, stdin=b"text", stdio=Stdio(stdin=kind)).stdout == b"True text\n"


def test_stdin_and_stdout_that_are_files() -> None:
    script = "import os, stat, sys; print(os.fstat(0).st_rdev != 0, stat.S_ISREG(os.fstat(1).st_mode), len(sys.stdin.read()))"
    assert run(sys.executable, "-c", script, stdio=Stdio(stdin="null", stdout="file")).stdout == b"True True 0\n"


def test_stderr_that_is_read_late() -> None:
    script = (
        "import os; os.set_blocking(2, False); n = 0\ntry:\n    while True: n += os.write(2, b'x' * 4096)\nexcept BlockingIOError: pass\n"
        + ("print('full', flush=True); os.set_blocking(2, True); n += os.write(2, b'x' * 4096); print(n)")
    )
    result = run(sys.executable, "-c", script, stdio=Stdio(stderr_when="full"))
    assert result.stdout == f"full\n{len(result.stderr)}\n".encode()


@pytest.mark.parametrize(("kind", "error"), [("full", "ENOSPC"), ("unread", "EPIPE")])
def test_stderr_that_takes_nothing(kind: str, error: str) -> None:
    script = f"import errno, os\ntry:\n    os.write(2, b'x')\nexcept OSError as e:\n    print(e.errno == errno.{error})"
    assert run(sys.executable, "-c", script, stdio=Stdio(stderr=kind)).stdout == b"True\n"


@pytest.mark.parametrize(
    "text",
    [
        '[run]\nterminal = ["window"]\n',
        '[run]\nstderr-kind = "closed"\n',
        '[run]\nstdin-kind = "full"\n',
        '[run]\nstdout-kind = "file"\nstdin-when = "x"\n',
        "[run]\nopen-files = -1\n",
        '[run]\nterminal = ["stderr"]\nstderr-kind = "full"\n',
        '[[run.dir]]\nguest = "/d"\nsystem = "sys"\n',
        '[[run.dir]]\nguest = "/d"\nsystem = "dev"\nfrom = "seed"\n',
        '[[run.make]]\npath = "/d/f"\nkind = "fifo"\n',
        '[[run.dir]]\nguest = "/d"\nsystem = "dev"\n[[run.make]]\npath = "/d/f"\nkind = "fifo"\n',
        DIR + '[[run.make]]\npath = "/d/f"\nkind = "device"\n',
        DIR + '[[run.make]]\npath = "/d/f"\nkind = "link"\n',
        DIR + '[[run.make]]\npath = "/d/f"\nkind = "fifo"\nmtime = 1\n',
        DIR + '[[run.make]]\npath = "/d/f"\nkind = "fifo"\nto = "x"\n',
        DIR + '[[run.make]]\npath = "/d/f"\nkind = "fifo"\ntext = "x"\n',
        DIR + '[[run.make]]\npath = "/d/f"\nkind = "fifo"\nsize = 1\n',
        DIR + '[[run.make]]\npath = "/d/f"\nkind = "mount"\nsize = 0\n',
        DIR + '[[run.make]]\npath = "/d/f"\nkind = "file"\nmode = "9"\n',
    ],
)
def test_what_cannot_be_asked_for(project: Project, text: str) -> None:
    with pytest.raises(CaseError):
        case_of(project, text)


def test_a_machine_without_pseudo_terminals_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> tuple[int, int]:
        raise OSError(errno.ENODEV, "No such device")

    monkeypatch.setattr(os, "openpty", none)
    with pytest.raises(OSError, match=r"no pseudo-terminal can be opened \(is /dev/pts mounted\?\): No such device"):
        process._pair("stdout", "terminal", b"")
