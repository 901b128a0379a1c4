"""The file of a record: JSON lines with a header first and a footer last.

In and out: `Record` <-> lines (schema: schemas/results.schema.json). A file without a footer, or with one
that says so, is the record of an interrupted run: `Record.partial` has the reason, and its status is never
green.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import itertools
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import fastjsonschema
import jsonschema

from ..model import (
    TRACE_LIMIT,
    CaseResult,
    Check,
    CommandSeen,
    Cut,
    Ending,
    Exchange,
    Expect,
    Expected,
    FileExpectation,
    FileState,
    Kind,
    Level,
    Observation,
    Outcome,
    TextExpectation,
    UnitResult,
    Verdict,
    WireRule,
)
from . import origin
from .record import SCHEMA, CaseInfo, Group, Record, RecordError, RuntimeInfo, SuiteInfo
from .settle import NORMALISED, OUTPUT_LIMIT, TEXT_LIMIT, WIRE_LIMIT

BEFORE_3 = ("assay-results/1", "assay-results/2")
REFERENCE_BEFORE_3 = "touchstone"
"""The reference runtime of records that do not name it."""


def lines(record: Record) -> Iterable[str]:
    """Returns the record as lines of JSON."""
    yield _line(
        {
            "type": "header",
            "schema": SCHEMA,
            "suite": _suite_json(record.suite),
            "harness": record.harness,
            "started": record.started,
            "strict": record.strict,
            "trace": record.trace,
            "timeout_factor": record.timeout_factor,
            "seed": record.seed,
            "normalised": NORMALISED,
            "limits": {"text": TEXT_LIMIT, "output": OUTPUT_LIMIT, "trace": TRACE_LIMIT, "wire": WIRE_LIMIT},
            "gate": list(record.gate),
            "runtimes": [_drop(vars(runtime)) for runtime in record.runtimes],
            "cases": [_case_json(case) for case in record.cases],
            "stale": list(record.stale),
            "expectations": {name: list(tables) for name, tables in record.expectations.items()},
            **_drop(
                {
                    "machine": origin.machine_json(record.machine),
                    "sources": [origin.source_json(source) for source in record.sources],
                    "retry_unexpected": record.retry or None,
                    "allow_flaky": record.allow_flaky,
                }
            ),
        }
    )
    for result in record.results:
        yield _line(_result_json(result))
    variants = {case.id for case in record.cases if case.variant}
    counts = {verdict.value: sum(result.verdict is verdict for result in record.results) for verdict in Verdict}
    footer = {
        "type": "footer",
        "finished": record.finished,
        "results": len(record.results),
        "verdicts": counts,
        "units": unit_counts(result for result in record.results if result.case not in variants),
    }
    if variants:
        footer["variants"] = unit_counts(result for result in record.results if result.case in variants)
    yield _line({**footer, **_drop({"partial": record.partial})})


def unit_counts(results: Iterable[CaseResult]) -> dict[str, int]:
    """Counts units: passed, skipped, known (not passed, as announced), unexpected, flaky, and other (a failing
    SHOULD)."""
    counts = dict.fromkeys(("passed", "skipped", "known", "unexpected", "flaky", "other"), 0)
    for unit in (unit for result in results for unit in result.units):
        if unit.verdict is Verdict.FLAKY:
            counts["flaky"] += 1
        elif unit.unexpected:
            counts["unexpected"] += 1
        elif unit.verdict is Verdict.PASS:
            counts["passed"] += 1
        elif unit.verdict is Verdict.SKIP:
            counts["skipped"] += 1
        else:
            counts["known" if unit.expected is not None else "other"] += 1
    return counts


def write(record: Record, path: Path) -> None:
    """Writes the whole record at once. A reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".part")
    with fresh.open("w", encoding="utf-8") as file:
        for line in lines(record):
            file.write(line + "\n")
    fresh.replace(path)


class Log:
    """The file of a record while the run lasts: the header and the results so far, then each result as it
    comes.

    It has no footer, so a run that is killed leaves a partial record. At the end, `write` replaces it."""

    def __init__(self, begun: Record, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".part")
        self._file = fresh.open("w", encoding="utf-8")
        for line in itertools.islice(lines(begun), 1 + len(begun.results)):
            self._put(line)
        fresh.replace(path)  # an earlier record stays until this one has its results

    def add(self, result: CaseResult) -> None:
        self._put(_line(_result_json(result)))

    def close(self) -> None:
        self._file.close()

    def _put(self, line: str) -> None:
        self._file.write(line + "\n")
        self._file.flush()


def read(path: Path) -> Record:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RecordError(f"{path}: there is no such record (`assay run` writes one)") from None
    except (OSError, UnicodeDecodeError) as error:
        raise RecordError(f"{path}: {error}") from None
    try:
        return parse(text.removesuffix("\n").split("\n") if text else [])
    except RecordError as error:
        raise RecordError(f"{path}: {error}") from None


def parse(texts: Sequence[str]) -> Record:
    """Returns a record from its lines, each checked against the schema.

    An incomplete last line is ignored: the run ended while it was being written."""
    objects: list[dict[str, Any]] = []
    for number, text in enumerate(texts, 1):
        try:
            value = json.loads(text)
        except ValueError:
            if number == len(texts) and number > 1:
                break
            raise RecordError(f"line {number} is not JSON") from None
        problem = schema_problem(value)
        if problem:
            raise RecordError(f"line {number}: {problem}")
        objects.append(value)
    if not objects:
        raise RecordError("the record is empty")
    if objects[0]["type"] != "header":
        raise RecordError("the first line is not a header")
    header = objects[0]
    named = header["schema"] not in BEFORE_3
    footer = objects[-1] if objects[-1]["type"] == "footer" else None
    middle = objects[1:-1] if footer is not None else objects[1:]
    if any(value["type"] != "result" for value in middle):
        raise RecordError("a header or a footer is among the results")
    if footer is not None and footer["results"] != len(middle):
        raise RecordError(f"the footer counts {footer['results']} results, there are {len(middle)}")
    record = Record(
        started=header["started"],
        finished=footer["finished"] if footer is not None else "",
        harness=header["harness"],
        strict=header["strict"],
        gate=tuple(header["gate"]),
        runtimes=tuple(_runtime_from(runtime, named) for runtime in header["runtimes"]),
        cases=tuple(_case_from(case) for case in header["cases"]),
        results=tuple(_result_from(value) for value in middle),
        stale=tuple(header["stale"]),
        partial=footer.get("partial", "") if footer is not None else "the record has no footer: its run was cut off",
        trace=header.get("trace", True),
        timeout_factor=header.get("timeout_factor", 1.0),
        seed=header.get("seed", 0),
        suite=_suite_from(header.get("suite", {})),
        expectations={name: tuple(mine) for name, mine in header.get("expectations", {}).items()},
        schema=header["schema"],
        machine=origin.machine_from(header.get("machine")),
        sources=tuple(origin.source_from(source) for source in header.get("sources", ())),
        retry=header.get("retry_unexpected", 0),
        allow_flaky=header.get("allow_flaky", False),
    )
    return _consistent(record)


def _consistent(record: Record) -> Record:
    """Refuses what no run writes: duplicate names and results, and results that the header does not announce.

    A record that lacks results is partial."""
    names, ids = [item.name for item in record.runtimes], [case.id for case in record.cases]
    for listed, what in ((names, "runtime"), (ids, "case")):
        if len(set(listed)) != len(listed):
            raise RecordError(f"the header lists a {what} twice")
    there = {runtime.name for runtime in record.present}
    known, seen = set(ids), set()
    for result in record.results:
        if result.case not in known or result.runtime not in there:
            raise RecordError(f"a result of {result.case} on {result.runtime}, which the header does not announce")
        if (result.case, result.runtime) in seen:
            raise RecordError(f"two results of {result.case} on {result.runtime}")
        seen.add((result.case, result.runtime))
    if record.missing and not record.partial:
        return replace(record, partial="results are missing")
    return record


def _runtime_from(value: Mapping[str, Any], named: bool) -> RuntimeInfo:
    reference = {} if named else {"reference": value["name"] == REFERENCE_BEFORE_3}
    return RuntimeInfo(**{**value, **reference, "program": tuple(value.get("program", ()))})


def _suite_json(suite: SuiteInfo) -> dict[str, Any]:
    groups = [vars(group) for group in suite.unsupported]
    return _drop(
        {
            **vars(suite),
            "kind": suite.kind.value,
            "absent": list(suite.absent),
            "unsupported": groups,
            "versions": list(suite.versions),
            "toolchains": dict(suite.toolchains),
            "shard": origin.shard_json(suite.shard),
        }
    )


def _suite_from(value: Mapping[str, Any]) -> SuiteInfo:
    return SuiteInfo(
        value.get("name", "p2"),
        Kind(value.get("kind", "case")),
        value.get("adapter", ""),
        tuple(value.get("absent", ())),
        tuple(Group(**group) for group in value.get("unsupported", ())),
        tuple(value.get("versions", ())),
        value.get("toolchains", {}),
        origin.shard_from(value.get("shard")),
    )


@functools.cache
def _schema(kind: str) -> dict[str, Any]:
    text = resources.files("assay").joinpath("schemas/results.schema.json").read_text(encoding="utf-8")
    return {"$ref": f"#/$defs/{kind}", "$defs": json.loads(text)["$defs"]}


@functools.cache
def _validator(kind: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(_schema(kind))


@functools.cache
def _accepts(kind: str) -> Callable[[object], object]:
    """Returns the schema as compiled Python, which takes a twentieth of the time. It raises an exception that says
    less than the validator does. The keywords of the schema mean the same in Draft 7. What a definition refers to is
    put in its place, because a call for each reference would take four times as long."""
    schema = _schema(kind)
    inside = {kind: _inlined(schema["$defs"][kind], schema["$defs"], (kind,))}
    compiled: Callable[[object], object] = fastjsonschema.compile(
        {"$schema": "http://json-schema.org/draft-07/schema#", "$ref": schema["$ref"], "$defs": inside}
    )
    return compiled


def _inlined(value: Any, definitions: Mapping[str, Any], inside: tuple[str, ...]) -> Any:
    """Returns a part of a schema with each reference replaced by its definition, but those to what it is inside of."""
    if isinstance(value, list):
        return [_inlined(item, definitions, inside) for item in value]
    if not isinstance(value, dict):
        return value
    name = str(value.get("$ref", "")).rpartition("/")[2]
    if name and name not in inside:
        return _inlined(definitions[name], definitions, (*inside, name))
    return {key: _inlined(item, definitions, inside) for key, item in value.items()}


def schema_problem(value: object) -> str:
    """Returns the schema's objection to one line, or an empty string."""
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in ("header", "result", "footer"):
        return f"type is {kind!r}, not header, result or footer"
    with contextlib.suppress(fastjsonschema.JsonSchemaException):
        _accepts(kind)(value)
        return ""
    error = next(iter(_validator(kind).iter_errors(value)), None)
    return f"{'/'.join(str(part) for part in error.absolute_path) or kind}: {error.message[:200]}" if error else ""


def _line(value: Mapping[str, object]) -> str:
    """Returns JSON on one line, also for readers that split at every Unicode line end."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return re.sub("[\x7f-\x9f\u2028\u2029]", lambda match: f"\\u{ord(match[0]):04x}", text)


def _drop(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not False and value not in ("", None, (), [], {})}


def _bytes_json(data: bytes) -> dict[str, str]:
    try:
        return {"text": data.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode("ascii")}


def _bytes_from(value: Mapping[str, str] | None) -> bytes:
    if value is None:
        return b""
    return value["text"].encode() if "text" in value else base64.b64decode(value["base64"])


def _case_json(case: CaseInfo) -> dict[str, Any]:
    return {
        "id": case.id,
        "kind": case.kind.value,
        "title": case.title,
        "notes": case.notes,
        "component": case.component,
        "sha256": case.sha256,
        "interfaces": list(case.interfaces),
        "stdin": _bytes_json(case.stdin),
        **_drop({"digest": case.digest, "built": case.built}),
        "checks": [_check_json(check) for check in case.checks],
        **({} if case.expect is None else {"expect": _expect_json(case.expect)}),
    }


def _expect_json(expect: Expect) -> dict[str, Any]:
    return {
        "exit": expect.exit,
        **_drop(
            {
                "trap": expect.trap,
                "trap_kind": expect.trap_kind,
                "refused": expect.refused.value if expect.refused else "",
                "stdout": _text_json(expect.stdout),
                "stderr": _text_json(expect.stderr),
                "files": [
                    {
                        "path": item.path,
                        **_drop(
                            {"content": _text_json(item.content), "absent": item.absent, "state": list(item.state)}
                        ),
                    }
                    for item in expect.files
                ],
                "wire": [_drop(vars(rule)) for rule in expect.wire],
                "bare": expect.bare,
            }
        ),
    }


def _expect_from(value: Mapping[str, Any]) -> Expect:
    files = tuple(
        FileExpectation(
            item["path"], _text_from(item.get("content", {})), item.get("absent", False), tuple(item.get("state", ()))
        )
        for item in value.get("files", ())
    )
    return Expect(
        value["exit"],
        value.get("trap", False),
        value.get("trap_kind", ""),
        Ending(value["refused"]) if "refused" in value else None,
        _text_from(value.get("stdout", {})),
        _text_from(value.get("stderr", {})),
        files,
        tuple(_rule_from(rule) for rule in value.get("wire", ())),
        value.get("bare", False),
    )


def _text_json(text: TextExpectation) -> dict[str, Any]:
    exact = {} if text.exact is None else {"exact": _bytes_json(text.exact)}
    return {**exact, **_drop({"contains": list(text.contains), "matches": list(text.matches)})}


def _text_from(value: Mapping[str, Any]) -> TextExpectation:
    exact = _bytes_from(value["exact"]) if "exact" in value else None
    return TextExpectation(exact, tuple(value.get("contains", ())), tuple(value.get("matches", ())))


def _check_json(check: Check) -> dict[str, Any]:
    value = {key: getattr(check, key) for key in ("id", "function", "since", "text")}
    return {**value, "level": check.level.value, **({"wire": _drop(vars(check.wire))} if check.wire else {})}


def _check_from(value: Mapping[str, Any]) -> Check:
    rule = value.get("wire")
    return Check(
        value["id"],
        Level(value["level"]),
        value["function"],
        value["since"],
        value["text"],
        _rule_from(rule) if rule else None,
    )


def _rule_from(rule: Mapping[str, Any]) -> WireRule:
    return WireRule(**{**rule, "matches": tuple(rule.get("matches", ())), "lacks": tuple(rule.get("lacks", ()))})


def _case_from(value: Mapping[str, Any]) -> CaseInfo:
    checks = tuple(_check_from(check) for check in value["checks"])
    return CaseInfo(
        value["id"],
        value["title"],
        value["notes"],
        value["component"],
        value["sha256"],
        tuple(value["interfaces"]),
        checks,
        _bytes_from(value["stdin"]),
        value.get("digest", ""),
        Kind(value.get("kind", "case")),
        _expect_from(value["expect"]) if "expect" in value else None,
        value.get("built", ""),
    )


def _result_json(result: CaseResult) -> dict[str, Any]:
    seen, outcome = result.observation, result.observation.outcome
    return {
        "type": "result",
        "kind": result.kind.value,
        "case": result.case,
        "runtime": result.runtime,
        "verdict": result.verdict.value,
        **_drop({"reason": result.reason, "whole": list(result.whole)}),
        "outcome": _drop({**vars(outcome), "ending": outcome.ending.value, "imports": list(outcome.imports)}),
        "argv": list(seen.argv),
        **_drop({"cwd": seen.cwd, "env": dict(seen.env), "normalised": list(seen.normalised)}),
        **_drop({"cut": [_drop(vars(item)) for item in seen.cut]}),
        "wall": round(seen.wall, 6),
        "cpu": round(seen.cpu, 6),
        "peak_rss_kib": seen.peak_rss_kib,
        "stdout": _bytes_json(seen.stdout),
        "stderr": _bytes_json(seen.stderr),
        "rest": _bytes_json(result.rest),
        **_drop({"trace": seen.trace}),
        **({"leftovers": True} if seen.leftovers else {}),
        "files": [{"path": path, **({} if data is None else _bytes_json(data))} for path, data in seen.contents],
        "tree": [_drop(vars(state)) for state in seen.tree],
        **_drop({"wire": [_exchange_json(exchange) for exchange in seen.wire], "named": list(seen.named)}),
        **_drop({"commands": _commands_json(seen.commands)}),
        "units": [_unit_json(unit) for unit in result.units if not _implied(unit, result)],
        **_drop({"attempts": [_result_json(attempt) for attempt in result.attempts]}),
    }


def _exchange_json(exchange: Exchange) -> dict[str, Any]:
    return {
        "name": exchange.name,
        "ended": exchange.ended,
        **_drop({"methods": list(exchange.methods)}),
        **_bytes_json(exchange.data),
    }


def _exchange_from(value: Mapping[str, Any]) -> Exchange:
    return Exchange(value["name"], _bytes_from(value), value["ended"], tuple(value.get("methods", ())))


def _commands_json(commands: Sequence[CommandSeen]) -> list[dict[str, Any]]:
    """Groups neighbours with the same status and message: a script has hundreds of commands that pass."""
    return [
        {"status": status, **_drop({"message": message}), "ids": [command.id for command in group]}
        for (status, message), group in itertools.groupby(commands, lambda command: (command.status, command.message))
    ]


def _commands_from(groups: Iterable[Mapping[str, Any]]) -> tuple[CommandSeen, ...]:
    return tuple(_command(id, group["status"], group.get("message", "")) for group in groups for id in group["ids"])


@functools.lru_cache(maxsize=1 << 16)
def _command(name: str, status: str, message: str) -> CommandSeen:
    """Returns one of the same objects: most scripts have commands on the same lines, which pass."""
    return CommandSeen(name, status, message)


@functools.lru_cache(maxsize=1 << 16)
def _command_unit(name: str, status: str, message: str) -> UnitResult:
    """Returns the unit that a command implies."""
    passed = {"pass": Verdict.PASS, "skip": Verdict.SKIP}
    return UnitResult(name, passed.get(status, Verdict.FAIL), message)


def _implied(unit: UnitResult, result: CaseResult) -> bool:
    """Returns whether `commands` implies a unit: it passed or was skipped, and nothing was announced for
    it."""
    return (
        result.kind is Kind.SCRIPT
        and unit.verdict in (Verdict.PASS, Verdict.SKIP)
        and unit.expected is None
        and not result.reason
    )


def units_from(value: Mapping[str, Any]) -> tuple[UnitResult, ...]:
    """Returns the units of a result, which is a line of a record as JSON."""
    return _units_from(value, _commands_from(value.get("commands", ())))


def _units_from(value: Mapping[str, Any], commands: Sequence[CommandSeen]) -> tuple[UnitResult, ...]:
    units = tuple(_unit_from(unit) for unit in value["units"])
    written = {unit.id: unit for unit in units}
    seen = {item.id for item in commands}
    return (
        *(written.get(item.id) or _command_unit(item.id, item.status, item.message) for item in commands),
        *(unit for unit in units if unit.id not in seen),  # of a script that was not run, or of another attempt
    )


def _unit_json(unit: UnitResult) -> dict[str, Any]:
    value: dict[str, Any] = {"id": unit.id, "verdict": unit.verdict.value, **_drop({"detail": unit.detail})}
    if unit.value is not None:
        value["value"] = unit.value
    if unit.expected is not None:
        value["expected"] = {
            "statuses": [status.value for status in unit.expected.statuses],
            "reason": unit.expected.reason,
            **_drop({"link": unit.expected.link, "word": unit.expected.word, "kind": unit.expected.kind}),
        }
    verdicts = [verdict.value for verdict in unit.verdicts]
    return {**value, **_drop({"word": unit.word, "unexpected": unit.unexpected, "verdicts": verdicts})}


def _result_from(value: Mapping[str, Any]) -> CaseResult:
    raw, commands = value["outcome"], _commands_from(value.get("commands", ()))
    outcome = Outcome(
        Ending(raw["ending"]),
        raw.get("status"),
        raw.get("kind", ""),
        raw.get("message", ""),
        tuple(raw.get("imports", ())),
    )
    seen = Observation(
        outcome=outcome,
        argv=tuple(value["argv"]),
        env=tuple(value.get("env", {}).items()),
        cwd=value.get("cwd", ""),
        cut=tuple(Cut(item["name"], item["size"], item.get("sha256", "")) for item in value.get("cut", ())),
        normalised=tuple(value.get("normalised", ())),
        stdout=_bytes_from(value["stdout"]),
        stderr=_bytes_from(value["stderr"]),
        trace=value.get("trace", ""),
        wall=value["wall"],
        cpu=value["cpu"],
        peak_rss_kib=value["peak_rss_kib"],
        contents=tuple((item["path"], None if len(item) == 1 else _bytes_from(item)) for item in value["files"]),
        tree=tuple(FileState(**state) for state in value["tree"]),
        leftovers=value.get("leftovers", False),
        wire=tuple(_exchange_from(item) for item in value.get("wire", ())),
        named=tuple(value.get("named", ())),
        commands=commands,
    )
    return CaseResult(
        value["case"],
        value["runtime"],
        Verdict(value["verdict"]),
        _units_from(value, commands),
        seen,
        _bytes_from(value["rest"]),
        value.get("reason", ""),
        Kind(value.get("kind", "case")),
        tuple(value.get("whole", ())),
        tuple(_result_from(attempt) for attempt in value.get("attempts", ())),
    )


VERDICTS = {verdict.value: verdict for verdict in Verdict}


@functools.lru_cache(maxsize=1 << 16)
def _plain_unit(name: str, verdict: str, detail: str) -> UnitResult:
    """Returns one of the same objects: most units have nothing else, and many runtimes have the same ones."""
    return UnitResult(name, VERDICTS[verdict], detail)


def _unit_from(value: Mapping[str, Any]) -> UnitResult:
    if len(value) == 2 + ("detail" in value):
        return _plain_unit(value["id"], value["verdict"], value.get("detail", ""))
    raw = value.get("expected")
    expected = None
    if raw is not None:
        expected = Expected(
            tuple(VERDICTS[status] for status in raw["statuses"]),
            raw["reason"],
            raw.get("link", raw.get("issue", "")),
            raw.get("word", ""),
            raw.get("kind", ""),
        )
    return UnitResult(
        value["id"],
        VERDICTS[value["verdict"]],
        value.get("detail", ""),
        value.get("value"),
        expected,
        value.get("unexpected", False),
        value.get("word", ""),
        tuple(Verdict(verdict) for verdict in value.get("verdicts", ())),
    )
