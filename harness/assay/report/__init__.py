"""Reports: pure functions from a record (and the summary of the scripts) to texts: HTML, JUnit XML, Markdown."""

from __future__ import annotations

from .html import render as html
from .junit import render as junit
from .markdown import render as markdown

__all__ = ["html", "junit", "markdown"]
