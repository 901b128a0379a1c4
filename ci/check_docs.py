#!/usr/bin/env python3
"""Checks the documents: each path, link and `make` target that they name exists, and lines are short.

Usage: ci/check_docs.py
In: every .md file of the repository, and the templates of reports. A path is a word in backquotes, or in a block of
code, that contains a slash or ends like a file of ours. It is looked for beside the document, in the root, and as the end
of any path. Words in capitals (NAME) and * are placeholders; {a,b} are alternatives. What is made later is not looked for.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WIDTH, TABLE_WIDTH = 110, 160
# Documents whose lines are still longer.
WIDE = ("harness/", "suites/")
# Folders that a build or a run makes.
MADE = re.compile(r"(\./)?(build[\w-]*|\.venv|node_modules|reports|kept|\.cache)(/|$)")
ENDINGS = "c|h|py|md|toml|def|mk|wit|tsv|sh|cpp|wat|json|yml|yaml|txt|in|supp|lock"
NAMED = re.compile(r"[\w.*{},@+-]+(/[\w.*{},@+-]+)*/?")
FILE = re.compile(rf".*[\w*}}]\.({ENDINGS})")
# Names of files of others, of a user, or of a run.
FOREIGN = re.compile(r"""
    definitions\.py | (Binary|Explainer|CanonicalABI|WIT|Subtyping)\.md | .*(results|wast|testsuite|out|outcome)\.json | .*\.wasm
    | manifest\.json | equivalent\.tsv | caught\.txt | compile_commands\.json | (app|p|policy|it)\.(c|toml|wat) | command\.sh | junit\.xml | report\.md | CHECKSUMS | assay\.toml | \.github/(workflows/wasi|actions/assay/action)\.yml | \.gitlab/(wasi|assay)\.yml | .*\.jsonl | results\.md
    """, re.VERBOSE)  # fmt: skip


def listing() -> list[str]:
    """The files of the repository, tracked or new."""
    done = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return [line for line in done.stdout.splitlines() if (ROOT / line).exists()]
    skip = {".git", ".venv", "node_modules", "build", "reports"}  # a copy without its history
    return [p.relative_to(ROOT).as_posix() for p in ROOT.rglob("*") if p.is_file() and not skip & set(p.relative_to(ROOT).parts[:1])]


def alternatives(word: str) -> list[str]:
    """a.{b,c} is a.b and a.c."""
    if match := re.search(r"\{([^{}]*)\}", word):
        return [x for part in match[1].split(",") for x in alternatives(word[: match.start()] + part + word[match.end() :])]
    return [word]


def words(text: str) -> Iterator[tuple[int, str]]:
    """The line and each word in backquotes or in a block of code. What a command prints in a block `console` is left out."""
    block = console = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            block = not block
            console = block and line.strip() == "```console"
            continue
        if console and not line.startswith("$ "):
            continue
        for piece in [line] if block else re.findall(r"`([^`]+)`", line):
            for word in piece.split():
                yield number, word.strip("\"'(),;:")


def is_path(word: str, tops: set[str]) -> bool:
    """Whether a word names a file or folder that must exist."""
    if not NAMED.fullmatch(word) or MADE.match(word) or FOREIGN.fullmatch(word):
        return False
    return word.split("/")[0] in tops if "/" in word else bool(FILE.fullmatch(word))


def exists(word: str, folder: str, files: list[str], folders: set[str]) -> bool:
    """Whether a path, perhaps with placeholders, is that of a file or folder."""
    pattern = re.sub(r"(?<![A-Za-z])[A-Z]{2,}(_[A-Z]+)*(?![a-z])", "*", word.rstrip("/"))
    places = (f"{folder}/{pattern}" if folder else pattern, pattern)
    known = files if FILE.fullmatch(pattern) else [*files, *folders]
    if any(fnmatchcase(path, place) for place in places for path in known):
        return True
    # a module without its ending: `harness/assay/judge`, `runtime/core/run/exec`
    if any(fnmatchcase(re.sub(r"\.\w+$", "", path), place) for place in places for path in files):
        return True
    # the end of a path: `map.c`, `suites/suite.py` for harness/assay/suites/suite.py
    return bool(FILE.fullmatch(pattern)) and any(fnmatchcase(path, f"*/{pattern}") or fnmatchcase(path, pattern) for path in files)


def targets() -> set[str]:
    """The targets of the makefiles that can be asked for by name."""
    found: set[str] = set()
    for makefile in (ROOT / "Makefile", *(ROOT / "make").glob("*.mk")):
        for line in makefile.read_text(encoding="utf-8").splitlines():
            if match := re.match(r"([\w.-]+(?: [\w.-]+)*):(?!=)", line):
                found.update(match[1].split())
            if match := re.match(r"\.PHONY:(.*)", line):
                found.update(match[1].split())
    return found


def problems_of(path: str, text: str, files: list[str], folders: set[str], tops: set[str], make: set[str]) -> Iterator[str]:
    folder = path.rpartition("/")[0]
    for number, line in enumerate(text.splitlines(), 1):
        if not path.startswith(WIDE) and len(line) > (TABLE_WIDTH if line.startswith("|") else WIDTH):
            yield f"{path}:{number}: {len(line)} columns"
        for match in re.finditer(r"`make((?: +[\w.=-]+)*)", line):
            asked = [word for word in match[1].split() if "=" not in word and not word.startswith("-")]
            if asked and not MADE.match(asked[0]) and asked[0] not in make:
                yield f"{path}:{number}: make {asked[0]}: no such target"
        for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", line):
            if "://" not in link and not exists(link, folder, files, folders):
                yield f"{path}:{number}: the link {link} leads nowhere"
    for number, word in words(text):
        for one in alternatives(word):
            if is_path(one, tops) and not exists(one, folder, files, folders):
                yield f"{path}:{number}: {one} does not exist"


def main() -> int:
    files = listing()
    folders = {"/".join(path.split("/")[:i]) for path in files for i in range(1, path.count("/") + 1)}
    tops = {folder for folder in folders if "/" not in folder}
    make = targets()
    documents = [path for path in files if path.endswith(".md") or path.startswith(".github/ISSUE_TEMPLATE/")]
    problems: list[str] = []
    for path in documents:
        problems += problems_of(path, (ROOT / path).read_text(encoding="utf-8"), files, folders, tops, make)
    print("\n".join(problems) if problems else f"documents: {len(documents)}, whose paths and targets exist")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
