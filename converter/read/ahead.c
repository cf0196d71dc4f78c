/*
 * Two threads take turns only where they must: blocks of events go through a ring, and when something else is due decoding
 * stops, the consumer uses up the ring and does it itself.  So all that consumers look at (threads, modules, names, tables of
 * generations) changes in their own calls only.
 */
#include "converter/read/ahead.h"

#include <pthread.h>
#include <stdlib.h>

#include "converter/read/expect.h"

/*
 * Waking costs microseconds, and a lock that two want at once does as well: blocks change hands several together, and who
 * waits is woken when there is something to do for a while.
 */
enum { BLOCKS = 64, TOGETHER = 8 };

struct ct_read_ahead {
    _Alignas(CT_LINE) struct ct_read_item items[BLOCKS][CT_READ_RUN];
    struct { _Alignas(CT_LINE) unsigned count; } block[BLOCKS];     /* of items */
    _Alignas(CT_LINE) struct ct_reader *reader;
    struct ct_second *second;
    /* The consumer's own. */
    _Alignas(CT_LINE) unsigned long taken;      /* blocks it is done with */
    unsigned long seen;                 /* of which it knows that they were made */
    unsigned long given;                /* `used` as it set it */
    bool holding;                       /* it looks at one */
    _Alignas(CT_LINE) pthread_mutex_t mutex;
    pthread_cond_t changed;
    unsigned long made, used;           /* blocks; under the mutex, as are those below */
    bool decoding;                      /* somebody is; nobody else does then */
    bool parked;                        /* something else than an event is due */
    bool consumer_waits;
};

/* Makes some blocks from number `first` on: how many.  `*parked`: something else than an event is due. */
static unsigned make_blocks(struct ct_read_ahead *ahead, unsigned long first, bool *parked)
{
    unsigned made = 0;

    for (*parked = false; !*parked && made < TOGETHER; made++) {
        unsigned block = (first + made) % BLOCKS;

        if (first + made < BLOCKS)
            ct_read_items_init(ahead->items[block]);
        ahead->block[block].count = ct_reader_take_events(ahead->reader, ahead->items[block]);
        *parked = ahead->block[block].count < CT_READ_RUN;
    }
    return made;
}

/* Whoever has the time: some blocks, when there is room for them. */
static bool decode(void *context)
{
    struct ct_read_ahead *ahead = context;
    unsigned long first;
    unsigned made;
    bool parked;

    pthread_mutex_lock(&ahead->mutex);
    first = ahead->made;
    if (ahead->decoding || ahead->parked || first - ahead->used > BLOCKS - TOGETHER) {
        pthread_mutex_unlock(&ahead->mutex);
        return false;
    }
    ahead->decoding = true;
    pthread_mutex_unlock(&ahead->mutex);
    made = make_blocks(ahead, first, &parked);
    pthread_mutex_lock(&ahead->mutex);
    ahead->decoding = false;
    ahead->made += made;
    ahead->parked = parked;
    if (ahead->consumer_waits && (parked || ahead->made - ahead->used >= BLOCKS / 4))
        pthread_cond_signal(&ahead->changed);
    pthread_mutex_unlock(&ahead->mutex);
    return true;
}

int ct_read_ahead_new(struct ct_reader *reader, struct ct_read_ahead **ret)
{
    struct ct_read_ahead *ahead = aligned_alloc(CT_LINE, sizeof *ahead);
    int r;

    if (!ahead)
        return -ENOMEM;
    r = ct_second_new(&ahead->second);
    if (r < 0) {
        free(ahead);
        return r;
    }
    ahead->reader = reader;
    ahead->made = ahead->used = ahead->taken = ahead->seen = ahead->given = 0;
    ahead->parked = true;               /* first of all a generation has to begin */
    ahead->decoding = ahead->consumer_waits = ahead->holding = false;
    pthread_mutex_init(&ahead->mutex, NULL);
    pthread_cond_init(&ahead->changed, NULL);
    ct_second_add(ahead->second, decode, ahead);
    *ret = ahead;
    return 0;
}

struct ct_second *ct_read_ahead_second(struct ct_read_ahead *ahead)
{
    return ahead->second;
}

/* Until there is a block to take, or something else is due: does what the second thread does not, or waits. */
static void wait_for_block(struct ct_read_ahead *ahead)
{
    while (ahead->made == ahead->used && !ahead->parked) {
        bool did;

        pthread_mutex_unlock(&ahead->mutex);
        did = decode(ahead) || ct_second_help(ahead->second, ahead);
        pthread_mutex_lock(&ahead->mutex);
        if (did || ahead->made != ahead->used || !ahead->decoding)
            continue;
        ahead->consumer_waits = true;
        pthread_cond_wait(&ahead->changed, &ahead->mutex);
        ahead->consumer_waits = false;
    }
}

/* Gives blocks back, and looks which there are. */
static void exchange(struct ct_read_ahead *ahead)
{
    bool few;

    pthread_mutex_lock(&ahead->mutex);
    ahead->used = ahead->given = ahead->taken;
    few = !ahead->parked && !ahead->decoding && ahead->made - ahead->used <= BLOCKS / 4;
    if (few) {
        pthread_mutex_unlock(&ahead->mutex);
        ct_second_wake(ahead->second);
        pthread_mutex_lock(&ahead->mutex);
    }
    wait_for_block(ahead);
    ahead->seen = ahead->made;
    pthread_mutex_unlock(&ahead->mutex);
}

/* Asks for what is looked at first of the block after this one: how many items it has, and when the last of them is. */
static inline void expect_next(const struct ct_read_ahead *ahead)
{
    unsigned next = (ahead->taken + 1) % BLOCKS;

    __builtin_prefetch(&ahead->block[next]);
    __builtin_prefetch(&ahead->items[next][CT_READ_RUN - 1]);
}

/* Goes to the block after the one that the consumer looks at; false when something else is due and nothing is left. */
static bool next_block(struct ct_read_ahead *ahead)
{
    ahead->taken += ahead->holding;
    if (ahead->taken == ahead->seen || ahead->taken - ahead->given >= TOGETHER)
        exchange(ahead);
    ahead->holding = ahead->taken != ahead->seen;
    if (ahead->taken + 1 < ahead->seen)
        expect_next(ahead);
    return ahead->holding;
}

static void unpark(struct ct_read_ahead *ahead)
{
    pthread_mutex_lock(&ahead->mutex);
    ahead->parked = false;
    pthread_mutex_unlock(&ahead->mutex);
    ct_second_wake(ahead->second);
}

int ct_read_ahead_next(struct ct_read_ahead *ahead, const struct ct_read_item **ret, size_t *ret_count,
                       struct ct_error *err)
{
    for (;;) {
        bool more = next_block(ahead);
        unsigned block = ahead->taken % BLOCKS;
        int r;

        if (more && ahead->block[block].count > 0) {
            *ret = ahead->items[block];
            *ret_count = ahead->block[block].count;
            return 1;
        }
        if (more)
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
    ct_second_free(ahead->second);
    pthread_cond_destroy(&ahead->changed);
    pthread_mutex_destroy(&ahead->mutex);
    free(ahead);
}
