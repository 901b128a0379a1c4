#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets: a folder for each target, from which a campaign starts.

Usage: seeds.py OUT [--wasm-tools PROGRAM] [--touchstone PROGRAM]
In: seeds/, regressions/, the built guests, the modules of the tests, and what is installed: with wasm-tools also the official
scripts and random modules and components; with touchstone also a record. Out: OUT/TARGET/*. What is absent is left out,
with a line that says so.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SMITH, RANDOM_COMPONENTS, LARGEST = 60, 150, 80_000

WAVE = [
    "bool\ntrue", "s8\n-128", "u64\n18446744073709551615", "f32\n-1.5e10", "f64\nnan", "char\n'\\u{1f600}'", 'string\n"a\\n\\u{e9}\\""',
    'string\n"""\nline\nother\n"""', "list<u8>\n[1, 2, 255]", 'list<string>\n["a", "b"]', "tuple<u8, string>\n(1, \"x\")", "option<u32>\nsome(3)",
    "option<option<u8>>\nsome(none)", 'result<u32, string>\nerr("no")', "result\nok", 'record { a: u8, b: option<u8> }\n{a: 1}',
    "variant { none, num(s64), text(string) }\ntext(\"t\")", "enum { red, green }\ngreen", "flags { r, w, x }\n{r, x}", "list<tuple<f32, f64>>\n[(inf, -inf)]",
    "own<r>\n1", "borrow<r>\n", "list<u8, 3>\n[1, 2, 3]", "map<string, u8>\n{\"a\": 1}", "u32\n// a comment\n 7",
]  # fmt: skip
CALLS = ["func(a: u8, b: string) -> u32\n(1, \"x\")", "func()\n()", "func(x: list<list<u8>>) -> option<string>\n([[1], []])", "func(a: f64, ...)\n(1.0)"]
CORE = ["0-1", "10x7fffffffffffffff", "2nan:0x200000", "3-0x1.8p3", "4(v128.const i64x2 1 2)", "4(v128.const f32x4 nan 1 -inf 0.5)", "5(ref.null func)",
        "6(ref.i31 42)", "6(ref.host 7)", "7(ref.extern 7)", "0 ;; c\n 5", "41"]  # fmt: skip
TOML = """\
# a policy
dir = ["/tmp::/data:ro", {host = "/tmp", guest = "/x", read-only = true}]
env = {A = "1", "B c" = '''literal'''}
tcp-connect = ["127.0.0.1:80", "[::1]:1-5", "10.0.0.0/8:*", "*:443", "example.invalid:1"]
udp-bind = "127.0.0.1:0"
allow-name = "*.example.org"
http-allow = ["example.org:8080", "*"]
http-deny = ["private", "192.168.0.0/16"]
max-memory = "64MiB"
max-time = 1.5
fuel = 1_000
clock = 2026-01-31T12:00:00Z
seed = 5
deterministic = true
features = "values,maps"
unstable = ["clocks-timezone"]
inherit-network = false
max-files = 0x10
"""
TOML_ONLY = """\
title = "T\\u00e9\\n\\U0001F600"
[owner.a."b c"]
dob = 1979-05-27T07:32:00.5-08:00
local = 1979-05-27 07:32:00
day = 1979-05-27
time = 07:32:00.999
float = [1.0, -inf, nan, 6.26e-34, 1e6]
ints = [0xdead_beef, 0o755, 0b1101, -17]
multi = \"\"\"
one \\
   two\"\"\"
[[products]]
name = 'x'
[[products]]
inline = {x.y = 1, z = [{a = 1}, {}]}
"""
OPTIONS = ["-dir=/tmp::/data:ro\ndir=/tmp", "-env=A=1\nenv=HOME", "-tcp-listen=[::1]:0\nudp=10.0.0.0/8:1-9", "-http-deny=fe80::/10\nhttp-allow=[::1]:80",
           "-max-memory=1GiB\nmax-time=500ms\nfuel=7\nstack=64k", "-clock=2026-01-31T12:00:00Z\nseed=0x5\ndeterministic",
           "-features=values,maps\nunstable=network-error-code\nengine=compiled", "--S=http,tcp=n,inherit-env=y,max-files=5", "-confine=try\nmax-depth=500"]  # fmt: skip
NAMES = [
    "a-b-C3\nx", "wasi:http/types@0.2.0\nwasi:http/types@0.2.12", "a:b/c@1.0.0-rc.1+b.2\na:b/c@1.2.3", "[method]thing.do-it\n[constructor]thing",
    "a:b:c/d/e@0.0.1\n[static]r.f", "url=<https://x/>\nlocked-dep=<a:b@1.0.0>,integrity=<sha256-aGVsbG8=>", "u8\n42",
    "_RNvNtCs1234_7mycrate3foo3bar\n", "_RINvMsr_NtCs3ssYzQotkvD_3std4pathNtB5_7PathBuf3newpECs_7mycrate\n",
    "_ZN4core6option15Option$LT$T$GT$6unwrap17h0123456789abcdefE\n", "_RNvXs_Cs_1aNtB2_1SNtB2_1T1fKj0_p\n", "127.0.0.1\n127.0.0.1:0", "::ffff:10.0.0.1\n*",
    "fe80::1%1\n[::1]:0-5", "10.0.0.0/8\nprivate", "2001:db8::/32\n*:1", "0x7f.1\nA=B", "b\u00fccher.example\n/x", "user@host:80\nexample.org", "[::1]:8080\nx",
    "/a/b?c=%20\nx", "3, 3\n4", "64MiB\n1.5s", "2026-01-31T12:00:00Z\n10m", "https\n-", "1e400\n1",
]  # fmt: skip
ANSWERS = [
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nX-T: 1\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nA: b\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\nuntil the end", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
    "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\nContent-Length: 3, 3\r\n\r\nabc", "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", "HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx", "HTTP/1.1 302 Found\r\nLocation: http://x/\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n",
    "HTTP/2 200\r\ncontent-length: 1\r\n\r\na", "HTTP/1.1 200 OK\r\nConnection: close, keep-alive\r\nSet-Cookie: a=b\r\n\r\n",
]  # fmt: skip

REQUESTS = [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://a:80/b?c HTTP/1.1\r\nHost: a:80\r\nConnection: close\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /x HTTP/1.1\r\nHost: [::1]\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: b\r\n\r\n", "HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\n\r\n3;a=\"b\"\r\nabc\r\n0\r\nX: y\r\nContent-Length: 1\r\n\r\n",
    "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nUpgrade: h2c\r\nTE: trailers\r\nA: \t b \r\n\r\n",
    "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "get\t/ HTTP/1.1\n\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\nx",
    "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n c\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n",
    "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a:0\r\nConnection: x, close\r\n\r\n", "GET / HTTP/1.1\r\nHost: a:70000\r\n\r\n",
]  # fmt: skip


class Seeds:
    """The folder of seeds; equal contents are written once."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.count: dict[str, int] = {}

    def add(self, target: str, data: bytes | str) -> None:
        data = data.encode() if isinstance(data, str) else data
        folder = self.out / target
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / hashlib.sha1(data).hexdigest()
        if not path.exists():
            path.write_bytes(data)
            self.count[target] = self.count.get(target, 0) + 1


def is_component(data: bytes) -> bool:
    return data[4:8] == b"\x0d\0\1\0"


def uleb(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def core_modules(data: bytes) -> Iterable[bytes]:
    """The core modules of a component, and of those inside it."""
    at = 8
    try:
        while at < len(data):
            kind, (size, at) = data[at], uleb(data, at + 1)
            part = data[at : at + size]
            if kind == 1:
                yield part
            elif kind == 4:
                yield from core_modules(part)
            at += size
    except IndexError:  # a damaged one
        return


def binary(seeds: Seeds, data: bytes) -> None:
    """A module or a component, for every target that takes one."""
    if data[:4] != b"\0asm":
        return
    if is_component(data):
        for inner in core_modules(data):
            binary(seeds, inner)
    if len(data) > LARGEST:
        return
    for target in ("fuzz_component", "fuzz_call") if is_component(data) else ("fuzz_module", "fuzz_exec", "fuzz_tiers"):
        seeds.add(target, data)
    seeds.add("fuzz_inspect", data)


def texts(seeds: Seeds) -> None:
    for text in WAVE:
        seeds.add("fuzz_wave", "v" + text)
    for text in CALLS:
        seeds.add("fuzz_wave", "f" + text)
    for text in CORE:
        seeds.add("fuzz_wave", text)
    for how in "tg":
        seeds.add("fuzz_policy", how + TOML)
        for line in TOML.splitlines():
            seeds.add("fuzz_policy", how + line + "\n")
    seeds.add("fuzz_policy", "t" + TOML_ONLY)
    for line in TOML_ONLY.splitlines():
        seeds.add("fuzz_policy", "t" + line + "\n")
    for text in OPTIONS:
        seeds.add("fuzz_policy", text)
    for text in NAMES:
        seeds.add("fuzz_names", text)
    for step, text in enumerate(REQUESTS):
        seeds.add("fuzz_http", bytes([step]) + text.encode())
    for n, text in enumerate(ANSWERS):
        for kind in (0, 1, 2, 2 | 32, 2 | 64, 2 | 96, 3, 4 | 16, 5 | 96, 2 | 8 | 96, 128):
            seeds.add("fuzz_client", bytes([kind, n & 1]) + text.encode())


def section(number: int, data: bytes) -> bytes:
    return bytes([number]) + struct.pack("<H", len(data)) + data


DWARF = [".debug_line", ".debug_info", ".debug_abbrev", ".debug_str", ".debug_line_str", ".debug_addr", ".debug_rnglists", ".debug_ranges",
         ".debug_str_offsets", "name"]  # fmt: skip


def dwarf(seeds: Seeds) -> None:
    """The sections of the test's modules, one after the other, and the modules themselves."""
    for path in sorted((ROOT / "runtime/tests/data/dwarf").glob("*.wasm")):
        data, at, parts = path.read_bytes(), 8, b""
        seeds.add("fuzz_dwarf", data)
        while at < len(data):
            kind, (size, at) = data[at], uleb(data, at + 1)
            if kind == 0:
                length, start = uleb(data, at)
                name = data[start : start + length].decode()
                if name in DWARF:
                    parts += section(DWARF.index(name), data[start + length : at + size])
            at += size
        seeds.add("fuzz_dwarf", parts)


def cache(seeds: Seeds) -> None:
    for kind in range(3):
        for change in (0, -1, -300, 40, 5000):
            seeds.add("fuzz_cache", struct.pack("<BhH", kind, change, 0))
    seeds.add("fuzz_cache", struct.pack("<BhHQQQ", 0, 0, 24, 0, 0, 40))
    seeds.add("fuzz_cache", struct.pack("<BhHQQQ", 0, 0, 24, 4096, 69632, 40) + struct.pack("<BhHII", 1, 0, 8, 0, 40))
    seeds.add("fuzz_cache", struct.pack("<BhHII", 1, 0, 16, 1, 2) + struct.pack("<II", 39, 3))
    for at in (8, 16, 24, 30, 400, 2400, 2440, 3000):  # the code: its header, its list, its parts; with right sums and without
        for kind in (0x40, 0x60):
            seeds.add("fuzz_cache_code", struct.pack("<BhHHI", kind, 0, 6, at, 1))
    seeds.add("fuzz_cache", struct.pack("<BhH", 0x82, 0, 48) + b"touchstone cch2\0" + bytes(32))


def value(kind: str, text: object, **more: object) -> dict[str, object]:
    return {"type": kind, "value": text, **more}


def script(*commands: dict[str, object]) -> str:
    return json.dumps({"source_filename": "s.wast", "commands": [{"line": n + 1, **c} for n, c in enumerate(commands)]})


def scripts(seeds: Seeds) -> None:
    module: dict[str, object] = {"type": "module", "name": "m", "filename": "m.wasm", "module_type": "binary"}
    component: dict[str, object] = {**module, "name": "c", "filename": "c.wasm"}

    def invoke(of: str, field: str, args: Iterable[object], **more: object) -> dict[str, object]:
        return {"type": "assert_return", "action": {"type": "invoke", "module": of, "field": field, "args": list(args)}, **more}

    lanes = value("v128", ["1", "2", "3", "4"], lane_type="i32")
    refs = [value("funcref", "null"), value("anyref", "7"), value("externref", "1"), value("exnref", "null"), value("refnull", None)]
    numbers = [value("i32", "1"), value("i64", "2"), value("f32", "nan:canonical"), value("f64", "4602678819172646912")]
    seven = [value("i32", "1"), value("i64", "-1"), value("f32", "0"), value("f64", "0"), lanes, refs[2], refs[0]]
    seeds.add("fuzz_wast", script(module, invoke("m", "f", seven, expected=[value("i32", "1")])))
    seeds.add("fuzz_wast", script(module, invoke("m", "numbers", [], expected=numbers), invoke("m", "vector", [lanes], expected=[lanes])))
    seeds.add("fuzz_wast", script(module, invoke("m", "refs", [], expected=[value("funcref", None), value("structref", None), value("i31ref", None), refs[4]])))
    either = {"type": "either", "values": [value("i32", "2"), value("i32", "3")]}
    seeds.add("fuzz_wast", script(module, invoke("m", "load", [value("i32", "0")], expected=[either])))
    for field, kind in (("trap", "assert_trap"), ("deep", "assert_exhaustion"), ("throw", "assert_exception")):
        seeds.add("fuzz_wast", script(module, {**invoke("m", field, []), "type": kind, "text": "unreachable"}))
    get = {"type": "assert_return", "action": {"type": "get", "module": "m", "field": "g"}, "expected": [value("i32", "7")]}
    seeds.add("fuzz_wast", script(module, get, {"type": "register", "name": "m", "as": "x"}))
    seeds.add("fuzz_wast", script({**module, "type": "module_definition"}, {"type": "module_instance", "module": "m", "instance": "i"}))
    for kind in ("assert_malformed", "assert_invalid", "assert_unlinkable", "assert_uninstantiable"):
        seeds.add("fuzz_wast", script({**module, "type": kind, "text": "unknown import"}))
    values = {
        "take-bool": value("bool", True), "take-u8": value("u8", "5"), "take-s64": value("s64", "-5"), "take-f32": value("f32", "nan:canonical"),
        "take-char": value("char", "x"), "take-string": value("string", "text"), "take-bytes": value("list", [value("u8", "1")]),
        "take-strings": value("list", [value("string", "a")]), "take-tuple": value("tuple", [value("u8", "1"), value("string", "b")]),
        "take-rec": value("record", [["a", value("u8", "1")], ["b", value("string", "x")]]),
        "take-var": value("variant", {"case": "num", "payload": value("s64", "1")}), "take-enum": value("enum", "green"),
        "take-flags": value("flags", ["r", "x"]), "take-option": value("option", value("string", "s")),
        "take-result": value("result", {"Err": value("string", "no")}),
    }  # fmt: skip
    for field, one in values.items():
        seeds.add("fuzz_wast", script(component, invoke("c", field, [one], expected=[])))
    results = {"bool": value("bool", True), "u64": value("u64", "1"), "string": value("string", "text"), "enum-red": value("enum", "green"),
               "flag-r": value("flags", ["r"]), "bytes": value("list", [value("u8", "64")])}  # fmt: skip
    for field, one in results.items():
        seeds.add("fuzz_wast", script(component, invoke("c", field, [], expected=[one])))
    seeds.add("fuzz_wast", script(component, {**invoke("c", "trap", []), "type": "assert_trap", "text": "wasm trap: `unreachable`"}))
    seeds.add("fuzz_wast", script(component, {"type": "register", "name": "c", "as": "x"}))
    seeds.add("fuzz_wast", r'{"a":[1,-0.5e3,true,false,null,"\u00e9\ud83d\ude00\n\\"],"b":{}}')


def wasi(seeds: Seeds) -> None:
    """Random series of calls: libFuzzer keeps those that reach something."""
    rng = random.Random(1)
    for _ in range(400):
        seeds.add("fuzz_wasi", bytes(rng.randrange(256) if rng.random() < 0.6 else rng.randrange(8) for _ in range(rng.randrange(20, 300))))
        memory = b"".join(struct.pack("<I", rng.choice((0, 4, 8, 32, 64, 100, 65530))) for _ in range(16)) + b"a\0sub/b\0link\0../canary\0new\0"
        calls = bytes(rng.randrange(256) if rng.random() < 0.4 else rng.randrange(10) for _ in range(rng.randrange(20, 200)))
        seeds.add("fuzz_preview1", struct.pack("<H", len(memory)) + memory + calls)


def record(seeds: Seeds, touchstone: str | None, wasm_tools: str | None) -> None:
    """The entries of a real record of the guest."""
    if not touchstone or not wasm_tools:
        return
    with tempfile.TemporaryDirectory() as folder:
        guest, file = Path(folder, "record.wasm"), Path(folder, "r")
        subprocess.run([wasm_tools, "parse", HERE / "guests/record.wat", "-o", guest], check=True)
        options = ["--env", "K=value", "--cwd", "/", "--clock", "5", "--seed", "7"]
        subprocess.run([touchstone, "run", *options, "--record", file, guest], check=False, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
        if not file.exists():
            return
        data = file.read_bytes()
    seeds.add("fuzz_record", b"w" + data)
    at, entries = data.index(b"\n") + 1, []
    while at + 8 <= len(data):
        (size,) = struct.unpack_from("<I", data, at)
        entries.append(data[at + 4 : at + 4 + size])
        at += 8 + size
    rest = [struct.pack("<H", len(e)) + e for e in entries[2:]]
    for n in (*range(0, len(rest), 3), len(rest)):
        seeds.add("fuzz_record", b"e" + b"".join(rest[:n]))


def official(seeds: Seeds, wasm_tools: str) -> None:
    """The modules and components of the official scripts, valid and not."""
    with tempfile.TemporaryDirectory() as folder:
        found = [Path(at, name) for at, _, names in os.walk(ROOT / "build/suites", followlinks=True) for name in names if name.endswith(".wast")]
        if not found:
            print("seeds: there are no official scripts (make suites)", file=sys.stderr)
        for n, path in enumerate(sorted(found)):
            out = Path(folder, str(n))
            out.mkdir()
            subprocess.run([wasm_tools, "json-from-wast", path, "--wasm-dir", out, "-o", out / "s.json"], capture_output=True, check=False)
            for made in sorted(out.glob("*.wasm")):
                binary(seeds, made.read_bytes())
            shutil.rmtree(out)


def generated(seeds: Seeds, wasm_tools: str) -> None:
    """Random modules and components."""
    sys.path.insert(0, str(HERE))
    import abi_seeds
    import random_components
    import smith

    rng = random.Random(1)
    for _ in range(SMITH):
        noise = rng.randbytes(rng.choice((300, 1000, 4000)))
        made = subprocess.run([*smith.smith_command(wasm_tools, rng)], input=noise, capture_output=True, check=False)
        binary(seeds, made.stdout)
    for text in (*abi_seeds.texts(), *(random_components.random_case(rng).text for _ in range(RANDOM_COMPONENTS))):
        made = subprocess.run([wasm_tools, "parse"], input=text.encode(), capture_output=True, check=False)
        if made.returncode:
            print(f"seeds: {made.stderr.decode().splitlines()[0]}", file=sys.stderr)
        binary(seeds, made.stdout)


def found(program: str | None, *places: Path) -> str | None:
    return next((str(p) for p in ([Path(program)] if program else places) if p.exists()), None)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--wasm-tools")
    parser.add_argument("--touchstone")
    args = parser.parse_args()
    wasm_tools = found(args.wasm_tools, Path(sys.executable).parent / "wasm-tools", ROOT / ".venv/bin/wasm-tools")
    touchstone = found(args.touchstone, ROOT / "build/touchstone")
    seeds = Seeds(args.out)
    for path in sorted([*HERE.glob("seeds/fuzz_*/*"), *HERE.glob("regressions/fuzz_*/*")]):
        data = path.read_bytes()
        seeds.add(path.parent.name, data)
        if path.suffix == ".wasm":
            binary(seeds, data)
    for path in sorted([*ROOT.glob("fixtures/built/**/*.wasm"), *ROOT.glob("runtime/tests/data/**/*.wasm")]):
        binary(seeds, path.read_bytes())
    for make in (texts, dwarf, cache, scripts, wasi):
        make(seeds)
    record(seeds, touchstone, wasm_tools)
    if wasm_tools:
        for path in sorted(ROOT.glob("runtime/tests/data/*.wat")):
            binary(seeds, subprocess.run([wasm_tools, "parse", path], check=True, capture_output=True).stdout)
        official(seeds, wasm_tools)
        generated(seeds, wasm_tools)
    else:
        print("seeds: there is no wasm-tools: no official scripts, no random modules and components, no record", file=sys.stderr)
    print("seeds:", ", ".join(f"{name} {n}" for name, n in sorted(seeds.count.items())))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
