/* sys/error: the errors of the OS as one enum that needs no OS header.
 * In: errno. Out: ts_sys_err; TS_SYS_ESCAPE, TS_SYS_NO_WRITER and TS_SYS_ENDLESS are
 * ours. Source: POSIX <errno.h> */
#ifndef TS_SYS_ERROR_H
#define TS_SYS_ERROR_H

#define TS_SYS_ERRORS(X)                                                                                               \
    X(EACCES)                                                                                                          \
    X(EAGAIN)                                                                                                          \
    X(EALREADY)                                                                                                        \
    X(EBADF)                                                                                                           \
    X(EBUSY)                                                                                                           \
    X(EDEADLK)                                                                                                         \
    X(EDQUOT)                                                                                                          \
    X(EEXIST)                                                                                                          \
    X(EFBIG)                                                                                                           \
    X(EILSEQ)                                                                                                          \
    X(EINPROGRESS)                                                                                                     \
    X(EINTR)                                                                                                           \
    X(EINVAL)                                                                                                          \
    X(EIO)                                                                                                             \
    X(EISDIR)                                                                                                          \
    X(ELOOP)                                                                                                           \
    X(EMLINK)                                                                                                          \
    X(EMSGSIZE)                                                                                                        \
    X(ENAMETOOLONG)                                                                                                    \
    X(ENODEV)                                                                                                          \
    X(ENOENT)                                                                                                          \
    X(ENOLCK)                                                                                                          \
    X(ENOMEM)                                                                                                          \
    X(ENOSPC)                                                                                                          \
    X(ENOTDIR)                                                                                                         \
    X(ENOTEMPTY)                                                                                                       \
    X(ENOTRECOVERABLE)                                                                                                 \
    X(ENOTSUP)                                                                                                         \
    X(ENOTTY)                                                                                                          \
    X(ENXIO)                                                                                                           \
    X(EOVERFLOW)                                                                                                       \
    X(EPERM)                                                                                                           \
    X(EPIPE)                                                                                                           \
    X(EROFS)                                                                                                           \
    X(ESPIPE)                                                                                                          \
    X(ETXTBSY)                                                                                                         \
    X(EXDEV)                                                                                                           \
    X(EMFILE)                                                                                                          \
    X(ENFILE)                                                                                                          \
    X(ECONNRESET)                                                                                                      \
    X(ECONNREFUSED)                                                                                                    \
    X(ECONNABORTED)                                                                                                    \
    X(ETIMEDOUT)                                                                                                       \
    X(EADDRINUSE)                                                                                                      \
    X(EADDRNOTAVAIL)                                                                                                   \
    X(EHOSTUNREACH)                                                                                                    \
    X(ENETUNREACH)                                                                                                     \
    X(ENETDOWN)                                                                                                        \
    X(EISCONN)                                                                                                         \
    X(ENOTCONN)                                                                                                        \
    X(EAFNOSUPPORT)                                                                                                    \
    X(ENOBUFS)                                                                                                         \
    X(EPROTONOSUPPORT)                                                                                                 \
    X(EDESTADDRREQ)

#define TS_SYS_ENUM_(name) TS_SYS_##name,
typedef enum ts_sys_err {
    TS_SYS_OK = 0,
    TS_SYS_ERRORS(TS_SYS_ENUM_) TS_SYS_ESCAPE, /* the path leaves the folder that it starts from */
    TS_SYS_NO_WRITER,                          /* a named pipe that no program has opened for writing */
    TS_SYS_ENDLESS,                            /* a whole file was requested, but this is an endless device */
    TS_SYS_OTHER,                              /* an errno without a name here */
} ts_sys_err;
#undef TS_SYS_ENUM_

ts_sys_err ts_sys_err_of(int err);         /* errno → ts_sys_err */
const char *ts_sys_err_text(ts_sys_err e); /* "no such file or directory" */
#endif
