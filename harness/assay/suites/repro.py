"""Repeating one run of a record in a folder that is kept, with its command line for a shell.

In: a case, a runtime, a folder. Out: the result, unless only the files were wanted, and how it differs from
the record.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from ..cases import nonces
from ..judge import judge
from ..model import Case, CaseResult, Inexpressible
from ..record.settle import settle
from ..run.runner import Settings, as_run, clear, leave_command, not_built, run_stage
from ..run.stage import notes, stage
from ..runtimes import Places, Runtime


class ReproError(Exception):
    """The run cannot be repeated."""


def again(
    case: Case,
    runtime: Runtime,
    places: Places,
    folder: Path,
    settings: Settings,
    *,
    run: bool,
    hold: bool,
    say: Callable[[str], None],
) -> CaseResult | None:
    """Makes the files of the run, prints the command and runs it. With `hold`, the servers live until an
    interrupt."""
    case = as_run(case, runtime)
    if not case.component.is_file():
        raise ReproError(not_built(case))
    if folder.exists() and any(folder.iterdir()) and not (folder / "command.sh").is_file():
        raise ReproError(f"{folder} holds something else: --folder names an empty one")
    if folder.exists():
        clear(folder)
    folder.mkdir(parents=True)
    component = runtime.adapter.prepare(runtime.peer, case.component, places)
    case, tokens = nonces.fill(case, settings.seed, runtime.name)
    with stage(case, component, runtime, folder.resolve(), trace=settings.trace, keep=True) as made:
        if isinstance(made, Inexpressible):
            raise ReproError(f"{runtime.name} does not run {case.id}: {made.reason}")
        line = leave_command(made, case, runtime.peer, folder)
        say(f"world: {folder}")
        for text in notes(case):
            say(f"note: {text}")
        say(line)
        seen = None if not run or hold else run_stage(made, case, runtime, settings)
        result = None
        if seen is not None:
            (folder / "stdout").write_bytes(seen.stdout)
            (folder / "stderr").write_bytes(seen.stderr)
            judged = judge(case, runtime.name, seen, strict=settings.strict)
            result = settle(judged, (*seen.places, *tokens), settings.when)
            say(
                f"stdout: {folder / 'stdout'}, stderr: {folder / 'stderr'} (the command has changed the world: repro makes it anew)"
            )
        if hold:
            say("holding: Ctrl-C ends it")
            try:
                threading.Event().wait()
            except KeyboardInterrupt:
                say("")
        return result


def different(before: CaseResult, now: CaseResult) -> list[str]:
    """Describes the verdicts and values that differ."""
    lines = []
    units = {unit.id: unit for unit in before.units}
    for unit in now.units:
        old = units.get(unit.id)
        if old is None:
            lines.append(f"{unit.id}: new, {unit.verdict.value}")
        elif (old.verdict, old.value) != (unit.verdict, unit.value):
            was, is_now = (item.verdict.value if item.value is None else item.value for item in (old, unit))
            lines.append(f"{unit.id}: {was} in the record, {is_now} now")
    return lines
