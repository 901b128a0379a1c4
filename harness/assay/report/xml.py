"""Text that XML 1.0 can hold. Pure.

In: any text. Out: the same text, with an escape in the place of each character that XML does not allow.
"""

from __future__ import annotations

import re

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """Escapes the control characters and surrogates that XML 1.0 does not allow. Markup is left as it is."""
    return _FORBIDDEN.sub(lambda match: repr(match[0])[1:-1], text)
