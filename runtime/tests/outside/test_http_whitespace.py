"""White space that the grammar allows: around field values (RFC 9112, 5: OWS), in chunk extensions (7.1.1: BWS), in trailers. Both directions.

Where the grammar allows none, there is none: before a colon, within a number, after the last extension.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import test_http_client as client
import test_serve as served
from http_servers import Server, saying

probe = client.probe
BLANKS = ["", " ", "  ", "\t", "\t\t", " \t", "\t ", " \t \t "]


@pytest.fixture(scope="module", params=served.COMMANDS, ids=[p.parent.name for p in served.COMMANDS])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[served.Server]:
    if not served.has_server(request.param):
        pytest.skip("this build has no HTTP server")
    made = served.start(request.param, tmp_path_factory.mktemp("serve"))
    yield made
    assert made.end() == 0, made.lines()[-4000:]


def post(server: served.Server, fields: str, body: str, path: str = "/echo") -> served.Response:
    with server.connect() as c:
        c.sendall(f"POST {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n{body}GET /hello HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        reader = served.Reader(c)
        first = reader.response()
        if first.status == 200 and not first.body.endswith(b"failed\n"):
            assert reader.response().body == b"hello\n"  # the next request begins where it should
        return first


@pytest.mark.parametrize("after", BLANKS)
@pytest.mark.parametrize("before", BLANKS)
def test_blanks_around_the_values_that_frame_a_request(server: served.Server, before: str, after: str) -> None:
    assert post(server, f"Content-Length:{before}5{after}\r\n", "hello").body == b"hello"
    assert post(server, f"Transfer-Encoding:{before}chunked{after}\r\n", "5\r\nhello\r\n0\r\n\r\n").body == b"hello"
    assert post(server, f"Connection:{before}x{after},{before}keep-alive{after}\r\nContent-Length:{after}5{before}\r\nX:{after}\r\n", "hello").body == b"hello"
    assert post(server, f"Expect:{before}100-continue{after}\r\nContent-Length: 5\r\n", "hello").body == b"hello"
    with server.connect() as c:
        c.sendall(f"GET /tell HTTP/1.1\r\nHost:{before}h:1{after}\r\nX:{before}a \t b{after}\r\nConnection:{before}close{after}\r\n\r\n".encode())
        reader = served.Reader(c)
        lines = reader.response().body.decode().splitlines()
        assert "authority h:1" in lines and "X=a \t b" in lines and reader.ended()


@pytest.mark.parametrize("before", BLANKS)
@pytest.mark.parametrize("after", BLANKS)
def test_blanks_in_chunk_extensions_and_trailers(server: served.Server, probe: client.Probe, before: str, after: str) -> None:
    body = f'5{before};{after}a{before}={after}b{before};{after}c="d ;"\r\nhello\r\n0{before};{after}x\r\nT:{before}v w{after}\r\n\r\n'
    r = post(server, "Transfer-Encoding: chunked\r\n", body)
    assert r.body == b"hello" and r.trailers == [("T", "v w")]
    with Server(saying(f"HTTP/1.1 200 OK\r\nX:{after}a{before}\r\nTransfer-Encoding:{before}chunked{after}\r\n\r\n{body}")) as peer:
        said = probe.run(client.get(peer), *client.ALL)
    assert said.body() == b"hello" and said.end() == "ok" and said.fields() == [("X", "a"), ("Transfer-Encoding", "chunked")]
    assert said.fields(word="trailer") == [("T", "v w")]
    with Server(saying(f"HTTP/1.1 200 OK\r\nContent-Length:{before}5{after}\r\n\r\nhello")) as peer:
        said = probe.run(client.get(peer), *client.ALL)
    assert said.body() == b"hello" and said.end() == "ok"


NONE = {
    "blank before a colon": ("Content-Length : 5\r\n", "hello"),
    "tab before a colon": ("Content-Length\t: 5\r\n", "hello"),
    "blank in a number": ("Content-Length: 5 5\r\n", "hello"),
    "tab in a number": ("Content-Length: 0\t5\t\r\n", "hello"),
    "no number": ("Content-Length: \t \r\n", "hello"),
    "two numbers": ("Content-Length: 5, 5\r\n", "hello"),
    "another blank": ("Content-Length: 5\v\r\n", "hello"),
    "two codings with a tab": ("Transfer-Encoding: gzip, chunked\t\r\n", "0\r\n\r\n"),
    "length and coding with a tab": ("Content-Length: 5\t\r\nTransfer-Encoding: chunked\t\r\n", "0\r\n\r\n"),
}


@pytest.mark.parametrize("what", NONE)
def test_blanks_where_none_may_be(server: served.Server, what: str) -> None:
    assert post(server, *NONE[what]).status in (400, 501)


@pytest.mark.parametrize("line", ["5 ", "5\t", " 5", "5 5", "5;a ", "5 a", "5;\t"])
def test_blanks_in_a_chunk_size_where_none_may_be(server: served.Server, line: str) -> None:
    r = post(server, "Transfer-Encoding: chunked\r\n", f"{line}\r\nhello\r\n0\r\n\r\n", "/count")
    assert r.status == 400 or r.body.endswith(b"failed\n")
