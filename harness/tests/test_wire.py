"""Parsing HTTP messages, and checks on the wire."""

from __future__ import annotations

import pytest
from conftest import Project

from assay.cases import CaseError
from assay.judge import judge
from assay.model import Ending, Exchange, Observation, Outcome, Verdict
from assay.model.wire import answered, messages, requests_in, show

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def text(data: bytes, *methods: str, ended: str = "closed") -> str:
    return show(Exchange("x", data, ended, methods))


def test_by_length_and_in_chunks() -> None:
    assert text(OK, "GET") == "HTTP/1.1 200 OK\nContent-Length: 2\n\nok<whole><end>\n"
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n3;a=b\r\nabc\r\n0A\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n"
    assert text(chunked, "GET", ended="open").endswith("\n\nabc0123456789\n<trailers>\nX-Sum: 1\n<whole>\n")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: 1\r\n",
    ],
)
def test_what_is_not_whole_is_cut(data: bytes) -> None:
    for ended, mark in (("closed", "<cut>"), ("reset", "<reset>"), ("open", "<open>")):
        shown = text(data, "GET", ended=ended)
        assert shown.endswith(mark + "\n") and "<whole>" not in shown


def test_a_body_to_the_end_is_whole_only_when_the_end_is_there() -> None:
    data = b"HTTP/1.0 200 OK\r\n\r\nhello"
    assert text(data, "GET").endswith("hello<whole><end>\n")
    assert text(data, "GET", ended="open").endswith("hello<open>\n")
    assert text(data, "GET", ended="reset").endswith("hello<reset>\n")


def test_no_body_where_there_is_none() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
    assert len(messages(head + OK, ["HEAD", "GET"])) == 2
    assert (
        len(messages(b"HTTP/1.1 204 No\r\n\r\n" + b"HTTP/1.1 304 No\r\nContent-Length: 9\r\n\r\n" + OK, ["GET"] * 3))
        == 3
    )
    request = b"GET /a HTTP/1.1\r\n\r\nPOST /b HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"
    assert [message.body for message in messages(request)] == [b"", b"x"]
    assert requests_in(request) == ("GET", "POST")


def test_informational_responses_answer_nothing() -> None:
    hint = b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n"
    assert not answered(Exchange("x", hint, "open", ("HEAD",)))
    assert answered(Exchange("x", hint + b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", "open", ("HEAD",)))
    assert not answered(Exchange("x", OK, "open", ("GET", "GET")))
    assert answered(Exchange("x", OK + hint + OK, "open", ("GET", "GET")))


CASE = """
title = "The wire"
component = "c.wasm"
interfaces = ["wasi:http/types"]
[run]
args = ["{server}"]
[[run.server]]
name = "server"
[[run.server.on]]
path = "/a"
say = "HTTP/1.1 200 OK\\r\\n\\r\\n"
[[check]]
id = "t.wire.one"
level = "LEVEL"
function = "wasi:http/types.[constructor]fields"
since = "0.2.0"
text = "x"
"""
MUST = CASE.replace("LEVEL", "must")
OPEN = CASE.replace("LEVEL", "unspecified")
EXITED = Outcome(Ending.EXITED, 0)


def verdict(
    project: Project, rule: str, data: bytes, base: str = MUST, stdout: bytes = b""
) -> tuple[Verdict, str | None]:
    case = project.load(base + rule)
    unit = judge(case, "fake", Observation(EXITED, stdout=stdout, wire=(Exchange("/a", data, "closed"),))).unit(
        "t.wire.one"
    )
    assert unit is not None
    return unit.verdict, unit.value


def test_checks_of_the_wire(project: Project) -> None:
    data = b"POST /a HTTP/1.1\r\nX-A: 1\r\nContent-Length: 2\r\n\r\nhi"
    on = 'on = "/a"\n'
    assert verdict(project, on + "matches = ['^X-A: 1$', 'hi<whole>']", data)[0] is Verdict.PASS
    assert verdict(project, on + "matches = ['^X-A: 1$', 'ho<whole>']", data)[0] is Verdict.FAIL
    assert verdict(project, on + "lacks = 'X-A'", data)[0] is Verdict.FAIL
    assert verdict(project, on + "lacks = 'X-B'", data)[0] is Verdict.PASS
    assert verdict(project, on + "raw = true\nmatches = '\\r\\n\\r\\nhi\\Z'", data)[0] is Verdict.PASS
    assert verdict(project, on + "value = '^X-B: (.*)$|^X-A: (.*)$'", data, OPEN) == (Verdict.PASS, "1")
    assert verdict(project, on + "value = 'nowhere'", data, OPEN) == (Verdict.PASS, "none")


def test_checks_of_what_the_guest_printed(project: Project) -> None:
    rule = "on = \"stdout\"\nmatches = '^said$'"
    assert verdict(project, rule, b"", stdout=b"said\n")[0] is Verdict.PASS
    assert verdict(project, rule, b"", stdout=b"unsaid\n")[0] is Verdict.FAIL
    assert (
        verdict(project, "on = \"stdout\"\nlacks = 'x'", b"", stdout=b"")[0] is Verdict.FAIL
    )  # no output is not a pass


def test_nothing_on_the_wire_passes_no_check(project: Project) -> None:
    case = project.load(MUST + "on = \"/a\"\nlacks = 'x'")
    for outcome, wanted in ((EXITED, Verdict.FAIL), (Outcome(Ending.TIMEOUT), Verdict.TIMEOUT)):
        unit = judge(case, "fake", Observation(outcome)).unit("t.wire.one")
        assert unit is not None and unit.verdict is wanted


def test_a_guest_cannot_report_what_is_read_from_the_wire(project: Project) -> None:
    case = project.load(MUST + "on = \"/a\"\nmatches = 'x'")
    unit = judge(case, "fake", Observation(EXITED, stdout=b"check t.wire.one pass\n")).unit("t.wire.one")
    assert unit is not None and unit.verdict is Verdict.ERROR


@pytest.mark.parametrize(
    ("base", "rule", "words"),
    [
        (MUST, "matches = 'x'", "belong to a check with `on`"),
        (MUST, "on = \"/b\"\nmatches = 'x'", "there is no '/b'"),
        (MUST, 'on = "/a"', "has matches or lacks"),
        (MUST, "on = \"/a\"\nvalue = 'x'", "has matches or lacks"),
        (OPEN, "on = \"/a\"\nmatches = 'x'", "has a value"),
        (MUST, "on = \"/a\"\nmatches = '('", "'('"),
        (MUST, "on = \"/a\"\nmatches = 'x'\nsurprise = 1", "unknown key surprise"),
        (MUST.replace('"server"', '"server"\nkind = "x"'), "", "kind must be one of"),
        (MUST.replace('"server"', '"server"\nkind = "deaf"'), "", "answers nothing"),
        (MUST.replace('path = "/a"', 'path = "/a"\nthen = "x"'), "", "then must be"),
        (MUST.replace('path = "/a"', 'path = "/a"\nread = "x"'), "", "read must be"),
        (MUST.replace('"HTTP/1.1 200 OK\\r\\n\\r\\n"', "[true]"), "", "is not a text, a pause"),
        (
            MUST.replace('"HTTP/1.1 200 OK\\r\\n\\r\\n"', '["\\u0100"]'),
            "",
            "has a character above U.00FF",
        ),
        (MUST.replace('"HTTP/1.1 200 OK\\r\\n\\r\\n"', '[{ until = "(" }]'), "", "unterminated"),
        (MUST + 'on = "/a"\nmatches = "x"\n[[run.client]]\nname = "c"', "", "must send something"),
    ],
)
def test_what_a_case_may_not_say(project: Project, base: str, rule: str, words: str) -> None:
    with pytest.raises(CaseError, match=words.replace("(", r"\(").replace("{", r"\{")):
        project.load(base + rule)
