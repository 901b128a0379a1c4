"""`touchstone serve` reads its grants once, before the first request. Later changes of files affect no thread."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from test_serve import COMMANDS, ROUTES, Server, has_server, start

GUEST = ROUTES.parent / "serve-grants.wasm"
CLIENTS = 12

pytestmark = pytest.mark.skipif(not COMMANDS, reason="touchstone is not built")


@pytest.fixture(scope="module", params=COMMANDS, ids=[p.parent.name for p in COMMANDS])
def command(request: pytest.FixtureRequest) -> Path:
    found = request.param
    assert isinstance(found, Path)
    if not has_server(found):
        pytest.skip("this build has no HTTP server")
    return found


def ask(server: Server, path: str = "/") -> str:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", path)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    assert response.status == 200, server.lines()[-2000:]
    return text


def ask_at_once(server: Server, path: str = "/") -> set[str]:
    """The different responses to many concurrent clients, for which new threads are started."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        return set(pool.map(lambda _: ask(server, path), range(3 * CLIENTS)))


@pytest.fixture
def granted(command: Path, tmp_path: Path) -> Iterator[tuple[Server, Path, str]]:
    """A server whose policy grants one folder to read and one variable, and its response."""
    (tmp_path / "given").mkdir()
    (tmp_path / "given/f").write_text("at the start")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/f").write_text("something else")
    policy = tmp_path / "p.toml"
    policy.write_text(f"dir = ['{tmp_path}/given::/d:ro']\nmax-memory = '64MiB'\n[env]\nSTATE = 'first'\n")
    server = start(command, tmp_path, "--policy", str(policy), "--threads", "1", component=GUEST)
    yield server, policy, "env STATE=first\ndir /d read-only at the start\n"
    assert server.end() == 0, server.lines()
    assert "touchstone:" not in server.lines()


CHANGES: dict[str, Callable[[Path], object]] = {
    "tightened": lambda p: p.write_text(""),
    "loosened": lambda p: p.write_text(f"dir = ['/::/all', '{p.parent}/given::/d']\ninherit-env = true\ninherit-network = true\n"),
    "damaged": lambda p: p.write_text("dir = [ this is no TOML"),
    "deleted": lambda p: p.unlink(),
    "a folder": lambda p: (p.unlink(), p.mkdir()),
    "unreadable": lambda p: p.chmod(0),
    "another limit": lambda p: p.write_text("max-memory = 1\nfuel = 1\n"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_policy_that_changes(granted: tuple[Server, Path, str], change: str) -> None:
    server, policy, answer = granted
    CHANGES[change](policy)
    assert ask_at_once(server) == {answer}


FOLDERS: dict[str, Callable[[Path, Path], object]] = {
    "renamed": lambda given, other: given.rename(given.parent / "moved"),
    "replaced by a folder": lambda given, other: (given.rename(given.parent / "moved"), other.rename(given)),
    "replaced by a symlink": lambda given, other: (given.rename(given.parent / "moved"), given.symlink_to(other)),
    "replaced by a symlink to the root": lambda given, other: (given.rename(given.parent / "moved"), given.symlink_to("/")),
}


@pytest.mark.parametrize("change", FOLDERS)
def test_a_folder_that_is_replaced(granted: tuple[Server, Path, str], change: str) -> None:
    server, policy, answer = granted
    FOLDERS[change](policy.parent / "given", policy.parent / "other")
    assert ask_at_once(server, "/write") == {answer.replace("start\n", "start refused\n")}
    assert not (policy.parent / "other/made").exists() and not (policy.parent / "given/made").exists()


def test_files_that_are_deleted(command: Path, tmp_path: Path) -> None:
    """Certificates and the component itself, with an environment variable of the server."""
    (tmp_path / "d").mkdir()
    (tmp_path / "d/f").write_text("here")
    certificates, component = tmp_path / "ca.pem", tmp_path / "guest.wasm"
    certificates.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    component.write_bytes(GUEST.read_bytes())
    os.environ["TOUCHSTONE_TEST_GIVEN"] = "yes"
    try:
        server = start(
            command, tmp_path, "--ca", str(certificates), "--http-allow", "*", "--env", "TOUCHSTONE_TEST_GIVEN", "--dir", f"{tmp_path}/d::/d",
            "--threads", "1", "--max-threads", "64", component=component,
        )  # fmt: skip
    finally:
        del os.environ["TOUCHSTONE_TEST_GIVEN"]
    certificates.unlink()
    component.unlink()
    (tmp_path / "d").rename(tmp_path / "e")
    assert ask_at_once(server, "/write") == {"env TOUCHSTONE_TEST_GIVEN=yes\ndir /d read-write here made\n"}
    assert (tmp_path / "e/made").exists()
    assert server.end(signal.SIGTERM) == 0


def test_an_option_after_the_component(command: Path, tmp_path: Path) -> None:
    """The guest's failure is reported as such; errors before the start are reported as for `run`."""
    done = subprocess.run([command, "serve", "--addr", "1.2.3.4:1", GUEST, "--addr", "127.0.0.1:0"], capture_output=True, text=True, timeout=60, check=False)
    assert "warning: --addr after" in done.stderr and "options of serve come before it" in done.stderr
    done = subprocess.run([command, "serve", "--addr", "1.2.3.4:1", GUEST, "one", "--verbose", "-x"], capture_output=True, text=True, timeout=60, check=False)
    assert "warning" not in done.stderr
    for options, said in (
        (["--dir", f"{tmp_path}::/x:RO"], ":RO is neither :ro nor :rw"),
        (["--invoke", "f()"], "--invoke is an option of touchstone run"),
        (["--policy", tmp_path / "none.toml"], "cannot read"),
    ):
        done = subprocess.run([command, "serve", *options, GUEST], capture_output=True, text=True, timeout=60, check=False)
        assert said in done.stderr and done.returncode in (120, 125), done.stderr


@pytest.mark.parametrize("change", ["overwritten", "truncated", "deleted", "another component"])
def test_a_component_that_changes(command: Path, tmp_path: Path, change: str) -> None:
    """The program is read once too: overwriting the file in place changes nothing."""
    component = tmp_path / "app.wasm"
    component.write_bytes(GUEST.read_bytes())
    server = start(command, tmp_path, "--env", "STATE=first", component=component)
    if change == "deleted":
        component.unlink()
    elif change == "another component":
        with component.open("r+b") as file:
            file.write(ROUTES.read_bytes())
    elif change == "overwritten":
        with component.open("r+b") as file:
            file.write(b"\xff" * component.stat().st_size)
    else:
        os.truncate(component, 0)
    assert ask_at_once(server) == {"env STATE=first\n"}
    assert server.end() == 0, server.lines()
    assert "touchstone:" not in server.lines()
