"""Reports: pure functions from a record, and the counts of scripts and programs, to HTML, JUnit XML and
Markdown."""

from __future__ import annotations

from .html import render as html
from .junit import render as junit
from .markdown import render as markdown

__all__ = ["html", "junit", "markdown"]
