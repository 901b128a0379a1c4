"""pywasm: an interpreter in Python. It does not validate, and most of its traps are assertions without words."""

from __future__ import annotations

from ..about import About, Can, Install
from ..driven import InPython

_CUT = "lengths are counted in characters, not in bytes of UTF-8, so text outside of ASCII is cut"
_ABOUT = About(
    "pywasm: an interpreter in Python",
    Can(components=False, modules=True, worlds=(), grants=()),
    install=Install("pip", ("pywasm==2.2.3",)),
    known=(("arguments", _CUT), ("environment", _CUT)),
)
RUNTIMES = (InPython("pywasm", _ABOUT, (("ZeroDivisionError", "integer-divide-by-zero"),), "pywasm", "pywasm"),)
