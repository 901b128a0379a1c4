#!/usr/bin/env python3
"""Every descriptor that the runtime makes is closed on exec and above 2.

Calls that make one stand in sys/ and http/ alone (sys/descriptors.h says why), inside ts_sys_above_std(…), with a flag that closes it on exec in
the same function. Calls that cannot take such a flag are not used.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

RUNTIME = Path(__file__).resolve().parent.parent / "runtime"
FOLDERS = ("base", "sys", "http", "core", "component", "wasi", "cli")
MAKES = re.compile(r"(?<![\w.>])(open|openat|socket|accept4|eventfd|epoll_create1|memfd_create|timerfd_create|signalfd|inotify_init1|socketpair|dup3)\(|syscall\(SYS_openat2")
NEVER = re.compile(r"(?<![\w.>])(fopen|freopen|tmpfile|mkstemp|popen|creat|dup|dup2|accept|epoll_create|inotify_init|opendir|pipe)\(")
CLOSED_ON_EXEC = re.compile(r"_CLOEXEC|SOCK_|\btype\b|&how")
HOME = RUNTIME / "sys/descriptors.c"
# BSD's ways, for systems without the flags: the call and, on the next lines, fcntl(…, F_SETFD, FD_CLOEXEC).
ELSEWHERE = {("sys/net.c", "accept")}


def problems(source: Path) -> list[str]:
    if source == HOME:
        return []
    name = str(source.relative_to(RUNTIME))
    text = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m[0]), source.read_text(encoding="utf-8"), flags=re.S)
    text = re.sub(r'"(\\.|[^"\\\n])*"', '""', text)
    found = []
    for match in NEVER.finditer(text):
        if (name, match[1]) not in ELSEWHERE:
            found.append((match.start(), f"{match[1]} makes a descriptor without closing it on exec: see sys/descriptors.h"))
    for match in MAKES.finditer(text):
        statement = text[text.rfind("\n", 0, match.start() - 60 if match.start() > 60 else 0) : text.find(";", match.start())]
        if not name.startswith(("sys/", "http/")):
            found.append((match.start(), f"{match[0]}…) belongs in sys/ or http/"))
        elif "ts_sys_above_std(" not in statement:
            found.append((match.start(), f"{match[0]}…) is not inside ts_sys_above_std(…)"))
        elif not CLOSED_ON_EXEC.search(text[match.start() : text.find(";", match.start())]):
            found.append((match.start(), f"{match[0]}…) has no flag that closes it on exec"))
    return [f"runtime/{name}:{text.count(chr(10), 0, at) + 1}: {what}" for at, what in sorted(found)]


def main() -> int:
    sources = sorted(path for folder in FOLDERS for path in (RUNTIME / folder).glob("**/*.[ch]"))
    found = [problem for source in sources for problem in problems(source)]
    print("\n".join(found) if found else f"descriptors: {len(sources)} files make them closed on exec and above 2")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
