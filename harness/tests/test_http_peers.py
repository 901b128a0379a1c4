"""The harness's HTTP servers and clients, and whole runs of served fakes."""

from __future__ import annotations

import contextlib
import http.client
import shutil
import socket
import ssl
import threading
import time
from collections.abc import Iterator

import pytest
from conftest import Project

from assay.model import Answer, ClientSpec, Ending, ServerSpec, Step, Verdict
from assay.model.wire import show
from assay.run.http_peers import Server, start, talk

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GET = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"


@contextlib.contextmanager
def server(*answers: Answer, kind: str = "plain") -> Iterator[Server]:
    made = Server(ServerSpec("server", kind, answers))
    try:
        yield made
    finally:
        made.close()


def ask(made: Server, data: bytes, wait: float = 5.0) -> bytes:
    with socket.create_connection(("127.0.0.1", made.port), timeout=wait) as sock:
        sock.sendall(data)
        got = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := sock.recv(65536):
                got += piece
        return got


def test_it_answers_by_path_and_keeps_what_came() -> None:
    with server(
        Answer("/a", (Step(OK),), then="close"),
        Answer("/b", (Step(b"x", 3), Step(pause=0.05), Step(b"y")), then="close"),
    ) as made:
        assert ask(made, b"POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi") == OK
        assert ask(made, b"GET /b HTTP/1.1\r\n\r\n") == b"xxxy"
        assert ask(made, b"GET /c HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 404 ")
        seen = {exchange.name: exchange for exchange in made.close()}
    assert show(seen["/a"]) == "POST /a HTTP/1.1\nContent-Length: 2\n\nhi<whole>\n"
    assert seen["server connections"].data == b"3"
    assert set(seen) == {"/a", "/b", "/c", "server connections"}


def test_one_connection_for_two_requests() -> None:
    with server(Answer("/a", (Step(OK),))) as made:
        connection = http.client.HTTPConnection("127.0.0.1", made.port, timeout=30)
        for _ in range(2):
            connection.request("GET", "/a")
            assert connection.getresponse().read() == b"ok"
        connection.close()
        seen = made.close()
    assert [exchange.name for exchange in seen] == ["/a", "/a", "server connections"]
    assert seen[-1].data == b"1"


def test_it_answers_before_the_body_is_there() -> None:
    with server(Answer("/a", (Step(OK),), read="head", then="keep")) as made:
        with socket.create_connection(("127.0.0.1", made.port), timeout=30) as sock:
            sock.sendall(b"POST /a HTTP/1.1\r\nContent-Length: 4\r\n\r\nhe")
            assert sock.recv(1000) == OK
            sock.sendall(b"re")
        seen = made.close()
    assert show(seen[0]).endswith("here<whole>\n")


def test_a_body_that_is_cut_is_told() -> None:
    with server(Answer("/a", (Step(OK),), then="close")) as made:
        with socket.create_connection(("127.0.0.1", made.port), timeout=30) as sock:
            sock.sendall(b"POST /a HTTP/1.1\r\nContent-Length: 4\r\n\r\nhe")
        seen = made.close()
    assert show(seen[0]).endswith("he<cut>\n")


def test_reset_and_hold() -> None:
    with server(Answer("/a", (), then="reset"), Answer("/b", (Step(b"x"),), then="hold")) as made:
        with socket.create_connection(("127.0.0.1", made.port), timeout=30) as sock:
            sock.sendall(GET)
            with pytest.raises(ConnectionResetError):
                sock.recv(1)
        with socket.create_connection(("127.0.0.1", made.port), timeout=30) as sock:
            sock.sendall(b"GET /b HTTP/1.1\r\n\r\n")
            assert sock.recv(10) == b"x"
            sock.settimeout(0.3)
            with pytest.raises(TimeoutError):
                sock.recv(10)
            started = time.monotonic()
            made.close()
            assert time.monotonic() - started < 25  # a client that keeps the connection open does not block the harness


def test_nobody_listens_and_nobody_accepts() -> None:
    with server(kind="refusing") as made, pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", made.port), timeout=2)
    with server(kind="deaf") as made, pytest.raises(TimeoutError):
        socket.create_connection(("127.0.0.1", made.port), timeout=0.3)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")
def test_a_certificate_that_nobody_trusts() -> None:
    with server(Answer("/a", (Step(OK),), then="close"), kind="tls") as made:
        with pytest.raises(ssl.SSLCertVerificationError):
            http.client.HTTPSConnection(
                "127.0.0.1", made.port, timeout=5, context=ssl.create_default_context()
            ).request("GET", "/a")
        trusting = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection("127.0.0.1", made.port, timeout=5, context=trusting)
        connection.request("GET", "/a")
        assert connection.getresponse().read() == b"ok"
    with server() as made, pytest.raises(ssl.SSLError):
        http.client.HTTPSConnection("127.0.0.1", made.port, timeout=30).request("GET", "/a")


def test_the_hello_of_tls_may_be_answered() -> None:
    alert = b"\x15\x03\x03\x00\x02\x02\x28"
    with server(Answer("TLS", (Step(alert),))) as made:
        assert ask(made, b"\x16\x03\x01") == alert
    with server() as made:
        assert ask(made, b"\x16\x03\x01").startswith(b"HTTP/1.1 400 ")


def test_addresses_go_into_arguments_and_environment(project: Project) -> None:
    text = 'title = "x"\ncomponent = "c.wasm"\ninterfaces = ["wasi:http/types"]\n[run]\nargs = ["{one}", "a {two} b"]\nenv = { U = "{one}" }\n'
    case = project.load(text + '[[run.server]]\nname = "one"\n[[run.server]]\nname = "two"\n[expect]\nstdout = "x"\n')
    with contextlib.ExitStack() as stack:
        peopled = start(case, stack)
        assert isinstance(peopled, tuple)
        filled, servers = peopled
        one, two = (made.address for made in servers)
        assert filled.run.args == (one, f"a {two} b")
        assert filled.run.env == (("U", one),)


# --- clients --------------------------------------------------------------------------------------


def client(*steps: Step, then: str = "answer", within: float = 5.0) -> ClientSpec:
    return ClientSpec("c", steps, then, within)


def test_a_client_ends_when_its_answers_are_whole() -> None:
    with server(Answer("/a", (Step(OK),))) as made:
        started = time.monotonic()
        exchange = talk(client(Step(GET + GET)), made.port)
        assert time.monotonic() - started < 25
    assert exchange.data == OK + OK and exchange.ended == "open"
    assert show(exchange).count("<whole>") == 2


def test_a_client_waits_for_a_word_and_for_its_time() -> None:
    with server(
        Answer("/a", (Step(b"HTTP/1.1 100 Continue\r\n\r\n"), Step(until="hello"), Step(OK)), read="head", then="hold")
    ) as made:
        post = b"POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\n"
        exchange = talk(client(Step(post), Step(until=r"100 "), Step(b"hello")), made.port)
        assert exchange.data.endswith(OK)
        started = time.monotonic()
        exchange = talk(client(Step(post), within=0.6), made.port)
        assert 0.5 < time.monotonic() - started < 25
        assert show(exchange).endswith("<open>\n")


def test_a_client_that_goes() -> None:
    with server(Answer("/a", (Step(OK),), then="hold")) as made:
        assert talk(client(Step(GET), then="close"), made.port).ended == "open"
        assert talk(client(Step(GET), Step(until="ok"), then="reset"), made.port).data == OK
        seen = made.close()
    assert sorted(exchange.ended for exchange in seen if exchange.name == "/a") == ["closed", "reset"]


def test_a_client_whose_server_is_gone_gives_up_when_the_run_is_over() -> None:
    over = threading.Event()
    over.set()
    with socket.socket() as bound:  # nobody listens there
        bound.bind(("127.0.0.1", 0))
        exchange = talk(client(Step(GET), within=1e6), bound.getsockname()[1], over)
    assert (exchange.ended, exchange.data) == ("closed", b"")


@pytest.mark.parametrize("then", ["keep", "hold", "close"])
def test_the_last_words_before_the_end_count(then: str) -> None:
    """What was sent before the end is received, also on connections that were not accepted yet."""
    for _ in range(20):
        with server(Answer("/a", (Step(OK),), then=then)) as made:
            socks = [socket.create_connection(("127.0.0.1", made.port)) for _ in range(4)]
            for sock in socks:
                sock.sendall(GET)
                sock.close()
            seen = made.close()
        assert [exchange.data for exchange in seen if exchange.name == "/a"] == [GET] * 4
        assert seen[-1].data == b"4"


def test_a_closed_connection_ends_and_is_not_reset() -> None:
    """The guest sees the end of the stream and no reset, also if it has not read the response."""
    for _ in range(20):
        with server(Answer("/a", (Step(OK),), then="hold")) as made:
            talk(client(Step(GET), Step(pause=0.01), then="close"), made.port)
            seen = made.close()
        assert [exchange.ended for exchange in seen if exchange.name == "/a"] == ["closed"]


def test_an_answer_arrives_whole_although_the_request_is_not_read() -> None:
    body = b"x" * (1 << 20)
    post = b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1048576\r\n\r\n"
    for _ in range(10):
        with server(Answer("/a", (Step(OK),), read="head", then="close")) as made:
            sock = socket.create_connection(("127.0.0.1", made.port))
            sock.settimeout(10)
            with contextlib.suppress(OSError):
                sock.sendall(post + body)
            data = b""
            while piece := sock.recv(1 << 16):
                data += piece
            sock.close()
        assert data == OK


def test_the_end_that_was_announced_is_waited_for() -> None:
    answer = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
    with server(Answer("/a", (Step(answer), Step(pause=0.5)), then="close")) as made:
        assert show(talk(client(Step(GET)), made.port)).endswith("<whole><end>\n")


def test_nobody_to_talk_to() -> None:
    with server(kind="refusing") as made:
        assert talk(client(Step(GET), within=0.3), made.port).data == b""


# --- whole runs -----------------------------------------------------------------------------------

SERVED = """
title = "Served"
component = "c.wasm"
interfaces = ["wasi:http/incoming-handler"]
[run]
timeout = 5
[[run.client]]
name = "one"
within = 2
say = "GET /one HTTP/1.1\\r\\nHost: h\\r\\nConnection: close\\r\\n\\r\\n"
[[run.client]]
name = "two"
within = 2
say = "GET /two HTTP/1.1\\r\\nHost: h\\r\\nConnection: close\\r\\n\\r\\n"
[[check]]
id = "t.served.one"
level = "must"
function = "wasi:http/incoming-handler.handle"
since = "0.2.0"
text = "x"
on = "one"
matches = 'you asked /one<whole>'
[[check]]
id = "t.served.two"
level = "must"
function = "wasi:http/incoming-handler.handle"
since = "0.2.0"
text = "x"
on = "two"
matches = 'you asked /two<whole>'
[[check]]
id = "t.served.said"
level = "must"
function = "wasi:http/incoming-handler.handle"
since = "0.2.0"
text = "x"
"""


def test_a_served_component_is_ended_when_its_clients_are_done(project: Project) -> None:
    started = time.monotonic()
    result = project.run("serve", project.load(SERVED))
    assert {unit.id: unit.verdict for unit in result.units} == dict.fromkeys(
        ("t.served.one", "t.served.two", "t.served.said", "@expect"), Verdict.PASS
    )
    assert result.observation.outcome.ending is Ending.EXITED
    assert ("one", b"HTTP/1.0 200 OK") in [(item.name, item.data[:15]) for item in result.observation.wire]
    assert time.monotonic() - started < 25
    assert threading.active_count() < 20


def test_a_server_that_dies_is_a_crash(project: Project) -> None:
    result = project.run("serve-dies", project.load(SERVED))
    assert result.verdict is Verdict.CRASH
    verdicts = {unit.id: unit.verdict for unit in result.units}
    assert verdicts["t.served.one"] is Verdict.PASS and verdicts["t.served.two"] is not Verdict.PASS


def test_a_server_that_never_listens_ends_in_time(project: Project) -> None:
    case = project.load(SERVED.replace("timeout = 5", "timeout = 0.6"))
    started = time.monotonic()
    assert project.run("hang", case).verdict in (Verdict.TIMEOUT, Verdict.ERROR)
    assert time.monotonic() - started < 25


def test_a_server_that_answers_nothing(project: Project) -> None:
    started = time.monotonic()
    result = project.run("serve-mute", project.load(SERVED))
    assert result.verdict is Verdict.FAIL
    assert time.monotonic() - started < 25


def test_a_server_that_refuses(project: Project) -> None:
    assert project.run("serve-refuses", project.load(SERVED)).verdict is Verdict.UNSUPPORTED


@pytest.mark.parametrize("kind", ["nothing", "nothing-but-outcome", "pass"])
def test_what_does_not_serve_passes_no_served_case(project: Project, kind: str) -> None:
    assert project.run(kind, project.load(SERVED)).verdict is not Verdict.PASS
