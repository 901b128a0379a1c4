"""Nonces: one token everywhere in a run, another in each run, and placeholders in the record."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import CASE, Project

from assay import cases, record
from assay.cases import nonces
from assay.cli import main
from assay.model import Case, Verdict, WireRule
from assay.run.runner import Settings

ECHO = CASE.replace(
    'stdout = "hello\\n"', 'stdout-contains = ["args a={nonce:a}|b={nonce:a}{nonce:b}", "stdin {nonce:in}"]'
).replace("timeout = 5", 'timeout = 5\nargs = ["a={nonce:a}", "b={nonce:a}{nonce:b}"]\nstdin = "{nonce:in}"')
FILES = """
[[run.dir]]
from = "seed"
guest = "/data"
[[run.make]]
path = "/data/{nonce:name}.txt"
kind = "file"
text = "{nonce:text}"
[[expect.file]]
path = "/data/{nonce:name}.txt"
text = "{nonce:text}"
state = '^size 12$'
[expect]
stdout-contains = "{nonce:name}.txt {nonce:text}"
"""
KNOCKED = """
[[run.server]]
name = "s"
[[run.server.on]]
path = "/{nonce:path}"
say = "HTTP/1.1 200 OK\\r\\nContent-Length: 12\\r\\nX: {nonce:field}\\r\\n\\r\\n{nonce:body}"
[[check]]
id = "t.fake.wire"
level = "must"
function = "wasi:http/types.[method]incoming-response.headers"
since = "0.2.0"
text = "Words."
on = "/{nonce:path}"
matches = '^GET /{nonce:path} HTTP/1\\.1$'
[[check]]
id = "t.fake.echo"
level = "must"
function = "wasi:http/types.[method]incoming-response.headers"
since = "0.2.0"
text = "Words."
on = "stdout"
matches = ['X: {nonce:field}', '{nonce:body}']
"""


def assay(project: Project, *args: str) -> Result:
    return CliRunner().invoke(main, ["--root", str(project.root), *args])


def test_a_token() -> None:
    one = nonces.token("{nonce:a}", 1, "p2/t/one", "touchstone")
    assert len(one) == len("{nonce:a}") and one.isalpha() and one.islower()
    assert one == nonces.token("{nonce:a}", 1, "p2/t/one", "touchstone")
    others = [("{nonce:b}", 1, "p2/t/one", "touchstone"), ("{nonce:a}", 2, "p2/t/one", "touchstone"),
              ("{nonce:a}", 1, "p2/t/two", "touchstone"), ("{nonce:a}", 1, "p2/t/one", "jco")]  # fmt: skip
    assert len({one, *(nonces.token(*other) for other in others)}) == 5


def test_every_text_of_a_run_is_filled(project: Project) -> None:
    text = (
        ECHO.replace("[expect]\n", FILES.replace("[expect]\nstdout-contains", "[expect]\nstdout-matches"), 1) + KNOCKED
    )
    case = project.load(text)
    filled, tokens = nonces.fill(case, 1, "touchstone")
    assert {placeholder for _, placeholder in tokens} == {
        f"{{nonce:{name}}}" for name in ("a", "b", "in", "name", "text", "path", "field", "body")
    }
    assert "{nonce" in repr((case.run, case.expect, case.checks))
    assert "{nonce" not in repr((filled.run, filled.expect, filled.checks))
    token = {placeholder: made for made, placeholder in tokens}
    assert filled.run.stdin == token["{nonce:in}"].encode()
    assert filled.run.make[0].path == filled.expect.files[0].path == f"/data/{token['{nonce:name}']}.txt"
    assert filled.run.servers[0].answers[0].path == f"/{token['{nonce:path}']}"
    assert filled.checks[3].wire == WireRule(
        f"/{token['{nonce:path}']}", (f"^GET /{token['{nonce:path}']} HTTP/1\\.1$",)
    )
    assert replace(filled, run=case.run, expect=case.expect, checks=case.checks) == case


def test_a_case_without_nonces_stays_as_it_is(project: Project) -> None:
    case = project.load()
    assert nonces.fill(case, 1, "touchstone") == (case, ())


def test_a_case_is_looked_through_once_and_another_one_with_its_id_again(project: Project) -> None:
    plain = project.load()
    assert nonces.fill(plain, 1, "wasmtime")[0] is nonces.fill(plain, 2, "jco")[0] is plain
    other = replace(plain, run=replace(plain.run, args=("{nonce:a}",)))
    filled, tokens = nonces.fill(other, 1, "wasmtime")
    assert len(tokens) == 1 and filled.run.args == (tokens[0][0],)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ECHO.replace('"stdin {nonce:in}"', '"stdin"'), "{nonce:in} is given and not expected"),
        (ECHO.replace('stdin = "{nonce:in}"', 'stdin = "in"'), "{nonce:in} is expected and not given"),
        (ECHO.replace("{nonce:in}", "{nonce:In}"), "'{nonce:In}' is not a nonce"),
        (ECHO.replace("{nonce:in}", "{nonce}"), "'{nonce}' is not a nonce"),
        (ECHO.replace('stdin = "{nonce:in}"', 'stdin = "{nonce:in"'), "'{nonce:in' is not a nonce"),
    ],
)
def test_cases_that_are_refused(project: Project, text: str, words: str) -> None:
    with pytest.raises(cases.CaseError) as caught:
        project.load(text)
    assert words in str(caught.value)


def test_what_is_there_before_proves_nothing(project: Project) -> None:
    """A file that the harness makes itself is not what a run has written."""
    unchanged = FILES.replace("state = '^size 12$'\n", "").partition("[expect]\n")[0]
    text = CASE.partition("[[check]]")[0].replace('[expect]\nstdout = "hello\\n"\n', unchanged)
    with pytest.raises(cases.CaseError, match="a runtime that does nothing would pass"):
        project.load(text)


def run(project: Project, case: Case, seed: int) -> bytes:
    result = project.run("show", case, Settings(jobs=1, seed=seed))
    assert result.verdict is Verdict.PASS, result.units
    return result.observation.stdout


def test_a_guest_that_echoes_passes_with_any_seed(project: Project) -> None:
    case = project.load(ECHO)
    assert run(project, case, 1) == run(project, case, 2)  # the record has placeholders
    assert b"args a={nonce:a}|b={nonce:a}{nonce:b}" in run(project, case, 1)


def test_files(project: Project) -> None:
    text = CASE.replace('[expect]\nstdout = "hello\\n"\n', FILES)
    result = project.run("show", project.load(text), Settings(jobs=1, seed=3))
    assert result.verdict is Verdict.PASS, result.units
    assert result.observation.contents[0] == ("/data/{nonce:name}.txt", b"{nonce:text}")
    assert "/data/{nonce:name}.txt" in [state.path for state in result.observation.tree]


def test_who_replays_an_earlier_run_fails(project: Project) -> None:
    """A runtime that prints what another run had, or the case's own words, does not pass."""
    case = project.load(ECHO)
    old, _ = nonces.fill(case, 1, "touchstone")
    for words in (old.expect.stdout.contains, case.expect.stdout.contains):
        (project.root / "note").write_text("\n".join(words), encoding="utf-8")
        result = project.run("replay", case, Settings(jobs=1, seed=2))
        assert result.verdict is Verdict.FAIL
    assert result.whole == ("@expect",)  # the record cannot tell the case's words from those of the run
    (project.root / "note").write_text("\n".join(old.expect.stdout.contains), encoding="utf-8")
    assert project.run("replay", case, Settings(jobs=1, seed=1)).verdict is Verdict.PASS


def test_the_wire(project: Project) -> None:
    text = CASE.replace('[expect]\nstdout = "hello\\n"\n', "") + KNOCKED
    text = text.replace("timeout = 5", 'timeout = 5\nargs = ["{s}", "/{nonce:path}"]')
    result = project.run("fetch", project.load(text), Settings(jobs=1, seed=4))
    assert result.verdict is Verdict.PASS, result.units
    assert result.whole == () and result.observation.wire[0].name == "/{nonce:path}"
    assert result.observation.wire[0].data.startswith(b"GET /{nonce:path} HTTP/1.1\r\n")


def recorded(project: Project, *more: str) -> tuple[Path, list[str]]:
    project.add("p2/t/one", ECHO)
    program = ["--program", f"touchstone={project.fake('show')}"]
    done = assay(project, "run", "-r", "touchstone", *program, *more)
    assert done.exit_code == 0, done.output
    return project.root / "reports/latest/results.jsonl", program


def test_the_seed_is_kept_and_repeats_the_run(project: Project) -> None:
    path, program = recorded(project, "--seed", "7")
    assert json.loads(path.read_text().splitlines()[0])["seed"] == record.read(path).seed == 7
    done = assay(project, "repro", str(path), "p2/t/one", "touchstone", *program)
    assert done.exit_code == 0, done.output
    token = nonces.token("{nonce:in}", 7, "p2/t/one", "touchstone")
    assert (project.root / "build/repro/touchstone/p2/t/one/stdin").read_text() == token
    again = assay(project, "judge", str(path))
    assert again.exit_code == 0 and "0 units are not as in the record" in again.output
    assert "not judged again" not in again.output


def test_each_run_has_another_seed(project: Project) -> None:
    path, _ = recorded(project)
    seed = record.read(path).seed
    recorded(project)
    assert record.read(path).seed != seed


def test_a_resumed_run_keeps_its_seed(project: Project) -> None:
    path, program = recorded(project, "--seed", "9")
    lines = path.read_text().splitlines()
    path.write_text(lines[0] + "\n")
    done = assay(project, "run", "--resume", *program)
    assert done.exit_code == 0, done.output
    assert record.read(path).seed == 9 and len(record.read(path).results) == 1
