"""Starts a program for which the kernel has no openat2, like kernels before 5.6 and some sandboxes.

Usage: python without_openat2.py PROGRAM [ARGS...]
world.py does this for a case that runs without openat2. Out: it becomes the program, whose calls of openat2 fail with
ENOSYS, and those of its children. The status is 97 where the machine does not allow this. Source: seccomp(2).
"""

import ctypes
import errno
import os
import struct
import sys

_OPENAT2 = 437  # on every architecture
_NO_NEW_PRIVS, _SECCOMP, _FILTER = 38, 22, 2  # prctl(2)
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06  # linux/bpf_common.h
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000  # linux/seccomp.h
_PROGRAM = (
    (_LOAD, 0, 0, 0),  # the number of the call
    (_JUMP_IF_EQUAL, 0, 1, _OPENAT2),
    (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
    (_RETURN, 0, 0, _ALLOW),
)


def main(argv: list[str]) -> int:
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in _PROGRAM))
    program = ctypes.create_string_buffer(struct.pack("HP", len(_PROGRAM), ctypes.addressof(code)))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) or prctl(_SECCOMP, _FILTER, program, 0, 0):
        print(f"without_openat2: {os.strerror(ctypes.get_errno())}", file=sys.stderr)
        return 97
    return os.execvp(argv[0], argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
