#!/usr/bin/env python3
"""Checks that each MUST that wasmtime and jco both fail is explained in suites/divergences.toml, that what `assay fuzz` has found
is explained in suites/fuzz/known.toml, and writes the page of both.

Usage: ci/check_divergences.py [--write]
In: suites/divergences.toml, suites/fuzz/known.toml, suites/expectations (what fails), suites/text (requirements, sentences by hash and place). The page,
suites/DIVERGENCES.md, quotes sentences of the official files (`make suites`); where these are absent, the quotations are those of
the page, which must have the hashes of the catalogue. Exit status 1: a requirement that both fail has no entry, an entry names one
that they do not both fail, an entry of known.toml does not match the last call of its own script, a sentence is unknown, or the
page is not what --write makes.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "harness"), str(ROOT / "suites/text")]
import check_text
import cut
import official
from assay.cases import catalogue
from assay.fuzz import calls
from assay.fuzz.compare import load_known
from assay.fuzz.components import exchange, expected
from assay.judge.causes import NO_THREAD
from assay.judge.expect import load

SOURCE = ROOT / "suites/divergences.toml"
FOUND = ROOT / "suites/fuzz/known.toml"
PAGE = ROOT / "suites/DIVERGENCES.md"
PEERS = ("wasmtime", "jco", "wasmtime-py")
RIGHT = {
    "touchstone": ("The text decides", "The quoted sentences say what touchstone does."),
    "open": ("The text says so, and its authors discuss it", "The quoted sentences say what touchstone does. Whether they shall is an open question upstream."),
    "nobody": ("Nobody is wrong", "What is unstable may be absent. A runtime that offers it is held to its text."),
}  # fmt: skip
KEYS = {"title", "requirements", "sentences", "touchstone", *PEERS, "links", "right", "why"}
FOUND_RIGHT = {
    "touchstone": "The text decides",
    "silent": "The text is silent",
}
"""What decides about a divergence that `assay fuzz` found."""
FOUND_KEYS = KEYS - {"requirements"} | {"script", "match", "wamr"}
QUOTE = re.compile(r"^> (.+)\n> \[`([^`]+)`\]", re.MULTILINE)
HEAD = """# Where wasmtime and jco both differ from the text

Each requirement (MUST) of this suite that wasmtime {wasmtime} and jco {jco} both fail: the text that decides, what each
runtime does, the thread upstream, and who is right. wasmtime-py is {py}. Written by `ci/check_divergences.py --write` from
`suites/divergences.toml`. What one peer alone fails is in `suites/expectations/`.
"""

FOUND_HEAD = """## Found by machine ({number})

`assay fuzz` plays generated sequences of calls on all runtimes, and shrinks each difference to the shortest script. These
were found so, whether one runtime differs or several. In a script, v0 is a directory with the files a (`hello\\n`), b
(`0123456789`) and dir/inner, the directory dir/sub, and the links link (to a), dirlink (to dir), dangling, loop, up (to ..) and
absolute (to /a). A line that begins with `pass` or `trap-` is a value that crosses from a component to another: as a parameter
or a result, from one string encoding to another, with its type and the value as it lies in memory (`0xd800` of a char is
this number, `raw"00d8"` of a string are these bytes). `assay fuzz --replay FILE` plays one. The table is
`suites/fuzz/known.toml`.
"""


def failing(peer: str, checks: dict[str, list[str]]) -> dict[tuple[str, str], str]:
    """The units, by case and id, that a peer is known not to pass, with the reason. An entry of a case holds for all its checks."""
    found = {}
    for entry in load(ROOT / f"suites/expectations/{peer}.toml"):
        for unit in [entry.check] if entry.check else checks.get(entry.case, []):
            found[entry.case, unit] = entry.why.reason
    return found


def both_fail(known: dict[str, catalogue.Requirement], level: str) -> dict[str, list[str]]:
    """The requirements of a level that wasmtime and jco both fail, and the cases that show it."""
    checks: dict[str, list[str]] = defaultdict(list)
    for case, check in check_text.checks():
        checks[case].append(check["id"])
    first, second = (failing(peer, checks) for peer in PEERS[:2])
    found: dict[str, list[str]] = defaultdict(list)
    for case, ids in checks.items():
        for one in ids:
            if (case, one) in first and (case, one) in second and known[one].level == level:
                found[one].append(case)
    return found


def quotations(page: str) -> dict[str, str]:
    """The sentences by id: of the official files where they are, else of the page."""
    found = {name: text for text, name in QUOTE.findall(page)}
    texts = official.texts()
    return found | {r.name: texts[key] for r in catalogue.sentences(official.TEXT) if (key := (r.interface, r.item, r.hash)) in texts}


def quotation_problems(entry: dict[str, Any], rows: dict[str, catalogue.Row], quoted: dict[str, str]) -> list[str]:
    """What is wrong with the links and sentences of an entry."""
    found = [f"{link!r} is no address" for link in entry["links"] if not link.startswith("https://")]
    found += [f"{s}: the catalogue has no such sentence" for s in entry["sentences"] if s not in rows]
    for name in (s for s in entry["sentences"] if s in rows):
        if name not in quoted:
            found.append(f"{name}: its text is not here (make suites, then --write)")
        elif cut.Sentence("", "", quoted[name], "", 0).hash != rows[name].hash:
            found.append(f"{name}: the quotation has not the hash of the catalogue")
    return found


def problems_of_found(entry: dict[str, Any], rows: dict[str, catalogue.Row], quoted: dict[str, str]) -> list[str]:
    """What is wrong with one entry of what `assay fuzz` found."""
    if set(entry) != FOUND_KEYS or entry["right"] not in FOUND_RIGHT:
        return [f"needs exactly {', '.join(sorted(FOUND_KEYS))}; right is one of {', '.join(FOUND_RIGHT)}"]
    found = quotation_problems(entry, rows, quoted)
    if (entry["right"] == "touchstone") != bool(entry["sentences"]):
        found.append("a text that decides needs sentences, and a silent one has none")
    script = calls.parse(entry["script"])
    names = {call.name for area in calls.TABLE for call in calls.signatures(area)}
    if script and script[0].name in exchange.NAMES:
        found += problems_of_exchanges(script)
    else:
        found += [f"{line.name}: the probe has no such call" for line in script if line.name not in names]
    if not script or not any(re.fullmatch(match["call"], str(script[-1])) for match in entry["match"]):
        found.append("no match explains the last call of the script")
    return found


def problems_of_exchanges(script: calls.Script) -> list[str]:
    """What is wrong with the lines of a script of the area `components`."""
    found = []
    for line in script:
        try:
            name = expected.result(exchange.read(line))[1]
        except ValueError as error:
            found.append(str(error))
        else:
            found += [f"{line}: the Canonical ABI says {name}"] if name != line.name else []
    return found


def problems_of(entry: dict[str, Any], rows: dict[str, catalogue.Row], both: dict[str, list[str]], quoted: dict[str, str]) -> list[str]:
    """What is wrong with one entry."""
    if set(entry) != KEYS or entry["right"] not in RIGHT or not entry["requirements"] or not entry["sentences"]:
        return [f"needs exactly {', '.join(sorted(KEYS))}; right is one of {', '.join(RIGHT)}"]
    found = [f"{r}: wasmtime and jco do not both fail it, or it is no MUST" for r in entry["requirements"] if r not in both]
    found += quotation_problems(entry, rows, quoted)
    yielded = {y for s in entry["sentences"] if s in rows for y in rows[s].yields}
    if entry["right"] != "nobody":
        found += [f"{r}: none of the sentences yields it" for r in entry["requirements"] if r not in yielded]
    return found


def cell(text: str) -> str:
    return text.replace("|", "\\|")


def section(entry: dict[str, Any], rows: dict[str, catalogue.Row], both: dict[str, list[str]], quoted: dict[str, str]) -> list[str]:
    """The lines of one divergence."""
    lines = [f"### {entry['title']}", ""]
    for name in entry["sentences"]:
        lines += [f"> {quoted[name]}", f"> [`{name}`]({official.address(rows[name])})", ""]
    lines += ["| runtime | does |", "|---|---|"]
    lines += [f"| {name} | {cell(entry[name])} |" for name in ("touchstone", *PEERS, "wamr") if name in entry]
    lines += ["", entry["why"], "", f"Thread: {', '.join(f'<{link}>' for link in entry['links']) or NO_THREAD}.", ""]
    if "script" in entry:
        return [*lines, "Script:", "", "```", *entry["script"].strip().splitlines(), "```", ""]
    lines += ["Checks:", "", *(f"- `{r}` in {', '.join(f'`{c}`' for c in both[r])}" for r in entry["requirements"]), ""]
    return lines


def page(source: dict[str, Any], machine: list[dict[str, Any]], rows: dict[str, catalogue.Row], known: dict[str, catalogue.Requirement], quoted: dict[str, str]) -> str:
    """The text of the page."""
    both = both_fail(known, "must")
    versions, entries = source["versions"], source["divergence"]
    lines = [HEAD.format(wasmtime=versions["wasmtime"], jco=versions["jco"], py=versions["wasmtime-py"])]
    for right, (title, meaning) in RIGHT.items():
        mine = [e for e in entries if e["right"] == right]
        lines += [f"## {title} ({len(mine)})", "", meaning, ""]
        lines += [line for entry in mine for line in section(entry, rows, both, quoted)]
    lines += [FOUND_HEAD.format(number=len(machine))]
    for right, title in FOUND_RIGHT.items():
        mine = [e for e in machine if e["right"] == right]
        lines += [f"## Found by machine: {title[0].lower()}{title[1:]} ({len(mine)})", ""]
        lines += [line for entry in mine for line in section(entry, rows, both, quoted)]
    advised = both_fail(known, "should")
    lines += [f"## Recommended, and done by neither ({len(advised)})", "", "The text recommends these (SHOULD); neither is wrong.", ""]
    lines += ["| requirement | when | recommended |", "|---|---|---|"]
    lines += [f"| `{r}` | {cell(known[r].condition or 'always')} | {cell(known[r].outcome)} |" for r in sorted(advised)]
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    source = tomllib.loads(SOURCE.read_text("utf-8"))
    entries = source["divergence"]
    rows, known = {r.name: r for r in catalogue.sentences(official.TEXT)}, catalogue.requirements(official.TEXT)
    both = both_fail(known, "must")
    old = PAGE.read_text("utf-8") if PAGE.is_file() else ""
    quoted = quotations(old)
    problems = [f"{entry.get('title', '?')}: {p}" for entry in entries for p in problems_of(entry, rows, both, quoted)]
    machine = tomllib.loads(FOUND.read_text("utf-8")).get("divergence", [])
    load_known(FOUND)
    problems += [f"{entry.get('title', '?')}: {p}" for entry in machine for p in problems_of_found(entry, rows, quoted)]
    named = [r for entry in entries for r in entry.get("requirements", [])]
    problems += [f"{r}: wasmtime and jco both fail it ({', '.join(cases)}), and no entry explains it" for r, cases in both.items() if r not in named]
    problems += [f"{r}: two entries explain it" for r in sorted({r for r in named if named.count(r) > 1})]
    if not problems:
        new = page(source, machine, rows, known, quoted)
        if "--write" in arguments:
            PAGE.write_text(new, encoding="utf-8")
        elif new != old:
            problems.append("suites/DIVERGENCES.md is not what the entries say: ci/check_divergences.py --write")
    for line in problems:
        print(line)
    if not problems:
        print(f"divergences: {len(entries)} entries explain the {len(both)} requirements that wasmtime and jco both fail, {len(machine)} what assay fuzz found")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
