/* A ring of leaves to be coded; who waits is woken when half of it changed, for waking costs microseconds. */
#include "converter/index/coder.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

enum {
    JOBS = 512,                         /* a millisecond of coding: with fewer, who gives them spends a tenth of its time waking */
    TOLD_AT_ONCE = 4,
    PAYLOAD_MAX = 4096,
};

struct job {
    struct ct_tree *tree;
    unsigned count;
    size_t payload_size;
    const uint8_t *payload;             /* `bytes`, or the giver's, who waits then */
    struct ct_raw raw[CT_LEAF];
    uint8_t bytes[PAYLOAD_MAX];
};

struct ct_coder {
    struct ct_heap *heap;
    void (*after)(void *context);
    void *context;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t work, room;          /* for the thread; for who gives */
    unsigned long put;                  /* jobs, the giver's: those since `made` the thread does not know yet */
    unsigned long made, used;           /* jobs; under the mutex, as are those below */
    bool asleep, wanted, quit;          /* wanted: somebody waits for room, or for the end */
    int error;
    int told;                           /* the giver's: the error as of the last leaf it gave */
    struct job jobs[JOBS];
};

/* Codes jobs [from, to). */
static int run(struct ct_coder *c, unsigned long from, unsigned long to)
{
    for (; from < to; from++) {
        struct job *job = &c->jobs[from % JOBS];

        if (!ct_tree_add(job->tree, c->heap, job->raw, job->count, job->payload, job->payload_size))
            return c->heap->error;
    }
    c->after(c->context);
    return 0;
}

static void *work(void *context)
{
    struct ct_coder *c = context;

    pthread_setname_np(pthread_self(), "index coder");
    pthread_mutex_lock(&c->mutex);
    for (;;) {
        unsigned long from = c->used, to = c->made < from + JOBS / 4 ? c->made : from + JOBS / 4;
        int error = c->error;

        if (from == to && c->quit)
            break;
        if (from == to) {
            c->asleep = true;
            pthread_cond_wait(&c->work, &c->mutex);
            c->asleep = false;
            continue;
        }
        pthread_mutex_unlock(&c->mutex);
        error = error ? error : run(c, from, to);
        pthread_mutex_lock(&c->mutex);
        c->error = c->error ? c->error : error;
        c->used = to;
        if (c->wanted && c->made - to <= JOBS / 2)
            pthread_cond_broadcast(&c->room);
    }
    pthread_mutex_unlock(&c->mutex);
    return NULL;
}

struct ct_coder *ct_coder_new(struct ct_heap *heap, void (*after)(void *context), void *context)
{
    struct ct_coder *c = malloc(sizeof *c);
    sigset_t all, before;
    int r;

    if (!c)
        return NULL;
    c->heap = heap;
    c->after = after;
    c->context = context;
    c->put = c->made = c->used = 0;
    c->asleep = c->wanted = c->quit = false;
    c->error = c->told = 0;
    pthread_mutex_init(&c->mutex, NULL);
    pthread_cond_init(&c->work, NULL);
    pthread_cond_init(&c->room, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);        /* signals are the caller's */
    r = pthread_create(&c->thread, NULL, work, c);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r == 0)
        return c;
    free(c);
    return NULL;
}

void ct_coder_free(struct ct_coder *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->mutex);
    c->made = c->put;
    c->quit = true;
    pthread_cond_signal(&c->work);
    pthread_mutex_unlock(&c->mutex);
    pthread_join(c->thread, NULL);
    if (c->error && !c->heap->error)
        c->heap->error = c->error;
    pthread_cond_destroy(&c->work);
    pthread_cond_destroy(&c->room);
    pthread_mutex_destroy(&c->mutex);
    free(c);
}

/* With the mutex: until no more than `left` jobs are there. */
static void wait_for(struct ct_coder *c, unsigned left)
{
    while (c->made - c->used > left) {
        c->wanted = true;
        if (c->asleep)
            pthread_cond_signal(&c->work);
        pthread_cond_wait(&c->room, &c->mutex);
    }
    c->wanted = false;
}

/* Lets the thread know of what was put, and waits until no more than `left` jobs are there. */
static void tell(struct ct_coder *c, unsigned left)
{
    pthread_mutex_lock(&c->mutex);
    c->made = c->put;
    if (c->asleep && c->made - c->used >= JOBS / 4)
        pthread_cond_signal(&c->work);
    wait_for(c, left);
    c->told = c->error;
    pthread_mutex_unlock(&c->mutex);
}

bool ct_coder_put(struct ct_coder *c, struct ct_tree *tree, const struct ct_raw *raw, unsigned count,
                  const uint8_t *payload, size_t payload_size)
{
    struct job *job = &c->jobs[c->put % JOBS];          /* see tell: its place is free */
    bool large = payload_size > PAYLOAD_MAX;

    job->tree = tree;
    job->count = count;
    job->payload_size = payload_size;
    job->payload = large ? payload : job->bytes;
    memcpy(job->raw, raw, count * sizeof *raw);
    if (!large && payload_size)
        memcpy(job->bytes, payload, payload_size);
    c->put++;
    if (large || c->put - c->made == TOLD_AT_ONCE)      /* `made` changes here only */
        tell(c, large ? 0 : JOBS - TOLD_AT_ONCE);
    return c->told == 0;
}

void ct_coder_drain(struct ct_coder *c)
{
    tell(c, 0);
}

int ct_coder_error(const struct ct_coder *c)
{
    return c->told;
}

void ct_coder_fail(struct ct_coder *c, int error)
{
    pthread_mutex_lock(&c->mutex);
    c->told = c->error = c->error ? c->error : error;
    pthread_mutex_unlock(&c->mutex);
}
