/* Rolling from one half to the other, and putting both together. */
#include "drain/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drain/output.h"
#include "format/limits.h"

struct ring {
    char path[CT_PATH_MAX], older[CT_PATH_MAX];
    struct ct_directory directory;      /* of the older half */
    bool rolled;                        /* there is an older half */
};

/* The newer half becomes the older one; a new file begins. */
static int roll(struct ct_consumer *c)
{
    struct ring *ring = c->user;
    struct ct_directory directory = ring->directory;
    int fd, r;

    if (rename(ring->path, ring->older) < 0)
        return -errno;
    r = ct_trace_file_create(ring->path, &fd);
    if (r < 0)
        return r;
    close(c->fd);
    c->fd = fd;
    c->size = ct_trace_file_head(fd);
    ring->directory = c->directory;
    c->directory = directory;
    c->directory.count = 0;
    ring->rolled = true;
    return 0;
}

int ct_ring_init(struct ct_consumer *c, const char *path, uint64_t size)
{
    struct ring *ring = calloc(1, sizeof *ring);

    if (!ring)
        return -ENOMEM;
    if (strlen(path) >= sizeof ring->path || !ct_trace_file_ring_name(path, ring->older, sizeof ring->older)) {
        free(ring);
        return -ENAMETOOLONG;
    }
    strcpy(ring->path, path);
    c->user = ring;
    c->roll = roll;
    c->roll_at = size / 8 * 3;          /* and an eighth for the generation under way: both halves stay below `size` */
    c->turn_at = size / 8;
    return 0;
}

void ct_ring_fini(struct ct_consumer *c)
{
    struct ring *ring = c->roll ? c->user : NULL;

    if (!ring)
        return;
    ct_directory_fini(&ring->directory);
    free(ring);
    c->user = NULL;
    c->roll = NULL;
}

int ct_ring_append(int in, uint64_t from, int out, uint64_t *size)
{
    static const size_t at_once = 1 << 20;
    uint8_t *buffer = malloc(at_once);
    uint64_t to = *size;
    ssize_t n = 0;
    int r = buffer ? 0 : -ENOMEM;

    while (r == 0 && (n = pread(in, buffer, at_once, (off_t)from)) > 0) {
        for (ssize_t done = 0; done < n && r == 0;) {
            ssize_t w = pwrite(out, buffer + done, (size_t)(n - done), (off_t)(to + (uint64_t)done));

            if (w > 0)
                done += w;
            else if (w == 0 || errno != EINTR)
                r = w == 0 ? -EIO : -errno;
        }
        from += (uint64_t)n;
        to += (uint64_t)n;
    }
    if (r == 0 && n < 0)
        r = -errno;
    free(buffer);
    if (r < 0)
        return ftruncate(out, (off_t)*size) < 0 ? -errno : r;
    *size = to;
    return 0;
}

int ct_ring_merge(struct ct_consumer *c)
{
    struct ring *ring = c->user;
    size_t first = ct_directory_first(&c->directory);
    uint64_t from = first < c->directory.count ? c->directory.row[first].offset : c->size, size;
    struct stat st;
    int fd, r;

    if (!ring->rolled)
        return 0;
    fd = open(ring->older, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    r = fstat(fd, &st) < 0 ? -errno : 0;
    size = (uint64_t)st.st_size;
    if (r == 0)
        r = ct_ring_append(c->fd, from, fd, &size);
    if (r == 0 && rename(ring->older, ring->path) < 0)
        r = -errno;
    if (r < 0) {
        close(fd);
        return r;
    }
    ct_directory_join(&ring->directory, &c->directory, first, (int64_t)st.st_size - (int64_t)from);
    ct_directory_fini(&c->directory);
    c->directory = ring->directory;
    ring->directory = (struct ct_directory){ 0 };
    close(c->fd);
    c->fd = fd;
    c->size = size;
    ring->rolled = false;
    return lseek(fd, (off_t)size, SEEK_SET) < 0 ? -errno : 0;
}
