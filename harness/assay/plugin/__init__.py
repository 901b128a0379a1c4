"""The pytest plugin: `pytest --assay suites/p2`."""

from __future__ import annotations

from .hooks import pytest_addoption, pytest_collect_file, pytest_configure

__all__ = ["pytest_addoption", "pytest_collect_file", "pytest_configure"]
