/*
 * A thread waits for one lock, and a lock has one holder or many readers.  From each holder on, the nearest thread that waits for
 * its lock is searched.  Only threads that are settled count: what is told of them held at one moment.
 */
#include "service/deadlock.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

enum { NONE = CT_THREADS_NONE, CYCLES_MOST = 64, STEPS_MOST = 1 << 24 };

/* A lock that is waited for; who has it stands in `edges`. */
struct lock { uint32_t edge, count, seen; };

/* Has the lock, and waits itself. */
struct edge {
    uint32_t row;
    bool told;
};

struct search {
    const struct ct_threads *threads;
    struct lock *locks;
    struct edge *edges;
    uint32_t lock_count, edge_count;
    /* Of each row: the lock that it waits for, or NONE; the search that reached it last, by which edge, from which row. */
    struct way { uint32_t lock, seen, edge, from; } *ways;
    uint32_t *queue;                    /* of a search; then the cycle */
    uint32_t number, steps;
};

/* --- who waits for whom --- */

static bool waits(const struct ct_thread_dump *row)
{
    return row->lock_kind && row->flags & CT_DUMP_SETTLED;
}

static void add_locks(struct search *s)
{
    const struct ct_thread_dump *last = NULL;

    for (size_t i = 0; i < s->threads->count; i++) {
        uint32_t number = s->threads->by_lock[i];
        const struct ct_thread_dump *row = &s->threads->rows[number];

        s->ways[number].lock = NONE;
        if (!waits(row))
            continue;
        if (!last || last->lock != row->lock || last->lock_kind != row->lock_kind)
            s->lock_count++;
        s->ways[number].lock = s->lock_count - 1;
        last = row;
    }
}

static void add_edge(struct search *s, struct lock *lock, uint32_t tid)
{
    uint32_t row = ct_threads_find(s->threads, tid);

    if (row == NONE || s->ways[row].lock == NONE)
        return;
    s->edges[s->edge_count++].row = row;
    lock->count++;
}

static void add_edges(struct search *s)
{
    uint32_t next = 0;

    for (size_t i = 0; i < s->threads->count; i++) {
        uint32_t number = s->threads->by_lock[i];
        const struct ct_thread_dump *row = &s->threads->rows[number];
        struct lock *lock = &s->locks[next];
        const struct ct_read_dump *reads;
        size_t count = 0;

        if (s->ways[number].lock != next)
            continue;
        next++;
        lock->edge = s->edge_count;
        reads = row->readers ? ct_threads_reads(s->threads, row->lock, &count) : NULL;
        for (size_t k = 0; k < count; k++)
            add_edge(s, lock, reads[k].tid);
        if (!row->readers)
            add_edge(s, lock, row->holder);
    }
}

/* --- the search --- */

/* The way from the search's first row to that one, which is told. */
static size_t take_cycle(struct search *s, uint32_t row)
{
    size_t count = 0;

    for (uint32_t at = row; at != NONE; at = s->ways[at].from) {
        s->edges[s->ways[at].edge].told = true;
        s->queue[count++] = at;
    }
    for (size_t i = 0; i < count / 2; i++) {
        uint32_t other = s->queue[count - 1 - i];

        s->queue[count - 1 - i] = s->queue[i];
        s->queue[i] = other;
    }
    return count;
}

static void reach(struct search *s, uint32_t edge, uint32_t from, size_t *end)
{
    struct way *way = &s->ways[s->edges[edge].row];

    s->steps++;
    if (way->seen == s->number)
        return;
    *way = (struct way){ way->lock, s->number, edge, from };
    s->queue[(*end)++] = s->edges[edge].row;
}

/* How many rows the nearest cycle through that holder of that lock has: they are in the queue; 0: there is none. */
static size_t find_cycle(struct search *s, uint32_t lock, uint32_t edge)
{
    size_t begin = 0, end = 0;

    s->number++;
    reach(s, edge, NONE, &end);
    while (begin < end) {
        uint32_t row = s->queue[begin++];
        struct lock *next = &s->locks[s->ways[row].lock];

        if (s->ways[row].lock == lock)
            return take_cycle(s, row);
        if (next->seen == s->number)
            continue;
        next->seen = s->number;
        for (uint32_t i = 0; i < next->count; i++)
            reach(s, next->edge + i, row, &end);
    }
    return 0;
}

static int tell_cycles(struct search *s, ct_deadlock_tell tell, void *context)
{
    unsigned told = 0;

    for (uint32_t l = 0; l < s->lock_count; l++)
        for (uint32_t i = 0; i < s->locks[l].count; i++) {
            uint32_t edge = s->locks[l].edge + i;
            size_t count;

            if (s->edges[edge].told)
                continue;
            if (s->steps > STEPS_MOST)
                return -E2BIG;
            count = find_cycle(s, l, edge);
            if (count && told++ == CYCLES_MOST)
                return -E2BIG;
            if (count)
                tell(context, s->threads, s->queue, count);
        }
    return 0;
}

int ct_deadlocks(const struct ct_threads *t, ct_deadlock_tell tell, void *context)
{
    size_t rows = t->count + 1, holders = rows + t->read_count;
    struct search s = {
        .threads = t,
        .locks = calloc(rows, sizeof *s.locks),
        .edges = calloc(holders, sizeof *s.edges),
        .ways = calloc(rows, sizeof *s.ways),
        .queue = calloc(rows, sizeof *s.queue),
    };
    int r = -ENOMEM;

    if (s.locks && s.edges && s.ways && s.queue) {
        add_locks(&s);
        add_edges(&s);
        r = tell_cycles(&s, tell, context);
    }
    free(s.locks);
    free(s.edges);
    free(s.ways);
    free(s.queue);
    return r;
}
