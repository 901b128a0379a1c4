"""The page and the badge of a certificate. Pure.

In: a `Certificate`. Out: one self-contained HTML file, by the template beside; a `Badge`.
"""

from __future__ import annotations

from ..model.templates import environment
from ..report.badges import Badge
from .certificate import Certificate


def html(made: Certificate) -> str:
    template = environment("certify/templates", html=True).get_template("certificate.html")
    return template.render(made=made, claim=made.claim, result=made.assessment)


def badge(made: Certificate) -> Badge:
    words = f"{made.claim.profile.name} {versions(made)}"
    if not made.assessment.certified:
        return Badge("WASI", f"{words}: not certified", "red")
    return Badge("WASI", words, "brightgreen")


def versions(made: Certificate) -> str:
    low, high = made.claim.versions
    return low if low == high else f"{low} to {high}"
