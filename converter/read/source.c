/* How bytes come in.  What is not a plain file is copied into an unlinked temporary file, so memory stays small. */
#include "converter/read/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "converter/read/packed.h"
#include "converter/read/vanish.h"
#include "format/file.h"

enum {
    COPY_SIZE = 1 << 16,
    PACKED_RATIO = 100,                 /* a trace packs ten to one; what packs better than this is made to fill a disk */
    PACKED_FREE = 64 << 20,             /* but so much is never too much */
};

/* Answers what can be said from the first bytes; `size` may be less than a head. */
static int look_at_magic(const uint8_t *bytes, size_t size, const char *within, struct ct_error *err)
{
    static const struct { const char *magic; size_t size; const char *name; } others[] = {
        { "\x7f" "ELF", 4, "an ELF file" }, { "PERFILE2", 8, "a perf.data file" }, { "go 1.", 5, "a Go trace" },
        { "PK\x03\x04", 4, "a zip archive" }, { "\xfd" "7zXZ", 5, "an xz file" }, { "{", 1, "JSON or text" },
        { "(\xb5/\xfd", 4, "a zstd file" },
    };
    size_t known = size < 8 ? size : 8;

    if (size == 0)
        return ct_error_at(err, -EINVAL, 0, "%sis empty", within);
    if (memcmp(bytes, CT_FILE_MAGIC, known) == 0)
        return size >= sizeof(struct ct_file_head) ? 0
            : ct_error_at(err, -ENODATA, size, "%sends within the head of a trace", within);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (size >= others[i].size && memcmp(bytes, others[i].magic, others[i].size) == 0)
            return ct_error_at(err, -EINVAL, 0, "%sis not a trace of ctrace, but %s", within, others[i].name);
    for (size_t i = 0; i < known; i++)
        if (bytes[i] != (uint8_t)CT_FILE_MAGIC[i])
            return *within ? ct_error_at(err, -EINVAL, i, "%sis not one of ctrace", within)
                : ct_error_at(err, -EINVAL, i, "%sis not a trace of ctrace (byte %zu is 0x%02x, not 0x%02x)", within, i,
                               bytes[i], (uint8_t)CT_FILE_MAGIC[i]);
    return 0;
}

/* An unlinked file that nobody else can open. */
static int temporary(void)
{
    const char *folders[] = { getenv("TMPDIR"), "/var/tmp", "/tmp" };

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        int fd = folders[i] ? open(folders[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;

        if (fd >= 0)
            return fd;
    }
    return memfd_create("ctrace-unpacked", MFD_CLOEXEC);
}

int ct_packed_write(int fd, const uint8_t *bytes, size_t size)
{
    while (size) {
        ssize_t n = write(fd, bytes, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        bytes += n;
        size -= (size_t)n;
    }
    return 0;
}

ssize_t ct_packed_read(int fd, uint8_t *bytes, size_t size)
{
    ssize_t n;

    do
        n = read(fd, bytes, size);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

/* Reads until `size` bytes are there or no more come. */
static ssize_t read_full(int fd, uint8_t *bytes, size_t size)
{
    size_t have = 0;

    while (have < size) {
        ssize_t n = ct_packed_read(fd, bytes + have, size - have);

        if (n < 0)
            return n;
        if (n == 0)
            break;
        have += (size_t)n;
    }
    return (ssize_t)have;
}

static int map(int fd, uint64_t size, struct ct_read_source *s, struct ct_error *err)
{
    void *at;

    if (size > SIZE_MAX / 2)
        return ct_error_at(err, -EFBIG, 0, "too large");
    at = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (at == MAP_FAILED)
        return ct_error_at(err, -errno, 0, "cannot be mapped: %s", strerror(errno));
    ct_vanish_watch(at, size);
    s->bytes = at;
    s->size = s->map_size = size;
    s->mapped = true;
    return 0;
}

static int open_packed(int in, const uint8_t *head, size_t head_size, uint64_t max, struct ct_read_source *s,
                       struct ct_error *err)
{
    int out = temporary(), r;
    uint64_t size = 0;

    if (out < 0)
        return ct_error_at(err, -errno, 0, "no temporary file: %s", strerror(errno));
    s->packed = true;
    r = ct_packed_unpack(&(struct ct_packed){ in, out, head, head_size, max, look_at_magic }, &size, &s->short_code, err);
    if (r == 0)
        r = map(out, size, s, err);
    close(out);
    return r;
}

/* A pipe: its bytes go to a temporary file. */
static int open_stream(int in, const uint8_t *head, size_t head_size, uint64_t max, struct ct_read_source *s,
                       struct ct_error *err)
{
    uint8_t *copy = malloc(COPY_SIZE);
    uint64_t size = head_size;
    int out = temporary();
    ssize_t n = 0;
    int r = !copy ? -ENOMEM : out < 0 ? -errno : ct_packed_write(out, head, head_size);

    while (r == 0 && (n = ct_packed_read(in, copy, COPY_SIZE)) > 0) {
        size += (size_t)n;
        r = size > max ? -EFBIG : ct_packed_write(out, copy, (size_t)n);
    }
    if (r == 0 && n < 0)
        r = (int)n;
    r = r < 0 ? ct_error_at(err, r, size, "copying it: %s", strerror(-r)) : map(out, size, s, err);
    free(copy);
    if (out >= 0)
        close(out);
    return r;
}

static int open_descriptor(int fd, uint64_t max, struct ct_read_source *s, struct ct_error *err)
{
    uint8_t head[16];
    struct stat st;
    ssize_t n;
    int r;

    if (fstat(fd, &st) < 0)
        return ct_error_at(err, -errno, 0, "%s", strerror(errno));
    if (S_ISDIR(st.st_mode))
        return ct_error_at(err, -EISDIR, 0, "is a directory that holds no trace.out");
    if (S_ISREG(st.st_mode) && lseek(fd, 0, SEEK_SET) < 0)
        return ct_error_at(err, -errno, 0, "%s", strerror(errno));
    n = read_full(fd, head, sizeof head);
    if (n < 0)
        return ct_error_at(err, (int)n, 0, "cannot be read: %s", strerror((int)-n));
    if (n >= 2 && head[0] == 0x1f && head[1] == 0x8b && S_ISREG(st.st_mode) &&
        max > (uint64_t)st.st_size * PACKED_RATIO + PACKED_FREE)
        max = (uint64_t)st.st_size * PACKED_RATIO + PACKED_FREE;
    if (n >= 2 && head[0] == 0x1f && head[1] == 0x8b)
        return open_packed(fd, head, (size_t)n, max, s, err);
    r = look_at_magic(head, (size_t)n, "", err);
    if (r < 0)
        return r;
    return S_ISREG(st.st_mode) ? map(fd, (uint64_t)st.st_size, s, err) : open_stream(fd, head, (size_t)n, max, s, err);
}

int ct_read_source_open(const char *path, int fd, uint64_t inflate_max, struct ct_read_source *ret, struct ct_error *err)
{
    struct ct_read_source s = { 0 };
    int opened = -1;
    int r;

    if (fd < 0 && (!path || strcmp(path, "-") == 0))
        fd = STDIN_FILENO;
    if (fd < 0) {
        opened = fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
            return ct_error_at(err, -errno, 0, "cannot be opened: %s", strerror(errno));
    }
    r = open_descriptor(fd, inflate_max ? inflate_max : (uint64_t)64 << 30, &s, err);
    if (opened >= 0)
        close(opened);
    if (r == 0)
        *ret = s;
    return r;
}

int ct_read_source_memory(const void *bytes, size_t size, struct ct_read_source *ret, struct ct_error *err)
{
    int r = look_at_magic(bytes, size, "", err);

    if (r == 0)
        *ret = (struct ct_read_source){ .bytes = bytes, .size = size };
    return r;
}

void ct_read_source_close(struct ct_read_source *source)
{
    if (source->mapped)
        ct_vanish_forget(source->bytes);
    if (source->mapped)
        munmap((void *)(uintptr_t)source->bytes, source->map_size);
    if (source->growing)
        close(source->fd);
    *source = (struct ct_read_source){ 0 };
}

void ct_read_source_forget(const struct ct_read_source *source, uint64_t from, uint64_t to)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

    from = (from + page - 1) / page * page;
    to = to / page * page;
    if (source->mapped && from < to && to <= source->size)
        madvise((void *)(uintptr_t)(source->bytes + from), to - from, MADV_DONTNEED);
}
