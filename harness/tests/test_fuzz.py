"""`assay fuzz` with fake runtimes: what is found, how small it becomes, and what is not a difference."""

from __future__ import annotations

import json
import re
import stat
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import Project, like_touchstone

from assay import cases
from assay.cli import main
from assay.fuzz import areas, calls, generate
from assay.fuzz.compare import RULES, Difference, Known, first_difference, load_known, normalised
from assay.fuzz.hunt import Hunt
from assay.fuzz.play import CallPlayer, read
from assay.fuzz.save import save
from assay.fuzz.shrink import cut, shrink
from assay.model import Peer, Verdict
from assay.run.runner import Prepared, Settings
from assay.runtimes import Places, Runtime
from assay.suites import executors

FAKE = Path(__file__).parent / "fakes" / "fake_probe.py"
SCRIPT = calls.parse('v1 = open-at v0 - "a" - read\nstat v1\nget-type v1\nsync v1\nlist v0\n')


def program(folder: Path, kind: str, call: str = "-") -> Path:
    path = folder / f"fake-{kind}-{call}"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{FAKE}" {kind} {call} "$@"\n', encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def player(project: Project, name: str, kind: str = "honest", call: str = "-", **others: float) -> CallPlayer:
    (project.root / "fixtures" / "built" / "fuzz-probe.wasm").write_bytes(b"\0asm\x0d\0\1\0")
    peer = Peer(name, "1", (str(program(project.root, kind, call)),))
    places = Places(project.root, project.root / "cache", ())
    runtime = Runtime(like_touchstone(name, reference=name == "honest"), peer)
    fixtures = project.root / "fixtures"
    made = CallPlayer(runtime=runtime, prepared=Prepared(places), fixtures=fixtures, area="filesystem")
    for key, value in others.items():
        setattr(made, key, value)
    return made


def hunt(project: Project, kind: str, call: str, known: tuple[Known, ...] = ()) -> Hunt:
    players = [player(project, "honest"), player(project, "liar", kind, call)]
    return Hunt(list(players), known, areas.area("filesystem"))


def differs(one: str, other: str, call: str = "stat v1") -> Difference | None:
    return first_difference(calls.parse(call), {"honest": (one,), "liar": (other,)})


def test_liar_in_one_call_is_found_and_shrunk_to_that_call(project: Project) -> None:
    made = hunt(project, "lies", "get-type")
    made.run(examples=100, seed=1)
    assert [item.kind for item in made.found.values()] == ["get-type: honest ok, liar no-entry"]
    (found,) = made.found.values()
    assert calls.text(found.script) == "get-type v0\n"
    assert made.tried > 50


def test_honest_runtimes_do_not_differ(project: Project) -> None:
    made = hunt(project, "honest", "-")
    made.run(examples=60, seed=1)
    assert (made.found, made.shaky) == ({}, 0)


def test_known_divergence_is_not_reported(project: Project) -> None:
    known = Known("types", "get-type .*", "", "ok", {"liar": "no-.*"})
    made = hunt(project, "lies", "get-type", (known,))
    made.run(examples=60, seed=1)
    assert made.found == {}


def test_known_divergence_of_another_result_is_reported(project: Project) -> None:
    known = Known("types", "get-type .*", "", "ok", {"liar": "trap"})
    made = hunt(project, "lies", "get-type", (known,))
    made.run(examples=60, seed=1)
    assert len(made.found) == 1


def test_known_divergence_after_other_calls_only() -> None:
    known = Known("late", "stat .*", "^sync", "ok", {"liar": "trap"})
    early, late = calls.parse("stat v0"), calls.parse("sync v0\nstat v0")
    assert first_difference(early, {"honest": ("ok",), "liar": ("trap",)}, (known,)) is not None
    assert first_difference(late, {"honest": ("ok", "ok"), "liar": ("ok", "trap")}, (known,)) is None


def test_after_a_known_divergence_the_others_are_still_compared() -> None:
    known = Known("known", "stat .*", "", "ok", {"liar": "trap"})
    script = calls.parse("stat v0\nsync v0")
    results = {"honest": ("ok", "ok"), "liar": ("trap",), "third": ("ok", "io")}
    found = first_difference(script, results, (known,))
    assert found is not None
    assert (found.index, found.odd) == (1, ("third",))


@pytest.mark.parametrize(("kind", "word"), [("traps", "trap"), ("dies", "crash")])
def test_call_that_ends_the_process_ends_only_its_script(project: Project, kind: str, word: str) -> None:
    scripts = [calls.parse("stat v0"), SCRIPT, calls.parse("stat v0\nlist v0")]
    made = player(project, "liar", kind, "sync").play(scripts)
    assert made == [("ok",), ("ok", "ok", "ok", word), ("ok", "ok")]


def test_hang(project: Project) -> None:
    made = player(project, "liar", "hangs", "sync", timeout=1.0).play([SCRIPT, calls.parse("stat v0")])
    assert made == [("ok", "ok", "ok", "hang"), ("ok",)]


def test_trap_is_a_difference_and_is_shrunk(project: Project) -> None:
    made = hunt(project, "traps", "sync")
    made.run(examples=60, seed=3)
    assert [calls.text(item.script) for item in made.found.values()] == ["sync v0\n"]
    assert [item.kind for item in made.found.values()] == ["sync: honest ok, liar trap"]


def test_what_changes_from_run_to_run_is_no_divergence(project: Project) -> None:
    made = hunt(project, "changes", "sync")
    made.run(examples=60, seed=3)
    assert made.found == {}
    assert made.shaky >= 1


def test_runtime_that_does_not_run_the_probe_is_named(project: Project) -> None:
    made = hunt(project, "traps", "script")
    Path(made.players[1].runtime.peer.program[0]).write_text("#!/bin/sh\nexit 1\n")
    made.run(examples=5, seed=1)
    assert "the probe does not run" in made.skipped["liar"]


def test_same_seed_same_scripts() -> None:
    for area in calls.TABLE:
        one, again, other = (generate.examples(area, 20, number) for number in (5, 5, 6))
        assert one == again
        assert one != other


def test_scripts_are_read_as_they_are_written() -> None:
    for area in calls.TABLE:
        for script in generate.examples(area, 20, 1):
            assert calls.parse(calls.text(script)) == script


def test_scripts_use_variables_that_earlier_calls_make() -> None:
    for area in calls.TABLE:
        for script in generate.examples(area, 40, 2):
            made = {"v0"}
            for line in script:
                assert {word for word in line.words if word[0] == "v" and word[1:].isdigit()} <= made
                makes = next(call.makes for call in calls.signatures(area) if call.name == line.name)
                made |= {f"v{line.target + number}" for number in range(len(makes))}


def test_every_kind_of_word_has_words() -> None:
    kinds = {
        kind.rstrip("?*")
        for area in calls.TABLE
        for call in calls.signatures(area)
        for kind in (*call.takes, *call.makes)
    }
    assert kinds - calls.HANDLES - {"header"} == set(generate.WORDS) - {"name-of-field", "value"} | {
        "name-of-field",
        "value",
    }


@pytest.mark.parametrize(
    ("call", "one", "other"),
    [
        ("stat v1", "ok x accessed=1800000001:5 modified=1800000001:6 changed=1:1", "ok x accessed=1700000001:5 modified=1700000009:6 changed=2:1"),
        ("metadata-hash v1", "ok hash=1:2", "ok hash=3:4"),
        ("random-u64", "random=5", "random=77"),
        ("wall-now", "seconds=1 ok", "seconds=2 ok"),
        ("monotonic-resolution", "resolution=1", "resolution=1000"),
        ("tcp-local-address v1", "ok 127.0.0.1 port=40000", "ok 127.0.0.1 port=40001"),
        ("check-write v1", "ok permit=4096", "ok permit=65536"),
        ("debug-string v1", 'message="a"', 'message="b"'),
        ("stat v1", "ok directory links=2 size=40", "ok directory links=2 size=4096"),
    ],
)  # fmt: skip
def test_rules_of_normalisation(call: str, one: str, other: str) -> None:
    assert differs(one, other, call) is None


@pytest.mark.parametrize(
    ("call", "one", "other"),
    [
        ("stat v1", "ok x modified=1:5", "ok x modified=2:5"),
        ("stat v1", "ok regular-file links=1 size=4", "ok regular-file links=1 size=5"),
        ("check-write v1", "ok permit=0", "ok permit=65536"),
        ("monotonic-resolution", "resolution=0", "resolution=1000"),
        ("tcp-local-address v1", "ok 127.0.0.1 port=1", "ok 127.0.0.1 port=40001"),
        ("random-u64", "random=5", "trap"),
    ],
)
def test_what_the_rules_keep(call: str, one: str, other: str) -> None:
    assert differs(one, other, call) is not None


def test_every_rule_has_a_reason_and_a_call() -> None:
    names = {call.name for area in calls.TABLE for call in calls.signatures(area)} | {"debug-string"}
    for rule in RULES:
        assert rule.why
        assert any(re.fullmatch(rule.calls, name) for name in names), rule


def test_deduplication_is_by_calls_and_kind() -> None:
    one, other = (differs("ok 5", "no-entry", f"read-file v0 {n} 0") for n in (1, 2))
    assert one is not None
    assert other is not None
    assert one.shape == other.shape
    third = differs("ok 5", "closed", "read-file v0 1 0")
    assert third is not None
    assert third.shape != one.shape


def test_shrinking_keeps_what_the_difference_needs() -> None:
    def judge(scripts: list[calls.Script]) -> list[Difference | None]:
        found: list[Difference | None] = []
        for script in scripts:
            names = [line.name for line in script]
            needs = "sync" in names and "list" in names[names.index("sync") :]
            results = {
                "honest": ("ok",) * len(script),
                "liar": tuple("io" if n == "list" and needs else "ok" for n in names),
            }
            found.append(first_difference(script, results))
        return found

    script = calls.parse(
        'v1 = open-at v0 - "a" create read\nstat v1\nsync v0\nstat v0\nget-type v0\nlist v0\nstat v0\n'
    )
    (found,) = judge([script])
    assert found is not None
    least = shrink(found, areas.area("filesystem"), judge)  # type: ignore[arg-type]
    assert calls.text(least.script) == "sync v0\nlist v0\n"
    assert cut(found).script == script[:6]


def test_results_of_a_run_that_was_cut() -> None:
    assert read(b"script 0\nok\nscript 1\nok\nno") == ([("ok",), ("ok",)], False)
    assert read(b"script 0\nok\nend\n") == ([("ok",)], True)


def test_saved_case_can_be_loaded_and_run(project: Project) -> None:
    made = hunt(project, "lies", "get-type")
    script = calls.parse("get-type v0")
    results = made.play([script])[0]
    found = first_difference(script, results)
    assert found is not None
    folder = save(project.root / "suites", "filesystem", found, results)
    assert (folder / "script").read_text() == "get-type v0\n"
    assert "liar: no-entry" in (folder / "divergence.txt").read_text()
    case = cases.load(folder / "case.toml", project.root / "suites", project.root / "fixtures")
    suite = project.suite()
    for who, verdict in (("honest", Verdict.PASS), ("liar", Verdict.FAIL)):
        peer = next(item for item in made.players if item.name == who).runtime
        assert executors.one(suite, case, peer, Settings(jobs=1)).verdict is verdict


@pytest.fixture
def command(project: Project, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    (project.root / "fixtures" / "built" / "fuzz-probe.wasm").write_bytes(b"\0asm\x0d\0\1\0")
    monkeypatch.chdir(project.root)
    return CliRunner()


def test_command(project: Project, command: CliRunner) -> None:
    honest, liar = program(project.root, "honest"), program(project.root, "lies", "get-type")
    common = [
        "fuzz",
        "--program",
        f"touchstone={honest}",
        "-r",
        "touchstone",
        "-r",
        "two",
        "--area",
        "filesystem",
        "--examples",
        "40",
    ]
    done = command.invoke(main, [*common, "--also", f"two=touchstone:{liar}", "--save", "saved"])
    assert done.exit_code == 1, done.output
    assert "get-type: touchstone ok, two no-entry" in done.output
    assert len(list((project.root / "saved").rglob("case.toml"))) == 1
    done = command.invoke(main, [*common, "--also", f"two=touchstone:{honest}"])
    assert done.exit_code == 0, done.output
    assert "40 scripts, 0 new divergences" in done.output
    (project.root / "one").write_text("get-type v0\n")
    done = command.invoke(main, [*common, "--also", f"two=touchstone:{liar}", "--replay", "one"])
    assert done.exit_code == 1
    assert "two: no-entry" in done.output


def test_command_with_one_runtime_is_wrong_usage(project: Project, command: CliRunner) -> None:
    honest = program(project.root, "honest")
    done = command.invoke(main, ["fuzz", "--program", f"touchstone={honest}", "-r", "touchstone"])
    assert done.exit_code == 2
    assert "two runtimes" in done.output


def test_what_is_known_of_a_runtime_holds_for_those_that_are_like_it(tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    path.write_text('[[divergence]]\ntitle = "x"\n[[divergence.match]]\ncall = "stat .*"\ntouchstone = "ok"\nwasmtime = "trap"\n')
    (known,) = load_known(path, {"wasmtime-winch": "wasmtime", "wasmtime@48": "wasmtime", "other": "jco"})
    assert dict(known.peers) == dict.fromkeys(("wasmtime", "wasmtime-winch", "wasmtime@48"), "trap")


def test_table_of_known_divergences_that_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    path.write_text('[[divergence]]\ntitle = "x"\n[[divergence.match]]\ncall = "("\ntouchstone = "ok"\njco = "trap"\n')
    with pytest.raises(ValueError, match="x"):
        load_known(path)
    assert json.dumps(normalised("stat", "ok")) == '"ok"'
