"""A copy of jco's package in which `jco run` and `jco serve` load only what they need, and keep what they transpile.

In: jco's package and its script, the URL of `jco_kept_driver.mjs`. Out: the script of the copy, or None where jco's
modules have another form. Two modules are changed: the main one imports the commands when they are called, and that of
`run` and `serve` transpiles by way of `kept`. All else is links to jco's own files.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import tempfile
from dataclasses import replace
from pathlib import Path

from ...model import Peer
from ..places import Places

# `import { opt, other } from "./cmd/opt.js";` in the main module. Each name is the action of a command.
_COMMANDS = re.compile(r"^import \{([\w,\s]+?),?\s*\} from ([\"']\./cmd/(?!run\.js)[^\"']+[\"']);$", re.MULTILINE)
# Up to jco 1.24 the function is `transpile`.
_TRANSPILES = re.compile(r"^import \{ (transpile|transpileCmd) \} from ([\"']\./transpile\.js[\"']);$", re.MULTILINE)


def lazy(peer: Peer, driver: str, places: Places) -> Peer:
    """Returns jco with the script of the copy and the driver behind its program, where there can be a copy."""
    _, script, package = peer.program
    made = copy(Path(package), Path(script), driver, places.cache / "lazily")
    return replace(peer, program=(*peer.program, str(made), driver)) if made else peer


def copy(package: Path, script: Path, driver: str, cache: Path) -> Path | None:
    """Returns the script of the copy in the cache, which is made where it is not there."""
    run = script.parent / "cmd" / "run.js"
    try:
        texts = {script: _main(script.read_text(encoding="utf-8")), run: _run(run.read_text(encoding="utf-8"), driver)}
    except OSError:
        return None
    if texts[run] is None:
        return None
    digest = hashlib.sha256(json.dumps([str(package), *texts.values()]).encode()).hexdigest()[:16]
    target = cache / f"jco-{digest}"
    inside = Path("node_modules", *package.parts[-2:])
    if not target.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as made:
            fresh = Path(made) / "copy"
            _mirror(package.parents[1], fresh / "node_modules", texts)
            with contextlib.suppress(OSError):  # another process has made it
                fresh.rename(target)
    return target / inside / script.relative_to(package)


def _main(text: str) -> str:
    def lazily(found: re.Match[str]) -> str:
        names = [name.strip() for name in found[1].split(",")]
        return " ".join(f"const {name} = async (...given) => (await import({found[2]})).{name}(...given);" for name in names)

    return _COMMANDS.sub(lazily, text)


def _run(text: str, driver: str) -> str | None:
    made, times = _TRANSPILES.subn(
        lambda found: f"import {{ kept }} from {json.dumps(driver)};\n"
        f'const {found[1]} = kept(async () => (await import({found[2]})).{found[1]});',
        text,
    )
    return made if times == 1 else None


def _mirror(folder: Path, fresh: Path, texts: dict[Path, str | None]) -> None:
    """Makes a folder of links to what is in a folder. The folders above a file of `texts` are folders of the copy."""
    fresh.mkdir(parents=True)
    for entry in folder.iterdir():
        text = texts.get(entry)
        if text is not None:
            (fresh / entry.name).write_text(text, encoding="utf-8")
        elif any(entry in file.parents for file in texts):
            _mirror(entry, fresh / entry.name, texts)
        else:
            (fresh / entry.name).symlink_to(entry.resolve())
