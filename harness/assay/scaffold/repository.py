"""The files of a starting configuration, made from templates/repository.

In: the name of a runtime, its command line, and which CI. Out: the text of each file by its path.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..model.templates import environment

FILES = {
    "toml": ("assay/runtimes/{name}.toml", "adapter.toml"),
    "python": ("assay/runtimes/{name}.py", "adapter.py"),
    "github": (".github/workflows/wasi.yml", "github.yml"),
    "gitlab": (".gitlab/wasi.yml", "gitlab.yml"),
    "configuration": ("assay.toml", "assay.toml"),
    "readme": ("assay/README.md", "README.md"),
}
"""Where each file goes, and the template that it is made from."""
SHARED = {
    "github": (".github/actions/assay/action.yml", "ci/action/action.yml"),
    "gitlab": (".gitlab/assay.yml", "ci/gitlab-template.yml"),
}
"""Where the part of a workflow goes that is the same for all runtimes, and where the project has it."""
WORDS = ("{options}", "{dirs}", "{env}", "{component}", "{args}")
"""The words of a command line that stand for what the harness gives, in the usual order."""
RENDER = environment("scaffold/templates/repository")


class ScaffoldError(Exception):
    """Answers that no configuration can be made from, or files that would be lost."""


@dataclass(frozen=True)
class Answers:
    """What the files are made from. `known`: the package has an adapter of this runtime, so none is written."""

    name: str
    command: str
    directory: str = "--dir {host}::{guest}"
    variable: str = "--env {key}={value}"
    ci: str = "github"
    python: bool = False
    known: bool = False
    expectations: str = ""
    """The expectations to begin with, as TOML; empty: none."""
    shared: str = ""
    """The text of the action of GitHub, or of the template of GitLab, that the workflow uses."""
    package: str = "touchstone-assay"
    words: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", command_line(self.command))

    @property
    def program(self) -> str:
        """The program, as the command line names it: a command on the search path, or a path."""
        return self.words[0]


def command_line(text: str) -> tuple[str, ...]:
    """Returns the words of a command line. What the harness gives and the text lacks is put in at its usual place."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ScaffoldError(f"--command {text!r}: {error}") from None
    if not words or words[0] in WORDS:
        raise ScaffoldError(f"--command {text!r}: it begins with the program")
    for word in words:
        for name in WORDS:
            if name in word and word != name and name != "{component}":
                raise ScaffoldError(f"--command: {name} must be a word of its own, not a part of {word!r}")
    for index, name in enumerate(WORDS):
        if any(name in word for word in words):
            continue
        later = [words.index(other) for other in WORDS[index + 1 :] if other in words]
        words.insert(min(later) if later else len(words), name)
    return tuple(words)


def files(answers: Answers) -> Mapping[str, str]:
    """Returns the text of each file by its path below the folder of the repository."""
    parts = ["configuration", "readme", *([answers.ci] if answers.ci in FILES else [])]
    if not answers.known:
        parts.append("python" if answers.python else "toml")
    made = {}
    for part in parts:
        path, template = FILES[part]
        made[path.format(name=answers.name)] = RENDER.get_template(f"{template}.j2").render(
            answers=answers, name=answers.name, toml=_toml, argv=["{program}", *answers.words[1:]], path=Path
        )
    made[f"assay/expectations/{answers.name}.toml"] = answers.expectations or _NO_EXPECTATIONS
    if answers.ci in SHARED:
        made[SHARED[answers.ci][0]] = answers.shared
    return dict(sorted(made.items()))


def write(folder: Path, made: Mapping[str, str], *, force: bool) -> None:
    """Writes the files. Nothing is written where one of them is there with other content, unless `force`."""
    if not force:
        there = [name for name, text in made.items() if _other(folder / name, text)]
        if there:
            raise ScaffoldError(f"already there: {', '.join(there)}; --force writes over them, and nothing was written")
    for name, text in made.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise ScaffoldError(f"{path} cannot be written: {error.strerror}") from None


def _other(path: Path, text: str) -> bool:
    """Returns whether something else is at a path than this text."""
    if not path.exists():
        return path.is_symlink()
    return not path.is_file() or path.read_bytes() != text.encode()


def _toml(value: object) -> str:
    """Returns a text, or a list of texts, as TOML."""
    if isinstance(value, str):
        if "'" not in value and '"' in value:
            return f"'{value}'"
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    assert isinstance(value, list | tuple)
    return "[" + ", ".join(_toml(item) for item in value) + "]"


_NO_EXPECTATIONS = """\
# What is known not to pass, each with a reason. `assay run --update-expectations` writes this file from the results;
# then sort each entry: a bug of the runtime (kind = "bug", with a link), not implemented yet, or your own choice.
"""
