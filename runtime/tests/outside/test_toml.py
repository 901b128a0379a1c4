"""The runtime's TOML parser against Python's: the same documents are valid, and mean the same.

toml_probe (runtime/tests/oracle/toml_probe.c) prints a document as toml-test has it. The whole of toml-test's own suite of TOML 1.0 passes too; it is
not part of this repository: `toml-test test -toml=1.0 -decoder=build/toml_probe` runs it.
"""

from __future__ import annotations

import datetime
import json
import math
import os
import subprocess
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[3]
PROBE = ROOT / os.environ.get("BUILD", "build") / "toml_probe"

pytestmark = pytest.mark.skipif(not os.access(PROBE, os.X_OK), reason="toml_probe is not built (make tests)")


def parsed(document: bytes) -> object | None:
    done = subprocess.run([PROBE], input=document, capture_output=True, timeout=60, check=False)
    assert done.returncode in (0, 1), done
    if done.returncode == 1:
        assert done.stderr.startswith(b"stdin") and not done.stdout
        return None
    return json.loads(done.stdout)


def untagged(value: object) -> object:
    if isinstance(value, list):
        return [untagged(v) for v in value]
    assert isinstance(value, dict)
    if set(value) != {"type", "value"} or not isinstance(value["type"], str):
        return {k: untagged(v) for k, v in value.items()}
    text = value["value"]
    moment = text.upper().replace(" ", "T")
    kinds = {
        "string": lambda: text,
        "integer": lambda: int(text),
        "float": lambda: float(text),
        "bool": lambda: {"true": True, "false": False}[text],
        "datetime": lambda: datetime.datetime.fromisoformat(cut(moment)),
        "datetime-local": lambda: datetime.datetime.fromisoformat(cut(moment)),
        "date-local": lambda: datetime.date.fromisoformat(text),
        "time-local": lambda: datetime.time.fromisoformat(cut(text)),
    }
    return kinds[value["type"]]()


def cut(text: str) -> str:
    """At most six digits of the fraction of a second, as in Python."""
    head, point, rest = text.partition(".")
    digits = len(rest) - len(rest.lstrip("0123456789"))
    return head + point + (rest[:digits][:6].ljust(6, "0") if point else "") + rest[digits:]


def same(a: object, b: object) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (math.isnan(a) and math.isnan(b))
    if isinstance(a, dict) and isinstance(b, dict):
        return set(a) == set(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


def fits(value: object) -> bool:
    """Python's integers are unbounded; ours have 64 bits."""
    if isinstance(value, dict):
        return all(map(fits, value.values()))
    if isinstance(value, list):
        return all(map(fits, value))
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def agree(document: bytes) -> None:
    try:
        expected: object | None = tomllib.loads(document.removeprefix(b"\xef\xbb\xbf").decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        expected = None
    if expected is not None and not fits(expected):
        expected = None
    got = parsed(document)
    assert (got is None) == (expected is None), (document, got, expected)
    if got is not None:
        assert same(untagged(got), expected), (document, got, expected)


GOOD = [
    "",
    "# a comment\r\na = 1 # and another",
    "\ufeffa = 1",
    "a = +1_000\nb = -0\nc = 0xDEAD_beef\nd = 0o755\ne = 0b1101_0110\nf = 9223372036854775807\ng = -9223372036854775808",
    "a = 1.0\nb = -3.14e-2\nc = 5e+22\nd = 1e06\ne = inf\nf = -nan\ng = 6_0.2_5E1_0",
    'a = "\\b\\t\\n\\f\\r\\"\\\\\\u00e9\\U0001F600\\u0000"\nb = \'C:\\n\\\'',
    'a = """\nfirst\n second \\\n   \n  third""quotes"""""\nb = \'\'\'\r\nraw \\ \'quote\' \'\'\'\'\'',
    "a.b.c = 1\na.b.d = 2\n'e f'.\"g\" = 3\n3.14 = 4\n\"\" = 5",
    "[a]\nx = 1\n[a.b.c]\ny = 2\n[a.b]\nz = 3\n[ d . 'e' ]",
    "[[a]]\nx = 1\n[[a]]\n[a.b]\nc = 1\n[[a.d]]\n[[a.d]]\n",
    "a = [1, 'two', [3.0, [true]], {b = 4},\n # a comment\n]\nb = []",
    "a = {b = 1, c.d = 2, e = {}, f = [\n1,\n]}",
    "a = 1979-05-27T07:32:00Z\nb = 1979-05-27 00:32:00.999999-07:00\nc = 1979-05-27T07:32:00\nd = 1979-05-27\ne = 07:32:00.5\nf = 2000-02-29",
    "fruit.apple.color = 1\n[fruit.apple.texture]\nsmooth = true",
]
BAD = [
    "a", "a =", "= 1", "a = 1 b = 2", "a = 1\na = 2", "a.b = 1\na = 2", "a = 1\na.b = 2", "[a]\n[a]", "[a]\nb = 1\n[a.b]", "[a.b.c]\nz=9\n[a]\nb.c.t=1",
    "a.b = 1\n[a]\nc = 2", "[[a]]\n[a]", "[a]\n[[a]]", "a = []\n[[a]]", "a = [{}]\n[[a.b]]", "a = {}\n[a.b]", "a = {b = 1}\na.c = 2", "a = {b = 1,}", "a = {b = 1\n}",
    "a = [1,,2]", "a = [1 2]", "a = [", "a = {", 'a = "', "a = '", 'a = """', 'a = "\n"', 'a = "\\x41"', 'a = "\\ud800"', 'a = "\\U00110000"', "a = 01", "a = 1_", "a = _1", "a = 1__0",
    "a = +0x1", "a = 0X1", "a = 0b2", "a = 1.", "a = .5", "a = 1.e5", "a = 1e", "a = Inf", "a = 9223372036854775808", "a = -9223372036854775809", "a = true1", "a = True", "a = 2026-02-29",
    "a = 2026-1-1", "a = 24:00:00", "a = 12:00", "a = 2026-01-01T12:00:00+24:00", "a = 12:00:00.", "[a", "[[a]", "[]", "[a.]", "[.a]", "[a]]", "[ [a]]", "a\r = 1", "a = 1\r", "# \x00", "a = '\x01'",
    '"""a""" = 1', "a = \x00", "[a] b = 1", "a = " + "[" * 200 + "]" * 200, "\ufeff\ufeffa = 1", "a = 1979-05-27T", "a b = 1", "a..b = 1",
]  # fmt: skip


@pytest.mark.parametrize("document", GOOD)
def test_valid(document: str) -> None:
    assert parsed(document.encode()) is not None
    agree(document.encode())


@pytest.mark.parametrize("document", BAD)
def test_invalid(document: str) -> None:
    assert parsed(document.encode()) is None


def test_bytes_that_are_no_text() -> None:
    for document in (b"a = '\xff'", b"\xc0\x80 = 1", b"a = 1 # \xed\xa0\x80", b"\xff\xfea\x00"):
        assert parsed(document) is None


def test_the_line_is_told() -> None:
    done = subprocess.run([PROBE], input='a = """\n\n"""\nb = [\n1,\n2\n\n]\nc = !\n', capture_output=True, text=True, check=False)
    assert done.stderr == "stdin:9: a value is expected\n"


PIECES = ["a", "b", ".", "=", " ", "\n", "\r\n", "[", "]", "[[", "]]", "{", "}", ",", '"', "'", '"""', "'''", "\\", "\\n", "\\u0041", "#", "1", "0", "-", "+", "_", "e", "0x", "true", "inf", "nan", "1979-05-27", "T", "07:32:00", ".5", "Z", "é", "\t", "a = 1\n", "[a]\n", "[[b]]\n", "b.c = 2\n", "a.b = {c = 1}\n"]  # fmt: skip
STABLE = settings(max_examples=600, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@STABLE
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_documents_of_pieces(document: str) -> None:
    agree(document.encode())


@st.composite
def changed(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from([g for g in GOOD if g]))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(["", *PIECES])) + text[at + draw(st.integers(0, 2)) :]
    return text


@STABLE
@given(changed())
def test_changed_documents(document: str) -> None:
    agree(document.encode())


def test_many_keys_take_no_long_time() -> None:
    """A table is not searched linearly for each key: 100,000 keys are read within a generous limit."""
    document = "".join(f"k{i} = {i}\n" for i in range(100_000)).encode()
    got = parsed(document)
    assert isinstance(got, dict) and len(got) == 100_000
