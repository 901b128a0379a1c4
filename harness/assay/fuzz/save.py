"""A divergence as text, and as a case that replays its script.

The case runs the probe with the script and its tree in the preopened directory, or the component of an exchange, and
expects what the reference runtime printed. Whoever takes it into suites/ compares this with the text of WASI, and adds the checks.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path

from .calls import Script, text
from .compare import Difference, Results, normalised
from .play import FILES, GRANTS, LINKS, OLD, PROBE, needs_tree

COMPONENT = "component.wasm"
INTERFACES = {
    "filesystem": "wasi:filesystem/types",
    "io": "wasi:io/streams",
    "clocks": "wasi:clocks/monotonic-clock",
    "cli": "wasi:cli/environment",
    "sockets": "wasi:sockets/tcp",
    "http": "wasi:http/types",
    "requests": "wasi:http/types",
}


def report(script: Script, results: Results) -> str:
    """Returns the script with the results of each call: one for all runtimes that agree."""
    lines = []
    for index in range(max(len(script), *(len(result) for result in results.values()))):
        lines.append(f"  {script[index] if index < len(script) else '(the end of the script)'}\n")
        by_result: dict[str, list[str]] = {}
        for name, result in results.items():
            by_result.setdefault(result[index] if index < len(result) else "(not reached)", []).append(name)
        alone = len(by_result) == 1
        lines += [f"      {'' if alone else ', '.join(names) + ': '}{result}\n" for result, names in by_result.items()]
    return "".join(lines)


def save(target: Path, area: str, made: Difference, results: Results, component: Path | None = None) -> Path:
    """Writes a divergence to a folder of its own in `target`, with a case. `component`: that of the script, where it
    has one of its own. Returns the folder."""
    name = re.sub(r"[^a-z0-9]+", "-", made.call) + "-" + hashlib.sha256(made.shape.encode()).hexdigest()[:8]
    folder = target / "p2" / "fuzz" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "script").write_text(text(made.script), encoding="utf-8")
    (folder / "divergence.txt").write_text(f"{made.kind}\n\n{report(made.script, results)}", encoding="utf-8")
    reference = next(iter(results.values()))
    if component is not None:
        shutil.copyfile(component, folder / COMPONENT)
        text_of_case = _case_of_component(made, reference)
    else:
        text_of_case = _case(area, made, reference)
    (folder / "case.toml").write_text(text_of_case, encoding="utf-8")
    return folder


def _case_of_component(made: Difference, reference: tuple[str, ...]) -> str:
    word, _, rest = reference[0].partition(" ")
    given = re.search('"(.*)"', rest)
    printed = f"0 {given[1]}\n" if given else ""
    lines = [
        f"title = {_string(f'Found by assay fuzz: {made.kind}')}",
        f'component = "{COMPONENT}"',
        'interfaces = ["wasi:cli/run"]',
        "",
        "[expect]",
        "exit = 0" if word == "got" else "trap = true",
        f"stdout = {_string(printed + ('0 .' + chr(10) if word == 'got' else ''))}",
    ]
    return "\n".join(lines) + "\n"


def _case(area: str, made: Difference, reference: tuple[str, ...]) -> str:
    trapped = bool(reference) and reference[-1].startswith("trap")
    grants = GRANTS.get(area, ("http",))
    lines = [
        f"title = {_string(f'Found by assay fuzz: {made.kind}')}",
        f'component = "{PROBE}"',
        f'interfaces = ["{INTERFACES[area]}"]',
        "",
        "[run]",
        f"args = [{_string('{server}' if area == 'requests' else '-')}]",
        'env = { A = "1" }',
        'stdin = "standard input"',
        f"grant = [{', '.join(map(_string, grants))}]",
        "",
        "[[run.dir]]",
        'guest = "/data"',
    ]
    lines += _make("/data/scripts", "file", f"text = {_string('script 0' + chr(10) + text(made.script))}")
    lines += _make("/data/0", "directory")
    if needs_tree(made.script):
        lines += [*_make("/data/0/dir", "directory"), *_make("/data/0/dir/sub", "directory")]
        for path, content in FILES:
            lines += _make(f"/data/0/{path}", "file", f"text = {_string(content)}", f"mtime = {OLD}")
        for path, to in LINKS:
            lines += _make(f"/data/0/{path}", "link", f"to = {_string(to)}")
    if area == "requests":
        lines += ["", "[[run.server]]", 'name = "server"']
    lines += ["", "[expect]", "trap = true" if trapped else "exit = 0"]
    printed = ["script 0", *(reference[:-1] if trapped else reference), *([] if trapped else ["end"])]
    names = ["", *(line.name for line in made.script)]
    plain = [normalised(name, line) for name, line in zip(names, printed, strict=False)]
    if plain == printed[: len(plain)]:
        lines.append(f"stdout = {_string(''.join(f'{line}{chr(10)}' for line in printed))}")
    else:  # what differs from run to run is left open
        shown = "\n".join([*plain, *printed[len(plain) :]])
        lines.append(f"stdout-matches = {_string(re.sub('<[a-z]+>', '.*', re.escape(shown)))}")
    return "\n".join(lines) + "\n"


def _make(path: str, kind: str, *others: str) -> list[str]:
    return ["", "[[run.make]]", f'path = "{path}"', f'kind = "{kind}"', *others]


def _string(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
