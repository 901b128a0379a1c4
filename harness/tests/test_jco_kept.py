"""What jco transpiles is kept: a fake jco with a module cmd/transpile.js, and node with the hook."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from conftest import Project
from test_adapters import job

from assay.model import Command, Peer
from assay.runtimes import Places
from assay.runtimes.javascript.transpiler import Transpiler
from assay.runtimes.known import jco

NODE = shutil.which("node")
DRIVER = Path(jco.__file__).with_name("jco_kept_driver.mjs")
TRANSPILE = """
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
export async function transpileCmd(component, options) {
  const text = await readFile(component, 'utf8');
  await appendFile(new URL('../log', import.meta.url), text + '\\n');
  if (text === 'bad') throw new Error('refused');
  if (text === 'trap') throw new WebAssembly.RuntimeError('trap');
  await mkdir(options.outDir + '/inside', { recursive: true });
  await writeFile(`${options.outDir}/inside/${options.name}.js`, text);
}
"""
MAIN = """
import { run } from "./cmd/run.js";
import { other, opt } from "./cmd/opt.js";
const [component, name, outDir] = process.argv.slice(2);
await run(component, { name, outDir, map: undefined });
if (name === 'all') await other(await opt('an argument'));
"""
RUN = """
import { transpileCmd } from "./transpile.js";
import { readFileSync } from 'node:fs';
export async function run(component, options) {
  await transpileCmd(component, options);
  console.log(readFileSync(`${options.outDir}/inside/${options.name}.js`, 'utf8'));
}
"""
OTHERS = """
console.log('loaded');
export const opt = async (argument) => argument;
export const other = (argument) => console.log(argument);
"""


@dataclass
class Fake:
    folder: Path

    def run(self, text: str, name: str = "c") -> tuple[int, str]:
        """Runs the fake jco on a component. Returns its status and stdout."""
        component, out = self.folder / "c.wasm", self.folder / "out"
        component.write_text(text, encoding="utf-8")
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        hook = f"{DRIVER.as_uri()}?{self.folder / 'kept files'}"
        argv = [NODE or "", "--import", hook, str(self.folder / "jco.js"), str(component), name, str(out)]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0 or "refused" in done.stderr, done.stderr
        return done.returncode, done.stdout

    @property
    def transpiled(self) -> list[str]:
        return (self.folder / "log").read_text(encoding="utf-8").split()


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    if NODE is None:
        pytest.skip("there is no node")
    (tmp_path / "cmd").mkdir()
    (tmp_path / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    (tmp_path / "cmd/transpile.js").write_text(TRANSPILE, encoding="utf-8")
    (tmp_path / "cmd/run.js").write_text(RUN, encoding="utf-8")
    (tmp_path / "cmd/opt.js").write_text(OTHERS, encoding="utf-8")
    (tmp_path / "jco.js").write_text(MAIN, encoding="utf-8")
    return Fake(tmp_path)


def test_a_component_is_transpiled_once(fake: Fake) -> None:
    assert fake.run("one") == fake.run("one") == (0, "one\n")
    assert fake.transpiled == ["one"]
    assert fake.run("two") == (0, "two\n")
    assert fake.run("one", "d") == (0, "one\n")  # an option is another one
    assert fake.transpiled == ["one", "two", "one"]
    assert len(list((fake.folder / "kept files").iterdir())) == 3


def test_what_other_commands_need_is_loaded_when_they_are_called(fake: Fake) -> None:
    assert fake.run("one", "all") == (0, "one\nloaded\nan argument\n")


def test_the_function_of_an_older_jco_is_kept_too(fake: Fake) -> None:
    for name in ("run", "transpile"):
        path = fake.folder / f"cmd/{name}.js"
        path.write_text(path.read_text(encoding="utf-8").replace("transpileCmd", "transpile"), encoding="utf-8")
    assert fake.run("one") == fake.run("one") == (0, "one\n")
    assert fake.transpiled == ["one"]


def test_one_process_transpiles_for_jco_run_and_for_others(fake: Fake) -> None:
    component, out = fake.folder / "c.wasm", fake.folder / "made"
    made = Transpiler(NODE or "", str(fake.folder / "jco.js"), f"{DRIVER.as_uri()}?{fake.folder / 'kept files'}")
    component.write_text("bad", encoding="utf-8")
    assert made.transpile(component, {"name": "c", "outDir": str(out)}) is False
    component.write_text("trap", encoding="utf-8")
    assert made.transpile(component, {"name": "c", "outDir": str(out)}) is None
    component.write_text("one", encoding="utf-8")
    assert made.transpile(component, {"name": "c", "outDir": str(out)}) is True
    assert (out / "inside/c.js").read_text(encoding="utf-8") == "one"
    assert made.transpile(component, {"name": "c"}, runs=True) is True
    assert fake.run("one") == (0, "one\n")
    made.close()
    assert fake.transpiled == ["bad", "trap", "one", "one"]  # the last one for `run`, which did not do it again


def test_a_failure_is_not_kept(fake: Fake) -> None:
    assert fake.run("bad")[0] == fake.run("bad")[0] == 1
    assert fake.transpiled == ["bad", "bad"] and not (fake.folder / "kept files").exists()


def test_a_jco_that_the_user_names_keeps_nothing(project: Project) -> None:
    package = project.root / "home/jco/node_modules/@bytecodealliance/jco"
    shim = package / "node_modules/@bytecodealliance/preview2-shim"
    shim.mkdir(parents=True)
    (shim / "package.json").write_text("{}", encoding="utf-8")
    (package / "package.json").write_text('{"version": "4.5.6", "bin": {"jco": "j.js"}}', encoding="utf-8")
    for programs in ((), (("jco", package),)):
        places = Places(project.root, project.root / "a cache", programs, home=project.root / "home")
        found = jco.Jco().find(places)
        assert isinstance(found, Peer), found
        made = job(project)
        assert project.root in made.component.parents
        passing = jco.Jco().command(found, made)  # it is in the temporary folder
        assert isinstance(passing, Command) and "--import" not in passing.argv
        command = jco.Jco().command(found, replace(made, component=Path("/fixtures/c.wasm")))
        assert isinstance(command, Command)
        hooked = ["--import", f"{DRIVER.as_uri()}?{project.root}/a%20cache/jco-4.5.6"]
        assert command.argv[1:3] == (tuple(hooked) if not programs else (str(package / "j.js"), "run"))
