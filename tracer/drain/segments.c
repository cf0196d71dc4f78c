/* Segments are memfds: what nobody takes up in time costs memory, which is for the taker to bound. */
#include "drain/segments.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "drain/sieve.h"

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
    struct ct_sieve *sieve = ct_sieve_needed(categories) ? ct_sieve_new(categories) : NULL;
    int fd = sieve || !ct_sieve_needed(categories) ? new_file() : -ENOMEM;

    if (fd < 0) {
        ct_sieve_free(sieve);
        return fd;
    }
    *s = (struct ct_segments){ .categories = categories, .take = take, .context = context };
    ct_consumer_init(&s->consumer, fd, 0);
    s->consumer.roll = roll;
    s->consumer.roll_at = 1;            /* with each generation */
    s->consumer.no_directory = true;
    s->consumer.user = s;
    s->consumer.sieve = sieve;
    return 0;
}

static void forget(struct ct_segments *s)
{
    ct_sieve_free(s->consumer.sieve);
    s->consumer.sieve = NULL;
    ct_consumer_fini(&s->consumer);
}

void ct_segments_fini(struct ct_segments *s)
{
    forget(s);
    close(s->consumer.fd);
}

void ct_segments_end(struct ct_segments *s)
{
    int fd = s->consumer.fd;

    forget(s);
    s->take(s->context, fd, true);
}
