"""The history: what is kept comes back byte for byte, is kept once, and is checked whenever it is read."""

from __future__ import annotations

import contextlib
import hashlib
import json
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import made
import pytest
from click.testing import CliRunner, Result
from conftest import Project
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import record
from assay.cli import main
from assay.history import Branch, Folder, Store, StoreError
from assay.history.pieces import Irregular, cut, join
from assay.model import Verdict
from assay.record import Record

ROOT = Path(__file__).resolve().parents[2]
REAL = [ROOT / "reports/example.jsonl", ROOT / "harness/tests/data/results-2.jsonl"]
CASES = tuple(f"p2/t/{number}" for number in range(40))


def text_of(drawn: Record) -> str:
    return "".join(f"{line}\n" for line in record.lines(drawn))


def run_at(day: int, *, failing: tuple[str, ...] = (), wall: float = 0.0, version: str = "1.0") -> Record:
    """Returns the record of a run with two runtimes."""
    results = [
        made.result(name, case, Verdict.FAIL if case in failing else Verdict.PASS)
        for case in CASES
        for name in ("touchstone", "wasmtime")
    ]
    timed = [
        replace(item, observation=replace(item.observation, wall=0.01 + wall + index / 1000))
        for index, item in enumerate(results)
    ]
    drawn = made.record(*timed)
    runtimes = tuple(replace(item, version=f"{item.name} {version}") for item in drawn.present)
    return replace(drawn, started=f"2026-11-{day:02}T00:00:00+00:00", runtimes=runtimes)


def small(day: int) -> Record:
    """Returns a record of three results."""
    return replace(made.record(), started=f"2026-11-{day:02}T00:00:00+00:00")


def git(folder: Path, *words: str) -> str:
    argv = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@t", *words]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "file").write_text("kept\n", encoding="utf-8")
    git(folder, "add", "file")
    git(folder, "commit", "-q", "-m", "first")
    return folder


@pytest.fixture(params=["folder", "branch"])
def opened(request: pytest.FixtureRequest, tmp_path: Path, repository: Path) -> Callable[[], Store]:
    if request.param == "folder":
        return lambda: Store(Folder(tmp_path / "history"))
    return lambda: Store(Branch(repository, "kept/history"))


# --- pieces -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_a_record_is_cut_and_joined(path: Path) -> None:
    text = path.read_bytes().decode()
    pieces = cut(text)
    assert join(pieces) == text and len(pieces.results) == 3
    assert cut(text.replace('"wall":0', '"wall":9')).results == pieces.results  # times are apart
    assert join(cut(text[:-300])) == text[:-300]  # cut off in the last line or the footer


@settings(max_examples=60)
@given(st.integers(0, 30000), st.sampled_from(["", "\n", " ", '"', "{", "}", "[", ",", "\0", "é", "\\"]))
def test_any_damage_is_cut_exactly_or_refused(place: int, put: str) -> None:
    text = REAL[0].read_bytes().decode()
    other = text[:place] + put + text[place + 1 :]
    with contextlib.suppress(Irregular, ValueError, KeyError):
        assert join(cut(other)) == other


# --- the store ----------------------------------------------------------------------------------------------------


def test_records_come_back_byte_for_byte(opened: Callable[[], Store]) -> None:
    texts = [path.read_bytes().decode() for path in REAL] + [text_of(run_at(day)) for day in (1, 2)]
    partial = "\n".join(texts[2].split("\n")[:20])
    blanks = json.dumps(json.loads(texts[2].split("\n")[0])) + "\n" + texts[2].partition("\n")[2]
    for text in (*texts, partial, blanks):
        added = opened().add(text)
        assert added.new and opened().restore(added.run) == text.encode()
        again = opened().add(text)
        assert not again.new and again.objects == 0 and again.run == added.run
    store = opened()
    assert len(store.runs()) == 6 and store.verify().problems == () and store.verify().orphans == ()
    assert [run.started for run in store.runs()] == sorted(run.started for run in store.runs())
    assert sum(bool(run.partial) for run in store.runs()) == 1


def test_similar_runs_share_their_pieces(opened: Callable[[], Store]) -> None:
    first = opened().add(text_of(run_at(1)))
    second = opened().add(text_of(run_at(2, wall=0.5)))
    assert second.objects == 1  # the times, the date and the footer
    third = opened().add(text_of(run_at(3, wall=0.7, failing=("p2/t/7",))))
    assert third.objects <= 1 + 2 * 2  # for each runtime, a piece with the case, and what lists it
    assert first.objects > 2 * third.objects
    other = opened().add(text_of(run_at(4, version="2.0")))
    assert other.objects == 2  # a new header too


def test_names_of_runs(opened: Callable[[], Store]) -> None:
    with pytest.raises(StoreError, match="there is no run in this history"):
        opened().find("latest")
    runs = [opened().add(text_of(run_at(day))).run for day in (1, 2, 3)]
    store = opened()
    assert store.find("latest") == runs[2] and store.find("latest~2") == runs[0]
    assert store.find(runs[1].name) == store.find("20261102") == store.find(runs[1].name[-12:]) == runs[1]
    for name, words in (("2026", "3 runs"), ("x", "no run"), ("latest~3", "3 runs only")):
        with pytest.raises(StoreError, match=words):
            store.find(name)


def test_removing_keeps_what_others_have(opened: Callable[[], Store]) -> None:
    first, second = (opened().add(text_of(run_at(day, wall=day))).run for day in (1, 2))
    assert opened().remove("latest") == (second.name, 1)
    assert opened().restore(first) == text_of(run_at(1, wall=1)).encode()
    assert opened().verify().orphans == ()
    opened().remove(first.name)
    assert opened().runs() == () and opened().verify().pieces == 0


def test_what_is_no_record_is_refused(opened: Callable[[], Store]) -> None:
    for text in ("", "{}\n", "no JSON\n"):
        with pytest.raises(record.RecordError):
            opened().add(text)
    assert opened().runs() == ()


# --- a folder -----------------------------------------------------------------------------------------------------


def damaged(path: Path, how: str) -> None:
    data = path.read_bytes()
    if how == "missing":
        path.unlink()
    elif how == "cut off":
        path.write_bytes(data[: len(data) // 2])
    else:
        path.write_bytes(bytes([data[0], data[1], data[2] ^ 1]) + data[3:])


@pytest.mark.parametrize("how", ["missing", "cut off", "changed"])
def test_damage_is_named_and_healed(tmp_path: Path, how: str) -> None:
    store = Store(Folder(tmp_path))
    run = store.add(text_of(small(1))).run
    for path in sorted((tmp_path / "objects").rglob("*")):
        if not path.is_file():
            continue
        damaged(path, how)
        where = path.relative_to(tmp_path).as_posix()
        with pytest.raises(StoreError, match=f"{where} is (damaged|missing)"):
            Store(Folder(tmp_path)).restore(run)
        assert any(where in problem for problem in Store(Folder(tmp_path)).verify().problems)
        said: list[str] = []
        assert Store(Folder(tmp_path)).add(text_of(small(1)), said.append).objects == 1
        assert len(said) == (how != "missing") and not Store(Folder(tmp_path)).verify().problems
    file = tmp_path / f"runs/{run.name}.json"
    file.write_text(file.read_text().replace("touchstone 1.0", "touchstone 1.1"), encoding="utf-8")
    for call in (lambda: store.find("latest"), store.runs):
        with pytest.raises(StoreError, match=f"runs/{run.name}.json is damaged"):
            call()
    other = store.add(text_of(small(2))).run
    assert store.remove(run.name) == (run.name, 1) and store.restore(other)


def test_a_damaged_run_keeps_all_pieces(tmp_path: Path) -> None:
    store = Store(Folder(tmp_path))
    first, second = (store.add(text_of(run_at(day))).run for day in (1, 2))
    file = tmp_path / f"runs/{first.name}.json"
    good = file.read_bytes()
    file.write_bytes(good[:50])
    assert store.remove(second.name) == (second.name, 0)
    file.write_bytes(good)
    assert Store(Folder(tmp_path)).restore(first) and len(store.verify().orphans) == 1


def test_writers_at_the_same_time(opened: Callable[[], Store]) -> None:
    texts = [text_of(run_at(day, wall=day)) for day in (1, 2, 3, 4, 5, 6)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda text: opened().add(text), texts))
    store = opened()
    assert len(store.runs()) == 6 and not store.verify().problems
    assert {store.restore(run).decode() for run in store.runs()} == set(texts)


def test_a_killed_writer_leaves_no_trace(tmp_path: Path) -> None:
    store = Store(Folder(tmp_path))
    store.add(text_of(run_at(1)))
    (tmp_path / "objects/00").mkdir(exist_ok=True)
    (tmp_path / "objects/00/.new-abc").write_bytes(b"half")
    assert not store.verify().problems and not store.verify().orphans
    store.add(text_of(run_at(2)))
    assert not (tmp_path / "objects/00/.new-abc").exists()


# --- a branch -----------------------------------------------------------------------------------------------------


def test_a_branch_leaves_the_work_tree_alone(repository: Path) -> None:
    (repository / "file").write_text("changed\n", encoding="utf-8")
    git(repository, "add", "file")
    (repository / "file").write_text("changed twice\n", encoding="utf-8")
    before = (git(repository, "status", "--porcelain"), git(repository, "rev-parse", "HEAD"))
    store = Store(Branch(repository, "history"))
    runs = [store.add(text_of(run_at(day))).run for day in (1, 2)]
    assert (git(repository, "status", "--porcelain"), git(repository, "rev-parse", "HEAD")) == before
    log = git(repository, "log", "--format=%s", "history").splitlines()
    assert log == [f"assay history: add {run.name}" for run in reversed(runs)]
    names = git(repository, "ls-tree", "-r", "--name-only", "history").splitlines()
    assert {name.partition("/")[0] for name in names} == {"objects", "runs"}
    clone = repository.parent / "clone"
    git(repository, "clone", "-q", "--bare", str(repository), str(clone))
    assert Store(Branch(clone, "history")).restore(runs[0]) == text_of(run_at(1)).encode()


def test_what_cannot_be_a_branch(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is checked out in a work tree"):
        Store(Branch(repository, "main")).add(text_of(run_at(1)))
    with pytest.raises(StoreError, match="is no name for a branch"):
        Branch(repository, "a..b")
    (tmp_path / "plain").mkdir()
    with pytest.raises(StoreError, match="not a git repository"):
        Branch(tmp_path / "plain", "history")


# --- the command --------------------------------------------------------------------------------------------------


def assay(project: Project, *argv: str) -> Result:
    return CliRunner().invoke(main, ["--root", str(project.root), *argv])


def test_the_command(project: Project, tmp_path: Path) -> None:
    paths = [tmp_path / f"{day}.jsonl" for day in (1, 2)]
    for day, path in enumerate(paths, 1):
        path.write_text(text_of(run_at(day, failing=CASES[:2] if day == 2 else ())), encoding="utf-8")
    done = assay(project, "history", "add", *map(str, paths))
    assert done.exit_code == 0 and done.output.count("new pieces") == 2, done.output
    assert assay(project, "history", "add", str(paths[0])).output.count("already in the history") == 1
    assert (project.root / "reports/history/runs").is_dir()
    listed = assay(project, "history", "list")
    assert "touchstone, wasmtime" in listed.output and "2 runs in" in listed.output
    names = [run["run"] for run in json.loads(assay(project, "history", "list", "--json").output)]
    shown = assay(project, "history", "show", "latest").output
    assert names[1] in shown and "touchstone: touchstone 1.0" in shown and "40 cases" in shown
    assert json.loads(assay(project, "history", "show", names[0], "--json").output)["run"] == names[0]
    assert assay(project, "history", "restore", "latest~1").stdout_bytes == paths[0].read_bytes()
    assert assay(project, "history", "restore", "latest", "-o", str(tmp_path / "out/r.jsonl")).exit_code == 0
    assert hashlib.sha256((tmp_path / "out/r.jsonl").read_bytes()).digest() == hashlib.sha256(paths[1].read_bytes()).digest()
    done = assay(project, "diff", "history:latest~1", "history:latest")
    assert done.exit_code == 1 and "4 broken" in done.output and "broken   touchstone p2/t/0" in done.output
    assert assay(project, "diff", str(paths[0]), "history:latest~1").output.endswith("0 flaky\n")
    assert assay(project, "history", "verify").output.endswith("0 problems\n")
    next(path for path in (project.root / "reports/history/objects").rglob("*") if path.is_file()).write_bytes(b"")
    done = assay(project, "history", "verify")
    assert done.exit_code == 1 and "is damaged or cut off (0 bytes)" in done.output
    assert assay(project, "history", "remove", names[0]).exit_code == 0
    assert assay(project, "history", "list", "--json").output.count('"run"') == 1


def test_wrong_use(project: Project, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text("{}\n", encoding="utf-8")
    for argv, words in (
        (("history", "add", str(bad)), "bad.jsonl: line 1"),
        (("history", "show", "latest"), "there is no run in this history"),
        (("history", "list", "--history", str(tmp_path), "--git", "x"), "not both"),
        (("history", "list", "--git", "x"), "not a git repository"),
        (("diff", "history:latest", "history:latest"), "there is no run in this history"),
        (("diff", str(bad), "nowhere"), "bad.jsonl"),
    ):
        done = assay(project, *argv)
        assert done.exit_code == 2 and words in done.output, done.output
