/* types: the numbers of preview 1: error codes, rights, flags and the layout of records in memory.
 * In: nothing. Out: constants. The order of names is that of the text.
 * witx: typenames.witx */
#ifndef TS_WASI_PREVIEW1_TYPES_H
#define TS_WASI_PREVIEW1_TYPES_H
#include <stdint.h>

/* witx: $errno */
#define TS_P1_ERRNOS(X)                                                                                                \
    X(SUCCESS, "success")                                                                                              \
    X(2BIG, "2big")                                                                                                    \
    X(ACCES, "acces")                                                                                                  \
    X(ADDRINUSE, "addrinuse")                                                                                          \
    X(ADDRNOTAVAIL, "addrnotavail")                                                                                    \
    X(AFNOSUPPORT, "afnosupport")                                                                                      \
    X(AGAIN, "again")                                                                                                  \
    X(ALREADY, "already")                                                                                              \
    X(BADF, "badf")                                                                                                    \
    X(BADMSG, "badmsg")                                                                                                \
    X(BUSY, "busy")                                                                                                    \
    X(CANCELED, "canceled")                                                                                            \
    X(CHILD, "child")                                                                                                  \
    X(CONNABORTED, "connaborted")                                                                                      \
    X(CONNREFUSED, "connrefused")                                                                                      \
    X(CONNRESET, "connreset")                                                                                          \
    X(DEADLK, "deadlk")                                                                                                \
    X(DESTADDRREQ, "destaddrreq")                                                                                      \
    X(DOM, "dom")                                                                                                      \
    X(DQUOT, "dquot")                                                                                                  \
    X(EXIST, "exist")                                                                                                  \
    X(FAULT, "fault")                                                                                                  \
    X(FBIG, "fbig")                                                                                                    \
    X(HOSTUNREACH, "hostunreach")                                                                                      \
    X(IDRM, "idrm")                                                                                                    \
    X(ILSEQ, "ilseq")                                                                                                  \
    X(INPROGRESS, "inprogress")                                                                                        \
    X(INTR, "intr")                                                                                                    \
    X(INVAL, "inval")                                                                                                  \
    X(IO, "io")                                                                                                        \
    X(ISCONN, "isconn")                                                                                                \
    X(ISDIR, "isdir")                                                                                                  \
    X(LOOP, "loop")                                                                                                    \
    X(MFILE, "mfile")                                                                                                  \
    X(MLINK, "mlink")                                                                                                  \
    X(MSGSIZE, "msgsize")                                                                                              \
    X(MULTIHOP, "multihop")                                                                                            \
    X(NAMETOOLONG, "nametoolong")                                                                                      \
    X(NETDOWN, "netdown")                                                                                              \
    X(NETRESET, "netreset")                                                                                            \
    X(NETUNREACH, "netunreach")                                                                                        \
    X(NFILE, "nfile")                                                                                                  \
    X(NOBUFS, "nobufs")                                                                                                \
    X(NODEV, "nodev")                                                                                                  \
    X(NOENT, "noent")                                                                                                  \
    X(NOEXEC, "noexec")                                                                                                \
    X(NOLCK, "nolck")                                                                                                  \
    X(NOLINK, "nolink")                                                                                                \
    X(NOMEM, "nomem")                                                                                                  \
    X(NOMSG, "nomsg")                                                                                                  \
    X(NOPROTOOPT, "noprotoopt")                                                                                        \
    X(NOSPC, "nospc")                                                                                                  \
    X(NOSYS, "nosys")                                                                                                  \
    X(NOTCONN, "notconn")                                                                                              \
    X(NOTDIR, "notdir")                                                                                                \
    X(NOTEMPTY, "notempty")                                                                                            \
    X(NOTRECOVERABLE, "notrecoverable")                                                                                \
    X(NOTSOCK, "notsock")                                                                                              \
    X(NOTSUP, "notsup")                                                                                                \
    X(NOTTY, "notty")                                                                                                  \
    X(NXIO, "nxio")                                                                                                    \
    X(OVERFLOW, "overflow")                                                                                            \
    X(OWNERDEAD, "ownerdead")                                                                                          \
    X(PERM, "perm")                                                                                                    \
    X(PIPE, "pipe")                                                                                                    \
    X(PROTO, "proto")                                                                                                  \
    X(PROTONOSUPPORT, "protonosupport")                                                                                \
    X(PROTOTYPE, "prototype")                                                                                          \
    X(RANGE, "range")                                                                                                  \
    X(ROFS, "rofs")                                                                                                    \
    X(SPIPE, "spipe")                                                                                                  \
    X(SRCH, "srch")                                                                                                    \
    X(STALE, "stale")                                                                                                  \
    X(TIMEDOUT, "timedout")                                                                                            \
    X(TXTBSY, "txtbsy")                                                                                                \
    X(XDEV, "xdev")                                                                                                    \
    X(NOTCAPABLE, "notcapable")

/* witx: $rights: bit i is the name at i */
#define TS_P1_RIGHTS(X)                                                                                                \
    X(FD_DATASYNC, "fd-datasync")                                                                                      \
    X(FD_READ, "fd-read")                                                                                              \
    X(FD_SEEK, "fd-seek")                                                                                              \
    X(FD_FDSTAT_SET_FLAGS, "fd-fdstat-set-flags")                                                                      \
    X(FD_SYNC, "fd-sync")                                                                                              \
    X(FD_TELL, "fd-tell")                                                                                              \
    X(FD_WRITE, "fd-write")                                                                                            \
    X(FD_ADVISE, "fd-advise")                                                                                          \
    X(FD_ALLOCATE, "fd-allocate")                                                                                      \
    X(PATH_CREATE_DIRECTORY, "path-create-directory")                                                                  \
    X(PATH_CREATE_FILE, "path-create-file")                                                                            \
    X(PATH_LINK_SOURCE, "path-link-source")                                                                            \
    X(PATH_LINK_TARGET, "path-link-target")                                                                            \
    X(PATH_OPEN, "path-open")                                                                                          \
    X(FD_READDIR, "fd-readdir")                                                                                        \
    X(PATH_READLINK, "path-readlink")                                                                                  \
    X(PATH_RENAME_SOURCE, "path-rename-source")                                                                        \
    X(PATH_RENAME_TARGET, "path-rename-target")                                                                        \
    X(PATH_FILESTAT_GET, "path-filestat-get")                                                                          \
    X(PATH_FILESTAT_SET_SIZE, "path-filestat-set-size")                                                                \
    X(PATH_FILESTAT_SET_TIMES, "path-filestat-set-times")                                                              \
    X(FD_FILESTAT_GET, "fd-filestat-get")                                                                              \
    X(FD_FILESTAT_SET_SIZE, "fd-filestat-set-size")                                                                    \
    X(FD_FILESTAT_SET_TIMES, "fd-filestat-set-times")                                                                  \
    X(PATH_SYMLINK, "path-symlink")                                                                                    \
    X(PATH_REMOVE_DIRECTORY, "path-remove-directory")                                                                  \
    X(PATH_UNLINK_FILE, "path-unlink-file")                                                                            \
    X(POLL_FD_READWRITE, "poll-fd-readwrite")                                                                          \
    X(SOCK_SHUTDOWN, "sock-shutdown")                                                                                  \
    X(SOCK_ACCEPT, "sock-accept")

/* witx: $signal, and what its action does: T terminates the process, S stops it, - neither */
#define TS_P1_SIGNALS(X)                                                                                               \
    X("none", '-')                                                                                                     \
    X("hup", 'T')                                                                                                      \
    X("int", 'T')                                                                                                      \
    X("quit", 'T')                                                                                                     \
    X("ill", 'T')                                                                                                      \
    X("trap", 'T')                                                                                                     \
    X("abrt", 'T')                                                                                                     \
    X("bus", 'T')                                                                                                      \
    X("fpe", 'T')                                                                                                      \
    X("kill", 'T')                                                                                                     \
    X("usr1", 'T')                                                                                                     \
    X("segv", 'T')                                                                                                     \
    X("usr2", 'T')                                                                                                     \
    X("pipe", '-')                                                                                                     \
    X("alrm", 'T')                                                                                                     \
    X("term", 'T')                                                                                                     \
    X("chld", '-')                                                                                                     \
    X("cont", '-')                                                                                                     \
    X("stop", 'S')                                                                                                     \
    X("tstp", 'S')                                                                                                     \
    X("ttin", 'S')                                                                                                     \
    X("ttou", 'S')                                                                                                     \
    X("urg", '-')                                                                                                      \
    X("xcpu", 'T')                                                                                                     \
    X("xfsz", 'T')                                                                                                     \
    X("vtalrm", 'T')                                                                                                   \
    X("prof", 'T')                                                                                                     \
    X("winch", '-')                                                                                                    \
    X("poll", 'T')                                                                                                     \
    X("pwr", 'T')                                                                                                      \
    X("sys", 'T')

#define TS_P1_ERRNO_(name, text) TS_P1_##name,
typedef enum ts_p1_errno { TS_P1_ERRNOS(TS_P1_ERRNO_) TS_P1_N_ERRNOS } ts_p1_errno;
#undef TS_P1_ERRNO_

#define TS_P1_RIGHT_(name, text) TS_P1_BIT_##name,
enum { TS_P1_RIGHTS(TS_P1_RIGHT_) TS_P1_N_RIGHTS };
#undef TS_P1_RIGHT_
typedef uint64_t ts_p1_rights;
#define TS_P1_RIGHT_(name, text) TS_P1_RIGHT_##name = 1u << TS_P1_BIT_##name,
enum { TS_P1_RIGHTS(TS_P1_RIGHT_) };
#undef TS_P1_RIGHT_

enum { TS_P1_CLOCK_REALTIME, TS_P1_CLOCK_MONOTONIC, TS_P1_N_CLOCKS = 4 };
enum {
    TS_P1_TYPE_UNKNOWN,
    TS_P1_TYPE_BLOCK_DEVICE,
    TS_P1_TYPE_CHARACTER_DEVICE,
    TS_P1_TYPE_DIRECTORY,
    TS_P1_TYPE_REGULAR_FILE,
    TS_P1_TYPE_SOCKET_DGRAM,
    TS_P1_TYPE_SOCKET_STREAM,
    TS_P1_TYPE_SYMBOLIC_LINK,
};
enum { TS_P1_WHENCE_SET, TS_P1_WHENCE_CUR, TS_P1_WHENCE_END };
enum { TS_P1_N_ADVICES = 6, TS_P1_N_SIGNALS = 31 };
enum { TS_P1_EVENT_CLOCK, TS_P1_EVENT_FD_READ, TS_P1_EVENT_FD_WRITE };
enum { TS_P1_LOOKUP_SYMLINK_FOLLOW = 1 };
enum { TS_P1_O_CREAT = 1, TS_P1_O_DIRECTORY = 2, TS_P1_O_EXCL = 4, TS_P1_O_TRUNC = 8, TS_P1_O_ALL = 15 };
enum {
    TS_P1_FD_APPEND = 1,
    TS_P1_FD_DSYNC = 2,
    TS_P1_FD_NONBLOCK = 4,
    TS_P1_FD_RSYNC = 8,
    TS_P1_FD_SYNC = 16,
    TS_P1_FD_ALL = 31,
};
enum {
    TS_P1_FST_ATIM = 1,
    TS_P1_FST_ATIM_NOW = 2,
    TS_P1_FST_MTIM = 4,
    TS_P1_FST_MTIM_NOW = 8,
    TS_P1_FST_ALL = 15,
};
enum { TS_P1_SUBSCRIPTION_ABSTIME = 1, TS_P1_EVENT_HANGUP = 1 };
enum { TS_P1_RI_PEEK = 1, TS_P1_RI_WAITALL = 2, TS_P1_RI_ALL = 3, TS_P1_RO_TRUNCATED = 1 };
enum { TS_P1_SD_RD = 1, TS_P1_SD_WR = 2, TS_P1_SD_ALL = 3 };

/* Sizes of records in memory, in bytes. */
enum {
    TS_P1_DIRENT_SIZE = 24,
    TS_P1_EVENT_SIZE = 32,
    TS_P1_FDSTAT_SIZE = 24,
    TS_P1_FILESTAT_SIZE = 64,
    TS_P1_IOVEC_SIZE = 8,
    TS_P1_PRESTAT_SIZE = 8,
    TS_P1_SUBSCRIPTION_SIZE = 48,
};
#endif
