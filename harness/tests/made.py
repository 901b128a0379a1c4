"""Artificial records for the tests."""

from __future__ import annotations

import json
import re
from typing import Any

from assay.model import (
    EXPECT_UNIT,
    CaseResult,
    Check,
    Ending,
    FileState,
    Level,
    Observation,
    Outcome,
    UnitResult,
    Verdict,
)
from assay.record import CaseInfo, Record, RuntimeInfo

CHECK = "cli.environment.get-arguments.order"
CHOICE = "cli.environment.initial-cwd.default"


def case_info(case_id: str = "p2/cli/arguments", checks: bool = True) -> CaseInfo:
    return CaseInfo(
        case_id,
        "Arguments <arrive> & stay",
        "",
        "a.wasm",
        "a" * 64,
        ("wasi:cli/environment",),
        (
            Check(CHECK, Level.MUST, "wasi:cli/environment.get-arguments", "0.2.0", "Get the <arguments>."),
            Check(CHOICE, Level.UNSPECIFIED, "wasi:cli/environment.initial-cwd", "0.2.0", "Silent."),
        )
        if checks
        else (),
        built="0.2.0",
    )


def result(
    runtime: str,
    case: str = "p2/cli/arguments",
    verdict: Verdict = Verdict.PASS,
    value: str = "none",
    rest: bytes = b"alpha\nbeta\ngamma\n",
    trace: str = "",
    unexpected: bool = False,
) -> CaseResult:
    units = (
        UnitResult(CHECK, verdict, "" if verdict is Verdict.PASS else "expected <b>, got c", None, None, unexpected),
        UnitResult(CHOICE, Verdict.PASS, "", value),
        UnitResult(EXPECT_UNIT, Verdict.PASS, "exited 0"),
    )
    seen = Observation(
        Outcome(Ending.EXITED, 0),
        (f"/bin/{runtime}", "run", "a b.wasm", "<x>"),
        rest,
        b"\xff\xfe\x00warn\x1b[31m\n",
        trace,
        0.0123,
        0.01,
        5120,
        (("/d/out", b"x"), ("/d/gone", None)),
        (FileState("/d/out", "file", 1, "b" * 64), FileState("/d/l", "link", 0, "out")),
    )
    return CaseResult(case, runtime, verdict, units, seen, rest)


def record(*results: CaseResult) -> Record:
    made = results or (
        result("touchstone", trace='wasi:cli/environment@0.2.0 get-arguments() -> ["<x>"]\n'),
        result("wasmtime"),
        result("jco", verdict=Verdict.FAIL, value="/home", rest=b"alpha\nBETA\ngamma\ndelta\n", unexpected=True),
    )
    names = list(dict.fromkeys(item.runtime for item in made))
    runtimes = (
        *(RuntimeInfo(name, f"{name} 1.0") for name in names),
        RuntimeInfo("wasmtime-py", absent="not <installed>"),
    )
    infos = tuple(case_info(case) for case in dict.fromkeys(item.case for item in made))
    return Record(
        "2026-11-21T00:00:00+00:00",
        "2026-11-21T00:00:01+00:00",
        "assay test",
        False,
        ("touchstone",),
        runtimes,
        infos,
        made,
    )


def data_of(page: str) -> dict[str, Any]:
    """Returns the data of a report page."""
    text = page.partition('<script id="data" type="application/json">')[2].partition("</script>")[0]
    data: dict[str, Any] = json.loads(text)
    return data


def target(case_id: str) -> str:
    """Returns the id of the entry of a case, or of a variant, on the page."""
    return "case-" + re.sub("[/@]", "-", case_id)


def dangling(page: str) -> set[str]:
    """Returns the links on a page that lead nowhere. The script makes the entries of variants, and those of pairs of
    runtimes."""
    shown, data = page.partition("<script")[0], data_of(page)
    ids = re.findall(r'id="([^"]+)"', shown)
    assert len(set(ids)) == len(ids)
    variants = [variant["id"] for case in data["cases"] for variant in case.get("variants", ())]
    count = range(len(data["runtimes"]))
    scripted = {target(data["texts"][i]) for i in variants} | {f"pair-{a}-{b}" for a in count for b in count if a != b}
    return set(re.findall(r'href="#([^"]+)"', shown)) - set(ids) - scripted


def many(runtimes: int = 4, cases: int = 12, checks: int = 10, versions: tuple[str, ...] = ()) -> Record:
    """Returns a record of so many runtimes, cases, and checks in each case, with every verdict and level in it.

    `versions` are those of the variants of each second case. The case itself is of 0.2.0."""
    verdicts = list(Verdict)
    levels = (Level.MUST, Level.MUST, Level.MUST, Level.SHOULD, Level.UNSPECIFIED)
    names = [f"runtime-{n}" for n in range(runtimes)]
    infos, results = [], []
    for number in range(cases):
        interface = f"wasi:package-{number % 5}/interface-{number % 15}"
        told = tuple(
            Check(
                f"package.function-{n}.requirement-{number // 2}-{n}",
                levels[n % len(levels)],
                f"{interface}.[method]thing.function-{n % 4}",
                "0.2.0",
                f"a call number {n} of a function with some arguments, in a state that case {number} made: it returns ok",
            )
            for n in range(checks)
        )
        own = f"p2/package-{number % 5}/case-{number}"
        ids = [own, *(f"{own}@{version}" for version in (versions if number % 2 else ()))]
        for place, case in enumerate(ids):
            info = CaseInfo(case, f"Case {number}", "", "a.wasm", "a" * 64, (interface,), told, built="0.2.0")
            infos.append(info)
            for r, name in enumerate(names):
                picked = [
                    verdicts[(number * 7 + n * 3 + r + place) % 16]
                    if (number * 7 + n * 3 + r + place) % 16 < len(verdicts)
                    else Verdict.PASS
                    for n in range(checks + 1)
                ]
                units = [
                    UnitResult(
                        check.id,
                        verdict,
                        "" if verdict is Verdict.PASS else f"expected ok, got {verdict.value} on {name}",
                        f"value {(r + n) % 3}" if check.level is Level.UNSPECIFIED and verdict is Verdict.PASS else None,
                        None,
                        verdict is Verdict.FAIL and r == 0,
                    )
                    for n, (check, verdict) in enumerate(zip(told, picked, strict=False))
                ]
                units.append(UnitResult(EXPECT_UNIT, picked[-1], "exited 0"))
                seen = Observation(Outcome(Ending.EXITED, 0), (f"/bin/{name}", "run", "a.wasm"), wall=0.01)
                worst = max(picked, key=lambda verdict: verdict.rank)
                results.append(CaseResult(case, name, worst, tuple(units), seen, b"alpha\n"))
    return Record(
        "2026-11-21T00:00:00+00:00",
        "2026-11-21T00:00:01+00:00",
        "assay test",
        False,
        (names[0],),
        tuple(RuntimeInfo(name, f"{name} 1.0", reference=name == names[0]) for name in names),
        tuple(infos),
        tuple(results),
    )
