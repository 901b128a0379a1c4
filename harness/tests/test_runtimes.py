"""Runtimes as files: finding them, reading a description, installing, and the smoke test with a fake that lies."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import Project

from assay.cli import main
from assay.model import Ending, Mount, Peer, ProcessResult
from assay.runtimes import Places, Runtime, registry
from assay.runtimes import install as install_module
from assay.runtimes.about import Install
from assay.runtimes.described import Described
from assay.runtimes.description import DescriptionError, load
from assay.runtimes.install import InstallError, install, packages
from assay.runtimes.places import keep_cache
from assay.runtimes.registry import RegistryError
from assay.suites import smoke

FAKE = Path(__file__).parent / "fakes" / "smoke_fake.py"
TEXT = """
name = "fake"
title = "a fake"
get = "write it"
[find]
command = "fake-runtime"
[can]
worlds = ["wasi:cli/command", "wasi:http/proxy"]
read-only = true
grants = ["http"]
[run]
argv = ["{program}", "run", "{flags}", "{options}", "{dirs}", "{env}", "{grants}", "{component}", "{args}"]
dir = ["--dir", "{host}::{guest}"]
read-only-dir = ["--dir", "{host}::{guest}:ro"]
env = ["--env", "{key}={value}"]
[run.grants]
http = ["-S", "http"]
[serve]
argv = ["{program}", "serve", "{component}"]
listening = '^Listening on 127\\.0\\.0\\.1:(\\d+)'
[[ending]]
status = 1
stderr = '^trap: (?P<message>.*)'
is = "trap"
[[ending]]
status = 1
stderr = '^link: (?P<message>.* has (?P<import>\\w+))'
is = "link-error"
[[ending]]
stderr = '^malformed: (?P<message>.*)'
is = "malformed"
[[variant]]
name = "fake-fast"
title = "a fast fake"
flags = ["--fast"]
[kinds]
"unreachable" = "unreachable"
"""
PROBES = (
    "arguments", "environment", "stdin", "stdout", "exit 0", "exit 1", "trap", "timeout", "clock", "link error",
    "malformed", "directory", "read-only", "serve",
)  # fmt: skip


def folder(project: Project, text: str = TEXT) -> Path:
    place = project.root / "more"
    place.mkdir(exist_ok=True)
    (place / "fake.toml").write_text(text, encoding="utf-8")
    return place


def described(project: Project, text: str = TEXT) -> Described:
    return load(folder(project, text) / "fake.toml")[0]


def liar(project: Project, lie: str = "nothing") -> Path:
    path = project.root / "fake-runtime"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{FAKE}" "{lie}" "$@"\n', encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    for name in ("smoke", "smoke-nowhere", "serve-minimal"):
        for kind in ("", "-module"):
            (project.root / "fixtures/built" / f"{name}{kind}.wasm").write_bytes(b"\0asm\x0d\0\1\0")
    return path


def tried(project: Project, lie: str, adapter: Described | None = None) -> dict[str, smoke.Tried]:
    program = liar(project, lie)
    runtime = Runtime(adapter or described(project), Peer("fake", "1", (str(program),)))
    places = Places(project.root, project.root / "cache")
    return {item.name: item for item in smoke.smoke(runtime, project.root / "fixtures", places, jobs=4)}


def test_a_true_adapter_passes_every_probe(project: Project) -> None:
    found = tried(project, "nothing")
    assert tuple(found) == PROBES and not [item for item in found.values() if item.problem]


@pytest.mark.parametrize("lie", [probe for probe in PROBES if probe != "exit 0"])
def test_each_lie_is_found_by_its_probe(project: Project, lie: str) -> None:
    bad = [item for item in tried(project, lie).values() if item.bad]
    assert [item.name for item in bad] == [lie], bad


def test_a_runtime_of_modules_has_all_exit_statuses(project: Project) -> None:
    adapter = described(project)
    can = replace(adapter.about.can, components=False, modules=True, worlds=())
    adapter = replace(adapter, about=replace(adapter.about, can=can, known=(("exit 200", "it is cut"),)))
    found = tried(project, "exit 200", adapter)
    assert {"exit 0", "exit 1", "exit 3", "exit 200"} < set(found) and "serve" not in found
    assert found["exit 200"].problem and not found["exit 200"].bad and found["exit 200"].known == "it is cut"


def run(project: Project, *args: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["--root", str(project.root), *args])
    return done.exit_code, done.output


def test_a_run_refuses_a_runtime_that_fails_its_smoke_test(project: Project) -> None:
    project.add("p2/t/one")
    asked = ("--runtimes", str(folder(project)), "--program", f"fake={liar(project, 'clock')}")
    status, output = run(project, "run", "-r", "fake", *asked)
    assert status == 2 and "fake does not do what its adapter declares" in output and "clock: " in output
    status, output = run(project, "run", "-r", "fake", "--no-smoke", *asked)
    assert status == 1 and "does not do" not in output
    status, output = run(project, "smoke", "fake", *asked)
    assert status == 1 and "untrue: clock" in output and "fake (unknown version): 13 of 14 hold" in output
    liar(project)
    status, output = run(project, "run", "-r", "fake", *asked)  # it runs, and its result is another matter
    assert status == 1 and "does not do" not in output
    assert list(Path(os.environ["ASSAY_CACHE"], "smoke").iterdir())


def test_what_a_smoke_test_found_holds_for_a_copy_of_the_project(project: Project, tmp_path: Path) -> None:
    here, there = liar(project), tmp_path / "elsewhere"
    shutil.copytree(project.root / "fixtures", there / "fixtures")
    copy = there / here.name
    shutil.copy(here, copy)

    def key(program: Path, root: Path) -> str:
        return smoke._key(Runtime(described(project), Peer("fake", "1", (str(program), "run"))), root / "fixtures")

    first = key(here, project.root)
    assert key(copy, there) == first
    guest = there / "fixtures/built/smoke.wasm"
    guest.write_bytes(guest.read_bytes() + b"\0\1\0")
    assert key(copy, there) != first
    copy.write_text("another program", encoding="utf-8")
    assert key(copy, project.root) != first


def test_what_is_old_in_the_cache_is_removed(tmp_path: Path) -> None:
    cache = tmp_path / "a/cache"
    keep_cache(cache)
    for name in ("old", "new"):
        (cache / "tool-1" / name).mkdir(parents=True)
        (cache / "tool-1" / name / "file").touch()
    (cache / "smoke").mkdir()
    (cache / "smoke/old.json").touch()
    for old in ("tool-1/old", "smoke/old.json"):
        os.utime(cache / old, (0, 0))
    keep_cache(cache)
    assert sorted(path.name for path in cache.glob("*/*")) == ["new"]


def test_a_folder_that_is_no_cache_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()
    old = tmp_path / "documents/old"
    old.touch()
    os.utime(old, (0, 0))
    keep_cache(tmp_path)
    assert old.exists() and sorted(path.name for path in tmp_path.iterdir()) == ["documents"]


def test_the_list_says_what_is_there_and_how_to_get_the_rest(project: Project) -> None:
    asked = ("--runtimes", str(folder(project)))
    status, output = run(project, "runtimes", "fake", "fake-fast", *asked, "--program", f"fake={liar(project)}")
    lines = output.splitlines()
    assert status == 0 and lines[-1] == "2 of 2 runtimes are present"
    assert lines[0].split() == ["fake", "present", "unknown", "version;", "commands,", "http;", "a", "fake"]
    status, output = run(project, "runtimes", "fake@2", "fake", *asked)
    assert "fake@2" in output and "absent" in output and "to get it: write it" in output
    assert run(project, "runtimes", "nobody")[0] == 2


def test_what_a_runtime_lacks_is_not_run_and_says_so(project: Project) -> None:
    from test_adapters import job

    can = described(project, TEXT.replace("read-only = true", 'read-only = true\nlacks = ["wasi:cli/std*"]')).about.can
    case = job(project).case
    assert can.has("wasi:cli/environment") and not can.has("wasi:cli/stdout")
    assert "wasi:cli/stdout" in case.interfaces and can.cannot(case) == "cannot grant inherit-network"
    case = replace(case, run=replace(case.run, grants=()))
    assert can.cannot(case) == "declares that it lacks wasi:cli/stdout"


def test_a_runtime_on_demand_is_run_when_it_is_named(project: Project) -> None:
    project.add("p2/t/one")
    asked = ("--runtimes", str(folder(project, 'on-demand = "it is slow"\n' + TEXT)), "--no-smoke")
    named = (*asked, "--program", f"fake={liar(project)}")
    _, output = run(project, "run", *named)
    assert "fake: not run unless named: it is slow" in output
    _, output = run(project, "run", "-r", "fake", *named)
    assert "not run unless named" not in output and "1/1 runs" in output, output


def test_a_version_of_a_runtime_is_beside_it(project: Project) -> None:
    adapters = registry.tagged(registry.known(), ("wasmtime@48", "nobody@1", "wasmtime@48"))
    names = [adapter.name for adapter in adapters]
    assert names[names.index("wasmtime") + 1] == "wasmtime@48" and "nobody@1" not in names
    assert adapters[names.index("wasmtime@48")].about.like == "wasmtime"
    with pytest.raises(RegistryError, match="a version is"):
        registry.tagged(registry.known(), ("wasmtime@../48",))
    project.add("p2/t/one")
    asked = ("--runtimes", str(folder(project)), "--program", f"fake@7={liar(project)}")
    _, output = run(project, "run", "--no-smoke", "-r", "fake@7", "-r", "fake", *asked)
    assert "fake: absent" in output and "fake@7" in output, output


def test_packages_of_another_version() -> None:
    assert packages(Install("pip", ("a==1", "b==2")), "3") == ["a==3", "b==2"]
    assert packages(Install("npm", ("@x/a@1.2",)), "1.3") == ["@x/a@1.3"]
    assert packages(Install("go", ("h/a@v1.2",)), "1.3") == ["h/a@v1.3"]
    assert packages(Install("cargo", ("a@1",)), "") == ["a@1"]
    assert packages(Install("maven", ("g:a:1", "g:b:1:pom")), "2") == ["g:a:2", "g:b:2:pom"]


def test_maven_copies_what_a_package_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in (("mvn", 'echo "$@" >"${5#*=}.args"'),):
        (programs / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    adapter = next(adapter for adapter in registry.known() if adapter.name == "chicory")
    about = replace(adapter.about, install=Install("maven", ("g:a:1", "g:b:1:pom")))
    folder = install(replace(adapter, about=about), Places(tmp_path, tmp_path, home=tmp_path / "home"))
    text = (folder / "pom.xml").read_text(encoding="utf-8")
    assert "<artifactId>a</artifactId><version>1</version></dependency>" in text
    assert "<artifactId>b</artifactId><version>1</version><type>pom</type></dependency>" in text
    asked = (folder / "lib.args").read_text(encoding="utf-8").split()
    assert asked[:4] == ["-q", "-f", f"{folder}.new/pom.xml", "dependency:copy-dependencies"]
    assert Install("maven", ("g:b:1",), needs=Install("pip", ("a==1",))).how == "pip install a==1; maven g:b:1"


def test_a_failed_installation_leaves_no_environment(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise InstallError("no such package")

    monkeypatch.setattr(install_module, "call", fail)
    adapter = next(adapter for adapter in registry.known() if adapter.name == "wasmtime-py")
    places = Places(project.root, project.root / "cache", home=project.root / "home")
    with pytest.raises(InstallError, match="no such package"):
        install_module.install(adapter, places)
    assert list((project.root / "home").iterdir()) == []


@pytest.mark.parametrize("fails", [False, True])
def test_a_new_installation_replaces_the_old_one_when_it_is_whole(
    project: Project, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    home = project.root / "home"
    old, script = home / "wasmtime-py" / "old", home / "wasmtime-py" / "bin" / "tool"
    old.mkdir(parents=True)

    def pip(argv: list[str], *_: object) -> None:
        assert old.is_dir()  # until the other one is whole
        if fails:
            raise InstallError("no such package")
        python = Path(argv[argv.index("--python") + 1])
        python.with_name("tool").write_text(f"#!{python}\nimport sys\nprint(sys.prefix)\n", encoding="utf-8")
        python.with_name("tool").chmod(0o755)

    monkeypatch.setattr(install_module, "call", pip)
    adapter = next(adapter for adapter in registry.known() if adapter.name == "wasmtime-py")
    places = Places(project.root, project.root / "cache", home=home)
    if fails:
        with pytest.raises(InstallError, match="no such package"):
            install(adapter, places)
        assert old.is_dir()
    else:
        install(adapter, places)
        assert not old.exists()
        assert subprocess.run([script], capture_output=True, text=True, check=True).stdout == f"{home / 'wasmtime-py'}\n"
    assert [item.name for item in home.iterdir()] == ["wasmtime-py"]


def test_the_command_line_of_a_description(project: Project) -> None:
    from test_adapters import job

    made = replace(job(project), mounts=(Mount(Path("/h"), "/g", True), Mount(Path("/i"), "/", False)))
    run = replace(made.case.run, grants=("http",))
    made = replace(made, case=replace(made.case, run=run))
    main_one, fast = load(folder(project) / "fake.toml")
    command = fast.command(Peer("fake-fast", "1", ("/p",), options=("-x",)), made)
    assert command.argv == (
        "/p", "run", "--fast", "-x", "--dir", "/h::/g:ro", "--dir", "/i::/", "--env", "K=v w", "-S", "http",
        str(made.component), "a", "--b",
    )  # fmt: skip
    assert fast.about.like == "fake" and main_one.flags == ()


@pytest.mark.parametrize(
    ("status", "stderr", "ending", "kind", "imports"),
    [
        (0, b"trap: unreachable", Ending.EXITED, "", ()),
        (1, b"noise\ntrap: wasm `unreachable` executed\n", Ending.TRAP, "unreachable", ()),
        (1, b"link: nothing has nowhere\n", Ending.LINK_ERROR, "", ("nowhere",)),
        (7, b"malformed: x\n", Ending.MALFORMED, "", ()),
        (7, b"x\n", Ending.EXITED, "", ()),
    ],
)
def test_endings_of_a_description(
    project: Project, status: int, stderr: bytes, ending: Ending, kind: str, imports: tuple[str, ...]
) -> None:
    result = ProcessResult(status, None, False, False, b"", stderr, 0.1, 0.1, 1)
    outcome = described(project).told(result, Ending.EXITED)
    assert (outcome.ending, outcome.kind, outcome.imports) == (ending, kind, imports)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("title", "titel", "unknown key titel"),
        ('title = "a fake"\n', "", "title is missing"),
        ("[serve]", "[served]", "unknown key served"),
        ("read-only = true", "read-only = false", "read-only-dir and [can] read-only need each other"),
        ('"wasi:http/proxy"', '"wasi:http/handler"', "unknown wasi:http/handler"),
        (', "wasi:http/proxy"', "", "[serve] and the world wasi:http/proxy need each other"),
        ('grants = ["http"]', 'grants = ["https"]', "unknown https"),
        ('is = "trap"', 'is = "trapped"', "trapped"),
        ("stderr = '^malformed: (?P<message>.*)'\n", "", "needs a status or a pattern"),
        ("'^malformed: (?P<message>.*)'", "'(('", "unterminated"),
        ('dir = ["--dir", "{host}::{guest}"]', "", "[run] dir is missing"),
        ('command = "fake-runtime"', "", "command is missing"),
        ("[find]", "[find", "fake.toml"),
        ('argv = ["{program}", "serve", "{component}"]', 'argv = "serve"', "argv is no list"),
    ],
)
def test_a_bad_description_says_where_and_why(project: Project, old: str, new: str, words: str) -> None:
    assert old in TEXT
    with pytest.raises(DescriptionError) as raised:
        described(project, TEXT.replace(old, new, 1))
    assert words in str(raised.value) and "fake.toml: " in str(raised.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("RUNTIMES = ()", "a tuple RUNTIMES of adapters is missing"),
        ("1 / 0", "ZeroDivisionError"),
        ("RUNTIMES = (1,)", "1 has no name, about"),
        ("from assay.runtimes.known.jco import RUNTIMES", "two runtimes have the name jco"),
    ],
)
def test_a_bad_module_says_where_and_why(project: Project, text: str, words: str) -> None:
    place = project.root / "more"
    place.mkdir()
    (place / "bad.py").write_text(text + "\n", encoding="utf-8")
    status, output = run(project, "runtimes", "--runtimes", str(place))
    assert status == 2 and words in output, output


def test_every_known_runtime_has_a_title_and_a_way_to_get_it() -> None:
    for adapter in registry.known():
        assert adapter.about.title and (adapter.about.how or adapter.about.never_run), adapter.name
