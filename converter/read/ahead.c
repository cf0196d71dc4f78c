/*
 * Two threads take turns only where they must: blocks of events go through a ring, and when something else is due the
 * decoder parks, the consumer uses up the ring and does it itself.  So all that consumers look at (threads, modules,
 * names, tables of generations) changes in their own calls only.
 */
#include "converter/read/ahead.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

enum { BLOCKS = 64 };                   /* who waits is woken when half of them changed: waking costs microseconds */

struct block {
    struct ct_read_item items[CT_READ_RUN];
    unsigned count;
};

struct ct_read_ahead {
    struct ct_reader *reader;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    unsigned long made, used;           /* blocks; under the mutex, as are those below */
    bool parked, quit;
    bool decoder_waits, consumer_waits;
    bool holding;                       /* the consumer looks at a block */
    struct block blocks[BLOCKS];
};

static void wait_for_change(struct ct_read_ahead *ahead, bool *waits)
{
    *waits = true;
    pthread_cond_wait(&ahead->changed, &ahead->mutex);
    *waits = false;
}

static void *decode(void *context)
{
    struct ct_read_ahead *ahead = context;

    pthread_mutex_lock(&ahead->mutex);
    while (!ahead->quit) {
        struct block *block = &ahead->blocks[ahead->made % BLOCKS];

        if (ahead->parked || ahead->made - ahead->used == BLOCKS) {
            wait_for_change(ahead, &ahead->decoder_waits);
            continue;
        }
        pthread_mutex_unlock(&ahead->mutex);
        block->count = ct_reader_take_events(ahead->reader, block->items);
        pthread_mutex_lock(&ahead->mutex);
        ahead->made++;
        ahead->parked = block->count < CT_READ_RUN;     /* something else than an event is due */
        if (ahead->consumer_waits && (ahead->parked || ahead->made - ahead->used >= BLOCKS / 2))
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
    ahead->quit = ahead->decoder_waits = ahead->consumer_waits = ahead->holding = false;
    for (unsigned i = 0; i < BLOCKS; i++)
        ct_read_items_init(ahead->blocks[i].items);
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
    if (ahead->holding) {
        ahead->used++;
        if (ahead->decoder_waits && ahead->made - ahead->used <= BLOCKS / 2)
            pthread_cond_signal(&ahead->changed);
    }
    while (ahead->made == ahead->used && !ahead->parked)
        wait_for_change(ahead, &ahead->consumer_waits);
    ahead->holding = ahead->made != ahead->used;
    if (ahead->holding)
        block = &ahead->blocks[ahead->used % BLOCKS];
    pthread_mutex_unlock(&ahead->mutex);
    return block;
}

static void unpark(struct ct_read_ahead *ahead)
{
    pthread_mutex_lock(&ahead->mutex);
    ahead->parked = false;
    pthread_cond_signal(&ahead->changed);
    pthread_mutex_unlock(&ahead->mutex);
}

int ct_read_ahead_next(struct ct_read_ahead *ahead, const struct ct_read_item **ret, size_t *ret_count,
                       struct ct_error *err)
{
    for (;;) {
        struct block *block = next_block(ahead);
        int r;

        if (block && block->count > 0) {
            *ret = block->items;
            *ret_count = block->count;
            return 1;
        }
        if (block)
            continue;
        *ret_count = 1;
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
