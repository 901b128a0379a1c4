/* paths: names below a directory.
 * In: a descriptor of a directory and a path. Out: effects on the file system, attributes, new descriptors.
 * sys/fs resolves paths, as for components: no path, link or race leads out of the descriptor's directory.
 * witx: path_* */
#include "wasi/preview1/state.h"
#include "wasi/disk.h"
#include <string.h>

#define R(name) TS_P1_RIGHT_##name

/* A directory with a right, and a path below it. */
static bool place(ts_p1_call *c, uint64_t fd, ts_p1_rights rights, uint64_t ptr, uint64_t len, ts_sys_base *b,
                  ts_sys_path *path) {
    ts_p1_fd *d;
    if (!ts_p1_find(c, fd, TS_P1_FOLDER, rights, &d) || !ts_p1_path(c, ptr, len, path)) return false;
    *b = ts_p1_base(c, d);
    return true;
}
static bool lookup(ts_p1_call *c, uint64_t flags, bool *follow) {
    *follow = flags & TS_P1_LOOKUP_SYMLINK_FOLLOW;
    if (!(flags & ~(uint64_t)TS_P1_LOOKUP_SYMLINK_FOLLOW)) return true;
    ts_p1_end(c, TS_P1_INVAL);
    return false;
}

/* The functions of a path alone. */
static ts_status apply(ts_p1_call *c, const uint64_t *a, ts_p1_rights right,
                       ts_sys_err (*f)(ts_sys_base, ts_sys_path)) {
    ts_sys_base b;
    ts_sys_path path;
    if (!place(c, a[0], right, a[1], a[2], &b, &path)) return c->status;
    return ts_p1_end_sys(c, f(b, path));
}
TS_P1_FN(path_create_directory) {
    return apply(c, a, R(PATH_CREATE_DIRECTORY), ts_sys_mkdir_at);
}
TS_P1_FN(path_remove_directory) {
    return apply(c, a, R(PATH_REMOVE_DIRECTORY), ts_sys_rmdir_at);
}
TS_P1_FN(path_unlink_file) {
    return apply(c, a, R(PATH_UNLINK_FILE), ts_sys_unlink_at);
}
TS_P1_FN(path_filestat_get) {
    ts_sys_base b;
    ts_sys_path path;
    ts_sys_stat st;
    bool follow;
    if (!place(c, a[0], R(PATH_FILESTAT_GET), a[2], a[3], &b, &path) || !lookup(c, a[1], &follow)) return c->status;
    ts_sys_err e = ts_sys_stat_at(b, path, follow, &st);
    return e ? ts_p1_end_sys(c, e) : ts_p1_end_filestat(c, &st, -1);
}
TS_P1_FN(path_filestat_set_times) {
    ts_sys_base b;
    ts_sys_path path;
    ts_sys_newtime t[2];
    bool follow;
    if (!place(c, a[0], R(PATH_FILESTAT_SET_TIMES), a[2], a[3], &b, &path) || !lookup(c, a[1], &follow) ||
        !ts_p1_times(c, a[4], a[5], a[6], t))
        return c->status;
    return ts_p1_end_sys(c, ts_sys_set_times_at(b, path, follow, t));
}
TS_P1_FN(path_link) {
    ts_sys_base from, to;
    ts_sys_path old, new;
    bool follow;
    if (!place(c, a[0], R(PATH_LINK_SOURCE), a[2], a[3], &from, &old) || !lookup(c, a[1], &follow) ||
        !place(c, a[4], R(PATH_LINK_TARGET), a[5], a[6], &to, &new))
        return c->status;
    return ts_p1_end_sys(c, ts_sys_link_at(from, old, follow, to, new));
}
TS_P1_FN(path_rename) {
    ts_sys_base from, to;
    ts_sys_path old, new;
    if (!place(c, a[0], R(PATH_RENAME_SOURCE), a[1], a[2], &from, &old) ||
        !place(c, a[3], R(PATH_RENAME_TARGET), a[4], a[5], &to, &new))
        return c->status;
    return ts_p1_end_sys(c, ts_sys_rename_at(from, old, to, new));
}
TS_P1_FN(path_symlink) {
    ts_sys_base b;
    ts_sys_path target, path;
    if (!ts_p1_path(c, a[0], a[1], &target) || !place(c, a[2], R(PATH_SYMLINK), a[3], a[4], &b, &path))
        return c->status;
    return ts_p1_end_sys(c, ts_sys_symlink_at(target, b, path));
}
/* witx: "If buf is not large enough to contain the contents of the link, the first buf_len bytes will be
 * written to buf." */
TS_P1_FN(path_readlink) {
    ts_sys_base b;
    ts_sys_path path;
    char target[TS_WASI_LINK + 1];
    size_t len;
    uint8_t *at;
    if (!place(c, a[0], R(PATH_READLINK), a[1], a[2], &b, &path)) return c->status;
    ts_sys_err e = ts_wasi_readlink(b, path, target, &len);
    if (e) return ts_p1_end_sys(c, e);
    if (len > a[4]) len = (size_t)a[4];
    if (!(at = ts_p1_bytes(c, a[3], len))) return c->status;
    memcpy(at, target, len);
    return ts_p1_end_u32(c, 0, (uint32_t)len);
}

/* --- path_open ------------------------------------------------------------------------------------------- */
/* The rights of the directory that a request needs. witx: $rights: path_create_file, path_filestat_set_size;
 * fd_sync includes the right to path_open with rsync and dsync, fd_datasync with dsync; sync needs none */
static ts_p1_rights needed(const ts_p1_fd *dir, uint64_t oflags, uint64_t fdflags) {
    const bool dsync = (fdflags & TS_P1_FD_DSYNC) && !(dir->rights & R(FD_SYNC));
    return R(PATH_OPEN) | (oflags & TS_P1_O_CREAT ? R(PATH_CREATE_FILE) : 0) |
           (oflags & TS_P1_O_TRUNC ? R(PATH_FILESTAT_SET_SIZE) : 0) | (dsync ? R(FD_DATASYNC) : 0) |
           (fdflags & TS_P1_FD_RSYNC ? R(FD_SYNC) : 0);
}
static unsigned how_of(ts_p1_rights rights, uint64_t oflags, uint64_t fdflags, bool follow) {
    const ts_p1_rights writes = R(FD_WRITE) | R(FD_ALLOCATE) | R(FD_FILESTAT_SET_SIZE);
    /* without any right the OS still needs a way of access; to truncate, it needs to write */
    const bool out = (rights & writes) || (oflags & TS_P1_O_TRUNC), in = (rights & R(FD_READ)) || !out;
    return (follow ? TS_SYS_O_FOLLOW : 0) | (oflags & TS_P1_O_CREAT ? TS_SYS_O_CREATE : 0) |
           (oflags & TS_P1_O_DIRECTORY ? TS_SYS_O_DIRECTORY : 0) | (oflags & TS_P1_O_EXCL ? TS_SYS_O_EXCL : 0) |
           (oflags & TS_P1_O_TRUNC ? TS_SYS_O_TRUNC : 0) |
           (fdflags & (TS_P1_FD_SYNC | TS_P1_FD_RSYNC) ? TS_SYS_O_SYNC : 0) |
           (fdflags & TS_P1_FD_DSYNC ? TS_SYS_O_DSYNC : 0) | (in ? TS_SYS_O_READ : 0) | (out ? TS_SYS_O_WRITE : 0);
}
/* witx: "The implementation is allowed to return a file descriptor with fewer rights than specified, if and
 * only if those rights do not apply to the type of file being opened." The rights to change anything but the
 * content do not apply below a directory that is granted read-only: programs ask for them whatever they do. */
static bool grants(ts_p1_call *c, const ts_p1_fd *dir, ts_p1_rights rights, uint8_t type) {
    ts_p1_rights applies = ts_p1_rights_of(type, dir->read_only);
    if (type != TS_P1_TYPE_DIRECTORY) applies |= R(FD_WRITE);
    const ts_p1_rights lacks = rights & applies & ~dir->inheriting;
    if (!lacks) return true;
    c->host.denied = dir->read_only && (lacks & R(FD_WRITE));
    ts_p1_end(c, TS_P1_NOTCAPABLE);
    return false;
}
TS_P1_FN(path_open) {
    ts_p1_fd *dir;
    ts_sys_path path;
    ts_sys_stat st;
    bool follow;
    int os_fd;
    uint32_t number;
    const uint64_t oflags = a[4], fdflags = a[7];
    const ts_p1_rights rights = a[5];
    if (!ts_p1_find(c, a[0], TS_P1_FOLDER, 0, &dir) || !ts_p1_may(c, dir, needed(dir, oflags, fdflags)) ||
        !ts_p1_path(c, a[2], a[3], &path) || !lookup(c, a[1], &follow))
        return c->status;
    if ((oflags & ~(uint64_t)TS_P1_O_ALL) || (fdflags & ~(uint64_t)TS_P1_FD_ALL)) return ts_p1_end(c, TS_P1_INVAL);
    /* POSIX does not define O_DIRECTORY together with these; Linux refuses it with O_CREAT */
    if ((oflags & TS_P1_O_DIRECTORY) && (oflags & (TS_P1_O_CREAT | TS_P1_O_TRUNC))) return ts_p1_end(c, TS_P1_INVAL);
    /* before the file is created or truncated: most likely it is a regular one */
    if (!(oflags & TS_P1_O_DIRECTORY) && !grants(c, dir, rights, TS_P1_TYPE_REGULAR_FILE)) return c->status;
    ts_sys_err e = ts_wasi_disk_open(ts_p1_wasi(c), ts_p1_base(c, dir), path,
                                     how_of(rights & dir->inheriting, oflags, fdflags, follow), &os_fd, &st);
    if (e) return ts_p1_end_sys(c, e);
    ts_p1_fd new = {.type = ts_p1_type_of(st.type, os_fd), .flags = (uint8_t)fdflags, .read_only = dir->read_only};
    if (!grants(c, dir, rights, new.type)) {
        ts_sys_close(os_fd);
        return c->status;
    }
    new.rights = rights &ts_p1_rights_of(new.type, dir->read_only);
    new.inheriting = new.type == TS_P1_TYPE_DIRECTORY ? a[6] & dir->inheriting : 0;
    if (!ts_p1_add(c, os_fd, st.type, &new, &number)) return c->status;
    return ts_p1_end_u32(c, 0, number);
}
