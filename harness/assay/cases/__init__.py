"""Cases: reading case.toml, and choosing among cases."""

from __future__ import annotations

from . import toolchains
from .load import CaseError, content_before, discover, find_directory, load

__all__ = ["CaseError", "content_before", "discover", "find_directory", "load", "toolchains"]
