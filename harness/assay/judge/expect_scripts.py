"""Known results of the official scripts: suites/expectations/wast.toml, by script and then by command.

In: its tables and results. Out: marked results, entries that match nothing, the text of a new file. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from ..model import CaseResult, UnitResult, Verdict
from ..model.commands import ANNOUNCED, STATUSES, only_word, word_of
from .causes import KEYS, NO_THREAD, UNSORTED, ExpectationError, Why, grouped, quote, why, why_lines
from .expect import Expectations, Known, Table, Tables
from .verdicts import Definition


@dataclass(frozen=True)
class KnownCommand:
    status: str
    why: Why


Commands = dict[str, dict[str, KnownCommand]]
"""By script, by command."""


class ScriptExpectations(Expectations):
    def __init__(self, tables: Tables, where: Callable[[str], str]) -> None:
        self.tables = tables
        self.commands = {name: parse(where(name), mine) for name, mine in tables.items()}

    def mark(self, result: CaseResult, case: Definition, *, strict: bool, judged: bool) -> CaseResult:
        mine = self.commands.get(result.runtime, {}).get(result.case, {})
        return replace(result, units=tuple(_marked(unit, mine.get(unit.id)) for unit in result.units))

    def stale(self, known: Known, judged: Collection[str]) -> tuple[str, ...]:
        """Entries for a suite whose scripts are absent do not count."""
        suites = {name.partition("/")[0] for name in known}
        return tuple(
            line
            for name, commands in self.commands.items()
            if name in judged
            for line in stale({key: mine for key, mine in commands.items() if key.partition("/")[0] in suites}, known)
        )


def _marked(unit: UnitResult, known: KnownCommand | None) -> UnitResult:
    word = word_of(unit.verdict, unit.word)
    if known is None:
        return replace(unit, unexpected=word not in ("pass", "skip"))
    expected = known.why.expected((STATUSES[known.status],), only_word(known.status))
    detail = "passes; the expectations say it does not" if word == "pass" else unit.detail
    return replace(unit, detail=detail, expected=expected, unexpected=word != known.status)


def parse(path: str, tables: Iterable[Table]) -> Commands:
    """Returns the known commands. `path` begins each error."""
    known: Commands = {}
    for item in tables:
        if not {"script", "status", "commands"} <= set(item) <= {"script", "status", "commands"} | KEYS:
            raise ExpectationError(
                f"{path}: an entry has script, status, commands, and a cause or a reason, a kind and a link: "
                f"{sorted(item)}"
            )
        if item["status"] not in ANNOUNCED:
            raise ExpectationError(f"{path}: {item['script']}: needs a status of {', '.join(ANNOUNCED)}")
        said = why(path, item["script"], item)
        mine = known.setdefault(item["script"], {})
        for command in item["commands"]:
            if not re.fullmatch(r"\d+ [a-z_]+( #\d+)?", command):
                raise ExpectationError(f"{path}: {item['script']}: {command!r} is not LINE TYPE")
            if command in mine:
                raise ExpectationError(f"{path}: {item['script']}: {command} is listed twice")
            mine[command] = KnownCommand(item["status"], said)
    return known


def stale(commands: Commands, known: Known) -> list[str]:
    """Describes the entries whose script or command does not exist."""
    out = [f"{script}: no such script" for script in commands if script not in known]
    for script, mine in commands.items():
        units = known.get(script)
        if units is not None:
            out += [f"{script}: {command}: no such command" for command in mine if command not in units]
    return out


def render(results: Sequence[CaseResult], old: Commands, scripts: Collection[str]) -> str:
    """Returns the text of the expectations file for these results, each cause before its entries.

    What existing entries say is kept, and so are the entries of scripts that were not run."""
    blocks: dict[tuple[str, str, Why], list[str]] = {}
    ran = set()
    for result in results:
        ran.add(result.case)
        for unit in result.units:
            if unit.verdict in (Verdict.PASS, Verdict.SKIP):
                continue
            status = word_of(unit.verdict, unit.word)
            before = old.get(result.case, {}).get(unit.id)
            keep = before is not None and before.status == status
            said = before.why if before is not None and keep else _new(status, unit.detail)
            blocks.setdefault((result.case, status, said), []).append(unit.id)
    for script, commands in old.items():
        if script not in ran and script in scripts:
            for command, entry in commands.items():
                blocks.setdefault((script, entry.status, entry.why), []).append(command)
    tables = (
        (said, _lines(script, status, said, keys))
        for (script, status, said), keys in sorted(blocks.items(), key=lambda item: (item[0][:2], item[0][2].reason))
    )
    causes = (entry.why.cause for commands in old.values() for entry in commands.values() if entry.why.cause)
    lines = [
        "# Commands of the official scripts that do not pass, each with its reason. The format is in suites/README.md;",
        "# `assay wast --update` rewrites this file and keeps the reasons.",
        *grouped(tables, causes),
    ]
    return "\n".join(lines) + "\n"


def _lines(script: str, status: str, said: Why, keys: Sequence[str]) -> list[str]:
    lines = ["[[expected]]", f"script = {quote(script)}", f"status = {quote(status)}", *why_lines(said)]
    if len(keys) <= 3:
        return [*lines, f"commands = [{', '.join(quote(key) for key in keys)}]"]
    return [*lines, "commands = [", *(f"    {quote(key)}," for key in keys), "]"]


def _new(status: str, message: str) -> Why:
    return Why(_reason(status, message), "unsupported" if status == "unsupported" else UNSORTED, NO_THREAD)


def _reason(status: str, message: str) -> str:
    """Returns the runtime's message without its numbers, which differ from command to command."""
    text = re.sub(r"0x[0-9a-f]+|\b\d+\b", "N", " ".join(message.split()))[:200]
    return text or status
