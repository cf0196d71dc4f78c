/*
 * Two threads take turns only where they must: blocks of events go through a ring, and when something else is due the
 * decoder parks, the consumer uses up the ring and does it itself.  So all that consumers look at (threads, modules,
 * names, tables of generations) changes in their own calls only.
 */
#include "converter/read/ahead.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 4, BLOCK_EVENTS = 512 };

struct block {
    struct ct_read_item items[BLOCK_EVENTS];
    unsigned count;
    bool last;                          /* the decoder parks behind it */
    int result;                         /* with `last`: 0, or negative with `error` */
    struct ct_error error;
};

struct ct_read_ahead {
    struct ct_reader *reader;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    unsigned long made, used;           /* blocks; under the mutex, as are the two below */
    bool parked, quit;
    struct block *at;                   /* the consumer's; NULL: none */
    unsigned taken;
    struct block blocks[BLOCKS];
};

/* Fills a block; it is the last one when something else than an event is due. */
static void fill(struct ct_read_ahead *ahead, struct block *block)
{
    const struct ct_read_item *item;

    block->last = false;
    for (block->count = 0; block->count < BLOCK_EVENTS; block->count++) {
        block->result = ct_reader_take_event(ahead->reader, &item, &block->error);
        block->last = block->result <= 0;
        if (block->last)
            return;
        memcpy(&block->items[block->count], item, sizeof *item);
    }
}

static void *decode(void *context)
{
    struct ct_read_ahead *ahead = context;

    pthread_mutex_lock(&ahead->mutex);
    while (!ahead->quit) {
        struct block *block = &ahead->blocks[ahead->made % BLOCKS];

        if (ahead->parked || ahead->made - ahead->used == BLOCKS) {
            pthread_cond_wait(&ahead->changed, &ahead->mutex);
            continue;
        }
        pthread_mutex_unlock(&ahead->mutex);
        fill(ahead, block);
        pthread_mutex_lock(&ahead->mutex);
        ahead->made++;
        ahead->parked = block->last;
        pthread_cond_signal(&ahead->changed);
    }
    pthread_mutex_unlock(&ahead->mutex);
    return NULL;
}

int ct_read_ahead_new(struct ct_reader *reader, struct ct_read_ahead **ret)
{
    struct ct_read_ahead *ahead = malloc(sizeof *ahead);
    sigset_t all, before;
    int r;

    if (!ahead)
        return -ENOMEM;
    ahead->reader = reader;
    ahead->made = ahead->used = 0;
    ahead->parked = true;               /* first of all a generation has to begin */
    ahead->quit = false;
    ahead->at = NULL;
    ahead->taken = 0;
    pthread_mutex_init(&ahead->mutex, NULL);
    pthread_cond_init(&ahead->changed, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);    /* signals are the caller's */
    r = pthread_create(&ahead->thread, NULL, decode, ahead);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r) {
        free(ahead);
        return -r;
    }
    *ret = ahead;
    return 0;
}

/* Gives the block back, and waits for the next; NULL when the decoder is parked and nothing is left. */
static struct block *next_block(struct ct_read_ahead *ahead)
{
    struct block *block = NULL;

    pthread_mutex_lock(&ahead->mutex);
    if (ahead->at) {
        ahead->used++;
        ahead->at = NULL;
        pthread_cond_signal(&ahead->changed);
    }
    while (ahead->made == ahead->used && !ahead->parked)
        pthread_cond_wait(&ahead->changed, &ahead->mutex);
    if (ahead->made != ahead->used)
        block = &ahead->blocks[ahead->used % BLOCKS];
    pthread_mutex_unlock(&ahead->mutex);
    ahead->at = block;
    ahead->taken = 0;
    return block;
}

static void unpark(struct ct_read_ahead *ahead)
{
    pthread_mutex_lock(&ahead->mutex);
    ahead->parked = false;
    pthread_cond_signal(&ahead->changed);
    pthread_mutex_unlock(&ahead->mutex);
}

int ct_read_ahead_next(struct ct_read_ahead *ahead, const struct ct_read_item **ret, struct ct_error *err)
{
    for (;;) {
        struct block *block = ahead->at;
        int r;

        if (block && ahead->taken < block->count) {
            *ret = &block->items[ahead->taken++];
            return 1;
        }
        if (block && block->last && block->result < 0) {
            *err = block->error;
            return block->result;
        }
        if (next_block(ahead))
            continue;
        r = ct_reader_take_other(ahead->reader, ret, err);
        if (r <= 0)
            return r;                   /* it stays parked: asked again, this is said again */
        unpark(ahead);
        if (r != CT_READER_AGAIN)
            return r;
    }
}

void ct_read_ahead_free(struct ct_read_ahead *ahead)
{
    if (!ahead)
        return;
    pthread_mutex_lock(&ahead->mutex);
    ahead->quit = true;
    pthread_cond_signal(&ahead->changed);
    pthread_mutex_unlock(&ahead->mutex);
    pthread_join(ahead->thread, NULL);
    pthread_cond_destroy(&ahead->changed);
    pthread_mutex_destroy(&ahead->mutex);
    free(ahead);
}
