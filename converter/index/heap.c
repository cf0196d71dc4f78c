/* One mapping, larger than the file will ever be: growing it moves nothing. */
#include "converter/index/heap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "converter/index/coder.h"

static const size_t address_space = (size_t)1 << 40, least_space = (size_t)1 << 28;

enum {
    STEP_MIN = 1 << 20, STEP_MAX = 64 << 20,
    EDGE = 1 << 18,                     /* near enough to the processor when it is written */
};

int ct_heap_init(struct ct_heap *h, int fd)
{
    void *base = MAP_FAILED;
    size_t size = address_space;

    /* With a limit on address space there is room for less. */
    while (base == MAP_FAILED && size >= least_space) {
        base = mmap(NULL, size, PROT_READ, MAP_SHARED | MAP_NORESERVE, fd, 0);
        if (base == MAP_FAILED)
            size /= 4;
    }
    if (base == MAP_FAILED)
        return -errno;
    *h = (struct ct_heap){ .fd = fd, .base = base, .mapped = size };
    return 0;
}

int ct_heap_open(struct ct_heap *h, int fd, size_t size)
{
    void *base = size ? mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;

    if (base == MAP_FAILED)
        return size ? -errno : -ENODATA;
    *h = (struct ct_heap){ .fd = -1, .base = base, .written = size, .shown = size, .used = size, .allocated = size, .mapped = size };
    return 0;
}

void ct_heap_fini(struct ct_heap *h)
{
    free(h->edge);
    if (h->base)
        munmap((void *)(uintptr_t)h->base, h->mapped);
    if (h->base && h->fd >= 0)
        close(h->fd);
    *h = (struct ct_heap){ .fd = -1 };
}

void ct_heap_fail(struct ct_heap *h, int error)
{
    if (h->coder)
        ct_coder_fail(h->coder, error);
    else
        h->error = error;
}

/* --- appending --- */

/* So many bytes of the file can be mapped. */
static bool allocate(struct ct_heap *h, size_t wanted)
{
    size_t step = h->allocated / 4;
    int r;

    if (wanted <= h->allocated)
        return true;
    if (step < STEP_MIN)
        step = STEP_MIN;
    if (step > STEP_MAX)
        step = STEP_MAX;
    while (h->allocated + step < wanted)
        step += STEP_MAX;
    if (h->allocated + step > h->mapped) {
        h->error = -EFBIG;
        return false;
    }
    do
        r = posix_fallocate(h->fd, (off_t)h->allocated, (off_t)step);
    while (r == EINTR);
    if (r != 0) {
        h->error = -r;
        return false;
    }
    h->allocated += step;
    return true;
}

/* The file has the bytes up to `to`. */
static bool put_in_file(struct ct_heap *h, size_t to)
{
    if (h->error || !allocate(h, to + CT_HEAP_SLACK))
        return false;
    while (h->shown < to) {
        ssize_t size = pwrite(h->fd, h->edge + (h->shown - h->written), to - h->shown, (off_t)h->shown);

        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0) {
            h->error = size < 0 ? -errno : -ENOSPC;
            return false;
        }
        h->shown += (size_t)size;
    }
    return true;
}

bool ct_heap_show(struct ct_heap *h)
{
    return !h->edge || put_in_file(h, h->used);
}

bool ct_heap_end(struct ct_heap *h)
{
    if (!ct_heap_show(h))
        return false;
    free(h->edge);
    h->edge = NULL;
    h->edge_room = 0;
    h->written = h->shown = h->used;
    return true;
}

bool ct_heap_grow(struct ct_heap *h, size_t size)
{
    size_t whole = h->used - h->used % CT_HEAP_PAGE, rest, room = EDGE;

    if (h->error)
        return false;
    if (h->edge && whole > h->written) {
        if (!put_in_file(h, whole))
            return false;
        memmove(h->edge, h->edge + (whole - h->written), h->used - whole);
        h->written = whole;
    }
    rest = h->used - h->written;
    while (room < rest + size)
        room *= 2;
    if (room > h->edge_room) {
        uint8_t *more = realloc(h->edge, room);

        if (!more) {
            h->error = -ENOMEM;
            return false;
        }
        h->edge = more;
        h->edge_room = room;
    }
    return true;
}

uint64_t ct_heap_put(struct ct_heap *h, const void *bytes, size_t size)
{
    size_t gap = -h->used & 7;
    uint8_t *at = ct_heap_room(h, size + gap);

    if (!at)
        return UINT64_MAX;
    memset(at, 0, gap);
    if (size)
        memcpy(at + gap, bytes, size);
    ct_heap_take(h, size + gap);
    return h->used - size;
}
