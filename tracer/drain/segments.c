/* Segments are memfds: what nobody takes up in time costs memory, which is for the taker to bound. */
#include "drain/segments.h"

#include <errno.h>
#include <sys/mman.h>

static int new_file(void)
{
    int fd = memfd_create("ctrace-segment", MFD_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

static int roll(struct ct_consumer *c)
{
    struct ct_segments *s = c->user;
    int fd = new_file(), whole = c->fd;

    if (fd < 0)
        return fd;
    c->fd = fd;
    c->size = 0;
    s->take(s->context, whole, false);
    return 0;
}

int ct_segments_init(struct ct_segments *s, uint64_t categories, void (*take)(void *context, int fd, bool last), void *context)
{
    int fd = new_file();

    if (fd < 0)
        return fd;
    *s = (struct ct_segments){ .categories = categories, .take = take, .context = context };
    ct_consumer_init(&s->consumer, fd, 0);
    s->consumer.roll = roll;
    s->consumer.roll_at = 1;            /* with each generation */
    s->consumer.no_directory = true;
    s->consumer.user = s;
    return 0;
}

void ct_segments_end(struct ct_segments *s)
{
    int fd = s->consumer.fd;

    ct_consumer_fini(&s->consumer);
    s->take(s->context, fd, true);
}
