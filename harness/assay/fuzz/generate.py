"""Hypothesis strategies for scripts. The same seed gives the same scripts.

A script uses variables that earlier lines make, where these calls succeed. Words are drawn from short lists of plain
and of awkward values, so that independent calls meet on the same files, names and addresses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from .calls import HANDLES, Line, Script, quoted, signatures

MOST_VARIABLES = 56
LENGTHS = ("0", "1", "5", "100", "4096", "4097", "65536")
OFFSETS = ("0", "1", "6", "7", "4096", "9223372036854775807", "9223372036854775808", "18446744073709551615")
PATHS = (
    "a", "b", "dir", "dir/inner", "dir/sub", "link", "dirlink", "dangling", "loop", "up", "absolute", "new", "dir/new",
    "missing/x", "", ".", "..", "/", "/a", "a/", "a/.", "a/x", "dir/", "dir//inner", "./a", "dir/../a", "dir/.", "dir/..",
    "link/", "dirlink/", "dirlink/inner", "dirlink/..", "dangling/", "new/", "new/.", "loop/x", "up/a", "../0/a", "dir/sub/../..",
    "a\0b", "x" * 255, "x" * 256, "ä", "a\\b", "a b", "missing", "missing/", "missing/..", "dir/./sub/",
)  # fmt: skip
NAMES = ("a", "A", "x-b", "content-length", "Content-Length", "host", "connection", "transfer-encoding", "te", "upgrade",
         "keep-alive", "proxy-connection", "http2-settings", "", "a b", "a:", "ä", "a\n", "x" * 300, "set-cookie", "!#$&'*+", "@")  # fmt: skip
VALUES = (
    b"",
    b"1",
    b"text",
    b" a ",
    b"\t",
    b"a,b",
    b"a\r\nb",
    b"\0",
    b"\xff\x80",
    "ä".encode(),
    b"y" * 300,
    b"5",
    b"0",
    b"-1",
    b"chunked",
)
WORDS: dict[str, tuple[str, ...]] = {
    "path-flags": ("-", "symlink-follow"),
    "open-flags": ("-", "-", "create", "create", "directory", "exclusive", "truncate", "create,exclusive", "create,truncate",
                   "create,directory", "directory,truncate", "exclusive,truncate", "directory,exclusive"),
    "access": ("read", "read,write", "read,write", "write", "-", "mutate-directory", "read,mutate-directory", "read,write,mutate-directory",
               "read,file-integrity-sync", "read,write,data-integrity-sync", "read,requested-write-sync"),
    "path": tuple(quoted(path.encode()) for path in PATHS),
    "offset": OFFSETS,
    "length": (*LENGTHS, "5", "100", "18446744073709551615"),
    "size": (*LENGTHS, "9223372036854775807", "18446744073709551615"),
    "count": ("0", "1", "5", "100", "65536"),
    "many": ("4095", "4096", "4097", "10000"),
    "advice": ("normal", "sequential", "random", "will-need", "dont-need", "no-reuse"),
    "time": ("no-change", "now", "0", "1:1", "1000000000:999999999", "1:1000000000", "4294967296", "18446744073709551615"),
    "data": tuple(quoted(data) for data in (b"", b"x", b"hello world", b"\0\xff\n", b"y" * 200)),
    "duration": ("0", "1", "1000000", "1000000000", "18446744073709551615"),
    "instant": ("0", "1", "18446744073709551615"),
    "setting": ("0", "1", "2", "64", "255", "65536", "4294967295", "18446744073709551615"),
    "bit": ("0", "1"),
    "family": ("ipv4", "ipv4", "ipv6"),
    "direction": ("receive", "send", "both"),
    "address": ("loopback:0", "loopback:0", "loopback:0", "loopback:1", "any:0", "any:1", "broadcast:1", "multicast:1", "documentation:0",
                "loopback6:0", "loopback6:1", "any6:0", "any6:1", "mapped6:0", "mapped6:1"),
    "name": tuple(quoted(name) for name in (b"127.0.0.1", b"::1", b"[::1]", b"127.0.0.1:80", b"", b".", b"a b", b"1.2.3", b"0x7f.1", b"a..b",
                                            "ä.invalid".encode(), b"x" * 300, b"localhost", b"localhost.", b"a\0b", b"-", b"http://127.0.0.1")),
    "name-of-field": tuple(quoted(name.encode()) for name in NAMES),
    "value": tuple(quoted(value) for value in VALUES),
    "method": ("get", "head", "post", "connect", "options", "patch", *(quoted(m) for m in (b"GET", b"get", b"a b", b"", b"FOO", b"a/b", b"\xc3\xa4"))),
    "scheme": ("none", "http", "https", *(quoted(s) for s in (b"http", b"HTTP", b"ftp", b"a b", b"", b"1a", b"a+b"))),
    "target": ("none", *(quoted(t) for t in (b"/", b"", b"/a?b=c", b"a", b"/a b", b"?q", b"*", b"/#f", b"/%2", b"http://x/", b"/\xc3\xa4", b"//a", b"/a\r\nb"))),
    "authority": ("none", *(quoted(t) for t in (b"", b"localhost", b"127.0.0.1:1", b"[::1]:1", b"a b", b"u@h", b"h:", b"h:99999", b"h:x", b"/",
                                               b"h/p", b"::1", b"ex\xc3\xa4mple", b"a%20b", b"h?q"))),
    "status": ("0", "99", "100", "101", "199", "200", "204", "304", "418", "599", "600", "999", "1000", "65535"),
    "timeout": ("none", "0", "1", "1000000", "1000000000", "18446744073709551615"),
}  # fmt: skip
"""The words by kind. A kind of HANDLES is a variable instead."""

FIRST = {"filesystem": ("fd",), "io": ("fd",)}
"""The kind of v0, which the probe opens, in the areas that use it."""
ROUTE = ("fields-from-list", "request-new", "request-set-authority", "request-set-scheme", "request-body", "body-write",
         "handle", "response", "incoming-status", "consume", "body-stream", "incoming-finish", "trailers")  # fmt: skip
"""The way of a request. A script of the area `requests` mostly goes on along it."""


@st.composite
def scripts(draw: st.DrawFn, area: str, longest: int = 14) -> Script:
    """Draws a script of an area."""
    calls = signatures(area)
    live: dict[str, list[str]] = {kind: ["v0"] for kind in FIRST.get(area, ())}
    lines: list[Line] = []
    next_variable = 1
    for _ in range(draw(st.integers(2, longest))):
        usable = [
            call
            for call in calls
            if all(kind.rstrip("?*") not in HANDLES or live.get(kind.rstrip("?*")) for kind in call.takes)
        ]
        makers = [call for call in usable if call.makes]
        route = [
            call
            for call in usable
            if area == "requests" and call.name in ROUTE[sum(line.name in ROUTE for line in lines) :][:1]
        ]
        usual = draw(st.integers(0, 9))
        call = draw(st.sampled_from(route if route and usual < 8 else makers if makers and usual < 3 else usable))
        if next_variable + len(call.makes) > MOST_VARIABLES:
            break
        words = tuple(word for kind in call.takes for word in _words(draw, kind, live, area))
        target = next_variable if call.makes else -1
        for kind in call.makes:
            live.setdefault(kind, []).append(f"v{next_variable}")
            next_variable += 1
        lines.append(Line(call.name, words, target))
    return tuple(lines)


def _words(draw: st.DrawFn, kind: str, live: dict[str, list[str]], area: str) -> list[str]:
    bare, mark = kind.rstrip("?*"), kind[-1]
    times = draw(st.integers(0, 1)) if mark == "?" else draw(st.integers(0, 3)) if mark == "*" else 1
    found: list[str] = []
    for _ in range(times):
        if bare == "header":
            found += [draw(st.sampled_from(WORDS["name-of-field"])), draw(st.sampled_from(WORDS["value"]))]
        elif bare in HANDLES:
            if bare in live:
                found.append(draw(st.sampled_from(live[bare][-4:][::-1])))
        elif (
            bare == "address" and draw(st.integers(0, 3)) == 0 and (bound := live.get("tcp", []) + live.get("udp", []))
        ):
            found.append(f"of:{draw(st.sampled_from(bound))}")
        elif bare == "authority" and area == "requests" and draw(st.integers(0, 3)) > 0:
            found.append("server")
        elif bare == "path" and draw(st.integers(0, 2)) > 0:
            found.append(draw(st.sampled_from(WORDS["path"][:13])))
        else:
            found.append(draw(st.sampled_from(WORDS[bare])))
    return found


def examples(area: str, count: int, number: int) -> list[Script]:
    """Returns `count` different scripts of an area (fewer where there are no more). `number` is the seed."""
    found: dict[Script, None] = {}

    @seed(number)
    @settings(
        max_examples=count,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(scripts(area))
    def collect(script: Script) -> None:
        found[script] = None

    run: Callable[[], Any] = collect
    run()
    return list(found)
