"""Requests of a guest (fixtures/src/p2/http-call.c) through `touchstone run`: what is granted, what is on the wire, what the guest sees."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

import pytest
from http_servers import Authority, Conn, Server, saying

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = Path(os.environ.get("TOUCHSTONE", ROOT / os.environ.get("BUILD", "build") / "touchstone"))
GUEST = ROOT / "fixtures/built/http-call.wasm"

pytestmark = pytest.mark.skipif(not os.access(PROGRAM, os.X_OK), reason="touchstone is not built")

CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def start(options: list[str | Path], *call: str, **env: str) -> subprocess.Popen[str]:
    argv = [PROGRAM, "run", *options, GUEST, *call]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={"PATH": "/usr/bin:/bin", **env})


def run(options: list[str | Path], *call: str, status: int = 0, **env: str) -> list[str]:
    process = start(options, *call, **env)
    out, err = process.communicate(timeout=60)
    assert process.returncode == status, (process.returncode, out, err)
    return (out + err).splitlines()


def call(server: Server, method: str = "GET", path: str = "/", *more: str) -> list[str]:
    return run(["--http-allow", server.authority], method, "http", server.authority, path, *more)


def test_nothing_is_granted_by_default() -> None:
    with Server(saying("no")) as server:
        for options in ([], ["--http-allow", "127.0.0.2"], ["--http-allow", f"127.0.0.1:{server.port + 1}"], ["-S", "inherit-network"]):
            lines = run([*options, "--trace=wasi:http/outgoing-handler"], "GET", "http", server.authority, "/")
            assert "handle HTTP-request-denied" in lines
            assert [line for line in lines if "outgoing-handler" in line and line.endswith("-> err(HTTP-request-denied) [denied]")]
        assert server.connections == 0


@pytest.mark.parametrize("options", [["-S", "http"], ["-Shttp"], ["--http-allow", "*"], ["--http-allow=127.0.0.1"]])
def test_grants(options: list[str]) -> None:
    with Server(lambda conn: (conn.head(), conn.answer(b"yes"))) as server:
        assert "data yes" in run([*options], "GET", "http", server.authority, "/")


@pytest.mark.parametrize("rule", ["a,b", "http://a", "a:b", "*a", ""])
def test_rules_that_are_none(rule: str) -> None:
    assert any("--http-allow" in line or "expected" in line or "one host" in line for line in run(["--http-allow", rule], "GET", "http", "a", "/", status=120))


def test_grants_by_policy(tmp_path: Path) -> None:
    with Server(lambda conn: (conn.head(), conn.answer(b"yes"))) as server:
        for text, line in ((f"http-allow = ['{server.authority}']", "data yes"), ("http = true", "data yes"), ("", "handle HTTP-request-denied")):
            (tmp_path / "policy.toml").write_text(text)
            assert line in run(["--policy", tmp_path / "policy.toml"], "GET", "http", server.authority, "/")
        (tmp_path / "policy.toml").write_text(f"http-allow = ['*']\nca = '{tmp_path}/none.pem'")
        run(["--policy", tmp_path / "policy.toml"], "GET", "http", server.authority, "/", status=125)


def test_prohibited_addresses() -> None:
    with Server(lambda conn: (conn.head(), conn.answer(b"yes"))) as server:
        for name in ("127.0.0.1", "localhost"):
            for deny in ("127.0.0.0/8", "private", "127.0.0.1"):
                lines = run(["-S", "http", "--http-deny", deny, "--http-deny", "::1"], "GET", "http", f"{name}:{server.port}", "/")
                assert lines == ["response destination-IP-prohibited"]
        assert server.connections == 0
        assert "data yes" in run(["-S", "http", "--http-deny", "10.0.0.0/8"], "GET", "http", server.authority, "/")


def test_without_http_nothing_links() -> None:
    assert any("denied" in line for line in run(["-S", "http=n"], "GET", "http", "a", "/", status=123))


def test_what_is_sent_and_what_comes() -> None:
    heads = []

    def serve(conn: Conn) -> None:
        heads.append(conn.head())
        conn.say("HTTP/1.1 203 Whatever\r\nB: 1\r\nConnection: close\r\na:2\r\nb:  3 \r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nT: x\r\nt: y\r\n\r\n")

    with Server(serve) as server:
        lines = call(server, "GET", "/a?b", "-h", "Zz", "1", "-h", "aa", "2", "-h", "zZ", "3", "-h", "Host", "other")
        host = server.authority
    assert lines == ["header-error 1", "status 203", "header B: 1", "header a: 2", "header b: 3", "data hi", "body 2 1748694682", "trailer T: x", "trailer t: y"]
    assert heads[0].line == "GET /a?b HTTP/1.1"
    assert sorted(heads[0].fields) == sorted([("Host", host), ("Zz", "1"), ("aa", "2"), ("zZ", "3")])
    assert [f for f in heads[0].fields if f[0] != "Host"] == [("Zz", "1"), ("aa", "2"), ("zZ", "3")]


def test_bodies_and_trailers_go_out() -> None:
    seen: list[tuple[str, bytes, list[bytes]]] = []

    def serve(conn: Conn) -> None:
        head = conn.head()
        body, trailers = conn.body(head)
        seen.append((head["transfer-encoding"] or f"length {head['content-length']}", body, trailers))
        conn.answer()

    with Server(serve) as server:
        call(server, "POST", "/", "-d", "hello", "-t", "Sum", "1", "-t", "sum", "2")
        call(server, "POST", "/", "-d", "hello", "-h", "Content-Length", "5")
        call(server, "PUT", "/", "-n", "300000")
    assert seen == [("chunked", b"hello", [b"Sum: 1", b"sum: 2"]), ("length 5", b"hello", []), ("chunked", bytes(300000), [])]


@pytest.mark.parametrize(("announced", "zeroes", "said"), [("6", "5", ["finish"]), ("5", "6", ["write", "finish"]), ("5000", "9000", ["write", "finish"])])
def test_a_length_that_does_not_match_is_cut(announced: str, zeroes: str, said: list[str]) -> None:
    cut = threading.Event()
    got = []

    def serve(conn: Conn) -> None:
        conn.head()
        try:
            while conn.more():
                pass
        except OSError:
            pass
        got.append(len(conn.buffer))
        cut.set()

    with Server(serve) as server:
        lines = call(server, "POST", "/", "-n", zeroes, "-h", "Content-Length", announced)
        # a request that has not connected when the guest gives up sends nothing at all
        if server.connections:
            assert cut.wait(10)
    assert lines == [*(f"{what} HTTP-request-body-size" for what in said), "response HTTP-request-body-size"]
    assert all(n <= int(announced) for n in got)


def test_a_body_that_is_dropped_is_cut() -> None:
    whole = []

    def serve(conn: Conn) -> None:
        whole.append(conn.body(conn.head()))

    with Server(serve) as server:
        assert call(server, "POST", "/", "-d", "abc", "-x") == ["response HTTP-protocol-error"]
        server.join()
    assert not whole


@pytest.mark.parametrize(
    ("parts", "lines"),
    [
        (["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"], ["status 200", "header Content-Length: 9", "data abc", "read HTTP-response-incomplete", "body 3 440920331", "trailers HTTP-response-incomplete"]),
        ([""], ["response connection-terminated"]),
        (["nonsense\r\n\r\n"], ["response HTTP-protocol-error"]),
    ],
)  # fmt: skip
def test_servers_that_fail(parts: list[str], lines: list[str]) -> None:
    with Server(saying(*parts)) as server:
        assert call(server) == lines


def test_clocks() -> None:
    with Server(lambda conn: (conn.head(), conn.closed())) as server:
        assert call(server, "GET", "/", "-f", "200000000") == ["response connection-read-timeout"]
        assert call(server, "GET", "/", "-f", "0") == ["response connection-read-timeout"]
    with Server(saying(CHUNKED, "3\r\nabc\r\n", then=Conn.closed)) as server:
        lines = call(server, "GET", "/", "-b", "200000000")
        assert lines == ["status 200", "data abc", "read connection-read-timeout", "body 3 440920331", "trailers connection-read-timeout"]


def test_an_unread_body_ends_the_transfer() -> None:
    done = threading.Event()

    def serve(conn: Conn) -> None:
        conn.head()
        conn.say(CHUNKED)
        try:
            while True:
                conn.say("10000\r\n", bytes(65536), "\r\n")
        except OSError:
            done.set()

    with Server(serve) as server:
        process = start(["-S", "http"], "GET", "http", server.authority, "/", "-s", "100000")
        assert process.stdout
        assert process.stdout.readline() == "status 200\n"
        # the guest waits for trailers that never come: bytes are discarded, and memory does not grow
        rss = [int(line.split()[1]) for _ in range(20) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
        assert max(rss) < 100_000
        process.terminate()
        process.wait(10)
        assert done.wait(10)
        process.stdout.close()
        if process.stderr:
            process.stderr.close()


def test_replay_needs_no_network(tmp_path: Path) -> None:
    record: str | Path = tmp_path / "record"
    with Server(saying(CHUNKED, "3\r\nabc\r\n0\r\nT: 1\r\n\r\n")) as server:
        first = run(["-S", "http", "--record", record], "POST", "http", server.authority, "/", "-d", "x")
    assert run(["--replay", record], "POST", "http", server.authority, "/", "-d", "x") == first


def test_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    authority.make()
    context = authority.server("localhost", "DNS:localhost")
    with Server(lambda conn: (conn.head(), conn.answer(b"safe")), tls=context) as server:
        name = f"localhost:{server.port}"
        assert "data safe" in run(["--http-allow", "localhost", "--ca", authority.file], "GET", "https", name, "/")
        assert "data safe" in run(["--http-allow", "localhost", "--ca", authority.file], "GET", "-", name, "/")  # the default scheme
        assert run(["--http-allow", "localhost"], "GET", "https", name, "/") == ["response TLS-certificate-error"]
        assert run(["--http-allow", "*", "--ca", authority.file], "GET", "https", server.authority, "/") == ["response TLS-certificate-error"]


def test_no_variable_of_the_host_counts() -> None:
    with Server(lambda conn: (conn.head(), conn.answer(b"direct"))) as server, Server(saying("HTTP/1.1 500 Proxy\r\n\r\n")) as proxy:
        url = f"http://{proxy.authority}"
        lines = run(["-S", "http"], "GET", "http", server.authority, "/", http_proxy=url, HTTP_PROXY=url, ALL_PROXY=url, all_proxy=url)
        assert "data direct" in lines and proxy.connections == 0
