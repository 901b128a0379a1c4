"""The history of runs: records kept in a folder or on a branch, and what they show over time.

`store.py` keeps records, `pieces.py` cuts them into pieces that similar runs share. `rows.py` reads them for `trend.py`
and `query.py`. Nothing here uses the terminal.
"""

from __future__ import annotations

from .branch import Branch
from .files import Folder, Memory, StoreError
from .manifest import Run
from .store import Added, Store

__all__ = ["Added", "Branch", "Folder", "Memory", "Run", "Store", "StoreError"]
