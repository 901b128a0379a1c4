"""The record of a run: JSON lines with a header first and a footer last; everything else is derived from it.

In and out: `Record` <-> results.jsonl (schema: schemas/results.schema.json). A file without its footer, or with one that says so,
is the record of a run that was interrupted: `Record.partial` says why, and it is never green.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema

from .. import __version__
from ..model import (
    Absent,
    Case,
    CaseResult,
    Cut,
    Ending,
    Expected,
    FileState,
    Level,
    Observation,
    Outcome,
    Peer,
    UnitResult,
    Verdict,
    interface_of,
    package_of,
)
from .settle import NORMALISED, OUTPUT_LIMIT, TEXT_LIMIT, TRACE_LIMIT

SCHEMA = "assay-results/2"
"""Version 1 is read as well: it lacks what came with 2."""
STDIN_LIMIT = 64 << 10


class RecordError(Exception):
    """A record that cannot be read."""


@dataclass(frozen=True)
class RuntimeInfo:
    name: str
    version: str = ""
    absent: str = ""
    note: str = ""
    program: tuple[str, ...] = ()
    digest: str = ""
    """SHA-256 of the program's files: a version alone does not tell two builds apart."""

    @property
    def identity(self) -> tuple[str, str, str]:
        return self.version, self.note, self.digest


@dataclass(frozen=True)
class CheckInfo:
    id: str
    level: Level
    function: str
    since: str
    text: str

    @property
    def interface(self) -> str:
        return interface_of(self.function)

    @property
    def package(self) -> str:
        return package_of(self.interface)


@dataclass(frozen=True)
class CaseInfo:
    """What a record keeps of a case, so that a report needs no case files."""

    id: str
    title: str
    notes: str
    component: str
    sha256: str
    interfaces: tuple[str, ...]
    checks: tuple[CheckInfo, ...]
    stdin: bytes = b""
    digest: str = ""
    """Of what defines the case besides its component."""

    @property
    def identity(self) -> tuple[str, str]:
        return self.sha256, self.digest

    def check(self, check_id: str) -> CheckInfo | None:
        return next((check for check in self.checks if check.id == check_id), None)


@dataclass(frozen=True)
class Record:
    started: str
    finished: str
    harness: str
    strict: bool
    gate: tuple[str, ...]
    runtimes: tuple[RuntimeInfo, ...]
    cases: tuple[CaseInfo, ...]
    results: tuple[CaseResult, ...]
    stale: tuple[str, ...] = ()
    partial: str = ""
    """Why this is not the whole record; empty when it is."""
    trace: bool = True
    timeout_factor: float = 1.0

    @property
    def present(self) -> tuple[RuntimeInfo, ...]:
        return tuple(runtime for runtime in self.runtimes if not runtime.absent)

    def result(self, case: str, runtime: str) -> CaseResult | None:
        return self._index.get((case, runtime))

    @functools.cached_property
    def _index(self) -> dict[tuple[str, str], CaseResult]:
        return {(result.case, result.runtime): result for result in self.results}

    @property
    def missing(self) -> tuple[tuple[str, str], ...]:
        """The runs, case and runtime, that a whole record would have."""
        pairs = ((case.id, runtime.name) for case in self.cases for runtime in self.present)
        return tuple(pair for pair in pairs if pair not in self._index)


def runtime_info(peer: Peer | Absent) -> RuntimeInfo:
    if isinstance(peer, Absent):
        return RuntimeInfo(peer.name, absent=peer.reason)
    digest = hashlib.sha256()
    for word in peer.program:
        if Path(word).is_file():
            with Path(word).open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return RuntimeInfo(peer.name, peer.version, "", peer.note, peer.program, digest.hexdigest())


def case_info(case: Case) -> CaseInfo:
    digest = hashlib.sha256(case.component.read_bytes()).hexdigest() if case.component.is_file() else ""
    checks = tuple(CheckInfo(check.id, check.level, check.function, check.since, check.text) for check in case.checks)
    return CaseInfo(
        case.id, case.title, case.notes, case.component.name, digest, case.interfaces, checks,
        case.run.stdin[:STDIN_LIMIT], case.digest,
    )  # fmt: skip


def changes(old: Record, new: Record) -> tuple[str, ...]:
    """Why results of the one cannot stand beside those of the other; none when they can."""
    found = [] if old.harness == new.harness else [f"harness: {old.harness}, now {new.harness}"]
    runtimes = {item.name: item for item in new.runtimes}
    cases = {case.id: case for case in new.cases}
    for runtime in old.runtimes:
        found += _runtime_changes(runtime, runtimes.get(runtime.name))
    for case in old.cases:
        found += _case_changes(case, cases.get(case.id))
    return tuple(found)


def run_changes(old: Record, case: CaseInfo, runtime: RuntimeInfo) -> tuple[str, ...]:
    """What of one run is not as in the record any more."""
    before = next(item for item in old.cases if item.id == case.id)
    there = next(item for item in old.runtimes if item.name == runtime.name)
    return (*_case_changes(before, case), *_runtime_changes(there, runtime))


def _runtime_changes(old: RuntimeInfo, new: RuntimeInfo | None) -> list[str]:
    if new is None or bool(old.absent) != bool(new.absent):
        return [
            f"{old.name}: {'was absent' if old.absent else old.version}, now {'there' if new and not new.absent else 'absent'}"
        ]
    if old.identity == new.identity or old.absent:
        return []
    if (old.version, old.note) == (new.version, new.note):
        return (
            [] if not old.digest else [f"{old.name}: the program is another ({old.digest[:12]}, now {new.digest[:12]})"]
        )
    words = [" ".join(part for part in (item.version, item.note) if part) for item in (old, new)]
    return [f"{old.name}: {words[0]}, now {words[1]}"]


def _case_changes(old: CaseInfo, new: CaseInfo | None) -> list[str]:
    if new is None:
        return [f"{old.id}: is not there any more"]
    if old.sha256 != new.sha256:
        return [f"{old.id}: the component {new.component} is another"]
    return [f"{old.id}: the case is defined otherwise"] if old.digest and old.digest != new.digest else []


def still_true(old: Record, new: Record) -> tuple[CaseResult, ...]:
    """The results of the one record that are also those of the other."""
    if old.harness != new.harness:
        return ()
    runtimes = {item.name: item for item in new.present}
    cases = {case.id: case for case in new.cases}
    good_runtimes = {item.name for item in old.present if not _runtime_changes(item, runtimes.get(item.name))}
    good_cases = {case.id for case in old.cases if not _case_changes(case, cases.get(case.id))}
    return tuple(result for result in old.results if result.runtime in good_runtimes and result.case in good_cases)


def lines(record: Record) -> Iterable[str]:
    """The record as lines of JSON."""
    yield _line(
        {
            "type": "header",
            "schema": SCHEMA,
            "harness": record.harness,
            "started": record.started,
            "strict": record.strict,
            "trace": record.trace,
            "timeout_factor": record.timeout_factor,
            "normalised": NORMALISED,
            "limits": {"text": TEXT_LIMIT, "output": OUTPUT_LIMIT, "trace": TRACE_LIMIT},
            "gate": list(record.gate),
            "runtimes": [_drop(vars(runtime)) for runtime in record.runtimes],
            "cases": [_case_json(case) for case in record.cases],
            "stale": list(record.stale),
        }
    )
    for result in record.results:
        yield _line(_result_json(result))
    counts = {verdict.value: sum(result.verdict is verdict for result in record.results) for verdict in Verdict}
    footer = {"type": "footer", "finished": record.finished, "results": len(record.results), "verdicts": counts}
    yield _line({**footer, **_drop({"partial": record.partial})})


def write(record: Record, path: Path) -> None:
    """The whole record at once; a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".part")
    with fresh.open("w", encoding="utf-8") as file:
        for line in lines(record):
            file.write(line + "\n")
    fresh.replace(path)


class Log:
    """results.jsonl while a run lasts: the header and the results that there are at once, each other as it comes. Without a
    footer, so a run that is killed leaves a partial record; at the end `write` puts the whole one in its place."""

    def __init__(self, begun: Record, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".part")
        self._file = fresh.open("w", encoding="utf-8")
        for line in itertools.islice(lines(begun), 1 + len(begun.results)):
            self._put(line)
        fresh.replace(path)  # an earlier record is there until this one holds as much

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
    except (OSError, UnicodeDecodeError) as error:
        raise RecordError(f"{path}: {error}") from None
    try:
        return parse(text.removesuffix("\n").split("\n") if text else [])
    except RecordError as error:
        raise RecordError(f"{path}: {error}") from None


def parse(texts: Sequence[str]) -> Record:
    """A record from its lines; each line is checked against the schema. A last line that ends within JSON was being written."""
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
    footer = objects[-1] if objects[-1]["type"] == "footer" else None
    middle = objects[1:-1] if footer is not None else objects[1:]
    if any(value["type"] != "result" for value in middle):
        raise RecordError("a header or footer stands among the results")
    if footer is not None and footer["results"] != len(middle):
        raise RecordError(f"the footer counts {footer['results']} results, there are {len(middle)}")
    record = Record(
        started=header["started"],
        finished=footer["finished"] if footer is not None else "",
        harness=header["harness"],
        strict=header["strict"],
        gate=tuple(header["gate"]),
        runtimes=tuple(_runtime_from(runtime) for runtime in header["runtimes"]),
        cases=tuple(_case_from(case) for case in header["cases"]),
        results=tuple(_result_from(value) for value in middle),
        stale=tuple(header["stale"]),
        partial=footer.get("partial", "") if footer is not None else "the record has no footer: its run was cut off",
        trace=header.get("trace", True),
        timeout_factor=header.get("timeout_factor", 1.0),
    )
    return _consistent(record)


def _consistent(record: Record) -> Record:
    """What no run leaves: names twice, results of nothing, results twice, results that are missing and nobody says so."""
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


def _runtime_from(value: Mapping[str, Any]) -> RuntimeInfo:
    return RuntimeInfo(**{**value, "program": tuple(value.get("program", ()))})


@functools.cache
def _validator(kind: str) -> jsonschema.Draft202012Validator:
    text = resources.files("assay").joinpath("schemas/results.schema.json").read_text(encoding="utf-8")
    return jsonschema.Draft202012Validator({"$ref": f"#/$defs/{kind}", "$defs": json.loads(text)["$defs"]})


def schema_problem(value: object) -> str:
    """What the schema has against one line; empty when nothing."""
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in ("header", "result", "footer"):
        return f"type is {kind!r}, not header, result or footer"
    error = next(iter(_validator(kind).iter_errors(value)), None)
    return f"{'/'.join(str(part) for part in error.absolute_path) or kind}: {error.message[:200]}" if error else ""


def _line(value: Mapping[str, object]) -> str:
    """One line also for those who split at every Unicode line end."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return re.sub("[\x7f-\x9f\u2028\u2029]", lambda match: f"\\u{ord(match[0]):04x}", text)


def _drop(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in ("", None, (), [], {})}


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
        "title": case.title,
        "notes": case.notes,
        "component": case.component,
        "sha256": case.sha256,
        "interfaces": list(case.interfaces),
        "stdin": _bytes_json(case.stdin),
        **_drop({"digest": case.digest}),
        "checks": [{**vars(check), "level": check.level.value} for check in case.checks],
    }


def _case_from(value: Mapping[str, Any]) -> CaseInfo:
    checks = tuple(CheckInfo(**{**check, "level": Level(check["level"])}) for check in value["checks"])
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
    )


def _result_json(result: CaseResult) -> dict[str, Any]:
    seen, outcome = result.observation, result.observation.outcome
    return {
        "type": "result",
        "case": result.case,
        "runtime": result.runtime,
        "verdict": result.verdict.value,
        **_drop({"reason": result.reason}),
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
        "units": [_unit_json(unit) for unit in result.units],
    }


def _unit_json(unit: UnitResult) -> dict[str, Any]:
    value: dict[str, Any] = {"id": unit.id, "verdict": unit.verdict.value, **_drop({"detail": unit.detail})}
    if unit.value is not None:
        value["value"] = unit.value
    if unit.expected is not None:
        value["expected"] = {
            "statuses": [status.value for status in unit.expected.statuses],
            "reason": unit.expected.reason,
            **_drop({"issue": unit.expected.issue}),
        }
    if unit.unexpected:
        value["unexpected"] = True
    return value


def _result_from(value: Mapping[str, Any]) -> CaseResult:
    raw = value["outcome"]
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
    )
    return CaseResult(
        value["case"],
        value["runtime"],
        Verdict(value["verdict"]),
        tuple(_unit_from(unit) for unit in value["units"]),
        seen,
        _bytes_from(value["rest"]),
        value.get("reason", ""),
    )


def _unit_from(value: Mapping[str, Any]) -> UnitResult:
    raw = value.get("expected")
    expected = None
    if raw is not None:
        expected = Expected(tuple(Verdict(status) for status in raw["statuses"]), raw["reason"], raw.get("issue", ""))
    return UnitResult(
        value["id"],
        Verdict(value["verdict"]),
        value.get("detail", ""),
        value.get("value"),
        expected,
        value.get("unexpected", False),
    )


def harness_version() -> str:
    return f"assay {__version__}"


def with_verdict(earlier: Record, verdicts: Sequence[str], runtimes: Sequence[str] = ()) -> frozenset[str]:
    """Cases that had such a verdict, as a whole or in a unit."""
    return frozenset(
        result.case
        for result in earlier.results
        if (not runtimes or result.runtime in runtimes)
        and (
            ({result.verdict.value} | {unit.verdict.value for unit in result.units}) & set(verdicts)
            or ("unexpected" in verdicts and result.unexpected)
        )
    )
