"""Which functions fail in an injection, with which errors, and which of the runtime's imports are left out.

In: nothing. Out: ERRORS, INVISIBLE, LEFT_OUT, which inject.py and a test use.
"""

from __future__ import annotations

import errno as e

SHORT = 0  # not an error: fewer bytes are moved than were asked for

ERRORS: dict[str, tuple[int, ...]] = {
    "memory": (e.ENOMEM,),
    "mmap": (e.ENOMEM,),
    "munmap": (e.ENOMEM,),
    "mprotect": (e.ENOMEM, e.EACCES),
    "mremap": (e.ENOMEM,),
    "madvise": (e.EINVAL,),
    "open": (e.EMFILE, e.EACCES, e.EINTR),
    "openat": (e.EMFILE, e.EACCES, e.EINTR),
    "fcntl": (e.EMFILE, e.EINVAL),
    "ioctl": (e.ENOTTY,),
    "close": (e.EIO, e.EINTR),
    "read": (e.EIO, e.EINTR, SHORT),
    "pread": (e.EIO, e.EINTR, SHORT),
    "write": (e.ENOSPC, e.EINTR, SHORT),
    "pwrite": (e.ENOSPC, e.EINTR, SHORT),
    "preadv2": (e.EIO, e.EOPNOTSUPP, e.EAGAIN),
    "pwritev2": (e.ENOSPC, e.EOPNOTSUPP),
    "fallocate": (e.EOPNOTSUPP, e.ENOSPC),
    "posix_fadvise": (e.EINVAL,),
    "readlinkat": (e.EIO,),
    "memfd_create": (e.EMFILE, e.ENOSYS),
    "pipe2": (e.EMFILE,),
    "fwrite": (e.ENOSPC,),
    "fflush": (e.ENOSPC,),
    "fputs": (e.ENOSPC,),
    "fputc": (e.ENOSPC,),
    "fclose": (e.ENOSPC,),
    "socket": (e.EMFILE, e.EAFNOSUPPORT),
    "bind": (e.EADDRINUSE, e.EACCES),
    "listen": (e.EADDRINUSE,),
    "accept4": (e.ECONNABORTED, e.EMFILE, e.EINTR),
    "connect": (e.ECONNREFUSED, e.ENETUNREACH),
    "shutdown": (e.ENOTCONN,),
    "getsockname": (e.ENOBUFS,),
    "getpeername": (e.ENOTCONN,),
    "getsockopt": (e.ENOBUFS,),
    "setsockopt": (e.ENOBUFS,),
    "send": (e.ECONNRESET, e.EINTR, e.EAGAIN, SHORT),
    "recv": (e.ECONNRESET, e.EINTR, e.EAGAIN, SHORT),
    "sendto": (e.ENOBUFS, e.EINTR, e.EAGAIN),
    "recvfrom": (e.ECONNREFUSED, e.EINTR, e.EAGAIN),
    "recvmsg": (e.ECONNREFUSED, e.EINTR, e.EAGAIN),
    "poll": (e.ENOMEM, e.EINTR),
    "ppoll": (e.ENOMEM, e.EINTR),
    "epoll_create1": (e.EMFILE,),
    "epoll_ctl": (e.ENOSPC, e.ENOMEM),
    "epoll_wait": (e.EINTR,),
    "eventfd": (e.EMFILE,),
    "pthread_create": (e.EAGAIN,),
    "pthread_mutex_init": (e.ENOMEM,),
    "pthread_cond_init": (e.ENOMEM,),
    "pthread_condattr_init": (e.ENOMEM,),
    "pthread_condattr_setclock": (e.EINVAL,),
    "pthread_attr_init": (e.ENOMEM,),
    "pthread_attr_setstacksize": (e.EINVAL,),
    "pthread_getattr_np": (e.ENOMEM,),
    "pthread_getcpuclockid": (e.ENOENT,),
    "getrandom": (e.ENOSYS, e.EINTR),
    "nanosleep": (e.EINTR,),
    "clock_nanosleep": (e.EINTR,),
    "getrlimit": (e.EPERM,),
    "setrlimit": (e.EPERM,),
    "prctl": (e.EINVAL, e.EPERM),
    "syscall": (e.ENOSYS, e.EPERM, e.ENOMEM),
    "mkdir": (e.EACCES,),
    "mkdirat": (e.ENOSPC,),
}
"""The errors of each function; of others: OTHERS."""

OTHERS = (e.EIO,)

INVISIBLE = {
    (name, err)
    for name in ("read", "pread", "write", "pwrite", "send", "recv", "sendto", "recvfrom", "recvmsg", "poll", "ppoll", "accept4", "epoll_wait")
    for err in (e.EINTR, SHORT)
} | {("getrandom", e.EINTR), ("close", e.EINTR), ("madvise", e.EINVAL), ("nanosleep", e.EINTR), ("clock_nanosleep", e.EINTR)}
"""Nobody may notice these: the call is made again, or was only advice."""

LEFT_OUT = {
    "cannot fail, or only with arguments that the runtime does not give": """
        __cpu_model __errno_location __libc_single_threaded __sched_cpucount __stack_chk_fail __strcat_chk __strcpy_chk
        __memcpy_chk __memmove_chk __memset_chk __snprintf_chk __vsnprintf_chk __tls_get_addr abort bcmp dirfd dl_iterate_phdr dlclose
        environ ferror flockfile free freeaddrinfo freelocale funlockfile getauxval getenv geteuid getpid getppid gettid
        isatty mallopt memchr memcmp memcpy memmem memmove memset pthread_attr_destroy
        pthread_attr_getstack pthread_attr_getstacksize
        pthread_attr_setdetachstate pthread_cond_destroy pthread_cond_signal pthread_cond_timedwait pthread_condattr_destroy
        pthread_join pthread_kill pthread_mutex_destroy pthread_mutex_lock pthread_mutex_trylock pthread_mutex_unlock
        pthread_once pthread_self pthread_sigmask qsort raise sched_yield sigaddset sigemptyset sigfillset snprintf stderr
        stdout strcasecmp strcasestr strchr strcmp strcpy strcspn strerror strerrordesc_np strlen strncmp strnlen strpbrk
        strrchr strspn strstr tzset uselocale vsnprintf""",
    "fails only for a clock that the system does not have; Linux has all that are asked for": "clock_gettime clock_getres",
    "numbers, addresses and their texts": """
        ceil ceilf floor floorf inet_ntop inet_pton sqrt sqrtf strtod strtof strtol strtoul strtoull trunc truncf""",
    "writes a message to stderr, or what fflush and fclose report": "__fprintf_chk __printf_chk fprintf printf putc puts",
}
"""What the runtime imports and inject.c does not have, with the reason."""
