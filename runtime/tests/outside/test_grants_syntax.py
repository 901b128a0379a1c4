"""Grants that are not understood are refused: damaged forms of each option grant exactly what is documented, or end with 120.

`--show-grants` prints what was understood, as a policy. The functions below read the documented grammar independently, by Python's ipaddress
and regular expressions; hypothesis damages well-formed values, and both must agree, on the command line and in a policy file.
"""

from __future__ import annotations

import ipaddress
import os
import re
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[3]
TOUCHSTONE = ROOT / os.environ.get("BUILD", "build") / "touchstone"

pytestmark = pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built")

Grants = dict[str, object]
STABLE = settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def show(*options: str) -> Grants | int:
    """Returns what was understood, or the exit status."""
    done = subprocess.run([TOUCHSTONE, "run", *options, "--show-grants"], capture_output=True, timeout=60, cwd=ROOT / "fixtures", check=False)
    if done.returncode == 0:
        return tomllib.loads(done.stdout.decode())
    assert done.returncode in (120, 125) and done.stdout == b"", done
    assert done.stderr.startswith(b"touchstone: usage: " if done.returncode == 120 else b"touchstone: io-error: "), done.stderr
    return done.returncode


def quoted(text: str) -> str:
    return '"' + "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08X}" for c in text) + '"'


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("policies") / "p.toml"


@st.composite
def damaged(draw: st.DrawFn, good: list[str], characters: str) -> str:
    """A well-formed value with up to three small changes."""
    text = draw(st.sampled_from(good))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text)))
        how = draw(st.sampled_from(["insert", "delete", "replace", "double", "case", "swap", "cut", "append"]))
        c = draw(st.sampled_from(characters))
        if how == "insert":
            text = text[:at] + c + text[at:]
        elif how == "append":
            text += c
        elif how == "delete":
            text = text[:at] + text[at + 1 :]
        elif how == "replace":
            text = text[:at] + c + text[at + 1 :]
        elif how == "double":
            text = text[:at] + text[at : at + 1] + text[at:]
        elif how == "case":
            text = text[:at] + text[at:].swapcase()
        elif how == "swap":
            text = text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :]
        else:
            text = text[:at]
    return text


def agree(option: str, value: str, expected: object, policy: Path, *, missing: bool = False) -> None:
    """The command line and a policy agree with the documentation. If expected is None, both refuse."""
    want: Grants | int = 120 if expected is None else 125 if missing else {option: expected}
    got = show(f"--{option}={value}")
    assert got == want, (option, value)
    policy.write_text(f"{option} = {quoted(value)}\n", encoding="utf-8")
    assert show("--policy", str(policy)) == want, (option, value)
    if isinstance(got, dict):  # the printed policy reads back as the same
        done = subprocess.run([TOUCHSTONE, "run", f"--{option}={value}", "--show-grants"], capture_output=True, timeout=60, cwd=ROOT / "fixtures", check=True)
        policy.write_bytes(done.stdout)
        assert show("--policy", str(policy)) == got


# --- directories -------------------------------------------------------------------------------------------------------


def read_dir(value: str) -> dict[str, object] | None:
    """HOST[::GUEST][:ro|:rw]. Without a mode no name contains a colon, and there is at most one mode."""
    match = re.fullmatch(r"(.*?)(:ro|:rw)?", value, re.S)
    assert match
    names, mode = match[1], match[2]
    parts = names.split("::")
    if len(parts) > 2 or any(not p or p.startswith(":") for p in parts[1:]) or not parts[0] or parts[0].endswith(":"):
        return None
    host, guest = parts[0], parts[-1]
    if mode is None and (":" in host or ":" in guest):
        return None
    if mode and re.search(r":r[ow]$", guest, re.I):
        return None
    return {"host": host, "guest": guest, "read-only": mode == ":ro"}


@STABLE
@given(value=damaged([".::/x", ".::/x:ro", ".:ro", "built", "built::/b:rw", ".::/a:b:rw", "src::data"], ":/ .rowROx\t=é-"))
@example(".::/x:RO")
@example(".::/x:ro ")
@example(".::/x:r")
@example(".::/x:readonly")
@example(".::/x::ro")
@example(".::ro")
@example(".:::ro")
@example("::/x")
@example(".::")
@example(".::/x:ro:rw")
@example(".::/x:RO:rw")
@example("")
def test_dir(policy: Path, value: str) -> None:
    expected = read_dir(value)
    found = expected is not None and (ROOT / "fixtures" / str(expected["host"])).is_dir()
    agree("dir", value, expected and [expected], policy, missing=not found)


@pytest.mark.parametrize(("first", "second"), [("/x", "/x"), ("/x", "/x/"), ("/x", "//x/."), ("x", "./x"), (".", "./"), ("/a/b", "/a/./b")])
def test_two_directories_of_one_name(first: str, second: str) -> None:
    assert show("--dir", f".::{first}", "--dir", f"built::{second}:ro") == 120
    assert show("--dir", f".::{first}", "--dir", f"built::{second}y:ro") != 120


def test_directories_in_a_policy(policy: Path) -> None:
    policy.write_text('dir = [{host = ".", guest = "/a::b:ro"}, {host = "built", read-only = true}, "src::/s:ro"]')
    assert show("--policy", str(policy)) == {
        "dir": [
            {"host": ".", "guest": "/a::b:ro", "read-only": False},
            {"host": "built", "guest": "built", "read-only": True},
            {"host": "src", "guest": "/s", "read-only": True},
        ]
    }
    for wrong in ('{guest = "/a"}', '{host = "."', '{host = ".", ro = true}', '{host = ".", read-only = "yes"}', '{host = 1}', '{host = ".", guest = ""}', "true", "[[]]"):
        policy.write_text(f"dir = {wrong}\n")
        assert show("--policy", str(policy)) == 120, wrong


# --- the network -------------------------------------------------------------------------------------------------------

PORT = r"(?:0|[1-9][0-9]{0,4})"


def read_prefix(ip: str, bits: str | None) -> str | None:
    """An address with a prefix length, without bits set beyond it. IPv4 inside IPv6 is kept as it is."""
    if bits is not None and not re.fullmatch(r"0|[1-9][0-9]{0,2}", bits):
        return None
    try:
        if "%" in ip:
            return None
        return str(ipaddress.ip_network(f"{ip}/{bits}" if bits is not None else ip, strict=True))
    except ValueError:
        return None


def same_prefix(shown: str) -> str:
    return str(ipaddress.ip_network(shown))


def read_net(value: str) -> str | None:
    """HOST:PORT without names: "NETWORK PORTS"."""
    host, colon, port = value.rpartition(":")
    ports = re.fullmatch(rf"({PORT})(?:-({PORT}))?|\*", port, re.A)
    if not colon or not ports:
        return None
    low, high = (0, 65535) if port == "*" else (int(ports[1]), int(ports[2] or ports[1]))
    if high > 65535 or low > high:
        return None
    if host == "*":
        return f"* {low}-{high}"
    v6 = re.fullmatch(r"\[([^\]/]*)\](?:/(.*))?", host, re.S)
    v4 = re.fullmatch(r"([0-9.]+)(?:/(.*))?", host, re.S)
    found = v6 or v4
    network = read_prefix(found[1], found[2]) if found else None
    if network is None or (":" in network) != bool(v6):
        return None
    if v6 and ipaddress.IPv6Network(network).subnet_of(ipaddress.IPv6Network("::ffff:0:0/96")):
        return None
    return f"{network} {low}-{high}"


def shown_net(value: str) -> str | None:
    return read_net(value)


NETS = ["127.0.0.1:80", "10.0.0.0/8:80-90", "[::1]:443", "[fd00::]/8:*", "*:0", "*:*", "0.0.0.0/0:1-65535", "[2001:db8::]/32:1"]


@STABLE
@given(option=st.sampled_from(["tcp-connect", "tcp-listen", "udp", "udp-bind"]), value=damaged(NETS, "0123456789.:/[]*- +%,"))
@example("tcp-connect", "10.0.0.1/8:80")
@example("tcp-connect", "10.0.0.0/08:80")
@example("tcp-connect", "10.0.0.0/33:80")
@example("tcp-connect", "[::1]/129:80")
@example("tcp-connect", "127.0.0.1:080")
@example("tcp-connect", "127.0.0.1:+80")
@example("tcp-connect", "127.0.0.1:90-80")
@example("tcp-connect", "127.0.0.1:65536")
@example("tcp-connect", "127.0.0.1:1-65536")
@example("tcp-connect", "[::ffff:127.0.0.1]:80")
@example("tcp-connect", "127.0.0.01:80")
@example("tcp-connect", "[127.0.0.1]:80")
@example("tcp-connect", "::1:80")
@example("tcp-connect", "127.0.0.1:80 ")
def test_net(policy: Path, option: str, value: str) -> None:
    expected = read_net(value)
    got = show(f"--{option}={value}")
    policy.write_text(f"{option} = [{quoted(value)}]\n", encoding="utf-8")
    assert show("--policy", str(policy)) == got
    if expected is None:
        assert got == 120, value
    else:
        assert isinstance(got, dict) and list(got) == [option], (value, got)
        shown = got[option]
        assert isinstance(shown, list) and [read_net(s) for s in shown] == [expected], (value, got)


@pytest.mark.parametrize("value", ["exa mple.org:80", "a..b:80", "-a:80", "*.example.org:80", "a*b:80", "1.2.3:80", "256.1.1.1:80", "example.org/8:80", "example.org", "a_b:", ":80", "127.1:80"])
@pytest.mark.parametrize("option", ["tcp-connect", "udp"])
def test_names_that_are_none(option: str, value: str) -> None:
    assert show(f"--{option}={value}") == 120


def test_names() -> None:
    assert show("--tcp-connect=localhost:80-90") == {"tcp-connect": ["localhost:80-90"], "allow-name": ["localhost"]}
    assert show("--tcp-listen=localhost:80") == 120  # listening needs an address


LABEL = r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)"
NAME = re.compile(rf"{LABEL}(?:\.{LABEL})*\.?", re.A)


def is_name(text: str) -> bool:
    """Names as in the DNS. A name whose last label is a number must be an address."""
    return len(text) <= 253 and bool(NAME.fullmatch(text)) and not re.fullmatch(r"[0-9]+", text.rstrip(".").rpartition(".")[2], re.A)


def read_name(value: str) -> str | None:
    return value if is_name(value.removeprefix("*.")) else None


@STABLE
@given(value=damaged(["localhost", "example.org", "*.example.org", "a-b.c_d.e1", "x."], "ab1.*-_ :/[]%\t,"))
@example("*")
@example("*.")
@example("**.example.org")
@example("a.*.b")
@example("127.0.0.1")
@example("::1")
@example(" example.org")
def test_allow_name(policy: Path, value: str) -> None:
    expected = read_name(value)
    agree("allow-name", value, None if expected is None else [expected], policy)


def read_http(value: str) -> str | None:
    """HOST[:PORT]: the host in the form in which it is compared, and the port."""
    match = re.fullmatch(r"(\[[^\]]*\]|[^:\[\]]*)(?::(.*))?", value, re.S)
    if not match or (match[2] is not None and not (re.fullmatch(r"[1-9][0-9]{0,4}", match[2], re.A) and int(match[2]) <= 65535)):
        return None
    host, port = match[1], match[2]
    if host.startswith("["):
        network = read_prefix(host[1:-1], None)
        host = f"[{network}]" if network and ":" in network else ""
    elif re.fullmatch(r"[0-9.]+", host, re.A):
        host = read_prefix(host, None) or ""
    elif host != "*" and not is_name(host.removeprefix("*.")):
        host = ""
    return f"{host} {port}" if host else None


@STABLE
@given(value=damaged(["example.org", "*.example.org:443", "*", "*:80", "127.0.0.1:8080", "[::1]", "[::1]:80", "a_b-c.d:1"], "ab1.*-:0/[] %@+,\t"))
@example("example.org:")
@example("example.org:0")
@example("example.org:080")
@example("http://example.org")
@example("u@example.org")
@example("*.*.org")
@example("[v1.a]")
@example("127.1")
def test_http_allow(policy: Path, value: str) -> None:
    expected = read_http(value)
    got = show(f"--http-allow={value}")
    policy.write_text(f"http-allow = {quoted(value)}\n", encoding="utf-8")
    assert show("--policy", str(policy)) == got
    if expected is None:
        assert got == 120, value
    else:
        assert isinstance(got, dict) and list(got) == ["http-allow"], (value, got)
        shown = got["http-allow"]
        assert isinstance(shown, list) and [read_http(s) for s in shown] == [expected], (value, got)


@STABLE
@given(value=damaged(["private", "10.0.0.0/8", "127.0.0.1", "::1", "fc00::/7", "0.0.0.0/0"], "pPrivate0189.:/[] ,-+*"))
@example("Private")
@example("private,10.0.0.0/8")
@example("10.1.2.3/8")
@example("10.0.0.0/")
@example("[::1]")
@example("")
def test_http_deny(policy: Path, value: str) -> None:
    ip, slash, bits = value.partition("/")
    network = read_prefix(ip, bits if slash else None)
    if network and ":" in network and ipaddress.IPv6Network(network).subnet_of(ipaddress.IPv6Network("::ffff:0:0/96")):
        inside = ipaddress.IPv6Network(network)
        network = f"{inside.network_address.ipv4_mapped}/{inside.prefixlen - 96}"
    expected = "private" if value == "private" else network
    got = show(f"--http-deny={value}")
    policy.write_text(f"http-deny = {quoted(value)}\n", encoding="utf-8")
    assert show("--policy", str(policy)) == got
    if expected is None:
        assert got == 120, value
    else:
        assert isinstance(got, dict) and list(got) == ["http-deny"], (value, got)
        shown = got["http-deny"]
        assert isinstance(shown, list) and [s if s == "private" else same_prefix(s) for s in shown] == [expected], (value, got)


# --- the environment ---------------------------------------------------------------------------------------------------


@STABLE
@given(value=damaged(["A=b", "LANG=C.UTF-8", "A=", "A=b=c", "=", "a b=c"], "=Ab \t\n:,;'\"é"))
@example("=b")
@example("")
@example("TOUCHSTONE_IS_NOT_SET")
def test_env(policy: Path, value: str) -> None:
    name, equals, text = value.partition("=")
    got = show(f"--env={value}")
    policy.write_text(f"env = [{quoted(value)}]\n", encoding="utf-8")
    assert show("--policy", str(policy)) == got
    if not equals:
        text_here = os.environ.get(name)
        assert got == (120 if not name else {"env": {name: text_here}} if text_here is not None else {})
    else:
        assert got == ({"env": {name: text}} if name else 120)


def test_variables_that_are_not_utf8() -> None:
    environment = {**{os.fsencode(k): os.fsencode(v) for k, v in os.environ.items()}, b"TOUCHSTONE_BAD": b"\xff", b"TOUCHSTONE_GOOD": "é".encode()}
    done = subprocess.run([TOUCHSTONE, "run", "-S", "inherit-env", "--show-grants"], capture_output=True, env=environment, timeout=60, check=True)
    variables = tomllib.loads(done.stdout.decode())["env"]
    assert variables["TOUCHSTONE_GOOD"] == "é" and "TOUCHSTONE_BAD" not in variables
    assert done.stderr == b"touchstone: inherit-env: TOUCHSTONE_BAD is not UTF-8 and left out\n"
    many = {b"A\xffB\x1b" + b"x" * 300: b"1", b"OTHER": b"\x80", b"GOOD": b"1"}
    done = subprocess.run([TOUCHSTONE, "run", "-S", "inherit-env", "--show-grants"], capture_output=True, env=many, timeout=60, check=True)
    variables = tomllib.loads(done.stdout.decode())["env"]
    assert {k: v for k, v in variables.items() if not k.startswith("__LLVM_")} == {"GOOD": "1"}  # of a build that counts
    assert re.fullmatch(r"touchstone: inherit-env: (OTHER|A[^\x1b\ufffd]*x…) and others are not UTF-8 and left out\n", done.stderr.decode()), done.stderr
    assert subprocess.run([TOUCHSTONE, "run", "-S", "inherit-env=n", "--show-grants"], capture_output=True, env=many, timeout=60, check=True).stdout == b""
    done = subprocess.run([TOUCHSTONE, "run", "--env", "TOUCHSTONE_BAD", "--show-grants"], capture_output=True, env=environment, timeout=60, check=False)
    assert done.returncode == 120 and b"UTF-8" in done.stderr


# --- words -------------------------------------------------------------------------------------------------------------

TRUE, FALSE = ("y", "yes", "true", "on", "1"), ("n", "no", "false", "off", "0")
# The printed form of a word that is on and off; None: nothing is printed.
WORDS: dict[str, tuple[Grants, Grants]] = {
    "inherit-network": ({"inherit-network": True}, {}),
    "allow-ip-name-lookup": ({"allow-ip-name-lookup": True}, {}),
    "tcp": ({}, {"tcp": False}),
    "udp": ({}, {"udp": False}),
    "http": ({"http": True}, {"deny": ["wasi:http/types", "wasi:http/outgoing-handler"]}),
    "inherit-stdin": ({}, {"inherit-stdin": False}),
    "inherit-stdout": ({}, {"inherit-stdout": False}),
    "inherit-stderr": ({}, {"inherit-stderr": False}),
    "network-error-code": ({"unstable": ["network-error-code"]}, {}),
    "p2": ({}, {"deny": None}),
    "nn": (None, {}),  # type: ignore[dict-item]
}


def read_words(value: str) -> Grants | None:
    grants: Grants = {}
    for word in value.split(","):
        name, equals, how = word.partition("=")
        if name not in WORDS or (equals and how not in TRUE + FALSE):
            return None
        on, off = WORDS[name]
        chosen = off if equals and how in FALSE else on
        if chosen is None:
            return None
        grants.update(chosen)
    return grants


@STABLE
@given(value=damaged([*WORDS, "http=y", "tcp=n,udp=n", "inherit-network=yes", "inherit-stdin=no,http"], ",= yYnoetp-?1"))
@example("http,,tcp")
@example(",http")
@example("http,")
@example("")
@example("inherit-network=yes?")
@example("inherit-network=")
@example("inherit-network=y yes")
@example("inherit-network=y=n")
@example("inherit_network")
@example("Inherit-network")
@example(" http")
def test_words(value: str) -> None:
    expected = read_words(value)
    if expected is not None and expected.get("deny", "") is None:
        return  # what cli=n denies is a list of interfaces, tested elsewhere
    if expected is not None and len({w.partition("=")[0] for w in value.split(",")}) < len(value.split(",")):
        return  # if a word is given twice, the last one counts
    assert show(f"-S{value}") == (120 if expected is None else expected) or value.startswith("="), value


@STABLE
@given(
    option=st.sampled_from(["deny", "unstable", "features"]),
    value=damaged(["wasi:clocks/wall-clock", "wasi:http", "wasi:io/streams@0.2.0", "wasi:cli@0.2", "clocks-timezone", "network-error-code", "values", "values,maps", "async"], ":/@.,-023 alsu"),
)
@example("deny", "wasi:clocks/wall-clok")
@example("deny", "wasi:clocks/wall-clock@0.25")
@example("deny", "wasi:clocks/wall-clock@0.2.x")
@example("deny", "wasi:clocks/wall-clock@0.3.0")
@example("deny", "wasi:clocks/")
@example("deny", "WASI:clocks")
@example("deny", "")
@example("features", "values,,maps")
@example("features", "values,")
@example("features", "valus")
def test_names_of_interfaces_and_features(policy: Path, option: str, value: str) -> None:
    base, at, version = value.partition("@")
    expected: object = None
    if option == "deny" and base in ("wasi:clocks/wall-clock", "wasi:http", "wasi:io/streams", "wasi:cli", "wasi:io", "wasi:clocks"):
        expected = [base] if not at or re.fullmatch(r"0\.2(\.(0|[1-9][0-9]?[0-9]?))?", version, re.A) else None
    elif option == "unstable":
        expected = [value] if value in ("clocks-timezone", "network-error-code") else None
    elif option == "features" and set(value.split(",")) <= {"values", "maps", "async"}:
        expected = ",".join(f for f in ("async", "maps", "values") if f in value.split(","))
    agree(option, value, expected, policy)


@pytest.mark.parametrize("value", ["streems", "wasi:io/streem", "io,,cli", "io,", "", "IO", " io", "wasi:io@0.2.0", "wasi:io/"])
def test_a_trace_of_nothing(value: str) -> None:
    assert show(f"--trace={value}") == 120


@pytest.mark.parametrize("value", ["wasi:io/streams", "io/streams", "streams", "io", "wasi:io", "io,cli,wasi:clocks/wall-clock"])
def test_traces(value: str) -> None:
    assert show(f"--trace={value}") == {}


# --- numbers -----------------------------------------------------------------------------------------------------------

SIZES = {"": 1, "B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
SIZES |= {unit: 1024**n for n, letter in enumerate("kmgt", 1) for unit in (letter, letter.upper(), letter + "ib", letter.upper() + "iB")}
TIMES = {"": 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1, "m": 60 * 10**9, "h": 3600 * 10**9}


def read_quantity(value: str, units: dict[str, int]) -> int | None:
    match = re.fullmatch(r"([0-9]+)(?:\.([0-9]+))?([A-Za-z]*)", value, re.A)
    if not match or match[3] not in units or (match[2] is not None and units[match[3]] == 1):
        return None
    n = int(match[1]) * units[match[3]] + (int(match[2][:9]) * units[match[3]] // 10 ** len(match[2][:9]) if match[2] else 0)
    return n if 1 <= n < 2**63 else None


def number_of(shown: object) -> object:
    return int(shown.removesuffix("ns")) if isinstance(shown, str) else shown


@STABLE
@given(
    option=st.sampled_from(["max-memory", "max-gc", "stack", "max-time", "fuel", "max-table"]),
    value=damaged(["1", "64MiB", "64k", "1.5GiB", "10s", "500ms", "2m", "1.5s", "100", "9223372036854775807"], "0159.kKmMgiBbsx+-e _"),
)
@example("max-memory", "64Mb")
@example("max-memory", "64 MiB")
@example("max-memory", "0x10")
@example("max-memory", "1e6")
@example("max-memory", "+1")
@example("max-memory", "0")
@example("fuel", "9007199254740993")
@example("fuel", "1.5")
@example("max-time", "1min")
@example("max-time", "nan")
def test_numbers(policy: Path, option: str, value: str) -> None:
    units = TIMES if option == "max-time" else SIZES if option in ("max-memory", "max-gc", "stack") else {"": 1}
    expected = read_quantity(value, units)
    got = show(f"--{option}={value}")
    policy.write_text(f"{option} = {quoted(value)}\n", encoding="utf-8")
    assert show("--policy", str(policy)) == got
    assert (120 if isinstance(got, int) else number_of(got[option])) == (expected or 120), (option, value)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("max-memory = 0x10_000", {"max-memory": 65536}),
        ("max-time = 1.5", {"max-time": "1500000000ns"}),
        ("max-time = 2", {"max-time": "2000000000ns"}),
        ("clock = 2026-01-31T12:00:00Z", {"clock": 1769860800}),
        ("clock = 2026-01-31 12:00:00z", {"clock": 1769860800}),
        ("clock = 2026-12-31t23:59:59Z", {"clock": 1798761599}),
        ("clock = 1_700_000_000", {"clock": 1700000000}),
        ("clock = 253402300799", {"clock": 253402300799}),
        ("max-time = 1_0.5", {"max-time": "10500000000ns"}),
        ("seed = 1_0", {"seed": 10}),
        ("env.A = 'b'\nenv.\"C.D\" = 'e'", {"env": {"A": "b", "C.D": "e"}}),
        ("features = ['values', 'maps']", {"features": "maps,values"}),
        ("cache = 'c'\nrecord = 'r'", {"cache": "c", "record": "r"}),
        ("replay = 'r'", {"replay": "r"}),
        ("max-files = 7\nunknown-imports-trap = true", {"max-files": 7, "unknown-imports-trap": True}),
        ("fuel = -1", 120),
        ("max-memory = 1.5", 120),
        ("max-time = 0", 120),
        ("clock = 2026-01-31T12:00:00+01:00", 120),
        ("clock = 2026-01-31T12:00:00", 120),
        ("dri = '.'", 120),
        ("udp = true", {}),
        ("udp = false", {"udp": False}),
        ("tcp-connect = true", 120),
        ("addr = '127.0.0.1:1'", 120),
        ("trace = 'io'", 120),
    ],
)
def test_values_of_policies(policy: Path, text: str, wanted: Grants | int) -> None:
    policy.write_text(text + "\n")
    assert show("--policy", str(policy)) == wanted


def clocks(text: str) -> int:
    return 120 if show(f"--clock={text}") == 120 else 0


@pytest.mark.parametrize("text", ["2026-1-31T12:00:00Z", "2026- 1-31T12:00:00Z", "+026-01-31T12:00:00Z", "2026-01-31T12:00:00z", "2026-02-29T12:00:00Z", "2100-02-29T12:00:00Z", "2026-04-31T12:00:00Z", "2026-12-32T12:00:00Z", "2026-00-01T12:00:00Z", "2026-13-01T12:00:00Z", "2026-01-00T12:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z", "2026-01-31T12:00:60Z", "1969-12-31T23:59:59Z", "2026:01-31T12:00:00Z", "2026-01-3aT12:00:00Z", "1000000000000", "-1", "1 ", " 1", "0x1", ""])
def test_clocks_that_are_none(text: str) -> None:
    assert clocks(text) == 120


@pytest.mark.parametrize(("text", "seconds"), [("0", 0), ("99999999999", 99999999999), ("100000000000", 100000000000), ("1970-01-01T00:00:00Z", 0), ("2000-02-29T00:00:00Z", 951782400), ("2026-12-31T23:59:59Z", 1798761599), ("9999-12-31T23:59:59Z", 253402300799)])
def test_clocks(text: str, seconds: int) -> None:
    assert show(f"--clock={text}") == {"clock": seconds}


# --- what is shown -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        ["--dir=.::/x:ro", '--dir=./built::/y"\\\\', "--cwd=/x"],
        ["-S", "inherit-network,tcp=n,udp=n,allow-ip-name-lookup,inherit-stdin=n,inherit-stdout=n,inherit-stderr=n"],
        ["-S", "http", "--http-deny=private", "--http-deny=10.0.0.0/8", "--ca=FOLDER/ca.pem"],
        ["--http-allow=*.example.org:443", "--http-allow=[::1]:80", "--http-allow=example.net"],
        ["--tcp-connect=localhost:80", "--tcp-connect=localhost:81", "--tcp-connect=*:443", "--tcp-connect=10.0.0.0/8:1-9"],
        ["--tcp-listen=127.0.0.1:*", "--udp=[::1]:53", "--udp-bind=127.0.0.1:1", "--allow-name=*.example.org"],
        ["--udp=127.0.0.1:53", "-S", "udp=n"],
        ["-S", "cli=n,http=n", "--deny=wasi:random", "--unstable=clocks-timezone"],
        ["-S", "max-resources=7,max-random-size=9,max-http-fields-size=100", "--max-disk=5MiB", "-S", "max-files=3"],
        ["--clock=9999-12-31T23:59:59Z", "--seed=9", "--max-memory=1MiB", "--max-time=1.5s", "--fuel=7", "--confine=off"],
        ["--env=A=b\\\\c\"d", "--env=DEL=\x7f\x01", "--env=E=é", "--features=maps,async", "--engine=interpreter", "--deterministic"],
    ],
)  # fmt: skip
def test_what_is_shown_is_a_policy(options: list[str], policy: Path) -> None:
    """It grants the same again."""
    (policy.parent / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    options = [option.replace("FOLDER", str(policy.parent)) for option in options]
    shown = subprocess.run([TOUCHSTONE, "run", *options, "--show-grants"], capture_output=True, timeout=60, cwd=ROOT / "fixtures", check=True).stdout
    policy.write_bytes(shown)
    again = subprocess.run([TOUCHSTONE, "run", "--policy", policy, "--show-grants"], capture_output=True, timeout=60, cwd=ROOT / "fixtures", check=False)
    assert (again.stdout, again.stderr) == (shown, b"")
    assert tomllib.loads(shown.decode())
    assert max(shown.count(name) for name in (b'"localhost:80"', b'"localhost"')) <= 1  # a name has several addresses and one rule


@pytest.mark.parametrize(
    ("label", "status"),
    [("CERTIFICATE", 0), ("X509 CERTIFICATE", 0), ("TRUSTED CERTIFICATE", 0), ("PRIVATE KEY", 120), ("CERTIFICATE REQUEST", 120), ("CERT", 120)],
)  # fmt: skip
def test_labels_of_certificates(label: str, status: int, tmp_path: Path) -> None:
    wanted = {"ca": str(tmp_path / "it.pem")}
    for text in (f"a comment\n-----BEGIN {label}-----", f"-----BEGIN NOTHING-----\n-----BEGIN {label}-----\n"):
        (tmp_path / "it.pem").write_text(text)
        assert show("--ca", str(tmp_path / "it.pem")) == (wanted if status == 0 else status)


# --- the kinds of files ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [("--policy",), ("--ca",), ("--http-allow=*", "--ca")])
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/random", "/dev/full"])
def test_devices_are_no_files(options: tuple[str, ...], device: str) -> None:
    assert show(*options, device) == 125


@pytest.mark.parametrize("command", [["run"], ["inspect"], ["validate"], ["run", "--replay", "/dev/zero"], ["serve"]])
def test_devices_are_no_components(command: list[str]) -> None:
    done = subprocess.run([TOUCHSTONE, *command, "/dev/zero"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 125 and "it is a device, which has no end" in done.stderr


def test_an_endless_policy() -> None:
    endless = subprocess.Popen(["yes", "# nothing"], stdout=subprocess.PIPE)
    done = subprocess.run([TOUCHSTONE, "run", "--policy", "/dev/stdin", "--show-grants"], stdin=endless.stdout, capture_output=True, text=True, timeout=60, check=False)
    endless.kill()
    endless.wait()
    assert done.returncode == 120 and "too large for a policy" in done.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# one\n[env]\nA = 1\n", "p.toml:3: A: a string is expected"),
        ('[env]\nA = "a"\n\n"B=C" = "b"\n', "p.toml:4: the name of an environment variable"),
        ('[[dir]]\nhost = "."\nread-only = false\nreadonly = true\n', "p.toml:4: dir.readonly: "),
        ('[[dir]]\nhost = "."\n[[dir]]\nguest = "/x"\n', "p.toml:3: dir: host is missing"),
        ('tcp-connect = [\n  "127.0.0.1:80",\n  "x",\n]\n', "p.toml:3: tcp-connect x: HOST:PORT is expected"),
    ],
)
def test_the_line_of_a_grant(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "p.toml").write_text(text)
    done = subprocess.run([TOUCHSTONE, "run", "--policy", "p.toml", "--show-grants"], capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False)
    assert done.returncode == 120 and message in done.stderr, done.stderr


READERS: list[Callable[[str], object]] = [read_dir, read_net, read_name, read_http]


def test_the_readers_read() -> None:
    """These options do not refuse everything."""
    assert read_dir(".::/x:ro") == {"host": ".", "guest": "/x", "read-only": True}
    assert [read_net(n) is not None for n in NETS] == [True] * len(NETS)
    assert read_http("*.example.org:443") and read_name("*.example.org") and read_words("http,tcp=n")
    assert all(reader("") is None for reader in READERS)
