"""The statuses that the commands of a script come to, and the verdicts that they stand for."""

from __future__ import annotations

from .values import Verdict

SCRIPT_KEY = "0 script"
"""The id of the unit that stands for a script as a whole, where something befell it as a whole."""
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
    """The status of a command. `word` holds it where the verdict alone does not say it."""
    return word or _WORDS[verdict]


def only_word(status: str) -> str:
    """What has to be kept of a status besides its verdict."""
    return "" if _WORDS[STATUSES[status]] == status else status
