#!/usr/bin/env python3
"""Checks that every sentence of WASI's documentation and of the Canonical ABI is classified, and that every normative one is
tested or excused.

Usage: ci/check_text.py [--open] [PACKAGE[/INTERFACE]...]
It prints, for each interface: sentences, normative ones, those tested, those excused, those open. Open ones fail the check, and
--open lists them. The official files of 0.2.0 and 0.2.12 are read from build/suites (`make suites`) or ../shared/wit, and
CanonicalABI.md from build/suites; where they are absent, this says so, and only the catalogue itself is checked.
"""

from __future__ import annotations

import sys
import tomllib
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "harness"), str(ROOT / "suites/text")]
import cut
import cut_abi
import official
from assay.cases import catalogue
from official import FIRST, LAST


def checks() -> list[tuple[str, dict[str, str]]]:
    """Every [[check]] of the cases, with the case's id."""
    return [
        (str(path.parent.relative_to(ROOT / "suites")), check)
        for path in sorted((ROOT / "suites/p2").rglob("case.toml"))
        for check in tomllib.loads(path.read_text("utf-8")).get("check", [])
    ]


def check_problem(check: dict[str, str], known: dict[str, catalogue.Requirement]) -> str:
    """Whether a check has the level, a function and the version of its requirement."""
    r = known.get(check["id"])
    if r is None:
        return "the catalogue has no such requirement"
    if check["level"] == r.level and check["function"] in r.functions and check["since"] == r.since:
        return ""
    has = f"{check['level']}, {check['function']}, since {check['since']}"
    return f"{has}; the catalogue has {r.level}, {' '.join(r.functions)}, since {r.since}"


def text_problems(rows: list[catalogue.Row], version: str) -> list[str]:
    """What differs between the catalogue and the official files of a version."""
    folder = official.wit(version)
    if folder is None:
        print(f"the official files of {version} are absent (make suites): sentences are not compared with them")
        return []
    within = [r for r in rows if r.within(version) and not is_abi(r)]
    return differences(within, cut.cut(folder), version, places=version == LAST)


def abi_problems(rows: list[catalogue.Row]) -> list[str]:
    """The same for the Canonical ABI, whose text has no versions: its rows are those of the pinned commit."""
    path = official.abi()
    if path is None:
        print(f"{cut_abi.FILE} is absent (make suites): its sentences are not compared with it")
        return []
    return differences([r for r in rows if is_abi(r)], cut_abi.cut(path), "the pinned commit", places=True)


def is_abi(row: catalogue.Row) -> bool:
    return row.interface.startswith("canonical-abi/")


def differences(rows: list[catalogue.Row], text: list[cut.Sentence], version: str, places: bool) -> list[str]:
    """What differs between rows and sentences; also their places, where `places`. A sentence may stand twice in an item."""
    problems = []
    have: dict[tuple[str, str, str], list[catalogue.Row]] = defaultdict(list)
    for row in rows:
        have[row.interface, row.item, row.hash].append(row)
    for s in text:
        found = have[s.interface, s.item, s.hash]
        place = f"{s.file.split('/')[-1]}:{s.line}"
        if not found:
            problems.append(f"{version} {s.file}:{s.line}: not in the catalogue, or changed: {s.interface}#{s.item}: {s.text[:80]}")
            continue
        row = found.pop(0)
        if places and row.place != place:
            problems.append(f"{row.at}: {row.name} is at {place}, not at {row.place}")
    problems += [f"{r.at}: {version} has no such sentence ({r.name})" for rest in have.values() for r in rest]
    return problems


def row_problem(row: catalogue.Row, known: dict[str, catalogue.Requirement]) -> str:
    if row.cls not in catalogue.CLASSES:
        return f"unclassified ({row.cls!r}): one of {', '.join(catalogue.CLASSES)}"
    if bad := [y for y in row.yields if y not in known]:
        return f"yields {', '.join(bad)}, which is no requirement"
    if row.cls not in catalogue.NORMATIVE and row.cls != "unspecified" and not row.yields and not row.why:
        return "" if row.cls == "explanation" else "says neither what it yields nor why nothing"
    return ""


def requirement_problem(r: catalogue.Requirement, yielded: set[str], cases: dict[str, list[str]]) -> str:
    if r.level not in catalogue.LEVELS:
        return f"level {r.level!r}: one of {', '.join(catalogue.LEVELS)}"
    if not catalogue.BASES.fullmatch(r.basis):
        return f"basis {r.basis!r}: wit, unspecified, or a text and its section, for example \"posix: open()\""
    if r.level == "must" and r.basis.startswith(("posix", "unspecified")):
        return f"a must cannot rest on {r.basis!r} alone"
    if not r.subject or not r.outcome:
        return "has no words: subject, condition (- for none) and outcome"
    if r.basis == "wit" and r.id not in yielded:
        return "rests on the WIT, but no sentence yields it"
    if r.id not in cases and not r.excuse:
        return "has neither a check nor an excuse"
    if r.id in cases and r.excuse:
        return "is excused, but " + cases[r.id][0] + " checks it"
    return ""


def main(arguments: list[str]) -> int:
    show_open = "--open" in arguments
    wanted = [a for a in arguments if not a.startswith("-")]
    rows, known = catalogue.sentences(official.TEXT), catalogue.requirements(official.TEXT)
    cases: dict[str, list[str]] = defaultdict(list)
    problems = []
    for case, check in checks():
        cases[check["id"]].append(case)
        if p := check_problem(check, known):
            problems.append(f"suites/{case}: {check['id']}: {p}")
    problems += [f"{r.at}: {r.name}: {p}" for r in rows if (p := row_problem(r, known))]
    yielded = {y for r in rows for y in r.yields}
    problems += [f"{r.at}: {r.id}: {p}" for r in known.values() if (p := requirement_problem(r, yielded, cases))]
    for version in (FIRST, LAST):
        problems += text_problems(rows, version)
    problems += abi_problems(rows)
    counts: dict[str, list[int]] = defaultdict(lambda: [0] * 5)
    open_ones = []
    for r in rows:
        of = counts[r.interface]
        of[0] += 1
        if r.cls not in catalogue.NORMATIVE:
            of[4] += r.cls not in catalogue.CLASSES
            continue
        of[1] += 1
        if any(y in cases for y in r.yields):
            of[2] += 1
        elif r.why or any(known[y].excuse for y in r.yields if y in known):
            of[3] += 1
        else:
            of[4] += 1
            open_ones.append(r)
    print(f"{'interface':44}{'sentences':>10}{'normative':>10}{'tested':>8}{'excused':>8}{'open':>6}")
    for name, of in sorted(counts.items()):
        print(f"{name:44}{of[0]:10}{of[1]:10}{of[2]:8}{of[3]:8}{of[4]:6}")
    all_of = [sum(of[i] for of in counts.values()) for i in range(5)]
    print(f"{'all':44}{all_of[0]:10}{all_of[1]:10}{all_of[2]:8}{all_of[3]:8}{all_of[4]:6}")
    problems += [f"{r.at}: {r.name}: {r.cls}, but it yields no requirement that is checked, and has no excuse" for r in open_ones]
    shown = [p for p in problems if not wanted or any(f"/text/{w}" in p or w in p for w in wanted)]
    for p in shown[: None if show_open else 20]:
        print(p.replace(str(ROOT) + "/", ""))
    if len(shown) > 20 and not show_open:
        print(f"… and {len(shown) - 20} more: ci/check_text.py --open")
    return 1 if problems else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except catalogue.CatalogueError as error:
        print(error)
        sys.exit(1)
