"""The report as a site: static files that any folder or web server can hold, and that need no server.

In: a `Source`: the record of the cases, and what belongs to it. Out: files, by their path in the folder. Pure.
"""

from __future__ import annotations

from .history import Builder, History, HistoryRun
from .pages import Source, render

__all__ = ["Builder", "History", "HistoryRun", "Source", "render"]
