/* The kernel shows what is appended to a file in a mapping that reaches beyond its end. */
#include "converter/read/growing.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "converter/read/vanish.h"

#define ROOM ((uint64_t)16 << 30)           /* a family of thousands of files has as much each */
#define ROOM_LEAST ((uint64_t)64 << 20)

static int size_of(int fd, uint64_t *ret, struct ct_error *err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return ct_error_at(err, -errno, 0, "%s", strerror(errno));
    if (!S_ISREG(st.st_mode))
        return ct_error_at(err, -EINVAL, 0, "is no file");
    *ret = (uint64_t)st.st_size;
    return 0;
}

/* Less room where the address space is limited. */
static int map(int fd, uint64_t size, struct ct_read_source *s, struct ct_error *err)
{
    void *at = MAP_FAILED;
    uint64_t room;

    for (room = ROOM; room >= ROOM_LEAST; room /= 2) {
        s->map_size = size * 2 + room;
        at = mmap(NULL, s->map_size, PROT_READ, MAP_SHARED | MAP_NORESERVE, fd, 0);
        if (at != MAP_FAILED)
            break;
    }
    if (at == MAP_FAILED)
        return ct_error_at(err, -errno, 0, "cannot be mapped: %s", strerror(errno));
    ct_vanish_watch(at, s->map_size);
    s->bytes = at;
    s->size = size;
    s->mapped = true;
    return 0;
}

int ct_growing_open(const char *path, int fd, struct ct_read_source *ret, struct ct_error *err)
{
    struct ct_read_source s = { .growing = true }, known;
    uint64_t size = 0;
    int r;

    s.fd = fd < 0 ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (s.fd < 0)
        return ct_error_at(err, -errno, 0, "cannot be opened: %s", strerror(errno));
    r = size_of(s.fd, &size, err);
    if (r == 0 && size > SIZE_MAX / 4)
        r = ct_error_at(err, -EFBIG, 0, "too large");
    if (r == 0)
        r = map(s.fd, size, &s, err);
    if (r == 0)
        r = ct_read_source_memory(s.bytes, size, &known, err);     /* whether it is a trace */
    if (r < 0)
        ct_read_source_close(&s);
    else
        *ret = s;
    return r;
}

int ct_growing_look(struct ct_read_source *s, struct ct_error *err)
{
    uint64_t size = s->size;
    int r = size_of(s->fd, &size, err);

    if (r < 0)
        return r;
    if (size < s->size)
        return ct_error_at(err, -ESTALE, size, "became shorter while it was read");
    if (size > s->map_size)
        return ct_error_at(err, -EFBIG, s->size, "grew beyond what was foreseen: open it again");
    s->size = size;
    return 0;
}
