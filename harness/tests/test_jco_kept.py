"""What jco transpiles is kept: a fake jco with a module cmd/transpile.js, and the copy of it that node runs."""

from __future__ import annotations

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from conftest import Project
from test_adapters import job

from assay.model import Command, Peer
from assay.runtimes import Places
from assay.runtimes.javascript import lazily
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
import {
    other,
    opt,
} from './cmd/opt.js';
const [component, name, outDir = 'out'] = process.argv.slice(process.argv[2] === 'run' ? 3 : 2);
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
WORDS = "export const loaded = 'loaded';"
OTHERS = """
import { loaded } from 'words';
console.log(loaded);
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
        copy = lazily.copy(self.package, self.package / "jco.js", self.driver, self.folder / "copies")
        assert copy is not None and copy.is_file()
        argv = [NODE or "", str(copy), str(component), name, str(out)]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0 or "refused" in done.stderr, done.stderr
        return done.returncode, done.stdout

    @property
    def package(self) -> Path:
        return self.folder / "node_modules/@who/jco"

    @property
    def driver(self) -> str:
        return f"{DRIVER.as_uri()}?{self.folder / 'kept files'}"

    @property
    def transpiled(self) -> list[str]:
        return (self.package / "log").read_text(encoding="utf-8").split()


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    if NODE is None:
        pytest.skip("there is no node")
    made = Fake(tmp_path)
    beside = tmp_path / "node_modules/words"
    for folder in (made.package / "cmd", beside):
        folder.mkdir(parents=True)
    for folder in (made.package, beside):
        (folder / "package.json").write_text('{"type": "module", "main": "words.js"}', encoding="utf-8")
    (beside / "words.js").write_text(WORDS, encoding="utf-8")
    (made.package / "cmd/transpile.js").write_text(TRANSPILE, encoding="utf-8")
    (made.package / "cmd/run.js").write_text(RUN, encoding="utf-8")
    (made.package / "cmd/opt.js").write_text(OTHERS, encoding="utf-8")
    (made.package / "jco.js").write_text(MAIN, encoding="utf-8")
    return made


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
        path = fake.package / f"cmd/{name}.js"
        path.write_text(path.read_text(encoding="utf-8").replace("transpileCmd", "transpile"), encoding="utf-8")
    assert fake.run("one") == fake.run("one") == (0, "one\n")
    assert fake.transpiled == ["one"]


def test_one_process_transpiles_for_jco_run_and_for_others(fake: Fake) -> None:
    component, out = fake.folder / "c.wasm", fake.folder / "made"
    made = Transpiler(NODE or "", str(fake.package / "jco.js"), fake.driver)
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


def test_two_processes_transpile_at_once(fake: Fake) -> None:
    made = Transpiler(NODE or "", str(fake.package / "jco.js"), fake.driver, most=2)
    names = [str(number) for number in range(6)]
    for name in names:
        (fake.folder / f"{name}.wasm").write_text(name, encoding="utf-8")

    def transpile(name: str) -> bool | None:
        return made.transpile(fake.folder / f"{name}.wasm", {"name": "c", "outDir": str(fake.folder / f"made-{name}")})

    with ThreadPoolExecutor(max_workers=6) as pool:
        assert list(pool.map(transpile, names)) == [True] * 6
    made.close()
    assert [(fake.folder / f"made-{name}/inside/c.js").read_text(encoding="utf-8") for name in names] == names


def test_a_failure_is_not_kept(fake: Fake) -> None:
    assert fake.run("bad")[0] == fake.run("bad")[0] == 1
    assert fake.transpiled == ["bad", "bad"] and not (fake.folder / "kept files").exists()


def test_a_jco_of_another_form_is_not_copied(fake: Fake) -> None:
    for text in (RUN.replace("import {", "import * as all from './transpile.js';\nimport {", 1).replace('"', "`"), "", None):
        path = fake.package / "cmd/run.js"
        path.unlink() if text is None else path.write_text(text, encoding="utf-8")
        assert lazily.copy(fake.package, fake.package / "jco.js", fake.driver, fake.folder / "copies") is None
    assert not (fake.folder / "copies").exists()


def test_another_jco_at_the_same_place_has_another_copy(fake: Fake) -> None:
    made = [lazily.copy(fake.package, fake.package / "jco.js", fake.driver, fake.folder / "copies") for _ in range(2)]
    (fake.package / "jco.js").write_text(MAIN + "console.log('new');", encoding="utf-8")
    assert fake.run("one") == (0, "one\nnew\n")
    assert made[0] == made[1] and len(list((fake.folder / "copies").iterdir())) == 2


def test_a_jco_that_the_user_names_keeps_nothing(project: Project) -> None:
    package = project.root / "home/jco/node_modules/@bytecodealliance/jco"
    shim = package / "node_modules/@bytecodealliance/preview2-shim"
    for folder in (shim, package / "cmd"):
        folder.mkdir(parents=True)
    (shim / "package.json").write_text("{}", encoding="utf-8")
    (package / "package.json").write_text('{"version": "4.5.6", "bin": {"jco": "j.js"}}', encoding="utf-8")
    (package / "j.js").write_text(MAIN, encoding="utf-8")
    (package / "cmd/run.js").write_text(RUN, encoding="utf-8")
    script, cache = package / "j.js", project.root / "a cache"
    driver = f"{DRIVER.as_uri()}?{project.root}/a%20cache/jco-4.5.6"
    copy = lazily.copy(package, script, driver, cache / "lazily")
    for programs in ((), (("jco", package),)):
        found = jco.Jco().find(Places(project.root, cache, programs, home=project.root / "home"))
        assert isinstance(found, Peer), found
        made = job(project)
        assert project.root in made.component.parents
        passing = jco.Jco().command(found, made)  # it is in the temporary folder
        assert isinstance(passing, Command) and passing.argv[1] == str(script)
        command = jco.Jco().command(found, replace(made, component=Path("/fixtures/c.wasm")))
        assert isinstance(command, Command)
        assert command.argv[1:3] == (str(script if programs else copy), "run")


def test_what_jco_run_refuses_is_asked_once(fake: Fake, tmp_path: Path) -> None:
    driver, component = fake.driver, fake.folder / "c.wasm"
    component.write_text("bad", encoding="utf-8")
    copy = lazily.copy(fake.package, fake.package / "jco.js", driver, fake.folder / "copies")
    peer = Peer("jco", "jco 1", (NODE or "", str(fake.package / "jco.js"), str(fake.package), str(copy), driver))
    places = Places(tmp_path, tmp_path / "cache", home=tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jco, "passing", lambda _: False)  # it is in the temporary folder
        made = [jco.Jco().prepare(peer, component, places) for _ in range(2)]
        component.write_text("one", encoding="utf-8")
        assert jco.Jco().prepare(peer, component, places) == component
    assert made[0] == made[1] and "refused" in (made[0] / "refused.txt").read_text(encoding="utf-8")
    assert fake.transpiled == ["bad", "bad", "one"]  # by the jco that transpiles, and by `jco run` for its words
