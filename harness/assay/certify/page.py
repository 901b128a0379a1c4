"""The page and the badge of a certificate. Pure.

In: a `Certificate`. Out: one self-contained HTML file, by the template beside; a `Badge`.
"""

from __future__ import annotations

import functools

import jinja2

from ..report.badges import Badge
from .certificate import Certificate


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("assay", "certify/templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template("certificate.html")


def html(made: Certificate) -> str:
    return _template().render(made=made, claim=made.claim, result=made.assessment)


def badge(made: Certificate) -> Badge:
    words = f"{made.claim.profile.name} {versions(made)}"
    if not made.assessment.certified:
        return Badge("WASI", f"{words}: not certified", "red")
    return Badge("WASI", words, "brightgreen")


def versions(made: Certificate) -> str:
    low, high = made.claim.versions
    return low if low == high else f"{low} to {high}"
