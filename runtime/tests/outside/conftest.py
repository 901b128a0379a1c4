"""What the tests of the command from outside share."""

from __future__ import annotations

import signal

# A job in the background starts with SIGINT ignored, and so would each program that a test interrupts.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
