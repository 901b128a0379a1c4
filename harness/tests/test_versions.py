"""A component as if it had been built against another 0.2.x: only the versions in its names change."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay import record
from assay.cases import discover, versions

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "fixtures/built"
COMPONENTS = sorted(p.name for p in BUILT.glob("cli-*.wasm"))[:12]


@pytest.mark.parametrize("name", COMPONENTS)
@pytest.mark.parametrize("version", ["0.2.1", "0.2.9", "0.2.10", "0.2.12"])
def test_there_and_back_again(name: str, version: str) -> None:
    data = (BUILT / name).read_bytes()
    built = versions.versions_in(data)
    if len(built) != 1:
        pytest.skip("names several versions")
    other = versions.against(data, version)
    assert versions.versions_in(other) == {version}
    assert versions.against(other, built.pop()) == data


@pytest.mark.parametrize("version", ["0.2.13", "0.3.0", "0.2", "0.2.01", ""])
def test_a_version_that_is_none_is_refused(version: str) -> None:
    with pytest.raises(versions.VersionError):
        versions.against((BUILT / COMPONENTS[0]).read_bytes(), version)


@pytest.mark.parametrize(
    "data",
    [b"", b"\0asm", b"\0asm\x0d\0\x01\0\x0a\x7f", b"\0asm\x0d\0\x01\0\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"],
)
def test_bytes_that_are_no_component_are_refused(data: bytes) -> None:
    with pytest.raises(versions.VersionError):
        versions.against(data, "0.2.1")


def test_a_version_that_lacks_a_function_is_not_tried() -> None:
    data = next(
        d
        for p in sorted(BUILT.glob("*.wasm"))
        if b"exit-with-code" in (d := p.read_bytes()) and b"wasi:cli/exit@0.2." in d
    )
    assert versions.lowest(data) == 12


def test_a_case_is_there_for_each_version() -> None:
    cases = [c for c in discover(ROOT / "suites", ROOT / "fixtures") if c.versions]
    assert cases
    ids = {c.id for c in discover(ROOT / "suites", ROOT / "fixtures")}
    for case in cases:
        assert {f"{case.id}@0.2.{n}" for n in range(1, 13)} <= ids, case.id


def test_a_case_with_variants_says_what_it_was_built_against() -> None:
    for case in discover(ROOT / "suites", ROOT / "fixtures"):
        info = record.case_info(case)
        assert info.variant == ("@" in case.id)
        if info.variant:
            assert info.variation == case.id.partition("@")[2]
        else:
            assert info.variation == (versions.versions_in(case.component.read_bytes()).pop() if case.versions else "")


def test_a_sample_has_each_version_and_each_interface() -> None:
    cases = discover(ROOT / "suites", ROOT / "fixtures")
    variants = [case for case in cases if versions.VERSION.fullmatch(case.id.partition("@")[2])]
    chosen = versions.sample(cases)
    assert chosen == versions.sample(cases) and chosen < {case.id for case in variants}
    assert len(chosen) * 4 < len(variants)
    shown = [case for case in cases if case.id in chosen or case.versions]
    assert {case.built or case.id.partition("@")[2] for case in shown} == {f"0.2.{n}" for n in range(13)}
    for interface in {name for case in variants for name in case.interfaces}:
        mine = [c for c in cases if interface in c.interfaces and (c.built or c in variants)]
        every = sorted(int((c.built or c.id).rpartition(".")[2]) for c in mine)
        there = sorted(int((c.built or c.id).rpartition(".")[2]) for c in mine if c in shown)
        assert (there[0], there[-1]) == (every[0], every[-1]) and len(set(there)) > 2, interface


def test_what_a_mode_leaves_out() -> None:
    cases = discover(ROOT / "suites", ROOT / "fixtures")
    variants = {case.id for case in cases if versions.VERSION.fullmatch(case.id.partition("@")[2])}
    assert versions.left_out(cases, "all") == frozenset()
    assert versions.left_out(cases, "none") == variants
    assert versions.left_out(cases, "sample") == variants - versions.sample(cases)


def test_words_of_versions() -> None:
    wanted = versions.Wanted.parse(("sample", "touchstone=all", "jco=all", "jco=none"))
    assert [wanted.on(name) for name in ("wasmtime", "touchstone", "jco")] == ["sample", "all", "none"]
    assert versions.Wanted.parse(wanted.words) == wanted
    assert versions.Wanted.parse(()) == versions.ALL and versions.ALL.words == ()
    for bad in ("some", "=all", "touchstone=", "touchstone=0.2.1"):
        with pytest.raises(versions.VersionError):
            versions.Wanted.parse((bad,))


def test_each_interface_has_a_case_that_is_run_against_each_version() -> None:
    cases = [c for c in discover(ROOT / "suites", ROOT / "fixtures") if c.versions]
    shown = {i for c in cases for i in c.interfaces}
    wanted = {
        "wasi:cli/environment", "wasi:cli/exit", "wasi:cli/run", "wasi:cli/stdin", "wasi:cli/stdout", "wasi:cli/stderr",
        "wasi:cli/terminal-stdin", "wasi:cli/terminal-stdout",
        "wasi:cli/terminal-stderr", "wasi:clocks/monotonic-clock", "wasi:clocks/wall-clock", "wasi:filesystem/preopens",
        "wasi:filesystem/types", "wasi:http/incoming-handler", "wasi:http/outgoing-handler", "wasi:http/types", "wasi:io/error",
        "wasi:io/poll", "wasi:io/streams", "wasi:random/insecure", "wasi:random/insecure-seed", "wasi:random/random",
        "wasi:sockets/instance-network", "wasi:sockets/ip-name-lookup", "wasi:sockets/network", "wasi:sockets/tcp",
        "wasi:sockets/tcp-create-socket", "wasi:sockets/udp", "wasi:sockets/udp-create-socket",
    }  # fmt: skip
    assert not wanted - shown
