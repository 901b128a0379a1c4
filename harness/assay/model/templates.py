"""Templates of jinja2 in this package.

In: the folder of the templates, a path below `assay/`. Out: an environment that fails for a name that is not there.
"""

from __future__ import annotations

import functools

import jinja2

from .words import plural


@functools.cache
def environment(folder: str, *, html: bool = False) -> jinja2.Environment:
    """Returns the environment of a folder of templates. Those of HTML and SVG escape what they print; in the others,
    the last newline of a template stays."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("assay", folder),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=not html,
        autoescape=html,  # noqa: S701: C, TOML, YAML and Python are not HTML
    )
    made.filters["plural"] = plural
    return made
