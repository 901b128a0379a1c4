"""The record: a round trip loses nothing, and truncated or foreign lines are detected."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Iterator
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import made
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import cases, record
from assay.model import UnitResult, Verdict
from assay.record import file, schema_problem
from assay.record.status import status

DROPPED = object()


def text() -> list[str]:
    return list(record.lines(made.record()))


def test_round_trip(tmp_path: Path) -> None:
    original = made.record()
    record.write(original, tmp_path / "r.jsonl")
    again = record.read(tmp_path / "r.jsonl")
    assert again == original
    assert list(record.lines(again)) == list(record.lines(original))


def test_every_line_fits_the_schema() -> None:
    schema = json.loads(resources.files("assay").joinpath("schemas/results.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for line in text():
        validator.validate(json.loads(line))


def test_what_is_accepted_at_once_is_what_the_schema_accepts() -> None:
    """The compiled schema and the validator agree about lines with one value changed or left out."""
    accepts = {"whole": 0, "changed": 0}

    def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*path, key)
            if isinstance(part, (dict, list)):
                yield from places(part, (*path, key))

    def agree(value: Any, kind: str) -> None:
        problem = schema_problem(value)
        valid = next(file._validator(kind).iter_errors(value), None) is None
        assert (problem == "") is valid, problem
        accepts[what] += valid

    for line in text():
        what, whole = "whole", json.loads(line)
        kind = whole["type"]
        agree(whole, kind)
        what = "changed"
        alike = {tuple("*" if isinstance(key, int) else key for key in path): path for path in places(whole)}
        for path in alike.values():
            for value in (None, -1, 1.0, 2.5, "", "x", True, [], ["x"], {}, {"text": "x"}, DROPPED):
                changed = copy.deepcopy(whole)
                at = functools.reduce(lambda part, key: part[key], path[:-1], changed)
                if value is DROPPED:
                    del at[path[-1]]
                else:
                    at[path[-1]] = value
                if changed.get("type") == kind:
                    agree(changed, kind)
    assert accepts["whole"] and accepts["changed"]


def test_the_footer_counts_variants_apart() -> None:
    ids = ("p2/cli/arguments", "p2/cli/arguments@0.2.1", "p2/cli/arguments@0.2.2")
    lines = list(record.lines(made.record(*(made.result("r", i) for i in ids))))
    footer = json.loads(lines[-1])
    assert (footer["units"]["passed"], footer["variants"]["passed"]) == (3, 6)
    assert "variants" not in json.loads(text()[-1])
    # a record of before says neither this nor what a case was built against
    del footer["variants"]
    header = json.loads(lines[0])
    for case in header["cases"]:
        case.pop("built", None)
    old = record.parse([json.dumps(header), *lines[1:-1], json.dumps(footer)])
    assert [case.variation for case in old.cases] == ["", "0.2.1", "0.2.2"]


@pytest.mark.parametrize("cut", ["footer", "half-line", "header-only"])
def test_a_record_without_its_end_is_partial(tmp_path: Path, cut: str) -> None:
    lines = text()
    shorter = {
        "footer": "\n".join(lines[:-1]) + "\n",
        "half-line": "\n".join(lines[:-1])[:-30],
        "header-only": lines[0] + "\n",
    }[cut]
    (tmp_path / "r.jsonl").write_text(shorter, encoding="utf-8")
    read = record.read(tmp_path / "r.jsonl")
    assert read.partial and not status(read).green
    assert read.results == made.record().results[: {"footer": 3, "half-line": 2, "header-only": 0}[cut]]


def test_results_that_are_missing_are_noticed() -> None:
    lines = text()
    footer = json.dumps({**json.loads(lines[-1]), "results": 2})
    assert record.parse([*lines[:3], footer]).partial == "results are missing"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "empty"),
        (["{"], "not JSON"),
        ([*text()[:2], text()[-1]], "counts 3 results"),
        ([*text()[:2], text()[1], *text()[2:]], "footer counts"),
        ([*text()[:2], *text()[1:-1]], "two results"),
        ([text()[0], text()[1].replace('"runtime":"touchstone"', '"runtime":"stranger"')], "does not announce"),
        ([text()[0].replace('"name":"wasmtime"', '"name":"jco"')], "twice"),
    ],
)
def test_no_run_leaves_this(lines: list[str], words: str) -> None:
    with pytest.raises(record.RecordError, match=words):
        record.parse(lines)


def test_records_of_version_1_are_read() -> None:
    lines = text()
    header = json.loads(lines[0])
    for key in ("trace", "timeout_factor", "seed", "normalised", "limits", "suite", "expectations"):
        del header[key]
    old = record.parse([json.dumps({**header, "schema": "assay-results/1"}), *lines[1:]])
    assert [item.reference for item in old.runtimes] == [item.name == "touchstone" for item in old.runtimes]
    same = made.record()
    assert replace(old, runtimes=same.runtimes) == replace(same, schema="assay-results/1")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"verdict": "GREAT"}, "verdict"),
        ({"surprise": 1}, "surprise"),
        ({"type": "poem"}, "poem"),
        ({"wall": -1}, "wall"),
    ],
)
def test_strangers_are_refused(change: dict[str, object], words: str) -> None:
    lines = text()
    lines[1] = json.dumps({**json.loads(lines[1]), **change})
    with pytest.raises(record.RecordError, match=words):
        record.parse(lines)


def test_header_must_come_first() -> None:
    lines = text()
    with pytest.raises(record.RecordError, match="header"):
        record.parse(lines[1:])


@given(st.binary(max_size=60), st.text(max_size=40))
def test_any_output_survives(data: bytes, detail: str) -> None:
    unit = UnitResult("@expect", Verdict.FAIL, detail.encode("utf-8", "replace").decode(), "\u2028\x85")
    result = replace(made.result("r", rest=data), units=(unit,))
    written = list(record.lines(made.record(result)))
    again = record.parse("\n".join(written).splitlines())
    assert again.results == (result,)


def test_every_definition_survives() -> None:
    """A record keeps all that a verdict needs of a case: no key of a case.toml is lost on the way."""
    root = Path(__file__).resolve().parents[2]
    infos = tuple(record.case_info(case) for case in cases.discover(root / "suites", root / "fixtures"))
    assert any(file.state for info in infos if info.expect for file in info.expect.files)
    whole = replace(made.record(), cases=infos, results=())
    assert record.parse(list(record.lines(whole))).cases == infos
