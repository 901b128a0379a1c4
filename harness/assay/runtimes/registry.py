"""Which runtimes the harness knows: those of the package, of other packages, and of a folder.

A runtime is a file: a Python module with a tuple `RUNTIMES` of adapters, or a TOML file (`description.py`). Other
packages have modules at the entry point `assay.runtimes`. A user's own are in the folder of `--runtimes`.
In: files. Out: adapters, in the order of the report's columns.
"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from .base import Adapter
from .description import DescriptionError, load

GROUP = "assay.runtimes"
NAME = re.compile(r"[a-z][a-z0-9.-]*")
REFERENCE = "touchstone"
_FIRST = (REFERENCE, "wasmtime", "wasmtime-py", "jco")


class RegistryError(Exception):
    """A runtime's file that cannot be used, or a name that is no runtime."""


@functools.cache
def known() -> tuple[Adapter, ...]:
    """Returns the runtimes of this package, and of the packages at the entry point."""
    adapters = list(_in_folder(Path(__file__).with_name("known")))
    for point in importlib.metadata.entry_points(group=GROUP):
        try:
            adapters += _of_module(point.load(), f"entry point {point.name}")
        except Exception as error:  # a broken package of somebody else must not end every command
            raise RegistryError(f"entry point {point.name} of {GROUP}: {error}") from error
    return _ordered(adapters)


def reference() -> Adapter:
    """Returns the reference runtime."""
    return next(adapter for adapter in known() if adapter.reference)


def with_folders(folders: Sequence[Path]) -> tuple[Adapter, ...]:
    """Returns the known runtimes, and those of a user's folders."""
    return _ordered([*known(), *(adapter for folder in folders for adapter in _in_folder(folder))])


def tagged(adapters: Sequence[Adapter], names: Iterable[str]) -> tuple[Adapter, ...]:
    """Returns the adapters with one more for each `NAME@VERSION`: the same runtime in another version."""
    made = list(adapters)
    for name in dict.fromkeys(names):
        base, at, version = name.partition("@")
        like = next((adapter for adapter in adapters if adapter.name == base), None)
        if not at or like is None or any(adapter.name == name for adapter in made):
            continue
        if not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z.+-]*", version):
            raise RegistryError(f"{name}: a version is letters, digits, dots, + and -")
        made.insert(made.index(like) + 1, renamed(like, name, like.about.like or like.name))
    return tuple(made)


def renamed(adapter: Adapter, name: str, like: str = "") -> Adapter:
    """Returns the adapter as one of another name. It has the expectations of the runtime `like`."""
    about = replace(adapter.about, like=like)
    return cast("Adapter", replace(cast("Any", adapter), name=name, about=about, reference=False))


def _ordered(adapters: Sequence[Adapter]) -> tuple[Adapter, ...]:
    """Sorts adapters: the best-known ones, runtimes of components, and those of preview 1 only."""
    names = [adapter.name for adapter in adapters]
    for name in names:
        if names.count(name) > 1:
            raise RegistryError(f"two runtimes have the name {name}")
        if not NAME.fullmatch(name):
            raise RegistryError(f"{name!r} is no name for a runtime (a-z, 0-9, - and .)")

    def place(adapter: Adapter) -> tuple[int, bool, str]:
        base = adapter.about.like or adapter.name
        first = _FIRST.index(base) if base in _FIRST else len(_FIRST)
        return first, not adapter.about.can.components, adapter.name

    return tuple(sorted(adapters, key=place))


def _in_folder(folder: Path) -> list[Adapter]:
    adapters: list[Adapter] = []
    for path in sorted(folder.iterdir()):
        if path.suffix == ".toml":
            try:
                adapters += load(path)
            except DescriptionError as error:
                raise RegistryError(str(error)) from None
        elif path.suffix == ".py" and path.stem != "__init__" and not path.stem.endswith("_driver"):
            adapters += _of_module(_import(path), str(path))
    return adapters


def _import(path: Path) -> Any:
    if path.parent == Path(__file__).with_name("known"):
        return importlib.import_module(f"{__package__}.known.{path.stem}")
    spec = importlib.util.spec_from_file_location(f"assay_runtime_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise RegistryError(f"{path} is no Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there for the names of types
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[spec.name]
        raise RegistryError(f"{path}: {type(error).__name__}: {error}") from error
    return module


def _of_module(module: Any, where: str) -> list[Adapter]:
    found = getattr(module, "RUNTIMES", None)
    if not isinstance(found, tuple) or not found:
        raise RegistryError(f"{where}: a tuple RUNTIMES of adapters is missing")
    needed = ("name", "about", "find", "prepare", "command", "interpret")
    for adapter in found:
        if lacking := [word for word in needed if not hasattr(adapter, word)]:
            raise RegistryError(f"{where}: {adapter!r} has no {', '.join(lacking)}")
    return list(found)
