/* A queue, an eventfd that wakes its reader, and a condition for those who wait. */
#include "service/errands.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int ct_errands_init(struct ct_errands *e)
{
    *e = (struct ct_errands){ .bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
    if (e->bell < 0)
        return -errno;
    e->last = &e->first;
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->ran, NULL);
    return 0;
}

bool ct_errands_send(struct ct_errands *e, ct_errand *run, void *context)
{
    struct ct_errand_row row = { .run = run, .context = context };
    uint64_t one = 1;

    pthread_mutex_lock(&e->lock);
    if (!e->closed) {
        *e->last = &row;
        e->last = &row.next;
        if (write(e->bell, &one, sizeof one) < 0)
            one = 0;                    /* the counter is full: it is readable */
        while (!row.done && !e->closed)
            pthread_cond_wait(&e->ran, &e->lock);
    }
    pthread_mutex_unlock(&e->lock);
    return row.done;
}

void ct_errands_run(struct ct_errands *e)
{
    struct ct_errand_row *row;
    uint64_t count;

    if (read(e->bell, &count, sizeof count) < 0)
        return;
    pthread_mutex_lock(&e->lock);
    while ((row = e->first)) {
        e->first = row->next;
        if (!e->first)
            e->last = &e->first;
        pthread_mutex_unlock(&e->lock);
        row->run(row->context);
        pthread_mutex_lock(&e->lock);
        row->done = true;
        pthread_cond_broadcast(&e->ran);
    }
    pthread_mutex_unlock(&e->lock);
}

void ct_errands_close(struct ct_errands *e)
{
    uint64_t one = 1;

    pthread_mutex_lock(&e->lock);
    e->closed = true;
    if (write(e->bell, &one, sizeof one) < 0)
        one = 0;                        /* it is readable as it is */
    e->first = NULL;
    e->last = &e->first;
    pthread_cond_broadcast(&e->ran);
    pthread_mutex_unlock(&e->lock);
}

void ct_errands_fini(struct ct_errands *e)
{
    close(e->bell);
    pthread_cond_destroy(&e->ran);
    pthread_mutex_destroy(&e->lock);
}
