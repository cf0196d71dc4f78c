/* A queue, an eventfd that wakes its reader, and a condition for those who wait. */
#include "service/errands.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
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

/* `lock` is held. */
static void enqueue(struct ct_errands *e, struct ct_errand_row *row)
{
    uint64_t one = 1;

    *e->last = row;
    e->last = &row->next;
    if (write(e->bell, &one, sizeof one) < 0)
        return;                         /* the counter is full: it is readable */
}

bool ct_errands_send(struct ct_errands *e, ct_errand *run, void *context)
{
    struct ct_errand_row row = { .run = run, .context = context };

    pthread_mutex_lock(&e->lock);
    if (!e->closed) {
        enqueue(e, &row);
        while (!row.done && !e->closed)
            pthread_cond_wait(&e->ran, &e->lock);
    }
    pthread_mutex_unlock(&e->lock);
    return row.done;
}

bool ct_errands_post(struct ct_errands *e, ct_errand *run, void *context)
{
    struct ct_errand_row *row = malloc(sizeof *row);
    bool taken;

    if (!row)
        return ct_errands_send(e, run, context);
    *row = (struct ct_errand_row){ .run = run, .context = context, .posted = true };
    pthread_mutex_lock(&e->lock);
    taken = !e->closed;
    if (taken)
        enqueue(e, row);
    pthread_mutex_unlock(&e->lock);
    if (!taken)
        free(row);
    return taken;
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
        if (row->posted)
            free(row);
        else
            row->done = true;
        pthread_cond_broadcast(&e->ran);
    }
    pthread_mutex_unlock(&e->lock);
}

void ct_errands_close(struct ct_errands *e)
{
    uint64_t one = 1;
    struct ct_errand_row *left, *next;

    pthread_mutex_lock(&e->lock);
    e->closed = true;
    if (write(e->bell, &one, sizeof one) < 0)
        one = 0;                        /* it is readable as it is */
    left = e->first;
    e->first = NULL;
    e->last = &e->first;
    for (struct ct_errand_row **at = &left; *at;) {     /* those who wait have their rows on their stacks */
        if ((*at)->posted)
            at = &(*at)->next;
        else
            *at = (*at)->next;
    }
    pthread_cond_broadcast(&e->ran);
    pthread_mutex_unlock(&e->lock);
    for (; left; left = next) {
        next = left->next;
        left->run(left->context);
        free(left);
    }
}

void ct_errands_fini(struct ct_errands *e)
{
    close(e->bell);
    pthread_cond_destroy(&e->ran);
    pthread_mutex_destroy(&e->lock);
}
