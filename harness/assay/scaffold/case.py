"""A new case: its guest in C or WebAssembly text, its case.toml, and the rows of new requirements.

In: the id of the case, and the requirements that it is to try, of the catalogue or new. Out: the text of each file by its
path, and rows to append. A check that nobody has written yet fails, so a new case is red until its guest tries something;
without requirements, the guest is a small example that passes.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from ..cases.catalogue import SUFFIX, Requirement
from ..model import interface_of, names
from ..model.templates import environment

ID = re.compile(r"p2/([a-z0-9-]+)/([a-z0-9][a-z0-9-]*)")
CHECK = re.compile(r"[a-z0-9][a-z0-9-]*(?:\.[a-z0-9][a-z0-9-]*)+")
LEVELS = ("must", "should", "unspecified")
RENDER = environment("scaffold/templates/case")


class NewCaseError(Exception):
    """A case that cannot be made. The message says what to write instead."""


@dataclass(frozen=True)
class New:
    """A requirement that the catalogue does not have yet."""

    id: str
    function: str
    level: str = "unspecified"
    text: str = "recorded: the result"
    """What is seen, in our words."""


@dataclass(frozen=True)
class Made:
    """The files of a new case by their paths below the project's root, and rows to append to files of the catalogue."""

    case: str
    guest: str
    """The name of the guest: that of its source and of its component."""
    checks: tuple[str, ...]
    files: Mapping[str, str]
    rows: Mapping[str, str]
    todo: tuple[str, ...] = ()
    """What is left for a person to do besides the guest, a line each."""


def packages() -> tuple[str, ...]:
    """The packages of WASI that cases are about, in the order of the folders."""
    return tuple(_examples())


def new_case(
    case_id: str,
    asked: Sequence[str],
    new: Sequence[New],
    catalogue: Mapping[str, Requirement],
    *,
    title: str = "",
    wat: bool = False,
    alone: bool = False,
) -> Made:
    """Returns the files of a new case. `asked` are ids of requirements in the catalogue, `new` has others.

    `alone`: the case is outside of the project, so its guest is beside its case.toml. There, and where the project has no
    catalogue, the checks carry their own text and no row is made."""
    found = ID.fullmatch(case_id)
    if found is None or found[1] not in packages():
        raise NewCaseError(f"{case_id}: write p2/PACKAGE/NAME, PACKAGE one of {', '.join(packages())}, NAME of a-z, 0-9, -")
    package, name = found.groups()
    example = _examples()[package]
    checks = [*(_known(check, catalogue) for check in asked), *(_requirement(item, catalogue) for item in new)]
    stubs = list(checks)
    if not checks:
        checks = [catalogue.get(example["check"]) or _fallback(example)]
    guest = f"{example['prefix']}-{name}"
    words = title or (f"{name.replace('-', ' ').capitalize()}")
    if '"' in words or "\\" in words or "\n" in words:
        raise NewCaseError(f'--title {words!r}: write it in one line without " and \\')
    common = {"title": words, "guest": guest, "checks": checks, "stubs": stubs, "header": example["header"]}
    place = f"suites/{case_id}" if alone else f"fixtures/src/{'wat' if wat else 'p2'}"
    if wat:
        verdict = "fail the guest does not try it yet" if stubs else "pass"
        lines = "".join(f"check {check.id} {verdict}\n" for check in checks)
        source = {f"{place}/{guest}.wat": RENDER.get_template("guest.wat.j2").render(lines=lines, **common)}
    else:
        body = "" if stubs else example["body"].lstrip("\n")
        source = {f"{place}/{guest}.c": RENDER.get_template("guest.c.j2").render(body=body, **common)}
    catalogued = bool(catalogue) and not alone
    interfaces = list(dict.fromkeys(interface_of(check.functions[0]) for check in checks))
    run = "" if stubs or wat else example.get("run", "").lstrip("\n")
    toml = RENDER.get_template("case.toml.j2").render(
        interfaces=interfaces, run=run, catalogued=catalogued, **common
    )
    rows = _rows([item for item in checks if item.id not in catalogue]) if catalogued else {}
    return Made(
        case_id,
        guest,
        tuple(check.id for check in checks),
        {**source, f"suites/{case_id}/case.toml": toml.rstrip("\n") + "\n"},
        rows,
        tuple(_todo(item) for item in new if item.level != "unspecified" and catalogued),
    )


def _examples() -> Mapping[str, Mapping[str, Any]]:
    text = resources.files("assay.scaffold").joinpath("templates/case/examples.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _known(check: str, catalogue: Mapping[str, Requirement]) -> Requirement:
    if check not in catalogue:
        near = names.near(check, catalogue)
        raise NewCaseError(
            f"--check {check}: the catalogue has no such requirement{near} (`assay explain FUNCTION` lists those of a "
            "function; --new ID --function NAME makes one)"
        )
    return catalogue[check]


def _requirement(item: New, catalogue: Mapping[str, Requirement]) -> Requirement:
    """Returns the row of a new requirement."""
    if item.id in catalogue:
        raise NewCaseError(f"--new {item.id}: the catalogue has it; use --check {item.id}")
    if not CHECK.fullmatch(item.id):
        raise NewCaseError(f"--new {item.id}: write an id like cli.environment.get-arguments.count")
    if problem := names.function_problem(item.function):
        raise NewCaseError(f"--function {item.function}: {problem}")
    interface, _, function = item.function.partition(".")
    since = names.table().get(interface, {}).get(function)
    if not function or since is None:
        raise NewCaseError(f"--function {item.function}: write it in full, as wasi:cli/environment.get-arguments")
    basis = "unspecified" if item.level == "unspecified" else "wit"
    subject = re.sub(r"\[[a-z-]+\]", "", function)
    since = since if since[:1].isdigit() else names.NEWEST  # an unstable feature
    return Requirement(item.id, item.level, (item.function,), since, basis, subject, "", item.text, "")


def _fallback(example: Mapping[str, Any]) -> Requirement:
    """The requirement of an example where there is no catalogue."""
    package, interface, rest = example["check"].split(".", 2)
    function = f"wasi:{package}/{interface}"
    found = names.table().get(function, {})
    inside = next((name for name in found if name and rest.startswith(f"{name}.")), next(iter(found), ""))
    name = f"{function}.{inside}" if inside else "wasi:cli/run.run"
    return Requirement(example["check"], "must", (name,), "0.2.0", "wit", inside, "", rest.rpartition(".")[2], "")


def _rows(new: Sequence[Requirement]) -> dict[str, str]:
    """The rows of new requirements by the file of the catalogue that they belong to."""
    rows: dict[str, str] = {}
    for item in new:
        interface = interface_of(item.functions[0]).removeprefix("wasi:")
        cells = (item.id, item.level, item.functions[0], item.since, item.basis, item.subject, "-", item.outcome, "-")
        path = f"suites/text/{interface}{SUFFIX}"
        rows[path] = rows.get(path, "") + "\t".join(cells) + "\n"
    return rows


def _todo(item: New) -> str:
    interface = interface_of(item.function).removeprefix("wasi:")
    return f"add {item.id} to the column `yields` of the sentence that demands it, in suites/text/{interface}.tsv"


def write(root: Path, made: Made) -> None:
    """Writes the files and appends the rows. Nothing is written where one of the files exists."""
    there = [name for name in made.files if (root / name).exists()]
    if there:
        raise NewCaseError(f"already there: {', '.join(there)}; choose another name (nothing was written)")
    missing = [name for name in made.rows if not (root / name).is_file()]
    if missing:
        raise NewCaseError(f"the catalogue has no {', '.join(missing)}, where the new requirement belongs")
    for name, text in made.files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name, rows in made.rows.items():
        with (root / name).open("a", encoding="utf-8") as file:
            file.write(rows)
