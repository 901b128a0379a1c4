"""Where node, jco and its preview2-shim are, and the module that prepares the shim for a run.

In: folders where jco may be. Out: a peer whose program is node, jco's script and jco's folder, or why there is none.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ...model import Absent, Job, Peer
from ..base import given, probe_version
from ..places import Places

_PACKAGE = Path("node_modules/@bytecodealliance/jco")
_SHIMS = ("node_modules/@bytecodealliance/preview2-shim", "../preview2-shim")


def packages(places: Places, *names: str) -> tuple[Path, ...]:
    """Returns where jco may be: installed for one of the runtimes, or in the project. A `NAME@VERSION` is only
    what was installed for it."""
    project = () if "@" in names[0] else (places.root,)
    return tuple(folder / _PACKAGE for folder in (*(places.installed(name) for name in names), *project))


def find_jco(name: str, folders: Sequence[Path], options: tuple[str, ...] = ()) -> Peer | Absent:
    """Finds node, and the first of the folders of jco that is there. The program is node, jco and that folder."""
    beside = Path(sys.executable).parent / "node"
    node = shutil.which("node") or (str(beside) if beside.is_file() else None)
    if node is None:
        return Absent(name, "there is no `node` on the search path, nor beside this Python")
    package = next((item.resolve() for item in folders if (item / "package.json").is_file()), None)
    if package is None:
        return Absent(name, f"npm's @bytecodealliance/jco is not installed in {folders[-1]}")
    version, problem = probe_version([node, "--version"])
    if problem:
        return Absent(name, problem)
    manifest = json.loads((package / "package.json").read_text(encoding="utf-8"))
    script = package / str(manifest["bin"] if isinstance(manifest["bin"], str) else manifest["bin"]["jco"])
    version = f"jco {manifest['version']} (node {version.removeprefix('v')})"
    return Peer(name, version, (node, str(script), str(package)), given(options), options)


def shim_of(package: str) -> Path | None:
    """Returns the folder of the preview2-shim that a jco uses."""
    found = (Path(package, part) for part in _SHIMS)
    return next((shim.resolve() for shim in found if (shim / "package.json").is_file()), None)


def serving(script: str, port: int) -> tuple[str, ...]:
    """Returns the words of `jco serve`. By its workers each request has an instance of its own, where jco has them."""
    options = ("--isolate-requests", "worker", "--isolate-worker-pool-size", "4")
    script_file = Path(script)
    there = script_file.is_file() and options[0] in script_file.read_text(encoding="utf-8")
    return ("serve", "--host", "127.0.0.1", "--port", str(port), *(options if there else ()))


def passing(component: Path) -> bool:
    """Returns whether a component was made for this moment, as those of `assay fuzz`."""
    return Path(tempfile.gettempdir()) in component.parents


def built(shim: Path, part: str) -> Path:
    """Returns the folder of the shim's modules for an engine, `nodejs` or `browser`: in `lib`, or since 0.26 in `dist`."""
    return next((found for name in ("dist", "lib") if (found := shim / name / part).is_dir()), shim / "dist" / part)


def setup_module(shim: Path, job: Job) -> str:
    """Returns the text of the module that jco imports before the component. It sets the preopens, and the environment
    of the case."""
    modules = built(shim, "nodejs")
    lines = [
        f"import {{ _setPreopens }} from {json.dumps((modules / 'filesystem.js').as_uri())};",
        f"import {{ _setEnv }} from {json.dumps((modules / 'cli.js').as_uri())};",
        f"_setPreopens({json.dumps({mount.guest: str(mount.host) for mount in job.mounts})});",
    ]
    if job.case.run.env is not None:
        lines.append(f"_setEnv({json.dumps(dict(job.case.run.env))});")
    return "\n".join(lines) + "\n"
