/* Archives of CTF, unpacked to be read. */
#include "converter/bt2/unpack.h"

#include <errno.h>

#ifdef CT_HAVE_LIBARCHIVE
#include <archive.h>
#include <archive_entry.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { ENTRIES_MAX = 1 << 16, PATH_BYTES = 1024, BLOCK = 64 << 10 };

static const uint64_t bytes_max = 64ull << 30;

/*
 * The library is loaded when an archive is opened: it brings a dozen others, of which who reads a directory, or babeltrace2
 * with our plugin, has no use.
 */
#define FUNCTIONS(F) \
    F(archive_read_new) F(archive_read_support_filter_gzip) F(archive_read_support_filter_xz) F(archive_read_support_filter_bzip2) \
    F(archive_read_support_filter_zstd) F(archive_read_support_format_tar) F(archive_read_support_format_zip) \
    F(archive_read_open_fd) F(archive_read_next_header) F(archive_read_data_block) F(archive_read_free) F(archive_error_string) \
    F(archive_write_disk_new) F(archive_write_disk_set_options) F(archive_write_header) F(archive_write_data_block) \
    F(archive_write_finish_entry) F(archive_write_free) F(archive_entry_pathname) F(archive_entry_pathname_utf8) \
    F(archive_entry_filetype) F(archive_entry_hardlink) F(archive_entry_size) F(archive_entry_set_perm)

struct library {
#define MEMBER(name) __typeof__(name) *name;
    FUNCTIONS(MEMBER)
#undef MEMBER
};

struct unpacking {
    struct library is;
    struct archive *from, *to;
    uint64_t left;                      /* bytes that may still be written */
    unsigned entries;
    struct ct_error *err;
};

static bool load(struct library *ret)
{
    void *library = dlopen("libarchive.so.13", RTLD_NOW | RTLD_LOCAL);
    bool whole = library != NULL;

#define TAKE(name) whole = whole && (ret->name = (__typeof__(name) *)dlsym(library, #name)) != NULL;
    FUNCTIONS(TAKE)
#undef TAKE
    return whole;
}

/* What libarchive says of one of its two halves. */
static int refuse(struct unpacking *u, struct archive *half)
{
    const char *why = u->is.archive_error_string(half);

    return ct_error_at(u->err, -EIO, 0, "it cannot be unpacked: %s", why ? why : "no reason is told");
}

/* Whether it stays below the folder; libarchive is asked to look, too. */
static bool stays(const char *path)
{
    if (*path == '/')
        return false;
    for (const char *at = path; *at; at += strcspn(at, "/"), at += *at == '/')
        if (strncmp(at, "..", 2) == 0 && (at[2] == '/' || at[2] == '\0'))
            return false;
    return true;
}

static int copy_bytes(struct unpacking *u)
{
    const void *bytes;
    size_t size;
    int64_t at;
    int r;

    while ((r = u->is.archive_read_data_block(u->from, &bytes, &size, &at)) == ARCHIVE_OK) {
        if (size > u->left)
            return ct_error_at(u->err, -ENOSPC, 0, "there is not room enough to unpack it (half of what is free may be taken, see TMPDIR)");
        u->left -= size;
        if (u->is.archive_write_data_block(u->to, bytes, size, at) < ARCHIVE_OK)
            return refuse(u, u->to);
    }
    return r == ARCHIVE_EOF ? 0 : refuse(u, u->from);
}

static int take(struct unpacking *u, struct archive_entry *entry)
{
    const char *path = u->is.archive_entry_pathname(entry);
    unsigned type = u->is.archive_entry_filetype(entry);
    int64_t size = u->is.archive_entry_size(entry);

    if (!path)
        path = u->is.archive_entry_pathname_utf8(entry);
    if (path && strlen(path) > PATH_BYTES)
        return ct_error_at(u->err, -ENAMETOOLONG, 0, "it is not unpacked, for a path in it is too long: %.80s...", path);
    if (!path || !stays(path))
        return ct_error_at(u->err, -EPERM, 0, "it is not unpacked, for a path in it leads elsewhere: %.200s", path ? path : "(none)");
    for (const char *at = path; (at = strchr(at, '/')); at++)   /* libarchive makes what folders it takes */
        u->entries++;
    if (u->entries++ >= ENTRIES_MAX)
        return ct_error_at(u->err, -E2BIG, 0, "it is not unpacked, for it holds more than %d files", ENTRIES_MAX);
    if ((type != AE_IFREG && type != AE_IFDIR) || u->is.archive_entry_hardlink(entry))
        return 0;                       /* no trace is made of links or devices */
    if (size > 0 && (uint64_t)size > u->left)
        return ct_error_at(u->err, -ENOSPC, 0, "there is not room enough to unpack it (half of what is free may be taken, see TMPDIR)");
    u->is.archive_entry_set_perm(entry, type == AE_IFDIR ? 0700 : 0600);
    if (u->is.archive_write_header(u->to, entry) < ARCHIVE_WARN)
        return refuse(u, u->to);
    if (type == AE_IFREG && copy_bytes(u) < 0)
        return u->err->code;
    return u->is.archive_write_finish_entry(u->to) < ARCHIVE_WARN ? refuse(u, u->to) : 0;
}

static int unpack(struct unpacking *u, int fd)
{
    struct archive_entry *entry;
    int r = 0, next = ARCHIVE_EOF;

    if (u->is.archive_read_open_fd(u->from, fd, BLOCK) != ARCHIVE_OK)
        return refuse(u, u->from);
    u->is.archive_write_disk_set_options(u->to, ARCHIVE_EXTRACT_SECURE_SYMLINKS | ARCHIVE_EXTRACT_SECURE_NODOTDOT |
                                                    ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS);
    while (r == 0 && (next = u->is.archive_read_next_header(u->from, &entry)) >= ARCHIVE_WARN && next != ARCHIVE_EOF)
        r = take(u, entry);
    return r < 0 || next == ARCHIVE_EOF ? r : refuse(u, u->from);
}

static uint64_t room_here(void)
{
    struct statvfs st;
    uint64_t half = statvfs(".", &st) == 0 ? (uint64_t)st.f_bavail * st.f_frsize / 2 : 0;

    return half < bytes_max ? half : bytes_max;
}

int ct_ctf_unpack(const char *archive, const char *scratch, struct ct_error *err)
{
    int fd = open(archive, O_RDONLY | O_CLOEXEC | O_NOCTTY), r = 0;
    struct unpacking u = { .err = err };

    if (fd < 0 || chdir(scratch) < 0)
        r = ct_error_at(err, -errno, 0, "%s", strerror(errno));
    else if (!load(&u.is))
        r = ct_error_at(err, -ENOSYS, 0, "it is an archive, and libarchive is not there to unpack it: install libarchive13, or open what it holds");
    if (r == 0) {
        u.left = room_here();
        u.from = u.is.archive_read_new();
        u.to = u.is.archive_write_disk_new();
        if (!u.from || !u.to)
            r = ct_error_at(err, -ENOMEM, 0, "no memory");
    }
    if (r == 0) {
        u.is.archive_read_support_filter_gzip(u.from);
        u.is.archive_read_support_filter_xz(u.from);
        u.is.archive_read_support_filter_bzip2(u.from);
        u.is.archive_read_support_filter_zstd(u.from);
        u.is.archive_read_support_format_tar(u.from);
        u.is.archive_read_support_format_zip(u.from);
        r = unpack(&u, fd);
    }
    if (u.to)
        u.is.archive_write_free(u.to);
    if (u.from)
        u.is.archive_read_free(u.from);
    if (fd >= 0)
        close(fd);
    return r;
}

#else

int ct_ctf_unpack(const char *archive, const char *scratch, struct ct_error *err)
{
    return ct_error_at(err, -ENOSYS, 0, "it is an archive, and this ctrace was built without libarchive: unpack it, and open what it holds");
}

#endif
