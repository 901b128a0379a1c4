"""`assay new-case`: what it writes is a case that loads, its guest builds without wit-bindgen, and nothing is lost."""

from __future__ import annotations

import hashlib
import importlib
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from assay import cases
from assay.cases import requirements
from assay.cases.catalogue import Requirement
from assay.cli import main
from assay.scaffold import case as scaffold

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = requirements.requirements(ROOT / "suites")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A project with the catalogue, and what building a guest needs."""
    shutil.copytree(ROOT / "suites/text", tmp_path / "suites/text")
    shutil.copytree(ROOT / "fixtures/trees", tmp_path / "fixtures/trees")
    shutil.copytree(ROOT / "fixtures/src/lib", tmp_path / "fixtures/src/lib")
    shutil.copytree(ROOT / "runtime/wasi/wit", tmp_path / "runtime/wasi/wit")
    for name in ("build.py", "tools.py", "bindings.py", "bindings.tar.xz", "CHECKSUMS", "src/guest.wit.in", "src/handler.wit.in"):
        shutil.copy(ROOT / "fixtures" / name, tmp_path / "fixtures" / name)
    (tmp_path / "harness").mkdir()
    (tmp_path / "fixtures/built").mkdir()
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/bin").symlink_to(ROOT / ".venv/bin")
    return tmp_path


def new(root: Path, *args: str) -> Result:
    return CliRunner().invoke(main, ["--root", str(root), "new-case", *args])


@pytest.mark.parametrize("package", scaffold.packages())
@pytest.mark.parametrize("wat", [False, True])
def test_the_case_of_each_package_loads(copy: Path, package: str, wat: bool) -> None:
    made = scaffold.new_case(f"p2/{package}/mine", (), (), CATALOGUE, wat=wat)
    scaffold.write(copy, made)
    (copy / f"fixtures/built/{made.guest}.wasm").write_bytes(b"")
    case = cases.load(copy / f"suites/p2/{package}/mine/case.toml", copy / "suites", copy / "fixtures")
    (check,) = case.checks
    assert check.id in CATALOGUE and check.text == CATALOGUE[check.id].words
    (source, _) = made.files.values()
    assert f'"{check.id}"' in source or f"check {check.id} pass" in source


def test_a_guest_builds_without_wit_bindgen(copy: Path) -> None:
    done = new(copy, "p2/io/mine")
    assert done.exit_code == 0, done.output
    assert "fixtures/build.py io-mine" in done.output
    line = [sys.executable, str(copy / "fixtures/build.py"), "io-mine"]
    made = subprocess.run(line, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    built = copy / "fixtures/built/io-mine.wasm"
    assert built.read_bytes()[:4] == b"\0asm"
    assert hashlib.sha256(built.read_bytes()).hexdigest() in (copy / "fixtures/CHECKSUMS").read_text()


def test_bindings_of_another_wit_are_not_taken(copy: Path) -> None:
    (copy / "fixtures/src/p2").mkdir()
    (copy / "fixtures/src/p2/old.c").write_text("// wit: 0.2.3\nint x;\n")
    line = [sys.executable, str(copy / "fixtures/build.py"), "old"]
    made = subprocess.run(line, env={"PATH": "/nowhere"}, capture_output=True, text=True, check=False)
    assert made.returncode == 1
    assert "none of these is installed: wit-bindgen" in made.stderr


def test_the_committed_bindings_are_of_the_present_wit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "fixtures"))
    build, committed = importlib.import_module("build"), importlib.import_module("bindings")
    worlds = build.worlds()
    assert len(worlds) >= 9
    for world in worlds:
        folder = tmp_path / world.label
        world.wit(folder / "wit")
        assert committed.take(world.label, folder / "wit", folder), f"{world.label}: fixtures/build.py --bindings"
        made = sorted(path.name for path in folder.iterdir() if path.is_file())
        assert made == [f"{world.name}.c", f"{world.name}.h", f"{world.name}_component_type.o"]


def test_a_new_requirement_gets_a_row_and_fails_until_the_guest_tries_it(copy: Path) -> None:
    args = ("--new", "cli.exit.exit.mine", "--function", "wasi:cli/exit.exit", "--level", "must", "--text", "it ends")
    done = new(copy, "p2/cli/mine", *args, "--check", "cli.exit.exit.ends", "--title", "Mine")
    assert done.exit_code == 0, done.output
    row = "cli.exit.exit.mine\tmust\twasi:cli/exit.exit\t0.2.0\twit\texit\t-\tit ends\t-\n"
    assert (copy / "suites/text/cli/exit.requirements.tsv").read_text().endswith(row)
    assert "column `yields`" in done.output
    source = (copy / "fixtures/src/p2/cli-mine.c").read_text()
    assert 'check("cli.exit.exit.mine", false' in source and 'check("cli.exit.exit.ends", false' in source
    assert 'title = "Mine"' in (copy / "suites/p2/cli/mine/case.toml").read_text()


def test_nothing_is_written_over(copy: Path) -> None:
    assert new(copy, "p2/cli/mine").exit_code == 0
    before = (copy / "fixtures/src/p2/cli-mine.c").read_text()
    again = new(copy, "p2/cli/mine", "--check", "cli.exit.exit.ends")
    assert again.exit_code == 2 and "already there: fixtures/src/p2/cli-mine.c" in again.output
    assert (copy / "fixtures/src/p2/cli-mine.c").read_text() == before


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("cli/mine",), "write p2/PACKAGE/NAME"),
        (("p2/nothing/mine",), "PACKAGE one of cli, clocks"),
        (("p2/cli/mine", "--check", "cli.exit.exit.edns"), "did you mean cli.exit.exit.ends?"),
        (("p2/cli/mine", "--new", "cli.a.b"), "--new ID and --function NAME belong together"),
        (("p2/cli/mine", "--new", "cli.exit.exit.ends", "--function", "wasi:cli/exit.exit"), "the catalogue has it"),
        (("p2/cli/mine", "--new", "A b", "--function", "wasi:cli/exit.exit"), "write an id like"),
        (("p2/cli/mine", "--new", "cli.a.b", "--function", "wasi:cli/exit.exti"), "has no function exti"),
        (("p2/cli/mine", "--new", "cli.a.b", "--function", "exit"), "write it in full"),
        (("p2/cli/mine", "--title", 'a "b"'), "in one line without"),
    ],
)
def test_what_cannot_be_made_says_what_to_write(copy: Path, args: tuple[str, ...], words: str) -> None:
    done = new(copy, *args)
    assert done.exit_code == 2
    assert words in done.output
    assert not (copy / "suites/p2").exists()


@pytest.mark.parametrize("catalogue", [{}, CATALOGUE])
def test_outside_of_the_project_the_checks_have_their_own_text(tmp_path: Path, catalogue: Mapping[str, Requirement]) -> None:
    new = scaffold.New("io.poll.poll.mine", "wasi:io/poll.poll", "must", 'it says "a \\ b"')
    for number, mine in enumerate(((), (new,))):
        made = scaffold.new_case("p2/io/mine", (), mine, catalogue, alone=bool(catalogue))
        folder = tmp_path / str(number)
        scaffold.write(folder, made)
        toml = folder / "suites/p2/io/mine/case.toml"
        (check,) = tomllib.loads(toml.read_text())["check"]
        assert check["text"] == ('poll: it says "a \\ b"' if mine else check["text"])
        assert check["id"] == ("io.poll.poll.mine" if mine else "io.poll.poll.one-or-more-indices")
        assert made.rows == {} and not made.todo
        (toml.parent / "io-mine.wasm").write_bytes(b"")
        assert cases.load(toml, folder / "suites", ROOT / "fixtures").checks[0].text == check["text"]


def test_a_guest_beside_its_case_is_built_there(copy: Path) -> None:
    built = {}
    for name, wat in (("one", False), ("two", True)):
        scaffold.write(copy, scaffold.new_case(f"p2/io/{name}", (), (), CATALOGUE, wat=wat, alone=True))
        built[name] = copy / f"suites/p2/io/{name}/io-{name}.wasm"
    done = CliRunner().invoke(main, ["--root", str(copy), "build-guest", "p2/io/one", "p2/io/two"])
    assert done.exit_code == 0, done.output
    assert all(path.read_bytes()[:4] == b"\0asm" and str(path) in done.output for path in built.values())
    assert not list((copy / "fixtures/built").iterdir())
    assert new(copy, "p2/io/three").exit_code == 0  # its source is in fixtures/src
    done = CliRunner().invoke(main, ["--root", str(copy), "build-guest", "p2/io/three"])
    assert done.exit_code == 0 and (copy / "fixtures/built/io-three.wasm").is_file(), done.output


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "there is no"),
        ({"case.toml": "title ="}, "Invalid value"),
        ({"case.toml": 'component = "../x.wasm"'}, "`component` is not the name of a file"),
        ({"case.toml": 'component = "x.wasm"'}, "there is no source of its guest"),
        ({"case.toml": 'component = "x.wasm"', "x.wat": "(component"}, "x.wat"),
    ],
)
def test_a_guest_that_cannot_be_built_is_told(copy: Path, files: Mapping[str, str], words: str) -> None:
    folder = copy / "suites/p2/io/mine"
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    done = CliRunner().invoke(main, ["--root", str(copy), "build-guest", "p2/io/mine"])
    assert done.exit_code == 2 and words in done.output, done.output
    assert not (folder / "x.wasm").exists()


def test_what_is_absent_is_told_with_how_to_get_it(copy: Path) -> None:
    (copy / ".venv/bin").unlink()
    code = "import sys; sys.executable = '/nowhere/python'; sys.path.insert(0, sys.argv[1]); import tools; print(*tools.absent(sys.argv[2] == 'wat'), sep='\\n')"
    for kind, wanted in (("c", {"clang", "wasm-ld", "wasm-tools"}), ("wat", {"wasm-tools"})):
        argv = [sys.executable, "-S", "-c", code, str(copy / "fixtures"), kind]
        said = subprocess.run(argv, env={"PATH": "/nowhere"}, capture_output=True, text=True, check=True).stdout
        assert {line.split()[1] for line in said.splitlines()} == wanted and "touchstone-assay[guests]" in said
