"""`assay fuzz --area components`: exchanges as text, what the Canonical ABI says, and runtimes that lie."""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import Project, like_touchstone

from assay import cases
from assay.cli import main
from assay.fuzz import areas, calls
from assay.fuzz.compare import Difference, Known, first_difference
from assay.fuzz.components import exchange, expected, generate, simpler, types, values
from assay.fuzz.components.memory import FullError
from assay.fuzz.components.play import ComponentPlayer, read
from assay.fuzz.components.text import component
from assay.fuzz.hunt import Hunt
from assay.fuzz.save import save
from assay.fuzz.teams import Teams
from assay.model import Peer, Verdict
from assay.run.runner import Settings
from assay.runtimes import Places, Runtime, registry, search
from assay.suites import executors
from assay.suites.scripts import find_tool

ROOT = Path(__file__).resolve().parents[2]
FAKE = Path(__file__).parent / "fakes" / "lying_component_runtime.py"
TOUCHSTONE = ROOT / "build/touchstone"
TOOL = find_tool(ROOT / "build")
needs_runtime = pytest.mark.skipif(
    not TOUCHSTONE.exists() or TOOL is None, reason="touchstone is not built, or wasm-tools is absent (make deps)"
)


def one(line: str) -> calls.Script:
    return calls.parse(line)


def said(words: str) -> tuple[str, str]:
    return expected.result(exchange.read(one(f"pass {words}")[0]))


# --- text ---------------------------------------------------------------------------------------------------------


def test_same_seed_same_exchanges() -> None:
    assert generate.examples(50, 3) == generate.examples(50, 3) != generate.examples(50, 4)


def test_exchanges_are_read_as_they_are_written() -> None:
    for script in generate.examples(300, 1):
        made = exchange.read(script[0])
        assert calls.parse(calls.text((made.line(script[0].name),))) == script
        assert types.parse(str(made.type)) == made.type


def test_most_exchanges_are_valid_and_every_reason_for_a_trap_occurs() -> None:
    scripts = generate.examples(1500, 2)
    names = [script[0].name for script in scripts]
    assert 0.7 < names.count("pass") / len(names) < 0.95
    assert set(names) == set(exchange.NAMES)


def test_every_kind_of_type_and_pair_of_encodings_occurs() -> None:
    made = [exchange.read(script[0]) for script in generate.examples(1500, 2)]
    kinds = {part.kind for item in made for part in item.type.walk()}
    assert kinds == {*types.SIMPLE, "record", "tuple", "variant", "option", "result", "list", "flags", "enum"}
    assert len({(item.source, item.target, item.direction) for item in made if item.type.has("string")}) == 18
    assert {item.flat for item in made} == {True, False}


@pytest.mark.parametrize(
    "line",
    [
        "pass param utf8>utf8 u8",
        "pass param utf8>utf8 u9 0",
        "pass param utf8>utf8 record<> ()",
        "pass param utf8>utf8 flags<33> 0",
        "pass param utf8>utf8 tuple<u8,_> (0,0)",
        "pass param utf8>utf32 u8 0",
        "pass both utf8>utf8 u8 0",
        "pass result utf8>utf8 borrow h1",
        "pass param utf8>utf8 u8 (0)",
        "pass param utf8>utf8 list<u8> [0",
        "pass param utf8>utf8 tuple<u8,u8> (0)",
        "pass param utf8>utf8 tuple<u8> (0,0)",
        "pass param utf8>utf8 list<u8> []@nowhere",
        "pass param utf8>utf8 string h1",
        "pass param utf8>utf8 string a",
        "pass param utf8>utf8 u8 0 keep more",
        "pass param utf8>utf8 u8 0 0",
    ],
)
def test_line_that_is_no_exchange(line: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        exchange.read(one(line)[0])


@pytest.mark.parametrize(
    ("made", "size", "alignment", "flat"),
    [
        ("record<u8,u32,u8>", 12, 4, "i32 i32 i32"),
        ("variant<u8,f64,_>", 16, 8, "i32 i64"),
        ("result<f32,s32>", 8, 4, "i32 i32"),
        ("option<option<string>>", 16, 4, "i32 i32 i32 i32"),
        ("flags<9>", 2, 2, "i32"),
        ("enum<257>", 2, 2, "i32"),
        ("tuple<char,u64>", 16, 8, "i32 i64"),
    ],
)
def test_layout(made: str, size: int, alignment: int, flat: str) -> None:
    its = types.parse(made)
    assert types.layout(its) == (size, alignment)
    assert " ".join(types.flat(its)) == flat


@pytest.mark.parametrize(
    ("words", "result", "name"),
    [
        ("param utf8>utf8 u8 0x1ff", 'got "ff"', "pass"),
        ("param utf8>utf8 s8 0x80", 'got "ffffff80"', "pass"),
        ("param utf8>utf8 list<s8> [0x80]", 'got "[80]"', "pass"),
        ("param utf8>utf8 bool 0x100", 'got "1"', "pass"),
        ("result utf8>utf8 tuple<bool,bool> (0x100,2)", 'got "(0,1)"', "pass"),
        ("param utf8>utf8 flags<3> 0xff", 'got "7"', "pass"),
        ("param utf8>utf8 f32 0x7f800001", 'got "nan"', "pass"),
        ("param utf8>utf8 f64 0xfff0000000000000", 'got "fff0000000000000"', "pass"),
        ("param utf8>utf8 char 0xd800", "trap", "trap-char"),
        ("param utf8>utf8 char 0x110000", "trap", "trap-char"),
        ("param utf8>utf8 enum<3> 3", "trap", "trap-discriminant"),
        ("param utf8>utf8 variant<_,u8> 1(5)", 'got "#1(5)"', "pass"),
        ('param utf8>latin1+utf16 string "%C3%A4"', "got \"l'e4'\"", "pass"),
        ('param utf8>latin1+utf16 string "%E2%82%AC"', "got \"w'ac20'\"", "pass"),
        ('param latin1+utf16>latin1+utf16 string wide"a"', "got \"l'61'\"", "pass"),
        ('param latin1+utf16>utf8 string raw"e4"', "got \"'c3a4'\"", "pass"),
        ('param latin1+utf16>utf8 string wideraw"00d8"', "trap", "trap-utf16"),
        ('param utf8>utf8 string raw"c080"', "trap", "trap-utf8"),
        ('param utf16>utf8 string "a"@odd', "trap", "trap-alignment"),
        ('param utf8>utf8 string "a"@odd', "got \"'61'\"", "pass"),
        ('param utf8>utf8 string ""@end', "got \"''\"", "pass"),
        ('param utf8>utf8 string ""@past', "trap", "trap-bounds"),
        ("param utf8>utf8 list<u64> []@far", "trap", "trap-bounds"),
        ("param utf8>utf8 list<u64> []*0x20000000", "trap", "trap-bounds"),
        ('param latin1+utf16>utf8 string ""*0x80000000', "got \"''\"", "pass"),  # the tag alone
        ('param latin1+utf16>utf8 string ""*0xffffffff', "trap", "trap-bounds"),
        ("param utf8>utf8 list<u64> []*0", 'got "[]"', "pass"),
        ("param utf8>utf8 tuple<own,own> (h1,h1)", "trap", "trap-handle"),
        ("param utf8>utf8 tuple<borrow,own> (h1,h1)", "trap", "trap-handle"),
        ("param utf8>utf8 tuple<borrow,borrow,own> (h1,h1,h2)", 'got "(h101,h101,h102)"', "pass"),
        ("param utf8>utf8 own dropped", "trap", "trap-handle"),
        ("param utf8>utf8 borrow h1 keep", 'trap after "h101"', "trap-kept"),
        ("param utf8>utf8 option<borrow> 0 keep", 'got "#0"', "pass"),
    ],
)
def test_what_the_text_says(words: str, result: str, name: str) -> None:
    assert said(words) == (result, name)


def test_length_that_may_end_within_the_memory() -> None:
    with pytest.raises(ValueError, match="within the memory"):
        said("param utf8>utf8 list<u8> [1]*3")


def test_simpler_exchanges_are_smaller_and_have_the_same_name() -> None:
    for script in generate.examples(60, 7):
        for other in simpler.simpler(script):
            assert other[0].name == script[0].name
            assert simpler.weight(other) < simpler.weight(script)
            assert exchange.exchanges(other)


def test_values_that_do_not_fit_into_one_component() -> None:
    text = '"' + "a" * 60_000 + '"'
    many = [exchange.read(one(f"pass param utf8>utf16 string {text}")[0])] * 8
    with pytest.raises(FullError):
        component(many)


def test_output_that_was_cut() -> None:
    assert read(b"0 5\n0 .\n1 (6", 3, "trap") == [('got "5"',), ('trap after "(6"',)]
    assert read(b"0 5\n0 .\n", 2, "hang") == [('got "5"',), ("hang",)]
    assert read(b"noise\n0 .\n0 5\n", 1, "exit") == [('got "5"',)]


# --- runtimes -----------------------------------------------------------------------------------------------------


def runtime(project: Project, name: str, kind: str = "") -> Runtime:
    if not kind:
        return Runtime(like_touchstone(name, reference=True), Peer(name, "1", (str(TOUCHSTONE),)))
    path = project.root / name
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{FAKE}" {kind} "{TOUCHSTONE}" "$@"\n', encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return Runtime(like_touchstone(name, reference=False), Peer(name, "1", (str(path),)))


@pytest.fixture
def teams(project: Project, request: pytest.FixtureRequest) -> Iterator[Teams]:
    """touchstone and a liar of the kind that the test names."""
    runtimes = [runtime(project, "touchstone"), runtime(project, "liar", request.param)]
    places = Places(ROOT, project.root / "cache")
    with Teams(runtimes, places, project.root / "fixtures", TOOL, ()) as made:
        yield made


def hunt(teams: Teams, known: tuple[Known, ...] = ()) -> Hunt:
    return Hunt(teams.players("components"), known, areas.area("components"))


def lines(made: Hunt) -> list[str]:
    return [str(item.script[0]) for item in made.found.values()]


@needs_runtime
@pytest.mark.parametrize("teams", ["bytes"], indirect=True)
def test_wrong_byte_of_a_string_is_found_and_shrunk(teams: Teams) -> None:
    made = hunt(teams)
    made.run(examples=100, seed=1)
    assert 'pass param utf8>utf8 string "A"' in lines(made)
    assert {item.odd for item in made.found.values()} == {("liar",)}
    assert all(item.kind == 'pass: touchstone got "…", liar got "…"' for item in made.found.values())


@needs_runtime
@pytest.mark.parametrize("teams", ["lenient"], indirect=True)
def test_missing_trap_is_found_and_shrunk(teams: Teams) -> None:
    made = hunt(teams)
    made.run(examples=40, seed=1)
    assert made.found
    assert all(item.kind.startswith(f"{item.script[0].name}: touchstone trap, liar got") for item in made.found.values())
    assert all(len(line) < 60 for line in lines(made)), lines(made)


@needs_runtime
@pytest.mark.parametrize("teams", ["refuses"], indirect=True)
def test_refused_component_is_divided(teams: Teams) -> None:
    liar = next(item for item in teams.players("components") if item.name == "liar")
    fine, refused = one("pass param utf8>utf8 u8 0"), one('pass param utf8>utf8 list<string> ["a"]')
    assert liar.play([fine, fine, refused, fine]) == [('got "0"',), ('got "0"',), ("refused",), ('got "0"',)]


@needs_runtime
@pytest.mark.parametrize("teams", ["dies"], indirect=True)
def test_crash_before_any_output_is_of_the_exchange_that_needs_it(teams: Teams) -> None:
    liar = next(item for item in teams.players("components") if item.name == "liar")
    fine, dies = one("pass param utf8>utf8 u8 0"), one('pass param utf8>utf8 string "A"')
    assert liar.play([fine, dies, fine]) == [('got "0"',), ("crash",), ('got "0"',)]


@needs_runtime
@pytest.mark.parametrize("teams", ["dies"], indirect=True)
def test_what_is_known_to_fail_and_slow_traps_are_not_played(teams: Teams) -> None:
    liar = next(item for item in teams.players("components") if item.name == "liar")
    assert isinstance(liar, ComponentPlayer)
    liar.known = (Known("x", ".* string .*", "", ".*", {"liar": "crash"}),)
    liar.slow, liar.traps = True, 1
    trap = one("trap-char param utf8>utf8 char 0xd800")
    assert liar.sample([one('pass param utf8>utf8 string "A"'), one("pass param utf8>utf8 u8 0"), trap, trap]) == [1, 2]


@needs_runtime
@pytest.mark.parametrize("teams", ["bytes"], indirect=True)
def test_runtime_that_runs_no_component_is_named(teams: Teams) -> None:
    Path(teams.runtimes[1].peer.program[0]).write_text("#!/bin/sh\necho cannot >&2\nexit 1\n")
    made = hunt(teams)
    made.run(examples=3, seed=1)
    assert made.skipped == {"liar": "the smallest component does not run: cannot"}


@needs_runtime
@pytest.mark.parametrize("teams", ["bytes"], indirect=True)
def test_saved_case_of_a_component(teams: Teams, project: Project) -> None:
    made = hunt(teams)
    for line in ('pass param utf16>utf8 string "A"', "trap-kept param utf8>utf8 borrow h1 keep"):
        script = areas.parts("components", one(line))[0]
        results = made.play([script])[0]
        found = first_difference(script, results) or Difference(script, 0, tuple((n, r[0]) for n, r in results.items()), ())
        folder = save(project.root / "suites", "components", found, results, teams.component("components", script))
        case = cases.load(folder / "case.toml", project.root / "suites", project.root / "fixtures")
        verdicts = [executors.one(project.suite(), case, item, Settings(jobs=1)).verdict for item in teams.runtimes]
        assert verdicts == [Verdict.PASS, Verdict.FAIL if "string" in line else Verdict.PASS]


@needs_runtime
def test_touchstone_wasmtime_and_the_text_agree(project: Project) -> None:
    places = Places(ROOT, project.root / "cache")
    found = search.find(places, ("wasmtime",), registry.known())
    runtimes = [runtime(project, "touchstone"), *(item.runtime for item in found if item.runtime is not None)]
    with Teams(runtimes, places, project.root / "fixtures", TOOL, ()) as teams:
        made = hunt(teams)
        made.run(examples=60, seed=20)
        assert (lines(made), made.skipped) == ([], {})
        assert len(made.players) == len(runtimes) + 1


@needs_runtime
def test_index_of_a_dropped_handle_is_not_used_again_in_the_same_exchange(project: Project) -> None:
    places = Places(ROOT, project.root / "cache")
    with Teams([runtime(project, "touchstone")], places, project.root / "fixtures", TOOL, ()) as teams:
        script = one("trap-handle param utf8>utf8 list<borrow> [dropped,h1]")
        assert hunt(teams).play([script]) == [{"touchstone": ("trap",), "canonical-abi": ("trap",)}]


@needs_runtime
def test_command(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root)
    runtime(project, "liar", "bytes")
    common = ["fuzz", "--program", f"touchstone={TOUCHSTONE}", "-r", "touchstone"]
    (project.root / "script").write_text('pass param utf8>utf8 string "A"\npass param utf8>utf8 u8 0\n')
    done = CliRunner().invoke(main, [*common, "--replay", "script"])
    assert done.exit_code == 0, done.output
    assert "touchstone" not in done.output  # all agree
    done = CliRunner().invoke(main, [*common, "--also", "two=touchstone:liar", "-r", "two", "--replay", "script"])
    assert done.exit_code == 1, done.output
    assert "two: got \"'42'\"" in done.output
    done = CliRunner().invoke(main, [*common, "--area", "components", "--examples", "10"])
    assert done.exit_code == 0, done.output
    (project.root / "script").write_text("pass param utf8>utf8 u9 0\n")
    done = CliRunner().invoke(main, [*common, "--replay", "script"])
    assert done.exit_code == 2
    assert "u9" in done.output


def test_values_with_numbers_are_short() -> None:
    assert values.text(types.parse("u32"), values.Value(9)) == "9"
    assert values.text(types.parse("u32"), values.Value(10)) == "0xa"
