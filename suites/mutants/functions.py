"""A fault for each function of WASI and each drop: the host does nothing, and returns a default result.

In: the generated tables of the host (gen/wasi_glue.c), and the cases. Out: which check each fault turns red, those of level must first.
`run.py --functions` calls it. A default result is made of false, 0, "", an empty list, none, the first case of a variant, and ok; where
ok has a resource, it is the first error. A resource itself is an empty `fields`, a `pollable` that is always ready, or one that is not
there, which ends the program when it is used. A drop that does nothing leaves the handle in the guest's table.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from assay.model import Check, Level
from judged import Suites
from mutate import Fault, reasons

FUNCTION = re.compile(r'^    \{"(wasi:[^"]+)", "([^"]+)", "[^"]*", (?:NULL|"[^"]*"), &f\d+, (\w+)\},$', re.M)
RESOURCE = re.compile(r'^    \{"(wasi:[^"]+)", "([^"]+)", ts_wasi_\w+_drop\},$', re.M)
DROP_FILE, DROP_PLACE = "runtime/component/abi/handles.c", "    ts_handle h;\n    TS_TRY(ts_handle_table_remove(&inst->handles, i, &h, e));\n    if (h.rt != rt)"
EXCUSED = Path(__file__).with_name("functions.tsv")
INCLUDE = '#include "wasi_glue.h"\n'
KIND = "does-nothing"
# In this order: the best that any of its cases shows.
HOW = OWN, SHOULD, RECORDED, ANOTHER, ENDING = (
    "a must of its own",
    "a should of its own",
    "a value of its own that is recorded",
    "a check of another function",
    "how a run of its own ended",
)
NOTHING = """
#include <string.h>
#include "wasi/context.h"
static ts_status nothing_of(ts_host_call *c, const ts_ctype *t, ts_val *v) {
    *v = (ts_val){.u64 = 0};
    if (t->kind == TS_CT_OWN && t->resource == TS_WASI_RES_IO_POLL_POLLABLE) return ts_wasi_pollable_new(c, NULL, true, 0, v);
    if (t->kind == TS_CT_OWN && t->resource == TS_WASI_RES_HTTP_TYPES_FIELDS && strcmp(c->func->name, "[constructor]fields"))
        return ts_wasi_http_types_fields_new(c, NULL, v);
    if (t->kind == TS_CT_OWN) *v = (ts_val){.handle = {.rep = 1ull << 40}};
    if (t->kind == TS_CT_RECORD || t->kind == TS_CT_TUPLE) {
        ts_val *fields = ts_host_vals(c, t->n);
        for (uint32_t i = 0; i < t->n; i++) TS_TRY(nothing_of(c, t->cases[i].type, &fields[i]));
        *v = (ts_val){.list = {fields, t->n}};
    }
    if (t->kind == TS_CT_VARIANT || t->kind == TS_CT_RESULT) {
        uint32_t disc = t->kind == TS_CT_RESULT && t->elem && t->elem->has_handle && t->elem2;
        const ts_ctype *inside = t->kind == TS_CT_VARIANT ? t->cases[0].type : disc ? t->elem2 : t->elem;
        ts_val *payload = inside ? ts_host_vals(c, 1) : NULL;
        if (inside) TS_TRY(nothing_of(c, inside, payload));
        *v = (ts_val){.variant = {payload, disc}};
    }
    return TS_OK;
}
static ts_status nothing(ts_host_call *c, const ts_val *args, ts_val *result) {
    return c->func->type->result ? nothing_of(c, c->func->type->result, result) : TS_OK;
}
"""


@dataclass(frozen=True)
class Nothing(Fault):
    """A function or a drop that does nothing."""

    name: str  # as checks have it: wasi:io/poll.poll

    def apply(self, source: bytes) -> bytes:
        return super().apply(source).replace(INCLUDE.encode(), (INCLUDE + NOTHING).encode(), 1)


@dataclass(frozen=True)
class Shown:
    """What became of one fault: what turned red first, and in which case."""

    fault: Nothing
    state: str  # one of HOW, survived, invalid
    check: str = ""
    case: str = ""


def functions(file: str, source: str) -> Iterator[Nothing]:
    """The rows of the table of functions. What a program exports has no function: no host does it."""
    for row in FUNCTION.finditer(source):
        interface, name, function = row.groups()
        if function != "NULL":
            line = source.count("\n", 0, row.start()) + 1
            start, end = (len(source[:at].encode()) for at in row.span(3))
            yield Nothing(file, function, KIND, line, start, end, "nothing", function, 1, f"{interface}.{name}")


def drops(root: Path, source: str) -> Iterator[Nothing]:
    """The rows of the table of resources: `resource.drop` leaves the handle of one where it is."""
    text = (root / DROP_FILE).read_text("utf-8")
    place = text.index(DROP_PLACE)
    for row in RESOURCE.finditer(source):
        interface, name = row.groups()
        here = f'rt->host_def && !__builtin_strcmp(rt->host_def->interface, "{interface}") && !__builtin_strcmp(rt->host_def->name, "{name}")'
        at, line = len(text[:place].encode()), text.count("\n", 0, place) + 1
        yield Nothing(DROP_FILE, "ts_canon_resource_drop", KIND, line, at, at, f"    if ({here}) return TS_OK;\n", name, 1, f"{interface}.[resource-drop]{name}")


def how(fault: Nothing, check: Check | None) -> str:
    if check is None:
        return ENDING
    if check.function != fault.name:
        return "" if check.level is Level.UNSPECIFIED else ANOTHER
    return {Level.MUST: OWN, Level.SHOULD: SHOULD, Level.UNSPECIFIED: RECORDED}[check.level]


def show(fault: Nothing, program: Path | None, suites: Suites, share: float) -> Shown:
    """Runs the cases with a check of the function until one of level must is red, and if none is red, those about its interface."""
    if program is None:
        return Shown(fault, "invalid")
    mine = suites.showing(fault.name)
    others = [case for case in suites.about(fault.name.partition(".")[0]) if case not in mine]
    found: dict[str, Shown] = {}
    for case in [*mine, *others]:
        if OWN in found or (found and case in others):
            break
        for unit, check in suites.red_units(program, case, share):
            if state := how(fault, check):
                found.setdefault(state, Shown(fault, state, unit, case))
    return next((found[state] for state in HOW if state in found), Shown(fault, "survived"))


def run(build: Callable[[Nothing, Path], Path | None], base: Path, root: Path, key: str, jobs: int, share: float) -> int:
    """Tries all faults whose function has `key` in its name, and prints what shows each.

    `build` makes a program in a folder, `base` is the build without a fault. Exit status 0: every fault is caught but those in
    functions.tsv, with why nothing shows them."""
    glue = base / "gen/wasi_glue.c"
    text = glue.read_text("utf-8")
    every = [f for f in (*functions(str(glue.relative_to(root)), text), *drops(root, text)) if key in f.name]
    suites = Suites(root, (), versions=False)
    needed = sorted({case for f in every for case in suites.showing(f.name)})
    if by := suites.learn(base / "touchstone", needed, share, jobs):
        print(f"functions: {by} is red without a fault; nothing can be said")
        return 1

    def one(fault: Nothing) -> Shown:
        with tempfile.TemporaryDirectory(dir=base.parent) as folder:
            return show(fault, build(fault, Path(folder)), suites, share)

    with ThreadPoolExecutor(jobs) as pool:
        shown = list(pool.map(one, every))
    same = reasons(EXCUSED)
    for s in sorted(shown, key=lambda s: (s.state, s.fault.name)):
        print(f"{s.state}: {s.fault.name}: " + (f"{s.check} in {s.case}" if s.check else same.get(s.fault.name, "nothing shows it")))
    left = [s for s in shown if not s.check and s.fault.name not in same]
    stale = [s for s in shown if s.check and s.fault.name in same]
    for s in stale:
        print(f"{EXCUSED.name}: {s.fault.name} is caught")
    excused = len(shown) - len(left) - sum(bool(s.check) for s in shown)
    counts = ", ".join(f"{sum(s.state == state for s in shown)} by {state}" for state in HOW)
    print(f"functions: {len(shown)} that do nothing: {counts}; {excused} that nothing can show, {len(left)} left")
    return 1 if left or stale else 0


if __name__ == "__main__":
    sys.exit("run.py --functions calls this")
