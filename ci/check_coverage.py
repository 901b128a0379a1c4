#!/usr/bin/env python3
"""Checks that every WASI function is called, with its outcome checked, by some case, and every error code shown.

Usage: ci/check_coverage.py [--table | RESULTS.JSONL]
Without a record: each function of runtime/wasi/wit must be the `function` of a [[check]] whose component imports it, or
belong to an interface that a case is about which checks by its ending alone (its [expect] and what its component imports).
Each of them, and the drop of each resource, must also have a check of level must. --table prints the checks of each by level.
With a record of `assay run`: touchstone's traces must hold a call of each of those functions, and each error-code of
wasi:filesystem/types and of wasi:sockets/network (as the result of a call) and both stream errors. A trace that is too long
for a record is cut there: the functions of that case's passing checks count as called.
ci/coverage.tsv lists what no case shows, and why: a function, an interface with .*, code:NAME or net:NAME; and must:FUNCTION of
which the text requires nothing. A row that is not needed any more is an error too.
"""
from __future__ import annotations

import json
import re
import sys
import tomllib
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "runtime/wasi/gen"))
import witparse

sys.path.insert(0, str(ROOT / "harness"))
from assay.model import Level, names

EXEMPT = ROOT / "ci/coverage.tsv"
BUILT = ROOT / "fixtures/built"
RESULT_CODE = re.compile(r"\berr\(([a-z-]+)\)")
NO_CALL = ": touchstone's traces show no call of it"
NO_CODE = ": no case shows it"
SOME_NET_CODE = re.compile(r"\bnetwork-error-code\(.*-> some\(([a-z-]+)\)")
SOME_CODE = re.compile(r"\bfilesystem-error-code\(.*-> some\(([a-z-]+)\)")


@dataclass(frozen=True)
class Claim:
    """One case says that it shows a function."""

    case: str
    function: str


@cache
def component(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def imports(data: bytes, function: str) -> bool:
    """Whether a component's bytes name the interface, and the function after it."""
    interface, _, name = function.partition(".")
    if interface == "wasi:cli/run":
        return b"wasi:cli/run@0.2." in data
    return f"{interface}@0.2.".encode() in data and name.encode() in data


def functions() -> dict[str, str]:
    """Every function, and the feature that it is unstable in."""
    packages = witparse.read(ROOT / "runtime/wasi/wit")
    return {f"{i.full_name}.{f.full_name}": f.gate.unstable for i in packages.interfaces.values() for f in i.funcs}


def error_codes(package: str = "filesystem") -> list[str]:
    text = (ROOT / f"runtime/wasi/wit/{package}.wit").read_text()
    body = text[text.index("enum error-code {"):]
    return re.findall(r"^\s+([a-z-]+),$", body[: body.index("}")], re.M)


def claims(known: dict[str, str]) -> list[Claim]:
    out: list[Claim] = []
    for path in sorted((ROOT / "suites/p2").rglob("case.toml")):
        case = tomllib.loads(path.read_text())
        name = path.parent.relative_to(ROOT / "suites").as_posix()
        data = component(path.parent / case["component"]) or component(BUILT / case["component"])
        checked = {check["function"] for check in case.get("check", [])}
        if not case.get("check"):  # the ending says it all
            checked |= {f for f in known if f.partition(".")[0] in case["interfaces"]}
        out += [Claim(name, f) for f in checked if f in known and imports(data, f)]
    return out


def drops() -> list[str]:
    """The drop of every resource."""
    return [f"{i}.{f}" for i, functions in names.table().items() for f in functions if f.startswith("[resource-drop]")]


def levels() -> dict[str, Counter[Level]]:
    """How many checks of each level a function has."""
    found: dict[str, Counter[Level]] = defaultdict(Counter)
    for path in (ROOT / "suites/p2").rglob("case.toml"):
        for check in tomllib.loads(path.read_text("utf-8")).get("check", []):
            found[check["function"]][Level(check["level"])] += 1
    return found


def print_table(counts: dict[str, Counter[Level]], functions: list[str]) -> None:
    print(f"{'must':>6}{'should':>8}{'unspecified':>13}  function")
    for function in functions:
        must, should, unspecified = (counts[function][level] for level in Level)
        print(f"{must:6}{should:8}{unspecified:13}  {function}")
    must, should, unspecified = (sum(counts[f][level] for f in functions) for level in Level)
    print(f"{must:6}{should:8}{unspecified:13}  all {len(functions)}, of which {sum('[resource-drop]' in f for f in functions)} are drops")


def judge_levels(rows: dict[str, str], counts: dict[str, Counter[Level]], functions: list[str]) -> list[str]:
    """Which functions have no check of level must; and rows that say so of one that has."""
    bare = {function for function in functions if not counts[function][Level.MUST]}
    excused = {row.removeprefix("must:") for row in rows if row.startswith("must:")}
    problems = [f"{function}: no check of level must" for function in functions if function in bare - excused]
    return problems + [f"must:{f}: ci/coverage.tsv says that it has no check of level must" for f in sorted(excused - bare)]


def exemptions() -> dict[str, str]:
    rows: dict[str, str] = {}
    for line in EXEMPT.read_text().splitlines():
        if line and not line.startswith("#"):
            what, _, why = line.partition("\t")
            rows[what] = why
    return rows


def exempt(rows: dict[str, str], function: str) -> str | None:
    """The row that lets a function off."""
    whole = function.partition(".")[0] + ".*"
    return function if function in rows else whole if whole in rows else None


def judge_claims(rows: dict[str, str], known: dict[str, str]) -> list[str]:
    problems: list[str] = []
    shown = {claim.function for claim in claims(known)}
    for function in known:
        row = exempt(rows, function)
        if function not in shown and row is None:
            problems.append(f"{function}: no case checks what it does")
        if function in shown and row == function:
            problems.append(f"{function}: ci/coverage.tsv says that no case shows it, but one does")
    for row, why in rows.items():
        if not why.strip():
            problems.append(f"{row}: ci/coverage.tsv gives no reason")
        if row.startswith("code:"):
            if row.removeprefix("code:") not in error_codes():
                problems.append(f"{row}: there is no such error-code")
        elif row.startswith("net:"):
            if row.removeprefix("net:") not in error_codes("sockets"):
                problems.append(f"{row}: there is no such error-code")
        elif row.startswith("must:"):
            pass  # judge_levels
        elif row not in known and not any(function.startswith(row.removesuffix("*")) for function in known):
            problems.append(f"{row}: there is no such function")
    return problems


def judge_traces(rows: dict[str, str], known: dict[str, str], record: Path) -> tuple[list[str], list[str]]:
    """What is missing from the traces; and what is only so because a case was left out on this machine."""
    called: set[str] = set()
    codes: set[str] = set()
    skipped: set[str] = set()
    functions: dict[tuple[str, str], str] = {}
    wanted = {(f.partition(".")[0], f.partition(".")[2]): f for f in known}
    for line in record.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["type"] == "header":
            functions = {(c["id"], check["id"]): check["function"] for c in row["cases"] for check in c["checks"]}
        if row["type"] != "result" or row["runtime"] != "touchstone":
            continue
        if any(cut["name"] == "trace" for cut in row.get("cut", ())):
            # A record keeps the beginning of a long trace. What the guest reported on, it has called.
            passed = [unit["id"] for unit in row["units"] if unit["verdict"] == "PASS"]
            called.update(functions[row["case"], i] for i in passed if (row["case"], i) in functions)
        if row["verdict"] == "SKIP" and not any("is not built" in (unit.get("detail") or "") for unit in row["units"]):
            skipped.add(row["case"])
        for call in (row.get("trace") or "").splitlines():
            head, _, rest = call.partition(" ")
            interface, name = head.partition("@")[0], rest.partition("(")[0]
            if (interface, name) in wanted:
                called.add(wanted[interface, name])
            if interface == "wasi:filesystem/types":
                codes.update(RESULT_CODE.findall(call) + SOME_CODE.findall(call))
            if interface.startswith("wasi:sockets/"):
                codes.update(f"net:{code}" for code in RESULT_CODE.findall(call) + SOME_NET_CODE.findall(call))
            if interface == "wasi:io/streams":
                codes.update(f"stream-error.{word}" for word in ("closed", "last-operation-failed") if f"err({word}" in rest)
    called.add("wasi:cli/run.run")  # not a call of the guest: what the run itself is
    if "wasi:http/types.[static]response-outparam.set" in called:  # as is this; only it is given one to set
        called.add("wasi:http/incoming-handler.handle")
    problems = []
    for function in known:
        if function not in called and exempt(rows, function) is None:
            problems.append(f"{function}{NO_CALL}")
    for code in [*error_codes(), "stream-error.closed", "stream-error.last-operation-failed"]:
        if code not in codes and f"code:{code}" not in rows:
            problems.append(f"error-code {code}{NO_CODE}")
        if code in codes and f"code:{code}" in rows:
            problems.append(f"code:{code}: ci/coverage.tsv says that no case shows it, but one does")
    for code in (f"net:{name}" for name in error_codes("sockets")):
        if code not in codes and code not in rows:
            problems.append(f"error-code {code}{NO_CODE}")
        if code in codes and code in rows:
            problems.append(f"{code}: ci/coverage.tsv says that no case shows it, but one does")
    if not skipped:
        return problems, []
    excused = [problem for problem in problems if problem.endswith(NO_CALL) or problem.endswith(NO_CODE)]
    return [problem for problem in problems if problem not in excused], excused


def main(argv: list[str]) -> int:
    rows, known = exemptions(), functions()
    excused: list[str] = []
    every = [*known, *drops()]
    if argv == ["--table"]:
        print_table(levels(), every)
        return 0
    if argv:
        problems, excused = judge_traces(rows, known, Path(argv[0]))
    else:
        problems = judge_claims(rows, known) + judge_levels(rows, levels(), every)
    for problem in problems:
        print(f"coverage: {problem}")
    for line in excused:
        print(f"coverage: {line} (cases are skipped on this machine)")
    if not problems:
        print(f"coverage: {len(known)} functions, {len(every) - len(known)} drops, {len(error_codes())} error codes of files, {len(error_codes('sockets'))} of the network; {len(rows)} rows in ci/coverage.tsv")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
