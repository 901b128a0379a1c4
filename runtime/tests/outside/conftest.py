"""What holds for all tests of the command from outside."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """A job in the background of a shell has SIGINT ignored, and the servers that are to end by it would inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
