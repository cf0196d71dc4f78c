/* One thread after the other: what /proc says, what the arena knows, where its stack is; then those that run. */
#include "record/dump.h"

#include <errno.h>
#include <string.h>

#include "format/thread_dump.h"
#include "record/clock.h"
#include "record/dump_lock.h"
#include "record/dump_stack.h"
#include "record/hidden.h"
#include "record/labels.h"
#include "record/readers.h"
#include "record/sampler.h"
#include "record/syscall.h"
#include "record/tasks.h"

enum { TEXT = 256, LOOK_MS = 4, PATIENCE_MS = 1000 };

/* Of the dump under way. */
static struct {
    struct ct_arena *arena;
    int fd, error;
    unsigned count;
} dump;

/* The control thread's stack is small. */
static struct ct_thread_dump row;

static size_t place_of(unsigned number)
{
    return sizeof(struct ct_dump_head) + number * sizeof row;
}

static bool fetch(unsigned number)
{
    return ct_syscall(SYS_pread64, dump.fd, &row, sizeof row, place_of(number)) == sizeof row;
}

static bool put(const void *data, size_t size, size_t at)
{
    long n = ct_syscall(SYS_pwrite64, dump.fd, data, size, at);

    if (n != (long)size)
        dump.error = n < 0 ? (int)n : -ENOSPC;
    return n == (long)size;
}

static bool store(unsigned number)
{
    return put(&row, sizeof row, place_of(number));
}

/* --- rows --- */

/* "TID (NAME) STATE ...", where NAME may hold anything. */
static void read_stat(void)
{
    char text[TEXT];
    const char *close = NULL;
    size_t size;

    if (ct_tasks_read(row.tid, "stat", text, sizeof text) <= 0)
        return;
    for (const char *at = text; *at; at++)
        if (*at == ')')
            close = at;
    for (size = 0; close && text[size] && text[size] != '('; size++)
        ;
    if (!close || close[1] != ' ')
        return;
    row.state = (uint8_t)close[2];
    for (size_t i = 0; i + 1 < sizeof row.name && text + size + 1 + i < close; i++)
        row.name[i] = text[size + 1 + i];
}

static void read_what(void)
{
    const struct ct_arena *a = dump.arena;
    struct ct_arena_thread *threads = ct_arena_threads(dump.arena);

    for (uint32_t i = 0; i < a->layout.thread_count; i++) {
        struct ct_arena_thread *t = &threads[i];
        uint32_t state = atomic_load_explicit(&t->state, memory_order_acquire);      /* edge THREAD */
        uint64_t since, now = ct_clock_now();

        if (state == CT_SLOT_FREE && ct_arena_thread_serial(t) == 0)
            return;                     /* rows are taken from the first on */
        if (state != CT_SLOT_LIVE || t->tid != row.tid)
            continue;
        row.what = atomic_load_explicit(&t->what, memory_order_relaxed);
        row.object = atomic_load_explicit(&t->object, memory_order_relaxed);
        since = atomic_load_explicit(&t->since_ticks, memory_order_relaxed);
        if (since && since < now && a->ticks_per_second)
            row.since_ns = (uint64_t)((double)(now - since) * 1e9 / (double)a->ticks_per_second);
        return;
    }
}

/* False while it runs. */
static bool read_waiting(void)
{
    read_what();
    if (!ct_dump_stack(&row))
        return false;
    ct_dump_lock(&row);
    return true;
}

static void write_row(uint32_t tid)
{
    if (ct_hidden(tid))
        return;
    memset(&row, 0, sizeof row);
    row.tid = tid;
    read_stat();
    if (row.state == 'Z' || row.state == 'X')
        return;                         /* it has ended: the first one stays while others go on, and does nothing */
    row.labels_size = ct_labels_read(tid, row.labels);
    read_waiting();
    if (store(dump.count))
        dump.count++;
}

/* --- threads that run --- */

struct aim {
    unsigned number;                    /* of the row */
    struct ct_shot *shot;               /* NULL: it has no answer to give, or gave it */
};

/* The answer of a thread that ran, or what /proc says of it by now. */
static bool try(struct aim *aim)
{
    if (!fetch(aim->number))
        return true;
    if (ct_sampler.shot_done(aim->shot)) {
        row.flags = CT_DUMP_RUNNING | (aim->shot->cut ? CT_DUMP_CUT : 0);
        row.depth = aim->shot->depth;
        memcpy(row.pcs, aim->shot->pcs, row.depth * sizeof *row.pcs);
    } else if (!read_waiting()) {
        return false;
    }
    store(aim->number);
    return true;
}

/* Takes the next rows of threads that run, from `*number` on. */
static unsigned aim_at_some(struct aim *aims, unsigned *number)
{
    unsigned count = 0;

    for (; *number < dump.count && count < CT_SHOTS; ++*number) {
        if (!fetch(*number) || !(row.flags & CT_DUMP_RUNNING))
            continue;
        aims[count] = (struct aim){ *number, ct_sampler.shot_begin(row.tid) };
        count += aims[count].shot != NULL;
    }
    return count;
}

static void read_running(bool (*go_on)(void))
{
    static struct aim aims[CT_SHOTS];
    unsigned waited = 0, left;

    for (unsigned number = 0; (left = aim_at_some(aims, &number)) != 0;) {
        unsigned count = left;

        for (; left && waited < PATIENCE_MS && go_on(); waited += LOOK_MS) {
            ct_sampler.shot_wait(LOOK_MS * 1000000);
            for (unsigned i = 0; i < count; i++)
                if (aims[i].shot && try(&aims[i])) {
                    ct_sampler.shot_end(aims[i].shot);
                    aims[i].shot = NULL;
                    left--;
                }
        }
        for (unsigned i = 0; i < count; i++)
            if (aims[i].shot)
                ct_sampler.shot_end(aims[i].shot);
    }
}

static void settle(void)
{
    for (unsigned i = 0; i < dump.count; i++)
        if (fetch(i) && (row.holder || row.readers) && ct_dump_settled(&row)) {
            row.flags |= CT_DUMP_SETTLED;
            store(i);
        }
}

/* Between the rows and the look at who has not run since: what those hold they held at one moment. */
static unsigned put_reads(void)
{
    struct ct_read_dump some[16];
    unsigned place = 0, done = 0, count;

    do {
        for (count = 0; count < sizeof some / sizeof *some && ct_readers_next(&place, &some[count]); count++)
            ;
        if (count && !put(some, count * sizeof *some, place_of(dump.count) + done * sizeof *some))
            return done;
        done += count;
    } while (count);
    return done;
}

int ct_dump_threads(struct ct_arena *a, int fd, bool (*go_on)(void))
{
    struct ct_dump_head head;

    dump.arena = a;
    dump.fd = fd;
    dump.count = 0;
    dump.error = 0;
    if (!ct_tasks_each(write_row))
        return -ENOENT;
    if (&ct_sampler)
        read_running(go_on);
    head = (struct ct_dump_head){ dump.count, put_reads() };
    settle();
    put(&head, sizeof head, 0);
    return dump.error ? dump.error : (int)dump.count;
}
