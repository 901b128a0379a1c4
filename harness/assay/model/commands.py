"""The statuses of a script's commands, and the verdict that each stands for."""

from __future__ import annotations

from .values import Verdict

SCRIPT_KEY = "0 script"
"""The id of the unit that stands for a script as a whole, for example when the runtime crashes."""
STATUSES = {
    "pass": Verdict.PASS,
    "skip": Verdict.SKIP,
    "fail": Verdict.FAIL,
    "missing": Verdict.FAIL,
    "unsupported": Verdict.UNSUPPORTED,
    "crash": Verdict.CRASH,
    "timeout": Verdict.TIMEOUT,
    "unconvertible": Verdict.ERROR,
}
ANNOUNCED = tuple(status for status in STATUSES if status not in ("pass", "skip"))
"""The statuses that an expectation may announce."""
_WORDS = {verdict: status for status, verdict in STATUSES.items() if status != "missing"}


def word_of(verdict: Verdict, word: str) -> str:
    """Returns the status of a command. `word` holds it where two statuses share the verdict."""
    return word or _WORDS.get(verdict, verdict.value.lower())


def only_word(status: str) -> str:
    """Returns the status where its verdict does not imply it, or an empty string."""
    return "" if _WORDS[STATUSES[status]] == status else status
