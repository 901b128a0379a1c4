#!/usr/bin/env python3
"""Checks the import rule of the harness: which package may import which, and that no import is circular.

A package is a folder below harness/assay/. PACKAGES lists, for each package, the packages that its modules may import
besides their own. The rows are in the order of the data: values first, the terminal last.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from check_includes import circles

ASSAY = Path(__file__).resolve().parent.parent / "harness/assay"
PACKAGES: dict[str, list[str]] = {
    "model": [],
    "cases": ["model"],
    "runtimes": ["model"],
    "run": ["model", "cases", "runtimes"],
    "judge": ["model", "cases"],
    "record": ["model"],
    "history": ["model", "record"],
    "suites": ["model", "cases", "runtimes", "run", "judge", "record"],
    "explain": ["model", "cases", "judge", "record"],
    "scaffold": ["model", "cases"],
    "fuzz": ["model", "runtimes", "run"],
    "report": ["model", "record"],
    "certify": ["model", "cases", "judge", "record", "suites", "report"],
    "plugin": ["model", "cases", "runtimes", "run", "judge", "record", "suites"],
}
PACKAGES["cli"] = [package for package in PACKAGES if package != "plugin"]


def modules() -> dict[str, Path]:
    """Every module below `assay` by its dotted name; the package itself stands for its __init__."""
    found = {}
    for path in sorted(ASSAY.rglob("*.py")):
        name = path.relative_to(ASSAY.parent).with_suffix("").as_posix().replace("/", ".")
        found[name.removesuffix(".__init__")] = path
    return found


def imports(module: str, path: Path, known: dict[str, Path]) -> Iterator[tuple[str, int]]:
    """The modules of the harness that a module imports, each with the line; imports inside functions count too."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            target = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                name = f"{target}.{alias.name}"
                if name in known:
                    yield name, node.lineno
                elif target in known:
                    yield target, node.lineno


def main() -> int:
    known = modules()
    problems: list[str] = []
    edges: dict[str, set[str]] = {}
    for module, path in known.items():
        package = module.split(".")[1] if module.count(".") else ""
        if package and package not in PACKAGES:
            problems.append(f"{path}: the package {package} has no row in PACKAGES of ci/check_imports.py")
            continue
        for target, line in imports(module, path, known):
            other = target.split(".")[1] if target.count(".") else ""
            if other and other != package and other not in PACKAGES[package]:
                problems.append(f"{path}:{line}: {package} may not import {other}")
            if target != module:
                edges.setdefault(module, set()).add(target)
    problems += [f"circular import: {', '.join(circle)}" for circle in circles(edges)]
    print("\n".join(problems) if problems else f"imports: {len(known)} modules in {len(PACKAGES)} packages, no circle")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
