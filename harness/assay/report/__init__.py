"""Reports: pure functions from a record, and the counts of scripts and programs, to HTML, JUnit XML, TAP, CTRF, EARL,
Markdown and badges."""

from __future__ import annotations

from .badges import render as badges
from .comment import render as comment
from .ctrf import render as ctrf
from .earl import render as earl
from .html import render as html
from .junit import render as junit
from .markdown import render as markdown
from .tap import render as tap

__all__ = ["badges", "comment", "ctrf", "earl", "html", "junit", "markdown", "tap"]
