"""The cutting of the Canonical ABI's text (suites/text/cut_abi.py), and what ci/check_text.py says of a text that has changed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "suites/text"), str(ROOT / "ci")]
import check_text  # noqa: E402
import cut  # noqa: E402
import cut_abi  # noqa: E402
import official  # noqa: E402

from assay.cases import catalogue, requirements  # noqa: E402

TEXT = """# Explainer

## Threads

Nothing of this is cut.

## Loading

A list is loaded. Its parts too:
```python
LIMIT = 4

def load_list(cx, ptr):
  trap_if(ptr > LIMIT)
  match t:
    case ListType(t)    : return 1
    case StreamType(t)  : return 2
  return ptr
```
This is about the list.

This is about the next one.
* an element
  of two lines
* another
```wat
(canon lift $f)
```
```python
class Table:
  array: list

  def get(self, i):
    trap()
```
The end.

### `canon lift`

It begins:
```python
def canon_lift(callee):
```
It goes on.
```python
  callee()
```
"""


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / cut_abi.FILE
    path.write_text(TEXT)
    return path


def test_sentences_and_their_items(text: Path) -> None:
    found = [(s.interface.removeprefix("canonical-abi/"), s.item, s.text) for s in cut_abi.cut(text)]
    assert found == [
        ("loading", "load-list", "A list is loaded."),
        ("loading", "load-list", "Its parts too:"),
        ("loading", "limit.code", "LIMIT = 4"),
        ("loading", "load-list.code", "def load_list(cx, ptr): match t: case ListType(t) : return 1 return ptr"),
        ("loading", "load-list.trap", "trap_if(ptr > LIMIT)"),
        ("loading", "load-list", "This is about the list."),
        ("loading", "load-list", "This is about the next one."),
        ("loading", "load-list", "an element of two lines"),
        ("loading", "load-list", "another"),
        ("loading", "table.code", "class Table: array: list"),
        ("loading", "get.code", "def get(self, i):"),
        ("loading", "get.trap", "trap()"),
        ("loading", "get", "The end."),
        ("canon-lift", "canon-lift", "It begins:"),
        ("canon-lift", "canon-lift.code", "def canon_lift(callee):"),
        ("canon-lift", "canon-lift", "It goes on."),
        ("canon-lift", "canon-lift.code", "callee()"),
    ]


def rows(path: Path) -> list[catalogue.Row]:
    return [
        catalogue.Row(s.interface, f"{s.item}.{n}", "must", "0.2.0", "", s.hash, f"{s.file}:{s.line}", (), "", f"row {n}")
        for n, s in enumerate(cut_abi.cut(path), 1)
    ]


def test_a_text_that_is_as_catalogued_has_no_problems(text: Path) -> None:
    assert check_text.differences(rows(text), cut_abi.cut(text), "x", places=True) == []


@pytest.mark.parametrize(
    ("old", "new", "problems"),
    [
        ("trap_if(ptr > LIMIT)", "trap_if(ptr >= LIMIT)", ["not in the catalogue", "no such sentence"]),
        ("LIMIT = 4", "LIMIT = 5", ["not in the catalogue", "no such sentence"]),
        ("This is about the list.", "This is about the list. And more.", ["not in the catalogue"]),
        ("    trap()\n", "    pass\n", ["not in the catalogue", "no such sentence", "no such sentence"]),
        ("* another\n", "\n* another\n", ["is at"]),
    ],
)
def test_a_change_is_found(text: Path, old: str, new: str, problems: list[str]) -> None:
    before = rows(text)
    text.write_text(TEXT.replace(old, new))
    found = check_text.differences(before, cut_abi.cut(text), "x", places=True)
    for problem in problems:
        assert any(problem in f for f in found), found
    assert sum("is at" not in f for f in found) == sum(p != "is at" for p in problems), found


def test_what_a_requirement_rests_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each requirement has its basis and its sentences. A sentence has its text where the file is there, else none."""
    (tmp_path / "shared/wit/0.2.12/cli").mkdir(parents=True)
    text = "interface environment {\n/// Get the POSIX-style environment variables.\n///\n/// Other.\nf: func();\n}\n"
    (tmp_path / "shared/wit/0.2.12/cli/environment.wit").write_text(text)
    monkeypatch.setattr(official, "ROOT", tmp_path / "project")
    monkeypatch.setattr(official, "pins", dict)  # the real one keeps what it has read
    assert set(official.texts().values()) == {"Get the POSIX-style environment variables.", "Other."}
    (sentence, _) = cut.cut(tmp_path / "shared/wit/0.2.12")
    known = catalogue.Row("cli/environment", "f.1", "must", "0.2.0", "", sentence.hash, "-", ("a.b",), "", "")
    older = catalogue.Row("cli/environment", "f.2", "must", "0.2.0", "0.2.3", "0" * 12, "-", ("a.b",), "", "")
    requirement = catalogue.Requirement("a.b", "must", ("x",), "0.2.0", "wit", "who", "", "what", "", "")
    monkeypatch.setattr(catalogue, "sentences", lambda _: [older, known])
    monkeypatch.setattr(catalogue, "requirements", lambda _: {"a.b": requirement})
    sentences = [["cli/environment#f.1", "Get the POSIX-style environment variables.", ""], ["cli/environment#f.2", "", ""]]
    assert official.bases() == {"a.b": {"basis": "wit", "sentences": sentences}}


def test_the_addresses_of_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the last version, or of 0.2.0; without a line where the version between them is not pinned."""
    monkeypatch.setattr(official, "pins", lambda: {"wit-0-2-0": "first", "wit-0-2-12": "last", "canonical-abi-text": "abi"})

    def row(interface: str, until: str) -> catalogue.Row:
        return catalogue.Row(interface, "f.1", "must", "0.2.0", until, "0" * 12, "a.wit:7", ("a.b",), "", "")

    blob = "https://github.com/WebAssembly/WASI/blob"
    assert official.address(row("io/streams", "")) == f"{blob}/last/proposals/io/wit/a.wit#L7"
    assert official.address(row("io/streams", "0.2.0")) == f"{blob}/first/preview2/io/a.wit#L7"
    assert official.address(row("io/streams", "0.2.3")) == f"{blob}/last/proposals/io/wit/a.wit"
    assert "/component-model/blob/abi/design/mvp/a.wit#L7" in official.address(row("canonical-abi/loading", ""))
    monkeypatch.setattr(official, "pins", dict)
    assert official.address(row("io/streams", "")) == ""


def test_the_bases_of_this_repository() -> None:
    bases = requirements.bases(ROOT / "suites")
    assert set(bases) == set(catalogue.requirements(official.TEXT))
    assert all(basis.sentences for basis in bases.values() if basis.text == "wit")
    assert requirements.bases(ROOT / "harness") == {}
