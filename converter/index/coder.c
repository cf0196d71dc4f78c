/* A ring of leaves to be coded; who waits is woken when half of it changed, for waking costs microseconds. */
#include "converter/index/coder.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    JOBS = 512,                         /* a millisecond of coding: with fewer, who gives them spends a tenth of its time waking */
    TOLD_AT_ONCE = 16,
    PIECE = 16,                         /* that are coded without a look at what else there is to do */
    EXPECTED = 1 << 10,                 /* bytes of payloads that are asked for before they are copied */
    KEPT_MAX = 16 << 10,                /* bytes of payloads: larger ones are waited for, and are not kept for others */
};

struct job {
    struct ct_tree *tree;
    struct ct_chunk *chunk;             /* when it is done: an empty one, for who gives the next */
    unsigned count;
};

struct ct_coder {
    struct ct_heap *heap;
    void (*after)(void *context);
    void *context;
    struct ct_second *second;           /* whose work this is */
    bool own;                           /* and it has no other */
    _Alignas(CT_LINE) unsigned long put;        /* jobs, the giver's: those since `told_of` nobody else knows yet */
    unsigned long told_of;
    int told;                           /* the giver's: the error as of the last leaf it gave */
    _Alignas(CT_LINE) pthread_mutex_t mutex;
    pthread_cond_t room;
    unsigned long made, used;           /* jobs; under the mutex, as are those below */
    bool coding;                        /* somebody is; nobody else does then */
    bool wanted;                        /* somebody waits for room, or for the end */
    int error;
    _Alignas(CT_LINE) struct job jobs[JOBS];
};

/* Asks for a job's slices and payloads, or a little later for all of them: the giver had them last. */
static void expect(const struct job *job)
{
    const struct ct_chunk *chunk = job->chunk;

    for (const char *at = (const char *)chunk->raw; at < (const char *)&chunk->raw[job->count]; at += CT_LINE)
        __builtin_prefetch(at);
    for (size_t at = 0; at < chunk->used && at < EXPECTED; at += CT_LINE)
        __builtin_prefetch(chunk->bytes + at);
}

/* Codes jobs [from, to). */
static int run(struct ct_coder *c, unsigned long from, unsigned long to)
{
    for (; from < to; from++) {
        struct job *job = &c->jobs[from % JOBS];
        struct ct_chunk *chunk = job->chunk;

        if (from + 2 < to)
            __builtin_prefetch(&c->jobs[(from + 2) % JOBS].chunk->bytes);
        if (from + 1 < to)
            expect(&c->jobs[(from + 1) % JOBS]);
        if (!ct_tree_add(job->tree, c->heap, chunk->raw, job->count, chunk->bytes, chunk->used))
            return c->heap->error;
        if (chunk->room <= KEPT_MAX)
            continue;
        free(chunk->bytes);
        chunk->bytes = NULL;
        chunk->room = 0;
    }
    c->after(c->context);
    return 0;
}

/* With the mutex, which it gives back meanwhile; nobody is coding.  False when there are no jobs. */
static bool code_some(struct ct_coder *c)
{
    unsigned long from = c->used, to = c->made < from + PIECE ? c->made : from + PIECE;
    int error = c->error;

    if (from == to)
        return false;
    c->coding = true;
    pthread_mutex_unlock(&c->mutex);
    error = error ? error : run(c, from, to);
    pthread_mutex_lock(&c->mutex);
    c->coding = false;
    c->error = c->error ? c->error : error;
    c->used = to;
    if (c->wanted && c->made - to <= JOBS / 2)
        pthread_cond_broadcast(&c->room);
    return true;
}

/* The second thread's. */
static bool work(void *context)
{
    struct ct_coder *c = context;
    bool did;

    pthread_mutex_lock(&c->mutex);
    did = !c->coding && code_some(c);
    pthread_mutex_unlock(&c->mutex);
    return did;
}

struct ct_coder *ct_coder_new(struct ct_heap *heap, struct ct_second *second, void (*after)(void *context), void *context)
{
    struct ct_coder *c = aligned_alloc(CT_LINE, sizeof *c);

    if (!c)
        return NULL;
    memset(c, 0, sizeof *c);
    c->own = !second;
    if (c->own && ct_second_new(&second) < 0) {
        free(c);
        return NULL;
    }
    c->heap = heap;
    c->after = after;
    c->context = context;
    c->second = second;
    pthread_mutex_init(&c->mutex, NULL);
    pthread_cond_init(&c->room, NULL);
    ct_second_add(second, work, c);
    return c;
}

/* With the mutex: until no more than `left` jobs are there. */
static void wait_for(struct ct_coder *c, unsigned left)
{
    while (c->made - c->used > left) {
        bool did;

        if (!c->coding) {               /* the second thread is busy with other work */
            code_some(c);
            continue;
        }
        pthread_mutex_unlock(&c->mutex);
        did = left > 0 && ct_second_help(c->second, c);
        pthread_mutex_lock(&c->mutex);
        if (did || !c->coding || c->made - c->used <= left)
            continue;
        c->wanted = true;
        pthread_cond_wait(&c->room, &c->mutex);
    }
    c->wanted = false;
}

/* Lets others know of what was put, and waits until no more than `left` jobs are there. */
static void tell(struct ct_coder *c, unsigned left)
{
    bool many;

    pthread_mutex_lock(&c->mutex);
    c->made = c->told_of = c->put;
    many = !c->coding && c->made - c->used >= JOBS / 4;
    if (many) {
        pthread_mutex_unlock(&c->mutex);
        ct_second_wake(c->second);
        pthread_mutex_lock(&c->mutex);
    }
    wait_for(c, left);
    c->told = c->error;
    pthread_mutex_unlock(&c->mutex);
}

void ct_coder_free(struct ct_coder *c)
{
    if (!c)
        return;
    tell(c, 0);
    ct_second_remove(c->second, c);
    if (c->own)
        ct_second_free(c->second);
    if (c->error && !c->heap->error)
        c->heap->error = c->error;
    pthread_cond_destroy(&c->room);
    pthread_mutex_destroy(&c->mutex);
    for (unsigned i = 0; i < JOBS; i++)
        ct_chunk_free(c->jobs[i].chunk);
    free(c);
}

bool ct_coder_put(struct ct_coder *c, struct ct_tree *tree, struct ct_chunk **chunk, unsigned count)
{
    struct job *job = &c->jobs[c->put % JOBS];          /* see tell: its place is free */
    struct ct_chunk *empty = job->chunk, *next;
    bool large = (*chunk)->room > KEPT_MAX;

    job->tree = tree;
    job->chunk = *chunk;
    job->count = count;
    *chunk = empty;
    c->put++;
    if ((next = c->jobs[c->put % JOBS].chunk))
        ct_expect_store((uintptr_t)&next->bytes);
    if (large || c->put - c->told_of == TOLD_AT_ONCE)
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
