"""Verdicts: pure functions from a case and what was observed to results."""

from __future__ import annotations

from .verdicts import judge, skip, split_output

__all__ = ["judge", "skip", "split_output"]
