/*
 * Two threads take turns only where they must: blocks of events go through a ring, and when something else is due the
 * decoder parks, the consumer uses up the ring and does it itself.  So all that consumers look at (threads, modules,
 * names, tables of generations) changes in their own calls only.
 */
#include "converter/read/ahead.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

/*
 * Waking costs microseconds, and a lock that two want at once does as well: blocks change hands several together, and who
 * waits is woken when there is something to do for a while.
 */
enum { BLOCKS = 64, TOGETHER = 8 };

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
    unsigned long taken, seen;          /* the consumer's own: blocks it is done with, and of which it knows that they were made */
    bool holding;                       /* and that it looks at one */
    struct block blocks[BLOCKS];
};

static void wait_for_change(struct ct_read_ahead *ahead, bool *waits)
{
    *waits = true;
    pthread_cond_wait(&ahead->changed, &ahead->mutex);
    *waits = false;
}

/* Makes blocks, no more than `room` and from number `first` on: how many.  `*parked`: something else than an event is due. */
static unsigned make_blocks(struct ct_read_ahead *ahead, unsigned long first, unsigned long room, bool *parked)
{
    unsigned made = 0;

    for (*parked = false; !*parked && made < room && made < TOGETHER; made++) {
        struct block *block = &ahead->blocks[(first + made) % BLOCKS];

        if (first + made < BLOCKS)
            ct_read_items_init(block->items);
        block->count = ct_reader_take_events(ahead->reader, block->items);
        *parked = block->count < CT_READ_RUN;
    }
    return made;
}

static void *decode(void *context)
{
    struct ct_read_ahead *ahead = context;

    pthread_mutex_lock(&ahead->mutex);
    while (!ahead->quit) {
        unsigned long first = ahead->made, room = BLOCKS - (first - ahead->used);
        unsigned made;
        bool parked;

        if (ahead->parked || room == 0) {
            wait_for_change(ahead, &ahead->decoder_waits);
            continue;
        }
        pthread_mutex_unlock(&ahead->mutex);
        made = make_blocks(ahead, first, room, &parked);
        pthread_mutex_lock(&ahead->mutex);
        ahead->made += made;
        ahead->parked = parked;
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
    ahead->made = ahead->used = ahead->taken = ahead->seen = 0;
    ahead->parked = true;               /* first of all a generation has to begin */
    ahead->quit = ahead->decoder_waits = ahead->consumer_waits = ahead->holding = false;
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

/* Gives blocks back, and waits until there is one to take or the decoder is parked. */
static void exchange(struct ct_read_ahead *ahead)
{
    pthread_mutex_lock(&ahead->mutex);
    ahead->used = ahead->taken;
    if (ahead->decoder_waits && ahead->made - ahead->used <= BLOCKS / 4)
        pthread_cond_signal(&ahead->changed);
    while (ahead->made == ahead->used && !ahead->parked)
        wait_for_change(ahead, &ahead->consumer_waits);
    ahead->seen = ahead->made;
    pthread_mutex_unlock(&ahead->mutex);
}

/* The block after the one that the consumer looks at; NULL when the decoder is parked and nothing is left. */
static struct block *next_block(struct ct_read_ahead *ahead)
{
    ahead->taken += ahead->holding;
    if (ahead->taken == ahead->seen || ahead->taken - ahead->used >= TOGETHER)
        exchange(ahead);
    ahead->holding = ahead->taken != ahead->seen;
    return ahead->holding ? &ahead->blocks[ahead->taken % BLOCKS] : NULL;
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
